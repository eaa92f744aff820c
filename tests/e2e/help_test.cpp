// Every command explains itself, and a slip on the command line gets one clear answer.

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include "tests/e2e/farm.hpp"
#include "tests/e2e/process.hpp"
#include "tests/e2e/tables.hpp"

namespace winnow::e2e {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

struct Help {
  std::vector<std::string> commands;
  std::map<std::string, std::string> options;  // `--home` or a positional's name, and its text
};

/// Reads what `--help` prints: sections, entries indented by two, their text further right, on the
/// same line or the next.
Help parse_help(const std::string& text) {
  Help help;
  std::istringstream lines(text);
  std::string line, section, entry;
  while (std::getline(lines, line)) {
    if (!line.empty() && line[0] != ' ') section = line;
    if (line.size() < 3 || line.substr(0, 2) != "  ") continue;
    std::string words = line.substr(2);
    if (words[0] != ' ') {
      entry = words.substr(0, words.find_first_of(" ,"));
      const std::size_t long_name = words.find("--");
      if (long_name != std::string::npos && words[0] == '-') {
        entry = words.substr(long_name, words.find_first_of(" ,", long_name) - long_name);
      }
      const std::size_t gap = words.find("  ");
      words = gap == std::string::npos ? "" : words.substr(gap);
      if (section == "Subcommands:") help.commands.push_back(entry);
      if (section == "Options:" || section == "Positionals:") help.options[entry];
    }
    const std::size_t at = words.find_first_not_of(' ');
    const bool listed = section == "Options:" || section == "Positionals:";
    if (listed && at != std::string::npos) help.options[entry] += words.substr(at);
  }
  return help;
}

void walk(const fs::path& home, std::vector<std::string> path, std::map<std::string, Help>& found) {
  std::vector<std::string> argv{WINNOW_BINARY_DIR "/winnow"};
  argv.insert(argv.end(), path.begin(), path.end());
  argv.push_back("--help");
  Process process(home, argv);
  std::string name;
  for (const std::string& word : path) name += (name.empty() ? "" : " ") + word;
  ASSERT_EQ(process.wait(60), 0) << name << ": " << process.errors();
  const Help help = parse_help(process.output());
  found[name] = help;
  for (const std::string& command : help.commands) {
    std::vector<std::string> below = path;
    below.push_back(command);
    walk(home, below, found);
  }
}

TEST(Help, EveryCommandListsEveryOptionWithItsMeaning) {
  const TemporaryFolder folder;
  std::map<std::string, Help> found;
  walk(folder.path(), {}, found);
  ASSERT_GT(found.size(), 25u);
  for (const auto& [name, help] : found) {
    SCOPED_TRACE("winnow " + name);
    ASSERT_TRUE(help.options.count("--help"));
    for (const auto& [option, text] : help.options) {
      EXPECT_GE(text.size(), 5u) << option << " is listed without a word on what it does";
    }
    if (!help.commands.empty() || name == "help") continue;
    for (const char* shared : {"--home", "--json", "--quiet"}) {
      EXPECT_TRUE(help.options.count(shared)) << shared;
    }
  }
  // What others rely on.
  const std::map<std::string, std::vector<std::string>> promised = {
      {"demo", {"--quick"}},
      {"data import",
       {"FILE", "--format", "--layout", "--instrument", "--interval", "--name", "--on-fault",
        "--time", "--time-zone", "--volume-unit", "--append", "--replace", "--dry-run"}},
      {"data rename", {"OLD", "NEW"}},
      {"data delete", {"NAME", "--yes"}},
      {"data gaps", {"NAME", "--out"}},
      {"data synth", {"SPEC", "--seed", "--name"}},
      {"data list", {}},
      {"data show", {"NAME"}},
      {"data verify", {"NAME"}},
      {"data export", {"NAME", "--out"}},
      {"strategy list", {}},
      {"strategy show", {"FAMILY"}},
      {"backtest",
       {"--strategy", "--param", "--data", "--execution", "--from", "--to", "--trades",
        "--equity"}},
      {"sweep run", {"spec", "--connect", "--nodes", "--workers", "--detach"}},
      {"sweep list", {"--connect"}},
      {"sweep show", {"id", "--connect"}},
      {"sweep pause", {"id", "--connect"}},
      {"sweep resume", {"id", "--connect"}},
      {"sweep cancel", {"id", "--connect"}},
      {"top", {"ID", "--by", "--where", "--limit", "--csv", "--sqlite", "--connect"}},
      {"converge", {"ID", "--by", "--connect"}},
      {"compare", {"ID", "V", "--connect"}},
      {"explain", {"ID", "V", "--connect"}},
      {"points", {"ID", "V", "--csv", "--limit", "--connect"}},
      {"report", {"ID", "--out", "--connect"}},
      {"up", {"--listen", "--ready-fd"}},
      {"node", {"--join", "--workers", "--trial-seconds", "--trial-memory-mb", "--memory-mb"}},
      {"nodes", {"--connect"}},
      {"verify stats", {}},
      {"config check", {}},
  };
  for (const auto& [name, options] : promised) {
    ASSERT_TRUE(found.count(name)) << name;
    for (const std::string& option : options) {
      EXPECT_TRUE(found.at(name).options.count(option)) << "winnow " << name << " " << option;
    }
  }
}

/// One command line, its exit status, and what its one error must name.
struct Slip {
  std::vector<std::string> args;
  int status;
  std::vector<std::string> named;
};

class BadInput : public ::testing::Test {
 protected:
  fs::path home() const { return folder_.path() / "home"; }
  std::string file(const std::string& name, const std::string& text) const {
    const fs::path path = folder_.path() / name;
    write_text(path, text);
    return path.string();
  }
  void expect(const Slip& slip) const {
    std::string line = "winnow";
    for (const std::string& a : slip.args) line += " " + a;
    SCOPED_TRACE(line);
    const Ran ran = winnow(home(), slip.args);
    EXPECT_EQ(ran.status, slip.status) << ran.errors;
    for (const std::string& word : slip.named) {
      EXPECT_NE(ran.errors.find(word), std::string::npos) << word << " is not in: " << ran.errors;
    }
    std::size_t errors = 0;
    for (std::size_t at = 0; (at = ran.errors.find("error:", at)) != std::string::npos; ++at) {
      ++errors;
    }
    EXPECT_LE(errors, 1u) << ran.errors;
    EXPECT_EQ(ran.output, "") << "a failure wrote to stdout";
  }
  TemporaryFolder folder_;
};

constexpr const char* kGoodSweep = R"(sweep: good
data: [sim-alpha]
execution: binance-usdm
strategies:
  - family: mean_reversion
    params:
      lookback_bars: {int: [12, 96], step: 12}
      entry_z: {float: [1.0, 3.0], step: 0.5}
search: {method: grid}
seed: 7
)";

