#include "engine/synth/market_sim.hpp"

#include <algorithm>
#include <cmath>

#include "base/det_math.hpp"
#include "base/rng.hpp"

namespace winnow::engine::synth {
namespace {

constexpr double kSecondsPerYear = 365.0 * 86400.0;
constexpr double kStepReturnMax = 0.5;  // symmetric, so the mean stays 0
constexpr double kTailScaleMax = 40;
constexpr double kDeviationMax = 0.5;
constexpr double kMeanAbsNormal = 0.79788456080286535588;  // sqrt(2 / pi)

/// One use of randomness each, so that a change of one part leaves the others' draws alone.
enum Stream : std::uint64_t {
  kSteps,
  kTails,
  kRegimes,
  kJumps,
  kEdge,
  kVolume,
  kFunding,
  kStreams
};

double uniform_open(Rng& rng) {
  return (static_cast<double>(rng.next_u64() >> 12) + 0.5) * 0x1.0p-52;  // never 0, never 1
}
double normal(Rng& rng) { return det_normal_quantile(uniform_open(rng)); }

// Streams of bridges lie apart from the others, so that every price of a market of simulator
// version 1 is that of version 2; only its highs and lows were too near.
constexpr std::uint64_t kBridgeStreams = std::uint64_t{1} << 32;

/// A day curve at any time of day, scaled.
class Curve {
 public:
  /// `power` 1: mean 1; 2: mean square 1.
  Curve(const DayCurve& curve, int power) : at_(curve) {
    double sum = 0;
    constexpr int kMinutes = 1440;
    for (int m = 0; m < kMinutes; ++m) {
      const double v = raw(static_cast<std::int64_t>(m) * 60'000'000'000);
      sum += power == 2 ? v * v : v;
    }
    const double mean = sum / kMinutes;
    scale_ = 1 / (power == 2 ? std::sqrt(mean) : mean);
  }
  double operator()(std::int64_t time_ns) const { return scale_ * raw(time_ns); }

 private:
  double raw(std::int64_t time_ns) const {
    constexpr std::int64_t kHour = 3'600'000'000'000;
    const std::int64_t in_day = time_ns % (24 * kHour);
    const auto hour = static_cast<std::size_t>(in_day / kHour);
    const double part = static_cast<double>(in_day % kHour) / static_cast<double>(kHour);
    return at_[hour] + part * (at_[(hour + 1) % 24] - at_[hour]);
  }
  DayCurve at_;
  double scale_ = 1;
};

/// Rounds to a multiple of `tick` that prints as short as the tick does.
class Grid {
 public:
  explicit Grid(double tick) : tick_(tick), inverse_(std::floor(1 / tick + 0.5)) {
    by_inverse_ = tick < 1 && std::abs(1 / tick - inverse_) < 1e-6 * inverse_;
  }
  double nearest(double v) const {
    if (by_inverse_) return std::floor(v * inverse_ + 0.5) / inverse_;
    return std::floor(v / tick_ + 0.5) * tick_;
  }
  /// At least one tick.
  double price(double v) const { return std::max(nearest(v), nearest(tick_)); }

 private:
  double tick_;
  double inverse_;
  bool by_inverse_ = false;
};

/// Purpose: one instrument on its way through time. Thread: one.
class Simulator {
 public:
  Simulator(const MarketSpec& market, const InstrumentSpec& spec, const Simulator* leader,
            std::uint64_t seed, std::uint64_t index);

  /// Requires: bars in order; the leader has done this bar.
  void step_bar(std::uint64_t bar);
  SimulatedInstrument take() && { return std::move(out_); }
  const InstrumentSpec& spec() const { return out_.spec; }

 private:
  struct StepScale {
    double sd = 0;
    double drift = 0;
  };
  StepScale next_scale(std::uint64_t bar, std::int64_t time_ns);
  void own_path(std::uint64_t bar, std::int64_t time_ns);
  void leader_path();
  void close_bar(std::int64_t time_ns);
  void bridge(double from, double to, double sd);
  double next_volume(std::int64_t time_ns);
  void pay_funding(std::int64_t time_ns);
  double mean_volatility() const;

