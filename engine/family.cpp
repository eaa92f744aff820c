#include "engine/family.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "base/numbers.hpp"

namespace winnow::engine {
namespace strategies {
namespace {

constexpr ParamDecl kMeanReversionParams[] = {
    {"lookback_bars", "bars", ParamType::Int, 2, 20'000, 96, 12,
     "closes in the z-score's mean and population standard deviation"},
    {"entry_z", "sd", ParamType::Float, 0.01, 20, 2, 0.25,
     "enters long at z <= -entry_z, short at z >= entry_z"},
    {"exit_z", "sd", ParamType::Float, -20, 20, 0, 0.25,
     "leaves a long at z >= -exit_z, a short at z <= exit_z"},
    {"stop_bps", "bps", ParamType::Float, 0, 9'999, 0, 25,
     "loss from the entry price at which a position is stopped; 0: no stop"},
    {"take_profit_bps", "bps", ParamType::Float, 0, 9'999, 0, 25,
     "gain over the entry price at which a resting order closes the position; 0: none"},
    {"max_hold_bars", "bars", ParamType::Int, 0, 1'000'000, 0, 24,
     "bars after the entry bar at whose close the position is given up; 0: never"},
};

Status check_mean_reversion(std::span<const double> values) {
  const double entry = values[1];
  const double exit = values[2];
  if (exit < entry) return {};
  return Error(ErrorCode::InvalidInput,
               "exit_z must be below entry_z (a position would be left "
               "where it is entered): exit_z=" +
                   std::to_string(exit) + ", entry_z=" + std::to_string(entry));
}

constexpr ParamDecl kSmaCrossParams[] = {
    {"fast_bars", "bars", ParamType::Int, 1, 20'000, 24, 4, "closes in the fast mean"},
    {"slow_bars", "bars", ParamType::Int, 2, 20'000, 96, 12, "closes in the slow mean"},
    {"short_side", "flag", ParamType::Int, 0, 1, 0, 1,
     "1: a cross down turns the position short; 0: it only closes the long"},
};

Status check_sma_cross(std::span<const double> values) {
  if (values[0] < values[1]) return {};
  return Error(ErrorCode::InvalidInput,
               "fast_bars must be below slow_bars: fast_bars=" +
                   std::to_string(static_cast<long long>(values[0])) +
                   ", slow_bars=" + std::to_string(static_cast<long long>(values[1])));
}

}  // namespace
}  // namespace strategies

namespace {

// In name order, which is also the order of lanes::FamilyIndex.
const std::array<FamilyDecl, 2> kFamilies = {{
    {"mean_reversion", 1,
     "fades a stretched close: z-score entry, exit, stop, target, maximum hold",
     strategies::kMeanReversionParams, strategies::check_mean_reversion, 0b000110},
    {"sma_cross", 1, "follows a moving-average crossover, long only or both ways",
     strategies::kSmaCrossParams, strategies::check_sma_cross, 0b011},
}};

}  // namespace

std::span<const FamilyDecl> families() { return kFamilies; }

const FamilyDecl* find_family(std::string_view name) {
  const auto* found = std::find_if(kFamilies.begin(), kFamilies.end(),
                                   [&](const FamilyDecl& f) { return f.name == name; });
  return found == kFamilies.end() ? nullptr : found;
}

Status check_params(const FamilyDecl& family, std::span<const double> values) {
  const std::string where = std::string(family.name) + ": ";
  if (values.size() != family.params.size()) {
    return Error(ErrorCode::InvalidInput, where + "takes " + std::to_string(family.params.size()) +
                                              " parameters, got " + std::to_string(values.size()));
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    const ParamDecl& p = family.params[i];
    const double v = values[i];
    const std::string name = where + std::string(p.name) + "=" + shortest_text(v);
    if (!(v >= p.min && v <= p.max)) {
      return Error(ErrorCode::InvalidInput, name + " is outside its range [" +
                                                shortest_text(p.min) + ", " + shortest_text(p.max) +
                                                "] " + std::string(p.unit));
    }
    if (p.type == ParamType::Int && v != std::floor(v)) {
      return Error(ErrorCode::InvalidInput, name + " must be a whole number");
    }
  }
  return family.check == nullptr ? Status{} : family.check(values);
}

}  // namespace winnow::engine
