#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "serve/scores.hpp"
#include "sweeps/validation.hpp"

namespace winnow::serve {

// What a sweep's `validation` says of its families: computed once, kept as a document, and read by
// every answer from here.

/// Purpose: one family on one dataset under the sweep's protocol.
struct ValidatedFamily {
  sweeps::ValidationProtocol protocol;
  double periods_per_year = 0;
  std::vector<std::int64_t> days;  ///< UTC day of each period, as numbers from 1970
  bool calendar_known = true;      ///< false: the days are counted from the first one
  std::uint64_t variants = 0;      ///< with returns; the others failed or are not there yet
  std::uint64_t trials = 0;        ///< launched
  /// Empty folds where nothing could be computed.
  sweeps::FoldPlan plan;
  std::optional<sweeps::FamilyValidation> result;
  std::string reason;  ///< why there is none
  bool cached = false;
};

/// Validates a family by its committed variants; null if the sweep declares no protocol. `panel`:
/// its returns if they are in memory; else they are read part by part, and never all at once.
/// Results of complete families are kept where `sources.verdicts` allows.
/// Fails: Corrupt, Io.
Result<std::shared_ptr<const ValidatedFamily>> validate_family(const Sources& sources,
                                                               const SweepView& view,
                                                               const sweeps::Segment& segment,
                                                               const FamilyPanel* panel = nullptr);

/// Sentences, one for each requirement of the sweep's `convergence.require` that a score fails.
std::vector<std::string> unmet_requirements(const SweepView& view, const sweeps::Convergence& score,
                                            const ValidatedFamily* validated);

/// `2023-01-05 to 2023-04-05`: the first start and the last end of a fold's ranges, and of how many
/// parts if they are several; `-` for none.
std::string span_text(const Json& ranges);

/// All of it by name; null for null. Numbers that do not exist are null.
Json validation_json(const SweepView& view, const sweeps::Segment& segment,
                     const ValidatedFamily* validated);

/// Purpose: out-of-sample numbers of single variants over all test days, in the order of
/// sweeps::variant_oos_numbers(). Thread: one. Owner: sources and view outlive it.
class VariantOos {
 public:
  /// Requires: the sweep declares a protocol. Fails: InvalidInput.
  static Result<VariantOos> make(const Sources& sources, const SweepView& view);

  /// One row for each trial; NaN where it has no result. A few are read by themselves, many by
  /// going through the whole sweep. Fails: Corrupt, Io.
  Result<std::vector<std::vector<double>>> of(std::span<const std::uint64_t> trials);

 private:
  struct Place {
    std::optional<sweeps::FoldPlan> plan;  ///< empty: no fold fits
    std::size_t periods = 0;
    double periods_per_year = 0;
    bool known = false;
  };
  VariantOos(const Sources& sources, const SweepView& view) : sources_(&sources), view_(&view) {}
  Status locate(const sweeps::Segment& segment, std::size_t periods);
  std::vector<double> numbers(const sweeps::Segment& segment, std::span<const float> returns) const;
  Status read_segment(const sweeps::Segment& segment, std::span<const std::uint64_t> trials,
                      std::vector<std::vector<double>>& out);

  const Sources* sources_;
  const SweepView* view_;
  sweeps::ValidationProtocol protocol_;
  std::vector<Place> places_;  // by segment
};

}  // namespace winnow::serve
