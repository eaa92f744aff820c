#include "sweeps/truth/reimport_run.hpp"

#include <cmath>
#include <vector>

#include "engine/calendar.hpp"
#include "engine/engine.hpp"
#include "sweeps/family_evidence.hpp"
#include "sweeps/stats/sharpe.hpp"
#include "sweeps/truth/trade.hpp"

namespace winnow::sweeps {
namespace {

stats::TrackRecord record_of(const engine::BatchResult& result, std::size_t variant) {
  const auto first = result.returns.begin() + static_cast<std::ptrdiff_t>(variant * result.periods);
  return stats::track_record(
      std::vector<double>(first, first + static_cast<std::ptrdiff_t>(result.periods)));
}

/// A world, other than this one, whose markets are asked about, too: all in turn.
const TruthWorld& identity_world(const TruthWorld& world, std::uint64_t turn) {
  std::vector<const TruthWorld*> all;
  for (const TruthWorld& w : truth_worlds()) {
    if (!w.account && w.name != world.name) all.push_back(&w);
  }
  return *all[turn % all.size()];
}

constexpr double kTruthTickPx = 0.01;
/// Seeds of markets that have nothing to do with those that are asked about.
constexpr std::uint64_t kStrangers = std::uint64_t{1} << 40;

Result<ReimportCounts> ask_world(const TruthWorld& world, std::uint64_t seed) {
  const auto market = truth_market(world, world.market, seed);
  if (!market) return market.error();
  const auto stranger = truth_market(world, world.market, seed + kStrangers);
  if (!stranger) return stranger.error();
  return ask_identity(*market, *stranger, kTruthTickPx, seed);
}

}  // namespace

Result<ReimportOutcome> reimport_sweep(const TruthWorld& world, std::span<const double> rows,
                                       std::size_t row_width, std::uint64_t seed,
                                       std::uint64_t turn) {
  ReimportOutcome out;
  for (const TruthWorld* asked : {&world, &identity_world(world, turn)}) {
    const auto counts = ask_world(*asked, seed);
    if (!counts) return counts.error();
    out.counts.add(*counts);
  }
  const auto market = truth_market(world, world.market, seed);
  if (!market) return market.error();
  const auto swept = truth_trade(world, market->view(), rows);
  if (!swept) return swept.error();
  std::vector<double> ratios;
  std::size_t best = 0;
  for (std::size_t v = 0; v < swept->variants; ++v) {
    ratios.push_back(record_of(*swept, v).sharpe);
    if (!std::isfinite(ratios.back())) ratios.back() = 0;
    out.mean_sharpe_ann += ratios.back() / static_cast<double>(swept->variants);
    if (ratios[v] > ratios[best]) best = v;
  }
  const double year = std::sqrt(engine::kPeriodsPerYearOpen);
  out.mean_sharpe_ann *= year;
  out.best_sharpe_ann = year * ratios[best];
  const auto copies = market_copies(*market, kTruthTickPx, seed);
  const MarketCopy& copy = copies[turn % kHourlyCopies];
  const auto again =
      truth_trade(world, copy.columns.view(), rows.subspan(best * row_width, row_width));
  if (!again) return again.error();
  constexpr double kDeflatedMin = 0.95;
  const auto n = static_cast<double>(swept->variants);
  const auto deflated = [&](const stats::TrackRecord& record, double trials, double variance) {
    const double ppy = engine::kPeriodsPerYearOpen;
    return deflate(record, trials, variance, ppy).dsr >= kDeflatedMin ? 1u : 0u;
  };
  const bool known = same_market(*market, copy.columns, "OTHER");
  const stats::TrackRecord record = record_of(*again, 0);
  out.counts.deflated_bytes = deflated(record_of(*swept, best), n, ratio_variance(ratios));
  out.counts.deflated_market = deflated(record, known ? n + 1 : 1, 0);
  out.counts.deflated_alone = deflated(record, 1, 0);
  return out;
}

}  // namespace winnow::sweeps
