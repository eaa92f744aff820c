#include "sweeps/risk/monte_carlo.hpp"

#include <algorithm>
#include <boost/math/distributions/gamma.hpp>
#include <cmath>
#include <limits>

#include "base/check.hpp"
#include "base/det_math.hpp"
#include "base/rng.hpp"
#include "sweeps/stats/basic.hpp"

namespace winnow::sweeps::risk {
namespace {

constexpr std::size_t kPathsPerTask = 128;  // paths a body of the ParallelFor simulates
// Streams of one seed: paths draw their days and their parameters apart.
constexpr std::uint64_t kParameterStream = std::uint64_t{1} << 40;

/// Source days of one path, by the stationary bootstrap.
class DayDraw {
 public:
  DayDraw(std::size_t days, double mean_block) : days_(days), fresh_(1 / mean_block) {}

  void draw(std::uint64_t seed, std::size_t path, std::vector<std::uint32_t>& out) const {
    Rng rng(seed, path);
    std::size_t at = 0;
    for (std::size_t t = 0; t < out.size(); ++t) {
      const bool fresh = t == 0 || fresh_ >= 1 || rng.uniform() < fresh_;
      at = fresh ? rng.below(days_) : (at + 1 == days_ ? 0 : at + 1);
      out[t] = static_cast<std::uint32_t>(at);
    }
  }

 private:
  std::size_t days_;
  double fresh_;
};

/// Mean and sd of a path's days as they come (Welford 1962).
class RunningSharpe {
 public:
  void add(double x) {
    ++n_;
    const double d = x - mean_;
    mean_ += d / static_cast<double>(n_);
    squares_ += d * (x - mean_);
  }
  double annual(double periods_per_year) const {
    if (n_ < 2 || !(squares_ > 0)) return std::numeric_limits<double>::quiet_NaN();
    const double sd = std::sqrt(squares_ / static_cast<double>(n_ - 1));
    return mean_ / sd * std::sqrt(periods_per_year);
  }

