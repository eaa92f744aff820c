#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "engine/family.hpp"
#include "tests/sweeps/support.hpp"

namespace winnow::sweeps::testing {
namespace {

// One thing of a sound specification made wrong, and the whole text of its refusal.
struct Case {
  const char* name;
  const char* from;
  const char* to;
  const char* refusal;
};

const Case kCases[] = {
    {"NoStrategies",
     "strategies:\n  - family: mean_reversion\n    params:\n      lookback_bars: {int: [12"
     ", 288], step: 12}\n      entry_z: {float: [1.0, 3.0], step: 0.25}\n      stop_bps: {"
     "values: [50, 100, 200]}\n  - family: sma_cross\n    params:\n      fast_bars: {int: "
     "[4, 40], step: 4}\n      slow_bars: {int: [12, 120], step: 12}\n",
     "strategies: []\n", "spec.yaml:5:13: strategies: the list is empty; name at least one family"},
    {"UnknownFamily", "mean_reversion", "mean_revision",
     "spec.yaml:6:13: strategies[0].family: 'mean_revision' is unknown (did you mean 'mean"
     "_reversion'?); allowed: {families}"},
    {"MissingFamily", "family: mean_reversion\n    params", "params",
     "spec.yaml:6:5: strategies[0].family: is missing; one of {families}"},
    {"UnknownStrategyKey", "    params:", "    parms:",
     "spec.yaml:7:5: strategies[0].parms: unknown key (did you mean 'params'?); allowed: f"
     "amily, params, require"},
    {"ParamWrongUnit", "lookback_bars", "lookback_days",
     "spec.yaml:8:7: strategies[0].params.lookback_days: unknown key, perhaps in another u"
     "nit; write 'lookback_bars'; allowed: lookback_bars, entry_z, exit_z, stop_bps, take_"
     "profit_bps, max_hold_bars"},
    {"ParamWrongUnitPct", "stop_bps", "stop_pct",
     "spec.yaml:10:7: strategies[0].params.stop_pct: unknown key, perhaps in another unit;"
     " write 'stop_bps'; allowed: lookback_bars, entry_z, exit_z, stop_bps, take_profit_bp"
     "s, max_hold_bars"},
    {"ParamTypo", "entry_z", "entyr_z",
     "spec.yaml:9:7: strategies[0].params.entyr_z: unknown key (did you mean 'entry_z'?); "
     "allowed: lookback_bars, entry_z, exit_z, stop_bps, take_profit_bps, max_hold_bars"},
    {"ParamOfAnotherFamily", "stop_bps", "fast_bars",
     "spec.yaml:10:7: strategies[0].params.fast_bars: unknown key (nearest: 'stop_bps'); a"
     "llowed: lookback_bars, entry_z, exit_z, stop_bps, take_profit_bps, max_hold_bars"},
    {"RangeInverted", "[12, 288]", "[288, 12]",
     "spec.yaml:8:28: strategies[0].params.lookback_bars.int: the range from 288 to 12 is "
     "inverted; write [low, high]"},
    {"RangeEmpty", "[12, 288]", "[12, 12]",
     "spec.yaml:8:28: strategies[0].params.lookback_bars.int: the range from 12 to 12 hold"
     "s one value; write 12"},
    {"RangeThreeEnds", "[12, 288]", "[12, 100, 288]",
     "spec.yaml:8:28: strategies[0].params.lookback_bars.int: 3 values where [low, high] b"
     "elongs"},
    {"RangeIsText", "[12, 288]", "twelve",
     "spec.yaml:8:28: strategies[0].params.lookback_bars.int: 'twelve' where a list [low, "
     "high] belongs"},
    {"RangeFraction", "[12, 288], step: 12", "[12.5, 288], step: 12",
     "spec.yaml:8:29: strategies[0].params.lookback_bars.int[0]: 12.5 is not a whole numbe"
     "r; allowed: a whole number from 2 to 20000 bars"},
    {"FloatForInteger", "{int: [12, 288], step: 12}", "{float: [12, 288], step: 12}",
     "spec.yaml:8:23: strategies[0].params.lookback_bars.float: the parameter takes whole "
     "numbers; write int"},
    {"StepZero", "step: 12", "step: 0",
     "spec.yaml:8:45: strategies[0].params.lookback_bars.step: 0 is not above 0"},
    {"StepNegative", "step: 0.25", "step: -0.25",
     "spec.yaml:9:42: strategies[0].params.entry_z.step: -0.25 is not above 0"},
    {"StepFraction", "step: 12", "step: 1.5",
     "spec.yaml:8:45: strategies[0].params.lookback_bars.step: 1.5 is not a whole number, "
     "as steps of whole numbers must be"},
    {"StepDoesNotFit", "step: 0.25", "step: 0.3",
     "spec.yaml:9:42: strategies[0].params.entry_z.step: step 0.3 does not fit from 1 to 3"
     "; the range may end at 2.8 or 3.1"},
    {"StepLongerThanRange", "step: 0.25", "step: 5",
     "spec.yaml:9:42: strategies[0].params.entry_z.step: step 5 is longer than the range f"
     "rom 1 to 3"},
    {"GridWithoutStep", ", step: 0.25", "",
     "spec.yaml:9:16: strategies[0].params.entry_z: a grid needs a step; add step: 0.25 (w"
     "hat the strategy suggests)"},
    {"GridOfLogRange", "{float: [1.0, 3.0], step: 0.25}", "{log: [1.0, 3.0]}",
     "spec.yaml:9:16: strategies[0].params.entry_z: a grid cannot step through a log range"
     "; write {values: [...]} or search at random"},
    {"LogFromZero", "values: [50, 100, 200]", "log: [0, 10]",
     "spec.yaml:10:24: strategies[0].params.stop_bps.log[0]: 0 is not above 0, where a log"
     " range must start"},
    {"LogWithStep", "{values: [50, 100, 200]}", "{log: [1, 10], step: 2}",
     "spec.yaml:10:32: strategies[0].params.stop_bps.step: a step says nothing beside log;"
     " remove it"},
    {"TwoRangesAtOnce", "{values: [50, 100, 200]}", "{values: [50], float: [1, 2]}",
     "spec.yaml:10:17: strategies[0].params.stop_bps: float, values together; write a numb"
     "er or one of {int: [low, high], step: s}, {float: [low, high], step: s}, {log: [low,"
     " high]}, {values: [...]}"},
    {"NoRange", "{values: [50, 100, 200]}", "{step: 12}",
     "spec.yaml:10:17: strategies[0].params.stop_bps: no range; write a number or one of {"
     "int: [low, high], step: s}, {float: [low, high], step: s}, {log: [low, high]}, {valu"
     "es: [...]}"},
    {"UnknownRangeKey", "{values: [50, 100, 200]}", "{value: [50]}",
     "spec.yaml:10:18: strategies[0].params.stop_bps.value: unknown key (did you mean 'val"
     "ues'?); allowed: int, float, log, values, step, when, else"},
    {"BareList", "{values: [50, 100, 200]}", "[50, 100]",
     "spec.yaml:10:17: strategies[0].params.stop_bps: a bare list; write {values: [...]}, "
     "{int: [low, high], step: s} or {float: [low, high], step: s}"},
    {"EmptyParam", "{values: [50, 100, 200]}", "",
     "spec.yaml:10:7: strategies[0].params.stop_bps: nothing where a number or one of {int"
     ": [low, high], step: s}, {float: [low, high], step: s}, {log: [low, high]}, {values:"
     " [...]} belongs"},
    {"EmptyValues", "[50, 100, 200]", "[]",
     "spec.yaml:10:26: strategies[0].params.stop_bps.values: the list is empty; allowed: a"
     " number from 0 to 9999 bps"},
    {"DuplicateValue", "[50, 100, 200]", "[50, 100, 50.0]",
     "spec.yaml:10:36: strategies[0].params.stop_bps.values[2]: the value 50 stands twice"},
    {"ValueNaN", "[50, 100, 200]", "[50, .nan]",
     "spec.yaml:10:31: strategies[0].params.stop_bps.values[1]: '.nan' is not finite; a nu"
     "mber from 0 to 9999 bps belongs here"},
    {"ValueInf", "[50, 100, 200]", "[50, inf]",
     "spec.yaml:10:31: strategies[0].params.stop_bps.values[1]: 'inf' is not finite; a num"
     "ber from 0 to 9999 bps belongs here"},
    {"ValueOverflows", "[50, 100, 200]", "[50, 1e999]",
     "spec.yaml:10:31: strategies[0].params.stop_bps.values[1]: '1e999' is not a number; a"
     " number from 0 to 9999 bps belongs here"},
    {"ValueText", "[50, 100, 200]", "[50, many]",
     "spec.yaml:10:31: strategies[0].params.stop_bps.values[1]: 'many' is not a number; a "
     "number from 0 to 9999 bps belongs here"},
    {"ValueQuoted", "[50, 100, 200]", "[50, \"100\"]",
     "spec.yaml:10:31: strategies[0].params.stop_bps.values[1]: '100' is text in quotes wh"
     "ere a number from 0 to 9999 bps belongs"},
    {"ValueNull", "[50, 100, 200]", "[50, null]",
     "spec.yaml:10:31: strategies[0].params.stop_bps.values[1]: nothing where a number fro"
     "m 0 to 9999 bps belongs"},
    {"ValueOutsideStrategy", "[50, 100, 200]", "[50, 10000]",
     "spec.yaml:10:31: strategies[0].params.stop_bps.values[1]: 10000 is outside the strat"
     "egy's range; allowed: a number from 0 to 9999 bps"},
    {"RangeOutsideStrategy", "[12, 288]", "[0, 288]",
     "spec.yaml:8:29: strategies[0].params.lookback_bars.int[0]: 0 is outside the strategy"
     "'s range; allowed: a whole number from 2 to 20000 bars"},
    {"FixedOutsideStrategy", "{values: [50, 100, 200]}", "-1",
     "spec.yaml:10:17: strategies[0].params.stop_bps: -1 is outside the strategy's range; "
     "allowed: a number from 0 to 9999 bps"},
    {"FixedFraction", "{int: [12, 288], step: 12}", "12.5",
     "spec.yaml:8:22: strategies[0].params.lookback_bars: 12.5 is not a whole number; allo"
     "wed: a whole number from 2 to 20000 bars"},
    {"NoValidPoint", "slow_bars: {int: [12, 120], step: 12}", "slow_bars: 4",
     "spec.yaml:13:7: strategies[1].params: no point of the grid is valid: fast_bars must "
     "be below slow_bars: fast_bars=40, slow_bars=4"},
    {"MoreSamplesThanPoints", "{method: grid}", "{method: random, samples: 1000}",
     "spec.yaml:8:7: strategies[0].params: samples 1000 of a space of 648 points; take few"
     "er, or search: {method: grid}"},
};

/// The text with the names of all families in the place of `{families}`.
std::string with_families(std::string text) {
  constexpr std::string_view kPlace = "{families}";
  const std::size_t at = text.find(kPlace);
  if (at == std::string::npos) return text;
  std::string names;
  for (const engine::FamilyDecl& family : engine::families()) {
    names += (names.empty() ? "" : ", ") + std::string(family.name);
  }
  return text.replace(at, kPlace.size(), names);
}

class ParamRefusal : public ::testing::TestWithParam<Case> {};

TEST_P(ParamRefusal, NamesPlaceValueAndWhatIsAllowed) {
  EXPECT_EQ(refusal(with(GetParam().from, GetParam().to)), with_families(GetParam().refusal));
}

INSTANTIATE_TEST_SUITE_P(All, ParamRefusal, ::testing::ValuesIn(kCases),
                         [](const auto& each) { return each.param.name; });

}  // namespace
}  // namespace winnow::sweeps::testing
