#include <algorithm>
#include <cmath>

#include "sweeps/truth/dying.hpp"
#include "sweeps/truth/moody.hpp"
#include "sweeps/truth/pegged.hpp"
#include "sweeps/truth/truth.hpp"

namespace winnow::sweeps {
namespace {

using engine::synth::EdgeKind;
using engine::synth::InstrumentSpec;
using engine::synth::MarketSpec;

constexpr std::uint64_t kHoursOfTwoYears = 2 * 365 * 24;

std::vector<double> steps(double first, double last, double step) {
  std::vector<double> out;
  const long n = std::lround((last - first) / step);
  for (long i = 0; i <= n; ++i) out.push_back(first + static_cast<double>(i) * step);
  return out;
}

MarketSpec hourly(InstrumentSpec instrument) {
  MarketSpec market;
  market.name = "truth";
  market.interval = hours(1);
  market.bars = kHoursOfTwoYears;
  market.steps_per_bar = 4;
  instrument.name = "one";
  instrument.start_px = 1000;
  instrument.tick_px = 0.01;
  instrument.volume_per_bar = 1e6;
  market.instruments = {std::move(instrument)};
  return market;
}

engine::ExecutionModel free_of_cost() { return {}; }

/// As a liquid perpetual: taker fee, spread, impact.
engine::ExecutionModel with_costs() {
  engine::ExecutionModel out;
  out.name = "taker";
  out.taker_fee_bps = 5;
  out.maker_fee_bps = 2;
  out.half_spread_bps = 0.5;
  out.impact_bps = 10;
  return out;
}

/// As the largest accounts of a venue: a taker fee, and nothing else.
engine::ExecutionModel vip_costs() {
  engine::ExecutionModel out;
  out.name = "vip";
  out.taker_fee_bps = 1.7;
  return out;
}

/// Long or flat.
engine::ExecutionModel without_shorts() {
  engine::ExecutionModel out;
  out.shorts = false;
  return out;
}

/// 500 variants: 20 lookbacks, 5 entries, 5 holding times.
std::vector<TruthAxis> wide_grid() {
  return {{"lookback_bars", steps(12, 240, 12)},
          {"entry_z", steps(1, 3, 0.5)},
          {"max_hold_bars", {0, 24, 48, 96, 168}}};
}

InstrumentSpec with_edge(DurationNs half_life, double sharpe_ann, double volatility_ann_frac) {
  InstrumentSpec out;
  out.regimes[0].volatility_ann_frac = volatility_ann_frac;
  out.edge = {EdgeKind::MeanReversion, half_life, sharpe_ann};
  return out;
}

MarketSpec plateau_market() { return hourly(with_edge(days(1), 4, 0.5)); }

InstrumentSpec with_lucky_day() {
  InstrumentSpec out;
  // About one jump in two years, of a fifth of the price.
  out.jumps = {.per_year = 0.5, .sd_frac = 0.2};
  return out;
}

/// Tight stops and targets on martingales: what fills at a level must gain nothing by it.
std::vector<TruthAxis> tight_grid(std::string_view level) {
  return {{"lookback_bars", steps(12, 120, 12)},
          {"entry_z", steps(1, 2, 0.5)},
          {level, {5, 10, 20, 50, 100}}};
}

MarketSpec with_steps(MarketSpec market, std::uint32_t steps_per_bar) {
  market.steps_per_bar = steps_per_bar;
  return market;
}

/// A market that rises: holding it has this Sharpe ratio.
InstrumentSpec rising(double sharpe_ann) {
  InstrumentSpec out;
  out.regimes[0].drift_ann_frac = sharpe_ann * out.regimes[0].volatility_ann_frac;
  return out;
}

/// Long or flat, by crossings of means that know nothing.
std::vector<TruthAxis> long_only_grid() {
  return {
      {"fast_bars", steps(12, 96, 12)}, {"slow_bars", steps(120, 960, 120)}, {"short_side", {0}}};
}

void add_fills(std::vector<TruthWorld>& out) {
  struct Fill {
    std::string_view name, level;
    std::uint32_t steps_per_bar;
    engine::ExecutionModel execution;
  };
  constexpr std::string_view kStop = "stop_bps";
  constexpr std::string_view kTarget = "take_profit_bps";
  for (const Fill& f :
       {Fill{"stops_4", kStop, 4, free_of_cost()}, Fill{"stops_4_vip", kStop, 4, vip_costs()},
        Fill{"stops_4_retail", kStop, 4, with_costs()}, Fill{"stops_16", kStop, 16, free_of_cost()},
        Fill{"stops_16_vip", kStop, 16, vip_costs()},
        Fill{"stops_16_retail", kStop, 16, with_costs()},
        Fill{"stops_64", kStop, 64, free_of_cost()}, Fill{"stops_64_vip", kStop, 64, vip_costs()},
        Fill{"stops_64_retail", kStop, 64, with_costs()},
        Fill{"targets_4", kTarget, 4, free_of_cost()},
        Fill{"targets_4_vip", kTarget, 4, vip_costs()},
        Fill{"targets_4_retail", kTarget, 4, with_costs()},
        Fill{"targets_16", kTarget, 16, free_of_cost()},
        Fill{"targets_16_vip", kTarget, 16, vip_costs()},
        Fill{"targets_16_retail", kTarget, 16, with_costs()},
        Fill{"targets_64", kTarget, 64, free_of_cost()},
        Fill{"targets_64_vip", kTarget, 64, vip_costs()},
        Fill{"targets_64_retail", kTarget, 64, with_costs()}}) {
    out.push_back({f.name, "martingales, stops or targets of 5 to 100 bps",
                   with_steps(hourly({}), f.steps_per_bar), f.execution, "mean_reversion",
                   tight_grid(f.level), TruthAim::Rejected, 0.05});
  }
}

void add_drifts(std::vector<TruthWorld>& out) {
  const auto add = [&](std::string_view name, std::string_view what, double hold_sharpe_ann) {
    out.push_back({name, what, hourly(rising(hold_sharpe_ann)), free_of_cost(), "sma_cross",
                   long_only_grid(), TruthAim::Rejected, 0.05});
    out.back().alone = TruthAlone::Counted;
  };
  add("drift_05", "a market that rises (holding: .5 a year), long or flat without timing", 0.5);
  add("drift_1", "a market that rises (holding: 1 a year), long or flat without timing", 1);
  add("drift_15", "a market that rises (holding: 1.5 a year), long or flat without timing", 1.5);
  add("drift", "a market that rises (holding: 2 a year), long or flat without timing", 2);
}

/// No family here trades by volatility, so the market does it for them: prices tell whether it is
/// calm, or the volume does.
void add_moods(std::vector<TruthWorld>& out) {
  const auto add = [&](std::string_view name, std::string_view what, std::string_view family,
                       const engine::ExecutionModel& execution, std::vector<TruthAxis> grid,
                       Result<MarketColumns> (*columns)(std::uint64_t seed)) {
    out.push_back({name, what, {}, execution, family, std::move(grid), TruthAim::Rejected, 0.05});
    out.back().columns = columns;
    out.back().alone = TruthAlone::Counted;
  };
  add("calm", "volatility varies, the drift does not: long after rises, when it is calm",
      "sma_cross", free_of_cost(), long_only_grid(),
      [](std::uint64_t seed) -> Result<MarketColumns> { return moody_market({}, seed); });
  add("wild", "drift in proportion to variance: long after falls, when it is wild",
      "mean_reversion", without_shorts(),
      {{"lookback_bars", steps(96, 768, 96)}, {"entry_z", {0.25, 0.5, 1, 1.5}}},
      [](std::uint64_t seed) -> Result<MarketColumns> {
        return moody_market({.drift = DriftLaw::Variance}, seed);
      });
  // A share of a volume that moves against volatility, for hours that do not depend on anything.
  engine::ExecutionModel capped = without_shorts();
  capped.participation_max_frac = 5e-5;
  add("vol_target", "volatility varies, the drift does not: long, less of it when it is wild",
      "mean_reversion", capped,
      {{"lookback_bars", steps(12, 96, 12)},
       {"entry_z", {0.05}},
       {"exit_z", {-20}},
       {"max_hold_bars", {12, 24, 48, 96}}},
      [](std::uint64_t seed) -> Result<MarketColumns> {
        return moody_market({.leverage = 0}, seed);
      });
}

void add_gathers(std::vector<TruthWorld>& out) {
  const auto add = [&](std::string_view name, std::string_view what, TruthGather gather) {
    out.push_back({name,
                   what,
                   hourly({}),
                   free_of_cost(),
                   "mean_reversion",
                   {{"lookback_bars", steps(12, 240, 12)}, {"entry_z", steps(1, 3, 0.5)}},
                   TruthAim::Rejected,
                   0.05});
    out.back().gather = gather;
  };
  add("clones", "martingales: a search that gathers around the best variant",
      TruthGather::NearClones);
  add("inert", "martingales: the best variant again and again, along an axis that changes nothing",
      TruthGather::InertAxis);
}

void add_zooms(std::vector<TruthWorld>& out, const std::vector<TruthAxis>& plateau) {
  const auto add = [&](std::string_view name, std::string_view what, const MarketSpec& market,
                       const engine::ExecutionModel& execution, const std::vector<TruthAxis>& grid,
                       TruthAim aim, double limit, TruthJudge judge) {
    out.push_back({name, what, market, execution, "mean_reversion", grid, aim, limit});
    out.back().judge = judge;
  };
  add("zoom_in", "martingales: the best part of the space, all parts paid for", hourly({}),
      free_of_cost(), wide_grid(), TruthAim::Rejected, 0.05, TruthJudge::Search);
  add("zoom_in_costs", "the same with costs", hourly({}), with_costs(), wide_grid(),
      TruthAim::Rejected, 0.05, TruthJudge::Search);
  add("zoom_confirm", "martingales: the best part by one year, judged by the next", hourly({}),
      free_of_cost(), wide_grid(), TruthAim::Rejected, 0.05, TruthJudge::Confirm);
  add("zoom_in_next_year", "a plateau of Sharpe 3: its best part by one year, judged by the next",
      plateau_market(), with_costs(), plateau, TruthAim::Found, 0.80, TruthJudge::Confirm);
}

void add_accounts(std::vector<TruthWorld>& out) {
  const auto add = [&](std::string_view name, std::string_view what, TruthAim aim, double limit,
                       const AccountTruth& account) {
    TruthWorld world;
    world.name = name;
    world.what = what;
    world.aim = aim;
    world.rate_limit = limit;
    world.account = account;
    out.push_back(std::move(world));
  };
  add("sequence_100", "a year of 100 families without an edge, each acted on at its own time",
      TruthAim::Rejected, 0.05, {.asked = 100});
  add("sequence_1000", "a year of 1,000 of them", TruthAim::Rejected, 0.05, {.asked = 1000});
  add("climbing", "34 openings on the same sealed days, each close to the one before, words only",
      TruthAim::Rejected, 0.05, {.asked = 34, .correlation = 0.9});
  add("fdr", "40 families, one in five with a Sharpe ratio of 3, each on a year of its own",
      TruthAim::FewFalse, 0.05, {.asked = 40, .real = 8, .sharpe_ann = 3});
  add("fdr_shared", "the same on one year for all, correlation .6", TruthAim::FewFalse, 0.05,
      {.asked = 40, .real = 8, .sharpe_ann = 3, .shared = 0.6});
  add("starving", "4 families of Sharpe 2.8 over two years among 20 opened", TruthAim::Found, 0.70,
      {.asked = 20, .real = 4, .sharpe_ann = 2.8, .days = 730});
  add("believed", "one family of Sharpe 3 over a year, with half of the account", TruthAim::Found,
      0.70, {.asked = 1, .real = 1, .sharpe_ann = 3, .days = 365, .share = 0.5});
}

std::vector<TruthWorld> make_worlds() {
  // Half-life and strength were chosen so that the families' mean Sharpe ratio is 3 (plateau: 3.0
  // over 400 markets of two years, net of costs), and so that costs take more than there is
  // (costs_eat_edge).
  const std::vector<TruthAxis> plateau{{"lookback_bars", steps(60, 240, 20)},
                                       {"entry_z", steps(1, 2, 0.25)},
                                       {"max_hold_bars", {0, 96}}};
  const std::vector<TruthAxis> fast{{"lookback_bars", steps(4, 24, 2)},
                                    {"entry_z", steps(0.5, 1.5, 0.25)},
                                    {"max_hold_bars", {0, 12}}};
  // The edge lives for an hour: a lookback of 4 bars, the only one that meets it, sees it well.
  std::vector<double> one_fast = steps(120, 588, 12);
  one_fast.insert(one_fast.begin(), 4);
  const std::vector<TruthAxis> spike{
      {"lookback_bars", one_fast}, {"entry_z", {1.5}}, {"max_hold_bars", {48}}};
  const MarketSpec fast_market = hourly(with_edge(hours(3), 6, 0.15));
  std::vector<TruthWorld> out;
  out.push_back({"no_edge", "martingales without costs: nothing is there, nothing is lost",
                 hourly({}), free_of_cost(), "mean_reversion", wide_grid(), TruthAim::Rejected,
                 0.05});
  out.push_back({"plateau", "variants with a true Sharpe ratio of 3 after costs, two years",
                 plateau_market(), with_costs(), "mean_reversion", plateau, TruthAim::Found, 0.90});
  out.push_back({"true_spike", "one variant has an edge without costs, forty others have none",
                 hourly(with_edge(hours(1), 4, 0.5)), free_of_cost(), "mean_reversion", spike,
                 TruthAim::Rejected, 0.05, 1});
  out.push_back({"lucky_day", "martingales with a jump of a fifth: luck, on one day",
                 hourly(with_lucky_day()), free_of_cost(), "mean_reversion", wide_grid(),
                 TruthAim::Rejected, 0.05});
  out.push_back({"costs_eat_edge", "a fast edge that costs take whole", fast_market, with_costs(),
                 "mean_reversion", fast, TruthAim::Rejected, 0.05});
  out.push_back({"without_costs", "the same edge before costs: it was there", fast_market,
                 free_of_cost(), "mean_reversion", fast, TruthAim::Found, 0.90});
  add_fills(out);
  add_drifts(out);
  add_moods(out);
  const std::vector<TruthAxis> returning{{"lookback_bars", steps(48, 336, 24)},
                                         {"entry_z", steps(1.5, 3.5, 0.5)},
                                         {"max_hold_bars", {0, 24, 72}}};
  out.push_back({"pegged",
                 "a peg that is left by 60 bps and met again, or breaks by 40%",
                 {},
                 free_of_cost(),
                 "mean_reversion",
                 returning,
                 TruthAim::Rejected,
                 0.05});
  out.back().gap = level::gap_without_record(1);
  out.back().columns = [](std::uint64_t seed) -> Result<MarketColumns> {
    return pegged_market({}, seed);
  };
  std::vector<TruthAxis> stopped = plateau;
  stopped.push_back({"stop_bps", {300, 500}});
  out.push_back({"plateau_stops", "the plateau with stops, on a pair with a long record",
                 plateau_market(), with_costs(), "mean_reversion", stopped, TruthAim::Found, 0.80});
  // Outside of the level: what the reference measured with the recency gate, .34. Eight months of
  // nothing are seldom bad enough to tell (docs/STATISTICS.md).
  out.push_back({"dying", "the plateau, whose edge ends with the first year; costs go on",
                 plateau_market(), with_costs(), "mean_reversion", plateau, TruthAim::Rejected,
                 0.34});
  out.back().columns = [](std::uint64_t seed) { return dying_market(plateau_market(), 0.5, seed); };
  add_gathers(out);
  add_zooms(out, plateau);
  out.push_back({"reimported", "martingales, imported again in another version", hourly({}),
                 free_of_cost(), "mean_reversion", wide_grid(), TruthAim::Rejected, 0.05});
  out.back().judge = TruthJudge::Reimport;
  add_accounts(out);
  return out;
}

}  // namespace

std::span<const TruthWorld> truth_worlds() {
  static const std::vector<TruthWorld> worlds = make_worlds();
  return worlds;
}

const TruthWorld* find_truth_world(std::string_view name) {
  const auto worlds = truth_worlds();
  const auto found = std::find_if(worlds.begin(), worlds.end(),
                                  [&](const TruthWorld& w) { return w.name == name; });
  return found == worlds.end() ? nullptr : &*found;
}

}  // namespace winnow::sweeps
