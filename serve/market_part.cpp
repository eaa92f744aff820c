#include "serve/market_part.hpp"

#include "base/numbers.hpp"
#include "serve/holding.hpp"
#include "serve/rerun.hpp"
#include "sweeps/generation.hpp"
#include "sweeps/results.hpp"

namespace winnow::serve {
namespace {

/// Means of the blocks [begin, end), by trial of the segment.
Status add_means(const Sources& sources, const SweepView& view, const sweeps::Segment& segment,
                 std::uint64_t begin, std::uint64_t end, std::span<const PeriodRange> periods,
                 std::vector<double>& out) {
  double count = 0;
  for (const PeriodRange& p : periods) count += static_cast<double>(p.last - p.first);
  for (std::uint64_t b = begin; b < end; ++b) {
    if (!view.plan.whole_window(b)) continue;
    const auto block = sources.store->read_block(view.meta.id, b, {.exposures = true});
    if (!block.ok() && block.error().code() == ErrorCode::NotFound) continue;
    if (!block.ok()) return block.error();
    if (block->exposures.empty() || (!periods.empty() && block->periods < periods.back().last)) {
      continue;
    }
    for (std::uint32_t r = 0; r < block->rows; ++r) {
      const float* row = block->exposures.data() + std::size_t{r} * block->periods;
      double sum = 0;
      for (const PeriodRange& p : periods) {
        for (std::size_t t = p.first; t < p.last; ++t) sum += static_cast<double>(row[t]);
      }
      out[block->first_trial - segment.first_trial + r] = sum / count;
    }
  }
  return {};
}

/// Means over all days, by trial of the segment, as the engine put them into each row; false for
/// results that have no such metric. To unpack the days of a million variants takes three seconds.
Result<bool> read_means(const Sources& sources, const SweepView& view,
                        const sweeps::Segment& segment, std::vector<double>& out) {
  const auto metric = sweeps::metric_index("mean_exposure", view.meta.metric_names);
  if (!metric.ok()) return false;
  const std::uint32_t index = *metric;
  const auto table = sources.store->read_metrics(view.meta.id, {&index, 1});
  if (!table.ok()) return table.error();
  for (std::size_t r = 0; r < table->trial.size(); ++r) {
    const std::uint64_t trial = table->trial[r];
    if (trial < segment.first_trial || trial >= segment.first_trial + segment.trials) continue;
    if (table->status[r] != TrialStatus::Ok || !sweeps::ranked_alike(view.plan, trial)) continue;
    out[trial - segment.first_trial] = table->columns[0][r];
  }
  return true;
}

/// Means over some days, of the days themselves.
Status read_means_of(const Sources& sources, const SweepView& view, const sweeps::Segment& segment,
                     std::span<const PeriodRange> periods, std::vector<double>& out) {
  constexpr std::uint64_t kBlocks = 32;
  const std::uint64_t tasks = (segment.blocks + kBlocks - 1) / kBlocks;
  std::vector<std::optional<Error>> errors(tasks);
  sources.parallel(tasks, [&](std::size_t task) {
    const std::uint64_t begin = segment.first_block + task * kBlocks;
    const std::uint64_t end = std::min(begin + kBlocks, segment.first_block + segment.blocks);
    const Status read = add_means(sources, view, segment, begin, end, periods, out);
    if (!read.ok()) errors[task] = read.error();
  });
  for (const auto& error : errors) {
    if (error) return *error;
  }
  return {};
}

}  // namespace

Result<std::vector<double>> read_market_returns(const Sources& sources, const SweepView& view,
                                                const sweeps::Segment& segment,
                                                std::size_t periods) {
  const sweeps::DatasetInfo& info = view.dataset(segment);
  if (sources.datasets == nullptr) {
    return Error(ErrorCode::NotFound, "no datasets are here, so what the market did is not known");
  }
  const auto loaded = sources.datasets->load(info.content_hash);
  if (!loaded.ok()) return loaded.error();
  const auto cost = view.plan.execution(segment).funding ? engine::HoldingCost::Funding
                                                         : engine::HoldingCost::None;
  auto out =
      engine::holding_returns(loaded->view(), window_of(loaded->view(), view.plan.spec()), cost);
  if (out.ok() && out->size() != periods) {
    return Error(ErrorCode::NotFound, "dataset " + info.name + " has " +
                                          std::to_string(out->size()) + " days in the window, " +
                                          "the results " + std::to_string(periods));
  }
  return out;
}

Result<MarketPart> read_market_part(const Sources& sources, const SweepView& view,
                                    const sweeps::Segment& segment, const FamilyPanel& panel,
                                    std::span<const PeriodRange> periods) {
  auto returns = read_market_returns(sources, view, segment, panel.periods);
  if (!returns.ok()) return returns.error();
  std::vector<double> by_trial(segment.trials, kNaN);
  const bool whole =
      periods.size() == 1 && periods[0].first == 0 && periods[0].last == panel.periods;
  auto known_whole = whole ? read_means(sources, view, segment, by_trial) : Result<bool>(false);
  if (!known_whole.ok()) return known_whole.error();
  if (!*known_whole) WINNOW_TRY(read_means_of(sources, view, segment, periods, by_trial));
  MarketPart out;
  out.returns = *std::move(returns);
  bool known = panel.trial.empty();
  for (const std::uint64_t trial : panel.trial) {
    out.mean_exposure.push_back(by_trial[trial - segment.first_trial]);
    known = known || std::isfinite(out.mean_exposure.back());
  }
  if (!known) {
    return Error(ErrorCode::NotFound,
                 "these results have no positions beside their returns (they were made by engine "
                 "version " +
                     std::to_string(view.meta.engine_version) + "): run the sweep again");
  }
  return out;
}

}  // namespace winnow::serve
