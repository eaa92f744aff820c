#include "sweeps/truth/truth.hpp"

#include <algorithm>
#include <boost/math/distributions/beta.hpp>
#include <cmath>
#include <limits>
#include <optional>

#include "engine/engine.hpp"
#include "engine/synth/market_sim.hpp"

namespace winnow::sweeps {
namespace {

constexpr double kAlpha = 0.05;

/// All combinations of the grid, the last axis fastest, in the family's order of parameters.
std::vector<double> grid_rows(const TruthWorld& world, const engine::FamilyDecl& family) {
  std::vector<std::vector<double>> values;
  for (const engine::ParamDecl& param : family.params) {
    const auto axis = std::find_if(world.grid.begin(), world.grid.end(),
                                   [&](const TruthAxis& a) { return a.param == param.name; });
    values.push_back(axis == world.grid.end() ? std::vector<double>{param.default_value}
                                              : axis->values);
  }
  std::vector<double> rows;
  std::vector<std::size_t> at(values.size(), 0);
  for (bool more = true; more;) {
    for (std::size_t p = 0; p < values.size(); ++p) rows.push_back(values[p][at[p]]);
    more = false;
    for (std::size_t p = values.size(); p-- > 0 && !more;) {
      if (++at[p] < values[p].size()) {
        more = true;
      } else {
        at[p] = 0;
      }
    }
  }
  return rows;
}

struct FamilyOutcome {
  Convergence score;
  std::size_t variants = 0;
  double mean_sharpe_ann = 0;
  double best_sharpe_ann = 0;
  std::optional<Error> error;
};

void describe(const engine::BatchResult& result, FamilyOutcome& out) {
  double sum = 0;
  double best = -std::numeric_limits<double>::infinity();
  std::size_t counted = 0;
  const std::size_t column =
      static_cast<std::size_t>(engine::find_metric("sharpe_ann")) * result.variants;
  for (std::size_t v = 0; v < result.variants; ++v) {
    const double sharpe = result.metrics[column + v];
    if (!std::isfinite(sharpe)) continue;
    sum += sharpe;
    best = std::max(best, sharpe);
    ++counted;
  }
  out.variants = result.variants;
  if (counted == 0) return;
  out.mean_sharpe_ann = sum / static_cast<double>(counted);
  out.best_sharpe_ann = best;
}

FamilyOutcome run_family(const TruthWorld& world, const engine::FamilyDecl& family,
                         std::span<const double> rows, std::uint64_t seed) {
  FamilyOutcome out;
  auto markets = engine::synth::simulate_market(world.market, seed);
  if (!markets) {
    out.error = markets.error();
    return out;
  }
  const MarketView view = markets->front().columns.view();
  engine::BatchRequest request;
  request.market = &view;
  request.window = {0, view.time_ns.size()};
  request.family = &family;
  request.params = rows;
  request.execution = &world.execution;
  request.isa = engine::best_isa();
  const auto result = engine::run_batch(request);
  if (!result) {
    out.error = result.error();
    return out;
  }
  describe(*result, out);
  ConvergenceOptions options;
  options.launched = result->variants;
  out.score =
      score_convergence(PanelView::of(result->returns, result->variants, result->periods), options);
  return out;
}

/// Counts one sweep's families, corrected together.
void count_sweep(std::span<const FamilyOutcome> families, TruthReport& report) {
  std::vector<double> p;
  for (const FamilyOutcome& f : families) p.push_back(f.score.p_value());
  const auto decisions = correct_families(p);
  std::uint64_t promoted = 0;
  for (std::size_t i = 0; i < families.size(); ++i) {
    const bool converged = families[i].score.verdict == Verdict::Converged;
    report.converged += converged ? 1 : 0;
    promoted += converged && decisions[i].p_holm <= kAlpha ? 1 : 0;
    report.family_sharpe_ann += families[i].mean_sharpe_ann;
    report.best_sharpe_ann += families[i].best_sharpe_ann;
  }
  report.promoted += promoted;
  report.sweeps_with_promotion += promoted > 0 ? 1 : 0;
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
  const engine::FamilyDecl* family = engine::find_family(world.family);
  if (family == nullptr) {
    return Error(ErrorCode::InvalidInput, "no family '" + std::string(world.family) + "'");
  }
  const std::vector<double> rows = grid_rows(world, *family);
  TruthReport report{.world = world.name, .aim = world.aim, .rate_limit = world.rate_limit};
  report.sweeps = size.sweeps;
  report.families = size.sweeps * size.families;
  // One sweep at a time: its families are all that is in memory.
  for (std::uint64_t s = 0; s < size.sweeps; ++s) {
    std::vector<FamilyOutcome> families(size.families);
    parallel(size.families, [&](std::size_t f) {
      families[f] = run_family(world, *family, rows, size.seed + s * size.families + f);
    });
    for (const FamilyOutcome& f : families) {
      if (f.error) return f.error->within("world " + std::string(world.name));
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
  const RateLimits limits = rate_limits(hits, trials);
  report.rate = static_cast<double>(hits) / static_cast<double>(trials);
  report.rate_low = limits.low;
  report.rate_high = limits.high;
  report.met = reject ? report.rate <= world.rate_limit : report.rate >= world.rate_limit;
  return report;
}

}  // namespace winnow::sweeps
