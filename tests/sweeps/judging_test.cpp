#include <gtest/gtest.h>

#include "base/instrument.hpp"
#include "sweeps/execution_profile.hpp"
#include "sweeps/stops.hpp"
#include "tests/sweeps/support.hpp"

// Rows E3, E10 and E11: what a sweep is judged by, what its knobs may do, what a profile may be
// called.
namespace winnow::sweeps::testing {
namespace {

/// The catalogue with gaps, and with the shipped names reserved.
Catalog guarded(std::string own_profile = "") {
  Catalog c = catalog();
  c.gap = [](const DatasetInfo& d) -> Result<level::Gap> {
    if (d.instrument == "ETHUSDT") return level::gap_without_record(d.years());
    return level::Gap{.frac = 0.3, .seen = 1, .years = 11, .record = "bitcoin"};
  };
  c.shipped = [](std::string_view name) -> Result<std::optional<std::string>> {
    if (plain_name(name) != "BINANCEUSDM") return std::optional<std::string>();
    return std::optional(read_text(source_dir() / "configs/execution/binance-usdm.yaml"));
  };
  if (own_profile.empty()) return c;
  c.execution = [own_profile](std::string_view) -> Result<std::string> { return own_profile; };
  return c;
}

ResolvedSpec resolved(const std::string& yaml, const Catalog& c) {
  auto spec = parse_spec(yaml, "spec.yaml", c);
  EXPECT_TRUE(spec.ok()) << spec.error().text();
  return spec.ok() ? *spec : ResolvedSpec();
}

std::string refusal_of(const std::string& yaml, const Catalog& c) {
  const auto spec = parse_spec(yaml, "spec.yaml", c);
  return spec.ok() ? "accepted" : spec.error().text();
}

TEST(FaultE3, GapsAndProfileHashesAreKeptAndNameNothing) {
  const ResolvedSpec plain = resolved(kSpec, catalog());
  const ResolvedSpec judged = resolved(kSpec, guarded());
  ASSERT_TRUE(judged.data[0].gap && judged.data[1].gap);
  EXPECT_EQ(judged.data[0].gap->record, "bitcoin");
  EXPECT_EQ(judged.data[1].gap->frac, level::kGapFracUnrecorded);
  EXPECT_NEAR(judged.data[1].gap->years, 500.0 / 365, 0.01);
  const auto back = ResolvedSpec::from_json(judged.to_json());
  ASSERT_TRUE(back.ok()) << back.error().text();
  EXPECT_EQ(back->data[1].gap, judged.data[1].gap);
  EXPECT_EQ(back->execution_hash, judged.execution_hash);
  EXPECT_EQ(judged.execution_hash.size(), 12u);
  // Sweeps from before have neither, and are the same sweeps.
  ResolvedSpec before = plain;
  before.execution_hash.clear();
  EXPECT_EQ(before.to_json().find("execution_hash"), std::string::npos);
  EXPECT_EQ(before.to_json().find("\"gap\""), std::string::npos);
  const auto id = [](const ResolvedSpec& s) { return Plan::make(s)->id(); };
  EXPECT_EQ(id(before), id(judged));
  EXPECT_EQ(ledger_id(before), ledger_id(judged));
  EXPECT_EQ(ledger_form(before).to_json(), ledger_form(judged).to_json());
  // What they are charged is what an instrument without a record is.
  EXPECT_EQ(before.data[0].gap_or_unrecorded(), level::gap_without_record(before.data[0].years()));
}

TEST(FaultE3, WhatIsShippedCanBeReadAndSaysWhatWasAgreed) {
  const auto records =
      level::parse_gaps(read_text(source_dir() / "configs/gaps.yaml"), "configs/gaps.yaml");
  ASSERT_TRUE(records.ok()) << records.error().text();
  const level::GapRecord* btc = level::find_gap(*records, "BTCUSDT");
  ASSERT_NE(btc, nullptr);
  EXPECT_EQ(btc->gap.frac, 0.30);
  EXPECT_NEAR(btc->gap.rate_year(), 0.43, 0.005);
  EXPECT_NE(btc->source.find("March 2020"), std::string::npos);
  ASSERT_NE(level::find_gap(*records, "ETH-USDT-SWAP"), nullptr);
  EXPECT_EQ(level::find_gap(*records, "USDC-USDT"), nullptr) << "pegged pairs have no record";
}

TEST(FaultE3, AGapThatCannotBeResolvedIsRefusedWhereTheDatasetStands) {
  Catalog c = catalog();
  c.gap = [](const DatasetInfo&) -> Result<level::Gap> {
    return Error(ErrorCode::InvalidInput, "gaps.yaml:3:5: gap_frac: 9 is not allowed");
  };
  const std::string said = refusal_of(kSpec, c);
  EXPECT_TRUE(said.starts_with("spec.yaml:2:8: data[0]: gaps.yaml:3:5: ")) << said;
}

TEST(FaultE10, HardStopsAreGrantedOnlyWhereEveryVariantHasOne) {
  const std::string one_family = with(
      "  - family: sma_cross\n    params:\n      fast_bars: {int: [4, 40], step: 4}\n"
      "      slow_bars: {int: [12, 120], step: 12}\n",
      "");
  const auto said = [&](const std::string& stops) {
    return refusal(with("stop_bps: {values: [50, 100, 200]}", stops, one_family) +
                   "convergence: {hard_stops: true}\n");
  };
  EXPECT_EQ(said("stop_bps: {values: [50, 100, 2000]}"), "accepted");
  EXPECT_NE(said("stop_bps: {values: [50, 9999]}").find("stop_bps 9999; a stop farther than 2000"),
            std::string::npos);
  EXPECT_NE(said("stop_bps: {values: [0, 100]}").find("which is no stop"), std::string::npos);
  // A variant for which the stop says nothing has none.
  EXPECT_NE(said("max_hold_bars: {values: [0, 24]}\n"
                 "      stop_bps: {values: [50, 100], when: {max_hold_bars: [24]}, else: 0}")
                .find("which is no stop"),
            std::string::npos);
  EXPECT_NE(refusal(kSpec + "convergence: {hard_stops: true}\n").find("has no parameter stop_bps"),
            std::string::npos);
}

TEST(FaultE10, AWorstLossBelowTheDefaultIsRefused) {
  for (const char* loss : {"1", "7.9", "101"}) {
    const std::string said =
        refusal(kSpec + "convergence: {worst_loss_sd: " + std::string(loss) + "}\n");
    EXPECT_NE(
        said.find("convergence.worst_loss_sd: " + std::string(loss) + " is not from 8 to 100"),
        std::string::npos)
        << said;
  }
  EXPECT_EQ(refusal(kSpec + "convergence: {worst_loss_sd: 8}\n"), "accepted");
}

TEST(FaultE10, EachVariantsStopIsKnown) {
  const auto plan = plan_of(kSpec);
  ASSERT_TRUE(plan.ok());
  const auto stops = stop_fracs(*plan, plan->segments()[0]);
  ASSERT_EQ(stops.size(), plan->segments()[0].trials);
  EXPECT_EQ(stops[0], 0.005);
  EXPECT_EQ(stops[1], 0.01);
  EXPECT_EQ(stop_frac_of(*plan, plan->segments()[0], 2), 0.02);
  EXPECT_EQ(stop_fracs(*plan, plan->segments()[1])[0], 0) << "crossovers have none";
}

// --- E11

const std::string kRebate =
    "name: binance-usdm\ntaker_fee_bps: 0\nmaker_fee_bps: -1\nfunding: true\n";

TEST(FaultE11, AShippedNameMeansTheShippedProfile) {
  const std::string by_path = with("binance-usdm", "./mine.yaml");
  const std::string said = refusal_of(by_path, guarded(kRebate));
  EXPECT_NE(said.find("goes by the name 'binance-usdm'"), std::string::npos) << said;
  EXPECT_NE(said.find("give the file and its `name` one of their own"), std::string::npos);
  std::string renamed = kRebate;
  renamed.replace(renamed.find("binance-usdm"), 12, "BINANCE_USDM");
  EXPECT_NE(refusal_of(by_path, guarded(renamed)), "accepted") << "whatever its case";
  // A home's file of the shipped name, whatever it calls itself.
  std::string shadow = kRebate;
  shadow.replace(shadow.find("binance-usdm"), 12, "mine");
  EXPECT_NE(refusal_of(kSpec, guarded(shadow)), "accepted");
  EXPECT_EQ(refusal_of(by_path, guarded(shadow)), "accepted") << "a name of its own";
  // The same text is the same profile.
  const std::string shipped = read_text(source_dir() / "configs/execution/binance-usdm.yaml");
  EXPECT_EQ(refusal_of(by_path, guarded(shipped)), "accepted");
  EXPECT_EQ(refusal_of(by_path, guarded("# a copy\n" + shipped)), "accepted");
}

TEST(FaultE11, AHashSaysWhatAProfileSaysAndNotHowItIsWritten) {
  const auto hash = [](const std::string& yaml) {
    const auto profile = parse_profile(yaml, "p.yaml");
    EXPECT_TRUE(profile.ok()) << profile.error().text();
    return profile_hash(*profile);
  };
  const std::string a =
      "name: a\ntaker_fee_bps: 5\nrules:\n  BTCUSDT: [{tick_px: 0.1}]\n"
      "  ETHUSDT: [{tick_px: 0.01}]\n";
  const std::string b =
      "rules:\n  ETH-USDT: [{tick_px: 0.010}]\n  BTC-USDT: [{tick_px: 0.1}]\n"
      "description: other words\nname: b\ntaker_fee_bps: 5.0\n";
  EXPECT_EQ(hash(a), hash(b));
  for (const char* line : {"maker_fee_bps: -0.1\n", "impact_y: 1\n", "funding: true\n",
                           "stop_range_frac: 0\n", "leverage_max: 3\n", "initial_cash: 5\n"}) {
    EXPECT_NE(hash(a), hash(a + line)) << line;
  }
  EXPECT_NE(hash(a), hash(with("tick_px: 0.1}", "tick_px: 0.2}", a)));
}

TEST(FaultE11, ARebateThatNoVenuePaysIsRefused) {
  const auto said = [](const std::string& fee) {
    const auto p = parse_profile("name: p\nmaker_fee_bps: " + fee + "\n", "p.yaml");
    return p.ok() ? std::string("accepted") : p.error().text();
  };
  EXPECT_EQ(said("-2.5"), "accepted");
  EXPECT_TRUE(said("-100").starts_with("p.yaml:2:16: maker_fee_bps: a rebate of 100 bps"))
      << said("-100");
  EXPECT_NE(said("-2.6").find("allowed: -2.5 to 1000"), std::string::npos);
}

}  // namespace
}  // namespace winnow::sweeps::testing