std::string changed(const std::string& from, const std::string& to) {
  std::string text = kGoodSweep;
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

TEST_F(BadInput, SweepSpecificationsAreRefusedWithFileLineValueAndWhatIsAllowed) {
  make_market(home(), 30);
  const auto bad = [&](const std::string& from, const std::string& to,
                       std::vector<std::string> named) {
    const std::string path = file("bad.yaml", changed(from, to));
    expect({{"sweep", "run", path}, 2, std::move(named)});
  };
  bad("seed: 7", "sede: 7", {"bad.yaml:10:1", "sede", "did you mean 'seed'", "allowed:"});
  bad("lookback_bars", "lookback", {"bad.yaml:7:7", "lookback", "lookback_bars", "allowed:"});
  bad("lookback_bars", "lookback_min", {"bad.yaml:7:7", "lookback_min", "another unit"});
  bad("[12, 96]", "[96, 12]", {"bad.yaml:7:", "96", "12", "[low, high]"});
  bad("[12, 96]", "[1, 96]", {"bad.yaml:7:", "1", "from 2 to 20000 bars"});
  bad("step: 12", "step: 0", {"bad.yaml:7:", "0"});
  bad("[1.0, 3.0]", "[1.0, wide]", {"bad.yaml:8:", "wide", "number"});
  bad("[sim-alpha]", "[sim-alpa]", {"bad.yaml:2:", "sim-alpa", "did you mean 'sim-alpha'"});
  bad("mean_reversion", "mean_reversal", {"bad.yaml:5:", "mean_reversal", "sma_cross"});
  bad("binance-usdm", "binance-usdt", {"bad.yaml:3:", "binance-usdt", "binance-spot"});
  bad("method: grid", "method: grit", {"bad.yaml:9:", "grit", "sobol"});
  bad("seed: 7", "window: {from: 2023-01-20, to: 2023-01-10}", {"bad.yaml:10:", "empty"});
  bad("seed: 7", "window: {from: 2031-01-01, to: 2032-01-01}", {"bad.yaml", "sim-alpha"});
  bad("seed: 7", "window: {holdout: 5 fortnights}", {"bad.yaml:10:", "5 fortnights", "90d"});
  bad("seed: 7", "seed: -7", {"bad.yaml:10:", "-7"});
  bad("sweep: good", "sweep: [", {"bad.yaml:"});
  expect({{"sweep", "run", file("empty.yaml", "")}, 2, {"empty.yaml", "empty"}});
  expect({{"sweep", "run", (folder_.path() / "none.yaml").string()}, 2, {"none.yaml"}});
  expect({{"sweep", "run", folder_.path().string()}, 2, {"folder"}});
  EXPECT_FALSE(fs::exists(home() / "store")) << "a refused sweep left a store behind";
}

TEST_F(BadInput, DataFilesAreRefusedWithFileAndRow) {
  const auto import = [&](const std::string& path, std::vector<std::string> named) {
    expect({{"data", "import", path, "--format", "ohlcv", "--instrument", "X", "--name", "x"},
            2,
            std::move(named)});
  };
  const std::string head = "ts_s,open,high,low,close,volume\n1700000000,1,2,0.5,1.5,10\n";
  import(file("word.csv", head + "1700000300,1,2,0.5,often,10\n"), {"word.csv:3", "often"});
  import(file("nan.csv", head + "1700000300,1,nan,0.5,1,10\n"), {"nan.csv:3", "nan"});
  import(file("short.csv", head + "1700000300,1,2\n"), {"short.csv:3"});
  import(file("low.csv", head + "1700000300,1,0.9,0.5,1.5,10\n1700000600,1,2,0.5,1.5,10\n"),
         {"low.csv:3", "--on-fault repair"});
  import(file("twice.csv", head + "1700000000,1,2,0.5,1.5,11\n1700000300,1,2,0.5,1.5,10\n"),
         {"twice.csv:3", "duplicate_conflicting"});
  import(file("wide.csv", head + "1700000300,1,2,0.5,1,5,10\n"), {"wide.csv:3", "7 columns"});
  import("/dev/zero", {"/dev/zero", "device"});
  import(file("clock.csv", "when,open,high,low,close,volume\n1700000000,1,2,0.5,1.5,10\n"),
         {"clock.csv:1", "--time COLUMN:UNIT"});
  import(file("empty.csv", ""), {"empty.csv"});
  import(file("torn.csv.gz", std::string("\x1f\x8b\x08\0\0\0\0\0\0\x03Kd", 12)), {"torn.csv.gz"});
  import(file("torn.zip", std::string("PK\x03\x04 and nothing more", 20)), {"torn.zip"});
  import((folder_.path() / "none.csv").string(), {"none.csv"});
  const json list = ask(home(), {"data", "list"});
  EXPECT_TRUE(list["datasets"].empty()) << "a refused file left a dataset behind";
}

TEST_F(BadInput, DamagedDatasetIsFoundAndNotUsed) {
  make_market(home(), 30);
  for (const auto& entry : fs::directory_iterator(home() / "data" / "columns")) {
    fs::permissions(entry.path(), fs::perms::owner_write, fs::perm_options::add);
    std::fstream columns(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    columns.seekp(static_cast<std::streamoff>(fs::file_size(entry.path()) / 2));
    columns << "winnowed";
  }
  expect({{"data", "verify", "sim-alpha"}, 1, {"sim-alpha"}});
}

TEST_F(BadInput, CommandsNameTheWrongWordAndTheRightOnes) {
  make_market(home(), 30);
  expect({{"swep", "list"}, 2, {"swep", "did you mean 'sweep'", "allowed:"}});
  expect({{"sweep", "rum"}, 2, {"rum", "did you mean 'run'", "allowed:"}});
  expect({{"top", "--frobnicate"}, 2, {"--frobnicate"}});
  expect({{"top", "--limit", "-1"}, 2, {"--limit", "-1"}});
  expect({{"top", "--limit", "some"}, 2, {"--limit", "some"}});
  expect({{"top", "nothing"}, 2, {"no sweep"}});
  expect({{"report", "last", "--out", "report.doc"}, 2, {"report.doc", ".html"}});
  expect({{"data", "show", "sim-gamma"}, 2, {"sim-gamma", "sim-alpha"}});
  expect({{"strategy", "show", "sma"}, 2, {"sma", "sma_cross"}});
  expect({{"sweep", "list", "--connect", "127.0.0.1"}, 2, {"--connect", "HOST:PORT"}});
  expect({{"node", "--join", "here"}, 2, {"--join", "HOST:PORT"}});
  expect({{"node", "--join", "127.0.0.1:1", "--workers", "0"}, 2, {"--workers", "0"}});
  expect({{"up", "--listen", "192.0.2.1:0"}, 3, {"192.0.2.1", "127.0.0.1", "winnow cluster init"}});
  expect({{"nodes"}, 1, {"no coordinator", "winnow up"}});
  expect({{"sweep", "pause", "last"}, 1, {"no coordinator"}});
  const auto backtest = [&](std::vector<std::string> more, std::vector<std::string> named) {
    std::vector<std::string> args{"backtest", "--strategy", "sma_cross", "--data", "sim-alpha"};
    if (more[0] != "--execution") args.insert(args.end(), {"--execution", "none"});
    args.insert(args.end(), more.begin(), more.end());
    expect({args, 2, std::move(named)});
  };
  backtest({"--param", "fast=3"}, {"fast", "did you mean 'fast_bars'"});
  backtest({"--param", "fast_bars=2.5"}, {"fast_bars", "2.5", "whole"});
  backtest({"--param", "fast_bars=many"}, {"fast_bars", "many"});
  backtest({"--param", "fast_bars=50", "--param", "slow_bars=20"}, {"50", "20", "below"});
  backtest({"--param", "fast_bars=5", "--param", "fast_bars=6"}, {"fast_bars", "twice"});
  backtest({"--execution", "free"}, {"free"});
  backtest({"--set", "taker_fee=5"}, {"taker_fee", "taker_fee_bps"});
  backtest({"--set", "taker_fee_bps=-5"}, {"taker_fee_bps", "-5"});
  backtest({"--from", "2030-01-01"}, {"2030-01-01", "2023-01-01T00:00:00Z"});
  backtest({"--from", "soon"}, {"--from", "soon"});
}

TEST_F(BadInput, CoordinatorThatDoesNotAnswerIsNamed) {
  // Port 1 is nobody's on loopback.
  expect({{"top", "--connect", "127.0.0.1:1"}, 1, {"127.0.0.1:1"}});
}

TEST_F(BadInput, JsonCallersGetTheErrorAsJsonToo) {
  const Ran ran = winnow(home(), {"data", "show", "nothing", "--json"});
  EXPECT_EQ(ran.status, 2);
  EXPECT_NE(json_of(ran).value("error", "").find("nothing"), std::string::npos) << ran.output;
  EXPECT_NE(ran.errors.find("nothing"), std::string::npos);
}

}  // namespace
}  // namespace winnow::e2e
