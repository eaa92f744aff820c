// Peers who have a valid identity, or are on this machine, and mean harm: whatever they say, the
// farm's other work goes on and comes out the same.

#include <openssl/ssl.h>
#include <signal.h>

#include <array>
#include <cstring>

#include "base/rng.hpp"
#include "cluster/authority.hpp"
#include "tests/e2e/door_farm.hpp"
#include "tests/e2e/hostile.hpp"

namespace winnow::e2e {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kHeaderBytes = 32;
constexpr std::uint64_t kMemoryMax = std::uint64_t{400} << 20;

/// Where the frames of a recorded session begin, its end included.
std::vector<std::size_t> frames_of(const std::string& session) {
  std::vector<std::size_t> starts;
  for (std::size_t at = 0; at + kHeaderBytes <= session.size();) {
    starts.push_back(at);
    std::uint32_t payload = 0;
    for (std::size_t i = 4; i < 8; ++i) {
      payload = payload << 8 | static_cast<unsigned char>(session[at + i]);
    }
    at += kHeaderBytes + payload;
  }
  starts.push_back(session.size());
  return starts;
}

/// The session as one who means harm would say it.
std::string mutated(const std::string& session, std::uint64_t seed) {
  Rng rng(seed);
  std::string out = session;
  const auto starts = frames_of(session);
  switch (rng.below(7)) {
    case 0:  // as it was: a replay
      break;
    case 1:  // bits flip anywhere
      for (std::uint64_t n = 1 + rng.below(8); n > 0; --n) {
        out[rng.below(out.size())] ^= static_cast<char>(1u << rng.below(8));
      }
      break;
    case 2:  // a number in a body: enormous, negative, not a number
    case 3: {
      const std::array<std::uint64_t, 6> numbers{1ull << 60, ~0ull,      1ull << 63,
                                                 1ull << 32, 0xffffffff, 0x7ff8000000000000};
      const std::uint64_t value = numbers[rng.below(numbers.size())];
      const std::size_t frame = rng.below(starts.size() - 1);
      const std::size_t size = starts[frame + 1] - starts[frame];
      if (size < kHeaderBytes + 80) break;
      const std::size_t at =
          starts[frame] + kHeaderBytes + 40 + rng.below(size - kHeaderBytes - 48);
      std::memcpy(out.data() + at, &value, sizeof value);
      break;
    }
    case 4: {  // frames in another order
      std::string shuffled = session.substr(0, starts[1]);
      for (std::size_t i = 1; i + 1 < starts.size(); ++i) {
        const std::size_t frame = 1 + rng.below(starts.size() - 2);
        shuffled += session.substr(starts[frame], starts[frame + 1] - starts[frame]);
      }
      out = shuffled;
      break;
    }
    case 5:  // cut off
      out.resize(rng.below(out.size()));
      break;
    default:  // garbage in the middle
      for (std::uint64_t n = rng.below(200), at = rng.below(out.size()); n > 0; --n, ++at) {
        if (at < out.size()) out[at] = static_cast<char>(rng.below(256));
      }
  }
  return out;
}

struct Hostile : DoorFarm {
  void SetUp() override {
    DoorFarm::SetUp();
    if (!HasFatalFailure()) make_market(home, 60);
  }
  std::string spec(const std::string& name, int samples, int seed) const {
    const fs::path file = folder.path() / (name + ".yaml");
    write_text(file, random_sweep(name, samples, seed));
    return file;
  }
  /// What a node says that joins and works, recorded on the coordinator's own port.
  std::string record_a_node() {
    Recorder recorder(inner_port());
    const fs::path place = folder.path() / "recorded";
    Process node(
        place, winnow_argv(place, {"node", "--join", "127.0.0.1:" + std::to_string(recorder.port()),
                                   "--workers", "1"}));
    const Ran ran = ask_as("user", {"sweep", "run", spec("recorded", 300, 4), "--quiet"});
    EXPECT_EQ(ran.status, 0) << ran.errors << node.errors();
    node.send(SIGKILL);
    node.wait(10);
    std::string said = recorder.stop();
    EXPECT_TRUE(eventually(30, [&] { return nodes() == 0; })) << "it is counted though it is gone";
    return said;
  }
  std::unique_ptr<Process> submit(const std::string& file) {
    return std::make_unique<Process>(
        folder.path() / "submit",
        winnow_argv(folder.path() / "user-home", {"sweep", "run", file, "--quiet", "--connect",
                                                  where(), "--identity", this->file("user")}));
  }
  /// The same sweep where nobody disturbs.
  std::string quiet_leaderboard(const std::string& file) {
    const fs::path quiet = folder.path() / "quiet";
    make_market(quiet, 60);
    const Ran ran = winnow(quiet, {"sweep", "run", file, "--quiet"});
    EXPECT_EQ(ran.status, 0) << ran.errors;
    return leaderboard(quiet);
  }
};

TEST_F(Hostile, SessionsReplayedAndMutatedChangeNothing) {
  constexpr std::uint64_t kSessions = 1200;  // through the door, and as many without it
  const std::string session = record_a_node();
  ASSERT_GT(frames_of(session).size(), 12u);
  const auto node = start_node("node-1");
  ASSERT_TRUE(eventually(30, [&] { return nodes() == 1; })) << node->errors();
  const std::uint64_t memory = resident_bytes(up->pid());

  const std::string work = spec("disturbed", 6000, 9);
  const auto client = submit(work);
  std::uint64_t highest = 0;
  for (std::uint64_t seed = 1; seed <= kSessions; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    for (const bool through_the_door : {true, false}) {
      RawPeer::Options options;
      if (through_the_door) options.identity = file("node-1");
      const RawPeer peer(through_the_door ? port : inner_port(), options);
      ASSERT_TRUE(peer.connected()) << up->errors();
      const std::string bytes = mutated(session, 2 * seed + (through_the_door ? 1 : 0));
      // In two parts, so that the coordinator is in the middle of something.
      peer.send(bytes.substr(0, bytes.size() / 2));
      if (seed % 8 == 0) peer.receive(20);
      peer.send(bytes.substr(bytes.size() / 2));
      if (seed % 4 == 0) peer.receive(20);
    }
    if (seed % 100 == 0) {
      ASSERT_TRUE(up->running()) << up->errors();
      highest = std::max(highest, resident_bytes(up->pid()));
    }
  }
  EXPECT_EQ(client->wait(180), 0) << client->errors() << up->errors();
  EXPECT_EQ(leaderboard(home), quiet_leaderboard(work));
  EXPECT_TRUE(eventually(30, [&] { return nodes() == 1; }));
  EXPECT_LT(highest, memory + kMemoryMax);
  RecordProperty("resident_mib_before", static_cast<int>(memory >> 20));
  RecordProperty("resident_mib_highest", static_cast<int>(highest >> 20));
  node->send(SIGTERM);
  EXPECT_EQ(node->wait(30), 0);
}

TEST_F(Hostile, SlowAndDeafPeersAreCutOffAndHoldNobodyUp) {
  const std::string session = record_a_node();
  const auto starts = frames_of(session);
  const auto node = start_node("node-1");
  ASSERT_TRUE(eventually(30, [&] { return nodes() == 1; })) << node->errors();
  const std::uint64_t memory = resident_bytes(up->pid());

  const RawPeer slow(port, {.identity = file("node-1")});
  const RawPeer slow_inside(inner_port(), {});
  const RawPeer silent(inner_port(), {});
  const RawPeer deaf(inner_port(), {});
  ASSERT_TRUE(slow.connected() && deaf.connected());
  // The handshake as it should be, and the rest a byte at a time.
  for (const RawPeer* peer : {&slow, &slow_inside}) peer->send(session.substr(0, starts[1]));
  deaf.send(session.substr(0, starts[5]));
  const std::string hello = session.substr(starts[4], starts[5] - starts[4]);

  const auto client = submit(spec("undisturbed", 3000, 10));
  bool open = true;
  for (std::size_t i = 0; i < 60 && open; ++i) {
    slow.send(session.substr(starts[1] + i, 1));
    slow_inside.send(session.substr(starts[1] + i, 1));
    // Each asks for an answer that is never read.
    for (int k = 0; k < 100; ++k) {
      if (!deaf.send(hello)) break;
    }
    open = !slow.closed_within(1) && !slow_inside.closed_within(0);
  }
  EXPECT_TRUE(silent.closed_within(20));
  EXPECT_TRUE(slow_inside.closed_within(60));
  EXPECT_TRUE(slow.closed_within(60));
  EXPECT_EQ(client->wait(120), 0) << client->errors();
  EXPECT_LT(resident_bytes(up->pid()), memory + kMemoryMax);
  EXPECT_TRUE(eventually(30, [&] { return nodes() == 1; }));
}

TEST_F(Hostile, RolesAreKeptByTheCoordinator) {
  const std::string session = record_a_node();
  const std::string work = spec("not-for-nodes", 100, 11);
  const Ran submitted = ask_as("node-1", {"sweep", "run", work, "--quiet"});
  EXPECT_EQ(submitted.status, 3) << submitted.errors;
  EXPECT_NE(submitted.errors.find("identity is that of a node"), std::string::npos)
      << submitted.errors;
  const Ran cancelled = ask_as("node-1", {"sweep", "cancel", "last"});
  EXPECT_NE(cancelled.status, 0);
  EXPECT_EQ(ask_as("node-1", {"nodes"}).status, 3);
  EXPECT_TRUE(eventually(10, [&] {
    return up->errors().find("node 'node-1' may not send") != std::string::npos;
  })) << up->errors();

  const Ran joined = winnow(folder.path() / "user-home",
                            {"node", "--join", where(), "--identity", file("user")}, 20);
  EXPECT_EQ(joined.status, 3);
  EXPECT_NE(joined.errors.find("identity of a client"), std::string::npos) << joined.errors;

  // A client that does not ask its own program: a node's very bytes, under a client's certificate.
  const RawPeer peer(port, {.identity = file("user")});
  ASSERT_TRUE(peer.send(session));
  EXPECT_TRUE(eventually(10, [&] {
    return up->errors().find("client 'user' may not send") != std::string::npos;
  })) << up->errors();
  EXPECT_EQ(nodes(), 0u);
  EXPECT_TRUE(up->running());
}

TEST_F(Hostile, WhoeverIsRefusedIsToldAndTheLogSaysWhy) {
  const TimestampNs now = system_clock().now();
  const auto make = [&](const std::string& name, const fs::path& authority_home, TimestampNs from) {
    auto authority = cluster::Authority::open(authority_home);
    ASSERT_TRUE(authority);
    const auto identity = authority->issue(
        {.role = cluster::Role::Client, .name = name, .valid_for = days(2), .door = {}}, from);
    ASSERT_TRUE(identity) << identity.error().text();
    ASSERT_TRUE(cluster::write_secret(file(name), cluster::identity_text(*identity)));
  };
  make("past", home, now - days(30));
  make("future", home, now + days(30));
  make("gone", home, now);
  ASSERT_EQ(winnow(home, {"cluster", "revoke", "gone"}).status, 0);
  const fs::path elsewhere = folder.path() / "elsewhere";
  ASSERT_EQ(winnow(elsewhere, {"cluster", "init", "--name", "test"}).status, 0);
  make("foreign", elsewhere, now);

  struct Case {
    const char* name;
    const char* log;
    const char* told;
  };
  for (const Case& c : {Case{"past", "certificate has expired", "expired"},
                        Case{"future", "certificate is not yet valid", "bad certificate"},
                        Case{"gone", "client 'gone' is revoked", "revoked"},
                        Case{"foreign", "its certificate is refused", "unknown ca"}}) {
    SCOPED_TRACE(c.name);
    // Again and again: the door reads revocations only so often.
    std::string told;
    EXPECT_TRUE(eventually(30,
                           [&] {
                             const RawPeer peer(port, {.identity = file(c.name)});
                             told = peer.complaint();
                             return told.find(c.told) != std::string::npos &&
                                    up->errors().find(c.log) != std::string::npos;
                           }))
        << told << "\n"
        << up->errors();
  }
  // The program says it, too; whoever trusts another authority refuses the door himself.
  EXPECT_NE(ask_as("gone", {"nodes"}).errors.find("the door refuses this identity"),
            std::string::npos);
  EXPECT_NE(ask_as("foreign", {"nodes"}).errors.find("certificate"), std::string::npos);

  EXPECT_TRUE(eventually(20, [&] {
    const RawPeer old(port, {.identity = file("user"), .tls_version_max = TLS1_2_VERSION});
    EXPECT_FALSE(old.connected());
    return up->errors().find("unsupported protocol") != std::string::npos;
  })) << up->errors();
  EXPECT_TRUE(eventually(20, [&] {
    const RawPeer bare(port, {.identity = "", .no_certificate = true});
    bare.receive(500);
    return up->errors().find("peer did not return a certificate") != std::string::npos;
  })) << up->errors();
  EXPECT_TRUE(eventually(20, [&] {
    const RawPeer plain(port, {});
    plain.send("GET / HTTP/1.1\r\n\r\n");
    EXPECT_TRUE(plain.closed_within(10));
    return up->errors().find("no TLS handshake: http request") != std::string::npos;
  })) << up->errors();
  EXPECT_TRUE(up->running());
}

TEST_F(Hostile, ARotationWhileASweepRunsLosesNothing) {
  const auto node = start_node("node-1");
  ASSERT_TRUE(eventually(30, [&] { return nodes() == 1; })) << node->errors();
  const std::string work = spec("rotated", 12'000, 12);
  const auto client = submit(work);
  ASSERT_EQ(winnow(home, {"cluster", "rotate"}).status, 0);
  for (const char* name : {"node-1", "user"}) {
    ASSERT_EQ(winnow(home, {"cluster", "rotate", name, "--out", file(name)}).status, 0);
  }
  for (const Process* end : {up.get(), node.get()}) {
    ASSERT_TRUE(eventually(30, [&] {
      return end->errors().find("door: identity or revocations read again") != std::string::npos;
    })) << end->errors();
  }
  ASSERT_EQ(winnow(home, {"cluster", "rotate", "--finish"}).status, 0);
  EXPECT_EQ(client->wait(180), 0) << client->errors() << up->errors();
  EXPECT_EQ(leaderboard(home), quiet_leaderboard(work));
  EXPECT_TRUE(eventually(30, [&] { return nodes() == 1; })) << node->errors();
}

}  // namespace
}  // namespace winnow::e2e
