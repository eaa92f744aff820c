#include "cli/market_spec.hpp"

#include "support.hpp"

namespace winnow::cli {
namespace {

using store::test::must;
using store::test::TempDir;

constexpr char kSmall[] =
    "market: m\n"
    "start: 2024-02-01\n"
    "interval: 5m\n"
    "duration: 2d\n"
    "steps_per_bar: 4\n"
    "instruments:\n"
    "  - name: sim-a\n"
    "    start_px: 50\n"
    "    volatility_ann_frac: 0.4\n"
    "    volume_curve: flat\n"
    "    edge: {kind: trend, half_life: 6h, sharpe_ann: 2}\n"
    "  - name: b\n"
    "    pair: {with: sim-a, hedge_ratio: 0.5}\n";

TEST(MarketSpecFile, ReadsEveryPart) {
  const auto spec = must(parse_market_spec(kSmall, "m.yaml"));
  EXPECT_EQ(spec.bars, 576u);
  EXPECT_EQ(spec.interval, seconds(300));
  ASSERT_EQ(spec.instruments.size(), 2u);
  EXPECT_EQ(spec.instruments[0].regimes[0].volatility_ann_frac, 0.4);
  EXPECT_EQ(spec.instruments[0].edge.kind, engine::synth::EdgeKind::Trend);
  EXPECT_EQ(spec.instruments[0].volume_curve, engine::synth::flat_curve());
  EXPECT_EQ(spec.instruments[1].pair->hedge_ratio, 0.5);
}

TEST(MarketSpecFile, FilesInConfigsAreValid) {
  for (const auto& entry : std::filesystem::directory_iterator(
           std::filesystem::path(WINNOW_SOURCE_DIR) / "configs/markets")) {
    const auto spec =
        parse_market_spec(store::test::read_file(entry.path()), entry.path().string());
    EXPECT_TRUE(spec.ok()) << store::test::error_of(spec);
  }
}

struct BadSpec {
  const char* from;
  const char* to;
  const char* error;
};

TEST(MarketSpecFile, ErrorsNamePlaceValueAndWhatIsAllowed) {
  const BadSpec cases[] = {
      {"interval: 5m", "intervall: 5m",
       "m.yaml:3:1: unknown key 'intervall'; the nearest is 'interval'"},
      {"interval: 5m", "interval: five",
       "m.yaml:3:11: interval: 'five' is not allowed; a duration"},
      {"interval: 5m", "interval: 2d", "m.yaml:3:11: interval: 2d is not allowed; 1s to 1d is"},
      {"start_px: 50", "start_px: fifty", "m.yaml:8:15: instruments[0].start_px: 'fifty'"},
      {"start_px: 50", "start_px: -1", "m.yaml:8:15: instruments[0].start_px: -1 is not allowed"},
      {"start_px: 50", "start_px: nan", "m.yaml:8:15: instruments[0].start_px: nan is not allowed"},
      {"start_px: 50", "start_px: 50\n    start_px: 51",
       "m.yaml:9:5: instruments[0]: key 'start_px' is given twice"},
      {"frac: 0.4", "frac: 9",
       "m.yaml:9:26: instruments[0].regimes[0].volatility_ann_frac: 9 is not"},
      {"curve: flat", "curve: [1, 2]",
       "m.yaml:10:19: instruments[0].volume_curve: flat, crypto, or 24"},
      {"kind: trend", "kind: up",
       "m.yaml:11:18: instruments[0].edge.kind: 'up' is not allowed; none, mean_"},
      {"sharpe_ann: 2", "sharpe_ann: 99",
       "instruments[0].edge.sharpe_ann: 99 is not allowed; 0.01 to 20 is"},
      {"with: sim-a", "with: c",
       "m.yaml:13:18: instruments[1].pair.with: 'c' is not an instrument listed"},
      {"duration: 2d", "duration: 2d\nbars: 7",
       "m.yaml:4:11: duration: give either bars or duration"},
      {"duration: 2d", "bars: -7", "m.yaml:4:7: bars: '-7' is not allowed; a whole number"},
      {"name: b", "name: sim-a",
       "m.yaml:12:11: instruments[1].name: 'sim-a' names two instruments"},
      {"market: m", "market: [", "not YAML"},
  };
  for (const BadSpec& c : cases) {
    std::string yaml = kSmall;
    yaml.replace(yaml.find(c.from), std::string(c.from).size(), c.to);
    const std::string text = store::test::error_of(parse_market_spec(yaml, "m.yaml"));
    EXPECT_NE(text.find(c.error), std::string::npos) << text << "\nexpected: " << c.error;
  }
  EXPECT_FALSE(parse_market_spec("", "m.yaml").ok());
  EXPECT_FALSE(parse_market_spec("- 1\n", "m.yaml").ok());
  EXPECT_FALSE(parse_market_spec("market: m\n", "m.yaml").ok());
}

TEST(SynthDatasets, StoresEachInstrumentWithItsTruthAndTheSameSeedIsTheSameData) {
  TempDir dir;
  store::test::write_file(dir / "m.yaml", kSmall);
  const auto datasets = must(store::DatasetStore::open(dir / "data"));
  const SynthRequest request{dir / "m.yaml", 7, "sim", store::test::kNow};
  const auto made = must(synth_datasets(datasets, request));
  ASSERT_EQ(made.size(), 2u);
  EXPECT_EQ(datasets.names(), (std::vector<std::string>{"sim-a", "sim-b"}));
  const auto loaded = must(datasets.load("sim-a"));
  EXPECT_EQ(loaded.manifest().instrument, "sim-a");
  EXPECT_NE(loaded.manifest().truth_json.find("\"kind\":\"trend\""), std::string::npos);
  EXPECT_EQ(loaded.view().size(), 576u);
  EXPECT_EQ(store::test::error_of(datasets.verify("sim-b")), "");
  for (const auto& again : must(synth_datasets(datasets, request))) {
    EXPECT_EQ(again.kind, store::PutKind::Unchanged);
  }
  auto other = request;
  other.seed = 8;
  EXPECT_EQ(must(synth_datasets(datasets, other))[0].kind, store::PutKind::NewVersion);
  other.spec_file = dir / "none.yaml";
  EXPECT_FALSE(synth_datasets(datasets, other).ok());
}

}  // namespace
}  // namespace winnow::cli
