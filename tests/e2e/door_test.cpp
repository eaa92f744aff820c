// A farm over TLS with real processes: who gets in, and what the others can do.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <random>

#include "tests/e2e/door_farm.hpp"

namespace winnow::e2e {
namespace {

namespace fs = std::filesystem;

TEST_F(DoorFarm, FinishesASweepForThoseWithAnIdentityAndNobodyElse) {
  make_market(home, 60);
  const auto node = start_node("node-1");
  ASSERT_TRUE(eventually(20, [&] { return nodes() == 1; })) << node->errors();
  const fs::path spec = folder.path() / "sweep.yaml";
  write_text(spec,
             "sweep: behind-a-door\ndata: [sim-alpha]\nexecution: binance-usdm\n"
             "strategies:\n  - family: mean_reversion\n"
             "    params:\n      lookback_bars: {int: [12, 72], step: 12}\n"
             "      entry_z: {float: [1.0, 2.0], step: 0.25}\nsearch: {method: grid}\nseed: 1\n");
  const fs::path user = folder.path() / "user-home";
  const Ran refused = winnow(user, {"nodes", "--connect", where()});
  EXPECT_NE(refused.status, 0);
  const Ran ran = winnow(
      user, {"sweep", "run", spec, "--connect", where(), "--identity", file("user"), "--quiet"});
  EXPECT_EQ(ran.status, 0) << ran.errors;
  const auto list = ask(home, {"sweep", "list"});
  ASSERT_EQ(list["sweeps"].size(), 1u);
  EXPECT_EQ(list["sweeps"][0]["state"], "done");
  node->send(SIGTERM);
  EXPECT_EQ(node->wait(30), 0);
}

TEST_F(DoorFarm, ARevokedNodeIsCutAndStaysOut) {
  const auto node = start_node("node-1");
  ASSERT_TRUE(eventually(20, [&] { return nodes() == 1; }));
  ASSERT_EQ(winnow(home, {"cluster", "revoke", "node-1"}).status, 0);
  EXPECT_TRUE(eventually(30, [&] { return nodes() == 0; }));
  EXPECT_TRUE(up->running());
  EXPECT_TRUE(node->running());
}

TEST_F(DoorFarm, ThousandsOfHostileConnectionsLeaveNoTrace) {
  const auto node = start_node("node-1");
  ASSERT_TRUE(eventually(20, [&] { return nodes() == 1; }));
  // Those of the client that just asked may be among them; 3,000 are not.
  const std::ptrdiff_t at_start = descriptors(up->pid());
  std::string killer(32, '\0');
  killer[0] = 1;
  for (unsigned seed = 1; seed <= 3000; ++seed) {
    std::mt19937 rng(seed);
    std::string bytes = seed % 3 == 0 ? killer : std::string(rng() % 900, '\0');
    if (seed % 3 != 0) {
      for (char& c : bytes) c = static_cast<char>(rng());
    }
    if (seed % 3 == 1) bytes.insert(0, std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc", 9));
    const int fd = connect_to(port);
    ASSERT_GE(fd, 0) << "seed " << seed;
    static_cast<void>(::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL));
    ::close(fd);
    if (seed % 1000 == 0) {
      EXPECT_TRUE(eventually(30, [&] { return nodes() == 1; })) << "seed " << seed;
    }
  }
  EXPECT_TRUE(eventually(30, [&] { return nodes() == 1; }));
  EXPECT_TRUE(up->running());
  EXPECT_TRUE(eventually(30, [&] { return descriptors(up->pid()) <= at_start; }))
      << descriptors(up->pid()) << " descriptors, " << at_start << " before";
}

TEST_F(DoorFarm, SilentConnectionsCostNoProcessorAndAreDropped) {
  const double before = cpu_s(up->pid());
  const auto start = std::chrono::steady_clock::now();
  std::vector<int> silent;
  for (int i = 0; i < 50; ++i) silent.push_back(connect_to(port));
  // Each is closed by the door; meanwhile a spinning thread would use all of the time.
  for (const int fd : silent) {
    timeval patience{.tv_sec = 30, .tv_usec = 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    char byte = 0;
    EXPECT_LE(::recv(fd, &byte, 1, 0), 0);
    EXPECT_NE(errno, EAGAIN) << "not dropped in 30 s";
    errno = 0;
    ::close(fd);
  }
  const std::chrono::duration<double> waited = std::chrono::steady_clock::now() - start;
  EXPECT_GT(waited.count(), 2.0) << "dropped before the handshake's time was over";
  EXPECT_LT(cpu_s(up->pid()) - before, 0.5 * waited.count());
}

TEST(DoorCommand, OtherAddressesThanLoopbackNeedAnAuthority) {
  const TemporaryFolder folder;
  const Ran ran = winnow(folder.path(), {"up", "--listen", "0.0.0.0:0"}, 20);
  EXPECT_EQ(ran.status, 3);
  EXPECT_NE(ran.errors.find("winnow cluster init"), std::string::npos) << ran.errors;
}

TEST(DoorCommand, AnInvitationIsGivenOnceAndListed) {
  const TemporaryFolder folder;
  const fs::path out = folder.path() / "n.identity";
  EXPECT_EQ(winnow(folder.path(), {"cluster", "list"}).status, 2);
  ASSERT_EQ(winnow(folder.path(), {"cluster", "init"}).status, 0);
  EXPECT_EQ(winnow(folder.path(), {"cluster", "init"}).status, 3);
  ASSERT_EQ(winnow(folder.path(), {"cluster", "invite", "n", "--out", out}).status, 0);
  EXPECT_EQ(fs::status(out).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(winnow(folder.path(), {"cluster", "invite", "n", "--out", out.string() + "2"}).status,
            3);
  EXPECT_EQ(winnow(folder.path(), {"cluster", "rotate", "n", "--out", out}).status, 0);
  const auto list = ask(folder.path(), {"cluster", "list"});
  ASSERT_EQ(list.size(), 3u);  // the coordinator's own, the first, the renewed
  EXPECT_EQ(list[2]["state"], "valid");
  EXPECT_EQ(winnow(folder.path(), {"cluster", "revoke", "nobody"}).status, 2);
}

}  // namespace
}  // namespace winnow::e2e
