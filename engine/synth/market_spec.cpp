#include "engine/synth/market_spec.hpp"

#include <charconv>
#include <string_view>

namespace winnow::engine::synth {
namespace {

std::string number(double v) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, v).ptr};
}

/// Purpose: collects the first fault of a specification. Thread: one.
class Checker {
 public:
  std::optional<SpecFault> fault;

  void range(const std::string& path, double value, double min, double max) {
    if (fault || (value >= min && value <= max)) return;  // a NaN is in no range
    fault = {path,
             number(value) + " is not allowed; " + number(min) + " to " + number(max) + " is"};
  }
  void duration(const std::string& path, DurationNs value, DurationNs min, DurationNs max) {
    if (fault || (value >= min && value <= max)) return;
    fault = {path, format_duration(value) + " is not allowed; " + format_duration(min) + " to " +
                       format_duration(max) + " is"};
  }
  void require(const std::string& path, bool holds, const std::string& text) {
    if (!fault && !holds) fault = {path, text};
  }
};

constexpr DurationNs kDurationMax = days(3650);

bool is_plain_name(std::string_view name) {
  if (name.empty() || name.size() > 60) return false;
  for (const char c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!plain && c != '-' && c != '_' && c != '.') return false;
  }
  return name.front() != '-' && name.front() != '.' && name.front() != '_';
}

void check_curve(Checker& check, const std::string& path, const DayCurve& curve) {
  for (std::size_t h = 0; h < curve.size(); ++h) {
    check.range(path + "[" + std::to_string(h) + "]", curve[h], 0.01, 1000);
  }
}

void check_pair(Checker& check, const std::string& path, const MarketSpec& spec, std::size_t i) {
  const PairSpec& pair = *spec.instruments[i].pair;
  bool found = false;
  for (std::size_t k = 0; k < i; ++k) found = found || spec.instruments[k].name == pair.with;
  check.require(path + ".with", found,
                "'" + pair.with + "' is not an instrument listed before this one");
  check.range(path + ".hedge_ratio", pair.hedge_ratio, 0.05, 20);
  check.duration(path + ".half_life", pair.half_life, spec.interval, kDurationMax);
  check.range(path + ".spread_sd_frac", pair.spread_sd_frac, 1e-6, 0.1);
}

void check_instrument(Checker& check, const MarketSpec& spec, std::size_t i) {
  const InstrumentSpec& s = spec.instruments[i];
  const std::string path = "instruments[" + std::to_string(i) + "]";
  check.require(path + ".name", is_plain_name(s.name),
                "'" + s.name + "' is not a name; 1 to 60 letters, digits, '-', '_', '.' are");
  for (std::size_t k = 0; k < i; ++k) {
    check.require(path + ".name", spec.instruments[k].name != s.name,
                  "'" + s.name + "' names two instruments");
  }
  check.range(path + ".tick_px", s.tick_px, 1e-9, 1e6);
  check.range(path + ".start_px", s.start_px, 10 * s.tick_px, 1e9);
  check.range(path + ".lot_qty", s.lot_qty, 1e-9, 1e6);
  check.range(path + ".volume_per_bar", s.volume_per_bar, 10 * s.lot_qty, 1e12);
  check.range(path + ".volume_sd_log", s.volume_sd_log, 0, 3);
  check.require(path + ".tail_dof",
                s.tail_dof == 0 || (s.tail_dof >= 4 && s.tail_dof <= 40 && s.tail_dof % 2 == 0),
                std::to_string(s.tail_dof) +
                    " is not allowed; an even number from 4 to 40 is, or 0 for Gaussian");
  check.require(path + ".regimes", !s.regimes.empty() && s.regimes.size() <= 16,
                "1 to 16 regimes are allowed");
  for (std::size_t r = 0; r < s.regimes.size(); ++r) {
    const std::string at = path + ".regimes[" + std::to_string(r) + "]";
    check.range(at + ".volatility_ann_frac", s.regimes[r].volatility_ann_frac, 0.001, 5);
    check.range(at + ".drift_ann_frac", s.regimes[r].drift_ann_frac, -5, 5);
    check.duration(at + ".mean_duration", s.regimes[r].mean_duration, spec.interval, kDurationMax);
  }
  check.range(path + ".jumps.per_year", s.jumps.per_year, 0, 1000);
  check.range(path + ".jumps.sd_frac", s.jumps.sd_frac, 0, 0.2);
  check_curve(check, path + ".volatility_curve", s.volatility_curve);
  check_curve(check, path + ".volume_curve", s.volume_curve);
  if (s.edge.kind != EdgeKind::None) {
    check.require(path + ".edge", !s.pair, "an instrument with a pair has no edge of its own");
    check.duration(path + ".edge.half_life", s.edge.half_life, spec.interval, kDurationMax);
    check.range(path + ".edge.sharpe_ann", s.edge.sharpe_ann, 0.01, 20);
  }
  if (s.pair) check_pair(check, path + ".pair", spec, i);
  if (s.funding.every.ns != 0) {
    check.duration(path + ".funding.every", s.funding.every, spec.interval, days(30));
    check.range(path + ".funding.mean_bps", s.funding.mean_bps, -100, 100);
    check.range(path + ".funding.sd_bps", s.funding.sd_bps, 0, 100);
  }
}

}  // namespace

DayCurve crypto_volume_curve() {
  return {0.95, 0.90, 0.85, 0.78, 0.72, 0.70, 0.74, 0.85, 0.95, 0.98, 0.95, 0.95,
          1.05, 1.35, 1.60, 1.55, 1.40, 1.25, 1.12, 1.05, 1.05, 0.98, 0.92, 0.90};
}

DayCurve crypto_volatility_curve() {
  return {1.00, 0.95, 0.92, 0.88, 0.84, 0.82, 0.85, 0.92, 0.96, 0.97, 0.95, 0.95,
          1.02, 1.18, 1.30, 1.25, 1.17, 1.08, 1.03, 1.00, 1.00, 0.97, 0.94, 0.95};
}

std::optional<SpecFault> find_fault(const MarketSpec& spec) {
  Checker check;
  check.duration("interval", spec.interval, seconds(1), days(1));
  check.range("bars", static_cast<double>(spec.bars), 2, 20e6);
  check.range("steps_per_bar", spec.steps_per_bar, 1, 1024);
  constexpr TimestampNs kStartMax{4'102'444'800'000'000'000};  // 2100-01-01
  check.require("start", spec.start.ns >= 0 && spec.start <= kStartMax,
                format_timestamp(spec.start) + " is not allowed; 1970-01-01 to 2100-01-01 is");
  if (!check.fault) {
    check.require("bars",
                  static_cast<double>(spec.bars) * spec.interval.seconds() <= 3650.0 * 10 * 86400,
                  std::to_string(spec.bars) + " bars of " + format_duration(spec.interval) +
                      " are more than the 100 years allowed");
  }
  check.require("instruments", !spec.instruments.empty() && spec.instruments.size() <= 64,
                "1 to 64 instruments are allowed");
  for (std::size_t i = 0; i < spec.instruments.size() && !check.fault; ++i) {
    check_instrument(check, spec, i);
  }
  return check.fault;
}

}  // namespace winnow::engine::synth