 private:
  std::size_t n_ = 0;
  double mean_ = 0;
  double squares_ = 0;
};

PathOutcome walk_path(const DayBars& days, const Policy& policy,
                      std::span<const std::uint32_t> path, const SimulationOptions& options) {
  const std::span<const std::size_t> checkpoints = options.checkpoints;
  PathOutcome out;
  PolicyWalk walk(days, policy);
  RunningSharpe sharpe;
  std::size_t next = 0;
  for (std::size_t t = 0; t < path.size(); ++t) {
    const auto month = t % kMonthDays == 0 ? PolicyWalk::Month::New : PolicyWalk::Month::Same;
    sharpe.add(walk.step(path[t], month) - 1);
    for (; next < checkpoints.size() && checkpoints[next] == t + 1; ++next) {
      out.lowest[next] = static_cast<float>(walk.lowest());
    }
  }
  out.final_multiple = walk.equity();
  out.drawdown_frac = walk.drawdown();
  out.sharpe_ann = sharpe.annual(options.periods_per_year);
  out.underwater = walk.underwater();
  out.triggers = walk.triggers();
  out.periods_out = walk.days_out();
  return out;
}

void in_chunks(std::size_t paths, const ParallelFor& parallel,
               const std::function<void(std::size_t, std::size_t)>& body) {
  parallel((paths + kPathsPerTask - 1) / kPathsPerTask, [&](std::size_t c) {
    body(c * kPathsPerTask, std::min(paths, (c + 1) * kPathsPerTask));
  });
}

}  // namespace

namespace {
bool can_simulate(const SimulationOptions& options) {
  return options.horizon >= 1 && options.horizon <= kHorizonMax && options.mean_block >= 1 &&
         options.checkpoints.size() <= kCheckpointsMax;
}
}  // namespace

std::vector<std::vector<PathOutcome>> simulate(const DayBars& days,
                                               std::span<const Policy> policies,
                                               const SimulationOptions& options,
                                               const ParallelFor& parallel) {
  WINNOW_REQUIRES(days.days() > 0 && can_simulate(options));
  std::vector<std::vector<PathOutcome>> out(policies.size());
  for (auto& outcomes : out) outcomes.resize(options.paths);
  const DayDraw draw(days.days(), options.mean_block);
  in_chunks(options.paths, parallel, [&](std::size_t first, std::size_t last) {
    std::vector<std::uint32_t> path(options.horizon);
    for (std::size_t p = first; p < last; ++p) {
      draw.draw(options.seed, p, path);
      for (std::size_t k = 0; k < policies.size(); ++k) {
        out[k][p] = walk_path(days, policies[k], path, options);
      }
    }
  });
  return out;
}

std::vector<PathOutcome> simulate_posterior(std::span<const double> returns,
                                            const SimulationOptions& options,
                                            const ParallelFor& parallel) {
  WINNOW_REQUIRES(!returns.empty() && can_simulate(options));
  const double n = static_cast<double>(returns.size());
  const double mean = stats::mean(returns);
  const double sd = stats::stdev(returns);
  WINNOW_REQUIRES(sd > 0);
  // 1 / sigma^2 ~ Gamma((n - 1) / 2, rate sum of squares / 2); mu | sigma ~ N(mean, sigma^2 / n).
  const boost::math::gamma_distribution<double> precision((n - 1) / 2, 2 / (sd * sd * (n - 1)));
  const DayDraw draw(returns.size(), options.mean_block);
  const Policy none;
  std::vector<PathOutcome> out(options.paths);
  in_chunks(options.paths, parallel, [&](std::size_t first, std::size_t last) {
    std::vector<std::uint32_t> path(options.horizon);
    std::vector<double> moved(returns.size());
    for (std::size_t p = first; p < last; ++p) {
      Rng rng(options.seed, kParameterStream + p);
      const auto inside = [&] { return std::max(rng.uniform(), 0x1.0p-53); };
      const double sigma = 1 / std::sqrt(boost::math::quantile(precision, inside()));
      const double mu = mean + sigma / std::sqrt(n) * det_normal_quantile(inside());
      for (std::size_t d = 0; d < moved.size(); ++d) {
        moved[d] = mu + sigma / sd * (returns[d] - mean);
      }
      draw.draw(options.seed, p, path);
      out[p] = walk_path(days_from_returns(moved), none, path, options);
    }
  });
  return out;
}

Distribution distribution(std::vector<double> values) {
  std::erase_if(values, [](double v) { return !std::isfinite(v); });
  Distribution out;
  out.mean = values.empty() ? std::nan("") : stats::mean(values);
  std::sort(values.begin(), values.end());
  for (std::size_t q = 0; q < kQuantileLevels.size(); ++q) {
    if (values.empty()) {
      out.quantile[q] = std::nan("");
      continue;
    }
    const double at = kQuantileLevels[q] * static_cast<double>(values.size() - 1);
    const auto below = static_cast<std::size_t>(at);
    const std::size_t above = std::min(below + 1, values.size() - 1);
    const double share = at - static_cast<double>(below);
    out.quantile[q] = values[below] + share * (values[above] - values[below]);
  }
  return out;
}

Ruin ruin(std::span<const PathOutcome> paths, double loss_frac, std::size_t checkpoint) {
  const auto level = static_cast<float>(1 - loss_frac);
  const auto hit = std::count_if(paths.begin(), paths.end(), [&](const PathOutcome& p) {
    return p.lowest[checkpoint] <= level;
  });
  Ruin out;
  const double n = static_cast<double>(paths.size());
  if (paths.empty()) return out;
  out.p = static_cast<double>(hit) / n;
  out.se = std::sqrt(out.p * (1 - out.p) / n);
  return out;
}

PathSummary summarise(std::span<const PathOutcome> paths, std::size_t horizon) {
  PathSummary out;
  if (paths.empty()) return out;
  const auto column = [&](auto&& value) {
    std::vector<double> all;
    all.reserve(paths.size());
    for (const PathOutcome& p : paths) all.push_back(static_cast<double>(value(p)));
    return all;
  };
  using P = const PathOutcome&;
  out.total_return_frac = distribution(column([](P p) { return p.final_multiple - 1; }));
  out.drawdown_frac = distribution(column([](P p) { return p.drawdown_frac; }));
  out.underwater = distribution(column([](P p) { return p.underwater; }));
  out.sharpe_ann = distribution(column([](P p) { return p.sharpe_ann; }));
  out.p_loss = stats::mean(column([](P p) { return p.final_multiple < 1; }));
  out.p_triggered = stats::mean(column([](P p) { return p.triggers > 0; }));
  out.triggers_mean = stats::mean(column([](P p) { return p.triggers; }));
  const double days = static_cast<double>(std::max<std::size_t>(horizon, 1));
  out.out_frac = stats::mean(column([&](P p) { return p.periods_out / days; }));
  return out;
}

}  // namespace winnow::sweeps::risk
