#include <gtest/gtest.h>

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
    {"UnknownTopKey", "seed: 42", "sede: 42",
     "spec.yaml:17:1: sede: unknown key (did you mean 'seed'?); allowed: sweep, data, wind"
     "ow, execution, strategies, search, fidelity, validation, convergence, seed, priority"
     ", budget, limits, points, weight, open, share, looks"},
    {"UnknownKeyFarFromAny", "seed: 42", "colour: blue",
     "spec.yaml:17:1: colour: unknown key (nearest: 'looks'); allowed: sweep, data, window"
     ", execution, strategies, search, fidelity, validation, convergence, seed, priority, "
     "budget, limits, points, weight, open, share, looks"},
    {"FidelityOfGrid", "seed: 42", "fidelity: {method: asha}",
     "spec.yaml:17:1: fidelity: grid has no ladder of windows; allowed with search: {metho"
     "d: random, sobol, lhs, tpe or cmaes}"},
    {"FidelityUnknown", "search: {method: grid}", "search: {method: tpe}\nfidelity: {method: ahsa}",
     "spec.yaml:16:20: fidelity.method: 'ahsa' is unknown (did you mean 'asha'?); allowed:"
     " halving, hyperband, asha"},
    {"FidelityWithoutWindow", "search: {method: grid}",
     "search: {method: tpe}\nfidelity: {method: asha}",
     "spec.yaml:16:11: fidelity.shortest: is missing; the window of the lowest rung, such "
     "as 30d"},
    {"FidelityTooLong", "search: {method: grid}",
     "search: {method: tpe}\nfidelity: {method: asha, shortest: 275d}",
     "spec.yaml:16:36: fidelity.shortest: 275d is not from 1d to below the window, 275d"},
    {"FidelityTooShortForAnAnnualFigure", "search: {method: grid}",
     "search: {method: tpe, trials: 640}\nfidelity: {method: asha, shortest: 29d}",
     "spec.yaml:16:11: fidelity: the search learns from sharpe_ann, which is not measurabl"
     "e below 30d, but sees 'btcusdt-5m' for 29d; allowed: a longer window, or an objectiv"
     "e such as total_return_frac"},
    {"MissingSweep", "sweep: demo\n", "",
     "spec.yaml:1:1: sweep: is missing; name the sweep, as in sweep: eth-mean-reversion"},
    {"BadSweepName", "sweep: demo", "sweep: my sweep!",
     "spec.yaml:1:8: sweep: 'my sweep!' where a name belongs: 1 to 100 letters, digits, '."
     "', '_' or '-', a letter or digit first"},
    {"NullSweepName", "sweep: demo",
     "sweep:", "spec.yaml:1:1: sweep: nothing where a name belongs"},
    {"DuplicateKey", "priority: 0", "seed: 43",
     "spec.yaml:18:1: the key 'seed' stands twice; first at line 17, column 1"},
    {"MissingData", "data: [btcusdt-5m, ethusdt-5m]\n", "",
     "spec.yaml:1:1: data: is missing; list dataset names, as in data: [ethusdt-5m]"},
    {"EmptyData", "data: [btcusdt-5m, ethusdt-5m]", "data: []",
     "spec.yaml:2:7: data: the list is empty; name at least one dataset"},
    {"DataIsAMap", "data: [btcusdt-5m, ethusdt-5m]", "data: {a: b}",
     "spec.yaml:2:7: data: a map where a list of dataset names, as in [ethusdt-5m] belongs"},
    {"MissingDataset", "ethusdt-5m]", "ethusd-5m]",
     "spec.yaml:2:20: data[1]: there is no dataset 'ethusd-5m' (did you mean 'ethusdt-5m'?"
     "); datasets: btcusdt-5m, ethusdt-5m, sim-btc, sim-eth"},
    {"DuplicateDataset", "ethusdt-5m]", "btcusdt-5m]",
     "spec.yaml:2:20: data[1]: the dataset 'btcusdt-5m' stands twice"},
    {"WindowUnitInKey", "holdout: 90d", "holdout_days: 90",
     "spec.yaml:3:44: window.holdout_days: unknown key, perhaps in another unit; write 'ho"
     "ldout'; allowed: from, to, holdout"},
    {"WindowBadTime", "from: 2023-01-01", "from: 2023-13-01",
     "spec.yaml:3:16: window.from: '2023-13-01' is not a UTC time; write 2023-01-01 or 202"
     "3-01-01T12:30:05Z"},
    {"WindowBadDuration", "holdout: 90d", "holdout: 90",
     "spec.yaml:3:53: window.holdout: '90' is not a duration; write a whole number and one"
     " of w, d, h, m, s, ms, as in 90d"},
    {"WindowInverted", "to: 2024-01-01", "to: 2022-01-01",
     "spec.yaml:3:32: window.to: the window from 2023-01-01T00:00:00Z to 2022-01-01T00:00:"
     "00Z is empty; `to` must be after `from`"},
    {"WindowOneInstant", "to: 2024-01-01", "to: 2023-01-01",
     "spec.yaml:3:32: window.to: the window from 2023-01-01T00:00:00Z to 2023-01-01T00:00:"
     "00Z is empty; `to` must be after `from`"},
    {"HoldoutEatsWindow", "holdout: 90d", "holdout: 400d",
     "spec.yaml:3:53: window.holdout: the holdout of 400d leaves nothing of the window fro"
     "m 2023-01-01T00:00:00Z to 2024-01-01T00:00:00Z"},
    {"HoldoutBeyondData", "to: 2024-01-01", "to: 2025-01-01",
     "spec.yaml:3:32: window.to: the data of 'btcusdt-5m' ends at 2024-05-14T15:40:00Z, so"
     " the holdout before 2025-01-01T00:00:00Z would not hold what it promises; leave `to`"
     " out, or end it with the data"},
    {"WindowBeforeData", "from: 2023-01-01, to: 2024-01-01, holdout: 90d",
     "from: 2020-01-01, to: 2021-01-01",
     "spec.yaml:3:32: window.to: 'btcusdt-5m' has no bars from 2020-01-01T00:00:00Z to 202"
     "1-01-01T00:00:00Z; it has 2023-01-01T00:00:00Z to 2024-05-14T15:40:00Z"},
    {"WindowAfterData", "from: 2023-01-01, to: 2024-01-01, holdout: 90d",
     "from: 2025-01-01, to: 2026-01-01",
     "spec.yaml:3:32: window.to: 'btcusdt-5m' has no bars from 2025-01-01T00:00:00Z to 202"
     "6-01-01T00:00:00Z; it has 2023-01-01T00:00:00Z to 2024-05-14T15:40:00Z"},
    {"MissingExecution", "execution: binance-usdm\n", "",
     "spec.yaml:1:1: execution: is missing; name a profile: binance-spot, binance-usdm, no"
     "ne, okx-swap; `none` means that trading costs nothing"},
    {"UnknownExecution", "binance-usdm", "binance-usdn",
     "spec.yaml:4:12: execution: there is no execution profile 'binance-usdn' (did you mea"
     "n 'binance-usdm'?); profiles: binance-spot, binance-usdm, none, okx-swap, or a path "
     "such as ./mine.yaml"},
    {"DuplicateParam", "stop_bps: {values: [50, 100, 200]}", "entry_z: 2",
     "spec.yaml:10:7: the key 'entry_z' stands twice; first at line 9, column 7"},
    {"UnknownMethod", "method: grid", "method: gird",
     "spec.yaml:15:18: search.method: 'gird' is unknown (did you mean 'grid'?); allowed: g"
     "rid, random, sobol, lhs, tpe, cmaes, nsga2"},
    {"ValidationOfASearchThatLearns", "method: grid", "method: tpe",
     "spec.yaml:16:13: validation: every test window would have been seen by the search, w"
     "hich learns from the whole window; leave it out and keep a holdout, which no search "
     "sees"},
    {"TrialsOfGrid", "{method: grid}", "{method: grid, trials: 10}",
     "spec.yaml:15:24: search.trials: says nothing to grid, which does not learn; allowed:"
     " method, samples; or take method: tpe, cmaes or nsga2"},
    {"SamplesOfTpe", "{method: grid}", "{method: tpe, samples: 10}",
     "spec.yaml:15:23: search.samples: a search that learns is counted in trials; write tr"
     "ials"},
    {"GenerationOdd", "{method: grid}", "{method: tpe, generation: 12}",
     "spec.yaml:15:35: search.generation: '12' is not a multiple of 8"},
    {"ObjectiveUnknown", "{method: grid}", "{method: cmaes, objective: sharp_ann}",
     "spec.yaml:15:36: search.objective: 'sharp_ann' is unknown (did you mean 'sharpe_ann'?"
     "); allowed: sharpe_ann, sortino_ann, calmar, total_return_frac, cagr_frac, vol_ann, d"
     "rawdown_max_frac, drawdown_days_max, ulcer_frac, omega, tail_ratio, var_95_frac, cvar"
     "_95_frac, skew, kurtosis, best_day_frac, worst_day_frac, positive_days_frac, final_eq"
     "uity, trades, win_rate_frac, profit_factor, avg_trade_bps, worst_trade_frac, hold_bar"
     "s_avg, exposure_frac, turnover_ann, fees_frac, slippage_frac, funding_frac, long_shar"
     "e_frac, rejected_orders, ruined, market_return_frac, alpha_ann, beta, market_corr, "
     "mean_exposure, exposure_max_frac"},
    {"ObjectivesOfTpe", "{method: grid}", "{method: tpe, objectives: [sharpe_ann]}",
     "spec.yaml:15:23: search.objectives: only nsga2 takes several; write objective: sharp"
     "e_ann"},
    {"ObjectivesMissing", "{method: grid}", "{method: nsga2}",
     "spec.yaml:15:9: search: nsga2 takes 2 to 16 objectives, as in objectives: [sharpe_an"
     "n, drawdown_max_frac]"},
    {"ObjectiveTwice", "{method: grid}", "{method: nsga2, objectives: [calmar, calmar]}",
     "spec.yaml:15:46: search.objectives[1]: the objective 'calmar' stands twice"},
    {"WarmStartNoId", "{method: grid}", "{method: tpe, warm_start: last}",
     "spec.yaml:15:35: search.warm_start: 'last' is not the id of a sweep, 16 digits as `w"
     "innow sweep list` shows them"},
    {"MethodMissing", "{method: grid}", "{}",
     "spec.yaml:15:9: search.method: is missing; one of grid, random, sobol, lhs, tpe, c"
     "maes, nsga2"},
    {"SearchIsText", "{method: grid}", "grid",
     "spec.yaml:15:9: search: 'grid' where a search such as {method: grid} belongs"},
    {"SamplesOfGrid", "{method: grid}", "{method: grid, samples: 10}",
     "spec.yaml:15:33: search.samples: a grid takes no samples; its steps say how many poi"
     "nts there are"},
    {"SamplesZero", "{method: grid}", "{method: random, samples: 0}",
     "spec.yaml:15:35: search.samples: '0' where a number of samples belongs: a whole numb"
     "er from 1 to 1000000000"},
    {"SamplesFraction", "{method: grid}", "{method: sobol, samples: 1.5}",
     "spec.yaml:15:34: search.samples: '1.5' where a number of samples belongs: a whole nu"
     "mber from 1 to 1000000000"},
    {"SamplesMissing",
     "search: {method: grid}\nvalidation: {protocol: walk_forward, train: 90d, test: 30d, "
     "step: 30d, embargo: 1d}\nseed: 42\npriority: 0\nbudget: {trials: 100000, cpu_hours: "
     "2}",
     "search: {method: lhs}",
     "spec.yaml:15:9: search: how many samples? Add samples: N (for each dataset and strat"
     "egy), or budget: {trials: N}, which is shared among them"},
    {"ProtocolUnknown", "walk_forward", "walkforward",
     "spec.yaml:16:24: validation.protocol: 'walkforward' is unknown (did you mean 'walk_f"
     "orward'?); allowed: walk_forward, kfold, cpcv, nested"},
    {"ProtocolMissing", "protocol: walk_forward, ", "",
     "spec.yaml:16:13: validation.protocol: is missing; one of walk_forward, kfold, cpcv, "
     "nested"},
    {"TrainMissing", "train: 90d, ", "",
     "spec.yaml:16:13: validation.train: is missing; walk_forward needs a duration such as"
     " 90d"},
    {"TrainZero", "train: 90d", "train: 0d",
     "spec.yaml:16:45: validation.train: '0d' is not above 0"},
    {"TrainTooLong", "train: 90d", "train: 250d",
     "spec.yaml:16:13: validation: train 250d, test 30d, embargo 1d and purge 0s do not fi"
     "t once into the window of 275d"},
    {"TestWindowsOverlap", "step: 30d", "step: 10d",
     "spec.yaml:16:67: validation.step: 10d is shorter than test, 30d: test windows would "
     "overlap"},
    {"ValidationUnit", "embargo: 1d", "embargo_days: 1",
     "spec.yaml:16:72: validation.embargo_days: unknown key, perhaps in another unit; writ"
     "e 'embargo'; allowed: protocol, train, test, step, embargo, purge, anchored"},
    {"KfoldFolds", "protocol: walk_forward, train: 90d, test: 30d, step: 30d, embargo: 1d",
     "protocol: kfold, folds: 1",
     "spec.yaml:16:38: validation.folds: '1' where a number of folds belongs: a whole numb"
     "er from 2 to 100"},
    {"KfoldEmbargo", "protocol: walk_forward, train: 90d, test: 30d, step: 30d, embargo: 1d",
     "protocol: kfold, folds: 10, embargo: 30d",
     "spec.yaml:16:13: validation: embargo and purge leave nothing of a part of 660h (the "
     "window of 275d in 10)"},
    {"CpcvTestGroups", "protocol: walk_forward, train: 90d, test: 30d, step: 30d, embargo: 1d",
     "protocol: cpcv, groups: 6, test_groups: 6",
     "spec.yaml:16:54: validation.test_groups: '6' where a number of test groups belongs: "
     "a whole number from 1 to 5"},
    {"A1TrainInHours", "train: 90d", "train: 100h",
     "spec.yaml:16:45: validation.train: 100h is not a whole number of days; returns are k"
     "ept by UTC day"},
    {"A1TooFewTestDays", "test: 30d, step: 30d", "test: 2d, step: 100d",
     "spec.yaml:16:13: validation: on 'btcusdt-5m' the folds test 4 days together; at leas"
     "t 10 are needed"},
    {"A1TooManySplits", "protocol: walk_forward, train: 90d, test: 30d, step: 30d, embargo: 1d",
     "protocol: cpcv, groups: 24, test_groups: 12",
     "spec.yaml:16:13: validation: on 'btcusdt-5m' 24 groups, 12 tested together, make 270"
     "4156 splits; at most 5000 are computed"},
    {"A1NestedFolds", "protocol: walk_forward, train: 90d, test: 30d, step: 30d, embargo: 1d",
     "protocol: nested, outer_folds: 5",
     "spec.yaml:16:13: validation.inner_folds: is missing; nested needs a whole number fro"
     "m 2 to 20"},
    {"A1RequireUnknown", "seed: 42", "convergence: {require: [degradation < 0.3]}",
     "spec.yaml:17:25: convergence.require[0]: 'degradation < 0.3': position 1: there is n"
     "o metric or parameter 'degradation' (did you mean 'degradation_frac'?); allowed: oos_"
     "sharpe_ann, oos_return_frac, oos_mean_ann_frac, oos_drawdown_max_frac, oos_days, tra"
     "in_sharpe_ann_mean, degradation_frac, efficiency, folds_positive_frac, c, evidence, "
     "coverage, block_sign_frac, variant_sign_frac, mu_sharpe_ann, tau, mean_correlation, "
     "c_stress, distinct"},
    {"A1RequireEmpty", "seed: 42", "convergence: {require: []}",
     "spec.yaml:17:24: convergence.require: the list is empty; leave it out"},
    {"SeedNegative", "seed: 42", "seed: -1",
     "spec.yaml:17:7: seed: '-1' where a seed belongs: a whole number from 0 to 1844674407"
     "3709551615"},
    {"SeedFraction", "seed: 42", "seed: 4.2",
     "spec.yaml:17:7: seed: '4.2' where a seed belongs: a whole number from 0 to 184467440"
     "73709551615"},
    {"PriorityTooHigh", "priority: 0", "priority: 100000",
     "spec.yaml:18:11: priority: '100000' where a priority belongs: a whole number from -1"
     "000 to 1000"},
    {"WeightOfNothing", "priority: 0", "weight: 0",
     "spec.yaml:18:9: weight: 0 is not between 0.01 and 100"},
    {"BudgetZero", "trials: 100000", "trials: 0",
     "spec.yaml:19:18: budget.trials: '0' where a number of trials belongs: a whole number"
     " from 1 to 1000000000000"},
    {"BudgetBelowLearningSearch",
     "search: {method: grid}\nvalidation: {protocol: walk_forward, train: 90d, test: 30d, step: "
     "30d, embargo: 1d}\nseed: 42\npriority: 0\nbudget: {trials: 100000, cpu_hours: 2}",
     "search: {method: tpe, trials: 64}\nbudget: {trials: 100}",
     "spec.yaml:16:18: budget.trials: 100 trials are fewer than the 256 that the search makes; "
     "raise the budget or take fewer trials"},
    {"BudgetUnit", "cpu_hours: 2", "cpu_minutes: 2",
     "spec.yaml:19:26: budget.cpu_minutes: unknown key, perhaps in another unit; write 'cp"
     "u_hours'; allowed: trials, cpu_hours"},
    {"BudgetCpuZero", "cpu_hours: 2", "cpu_hours: 0",
     "spec.yaml:19:37: budget.cpu_hours: 0 is not above 0"},
    {"BudgetCpuNaN", "cpu_hours: 2", "cpu_hours: .nan",
     "spec.yaml:19:37: budget.cpu_hours: '.nan' is not finite; a number above 0 belongs he"
     "re"},
    {"BudgetIsText", "{trials: 100000, cpu_hours: 2}", "1000",
     "spec.yaml:19:9: budget: '1000' where a budget such as {trials: 100000, cpu_hours: 2}"
     " belongs"},
    {"Alias", "[btcusdt-5m, ethusdt-5m]", "*all",
     "spec.yaml:2:7: not valid YAML: the referenced anchor is not defined"},
    {"Anchor", "[btcusdt-5m, ethusdt-5m]", "&all [btcusdt-5m]",
     "spec.yaml:2:7: anchors (&name) are not allowed; write the value out"},
    {"Tag", "seed: 42", "seed: !!int 42",
     "spec.yaml:17:7: the tag 'tag:yaml.org,2002:int' is not allowed; write plain values"},
    {"TabInIndentation", "  - family: sma_cross", "\t- family: sma_cross",
     "spec.yaml:11:1: a tab in the indentation; YAML wants spaces"},
    {"SecondDocument", "seed: 42", "---\nseed: 42",
     "spec.yaml:17:1: a second YAML document starts here; one file holds one document"},
    {"NotYaml", "seed: 42", "seed: [42",
     "spec.yaml:18:9: not valid YAML: end of sequence flow not found"},
    {"KeyIsAList", "seed: 42", "[seed]: 42", "spec.yaml:17:1: a key must be a plain name"},
    {"NullKey", "seed: 42", "null: 42", "spec.yaml:17:1: a key must be a plain name"},
    {"ControlCharacter", "seed: 42", "seed: 4\x01",
     "spec.yaml:17:8: a control character; only printable text is allowed"},
    {"NotUtf8", "seed: 42", "seed: \xff", "spec.yaml:17:7: a byte that is not UTF-8 text"},
};

class SpecRefusal : public ::testing::TestWithParam<Case> {};

TEST_P(SpecRefusal, NamesPlaceValueAndWhatIsAllowed) {
  EXPECT_EQ(refusal(with(GetParam().from, GetParam().to)), GetParam().refusal);
}

INSTANTIATE_TEST_SUITE_P(All, SpecRefusal, ::testing::ValuesIn(kCases),
                         [](const auto& each) { return each.param.name; });

}  // namespace
}  // namespace winnow::sweeps::testing
