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
#include "sweeps/adaptive_spec.hpp"
#include "sweeps/design.hpp"
#include "sweeps/generation.hpp"
#include "sweeps/plan.hpp"
#include "sweeps/search/fidelity.hpp"

namespace winnow::sweeps {

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
