#include "sweeps/truth/gather.hpp"

#include <algorithm>
#include <cmath>

#include "base/check.hpp"
#include "engine/engine.hpp"
#include "sweeps/design.hpp"
#include "sweeps/diversity.hpp"

namespace winnow::sweeps {
namespace {

constexpr std::size_t kClonesAScout = 4;
/// No position of these worlds lasts as long.
constexpr double kNeverReachedBars = 100'000;
// Far enough apart to be no twins, near enough to share what the best one had.
constexpr double kLookbackStepFrac = 0.015;
constexpr double kEntryStep = 0.03;

std::size_t place_of(const engine::FamilyDecl& family, std::string_view name) {
  const auto at = std::find_if(family.params.begin(), family.params.end(),
                               [&](const engine::ParamDecl& p) { return p.name == name; });
  return static_cast<std::size_t>(at - family.params.begin());
}

/// Whole numbers around 0: 0, 1, -1, 2, -2, ...
double around_zero(std::size_t i) {
  const auto far = static_cast<double>((i + 1) / 2);
  return i % 2 == 1 ? far : -far;
}

}  // namespace

std::vector<double> gathered_rows(const TruthWorld& world, std::span<const double> grid,
                                  std::span<const double> sharpes_ann) {
  WINNOW_REQUIRES(world.gather != TruthGather::None && world.family == "mean_reversion");
  const engine::FamilyDecl& family = *engine::find_family(world.family);
  const std::size_t width = family.params.size();
  std::size_t best = 0;
  for (std::size_t v = 1; v < sharpes_ann.size(); ++v) {
    if (!std::isfinite(sharpes_ann[best]) || sharpes_ann[v] > sharpes_ann[best]) best = v;
  }
  const auto chosen = grid.subspan(best * width, width);
  const std::size_t clones = kClonesAScout * sharpes_ann.size();
  const auto side = static_cast<std::size_t>(std::sqrt(static_cast<double>(clones)));
  std::vector<double> out;
  for (std::size_t i = 0; i < clones; ++i) {
    std::vector<double> row(chosen.begin(), chosen.end());
    if (world.gather == TruthGather::InertAxis) {
      row[place_of(family, "max_hold_bars")] = kNeverReachedBars + static_cast<double>(i);
    } else {
      double& lookback = row[place_of(family, "lookback_bars")];
      lookback = std::round(lookback * (1 + kLookbackStepFrac * around_zero(i % side)));
      row[place_of(family, "entry_z")] += kEntryStep * around_zero(i / side);
    }
    out.insert(out.end(), row.begin(), row.end());
  }
  return out;
}

Result<ParameterSpread> spread_of(const TruthWorld& world, std::span<const double> rows) {
  const engine::FamilyDecl& family = *engine::find_family(world.family);
  const std::size_t width = family.params.size();
  StrategySpace space{.family = std::string(world.family), .params = {}};
  for (std::size_t p = 0; p < width; ++p) {
    ParamSpace param = default_space(family.params[p]);
    param.low = param.high = rows[p];
    for (std::size_t at = p; at < rows.size(); at += width) {
      param.low = std::min(param.low, rows[at]);
      param.high = std::max(param.high, rows[at]);
    }
    param.values = {param.low};
    if (param.high > param.low) {
      param.kind = param.integer ? ValueKind::IntRange : ValueKind::FloatRange;
      param.step = param.integer ? 1 : 0;
      param.values.clear();
    }
    space.params.push_back(std::move(param));
  }
  const auto design =
      Design::make(space, family, {.method = SearchMethod::Random, .samples = rows.size() / width});
  if (!design) return design.error();
  return parameter_spread(**design, rows);
}

}  // namespace winnow::sweeps
