#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/result_block.hpp"
#include "sweeps/design.hpp"
#include "sweeps/generation.hpp"
#include "sweeps/plan.hpp"
#include "sweeps/search/fidelity.hpp"

namespace winnow::sweeps {

/// Rows of a block of a search that learns: the engine's widest lane. Generations are whole blocks.
inline constexpr std::uint32_t kAdaptiveBlockRows = 8;
/// Eight blocks: work for eight workers between two decisions. It is a constant, never the farm's
/// size, for the trials follow from it.
inline constexpr std::uint64_t kGenerationDefault = 64;
inline constexpr std::uint64_t kGenerationRowsMax = 1024;
/// A generation travels and is put down whole.
inline constexpr std::uint64_t kGenerationBytesMax = std::uint64_t{512} << 10;

/// Windows of the rungs from the start of the sweep's, ascending, the last the whole. One if the
/// search has one fidelity.
std::vector<DurationNs> rung_lengths(const ResolvedSpec& spec);
/// What a search is made of: a generation, or the round of rungs of halving and Hyperband.
/// `samples` is a multiple of it.
std::uint64_t search_unit(const ResolvedSpec& spec);
/// Rows of the largest generation.
std::uint64_t generation_rows_max(const ResolvedSpec& spec);
/// Fails: InvalidInput, if what a specification says of a search that learns breaks a rule.
Status check_adaptive(const ResolvedSpec& spec);

/// A row's outcome to the search: the loss of each objective, the metric turned so that less is
/// better. Requires: row < block.rows, metrics of engine::metric_decls().
search::Outcome outcome_of(const AdaptiveSpec& spec, const ResultBlock& block, std::uint32_t row);

/// A trial of another sweep to learn from before the first generation.
struct PriorResult {
  std::vector<double> params;  ///< of the family, in declaration order
  search::Outcome outcome;
};

/// Purpose: the search of one segment, from its specification and the outcomes of its generations
/// to the rows of the next. A function of those alone: of no farm, no order of arrival, no crash.
/// Owner: whoever asks. Thread: one.
class SegmentSearch {
 public:
  /// Learns from `prior` first. Fails: InvalidInput (the space, a prior result off the space).
  static Result<SegmentSearch> make(const Plan& plan, const Segment& segment,
                                    std::span<const PriorResult> prior = {});
  /// As it was, a generation open. Fails: Corrupt, InvalidInput (bytes of another space).
  static Result<SegmentSearch> restore(const Plan& plan, const Segment& segment,
                                       std::string_view checkpoint);

  /// A generation is open: its outcomes are missing.
  bool waits() const { return open_.rows() > 0; }
  /// The open generation, without a checkpoint.
  const GenerationRows& open_rows() const { return open_; }
  /// Rows of all generations.
  std::uint64_t rows_made() const { return open_.first_row + open_.rows(); }
  /// Opens the next generation. Fails: Refused (the family refuses every draw).
  Status open();
  /// Outcomes of the open generation, all of them, in the order of its rows.
  Status tell(std::span<const search::Outcome> outcomes);
  std::string checkpoint() const;

 private:
  SegmentSearch() = default;
  static Result<search::Space> space_of(const std::shared_ptr<const Design>& design);
  Status wrap(search::Search search);
  void show(std::uint64_t first_row);
  void add_row(std::span<const double> point, std::uint32_t rung);
  std::optional<std::vector<double>> coordinates(std::span<const double> params) const;
  const search::Search& sampler() const { return fidelity_ ? fidelity_->search() : *search_; }

  ResolvedSpec spec_;
  std::shared_ptr<const Design> design_;
  std::optional<search::Search> search_;            // of one fidelity
  std::optional<search::FidelitySearch> fidelity_;  // of several
  GenerationRows open_;
};

}  // namespace winnow::sweeps
