#include "serve/luck.hpp"

#include <algorithm>
#include <cmath>

#include "sweeps/family_evidence.hpp"
#include "sweeps/judged.hpp"
#include "sweeps/stats/basic.hpp"

namespace winnow::serve {

double ratio_variance(const sweeps::Plan& plan, const sweeps::Segment& segment,
                      std::span<const std::uint64_t> trial, std::span<const double> sharpe_ann) {
  const sweeps::Judged judged = sweeps::judged_variants(plan, segment);
  const double annual = std::sqrt(plan.periods_per_year(segment));
  // Trials ascend.
  const auto first = std::lower_bound(trial.begin(), trial.end(), segment.first_trial);
  const auto last = std::lower_bound(first, trial.end(), segment.first_trial + segment.trials);
  std::vector<double> ratios;
  ratios.reserve(static_cast<std::size_t>(last - first));
  for (auto at = first; at != last; ++at) {
    if (!judged.counts(plan, segment, *at)) continue;
    const double ratio = sharpe_ann[static_cast<std::size_t>(at - trial.begin())] / annual;
    if (std::isfinite(ratio)) ratios.push_back(ratio);
  }
  return ratios.size() > 1 ? sweeps::stats::variance(ratios) : 0.0;
}

Result<Luck> Luck::make(const Sources& sources, const SweepView& view,
                        std::span<const double> ratio_variance) {
  Luck out(view);
  for (const sweeps::Segment& segment : view.plan.segments()) {
    const auto trials = ledger_trials(*sources.store, view.dataset(segment).content_hash);
    if (!trials.ok()) return trials.error();
    out.best_of_all_.push_back(sweeps::luck_sharpe(static_cast<double>(*trials),
                                                   ratio_variance[segment.index], segment.periods));
  }
  return out;
}

std::array<double, 2> Luck::of(std::uint64_t trial, double sharpe_ann, double skew,
                               double kurtosis) const {
  const sweeps::Segment& segment = view_->plan.segment_of_trial(trial);
  const sweeps::stats::TrackRecord record{
      .sharpe = sharpe_ann / std::sqrt(view_->periods_per_year(segment)),
      .periods = static_cast<double>(segment.periods),
      .skew = skew,
      .kurtosis = kurtosis};
  return {sweeps::stats::probabilistic_sharpe(record, 0),
          sweeps::stats::probabilistic_sharpe(record, best_of_all_[segment.index])};
}

}  // namespace winnow::serve
