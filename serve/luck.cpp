#include "serve/luck.hpp"

#include <algorithm>
#include <cmath>

#include "sweeps/family_evidence.hpp"
#include "sweeps/judged.hpp"
#include "sweeps/results.hpp"

namespace winnow::serve {

std::optional<RecordColumns> record_columns(const SweepView& view) {
  RecordColumns out;
  for (std::size_t i = 0; i < out.index.size(); ++i) {
    const auto index = sweeps::metric_index(RecordColumns::kNames[i], view.meta.metric_names);
    if (!index.ok()) return std::nullopt;
    out.index[i] = *index;
  }
  return out;
}

Moments moments_of(const RecordColumns& columns, std::span<const double> metrics) {
  Moments out;
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = columns.index[i] < metrics.size() ? metrics[columns.index[i]] : std::nan("");
  }
  return out;
}

std::optional<sweeps::stats::TrackRecord> track_record_of(const SweepView& view,
                                                          std::uint64_t trial,
                                                          const Moments& moments) {
  const auto [sharpe_ann, skew, kurtosis, vol_ann] = moments;
  if (!(vol_ann > 0) || !std::isfinite(sharpe_ann)) return std::nullopt;
  if (!std::isfinite(skew) || !std::isfinite(kurtosis)) return std::nullopt;
  if (!sweeps::ranked_alike(view.plan, trial)) return std::nullopt;
  const sweeps::Segment& segment = view.plan.segment_of_trial(trial);
  return sweeps::stats::TrackRecord{
      .sharpe = sharpe_ann / std::sqrt(view.periods_per_year(segment)),
      .periods = static_cast<double>(segment.periods),
      .skew = skew,
      .kurtosis = kurtosis};
}

double ratio_variance(
    const SweepView& view, const sweeps::Segment& segment, std::span<const std::uint64_t> trial,
    const std::array<std::span<const double>, RecordColumns::kNames.size()>& moments) {
  const sweeps::Judged judged = sweeps::judged_variants(view.plan, segment);
  const auto first = std::lower_bound(trial.begin(), trial.end(), segment.first_trial);
  const auto last = std::lower_bound(first, trial.end(), segment.first_trial + segment.trials);
  std::vector<double> ratios;
  for (auto at = first; at != last; ++at) {
    if (!judged.counts(view.plan, segment, *at)) continue;
    const auto row = static_cast<std::size_t>(at - trial.begin());
    Moments own;
    for (std::size_t i = 0; i < own.size(); ++i) own[i] = moments[i][row];
    if (const auto record = track_record_of(view, *at, own)) ratios.push_back(record->sharpe);
  }
  return sweeps::ratio_variance(ratios);
}

Result<double> stored_ratio_variance(const Sources& sources, const SweepView& view,
                                     const sweeps::Segment& segment) {
  const auto columns = record_columns(view);
  if (!columns) {
    return Error(ErrorCode::InvalidInput,
                 "sweep " + view.meta.id + " keeps no moments of its variants' returns");
  }
  const auto table = sources.store->read_metrics(view.meta.id, columns->index);
  if (!table.ok()) return table.error();
  std::array<std::span<const double>, RecordColumns::kNames.size()> moments;
  for (std::size_t i = 0; i < moments.size(); ++i) moments[i] = table->columns[i];
  return ratio_variance(view, segment, table->trial, moments);
}

Result<Luck> Luck::make(const Sources& sources, const SweepView& view,
                        std::span<const double> ratio_variance) {
  Luck out(view);
  for (const sweeps::Segment& segment : view.plan.segments()) {
    const auto trials = ledger_trials(sources, view.dataset(segment).content_hash);
    if (!trials.ok()) return trials.error();
    out.best_of_all_.push_back(sweeps::luck_sharpe(static_cast<double>(*trials),
                                                   ratio_variance[segment.index], segment.periods));
  }
  return out;
}

std::array<double, 2> Luck::of(std::uint64_t trial, const Moments& moments) const {
  const auto record = track_record_of(*view_, trial, moments);
  if (!record) return {std::nan(""), std::nan("")};
  const sweeps::Segment& segment = view_->plan.segment_of_trial(trial);
  return {sweeps::stats::probabilistic_sharpe(*record, 0),
          sweeps::stats::probabilistic_sharpe(*record, best_of_all_[segment.index])};
}

}  // namespace winnow::serve
