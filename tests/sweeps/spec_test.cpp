#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "sweeps/convergence_declared.hpp"
#include "sweeps/validation_protocol.hpp"
#include "tests/sweeps/support.hpp"

namespace winnow::sweeps::testing {
namespace {

ResolvedSpec parsed(const std::string& yaml) {
  auto spec = parse_spec(yaml, "spec.yaml", catalog());
  EXPECT_TRUE(spec.ok()) << spec.error().text();
  return spec ? *std::move(spec) : ResolvedSpec{};
}

std::string id_of(const std::string& yaml) {
  const auto plan = plan_of(yaml);
  EXPECT_TRUE(plan.ok()) << plan.error().text();
  return plan ? plan->id() : "";
}

TEST(Spec, ReadsEverythingTheExampleSays) {
  const ResolvedSpec s = parsed(kSpec);
  EXPECT_EQ(s.name, "demo");
  ASSERT_EQ(s.data.size(), 2u);
  EXPECT_EQ(s.data[1].instrument, "ETHUSDT");
  EXPECT_EQ(s.from, at("2023-01-01"));
  EXPECT_EQ(s.to, at("2023-10-03"));  // 90 days before 2024
  EXPECT_EQ(s.holdout, days(90));
  EXPECT_EQ(s.execution.name, "binance-usdm");
  ASSERT_EQ(s.strategies.size(), 2u);
  ASSERT_EQ(s.strategies[0].params.size(), 6u);
  EXPECT_EQ(s.strategies[0].params[0].kind, ValueKind::IntRange);
  EXPECT_TRUE(s.strategies[0].params[0].integer);
  EXPECT_EQ(s.strategies[0].params[1].step, 0.25);
  EXPECT_EQ(s.strategies[0].params[3].values, (std::vector<double>{50, 100, 200}));
  EXPECT_EQ(s.strategies[0].params[4].values, std::vector<double>{0});  // the default
  EXPECT_EQ(s.seed, 42u);
  EXPECT_EQ(s.trials_max, 100'000u);
  EXPECT_EQ(s.cpu_hours_max, 2);
  EXPECT_EQ(nlohmann::json::parse(s.validation_json).at("step_ns"), days(30).ns);
  EXPECT_TRUE(s.warnings.empty());
}

TEST(Spec, ConvergenceIsDeclaredAndChangesNothingWhereItIsNot) {
  EXPECT_EQ(parsed(kSpec).to_json().find("convergence"), std::string::npos);
  const std::string yaml = std::string(kSpec) + "convergence: {looks: equal, worst_loss_sd: 12}\n";
  const ResolvedSpec s = parsed(yaml);
  EXPECT_EQ(s.convergence_json, R"({"looks":"equal","worst_loss_sd":12.0})");
  const auto back = ResolvedSpec::from_json(s.to_json());
  ASSERT_TRUE(back.ok()) << back.error().text();
  EXPECT_EQ(back->to_json(), s.to_json());
  EXPECT_NE(id_of(yaml), id_of(kSpec));
  EXPECT_EQ(id_of(std::string(kSpec) + "convergence: {}\n"), id_of(kSpec));
  const auto refused = [](const std::string& line) {
    const auto spec = parse_spec(std::string(kSpec) + line, "spec.yaml", catalog());
    return spec.ok() ? std::string() : spec.error().text();
  };
  EXPECT_NE(refused("convergence: {looks: daily}\n").find("convergence.looks"), std::string::npos);
  EXPECT_NE(refused("convergence: {looks: [30, 60]}\n").find("no known error rate"),
            std::string::npos);
  EXPECT_NE(refused("convergence: {worst_loss_sd: 0}\n").find("from 8 to 100"), std::string::npos);
  EXPECT_NE(refused("convergence: {hard_stops: true}\n").find("stop_bps"), std::string::npos);
}

TEST(Spec, SurvivorsMayBeJudgedByLaterDaysWhereOnlyALadderChose) {
  const std::string base = with(
      "validation: {protocol: walk_forward, train: 90d, test: 30d, "
      "step: 30d, embargo: 1d}\n",
      "fidelity: {method: halving, shortest: 30d}\n",
      with("{int: [4, 40], step: 4}", "{int: [4, 40]}"));
  const auto ladder = [&](const std::string& method, const std::string& convergence) {
    const auto spec = parse_spec(
        with("{method: grid}", "{method: " + method + ", trials: 100, generation: 8}", base) +
            convergence,
        "spec.yaml", catalog());
    return spec.ok() ? spec->convergence_json : spec.error().text();
  };
  const std::string later = "convergence: {survivors: later_days}\n";
  EXPECT_EQ(ladder("random", later), R"({"survivors":"later_days"})");
  EXPECT_EQ(ladder("random", "convergence: {survivors: every_launched}\n"), "");
  EXPECT_NE(ladder("tpe", later).find("needs fidelity beside"), std::string::npos);
  EXPECT_NE(ladder("sobol", "convergence: {survivors: later_days, looks: equal}\n")
                .find("needs looks: one"),
            std::string::npos);
  EXPECT_NE(ladder("random", "convergence: {survivors: best}\n").find("convergence.survivors"),
            std::string::npos);
  const auto grid = parse_spec(std::string(kSpec) + later, "spec.yaml", catalog());
  ASSERT_FALSE(grid.ok());
  EXPECT_NE(grid.error().text().find("convergence.survivors"), std::string::npos);
}

TEST(Spec, JsonRoundTripIsExact) {
  for (const char* search : {"{method: grid}", "{method: random, samples: 50}",
                             "{method: sobol, samples: 50}", "{method: lhs, samples: 50}"}) {
    const ResolvedSpec s = parsed(with("{method: grid}", search));
    const std::string json = s.to_json();
    const auto back = ResolvedSpec::from_json(json);
    ASSERT_TRUE(back.ok()) << back.error().text();
    EXPECT_EQ(back->to_json(), json);
    const auto plan = Plan::make(*back);
    ASSERT_TRUE(plan.ok()) << plan.error().text();
    EXPECT_EQ(plan->id(), id_of(with("{method: grid}", search)));
  }
}

TEST(Spec, JsonThatIsNoSpecIsRefused) {
  const std::string sound = parsed(kSpec).to_json();
  EXPECT_FALSE(ResolvedSpec::from_json("").ok());
  EXPECT_FALSE(ResolvedSpec::from_json("[]").ok());
  EXPECT_FALSE(ResolvedSpec::from_json("{}").ok());
  EXPECT_FALSE(ResolvedSpec::from_json(sound.substr(0, sound.size() / 2)).ok());
  EXPECT_FALSE(ResolvedSpec::from_json(with("\"grid\"", "\"gird\"", sound)).ok());
  EXPECT_FALSE(ResolvedSpec::from_json(with("\"seed\":42", "\"seed\":\"x\"", sound)).ok());
}

TEST(Spec, JsonOfAnImpossibleSweepMakesNoPlan) {
  ResolvedSpec s = parsed(kSpec);
  s.strategies[0].family = "gone";
  EXPECT_EQ(Plan::make(s).error().text(), "there is no strategy family 'gone'");
  s = parsed(kSpec);
  s.strategies[0].params.pop_back();
  EXPECT_FALSE(Plan::make(s).ok());
  s = parsed(kSpec);
  s.to = s.from;
  EXPECT_FALSE(Plan::make(s).ok());
  s = parsed(kSpec);
  s.execution_by_data.pop_back();
  EXPECT_FALSE(Plan::make(s).ok());
  s = parsed(kSpec);
  s.execution_by_data[0].taker_fee_bps = -1;
  EXPECT_FALSE(Plan::make(s).ok());
  s = parsed(kSpec);
  s.strategies[0].params[0].low = 0;
  EXPECT_FALSE(Plan::make(s).ok());
  s = parsed(kSpec);
  s.data[0].bars = 0;
  EXPECT_FALSE(Plan::make(s).ok());
}

TEST(Spec, OrderOfKeysAndLayoutDoNotNameAnotherSweep) {
  const std::string reordered = R"(# the same, written by somebody else
seed: 42
budget:
  cpu_hours: 2.0
  trials: 100000
strategies:
  - params:
      stop_bps: {values: [50.0, 100, 2e2]}
      entry_z: {step: 0.25, float: [1, 3]}
      lookback_bars:
        int:
          - 12
          - 288
        step: 12
    family: mean_reversion
  - params:
      slow_bars: {int: [12, 120], step: 12}
      fast_bars: {int: [4, 40], step: 4}
    family: "sma_cross"
search: {method: grid}
execution: 'binance-usdm'
validation: {embargo: 24h, step: 30d, test: 30d, train: 90d, protocol: walk_forward}
window: {holdout: 90d, to: 2024-01-01T00:00:00Z, from: 2023-01-01T00:00}
data:
  - btcusdt-5m
  - ethusdt-5m
priority: 0
sweep: demo
)";
  EXPECT_EQ(id_of(reordered), id_of(kSpec));
  EXPECT_EQ(parsed(reordered).to_json(), parsed(kSpec).to_json());
}

TEST(Spec, PriorityWeightAndBudgetDoNotNameASweepButAllElseDoes) {
  const std::string id = id_of(kSpec);
  EXPECT_EQ(id.size(), 16u);
  EXPECT_EQ(id_of(with("priority: 0", "priority: 7")), id);
  EXPECT_EQ(id_of(with("priority: 0", "weight: 2.5")), id);
  EXPECT_EQ(id_of(with("trials: 100000", "trials: 5000")), id);
  EXPECT_EQ(id_of(with("cpu_hours: 2", "cpu_hours: 3")), id);
  const std::pair<const char*, const char*> changes[] = {{"sweep: demo", "sweep: other"},
                                                         {", ethusdt-5m]", "]"},
                                                         {"from: 2023-01-01", "from: 2023-01-02"},
                                                         {"to: 2024-01-01", "to: 2024-01-02"},
                                                         {"binance-usdm", "okx-swap"},
                                                         {"step: 12}", "step: 6}"},
                                                         {"[50, 100, 200]", "[50, 100, 201]"},
                                                         {"seed: 42", "seed: 43"},
                                                         {"embargo: 1d", "embargo: 2d"}};
  for (const auto& [from, to] : changes) EXPECT_NE(id_of(with(from, to)), id) << to;
}

TEST(Spec, WindowLeftOutIsWhatAllDatasetsShare) {
  const ResolvedSpec s =
      parsed("sweep: s\ndata: [btcusdt-5m]\nexecution: none\nstrategies: [{family: sma_cross}]\n");
  EXPECT_EQ(s.from, at("2023-01-01"));
  EXPECT_EQ(s.to, at("2024-05-14T15:40"));  // the end of the last bar
  EXPECT_EQ(s.holdout.ns, 0);
  EXPECT_EQ(s.seed, 0u);
  EXPECT_EQ(s.validation_json, "");
}

TEST(Spec, FamilyTwiceIsRefused) {
  EXPECT_EQ(refusal("sweep: s\ndata: btcusdt-5m\nexecution: none\nstrategies:\n"
                    "  - family: sma_cross\n  - family: sma_cross\n"),
            "spec.yaml:6:13: strategies[1].family: the family 'sma_cross' stands twice; put all "
            "its ranges into one entry");
}

TEST(Spec, SamplesLeftOutShareTheBudget) {
  const std::string spec =
      with("{method: grid}", "{method: sobol}", with("trials: 100000", "trials: 403"));
  EXPECT_EQ(parsed(spec).samples, 100u);  // 403 trials over 2 datasets and 2 families
  EXPECT_EQ(plan_of(spec)->trials(), 400u);
  EXPECT_EQ(refusal(with("trials: 403", "trials: 3", spec)),
            "spec.yaml:19:18: budget.trials: 3 trials are fewer than one for each of 4 pairs of "
            "dataset and strategy");
}

TEST(Spec, EveryKindOfRangeIsTaken) {
  const ResolvedSpec s = parsed(with("{method: grid}", "{method: random, samples: 20}",
                                     with("{values: [50, 100, 200]}", "{log: [1, 1000]}")));
  EXPECT_EQ(s.strategies[0].params[3].kind, ValueKind::LogRange);
  const ResolvedSpec t = parsed(with("{method: grid}", "{method: random, samples: 20}",
                                     with("{int: [12, 288], step: 12}", "{log: [12, 288]}")));
  EXPECT_TRUE(t.strategies[0].params[0].integer);
  const ResolvedSpec u = parsed(with("{values: [50, 100, 200]}", "75"));
  EXPECT_EQ(u.strategies[0].params[3].values, std::vector<double>{75});
  const ResolvedSpec v = parsed(with("{values: [50, 100, 200]}", "{int: [50, 200], step: 50}"));
  EXPECT_TRUE(v.strategies[0].params[3].integer);
}

TEST(Spec, EveryProtocolIsTaken) {
  const std::string from = "protocol: walk_forward, train: 90d, test: 30d, step: 30d, embargo: 1d";
  EXPECT_EQ(parsed(with(from, "protocol: kfold, folds: 5, purge: 1d")).validation_json,
            R"({"embargo_ns":0,"folds":5,"protocol":"kfold","purge_ns":86400000000000})");
  EXPECT_EQ(parsed(with(from, "protocol: cpcv, groups: 6, test_groups: 2")).validation_json,
            R"({"embargo_ns":0,"groups":6,"protocol":"cpcv","purge_ns":0,"test_groups":2})");
  EXPECT_EQ(
      parsed(with(from, "protocol: walk_forward, train: 9w, test: 720h, anchored: true"))
          .validation_json,
      R"({"anchored":true,"embargo_ns":0,"protocol":"walk_forward","purge_ns":0,)"
      R"("step_ns":2592000000000000,"test_ns":2592000000000000,"train_ns":5443200000000000})");
}

TEST(FaultA1, NestedFoldsAndRequirementsAreTaken) {
  const std::string from = "protocol: walk_forward, train: 90d, test: 30d, step: 30d, embargo: 1d";
  const ResolvedSpec s =
      parsed(with(from, "protocol: nested, outer_folds: 5, inner_folds: 4, embargo: 12h") +
             "convergence: {require: [degradation_frac < 0.3, oos_sharpe_ann > 1 and c > 0.5]}\n");
  EXPECT_EQ(s.validation_json, R"({"embargo_ns":43200000000000,"inner_folds":4,"outer_folds":5,)"
                               R"("protocol":"nested","purge_ns":0})");
  EXPECT_EQ(s.convergence_json,
            R"({"require":["degradation_frac < 0.3","oos_sharpe_ann > 1 and c > 0.5"]})");
  EXPECT_TRUE(declared_convergence(s.convergence_json).ok());
  EXPECT_EQ(declared_requirements(s.convergence_json).size(), 2u);
  // Half a day of embargo is a day: results are kept by day.
  EXPECT_EQ(declared_validation(s.validation_json)->embargo, 1u);
  const std::string without = with("validation: {" + from + "}\n", "");
  EXPECT_NE(refusal(without + "convergence: {require: [oos_sharpe_ann > 1]}\n")
                .find("out-of-sample numbers need `validation`"),
            std::string::npos);
  EXPECT_EQ(refusal(without + "convergence: {require: [c > 0.5]}\n"), "accepted");
}

TEST(Spec, NoDatasetsAtAllSaysHowToGetOne) {
  Catalog none = catalog();
  none.dataset_names.clear();
  none.dataset = [](std::string_view) { return std::nullopt; };
  EXPECT_EQ(parse_spec(kSpec, "spec.yaml", none).error().text(),
            "spec.yaml:2:8: data[0]: there is no dataset 'btcusdt-5m'; datasets: none yet; winnow "
            "data import or winnow data synth adds one");
}

TEST(Spec, FundingWithoutHistoryIsSaid) {
  Catalog c = catalog();
  c.dataset = [](std::string_view name) -> std::optional<DatasetInfo> {
    DatasetInfo d = dataset(std::string(name), "BTCUSDT");
    d.has_funding = false;
    return d;
  };
  const auto spec = parse_spec(kSpec, "spec.yaml", c);
  ASSERT_TRUE(spec.ok()) << spec.error().text();
  ASSERT_EQ(spec->warnings.size(), 2u);
  EXPECT_EQ(spec->warnings[0],
            "'btcusdt-5m' has no funding history, so binance-usdm charges none on it");
}

TEST(Spec, A14C6DefaultRulesAndAWindowBeyondTheDataAreSaid) {
  Catalog c = catalog();
  c.dataset = [](std::string_view name) -> std::optional<DatasetInfo> {
    DatasetInfo d = dataset(std::string(name), "SOL-USDT-SWAP");
    d.last = at("2023-02-01");
    return d;
  };
  std::string yaml = kSpec;
  const std::string holdout = ", holdout: 90d";
  yaml.replace(yaml.find(holdout), holdout.size(), "");
  const std::size_t validation = yaml.find("validation:");
  yaml.erase(validation, yaml.find('\n', validation) - validation + 1);
  const auto spec = parse_spec(yaml, "spec.yaml", c);
  ASSERT_TRUE(spec.ok()) << spec.error().text();
  const auto said = [&](std::string_view part) {
    return std::count_if(spec->warnings.begin(), spec->warnings.end(),
                         [&](const std::string& w) { return w.find(part) != std::string::npos; });
  };
  EXPECT_EQ(said("has no rules for SOL-USDT-SWAP"), 2);
  EXPECT_EQ(said("has data for 31"), 2);
}

TEST(Spec, BudgetBelowTheSearchIsSaidAndIsTheSameSweep) {
  std::string yaml = kSpec;
  const auto at = yaml.find("trials: 100000");
  ASSERT_NE(at, std::string::npos);
  yaml.replace(at, 14, "trials: 100");
  const ResolvedSpec spec = parsed(yaml);
  EXPECT_EQ(spec.trials_max, 100u);
  ASSERT_EQ(spec.warnings.size(), 1u);
  EXPECT_EQ(
      spec.warnings[0],
      "budget.trials: 100 trials are fewer than the 1466 that the search makes: the sweep "
      "stops there, with the first of its trials only, until `winnow sweep extend` raises the "
      "budget");
  EXPECT_EQ(id_of(yaml), id_of(kSpec));
}

TEST(Spec, SameContentUnderTwoNamesIsRefused) {
  Catalog c = catalog();
  c.dataset = [](std::string_view name) -> std::optional<DatasetInfo> {
    DatasetInfo d = dataset(std::string(name), "X");
    d.content_hash = "same";
    return d;
  };
  EXPECT_EQ(parse_spec(kSpec, "spec.yaml", c).error().text(),
            "spec.yaml:2:20: data[1]: the dataset 'ethusdt-5m' has the same content as "
            "'btcusdt-5m'; its trials would be the same trials");
}

TEST(Spec, ShippedSweepsAreSound) {
  const auto dir = source_dir() / "configs/sweeps";
  for (const auto& [file, low, high] : {std::tuple{"quickstart.yaml", 10'000u, 30'000u},
                                        std::tuple{"perp-5m.yaml", 90'000u, 110'000u}}) {
    const auto plan = plan_of(read_text(dir / file));
    ASSERT_TRUE(plan.ok()) << plan.error().text();
    EXPECT_EQ(plan->segments().size(), 4u);
    EXPECT_GE(plan->trials(), low);
    EXPECT_LE(plan->trials(), high);
  }
}

}  // namespace
}  // namespace winnow::sweeps::testing
