#include "sweeps/truth/truth.hpp"

#include <algorithm>
#include <boost/math/distributions/beta.hpp>
#include <cmath>
#include <limits>
#include <optional>

#include "engine/engine.hpp"
#include "engine/holding.hpp"
#include "sweeps/level/account.hpp"
#include "sweeps/level/skill.hpp"
#include "sweeps/level/tile_search.hpp"
#include "sweeps/stops.hpp"
#include "sweeps/truth/gather.hpp"
#include "sweeps/truth/reimport_run.hpp"
#include "sweeps/truth/trade.hpp"

namespace winnow::sweeps {
namespace {

constexpr double kPromotionAlpha = 0.05;

struct FamilyOutcome {
  Convergence score;
  bool converged = false;  ///< with losses charged that were not seen
  bool alone_cash = false, alone_ols = false, alone_exposure = false;
  std::size_t variants = 0;
  double mean_sharpe_ann = 0;
  double best_sharpe_ann = 0;
};

/// What a family's variants did, in the order of the grid.
struct FamilyRun {
  std::vector<float> ols;       ///< returns less beta times their market
  std::vector<float> exposure;  ///< less their market at the mean exposure
  std::vector<float> cash;      ///< as they are, where they are asked for
  std::vector<double> sharpes_ann;
  std::vector<double> most_exposure;
  std::size_t periods = 0;
};

void append(const PanelView& panel, std::vector<float>& out) {
  for (std::size_t v = 0; v < panel.variants(); ++v) {
    out.insert(out.end(), panel.row<float>(v), panel.row<float>(v) + panel.periods());
  }
}

void describe(std::span<const double> sharpes_ann, FamilyOutcome& out) {
  double sum = 0;
  double best = -std::numeric_limits<double>::infinity();
  std::size_t counted = 0;
  for (const double sharpe : sharpes_ann) {
    if (!std::isfinite(sharpe)) continue;
    sum += sharpe;
    best = std::max(best, sharpe);
    ++counted;
  }
  out.variants = sharpes_ann.size();
  if (counted == 0) return;
  out.mean_sharpe_ann = sum / static_cast<double>(counted);
  out.best_sharpe_ann = best;
}

/// Runs the variants of `rows` in one market and puts them behind what is there.
Status run_variants(const TruthWorld& world, const engine::synth::MarketSpec& spec,
                    std::span<const double> rows, std::uint64_t seed, FamilyRun& out) {
  if (rows.empty()) return {};
  const auto columns = truth_market(world, spec, seed);
  if (!columns) return columns.error();
  const MarketView view = columns->view();
  const auto result = truth_trade(world, view, rows);
  if (!result) return result.error();
  const auto column = [&](std::string_view name) {
    const auto metric = static_cast<std::size_t>(engine::find_metric(name));
    return std::span<const double>(result->metrics)
        .subspan(metric * result->variants, result->variants);
  };
  const auto market =
      engine::holding_returns(view, {0, view.time_ns.size()}, engine::HoldingCost::None);
  if (!market) return market.error();
  const auto returns = PanelView::of(result->returns, result->variants, result->periods);
  append(level::LessMarket(returns, level::market_betas(returns, *market), *market).view(),
         out.ols);
  append(level::LessMarket(returns, column("mean_exposure"), *market).view(), out.exposure);
  if (world.alone == TruthAlone::Counted) append(returns, out.cash);
  const auto sharpes = column("sharpe_ann");
  out.sharpes_ann.insert(out.sharpes_ann.end(), sharpes.begin(), sharpes.end());
  const auto most = column("exposure_max_frac");
  out.most_exposure.insert(out.most_exposure.end(), most.begin(), most.end());
  out.periods = result->periods;
  return {};
}

/// What one gap costs each variant.
std::vector<double> gap_losses(const TruthWorld& world, std::span<const double> rows,
                               std::size_t row_width, std::span<const double> most_exposure) {
  const auto& params = engine::find_family(world.family)->params;
  const auto stop = std::find_if(params.begin(), params.end(),
                                 [](const engine::ParamDecl& p) { return p.name == kStopParam; });
  std::vector<double> out;
  for (std::size_t v = 0; v < most_exposure.size(); ++v) {
    const auto at = static_cast<std::size_t>(stop - params.begin());
    const double stop_frac = stop == params.end() ? 0 : rows[v * row_width + at] / 1e4;
    out.push_back(
        level::gap_loss(world.gap, {.notional_max = most_exposure[v], .stop_frac = stop_frac}));
  }
  return out;
}

/// Both panels of a family, some variants and periods of them.
struct TruthPanels {
  PanelView ols, exposure;
  TruthPanels window(std::size_t first, std::size_t last) const {
    return {ols.window(first, last), exposure.window(first, last)};
  }
  TruthPanels subset(std::span<const std::uint32_t> rows) const {
    return {ols.subset(rows), exposure.subset(rows)};
  }
};

bool passes(const Convergence& score) {
  return score.verdict == Verdict::Converged && score.c_gaps >= level::kGapsMin;
}

/// As serve/scoring.cpp: the smaller of the two, each market its own variants' (level/skill.hpp).
struct TwoScores {
  Convergence ols, exposure;
  const Convergence& smaller() const { return exposure.c < ols.c ? exposure : ols; }
};
TwoScores both_scores(const TruthPanels& panels, const ConvergenceOptions& options) {
  return {score_convergence(panels.ols, options), score_convergence(panels.exposure, options)};
}

struct TruthTile {
  std::vector<std::uint32_t> rows;
  double p = 1;
};
TruthTile zoomed(const TruthWorld& world, std::span<const double> rows, const TruthPanels& panels,
                 std::uint64_t seed) {
  std::vector<std::string> names;
  for (const auto& param : engine::find_family(world.family)->params) {
    names.emplace_back(param.name);
  }
  const auto tiles = level::space_tiles(rows, names);
  const std::size_t blocks = level::tile_blocks(panels.ols.periods());
  const auto best =
      level::search_space(level::scaled_block_means(panels.ols, blocks),
                          level::scaled_block_means(panels.exposure, blocks), blocks, tiles, seed);
  return {tiles[best.tile].rows, std::max(best.p_ols, best.p_exposure)};
}

/// Scores what a zoom left: that tile's C, and of a search the flips' p if that is larger.
Convergence judge_zoomed(const TruthWorld& world, std::span<const double> rows,
                         const TruthPanels& all, ConvergenceOptions options, std::uint64_t seed) {
  const std::size_t periods = all.ols.periods();
  const bool confirms = world.judge == TruthJudge::Confirm;
  const std::size_t half = confirms ? periods / 2 : 0;
  const TruthTile tile = zoomed(world, rows, confirms ? all.window(0, half) : all, seed);
  options.launched = tile.rows.size();
  std::vector<double> losses;
  for (const std::uint32_t r : tile.rows) losses.push_back(options.gap_loss[r]);
  options.gap_loss = losses;
  Convergence out = both_scores(all.subset(tile.rows).window(half, periods), options).smaller();
  if (!confirms) out.c = std::min(out.c, 1 - tile.p);
  if (out.c < out.c_required && out.verdict == Verdict::Converged) {
    out.verdict = Verdict::NotConverged;
  }
  return out;
}

/// The whole family: its score, and what each panel alone would have said.
void judge_whole(const TruthWorld& world, const TruthPanels& panels, const FamilyRun& run,
                 const ConvergenceOptions& options, FamilyOutcome& out) {
  const TwoScores scores = both_scores(panels, options);
  out.score = scores.smaller();
  if (world.alone == TruthAlone::Uncounted) return;
  const auto cash = PanelView::of(run.cash, panels.ols.variants(), run.periods);
  out.alone_cash = score_convergence(cash, options).verdict == Verdict::Converged;
  out.alone_ols = scores.ols.verdict == Verdict::Converged;
  out.alone_exposure = scores.exposure.verdict == Verdict::Converged;
}

Result<FamilyOutcome> run_family(const TruthWorld& world, std::span<const double> grid,
                                 std::size_t row_width, std::uint64_t seed) {
  std::vector<double> rows(grid.begin(), grid.end());
  const std::size_t scouts = rows.size() / row_width;
  const std::size_t edged =
      world.edge_variants == 0 ? scouts : std::min(world.edge_variants, scouts);
  engine::synth::MarketSpec without = world.market;
  for (auto& instrument : without.instruments) instrument.edge = {};
  FamilyRun run;
  Status ran = run_variants(world, world.market, grid.first(edged * row_width), seed, run);
  // Each use of randomness has a stream of its own, so without the edge the rest stays the same.
  if (ran) ran = run_variants(world, without, grid.subspan(edged * row_width), seed, run);
  ConvergenceOptions options;
  if (ran && world.gather != TruthGather::None) {
    const auto more = gathered_rows(world, grid, run.sharpes_ann);
    ran = run_variants(world, world.market, more, seed, run);
    rows.insert(rows.end(), more.begin(), more.end());
    const auto spread = spread_of(world, rows);
    if (!spread) return spread.error();
    options.spread = *spread;
  }
  if (!ran) return ran.error();
  const std::size_t all = rows.size() / row_width;
  FamilyOutcome out;
  describe(run.sharpes_ann, out);
  options.launched = all;
  const std::vector<double> losses = gap_losses(world, rows, row_width, run.most_exposure);
  options.gap_loss = losses;
  options.gap_rate_year = world.gap.rate_year();
  const TruthPanels panels{PanelView::of(run.ols, all, run.periods),
                           PanelView::of(run.exposure, all, run.periods)};
  if (world.judge == TruthJudge::Whole) {
    judge_whole(world, panels, run, options, out);
  } else {
    out.score = judge_zoomed(world, rows, panels, options, seed);
  }
  out.converged = passes(out.score);
  return out;
}

/// Counts one sweep's families, corrected together.
void count_sweep(std::span<const FamilyOutcome> families, TruthReport& report) {
  std::vector<double> p;
  for (const FamilyOutcome& f : families) p.push_back(f.score.p_value());
  const auto decisions = correct_families(p);
  std::uint64_t promoted = 0;
  const double first_level = level::Account().available().level;
  for (std::size_t i = 0; i < families.size(); ++i) {
    const bool converged = families[i].converged;
    report.converged += converged ? 1 : 0;
    report.converged_uncharged += families[i].score.verdict == Verdict::Converged ? 1 : 0;
    report.passed_score += families[i].score.c >= families[i].score.c_required ? 1 : 0;
    report.at_first_level += converged && p[i] <= first_level ? 1 : 0;
    report.alone_cash += families[i].alone_cash ? 1 : 0;
    report.alone_ols += families[i].alone_ols ? 1 : 0;
    report.alone_exposure += families[i].alone_exposure ? 1 : 0;
    promoted += converged && decisions[i].p_holm <= kPromotionAlpha ? 1 : 0;
    report.family_sharpe_ann += families[i].mean_sharpe_ann;
    report.best_sharpe_ann += families[i].best_sharpe_ann;
  }
  report.promoted += promoted;
  report.sweeps_with_promotion += promoted > 0 ? 1 : 0;
}

void set_rate(const TruthWorld& world, std::uint64_t hits, std::uint64_t trials,
              TruthReport& report) {
  const RateLimits limits = rate_limits(hits, trials);
  report.rate = trials > 0 ? static_cast<double>(hits) / static_cast<double>(trials) : 0;
  report.rate_low = limits.low;
  report.rate_high = limits.high;
  report.met = world.aim == TruthAim::Found ? report.rate >= world.rate_limit
                                            : report.rate <= world.rate_limit;
}

/// Runs what `one` does with each sweep, in any order. Fails: as the first that failed.
template <class Outcome, class One>
Result<std::vector<Outcome>> each_sweep(const TruthWorld& world, std::uint64_t sweeps,
                                        const ParallelFor& parallel, const One& one) {
  std::vector<Outcome> out(sweeps);
  std::vector<std::optional<Error>> errors(sweeps);
  parallel(sweeps, [&](std::size_t s) {
    Result<Outcome> outcome = one(s);
    if (outcome) {
      out[s] = std::move(*outcome);
    } else {
      errors[s] = outcome.error();
    }
  });
  for (const auto& error : errors) {
    if (error) return error->within("world " + std::string(world.name));
  }
  return out;
}

/// A year of an account a sweep: how many say anything false, how many of the real are found, or
/// what share of the promoted is false.
Result<TruthReport> run_accounts(const TruthWorld& world, const TruthSize& size,
                                 const ParallelFor& parallel) {
  TruthReport report{.world = world.name, .aim = world.aim, .rate_limit = world.rate_limit};
  report.sweeps = size.sweeps;
  const auto years = each_sweep<AccountYear>(world, size.sweeps, parallel, [&](std::size_t s) {
    return run_account_year(*world.account, size.seed + s);
  });
  if (!years) return years.error();
  std::uint64_t found = 0;
  std::uint64_t drew_false = 0;
  for (const AccountYear& year : *years) {
    report.families += year.opened;
    report.real += year.real;
    found += year.real_promoted;
    report.promoted += year.real_promoted + year.false_promoted;
    report.sweeps_with_promotion += year.false_promoted > 0 ? 1 : 0;
    report.passed_score += year.passed_score;
    report.false_share += year.false_share / static_cast<double>(size.sweeps);
    drew_false += year.drew_false ? 1 : 0;
  }
  report.converged = report.promoted;
  if (world.aim == TruthAim::Rejected) {
    set_rate(world, report.sweeps_with_promotion, report.sweeps, report);
  } else if (world.aim == TruthAim::FewFalse) {
    set_rate(world, drew_false, report.sweeps, report);
  } else {
    // Of those that somebody wanted to open, opened or not.
    set_rate(world, found, size.sweeps * world.account->real, report);
  }
  return report;
}

Result<TruthReport> run_reimports(const TruthWorld& world, const TruthSize& size,
                                  std::span<const double> rows, std::size_t row_width,
                                  const ParallelFor& parallel) {
  TruthReport report{.world = world.name, .aim = world.aim, .rate_limit = world.rate_limit};
  report.sweeps = report.families = size.sweeps;
  report.variants = rows.size() / row_width;
  const auto outcomes = each_sweep<ReimportOutcome>(
      world, size.sweeps, parallel,
      [&](std::size_t s) { return reimport_sweep(world, rows, row_width, size.seed + s, s); });
  if (!outcomes) return outcomes.error();
  for (const ReimportOutcome& o : *outcomes) {
    report.reimports.add(o.counts);
    report.family_sharpe_ann += o.mean_sharpe_ann / static_cast<double>(size.sweeps);
    report.best_sharpe_ann += o.best_sharpe_ann / static_cast<double>(size.sweeps);
  }
  report.sweeps_with_promotion = report.reimports.deflated_market;
  report.promoted = report.converged = report.sweeps_with_promotion;
  set_rate(world, report.sweeps_with_promotion, size.sweeps, report);
  report.met =
      report.met && report.reimports.copies_lost == 0 && report.reimports.strangers_taken == 0;
  return report;
}

}  // namespace

RateLimits rate_limits(std::uint64_t hits, std::uint64_t trials) {
  RateLimits out;
  if (trials == 0) return out;
  const auto k = static_cast<double>(hits);
  const auto n = static_cast<double>(trials);
  constexpr double kTail = 0.025;
  if (hits > 0)
    out.low = boost::math::quantile(boost::math::beta_distribution<>(k, n - k + 1), kTail);
  if (hits < trials) {
    out.high = boost::math::quantile(boost::math::beta_distribution<>(k + 1, n - k), 1 - kTail);
  }
  return out;
}

Result<TruthReport> run_truth(const TruthWorld& world, const TruthSize& size,
                              const ParallelFor& parallel) {
  if (size.sweeps == 0 || size.families == 0) {
    return Error(ErrorCode::InvalidInput, "a truth test needs at least one sweep and one family");
  }
  if (world.account) return run_accounts(world, size, parallel);
  const engine::FamilyDecl* family = engine::find_family(world.family);
  if (family == nullptr) {
    return Error(ErrorCode::InvalidInput, "no family '" + std::string(world.family) + "'");
  }
  const std::vector<double> rows = truth_grid(world, *family);
  if (world.judge == TruthJudge::Reimport) {
    return run_reimports(world, size, rows, family->params.size(), parallel);
  }
  TruthReport report{.world = world.name, .aim = world.aim, .rate_limit = world.rate_limit};
  report.sweeps = size.sweeps;
  report.families = size.sweeps * size.families;
  // One sweep at a time: its families are all that is in memory.
  for (std::uint64_t s = 0; s < size.sweeps; ++s) {
    std::vector<FamilyOutcome> families(size.families);
    std::vector<std::optional<Error>> errors(size.families);
    parallel(size.families, [&](std::size_t f) {
      auto outcome =
          run_family(world, rows, family->params.size(), size.seed + s * size.families + f);
      if (outcome) {
        families[f] = std::move(*outcome);
      } else {
        errors[f] = outcome.error();
      }
    });
    for (const auto& error : errors) {
      if (error) return error->within("world " + std::string(world.name));
    }
    report.variants = families.front().variants;
    if (world.aim == TruthAim::Rejected) {
      count_sweep(families, report);
    } else {
      for (const FamilyOutcome& f : families) count_sweep({&f, 1}, report);
    }
  }
  const auto n = static_cast<double>(report.families);
  report.family_sharpe_ann /= n;
  report.best_sharpe_ann /= n;
  const bool reject = world.aim == TruthAim::Rejected;
  const std::uint64_t hits = reject ? report.sweeps_with_promotion : report.promoted;
  const std::uint64_t trials = reject ? report.sweeps : report.families;
  set_rate(world, hits, trials, report);
  return report;
}

}  // namespace winnow::sweeps
