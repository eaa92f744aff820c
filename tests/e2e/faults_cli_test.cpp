// What users found wrong at the command line, by the row of the list of faults.

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>

#include "tests/e2e/door_farm.hpp"
#include "tests/e2e/farm.hpp"
#include "tests/e2e/process.hpp"

namespace winnow::e2e {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// Status of a command whose stdout is a device that takes nothing.
int status_on_full(const fs::path& home, const std::string& words, const std::string& where = "1") {
  Process process(home, {"/bin/sh", "-c",
                         "exec " WINNOW_BINARY_DIR "/winnow " + words + " --home '" +
                             home.string() + "' " + where + "> /dev/full"});
  return process.wait(60);
}

TEST(FaultD4, WhatCannotBeWrittenIsNoSuccess) {
  const TemporaryFolder folder;
  const fs::path& home = folder.path();
  make_market(home, 30);
  for (const char* const words :
       {"data list", "data show sim-alpha --json", "strategy list", "strategy show sma_cross",
        "sweep list", "sweep list --json",
        "backtest --strategy sma_cross --data sim-alpha --execution none --json"}) {
    EXPECT_EQ(status_on_full(home, words), 1) << words;
    EXPECT_EQ(winnow(home, {"data", "list"}).status, 0);
  }
  EXPECT_EQ(status_on_full(home, "--help"), 1);
  for (const char* const option : {"--trades", "--equity"}) {
    const Ran ran = winnow(home, {"backtest", "--strategy", "sma_cross", "--data", "sim-alpha",
                                  "--execution", "none", option, "/dev/full"});
    EXPECT_EQ(ran.status, 1) << option;
    EXPECT_NE(ran.errors.find("/dev/full"), std::string::npos) << ran.errors;
  }
}

TEST(FaultF4, BytesThatAreNoTextEndInASentence) {
  const TemporaryFolder folder;
  const fs::path& home = folder.path();
  make_market(home, 30);
  const std::string half = "half\xc3";
  const std::string bad = "\xff\xfe";
  const std::vector<std::vector<std::string>> commands = {
      {"data", "show", half},
      {"data", "synth", bad, "--seed", "1", "--name", "x"},
      {"strategy", "show", bad},
      {"backtest", "--strategy", half, "--data", "x"},
      {"backtest", "--strategy", "sma_cross", "--data", "sim-alpha", "--execution", bad},
      {"backtest", "--strategy", "sma_cross", "--data", "sim-alpha", "--param", bad},
      {"backtest", "--strategy", "sma_cross", "--data", "sim-alpha", "--from", half, "--execution",
       "none"},
      {"sweep", "run", half + ".yaml"},
      {"top", half},
      {"config", "check", bad},
      {"cluster", "invite", bad, "--out", "x"},
      {half},
      {"top", "--" + half}};
  for (std::vector<std::string> words : commands) {
    for (const bool as_json : {true, false}) {
      if (as_json) words.emplace_back("--json");
      const Ran ran = winnow(home, words);
      EXPECT_TRUE(ran.status == 1 || ran.status == 2) << words[0] << ": " << ran.status;
      EXPECT_NE(ran.errors + ran.output, "") << words[0];
      if (as_json) {
        EXPECT_TRUE(json::accept(ran.output)) << words[0] << ": " << ran.output;
        words.pop_back();
      }
    }
  }
}

TEST(FaultA12, ABacktestWithoutAProfileTakesThatOfItsInstrumentOrIsRefused) {
  const TemporaryFolder folder;
  const fs::path& home = folder.path();
  make_market(home, 30);
  const std::vector<std::string> words = {"backtest", "--strategy", "sma_cross",
                                          "--data",   "sim-alpha",  "--json"};
  const Ran refused = winnow(home, words);
  EXPECT_EQ(refused.status, 2);
  EXPECT_NE(refused.errors.find("binance-usdm"), std::string::npos) << refused.errors;
  const std::string instrument = ask(home, {"data", "show", "sim-alpha"})["instrument"];
  fs::create_directories(home / "configs");
  write_text(home / "configs" / "instruments.yaml", "\"" + instrument + "\": binance-usdm\n");
  const Ran ran = winnow(home, words);
  ASSERT_EQ(ran.status, 0) << ran.errors;
  EXPECT_NE(ran.errors.find("execution binance-usdm"), std::string::npos) << ran.errors;
  const json answer = json_of(ran);
  EXPECT_EQ(answer["execution"], "binance-usdm");
  // A13: what the profile wants and the data lack.
  ASSERT_EQ(answer["warnings"].size(), 1u);
  EXPECT_NE(answer["warnings"][0].get<std::string>().find("no funding history"), std::string::npos);
}

// Every trial wants more memory than it gets.
TEST(FaultD2, ASweepWithoutAResultIsNoSuccess) {
  const TemporaryFolder folder;
  const fs::path& home = folder.path();
  make_market(home, 30);
  const fs::path spec = folder.path() / "fail.yaml";
  write_text(spec, grid_sweep("fail", {"entry_z: {values: [1, 2, 3]}"}) +
                       "limits: {trial_memory_mb: 0.01}\n");
  const Ran ran = winnow(home, {"sweep", "run", spec, "--workers", "2", "--json"});
  EXPECT_EQ(ran.status, 1) << ran.errors;
  const json summary = json_of({0, ran.output, ran.errors});
  EXPECT_EQ(summary["trials_failed"], summary["trials"]);
  EXPECT_EQ(summary["sweep_id"], summary["sweep"]);
  EXPECT_EQ(ask(home, {"sweep", "list"})["sweeps"][0]["trials_failed"], summary["trials"]);
  EXPECT_EQ(ask(home, {"sweep", "show", "last"})["trials_failed"], summary["trials"]);
  const Ran again = winnow(home, {"sweep", "run", spec, "--workers", "2"});
  EXPECT_EQ(again.status, 1);
  EXPECT_NE(again.output.find("which is all"), std::string::npos) << again.output;
}

TEST(FaultD5, AReportGoesThroughALinkAndIntoAPipe) {
  const TemporaryFolder folder;
  const fs::path& home = folder.path();
  make_market(home, 30);
  const fs::path spec = folder.path() / "one.yaml";
  write_text(spec, grid_sweep("one", {"entry_z: {values: [1, 2]}"}));
  ASSERT_EQ(winnow(home, {"sweep", "run", spec, "--workers", "2"}).status, 0);
  fs::create_symlink("real.html", home / "link.html");
  ASSERT_EQ(winnow(home, {"report", "one", "--out", home / "link.html"}).status, 0);
  EXPECT_TRUE(fs::is_symlink(home / "link.html"));
  EXPECT_GT(fs::file_size(home / "real.html"), 1000u);
  fs::create_symlink("/dev/full", home / "full.html");
  EXPECT_EQ(winnow(home, {"report", "one", "--out", home / "full.html"}).status, 1);
  EXPECT_TRUE(fs::is_character_file("/dev/full"));
  EXPECT_EQ(status_on_full(home, "top one --csv"), 1);
  EXPECT_EQ(status_on_full(home, "converge one"), 1);
}

TEST(FaultD8, TheFarmOfASweepRunIsThereForEveryCommand) {
  const TemporaryFolder folder;
  const fs::path& home = folder.path();
  make_market(home, 200);
  const fs::path big = folder.path() / "big.yaml";
  write_text(big, random_sweep("big", 2'000'000, 1));
  const fs::path small = folder.path() / "small.yaml";
  write_text(small, random_sweep("small", 64, 2));
  Process run(home, winnow_argv(home, {"sweep", "run", big, "--workers", "1"}));
  ASSERT_TRUE(eventually(60, [&] {
    return winnow(home, {"nodes", "--json"}).status == 0 &&
           !ask(home, {"sweep", "list"})["sweeps"].empty();
  })) << run.errors();
  EXPECT_EQ(winnow(home, {"store", "backup", "now"}).status, 0);
  EXPECT_EQ(winnow(home, {"sweep", "pause", "big"}).status, 0);
  const Ran joined = winnow(home, {"sweep", "run", small});
  EXPECT_EQ(joined.status, 0) << joined.errors;
  EXPECT_NE(joined.errors.find("already serves"), std::string::npos) << joined.errors;
  EXPECT_EQ(ask(home, {"sweep", "show", "last"})["sweep_name"], "small");
  EXPECT_EQ(winnow(home, {"sweep", "cancel", "big"}).status, 0);
  EXPECT_EQ(run.wait(60), 130) << run.errors();
}

TEST(FaultD8, TheCommandThatAHintNamesWorksWhereNoFarmRuns) {
  const TemporaryFolder folder;
  const fs::path& home = folder.path();
  make_market(home, 30);
  const fs::path spec = folder.path() / "some.yaml";
  std::string yaml = random_sweep("some", 512, 1);
  const auto budget = yaml.find("budget: ");
  ASSERT_NE(budget, std::string::npos);
  yaml.replace(budget, yaml.find('\n', budget) - budget, "budget: {trials: 256}");
  write_text(spec, yaml);
  const Ran spent = winnow(home, {"sweep", "run", spec, "--workers", "1"});
  ASSERT_EQ(spent.status, 0) << spent.errors;
  EXPECT_NE(spent.errors.find("winnow sweep extend"), std::string::npos) << spent.errors;
  const Ran extended = winnow(home, {"sweep", "extend", "some", "--budget", "1000"});
  EXPECT_EQ(extended.status, 0) << extended.errors;
  const json shown = ask(home, {"sweep", "show", "some"});
  EXPECT_EQ(shown["state"], "done");
  EXPECT_EQ(shown["trials_committed"], 512);
}

TEST_F(DoorFarm, F11AClientWithoutAnIdentityIsToldOfTheDoor) {
  const Ran ran = winnow(folder.path() / "user", {"nodes", "--connect", where()}, 20);
  EXPECT_EQ(ran.status, 3) << ran.errors;
  EXPECT_NE(ran.errors.find("is a door"), std::string::npos) << ran.errors;
  EXPECT_NE(ran.errors.find("--identity"), std::string::npos) << ran.errors;
}

}  // namespace
}  // namespace winnow::e2e
