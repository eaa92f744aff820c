// A disk that is full, under a farm of real processes: it waits, says so, loses nothing, and goes
// on when there is room.

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>

#include "tests/e2e/farm.hpp"
#include "tests/e2e/process.hpp"
#include "tests/e2e/small_disk.hpp"
#include "tests/e2e/tables.hpp"

namespace winnow::e2e {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// About 40 MB of results.
const std::string kDiskSweep = grid_sweep(
    "full-disk",
    {"lookback_bars: {int: [12, 96], step: 2}", "entry_z: {float: [1.0, 3.0], step: 0.1}",
     "exit_z: {values: [0, 0.25, 0.5]}", "stop_bps: {values: [0, 100, 200, 300]}"});

fs::path make_disk_home(const TemporaryFolder& folder, const std::string& name) {
  const fs::path home = folder.path() / name;
  make_market(home, 60);
  write_text(home / "sweep.yaml", kDiskSweep);
  return home;
}

TEST(FullDisk, SweepWaitsSaysSoAndFinishesWhenThereIsRoom) {
  const TemporaryFolder folder;
  const fs::path home = make_disk_home(folder, "small");
  SmallDisk disk(home / "store", 12);
  if (disk.error() == EPERM || disk.error() == EACCES) {
    GTEST_SKIP() << "mounting a file system is not permitted here";
  }
  ASSERT_EQ(disk.error(), 0) << std::strerror(disk.error());

  Process run(home, winnow_argv(home, {"sweep", "run", (home / "sweep.yaml").string(), "--nodes",
                                       "2", "--workers", "1", "--json"}));
  const auto log = [&] { return read_text(home / "logs" / "coordinator.log"); };
  ASSERT_TRUE(eventually(60, [&] {
    return log().find("refuses commits") != std::string::npos || !run.running();
  })) << log();
  ASSERT_TRUE(run.running()) << run.errors();
  EXPECT_NE(log().find("the disk is full"), std::string::npos) << log();
  const Ran during = winnow(home, {"sweep", "show", "full-disk", "--json"});
  EXPECT_EQ(during.status, 0) << during.errors;
  const json part = json_of(during);
  EXPECT_LT(part["trials_committed"], part["trials"]);

  // It also survives a kill of the coordinator in that state.
  ASSERT_TRUE(disk.resize(400));
  ASSERT_EQ(run.wait(200), 0) << run.errors() << log();
  const json done = json::parse(run.output());
  EXPECT_EQ(done["state"], "done");
  EXPECT_EQ(done["blocks_quarantined"], 0);
  EXPECT_EQ(done["trials_committed"], done["trials"]);

  const fs::path quiet = make_disk_home(folder, "quiet");
  const Ran reference = winnow(quiet, {"sweep", "run", (quiet / "sweep.yaml").string()}, 200);
  ASSERT_EQ(reference.status, 0) << reference.errors;
  EXPECT_TRUE(leaderboard(home) == leaderboard(quiet)) << "a full disk left a trace in the results";
  EXPECT_EQ(ledger(home), ledger(quiet));
  EXPECT_EQ(winnow(home, {"store", "verify"}).status, 0);
}

}  // namespace
}  // namespace winnow::e2e
