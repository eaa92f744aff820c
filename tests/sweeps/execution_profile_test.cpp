#include "sweeps/execution_profile.hpp"

#include <gtest/gtest.h>

#include "tests/sweeps/support.hpp"

namespace winnow::sweeps::testing {
namespace {

std::string profile_text(const std::string& name) {
  return read_text(source_dir() / "configs/execution" / (name + ".yaml"));
}

std::string refused(const std::string& yaml) {
  const auto model = parse_execution(yaml, "p.yaml");
  return model ? "accepted" : model.error().text();
}

TEST(ExecutionProfile, ShippedProfilesHaveThePublishedEntryFees) {
  struct Fees {
    const char* name;
    double taker_bps;
    double maker_bps;
    bool funding;
  };
  for (const Fees& f : {Fees{"none", 0, 0, false}, Fees{"binance-spot", 10, 10, false},
                        Fees{"binance-usdm", 5, 2, true}, Fees{"okx-swap", 5, 2, true}}) {
    const auto model = parse_execution(profile_text(f.name), f.name);
    ASSERT_TRUE(model.ok()) << model.error().text();
    EXPECT_EQ(model->name, f.name);
    EXPECT_EQ(model->taker_fee_bps, f.taker_bps) << f.name;
    EXPECT_EQ(model->maker_fee_bps, f.maker_bps) << f.name;
    EXPECT_EQ(model->funding, f.funding) << f.name;
    EXPECT_TRUE(engine::check_execution(*model).ok()) << f.name;
  }
}

TEST(ExecutionProfile, RulesBelongToInstrumentsAndFallBackToDefault) {
  const std::string text = profile_text("binance-usdm");
  const auto btc = parse_execution(text, "p", "BTCUSDT");
  const auto btc_dashed = parse_execution(text, "p", "btc-usdt");
  const auto eth = parse_execution(text, "p", "ETHUSDT");
  const auto other = parse_execution(text, "p", "SIM-BTC");
  ASSERT_TRUE(btc && btc_dashed && eth && other);
  ASSERT_EQ(btc->rules.size(), 3u);
  EXPECT_EQ(btc->rules[1].tick_px, 0.1);
  EXPECT_EQ(btc->rules[2].notional_min, 100);
  EXPECT_EQ(btc->rules[2].from_ns, at("2023-11-01").ns);
  EXPECT_EQ(btc->key(), btc_dashed->key());
  EXPECT_NE(btc->key(), eth->key());
  ASSERT_EQ(other->rules.size(), 1u);
  EXPECT_EQ(other->rules[0].tick_px, 0);
  EXPECT_EQ(other->key(), parse_execution(text, "p")->key());
}

TEST(ExecutionProfile, A14AliasesFindTheRulesAndTheDefaultIsSaid) {
  for (const char* profile : {"binance-usdm", "okx-swap"}) {
    const std::string text = profile_text(profile);
    const auto own = parse_execution(text, "p", "BTCUSDT");
    ASSERT_TRUE(own.ok());
    const auto whole = parse_profile(text, "p");
    ASSERT_TRUE(whole.ok());
    for (const char* alias :
         {"BTC/USDT:USDT", "BTCUSDT.P", "BTCUSDT-PERP", "BTC-USDT-SWAP", "BTC_USDT", "XBTUSDT"}) {
      EXPECT_EQ(whole->model(alias).key(), own->key()) << profile << " " << alias;
      EXPECT_EQ(whole->fallback_note(alias), "") << profile << " " << alias;
    }
    EXPECT_NE(whole->fallback_note("DOGE-USDT-SWAP").find("no rules for DOGE-USDT-SWAP"),
              std::string::npos);
    EXPECT_NE(whole->fallback_note("BTC-USD-SWAP"), "") << "another contract";
  }
}

TEST(ExecutionProfile, SweepGetsOneModelADataset) {
  const auto spec = parse_spec(kSpec, "spec.yaml", catalog());
  ASSERT_TRUE(spec.ok());
  ASSERT_EQ(spec->execution_by_data.size(), 2u);
  EXPECT_EQ(spec->execution_by_data[0].rules[1].tick_px, 0.1);
  EXPECT_EQ(spec->execution_by_data[1].rules[1].tick_px, 0.01);
}

TEST(ExecutionProfile, RefusalsNamePlaceValueAndWhatIsAllowed) {
  EXPECT_EQ(refused("taker_fee_bps: 5\n"),
            "p.yaml:1:1: name: is missing; name the profile, as in name: binance-spot");
  EXPECT_TRUE(refused("name: x\ntaker_fee_pct: 0.1\n")
                  .starts_with("p.yaml:2:1: taker_fee_pct: unknown key, perhaps in another unit; "
                               "write 'taker_fee_bps'; allowed: name, "));
  EXPECT_EQ(refused("name: x\ntaker_fee_bps: -1\n"),
            "p.yaml:2:16: taker_fee_bps: -1 is not a number from 0 to 1000");
  EXPECT_EQ(refused("name: x\nparticipation_max_frac: 5\n"),
            "p.yaml:2:25: participation_max_frac: 5 is not a number from 0 to 1");
  EXPECT_EQ(refused("name: x\nfunding: yes\n"), "p.yaml:2:10: funding: 'yes' is not true or false");
  EXPECT_EQ(refused("name: x\nsizing: fixed\n"),
            "p.yaml:2:9: sizing: 'fixed' is unknown (did you mean 'fixed_qty'?); allowed: all_in, "
            "fixed_qty, exposure, volatility_target, kelly");
  EXPECT_EQ(refused("name: x\nsizing: fixed_qty\n"),
            "p.yaml:1:1: sizing: fixed_qty needs a fixed_qty above 0");
  EXPECT_EQ(refused("name: x\nfixed_qty: 2\n"),
            "p.yaml:2:12: fixed_qty: fixed_qty says nothing under sizing: all_in; remove one of "
            "them");
  EXPECT_EQ(refused("name: x\ninitial_cash: 0\n"), "p.yaml:2:15: initial_cash: 0 is not above 0");
  EXPECT_EQ(refused("name: x\nimpact_bps: .inf\n"),
            "p.yaml:2:13: impact_bps: '.inf' is not finite; a number from 0 to 10000 belongs here");
}

TEST(ExecutionProfile, RulesMustFollowEachOtherInTime) {
  EXPECT_EQ(refused("name: x\nrules:\n  - {from: 2023-01-01, tick_px: 1}\n"
                    "  - {from: 2022-01-01, tick_px: 2}\n"),
            "p.yaml:4:12: rules[1].from: rules must follow each other in time; this one does not "
            "start after the one before it (2023-01-01T00:00:00Z)");
  EXPECT_EQ(refused("name: x\nrules:\n  BTC-USDT: []\n  BTCUSDT: []\n"),
            "p.yaml:4:3: rules.BTCUSDT: this instrument stands twice");
  EXPECT_EQ(refused("name: x\nrules: 5\n"),
            "p.yaml:2:8: rules: '5' where rules belong: a list for every instrument, or a map "
            "from instrument (or default) to a list");
  EXPECT_EQ(refused("name: x\nrules:\n  - {tick: 1}\n"),
            "p.yaml:3:6: rules[0].tick: unknown key, perhaps in another unit; write 'tick_px'; "
            "allowed: from, tick_px, lot_qty, qty_min, notional_min");
}

TEST(ExecutionProfile, BrokenProfileIsRefusedThroughTheSweep) {
  Catalog c = catalog();
  c.execution = [](std::string_view) -> Result<std::string> {
    return std::string("name: x\ntaker_fee: 5\n");
  };
  EXPECT_TRUE(parse_spec(kSpec, "spec.yaml", c)
                  .error()
                  .text()
                  .starts_with("spec.yaml:4:12: execution: the profile is not usable: "
                               "binance-usdm.yaml:2:1: taker_fee: unknown key"));
}

TEST(ExecutionProfile, PathNamesAFile) {
  Catalog c = catalog();
  std::string asked;
  c.execution = [&](std::string_view name) -> Result<std::string> {
    asked = name;
    return std::string("name: mine\ntaker_fee_bps: 7\n");
  };
  const auto spec = parse_spec(with("binance-usdm", "./my profiles/mine.yaml"), "spec.yaml", c);
  ASSERT_TRUE(spec.ok()) << spec.error().text();
  EXPECT_EQ(asked, "./my profiles/mine.yaml");
  EXPECT_EQ(spec->execution.taker_fee_bps, 7);
}

// The key that engine version 1 made of the same numbers.
Hash128 version_1_key(const engine::ExecutionModel& m, double impact_bps) {
  KeyHasher hasher("execution-model-1");
  hasher.add(m.taker_fee_bps).add(m.maker_fee_bps).add(m.half_spread_bps);
  hasher.add(m.half_spread_range_frac).add(impact_bps).add(m.participation_max_frac);
  hasher.add(std::uint64_t{m.funding}).add(static_cast<std::uint64_t>(m.sizing));
  hasher.add(m.fixed_qty).add(m.initial_cash);
  for (const engine::InstrumentRules& r : m.rules) {
    hasher.add(r.from_ns).add(r.tick_px).add(r.lot_qty).add(r.qty_min).add(r.notional_min);
  }
  return hasher.finish();
}

TEST(ExecutionProfile, LedgerKeyIsThatOfVersion1) {
  for (const auto& [name, impact_bps] :
       {std::pair{"none", 0.0}, std::pair{"binance-spot", 10.0}, std::pair{"binance-usdm", 10.0},
        std::pair{"okx-swap", 14.0}}) {
    const auto model = parse_execution(profile_text(name), name, "BTCUSDT");
    ASSERT_TRUE(model.ok()) << model.error().text();
    EXPECT_EQ(model->ledger_key(), version_1_key(*model, impact_bps)) << name;
    EXPECT_NE(model->ledger_key(), model->key()) << name;
  }
  // A profile of version 1: what it did not know is on now, and it is the same trial.
  auto mine = parse_execution("name: mine\ntaker_fee_bps: 5\nimpact_bps: 7\n", "p");
  ASSERT_TRUE(mine.ok());
  EXPECT_TRUE(mine->has_rules());
  EXPECT_EQ(mine->ledger_key(), version_1_key(*mine, 7));
  // A value of one's own is another model.
  mine->stop_range_frac = 0.3;
  EXPECT_NE(mine->ledger_key(), version_1_key(*mine, 7));
}

TEST(ExecutionProfile, EveryRuleHasAKeyThatSwitchesItOff) {
  const auto off = parse_execution(profile_text("none"), "none");
  ASSERT_TRUE(off.ok()) << off.error().text();
  EXPECT_FALSE(off->has_rules());
  for (const engine::ExecutionRule& rule : engine::execution_rules()) {
    EXPECT_NE(profile_text("none").find("\n" + std::string(rule.name) + ": "), std::string::npos)
        << rule.name;
    engine::ExecutionModel changed = *off;
    rule.set(changed, rule.off == 0 ? 1 : 0);
    EXPECT_NE(changed.key(), off->key()) << rule.name;
    EXPECT_TRUE(changed.has_rules()) << rule.name;
  }
  EXPECT_EQ(
      refused("name: x\nimpact_bps: 5\nimpact_y: 1\n"),
      "p.yaml:3:11: impact_y: impact_y and impact_bps exclude each other; remove one of them");
  EXPECT_EQ(refused("name: x\nshort: maybe\n"), "p.yaml:2:8: short: 'maybe' is not true or false");
  EXPECT_EQ(refused("name: x\nleverage_max: 5000\n"),
            "p.yaml:2:15: leverage_max: 5000 is not a number from 0 to 1000");
}

TEST(ExecutionProfile, SizingsSayWhatTheyNeedAndNoMore) {
  const auto model = [](const std::string& text) {
    const auto m = parse_execution("name: x\n" + text, "p.yaml");
    EXPECT_TRUE(m.ok()) << m.error().text();
    return m.ok() ? *m : engine::ExecutionModel{};
  };
  const auto target = model("sizing: volatility_target\nvolatility_target_ann_frac: 0.2\n");
  EXPECT_EQ(target.sizing, engine::Sizing::VolatilityTarget);
  EXPECT_EQ(target.volatility_decay, 0.94);
  EXPECT_EQ(target.days_a_year, 365);
  EXPECT_EQ(target.exposure_max_frac, 1);
  EXPECT_TRUE(target.rebalance);
  EXPECT_EQ(target.rebalance_band_frac, 0.1);
  const auto still = model("sizing: exposure\nexposure_frac: 0.3\nrebalance: false\n");
  EXPECT_FALSE(still.rebalance);
  EXPECT_EQ(model("sizing: kelly\nexposure_frac: 0.1\nkelly_frac: 0.25\n").kelly_frac, 0.25);

  EXPECT_EQ(refused("name: x\nsizing: all_in\nexposure_frac: 0.5\n"),
            "p.yaml:3:16: exposure_frac: exposure_frac says nothing under sizing: all_in; remove "
            "one of them");
  EXPECT_EQ(refused("name: x\nsizing: kelly\nexposure_frac: 0.5\nvolatility_decay: 0.9\n"),
            "p.yaml:4:19: volatility_decay: volatility_decay says nothing under sizing: kelly; "
            "remove one of them");
  EXPECT_EQ(refused("name: x\nperformance_mean_frac: 0.1\n"),
            "p.yaml:2:24: performance_mean_frac: performance_mean_frac says nothing without "
            "performance_scale; remove it");
  EXPECT_EQ(refused("name: x\nsizing: exposure\n"),
            "p.yaml:2:9: sizing: execution model: sizing exposure needs exposure_frac above 0");
  EXPECT_EQ(refused("name: x\nsizing: exposure\nexposure_frac: 2\n"),
            "p.yaml:2:9: sizing: execution model: an exposure of 2 is above leverage_max=1, which "
            "would refuse every entry of that size");
  EXPECT_NE(refused("name: x\nsizing: kely\n").find("kelly"), std::string::npos);
}

TEST(ExecutionProfile, ASizingIsPartOfItsHashAndOfItsTrials) {
  const auto hash_of = [](const std::string& text) {
    const auto p = parse_profile("name: x\n" + text, "p.yaml");
    EXPECT_TRUE(p.ok()) << p.error().text();
    return p.ok() ? profile_hash(*p) : "";
  };
  const std::string plain = hash_of("");
  EXPECT_EQ(hash_of("sizing: all_in\n"), plain);
  const std::string half = hash_of("sizing: exposure\nexposure_frac: 0.5\n");
  EXPECT_NE(half, plain);
  EXPECT_NE(hash_of("sizing: exposure\nexposure_frac: 0.25\n"), half);
  EXPECT_NE(hash_of("sizing: exposure\nexposure_frac: 0.5\nrebalance_band_frac: 0.2\n"), half);
}

}  // namespace
}  // namespace winnow::sweeps::testing