  const MarketSpec& market_;
  const Simulator* leader_;
  SimulatedInstrument out_;
  std::vector<Rng> rng_;
  Rng bridge_rng_;
  Curve volatility_curve_;
  Curve volume_curve_;
  Grid price_grid_;
  Grid volume_grid_;
  std::vector<double> path_;  // unrounded prices of the current bar's steps
  double path_high_ = 0;      // of the current bar, between the steps too
  double path_low_ = 0;
  double last_px_ = 0;     // unrounded, of the last step
  double step_sd_ = 0;     // of the martingale part's return in a step of this bar
  double martingale_ = 1;  // relative to the start
  double state_ = 0;
  double state_keep_ = 0;  // part of the state that is left after a step (Trend: a bar)
  double state_shock_sd_ = 0;
  double bar_z_ = 0;  // the bar's standardised move, which volume follows
  double regime_ratio_ = 1;
  std::size_t regime_ = 0;
  double years_per_bar_ = 0;
};

double Simulator::mean_volatility() const {
  double time = 0;
  double variance = 0;
  for (const RegimeSpec& r : out_.spec.regimes) {
    time += r.mean_duration.seconds();
    variance += r.mean_duration.seconds() * r.volatility_ann_frac * r.volatility_ann_frac;
  }
  return std::sqrt(variance / time);
}

Simulator::Simulator(const MarketSpec& market, const InstrumentSpec& spec, const Simulator* leader,
                     std::uint64_t seed, std::uint64_t index)
    : market_(market),
      leader_(leader),
      bridge_rng_(seed, kBridgeStreams + index),
      volatility_curve_(spec.volatility_curve, 2),
      volume_curve_(spec.volume_curve, 1),
      price_grid_(spec.tick_px),
      volume_grid_(spec.lot_qty),
      path_(market.steps_per_bar) {
  out_.spec = spec;
  last_px_ = spec.start_px;
  for (std::uint64_t s = 0; s < kStreams; ++s) rng_.emplace_back(seed, index * kStreams + s);
  years_per_bar_ = market.interval.seconds() / kSecondsPerYear;
  out_.columns.interval_ns = market.interval.ns;
  for (auto* column : {&out_.columns.open, &out_.columns.high, &out_.columns.low,
                       &out_.columns.close, &out_.columns.volume}) {
    column->reserve(market.bars);
  }
  out_.columns.time_ns.reserve(market.bars);

  InstrumentTruth& truth = out_.truth;
  const auto bars_of = [&](DurationNs d) { return d.seconds() / market.interval.seconds(); };
  double sd = 0;
  double half_life_steps = 0;
  if (leader_ != nullptr) {
    truth.pair_half_life_bars = bars_of(spec.pair->half_life);
    sd = spec.pair->spread_sd_frac;
    half_life_steps = truth.pair_half_life_bars * market.steps_per_bar;
  } else {
    truth.volatility_bar_frac = mean_volatility() * std::sqrt(years_per_bar_);
    const bool drifts = std::any_of(spec.regimes.begin(), spec.regimes.end(),
                                    [](const RegimeSpec& r) { return r.drift_ann_frac != 0; });
    truth.martingale = !drifts && spec.edge.kind == EdgeKind::None;
    if (spec.edge.kind != EdgeKind::None) {
      truth.edge = calibrate_edge(spec.edge, bars_of(spec.edge.half_life),
                                  truth.volatility_bar_frac, 1 / years_per_bar_);
      sd = truth.edge.amplitude_sd_frac;
      half_life_steps = truth.edge.half_life_bars *
                        (spec.edge.kind == EdgeKind::Trend ? 1 : market.steps_per_bar);
    }
    const double regimes = static_cast<double>(spec.regimes.size());
    regime_ = std::min(spec.regimes.size() - 1,
                       static_cast<std::size_t>(rng_[kRegimes].uniform() * regimes));
    truth.regimes.push_back({0, static_cast<std::uint32_t>(regime_)});
  }
  if (sd > 0) {
    state_keep_ = decay(half_life_steps);
    state_shock_sd_ = sd * std::sqrt(1 - state_keep_ * state_keep_);
    state_ = sd * normal(rng_[kEdge]);  // stationary from the first bar on
    truth.state.reserve(market.bars);
  }
}

Simulator::StepScale Simulator::next_scale(std::uint64_t bar, std::int64_t time_ns) {
  const auto& regimes = out_.spec.regimes;
  const double leave = market_.interval.seconds() / regimes[regime_].mean_duration.seconds();
  if (regimes.size() > 1 && bar > 0 && rng_[kRegimes].uniform() < leave) {
    const std::size_t other = rng_[kRegimes].below(regimes.size() - 1);
    regime_ = other + (other >= regime_ ? 1 : 0);
    out_.truth.regimes.push_back({bar, static_cast<std::uint32_t>(regime_)});
  }
  double tail = 1;
  if (const std::uint32_t dof = out_.spec.tail_dof; dof > 0) {
    double product = 1;  // chi-squared of an even dof is -2 log of dof/2 uniforms multiplied
    for (std::uint32_t k = 0; k < dof / 2; ++k) product *= uniform_open(rng_[kTails]);
    const double chi_squared = -2 * det_log(product);
    tail = std::min(kTailScaleMax, std::sqrt((dof - 2) / chi_squared));
  }
  const double bar_sd = regimes[regime_].volatility_ann_frac * std::sqrt(years_per_bar_) *
                        volatility_curve_(time_ns) * tail;
  regime_ratio_ = regimes[regime_].volatility_ann_frac * std::sqrt(years_per_bar_) /
                  out_.truth.volatility_bar_frac;
  const double steps = market_.steps_per_bar;
  return {bar_sd / std::sqrt(steps), regimes[regime_].drift_ann_frac * years_per_bar_ / steps};
}

void Simulator::own_path(std::uint64_t bar, std::int64_t time_ns) {
  StepScale scale = next_scale(bar, time_ns);
  const EdgeKind edge = out_.spec.edge.kind;
  if (edge == EdgeKind::Trend) scale.drift += state_ / market_.steps_per_bar;
  std::size_t jump_at = path_.size();
  double jump = 0;
  if (rng_[kJumps].uniform() < out_.spec.jumps.per_year * years_per_bar_) {
    jump_at = rng_[kJumps].below(path_.size());
    jump =
        std::clamp(out_.spec.jumps.sd_frac * normal(rng_[kJumps]), -kStepReturnMax, kStepReturnMax);
    out_.truth.jumps.push_back({bar, jump});
  }
  double sum_z = 0;
  step_sd_ = scale.sd;
  const bool deviates = edge == EdgeKind::MeanReversion;
  const double sd =
      deviates ? std::sqrt(scale.sd * scale.sd + state_shock_sd_ * state_shock_sd_) : scale.sd;
  for (std::size_t k = 0; k < path_.size(); ++k) {
    const double z = normal(rng_[kSteps]);
    sum_z += z;
    martingale_ *= 1 + std::clamp(scale.sd * z, -kStepReturnMax, kStepReturnMax) + scale.drift;
    const double before_jump = martingale_;
    if (k == jump_at) martingale_ *= 1 + jump;
    double deviation = 0;
    if (edge == EdgeKind::MeanReversion) {
      state_ = state_keep_ * state_ + state_shock_sd_ * normal(rng_[kEdge]);
      deviation = std::clamp(state_, -kDeviationMax, kDeviationMax);
    }
    path_[k] = out_.spec.start_px * martingale_ * (1 + deviation);
    bridge(last_px_, out_.spec.start_px * before_jump * (1 + deviation), sd);  // then it jumps
    last_px_ = path_[k];
  }
  bar_z_ = sum_z / std::sqrt(static_cast<double>(path_.size()));
  if (edge == EdgeKind::Trend) {
    state_ = state_keep_ * state_ + state_shock_sd_ * normal(rng_[kEdge]);
  }
}

void Simulator::leader_path() {
  const double ratio = out_.spec.pair->hedge_ratio;
  const double leader_sd = ratio * leader_->step_sd_;
  step_sd_ = std::sqrt(leader_sd * leader_sd + state_shock_sd_ * state_shock_sd_);
  const double leader_start = leader_->out_.spec.start_px;
  for (std::size_t k = 0; k < path_.size(); ++k) {
    const double relative = leader_->path_[k] / leader_start;
    const double tied = ratio == 1 ? relative : det_exp(ratio * det_log(relative));
    state_ = state_keep_ * state_ + state_shock_sd_ * normal(rng_[kEdge]);
    path_[k] =
        out_.spec.start_px * tied * det_exp(std::clamp(state_, -kDeviationMax, kDeviationMax));
    bridge(last_px_, path_[k], step_sd_);
    last_px_ = path_[k];
  }
  bar_z_ = leader_->bar_z_;
  regime_ratio_ = leader_->regime_ratio_;
}

// The extremes of a Brownian path between two known ends a and b with variance v: the maximum is
// (a + b + sqrt((b - a)^2 - 2 v log U)) / 2, the minimum mirrors it (reflection principle). Each is
// drawn from its own exact distribution. Where the path began a bar, it began at what was left of
// the bar before, unrounded.
void Simulator::bridge(double from, double to, double sd) {
  const double variance = from * sd * from * sd;
  const double apart = (to - from) * (to - from);
  const double up = std::sqrt(apart - 2 * variance * det_log(uniform_open(bridge_rng_)));
  const double down = std::sqrt(apart - 2 * variance * det_log(uniform_open(bridge_rng_)));
  path_high_ = std::max(path_high_, 0.5 * (from + to + up));
  // Far tails reach below what a price can be; half of the lower end bounds them.
  const double low = std::max(0.5 * (from + to - down), 0.5 * std::min(from, to));
  path_low_ = std::min(path_low_, low);
}

double Simulator::next_volume(std::int64_t time_ns) {
  const double sd = out_.spec.volume_sd_log;
  // Each factor has mean 1: the day, the regime's activity, chance, and the size of the move.
  const double chance = det_exp(sd * normal(rng_[kVolume]) - 0.5 * sd * sd);
  const double move = 1 + 0.5 * (std::abs(bar_z_) - kMeanAbsNormal);
  const double volume =
      out_.spec.volume_per_bar * volume_curve_(time_ns) * regime_ratio_ * chance * move;
  return std::max(volume_grid_.nearest(volume), volume_grid_.nearest(out_.spec.lot_qty));
}

void Simulator::pay_funding(std::int64_t time_ns) {
  const FundingSpec& funding = out_.spec.funding;
  if (funding.every.ns == 0) return;
  const std::int64_t due = (time_ns + funding.every.ns - 1) / funding.every.ns * funding.every.ns;
  if (due >= time_ns + market_.interval.ns) return;
  const double bps = funding.mean_bps + funding.sd_bps * normal(rng_[kFunding]);
  // Venues publish eight decimals.
  out_.columns.funding.push_back({due, std::floor(bps * 1e4 + 0.5) / 1e8});
}

void Simulator::close_bar(std::int64_t time_ns) {
  MarketColumns& c = out_.columns;
  const double open = c.close.empty() ? price_grid_.price(out_.spec.start_px) : c.close.back();
  double high = std::max(open, path_high_);
  double low = std::min(open, path_low_);
  for (const double p : path_) {  // after a jump
    high = std::max(high, p);
    low = std::min(low, p);
  }
  c.time_ns.push_back(time_ns);
  c.open.push_back(open);
  c.high.push_back(price_grid_.price(high));
  c.low.push_back(price_grid_.price(low));
  c.close.push_back(price_grid_.price(path_.back()));
  c.volume.push_back(next_volume(time_ns));
  if (state_shock_sd_ > 0) out_.truth.state.push_back(state_);
}

void Simulator::step_bar(std::uint64_t bar) {
  const std::int64_t time_ns =
      market_.start.ns + static_cast<std::int64_t>(bar) * market_.interval.ns;
  path_high_ = path_low_ = last_px_;
  if (leader_ != nullptr) {
    leader_path();
  } else {
    own_path(bar, time_ns);
  }
  close_bar(time_ns);
  pay_funding(time_ns);
}

}  // namespace

Result<std::vector<SimulatedInstrument>> simulate_market(const MarketSpec& spec,
                                                         std::uint64_t seed) {
  if (const auto fault = find_fault(spec)) {
    return Error(ErrorCode::InvalidInput, fault->path + ": " + fault->text);
  }
  std::vector<Simulator> instruments;
  instruments.reserve(spec.instruments.size());  // a pair points at its leader
  for (const InstrumentSpec& instrument : spec.instruments) {
    const Simulator* leader = nullptr;
    for (const Simulator& earlier : instruments) {
      if (instrument.pair && earlier.spec().name == instrument.pair->with) leader = &earlier;
    }
    instruments.emplace_back(spec, instrument, leader, seed, instruments.size());
  }
  for (std::uint64_t bar = 0; bar < spec.bars; ++bar) {
    for (Simulator& instrument : instruments) instrument.step_bar(bar);
  }
  std::vector<SimulatedInstrument> out;
  for (Simulator& instrument : instruments) out.push_back(std::move(instrument).take());
  return out;
}

}  // namespace winnow::engine::synth
