#include "sweeps/diversity.hpp"

#include <gtest/gtest.h>

#include <utility>

#include "base/rng.hpp"
#include "engine/engine.hpp"
#include "sweeps/design.hpp"
#include "tests/sweeps/support.hpp"

namespace winnow::sweeps::testing {
namespace {

std::shared_ptr<const Design> design(std::vector<ParamSpace> varying, SearchMethod method) {
  const engine::FamilyDecl& family = *engine::find_family("mean_reversion");
  StrategySpace space{.family = "mean_reversion", .params = {}};
  for (const engine::ParamDecl& decl : family.params) {
    space.params.push_back(default_space(decl));
    for (const ParamSpace& p : varying) {
      if (p.name == decl.name) space.params.back() = p;
    }
  }
  auto made = Design::make(space, family, {.method = method, .samples = 100, .seed = 3});
  EXPECT_TRUE(made.ok()) << made.error().text();
  return *made;
}

ParamSpace lookback() {
  ParamSpace p;
  p.name = "lookback_bars";
  p.kind = ValueKind::IntRange;
  p.integer = true;
  p.low = 12;
  p.high = 120;
  p.step = 12;
  return p;
}
ParamSpace entry() {
  ParamSpace p;
  p.name = "entry_z";
  p.kind = ValueKind::FloatRange;
  p.low = 1;
  p.high = 3;
  return p;
}
ParamSpace listed(std::vector<double> values) {
  ParamSpace p;
  p.name = "lookback_bars";
  p.integer = true;
  p.low = values.front();
  p.high = values.back();
  p.values = std::move(values);
  return p;
}

std::vector<double> all_points(const Design& d) {
  std::vector<double> rows(d.size() * d.parameters());
  for (std::uint64_t i = 0; i < d.size(); ++i) {
    d.point(i, std::span(rows).subspan(i * d.parameters(), d.parameters()));
  }
  return rows;
}

TEST(ParameterSpread, AGridAndADrawnDesignAreEven) {
  const auto grid = design({lookback()}, SearchMethod::Grid);
  const ParameterSpread one = parameter_spread(*grid, all_points(*grid));
  EXPECT_DOUBLE_EQ(one.crowded_frac, 0.3);  // three of ten values within a quarter
  EXPECT_DOUBLE_EQ(one.coverage_frac, 1);
  const auto drawn = design({lookback(), entry()}, SearchMethod::Random);
  const ParameterSpread two = parameter_spread(*drawn, all_points(*drawn));
  EXPECT_LT(two.crowded_frac, 0.35);
  EXPECT_EQ(two.coverage_frac, 1);
}

TEST(ParameterSpread, ACloudIsFoundWhereverItLies) {
  const auto d = design({lookback(), entry()}, SearchMethod::Random);
  const std::size_t width = d->parameters();
  const std::vector<double> spread_out = all_points(*d);
  for (const double u : {0.0, 0.25, 0.5, 0.93}) {
    std::vector<double> rows = spread_out;
    Rng rng(5);
    for (std::size_t i = 0; i < 80; ++i) {
      for (std::size_t p = 0; p < width; ++p) {
        const Axis& axis = d->axis(p);
        if (!axis.fixed()) rows[i * width + p] = axis.from_unit(u + 0.05 * rng.uniform());
      }
    }
    const ParameterSpread s = parameter_spread(*d, rows);
    EXPECT_GE(s.crowded_frac, 0.8) << "at " << u;
    EXPECT_GT(s.crowded_frac, kCrowdedFracMax);
  }
}

TEST(ParameterSpread, AnAxisThatIsHardlyVisitedIsNamed) {
  const auto d = design({lookback(), entry()}, SearchMethod::Random);
  std::vector<double> rows = all_points(*d);
  for (std::size_t i = 0; i < d->size(); ++i) rows[i * d->parameters() + 1] = 1.1;
  const ParameterSpread s = parameter_spread(*d, rows);
  EXPECT_DOUBLE_EQ(s.coverage_frac, 0.25);
  EXPECT_EQ(s.thinnest, d->family().params[1].name);
}

TEST(ParameterSpread, ListsMayBeEvenByTheirLogarithm) {
  const auto logs = design({listed({10, 20, 40, 80, 160, 320, 640})}, SearchMethod::Grid);
  EXPECT_LE(parameter_spread(*logs, all_points(*logs)).crowded_frac, kCrowdedFracMax);
  const auto crowd =
      design({listed({50, 51, 52, 53, 54, 55, 56, 57, 100, 400})}, SearchMethod::Grid);
  EXPECT_GT(parameter_spread(*crowd, all_points(*crowd)).crowded_frac, kCrowdedFracMax);
  const auto few = design({listed({1000, 1001, 5000})}, SearchMethod::Grid);
  EXPECT_NEAR(parameter_spread(*few, all_points(*few)).crowded_frac, 1.0 / 3, 1e-12);
}

TEST(ParameterSpread, NothingThatVariesIsEven) {
  const auto fixed = design({}, SearchMethod::Grid);
  EXPECT_EQ(parameter_spread(*fixed, all_points(*fixed)).crowded_frac, 0);
  EXPECT_EQ(parameter_spread(*fixed, {}).coverage_frac, 1);
}

}  // namespace
}  // namespace winnow::sweeps::testing
