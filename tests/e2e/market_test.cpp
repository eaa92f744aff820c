// A market is one, in whatever form it is imported: its trials are counted together and its seal
// holds for all of it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#include "tests/e2e/farm.hpp"
#include "tests/e2e/process.hpp"

namespace winnow::e2e {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kRefusedStatus = 3;

/// Lines of an exported dataset: ts_ms,open,high,low,close,volume.
struct BarLine {
  std::int64_t ts_ms = 0;
  double open = 0, high = 0, low = 0, close = 0, volume = 0;
};

std::vector<BarLine> read_bars(const fs::path& file) {
  std::vector<BarLine> out;
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  for (BarLine b; std::getline(in, line);) {
    char comma = 0;
    std::istringstream(line) >> b.ts_ms >> comma >> b.open >> comma >> b.high >> comma >> b.low >>
        comma >> b.close >> comma >> b.volume;
    out.push_back(b);
  }
  return out;
}

void write_bars(const fs::path& file, const std::vector<BarLine>& bars) {
  std::ostringstream out;
  out.precision(17);
  out << "ts_ms,open,high,low,close,volume\n";
  for (const BarLine& b : bars) {
    out << b.ts_ms << ',' << b.open << ',' << b.high << ',' << b.low << ',' << b.close << ','
        << b.volume << '\n';
  }
  write_text(file, out.str());
}

std::vector<BarLine> by_hours(const std::vector<BarLine>& quarters) {
  std::vector<BarLine> out;
  for (std::size_t i = 0; i + 4 <= quarters.size(); i += 4) {
    BarLine b = quarters[i];
    for (std::size_t k = i + 1; k < i + 4; ++k) {
      b.high = std::max(b.high, quarters[k].high);
      b.low = std::min(b.low, quarters[k].low);
      b.close = quarters[k].close;
      b.volume += quarters[k].volume;
    }
    out.push_back(b);
  }
  return out;
}

class MarketJourney : public ::testing::Test {
 protected:
  json asked(std::vector<std::string> args) {
    args.push_back("--json");
    return ask(home_, std::move(args));
  }
  std::string run_sweep(const std::string& name, const std::string& yaml) {
    const fs::path file = home_ / (name + ".yaml");
    write_text(file, yaml);
    const Ran ran = winnow(home_, {"sweep", "run", file.string(), "--json", "--quiet"});
    EXPECT_EQ(ran.status, 0) << ran.errors;
    return name;
  }
  /// The one variant alone, on a dataset.
  std::string one_variant(const std::string& name, const std::string& data, const json& params) {
    std::string yaml = "sweep: " + name + "\ndata: [" + data +
                       "]\nexecution: binance-usdm\nstrategies:\n  - family: mean_reversion\n"
                       "    params:\n";
    for (const auto& [key, value] : params.items()) {
      yaml += "      " + key + ": " + value.dump() + "\n";
    }
    return run_sweep(name, yaml + "search: {method: grid}\nseed: 1\n");
  }
  json import_as(const std::string& name, const std::vector<BarLine>& bars,
                 std::vector<std::string> more = {}) {
    return json_of(imported(name, bars, std::move(more)));
  }
  Ran imported(const std::string& name, const std::vector<BarLine>& bars,
               std::vector<std::string> more = {}) {
    const fs::path file = home_ / (name + ".csv");
    write_bars(file, bars);
    std::vector<std::string> args{"data",      "import", file.string(), "--instrument",
                                  "X-" + name, "--name", name,          "--json"};
    args.insert(args.end(), more.begin(), more.end());
    return winnow(home_, args);
  }

