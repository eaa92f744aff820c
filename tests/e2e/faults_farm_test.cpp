// What users, disks, signals and other processes do to a farm of real processes: faults seen in
// use, one test a kind.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/e2e/farm.hpp"
#include "tests/e2e/process.hpp"
#include "tests/e2e/small_disk.hpp"
#include "tests/e2e/tables.hpp"

namespace winnow::e2e {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// `execution` as the whole line that says it.
std::string spec_with(const std::string& name, const std::string& execution) {
  return "sweep: " + name + "\ndata: [sim-alpha]\n" + execution +
         "\nstrategies:\n  - family: mean_reversion\n"
         "    params: {entry_z: {values: [1, 2]}}\nsearch: {method: grid}\n";
}

/// More work than any test waits for.
std::string long_sweep(const std::string& name) { return random_sweep(name, 200'000, 1); }

class FarmFaults : public ::testing::Test {
 protected:
  FarmFaults() : home_(folder_.path() / "home") {}
  fs::path write(const std::string& name, const std::string& text) const {
    fs::create_directories((folder_.path() / name).parent_path());
    write_text(folder_.path() / name, text);
    return folder_.path() / name;
  }
  fs::path note() const { return home_ / "run" / "coordinator.json"; }
  /// A run of `sweep` that has results.
  std::unique_ptr<Process> begin(const std::string& sweep, const std::string& yaml) {
    const fs::path spec = write(sweep + ".yaml", yaml);
    auto run = std::make_unique<Process>(
        folder_.path(),
        winnow_argv(home_, {"sweep", "run", spec.string(), "--nodes", "1", "--workers", "1"}));
    EXPECT_TRUE(eventually(60, [&] { return descendants(run->pid()).size() == 2; }));
    return run;
  }

  TemporaryFolder folder_;
  fs::path home_;
};

// ---- D1, D10: what a specification names

TEST_F(FarmFaults, D1EveryWayToNameAProfileFileMeansTheFileBesideTheSpecification) {
  make_market(home_, 20);
  write("a/mine.yaml", "name: dear\ntaker_fee_bps: 77\nsizing: all_in\ninitial_cash: 100000\n");
  Coordinator farm(home_);
  ASSERT_NE(farm.port(), 0);
  std::set<std::string> ids;
  for (const std::string& line :
       {std::string("execution: ./mine.yaml"), std::string("execution : ./mine.yaml"),
        std::string("\"execution\": ./mine.yaml"), std::string("execution:\n  './mine.yaml'")}) {
    const fs::path spec = write("a/spec.yaml", spec_with("same", line));
    const Ran checked = winnow(home_, {"config", "check", spec.string(), "--json"});
    ASSERT_EQ(checked.status, 0) << line << checked.output << checked.errors;
    ids.insert(json_of(checked)["files"][0]["sweep_id"].get<std::string>());
    const Ran run = winnow(home_, {"sweep", "run", spec.string(), "--detach", "--json"});
    ASSERT_EQ(run.status, 0) << line << run.errors;
    ids.insert(json_of(run)["sweep"].get<std::string>());
  }
  EXPECT_EQ(ids.size(), 1u) << "check and run, however it is written: one sweep";
}

TEST_F(FarmFaults, D1NothingButFilesIsReadAndNoMoreThanIsNeeded) {
  make_market(home_, 20);
  const fs::path fifo = folder_.path() / "fifo.yaml";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  const fs::path huge = write("huge.yaml", std::string(3u << 20, '#'));
  for (const std::string& named : {std::string("/dev/zero"), folder_.path().string() + "/",
                                   fifo.string(), huge.string(), std::string("/dev/full")}) {
    const fs::path spec = write("spec.yaml", spec_with("x", "execution: " + named));
    for (const char* command : {"check", "run"}) {
      const bool check = std::strcmp(command, "check") == 0;
      const Ran ran = winnow(home_, {check ? "config" : "sweep", command, spec.string()}, 20);
      EXPECT_EQ(ran.status, 2) << named << ran.output << ran.errors;
      EXPECT_NE(ran.errors.find("spec.yaml"), std::string::npos) << ran.errors;
    }
    EXPECT_EQ(
        winnow(home_, {"backtest", "mean_reversion", "--data", "sim-alpha", "--execution", named},
               20)
            .status,
        2)
        << named;
  }
  EXPECT_EQ(winnow(home_, {"sweep", "run", "/dev/zero"}, 20).status, 2);
}

TEST_F(FarmFaults, D10CheckAndRunRefuseTheSameBudgets) {
  make_market(home_, 20);
  ASSERT_EQ(winnow(home_, {"ledger", "budget", "set", "--user", "ann", "--trials", "1"}).status, 0);
  const fs::path spec = write("spec.yaml", spec_with("two", "execution: none"));
  const std::string token = read_text(token_of(home_, "ann"));
  ::setenv("WINNOW_TOKEN", token.c_str(), 1);
  const Ran checked = winnow(home_, {"config", "check", spec.string()});
  const Ran run = winnow(home_, {"sweep", "run", spec.string()});
  ::unsetenv("WINNOW_TOKEN");
  EXPECT_NE(checked.status, 0) << checked.output;
  EXPECT_NE(run.status, 0) << run.output;
  EXPECT_EQ(checked.errors, run.errors);
  EXPECT_NE(checked.errors.find("budget"), std::string::npos) << checked.errors;
  EXPECT_FALSE(fs::exists(home_ / "logs" / "coordinator.log")) << "no farm for what cannot run";
}

// ---- D6: the note of a coordinator

TEST_F(FarmFaults, D6ANoteIsBelievedOnlyWhenItsCoordinatorAnswers) {
  make_market(home_, 20);
  const fs::path other = folder_.path() / "other";
  make_market(other, 20);
  Coordinator elsewhere(other);
  ASSERT_NE(elsewhere.port(), 0);
  const std::string mine = std::to_string(::getpid());  // alive, and no coordinator
  fs::create_directories(note().parent_path());
  int n = 0;
  for (const std::string& text :
       {std::string("{\"endpoint\": \"127.0.0.1:1\", \"pid\": " + mine + "}"),
        std::string("{\"endpoint\": \"127.0.0.1:1\", \"instance\": \"x\", \"pid\": " + mine + "}"),
        std::string("{\"endpoint\": \"" + elsewhere.endpoint() +
                    "\", \"instance\": \"x\", \"pid\": " + mine + "}"),
        std::string("{\"endpoint\": 7, \"pid\": []}"), std::string("\xff\x00{{{", 5),
        std::string("{\"endpoint\": \"nowhere\", \"instance\": \"x\", \"pid\": 1}"),
        std::string()}) {
    write_text(note(), text);
    const fs::path spec =
        write("spec.yaml", spec_with("note" + std::to_string(++n), "execution: none"));
    const Ran run = winnow(home_, {"sweep", "run", spec.string(), "--nodes", "1"});
    EXPECT_EQ(run.status, 0) << text << "\n" << run.errors;
    EXPECT_NE(run.errors.find(note().string()), std::string::npos) << run.errors;
    write_text(note(), text);
    EXPECT_EQ(winnow(home_, {"nodes"}).status, 1) << text;
  }
  EXPECT_TRUE(elsewhere.process().running());
}

TEST_F(FarmFaults, D6ACoordinatorThatServesTheHomeIsFound) {
  make_market(home_, 20);
  Coordinator farm(home_);
  ASSERT_NE(farm.port(), 0);
  const Ran nodes = winnow(home_, {"nodes"});
  EXPECT_EQ(nodes.status, 0) << nodes.errors;
  EXPECT_EQ(nodes.errors, "");
  farm.process().send(SIGTERM);
  EXPECT_EQ(farm.process().wait(30), 0);
  EXPECT_FALSE(fs::exists(note()));
}

// ---- D7, F10: signals and owners

TEST_F(FarmFaults, D7HangupEndsAsTerminationDoes) {
  make_market(home_, 20);
  for (const int signal : {SIGHUP, SIGTERM, SIGINT}) {
    Coordinator farm(home_);
    ASSERT_NE(farm.port(), 0);
    ASSERT_TRUE(fs::exists(note()));
    farm.process().send(signal);
    EXPECT_EQ(farm.process().wait(30), 0) << signal;
    EXPECT_FALSE(fs::exists(note())) << signal;
  }
  auto run = begin("hangup", long_sweep("hangup"));
  const std::vector<pid_t> children = descendants(run->pid());
  run->send(SIGHUP);
  EXPECT_EQ(run->wait(60), 130);
  EXPECT_NE(run->errors().find("goes on from there"), std::string::npos) << run->errors();
  for (const pid_t child : children) EXPECT_NE(::kill(child, 0), 0) << child;
}

TEST_F(FarmFaults, D7ClosedDescriptorsAreNoFilesOfTheStore) {
  make_market(home_, 20);
  const fs::path spec = write("spec.yaml", spec_with("closed", "execution: none"));
  std::string command = "exec";
  for (const std::string& word : winnow_argv(home_, {"up", "--listen", "127.0.0.1:0"})) {
    command += " '" + word + "'";
  }
  Process farm(folder_.path(), {"/bin/sh", "-c", command + " <&- >&- 2>&-"});
  ASSERT_TRUE(eventually(30, [&] { return fs::exists(note()); }));
  const fs::path fds = fs::path("/proc") / std::to_string(farm.pid()) / "fd";
  for (const char* fd : {"0", "1", "2"}) {
    EXPECT_EQ(fs::read_symlink(fds / fd), "/dev/null") << fd;
  }
  farm.send(SIGTERM);
  EXPECT_EQ(farm.wait(30), 1) << "what it says on a closed output has not arrived (D4)";
  EXPECT_EQ(winnow(home_, {"store", "verify"}).status, 0);
}

TEST_F(FarmFaults, F10ChildrenEndWithAKilledOwner) {
  make_market(home_, 20);
  auto run = begin("orphans", long_sweep("orphans"));
  const std::vector<pid_t> children = descendants(run->pid());
  ASSERT_EQ(children.size(), 2u);
  run->send(SIGKILL);
  EXPECT_EQ(run->wait(10), 128 + SIGKILL);
  const auto gone = [](pid_t pid) {
    std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
    std::string line;
    std::getline(stat, line);
    return line.empty() || line.find(") Z ") != std::string::npos;
  };
  // A second, and what two loaded cores add to it; it was 20 s.
  EXPECT_TRUE(eventually(6, [&] { return std::all_of(children.begin(), children.end(), gone); }));
}

TEST_F(FarmFaults, F10WhatAKilledBackupLeftIsRemovedByTheNextRun) {
  make_market(home_, 20);
  const fs::path spec = write("spec.yaml", spec_with("backed", "execution: none"));
  ASSERT_EQ(winnow(home_, {"sweep", "run", spec.string()}).status, 0);
  ASSERT_EQ(winnow(home_, {"store", "backup", "whole"}).status, 0);
  const fs::path half = home_ / "backups" / "20260101T000000Z.making";
  for (const bool by_backup : {true, false}) {
    fs::create_directories(half);
    write_text(half / "CURRENT", "MANIFEST-000001\n");
    if (by_backup) {
      ASSERT_EQ(winnow(home_, {"store", "backup", "next"}).status, 0);
    } else {
      Coordinator farm(home_);
      ASSERT_NE(farm.port(), 0);
    }
    EXPECT_FALSE(fs::exists(half));
    EXPECT_TRUE(fs::exists(home_ / "backups" / "whole" / "CURRENT"));
  }
  EXPECT_EQ(winnow(home_, {"store", "backup", "my.making"}).status, 2);
}

TEST_F(FarmFaults, F10ASignalInTheFirstMomentsEndsInOrder) {
  make_market(home_, 20);
  const fs::path spec = write("early.yaml", long_sweep("early"));
  for (int i = 0; i < 6; ++i) {
    Process run(folder_.path(), winnow_argv(home_, {"sweep", "run", spec.string()}));
    // As soon as it is another program than ours: its signals are held from main's first line on.
    ASSERT_TRUE(eventually(10, [&] {
      std::ifstream status("/proc/" + std::to_string(run.pid()) + "/status");
      std::string text((std::istreambuf_iterator<char>(status)), {});
      const auto at = text.find("SigBlk:");
      const auto caught = text.find("SigCgt:");
      return text.find("Name:\twinnow") != text.npos && at != text.npos &&
             (text.substr(at + 8, 16) != std::string(16, '0') ||
              (caught != text.npos && (text.at(caught + 23) & 2) != 0));
    }));
    run.send(SIGINT);
    EXPECT_EQ(run.wait(60), 130);
    EXPECT_EQ(run.errors().find("terminate"), std::string::npos) << run.errors();
    EXPECT_NE(run.errors().find("interrupted"), std::string::npos) << i << run.errors();
  }
}

// ---- F3, F8: what is no fault of the trials

TEST_F(FarmFaults, F3ASweepWaitsForDamagedDataSaysSoAndGoesOnWhenTheyAreWhole) {
  make_market(home_, 20);
  const std::string hash = ask(home_, {"data", "show", "sim-alpha"})["content_hash"];
  const fs::path columns = home_ / "data" / "columns" / (hash + ".cols");
  const fs::path kept = folder_.path() / "kept.cols";
  fs::copy_file(columns, kept);
  const auto bytes = fs::file_size(columns);
  fs::resize_file(columns, bytes / 2);
  const fs::path spec = write("spec.yaml", spec_with("waits", "execution: none"));
  Process run(folder_.path(),
              winnow_argv(home_, {"sweep", "run", spec.string(), "--nodes", "1", "--json"}));
  ASSERT_TRUE(eventually(60, [&] {
    return run.errors().find("waiting for dataset sim-alpha") != std::string::npos ||
           !run.running();
  })) << run.errors();
  ASSERT_TRUE(run.running()) << run.errors() << run.output();
  EXPECT_NE(run.errors().find(hash), std::string::npos) << run.errors();
  fs::copy_file(kept, columns, fs::copy_options::overwrite_existing);
  ASSERT_EQ(run.wait(90), 0) << run.errors();
  EXPECT_EQ(json::parse(run.output())["blocks_quarantined"], 0) << run.output();
  EXPECT_EQ(ask(home_, {"sweep", "show", "waits"}).value("trials_failed", 0), 0);
  const fs::path quiet = folder_.path() / "quiet";
  make_market(quiet, 20);
  ASSERT_EQ(winnow(quiet, {"sweep", "run", spec.string()}).status, 0);
  EXPECT_EQ(leaderboard(home_), leaderboard(quiet));
}

TEST_F(FarmFaults, F8AFullDiskIsSaidOnTheTerminalOnceAndTheSweepGoesOnByItself) {
  make_market(home_, 60);
  SmallDisk disk(home_ / "store", 12);
  if (disk.error() == EPERM || disk.error() == EACCES) {
    GTEST_SKIP() << "mounting a file system is not permitted here";
  }
  ASSERT_EQ(disk.error(), 0) << std::strerror(disk.error());
  const fs::path spec =
      write("full.yaml", grid_sweep("full", {"lookback_bars: {int: [12, 96], step: 2}",
                                             "entry_z: {float: [1.0, 3.0], step: 0.1}",
                                             "exit_z: {values: [0, 0.25, 0.5]}",
                                             "stop_bps: {values: [0, 100, 200, 300]}"}));
  Process run(folder_.path(), winnow_argv(home_, {"sweep", "run", spec.string(), "--nodes", "1"}));
  const std::string full = "the disk is full";
  ASSERT_TRUE(eventually(
      90, [&] { return run.errors().find(full) != std::string::npos || !run.running(); }));
  ASSERT_TRUE(run.running()) << run.errors();
  const fs::path log = home_ / "logs" / "coordinator.log";
  const auto log_bytes = fs::file_size(log);
  // For a while it only waits: no more words, neither on the terminal nor in the log.
  EXPECT_FALSE(eventually(3, [&] { return fs::file_size(log) > log_bytes + 4096; }));
  EXPECT_EQ(run.errors().find(full), run.errors().rfind(full)) << run.errors();
  ASSERT_TRUE(disk.resize(400));
  EXPECT_EQ(run.wait(240), 0) << run.errors();
  EXPECT_NE(run.errors().find("full goes on"), std::string::npos) << run.errors();
}

}  // namespace
}  // namespace winnow::e2e
