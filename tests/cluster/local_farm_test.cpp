#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "cluster/process.hpp"
#include "tests/cluster/folder.hpp"

namespace winnow::cluster {
namespace {

TEST(FaultD11, ALogThatCannotBeOpenedIsNamed) {
  const Folder folder;
  const auto log = folder.path / "no-such-folder" / "node-1.log";
  const auto pid = spawn({.argv = {"/bin/true"}, .log = log});
  ASSERT_FALSE(pid.ok());
  EXPECT_NE(pid.error().text().find(log.string()), std::string::npos) << pid.error().text();
  const auto missing = spawn({.argv = {"/no/such/program"}, .log = folder.path / "log"});
  ASSERT_FALSE(missing.ok());
  EXPECT_NE(missing.error().text().find("/no/such/program"), std::string::npos);
}

TEST(FaultD11, OnlyWhatThisRunLoggedIsShownAsItsCause) {
  const Folder folder;
  const auto log = folder.path / "log";
  std::ofstream(log) << "an earlier run: disk full\n";
  const std::uintmax_t from = log_bytes(log);
  EXPECT_EQ(last_lines(log, from), "");
  const auto pid = spawn({.argv = {"/bin/sh", "-c", "echo why; exit 3"}, .log = log});
  ASSERT_TRUE(pid.ok());
  int status = 0;
  ASSERT_EQ(::waitpid(*pid, &status, 0), *pid);
  EXPECT_EQ(last_lines(log, from), "why\n");
  EXPECT_EQ(end_text(status), "status 3");
  EXPECT_NE(end_text(11).find("signal 11"), std::string::npos);
}

}  // namespace
}  // namespace winnow::cluster
