#include "sweeps/regimes.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>

#include "base/rng.hpp"

namespace winnow::sweeps {
namespace {

double normal_of(Rng& rng) {
  double s = -6;
  for (int i = 0; i < 12; ++i) s += rng.uniform();
  return s;
}

std::vector<double> walk(std::uint64_t seed, std::size_t days, double sigma) {
  Rng rng(seed);
  std::vector<double> closes{100};
  while (closes.size() < days) closes.push_back(closes.back() * std::exp(sigma * normal_of(rng)));
  return closes;
}

const RegimeDecl& regime(std::string_view name) {
  for (const RegimeDecl& decl : regime_decls()) {
    if (decl.name == name) return decl;
  }
  ADD_FAILURE() << name;
  return regime_decls()[0];
}

std::string state_at(std::string_view name, const std::vector<double>& closes, std::size_t day) {
  const RegimeDecl& decl = regime(name);
  const auto states = regime_states(decl, closes);
  return states[day] == kRegimeUnknown
             ? "unknown"
             : std::string(decl.states[static_cast<std::size_t>(states[day])]);
}

TEST(Regimes, AStateDependsOnTheDaysBeforeItAlone) {
  const std::vector<double> closes = walk(1, 700, 0.02);
  for (const RegimeDecl& decl : regime_decls()) {
    SCOPED_TRACE(decl.name);
    const auto states = regime_states(decl, closes);
    for (std::size_t day = 0; day < decl.closes; ++day) EXPECT_EQ(states[day], kRegimeUnknown);
    EXPECT_NE(states[decl.closes], kRegimeUnknown);
    // Neither the day itself nor what follows, nor what lies further back.
    std::vector<double> other = closes;
    for (std::size_t i = 500; i < other.size(); ++i) other[i] *= 3;
    for (std::size_t i = 0; i < 500 - decl.closes; ++i) other[i] *= 2;
    EXPECT_EQ(regime_states(decl, other)[500], states[500]);
    const std::vector<double> shorter(closes.begin() + 100, closes.begin() + 501);
    EXPECT_EQ(regime_states(decl, shorter)[400], states[500]);
  }
}

TEST(Regimes, TellPlantedStatesApart) {
  // Three hundred quiet days, then thirty wild ones, then quiet ones again.
  std::vector<double> closes = walk(2, 300, 0.005);
  Rng rng(3);
  for (int i = 0; i < 30; ++i) closes.push_back(closes.back() * std::exp(0.06 * normal_of(rng)));
  EXPECT_EQ(state_at("volatility", closes, 325), "high");
  for (int i = 0; i < 250; ++i) closes.push_back(closes.back() * std::exp(0.001 * normal_of(rng)));
  EXPECT_EQ(state_at("volatility", closes, 400), "low");

  std::vector<double> rising;
  for (int i = 0; i < 200; ++i) rising.push_back(100 + i);
  EXPECT_EQ(state_at("trend", rising, 150), "up");
  for (int i = 0; i < 100; ++i) rising.push_back(300 - 2 * i);
  EXPECT_EQ(state_at("trend", rising, 295), "down");

  // Returns that follow themselves, and returns that undo themselves.
  std::vector<double> follow{100};
  std::vector<double> undo{100};
  double f = 0;
  double u = 0;
  while (follow.size() < 300) {
    f = 0.9 * f + 0.002 * normal_of(rng);
    u = -0.8 * u + 0.01 * normal_of(rng);
    follow.push_back(follow.back() * std::exp(f));
    undo.push_back(undo.back() * std::exp(u));
  }
  EXPECT_EQ(state_at("memory", follow, 280), "trending");
  EXPECT_EQ(state_at("memory", undo, 280), "reverting");

  std::vector<double> shifted = walk(4, 150, 0.01);
  EXPECT_EQ(state_at("drift", shifted, 120), "steady");
  for (int i = 0; i < 20; ++i) shifted.push_back(shifted.back() * 1.02);
  EXPECT_EQ(state_at("drift", shifted, 165), "shifted");
}

TEST(Regimes, OfNoiseEveryStateOccurs) {
  const std::vector<double> closes = walk(9, 4'000, 0.02);
  for (const RegimeDecl& decl : regime_decls()) {
    std::map<std::int32_t, int> count;
    for (const std::int32_t state : regime_states(decl, closes)) ++count[state];
    for (std::size_t s = 0; s < decl.states.size(); ++s) {
      EXPECT_GT(count[static_cast<std::int32_t>(s)], 40) << decl.name << " " << decl.states[s];
    }
  }
}

TEST(Regimes, GroupsAddUpToTheWhole) {
  const RegimeDecl& decl = regime("trend");
  const std::vector<std::int32_t> states{kRegimeUnknown, 0, 0, 1, 0, 1};
  const std::vector<double> returns{0.5, 0.01, 0.03, -0.02, 0.02, -0.04};
  const auto groups = regime_groups(decl, states, returns, 365);
  ASSERT_EQ(groups.size(), 3u);
  EXPECT_EQ(groups[0].days, 3u);
  EXPECT_NEAR(groups[0].mean_frac, 0.02, 1e-15);
  EXPECT_NEAR(groups[0].sharpe_ann, 0.02 / 0.01 * std::sqrt(365.0), 1e-9);
  EXPECT_NEAR(groups[1].sum_frac, -0.06, 1e-15);
  EXPECT_EQ(groups[2].days, 1u) << "of unknown state";
  EXPECT_TRUE(std::isnan(groups[2].sharpe_ann));
  double sum = 0;
  for (const RegimeGroup& g : groups) sum += g.sum_frac;
  EXPECT_NEAR(sum, 0.5, 1e-12);
}

}  // namespace
}  // namespace winnow::sweeps
