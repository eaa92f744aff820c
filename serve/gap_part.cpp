#include "serve/gap_part.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "base/numbers.hpp"
#include "sweeps/results.hpp"
#include "sweeps/stops.hpp"

namespace winnow::serve {
namespace {

constexpr const char* kMostExposure = "exposure_max_frac";

/// Of each trial of the segment; NaN where it is not known.
Result<std::vector<double>> most_exposure(const Sources& sources, const SweepView& view,
                                          const sweeps::Segment& segment) {
  std::vector<double> out(segment.trials, kNaN);
  const auto metric = sweeps::metric_index(kMostExposure, view.meta.metric_names);
  if (!metric.ok()) return out;
  const std::uint32_t index = *metric;
  const auto table = sources.store->read_metrics(view.meta.id, {&index, 1});
  if (!table.ok()) return table.error();
  for (std::size_t r = 0; r < table->trial.size(); ++r) {
    const std::uint64_t trial = table->trial[r];
    if (trial < segment.first_trial || trial - segment.first_trial >= segment.trials) continue;
    out[trial - segment.first_trial] = table->columns[0][r];
  }
  return out;
}

/// Largest mean position of a period, into `out` where the results have positions.
Status most_mean_exposure(const Sources& sources, const SweepView& view,
                          const sweeps::Segment& segment, std::vector<double>& out) {
  for (std::uint64_t b = segment.first_block; b < segment.first_block + segment.blocks; ++b) {
    const auto block = sources.store->read_block(view.meta.id, b, {.exposures = true});
    if (!block.ok() && block.error().code() == ErrorCode::NotFound) continue;
    if (!block.ok()) return block.error();
    if (block->exposures.empty()) continue;
    for (std::uint32_t r = 0; r < block->rows; ++r) {
      const float* row = block->exposures.data() + std::size_t{r} * block->periods;
      double most = 0;
      for (std::size_t t = 0; t < block->periods; ++t) {
        most = std::max(most, std::fabs(static_cast<double>(row[t])));
      }
      out[block->first_trial - segment.first_trial + r] = most;
    }
  }
  return {};
}

}  // namespace

Result<GapPart> read_gap_part(const Sources& sources, const SweepView& view,
                              const sweeps::Segment& segment, const FamilyPanel& panel) {
  auto most = most_exposure(sources, view, segment);
  if (!most.ok()) return most.error();
  GapPart out{.gap = view.dataset(segment).gap_or_unrecorded(), .loss = {}, .stands_in = {}};
  const bool counted =
      std::any_of(most->begin(), most->end(), [](double v) { return std::isfinite(v); });
  if (!counted) {
    WINNOW_TRY(most_mean_exposure(sources, view, segment, *most));
    out.stands_in = "the largest mean position of a day stands in for the largest held";
  }
  const std::vector<double> stops = sweeps::stop_fracs(view.plan, segment);
  for (const std::uint64_t trial : panel.trial) {
    const std::uint64_t t = trial - segment.first_trial;
    const double held = std::isfinite((*most)[t]) ? (*most)[t] : 1.0;
    out.loss.push_back(
        sweeps::level::gap_loss(out.gap, {.notional_max = held, .stop_frac = stops[t]}));
  }
  return out;
}

void apply_gaps(const GapPart& part, double return_mean, sweeps::Convergence& score,
                GapScore& out) {
  const sweeps::level::GapCost cost{.loss_frac = score.gap_loss_mean, .profit_a_day = return_mean};
  out.frac = part.gap.frac;
  out.rate_year = part.gap.rate_year();
  out.c_gaps = score.c_gaps;
  out.days_of_profit = cost.days_of_profit();
  out.text = sweeps::level::gap_text(part.gap, cost);
  if (!part.stands_in.empty()) out.text += "; " + part.stands_in;
  if (!score.scored || score.c_gaps >= sweeps::level::kGapsMin) return;
  std::array<char, 64> head;
  std::snprintf(head.data(), head.size(), "gaps: C = %.4f, %.2f needed: ", score.c_gaps,
                sweeps::level::kGapsMin);
  score.reasons.push_back(head.data() + out.text);
  if (score.verdict == sweeps::Verdict::Converged) score.verdict = sweeps::Verdict::Insufficient;
}

}  // namespace winnow::serve
