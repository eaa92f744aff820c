// Every family against a small NumPy program of its own (numpy/families.py): trade lists equal,
// equity to 1e-9.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "engine/engine.hpp"
#include "tests/engine/support.hpp"

namespace winnow::engine {
namespace {

namespace fs = std::filesystem;

/// A folder that goes with the test.
class Folder {
 public:
  Folder() {
    std::string name = testing::TempDir() + "winnow-numpy-XXXXXX";
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

struct Case {
  MarketColumns market;
  const FamilyDecl* family = nullptr;
  std::vector<double> params;
  Window window;
};

ExecutionModel plain_costs() {
  ExecutionModel e;
  e.taker_fee_bps = 4;
  e.half_spread_bps = 1.5;
  e.initial_cash = 10'000;
  return e;
}

void write_cases(const fs::path& folder, const std::vector<Case>& cases) {
  nlohmann::json list = nlohmann::json::array();
  std::ofstream bars(folder / "bars.bin", std::ios::binary);
  const auto put = [&](const std::vector<double>& column) {
    bars.write(reinterpret_cast<const char*>(column.data()),
               static_cast<std::streamsize>(column.size() * sizeof(double)));
  };
  const ExecutionModel costs = plain_costs();
  for (const Case& c : cases) {
    list.push_back({{"family", c.family->name},
                    {"params", c.params},
                    {"bars", c.market.size()},
                    {"first", c.window.first},
                    {"last", c.window.last},
                    {"fee", costs.taker_fee_bps / 1e4},
                    {"spread", costs.half_spread_bps / 1e4},
                    {"cash", costs.initial_cash}});
    std::vector<double> ordinal;
    for (const std::int64_t t : c.market.time_ns) {
      ordinal.push_back(static_cast<double>(t / c.market.interval_ns));
    }
    put(ordinal);
    put(c.market.open);
    put(c.market.high);
    put(c.market.low);
    put(c.market.close);
  }
  std::ofstream(folder / "cases.json") << list;
}

std::string output_of(const std::string& command) {
  FILE* pipe = popen(command.c_str(), "r");
  std::string out;
  char buffer[65'536];
  while (const std::size_t n = fread(buffer, 1, sizeof(buffer), pipe)) out.append(buffer, n);
  EXPECT_EQ(pclose(pipe), 0) << command << "\n" << out;
  return out;
}

// Debian's own interpreter: it is the one that Debian's NumPy is made for.
std::string run_python(const fs::path& folder) {
  const fs::path program = fs::path(WINNOW_SOURCE_DIR) / "tests/engine/numpy/families.py";
  return output_of("/usr/bin/python3 " + program.string() + " " + (folder / "cases.json").string() +
                   " " + (folder / "bars.bin").string() + " 2>&1");
}

void expect_close(double got, double want, const char* what) {
  EXPECT_NEAR(got, want, 1e-9 * std::max(std::fabs(want), 1.0)) << what;
}

// The number of trades.
std::size_t compare(const Case& c, std::istream& said) {
  const auto got = run_backtest(c.market.view(), c.window, *c.family, c.params, plain_costs());
  EXPECT_TRUE(got.ok()) << got.error().text();
  std::string word;
  std::size_t count = 0;
  double equity = 0;
  said >> word >> count >> equity;
  EXPECT_EQ(word, "case");
  EXPECT_EQ(got->trades.size(), count);
  for (std::size_t i = 0; i < count; ++i) {
    double entry_bar = 0, exit_bar = 0, side = 0, qty = 0, entry_px = 0, exit_px = 0, pnl = 0;
    said >> entry_bar >> exit_bar >> side >> qty >> entry_px >> exit_px >> pnl;
    if (i >= got->trades.size()) continue;
    const Trade& t = got->trades[i];
    EXPECT_EQ(t.entry_time_ns, c.market.time_ns[static_cast<std::size_t>(entry_bar)]);
    EXPECT_EQ(t.exit_time_ns, c.market.time_ns[static_cast<std::size_t>(exit_bar)]);
    EXPECT_EQ(t.side == Side::Long ? 1 : -1, side);
    expect_close(t.qty, qty, "qty");
    expect_close(t.entry_px, entry_px, "entry_px");
    expect_close(t.exit_px, exit_px, "exit_px");
    EXPECT_NEAR(t.pnl, pnl, 1e-9 * plain_costs().initial_cash);
  }
  expect_close(got->equity.back(), equity, "equity");
  return count;
}

void compare_all(const std::vector<Case>& cases, std::size_t trades_min) {
  const Folder folder;
  write_cases(folder.path(), cases);
  std::istringstream said(run_python(folder.path()));
  std::size_t trades = 0;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    SCOPED_TRACE("case " + std::to_string(i) + " " + std::string(cases[i].family->name));
    trades += compare(cases[i], said);
    if (testing::Test::HasFailure()) return;
  }
  EXPECT_GT(trades, trades_min);
}

TEST(NumPy, SaysTheSameOfFiveHundredRandomMarkets) {
  std::vector<Case> cases;
  for (std::uint64_t seed = 1; cases.size() < 500; ++seed) {
    Rng rng(seed, 21);
    Case c;
    c.market = test::random_market({.seed = seed,
                                    .bars = 350 + rng.below(300),
                                    .gap_share = rng.below(2) ? 0.003 : 0.0,
                                    .jump_share = rng.below(2) ? 0.01 : 0.0});
    c.family = &families()[seed % families().size()];
    c.params = test::random_params(rng, c.family->name);
    c.window = {rng.below(100), c.market.size() - rng.below(50)};
    cases.push_back(std::move(c));
  }
  compare_all(cases, 5'000);
}

// The shared market data where it is at hand: $WINNOW_SHARED, else beside the checkout.
fs::path shared_bars() {
  const char* told = std::getenv("WINNOW_SHARED");
  const fs::path folder =
      told != nullptr ? fs::path(told) : fs::path(WINNOW_SOURCE_DIR).parent_path() / "shared";
  return folder / "data/binance-perp-5m-cyft/BTCUSDT-PERP-5m-futures.csv.gz";
}

TEST(NumPy, SaysTheSameOfRealFiveMinuteBars) {
  const fs::path file = shared_bars();
  if (!fs::exists(file)) GTEST_SKIP() << "no market data beside the project";
  std::istringstream rows(output_of("zcat " + file.string()));
  MarketColumns market;
  market.interval_ns = 5 * test::kMinuteNs;
  std::string line;
  std::getline(rows, line);
  constexpr std::size_t kBars = 12'000;
  while (market.size() < kBars && std::getline(rows, line)) {
    std::replace(line.begin(), line.end(), ',', ' ');
    std::istringstream fields(line);
    std::int64_t ms = 0;
    double open = 0, high = 0, low = 0, close = 0, volume = 0;
    fields >> ms >> open >> high >> low >> close >> volume;
    market.time_ns.push_back(ms * 1'000'000);
    market.open.push_back(open);
    market.high.push_back(high);
    market.low.push_back(low);
    market.close.push_back(close);
    market.volume.push_back(volume);
  }
  ASSERT_EQ(market.size(), kBars);
  std::vector<Case> cases;
  for (const FamilyDecl& family : families()) {
    Rng rng(5, 22);
    std::vector<double> defaults;
    for (const ParamDecl& p : family.params) defaults.push_back(p.default_value);
    cases.push_back({market, &family, defaults, {4'000, kBars}});
    cases.push_back({market, &family, test::random_params(rng, family.name), {4'000, kBars}});
  }
  compare_all(cases, 1'000);
}

}  // namespace
}  // namespace winnow::engine
