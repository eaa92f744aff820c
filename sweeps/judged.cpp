#include "sweeps/judged.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "sweeps/adaptive.hpp"
#include "sweeps/convergence_declared.hpp"
#include "sweeps/results.hpp"

namespace winnow::sweeps {
namespace {

constexpr std::int64_t kDayNs = 86'400'000'000'000;

/// UTC days that [from, from + length) touches: no fewer than a result has periods there.
std::size_t days_touched(TimestampNs from, DurationNs length) {
  const std::int64_t first = from.ns / kDayNs;
  const std::int64_t last = (from.ns + length.ns - 1) / kDayNs;
  return static_cast<std::size_t>(last - first + 1);
}

}  // namespace

bool Judged::counts(const Plan& plan, const Segment& segment, std::uint64_t trial) const {
  WINNOW_REQUIRES(trial - segment.first_trial < segment.trials);
  if (trial - segment.first_trial >= rows) return false;
  if (!whole_window_only) return true;
  const std::uint64_t block = block_of_trial(plan, trial);
  return plan.known(block) && plan.whole_window(block);
}

std::uint64_t Judged::variants(const Plan& plan, const Segment& segment) const {
  if (!whole_window_only) return rows;
  std::uint64_t out = 0;
  for (std::uint64_t b = segment.first_block; b < segment.first_block + segment.blocks; ++b) {
    const Plan::Range range = plan.block_range(b);
    if (counts(plan, segment, range.first_trial)) out += range.rows;
  }
  return out;
}

Judged judged_variants(const Plan& plan, const Segment& segment) {
  const ResolvedSpec& spec = plan.spec();
  Judged out{.rows = segment.trials};
  if (!spec.learns()) return out;
  if (spec.adaptive.fidelity != FidelityMethod::None) {
    if (!spec.method.decl().learns && judged_on_later_days(spec.convergence_json)) {
      // What goes on to the whole window was chosen on the windows below it; the results on the
      // whole choose nothing.
      const std::vector<DurationNs> rungs = rung_lengths(spec);
      out.whole_window_only = true;
      out.chosen_by_periods = days_touched(spec.from, rungs[rungs.size() - 2]);
      out.note = "judged by the variants that went through the whole window, after the first " +
                 std::to_string(out.chosen_by_periods) + " days, which chose them";
    }
    return out;
  }
  if (!spec.adaptive.warm_start.empty()) {
    out.chosen_by_periods = Judged::kAllPeriods;
    out.note =
        "all variants were chosen by results on these days (warm_start): the family needs other "
        "days, or a search without warm_start";
    return out;
  }
  out.rows = std::min(segment.trials, spec.adaptive.generation);
  out.note = "judged by the first " + std::to_string(out.rows) + " of " +
             std::to_string(segment.trials) + " variants, chosen before there was a result";
  return out;
}

std::vector<double> judged_params(const Plan& plan, const Segment& segment, const Judged& judged) {
  std::vector<double> out;
  for (std::uint64_t b = segment.first_block; b < segment.first_block + segment.blocks; ++b) {
    const Plan::Range range = plan.block_range(b);
    for (std::uint64_t t = range.first_trial; t < range.first_trial + range.rows; ++t) {
      if (!judged.counts(plan, segment, t)) break;
      const std::vector<double> row = plan.params(t, 1);
      out.insert(out.end(), row.begin(), row.end());
    }
  }
  return out;
}

}  // namespace winnow::sweeps