  TemporaryFolder folder_;
  fs::path home_ = folder_.path() / "home";
};

TEST_F(MarketJourney, E4AnotherVersionOfTheDataDoesNotEmptyTheLedger) {
  constexpr int kWide = 400;
  make_market(home_, 150);
  run_sweep("wide", random_sweep("wide", kWide, 3));
  const json best = asked({"top", "wide", "--by", "sharpe_ann", "--limit", "1"})["rows"][0];
  one_variant("same-bytes", "sim-alpha", best["params"]);
  const json same = asked({"top", "same-bytes"});
  EXPECT_EQ(same["noise"][0]["ledger_trials"], kWide);
  const double dsr = same["rows"][0]["metrics"]["dsr"];

  const fs::path exported = home_ / "exported.csv";
  ASSERT_EQ(winnow(home_, {"data", "export", "sim-alpha", "--out", exported.string()}).status, 0);
  const std::vector<BarLine> bars = read_bars(exported);
  std::vector<BarLine> moved = bars;
  moved[5'000].close = std::min(moved[5'000].close + 0.01, moved[5'000].high);
  const std::vector<BarLine> shorter(bars.begin() + 1, bars.end());
  int n = kWide;
  for (const auto& [name, again] :
       {std::pair{"tick-moved", moved}, {"bar-less", shorter}, {"hourly", by_hours(bars)}}) {
    const json done = import_as(name, again);
    EXPECT_TRUE(done["market"]["known"]) << done["market"];
    one_variant(std::string("on-") + name, name, best["params"]);
    const json top = asked({"top", std::string("on-") + name});
    EXPECT_EQ(top["noise"][0]["ledger_trials"], ++n) << name;
    if (std::string(name) != "hourly") {
      const double later = top["rows"][0]["metrics"]["dsr"];
      EXPECT_NEAR(later, dsr, 0.05) << name;
    }
    const json family = asked({"converge", std::string("on-") + name})["families"][0];
    EXPECT_EQ(family["ledger_trials"], n);
  }
  const json ledger = asked({"ledger", "show"});
  ASSERT_EQ(ledger["lines"].size(), 1u);
  EXPECT_EQ(ledger["lines"][0]["datasets"].size(), 4u);
  EXPECT_EQ(ledger["lines"][0]["trials"], n);
  const Ran words = winnow(home_, {"ledger", "show"});
  EXPECT_NE(words.output.find("+3"), std::string::npos) << words.output;
  EXPECT_NE(words.output.find("common days moved alike"), std::string::npos) << words.output;

  // What is deleted is counted on.
  ASSERT_EQ(winnow(home_, {"data", "delete", "sim-alpha", "--yes"}).status, 0);
  EXPECT_EQ(asked({"top", "on-hourly"})["noise"][0]["ledger_trials"], n);
  const json shown = asked({"data", "show", "hourly"});
  EXPECT_EQ(shown["market_datasets"], 4);
  bool gone = false;
  for (const json& other : shown["same_market"]) {
    gone |= other["name"] == "sim-alpha" && other["gone"] == true;
    EXPECT_EQ(other["overlap"]["by"], "days");
    EXPECT_GE(other["overlap"]["agreed_frac"], 0.98);
  }
  EXPECT_TRUE(gone) << shown["same_market"];
}

TEST_F(MarketJourney, TheSealIsPutDownOnceAndHoldsForEveryForm) {
  make_market(home_, 400);
  const fs::path exported = home_ / "exported.csv";
  ASSERT_EQ(winnow(home_, {"data", "export", "sim-alpha", "--out", exported.string()}).status, 0);
  EXPECT_TRUE(asked({"data", "seal", "show", "sim-alpha"})["sealed_from"].is_null());
  ASSERT_EQ(winnow(home_, {"data", "delete", "sim-alpha", "--yes"}).status, 0);
  std::vector<BarLine> bars = by_hours(read_bars(exported));
  // Another path, so that nothing of it was here: backwards in price.
  for (BarLine& b : bars) {
    b = {b.ts_ms, 1e6 / b.open, 1e6 / b.low, 1e6 / b.high, 1e6 / b.close, b.volume};
  }
  const Ran first = imported("mine", bars);
  ASSERT_EQ(first.status, 0) << first.errors;
  EXPECT_EQ(json_of(first)["market"]["sealed_from"], "2023-06-10");
  for (const char* bad : {"", "1.5", "soon"}) {
    const Ran refused = imported("other", bars, {"--seal", bad});
    EXPECT_EQ(refused.status, 2) << bad;
    EXPECT_NE(refused.errors.find("--seal: '" + std::string(bad) + "'"), std::string::npos)
        << refused.errors;
  }
  const std::vector<BarLine> cut(bars.begin() + 1, bars.end());
  const Ran lifted = imported("cut", cut, {"--seal", "none"});
  EXPECT_EQ(lifted.status, kRefusedStatus);
  EXPECT_NE(lifted.errors.find("from 2023-06-10 on are sealed"), std::string::npos)
      << lifted.errors;
  EXPECT_EQ(import_as("cut", cut)["market"]["sealed_from"], "2023-06-10");
  const json earlier =
      import_as("earlier", {bars.begin() + 5, bars.end()}, {"--seal", "2023-05-01"});
  EXPECT_TRUE(earlier["market"]["sealed_now"]);

  const json seal = asked({"data", "seal", "show", "mine"});
  EXPECT_EQ(seal["sealed_from"], "2023-05-01");
  EXPECT_EQ(seal["days"], 400);
  EXPECT_EQ(seal["days_sealed"], 280);
  ASSERT_EQ(seal["decisions"].size(), 2u);
  EXPECT_EQ(seal["decisions"][0]["asked"], "usual");
  EXPECT_EQ(seal["decisions"][1]["asked"], "2023-05-01");
  EXPECT_FALSE(seal["decisions"][0]["by"].get<std::string>().empty());
  const json catalogue = asked({"data", "list"});
  ASSERT_FALSE(catalogue["datasets"].empty());
  for (const json& listed : catalogue["datasets"]) {
    const bool mine = listed["name"] != "sim-beta";
    EXPECT_EQ(listed["sealed_from"], mine ? json("2023-05-01") : json());
    EXPECT_EQ(listed["market"] == seal["market"], mine);
  }
  const Ran words = winnow(home_, {"data", "seal", "show", "cut"});
  EXPECT_NE(words.output.find("sealed"), std::string::npos) << words.output;
  EXPECT_EQ(winnow(home_, {"data", "seal", "show", "nobody"}).status, 2);

  const Ran synth = winnow(home_, {"data", "synth", (home_ / "market.yaml").string(), "--seed",
                                   "12", "--name", "sealed", "--seal", "0.25", "--json"});
  const json synthesis = json_of(synth);
  ASSERT_FALSE(synthesis["datasets"].empty());
  for (const json& made : synthesis["datasets"]) {
    EXPECT_EQ(made["market"]["sealed_from"], "2023-10-28") << made["market"];
  }
}

}  // namespace
}  // namespace winnow::e2e
