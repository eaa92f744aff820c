#include "sweeps/first_generation.hpp"

#include <cmath>
#include <optional>
#include <set>

#include "sweeps/adaptive.hpp"
#include "sweeps/diversity.hpp"

namespace winnow::sweeps {
namespace {

/// Why so large a first generation cannot be judged; empty: it can.
Result<std::string> obstacle(const Plan& plan, const Segment& segment) {
  auto search = SegmentSearch::make(plan, segment);
  if (!search.ok()) return search.error();
  WINNOW_TRY(search->open());
  const GenerationRows& open = search->open_rows();
  std::set<std::vector<double>> distinct;
  for (std::size_t r = 0; r < open.rows(); ++r) {
    const auto row = open.values.begin() + static_cast<std::ptrdiff_t>(r * open.width);
    distinct.emplace(row, row + open.width);
  }
  if (distinct.size() < kDistinctVariantsMin) {
    return std::to_string(distinct.size()) + " of its variants differ, " +
           std::to_string(kDistinctVariantsMin) + " are needed";
  }
  const ParameterSpread spread = parameter_spread(plan.design(segment), open.values);
  if (spread.crowded_frac > kCrowdedFracMax) {
    return std::to_string(std::lround(100 * spread.crowded_frac)) +
           "% of its variants lie within a quarter of the range of every parameter, at most " +
           std::to_string(std::lround(100 * kCrowdedFracMax)) + "% may";
  }
  if (spread.coverage_frac < kAxisCoverageMin) {
    return "its variants reach " + std::to_string(std::lround(100 * spread.coverage_frac)) +
           "% of the range of " + spread.thinnest + ", " +
           std::to_string(std::lround(100 * kAxisCoverageMin)) + "% are needed";
  }
  return std::string();
}

/// The smallest generation above the plan's that could be judged.
Result<std::optional<std::uint64_t>> enough(const Plan& plan, const Segment& segment) {
  const std::uint64_t now = plan.spec().adaptive.generation;
  for (std::uint64_t g = now + kAdaptiveBlockRows; g <= kGenerationRowsMax;
       g += kAdaptiveBlockRows) {
    ResolvedSpec spec = plan.spec();
    spec.adaptive.generation = g;
    spec.samples = g;
    if (!check_adaptive(spec).ok()) break;  // beyond the bytes of a generation
    const auto larger = Plan::make(std::move(spec));
    if (!larger.ok()) return larger.error();
    const auto why = obstacle(*larger, larger->segments()[segment.index]);
    if (!why.ok()) return why.error();
    if (why->empty()) return std::optional(g);
  }
  return std::optional<std::uint64_t>();
}

}  // namespace

Result<std::vector<std::string>> first_generation_warnings(const Plan& plan) {
  std::vector<std::string> out;
  const AdaptiveSpec& search = plan.spec().adaptive;
  if (!plan.spec().learns() || search.fidelity != FidelityMethod::None ||
      !search.warm_start.empty()) {
    return out;
  }
  for (const Segment& segment : plan.segments()) {
    const auto why = obstacle(plan, segment);
    if (!why.ok()) return why.error();
    if (why->empty()) continue;
    const auto needed = enough(plan, segment);
    if (!needed.ok()) return needed.error();
    out.push_back(
        std::string(plan.family(segment).name) + " on " + plan.spec().data[segment.dataset].name +
        ": the first generation of " + std::to_string(search.generation) +
        " is what the family is judged by, and cannot be: " + *why + "; " +
        (*needed ? "search.generation needs " + std::to_string(**needed)
                 : "no generation up to " + std::to_string(kGenerationRowsMax) + " could"));
  }
  return out;
}

}  // namespace winnow::sweeps
