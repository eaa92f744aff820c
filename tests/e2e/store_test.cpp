// The operator's side of the store: copies while a farm runs, damage that is found, a copy put
// back.

#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>

#include "tests/e2e/farm.hpp"
#include "tests/e2e/process.hpp"
#include "tests/e2e/tables.hpp"

namespace winnow::e2e {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const std::string kStoreSweep = grid_sweep(
    "kept", {"lookback_bars: {int: [12, 96], step: 4}", "entry_z: {float: [1.0, 3.0], step: 0.5}"});

class StoreCommands : public ::testing::Test {
 protected:
  void SetUp() override {
    make_market(home(), 30);
    write_text(home() / "sweep.yaml", kStoreSweep);
    const Ran ran = winnow(home(), {"sweep", "run", (home() / "sweep.yaml").string()});
    ASSERT_EQ(ran.status, 0) << ran.errors;
    results_ = leaderboard(home());
    ASSERT_GT(results_.size(), 10'000u);
  }
  fs::path home() const { return folder_.path() / "home"; }
  /// Flips one bit in the middle of the largest table of the store.
  fs::path damage() const {
    fs::path largest;
    for (const auto& file : fs::directory_iterator(home() / "store")) {
      if (file.path().extension() != ".sst") continue;
      if (largest.empty() || file.file_size() > fs::file_size(largest)) largest = file.path();
    }
    if (largest.empty()) return largest;
    std::fstream bytes(largest, std::ios::in | std::ios::out | std::ios::binary);
    const auto at = static_cast<std::streamoff>(fs::file_size(largest) / 3);
    bytes.seekg(at);
    const int byte = bytes.get();
    bytes.seekp(at);
    bytes.put(static_cast<char>(byte ^ 0x10));
    return largest;
  }
  TemporaryFolder folder_;
  std::string results_;
};

TEST_F(StoreCommands, BackupRestoresWhatADamagedStoreLost) {
  const json copy = ask(home(), {"store", "backup", "monday"});
  EXPECT_TRUE(fs::exists(fs::path(copy["backup"].get<std::string>()) / "CURRENT"));
  const Ran twice = winnow(home(), {"store", "backup", "monday"});
  EXPECT_EQ(twice.status, 2) << "a backup was overwritten";
  EXPECT_NE(twice.errors.find("monday"), std::string::npos);
  EXPECT_EQ(winnow(home(), {"store", "backup", "../monday"}).status, 2);

  EXPECT_EQ(ask(home(), {"store", "verify"})["ok"], true);
  const json compacted = ask(home(), {"store", "compact"});
  EXPECT_GT(compacted["bytes_after"], 0);
  EXPECT_TRUE(leaderboard(home()) == results_) << "compaction changed an answer";

  const fs::path damaged = damage();
  ASSERT_FALSE(damaged.empty());
  const Ran found = winnow(home(), {"store", "verify"});
  EXPECT_EQ(found.status, 1) << "a flipped bit in " << damaged << " was not found";
  EXPECT_NE(found.errors.find(damaged.filename().string()), std::string::npos) << found.errors;

  EXPECT_EQ(winnow(home(), {"store", "restore", "tuesday"}).status, 2);
  const json restored = ask(home(), {"store", "restore", "monday"});
  EXPECT_TRUE(fs::exists(fs::path(restored["moved_to"].get<std::string>()) / damaged.filename()))
      << "the damaged store was not kept";
  EXPECT_EQ(ask(home(), {"store", "verify"})["ok"], true);
  EXPECT_TRUE(leaderboard(home()) == results_);
  EXPECT_TRUE(fs::exists(copy["backup"].get<std::string>())) << "the backup was used up";
}

TEST_F(StoreCommands, RunningCoordinatorMakesTheBackup) {
  Coordinator farm(home());
  ASSERT_NE(farm.port(), 0) << farm.process().errors();
  const json found = ask(home(), {"store", "backup"});  // the one of the home
  const json named = ask(home(), {"store", "backup", "named", "--connect", farm.endpoint()});
  EXPECT_NE(found["backup"], named["backup"]);
  EXPECT_EQ(winnow(home(), {"store", "backup", "a/b", "--connect", farm.endpoint()}).status, 2);
  EXPECT_EQ(ask(home(), {"store", "verify"})["ok"], true) << "beside the coordinator";
  for (const char* needs_it_alone : {"compact", "restore"}) {
    std::vector<std::string> args{"store", needs_it_alone};
    if (args[1] == "restore") args.push_back("named");
    const Ran held = winnow(home(), args);
    EXPECT_EQ(held.status, 1) << held.errors;
    EXPECT_NE(held.errors.find("process " + std::to_string(farm.process().pid())),
              std::string::npos)
        << held.errors;
  }
  farm.process().send(SIGTERM);
  ASSERT_EQ(farm.process().wait(30), 0);
  EXPECT_EQ(ask(home(), {"store", "restore", "named"})["backup"], named["backup"]);
  EXPECT_TRUE(leaderboard(home()) == results_);
}

}  // namespace
}  // namespace winnow::e2e
