#include "actors/basp_rules.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "actors/codec.hpp"
#include "base/rng.hpp"

namespace winnow::actors {
namespace {

using namespace std::string_literals;

const std::string kOwn = "\x00\x00>\x9a\xab\x9b\xacy\x00\x00\x31~"s + std::string(20, '\x11');

std::string number(std::uint64_t value, int bytes) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i) & 0xff);
  return out;
}

/// What CAF 0.17.6 writes on behalf of a peer, as recorded from a node that joined.
struct Peer {
  std::string node = kOwn.substr(0, 12) + std::string(20, '\x22');
  BaspHome home{kOwn, 6, "@<>+winnow::actors::Frame"};

  std::string head(int op, std::size_t size, std::uint64_t data, std::uint64_t source,
                   std::uint64_t target, int flags = 0) const {
    return number(static_cast<std::uint64_t>(op), 1) + number(0, 2) +
           number(static_cast<std::uint64_t>(flags), 1) + number(size, 4) + number(data, 8) +
           number(source, 8) + number(target, 8);
  }
  using Pieces = std::vector<std::string>;
  Pieces handshake(int flags = 0) const { return {head(1, node.size(), 0, 0, 0, flags), node}; }
  Pieces question() const {
    const std::string text =
        "\x00\x00\x00\x14@<>+@atom+@atom+@str\x00\x00\x00\x00\x00?\x8f\xb8\x00\x00\x00\x00\x00>"
        "\xca\xb9\x04info"s;
    return {head(2, text.size(), kPlain, 7, 278614525059968507, 1), text};
  }
  Pieces answer() const {
    const std::string text =
        "\x00\x00\x00%@<>+@atom+@str+@strong_actor_ptr+@str\x00\x00\x00\x00\x00\x00\xfd\x30\x04"
        "info\x00\x00\x00\x00\x00\x00\x00\x01"s +
        node + "\x0cspawn_server"s;
    return {head(2, text.size(), kPlain, 1, 8), text};
  }
  Pieces monitor() const { return {head(4, 64, 0, 0, 6), node + kOwn}; }
  Pieces down() const {
    const std::string text = node + kOwn + "\x04\x00\x00\x00\x00\x0f\xab\xdb\xb9\x00\x00\x03@<>"s;
    return {head(5, text.size(), 0, 6, 0), text};
  }
  Pieces heartbeat() const { return {head(6, 0, 0, 0, 0)}; }
  template <class T>
  Pieces frame(const T& message) const {
    const Frame f = encode(message, 9);
    std::string length;
    for (std::size_t left = f.body.size();; left >>= 7) {
      length += static_cast<char>((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
      if (left <= 0x7f) break;
    }
    const std::string text = "\x00\x00\x00\x19"s + home.frame_type + number(f.version, 2) +
                             number(f.kind, 2) + number(f.session, 8) + length + f.body;
    return {head(2, text.size(), kPlain, 6, 6), text};
  }
  static constexpr std::uint64_t kPlain = 0x1000000000000000;
};

Status feed(BaspRules& rules, Peer::Pieces& pieces) {
  for (std::string& piece : pieces) {
    WINNOW_TRY(rules.feed(std::as_writable_bytes(std::span(piece.data(), piece.size()))));
  }
  return {};
}
Status feed(BaspRules& rules, Peer::Pieces&& pieces) { return feed(rules, pieces); }

std::vector<Peer::Pieces> whole_session(const Peer& peer) {
  return {peer.handshake(),
          peer.handshake(2),
          peer.question(),
          peer.monitor(),
          peer.frame(Hello{1, "host:1", 2, 3, "avx2", 4, {"a", "b"}, 1, {}, 0, ""}),
          peer.answer(),
          peer.heartbeat(),
          peer.frame(BlockResult{1, "sweep", 2, 3, std::string(2'000, 'b')}),
          peer.down()};
}

TEST(BaspRules, PassWhatAPeerOfTheFarmSays) {
  const Peer peer;
  BaspRules rules(peer.home, PeerRole::Node);
  for (auto& said : whole_session(peer)) {
    const Status fit = feed(rules, said);
    EXPECT_TRUE(fit) << fit.error().text();
  }
  EXPECT_EQ(rules.frames(), 9u);
  EXPECT_EQ(rules.peer_node(), peer.node);
}

TEST(BaspRules, StampTheRoleWhateverTheSenderWrote) {
  const Peer peer;
  BaspRules rules(peer.home, PeerRole::Client);
  ASSERT_TRUE(feed(rules, peer.handshake()));
  Peer::Pieces query = peer.frame(Query{"nodes", "{}"});
  ASSERT_TRUE(feed(rules, query));
  EXPECT_FALSE(rules.out_of_role());
  const std::size_t kind = 4 + peer.home.frame_type.size() + 2;
  EXPECT_EQ(query[1][kind], static_cast<char>(PeerRole::Client));
  EXPECT_EQ(query[1][kind + 1], static_cast<char>(Kind::Query));

  Peer::Pieces hello = peer.frame(Hello{1, "host:1", 2, 3, "avx2", 4, {}, 0, {}, 0, ""});
  ASSERT_TRUE(feed(rules, hello));
  EXPECT_TRUE(rules.out_of_role());

  Peer::Pieces forged = peer.frame(Query{"nodes", "{}"});
  forged[1][kind] = 1;
  EXPECT_FALSE(feed(rules, forged));
}

TEST(BaspRules, RolesMaySendTheirOwnMessagesOnly) {
  for (const Kind kind : {Kind::Hello, Kind::BlockResult, Kind::Goodbye, Kind::ChunkAsk}) {
    EXPECT_TRUE(may_send(PeerRole::Node, kind));
    EXPECT_TRUE(may_send(PeerRole::Local, kind));
    EXPECT_FALSE(may_send(PeerRole::Client, kind));
  }
  for (const Kind kind : {Kind::Submit, Kind::Watch, Kind::Control, Kind::Query, Kind::Present}) {
    EXPECT_TRUE(may_send(PeerRole::Client, kind));
    EXPECT_TRUE(may_send(PeerRole::Local, kind));
    EXPECT_FALSE(may_send(PeerRole::Node, kind));
  }
}

/// CAF would do as it is told by each of these.
TEST(BaspRules, RefuseWhatCafWouldObey) {
  const Peer peer;
  const auto refused = [&](Peer::Pieces said, const char* why) {
    BaspRules rules(peer.home, PeerRole::Local);
    EXPECT_TRUE(feed(rules, peer.handshake()));
    const Status fit = feed(rules, said);
    EXPECT_FALSE(fit) << why;
    if (!fit) {
      EXPECT_EQ(fit.error().code(), ErrorCode::Refused) << why;
    }
  };
  const std::string stop = "\x00\x00\x00\x09@<>+@exit"s;
  refused({peer.head(2, stop.size(), Peer::kPlain, 6, 6), stop}, "an exit for the coordinator");
  refused({peer.head(1, 0, 0, 0, 0)}, "a handshake without payload");
  refused({peer.head(2, 0xffffffffu, Peer::kPlain, 6, 6)}, "4 GiB");
  refused({peer.head(3, 100, Peer::kPlain, 6, 6)}, "a routed message");
  refused({peer.head(4, 64, 0, 0, 6), kOwn + kOwn}, "a monitor of another node");
  Peer other;
  other.node.back() = '\x33';
  refused(other.handshake(), "a second node id");
  refused(other.down(), "the end of another node's actor");
  Peer us;
  us.node = kOwn;
  refused(us.handshake(), "this process's own id");
  Peer::Pieces frame = peer.frame(Credit{1, 2, 3});
  frame[0][31] = 5;
  refused(frame, "a frame to another actor");
  Peer::Pieces urgent = peer.frame(Credit{1, 2, 3});
  urgent[0][8] = 0;
  refused(urgent, "an urgent message");
}

TEST(BaspRules, HaveALimitForEverythingThatTakesMemory) {
  const Peer peer;
  {
    BaspRules rules(peer.home, PeerRole::Local);
    ASSERT_TRUE(feed(rules, peer.handshake()));
    std::uint64_t taken = 0;
    while (taken < 1000 && feed(rules, peer.monitor())) ++taken;
    EXPECT_EQ(taken, BaspRules::kMonitorsMax);
  }
  {
    BaspRules rules(peer.home, PeerRole::Local);
    std::uint64_t taken = 0;
    while (taken < 1000 && feed(rules, peer.handshake())) ++taken;
    EXPECT_EQ(taken, BaspRules::kHandshakesMax);
  }
  BaspRules rules(peer.home, PeerRole::Local);
  ASSERT_TRUE(feed(rules, peer.handshake()));
  std::uint64_t sender = 1;
  for (; sender < 1000; ++sender) {
    Peer::Pieces said = peer.frame(Credit{1, 2, 3});
    said[0].replace(16, 8, number(sender, 8));
    if (!feed(rules, said)) break;
  }
  EXPECT_EQ(sender, BaspRules::kSendersMax + 1);
}

/// Whatever bits of a session flip, either it is refused or only a frame's own content changed.
TEST(BaspRules, FlippedBitsOfASessionNeverPassAsAnythingElse) {
  const Peer peer;
  for (std::uint64_t seed = 1; seed <= 30'000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Rng rng(seed);
    BaspRules rules(peer.home, PeerRole::Node);
    auto session = whole_session(peer);
    const std::size_t at = rng.below(session.size());
    for (std::size_t i = 0; i < at; ++i) ASSERT_TRUE(feed(rules, session[i]));
    Peer::Pieces bad = session[at];
    std::string& piece = bad[rng.below(bad.size())];
    if (rng.below(4) == 0) {
      piece.resize(rng.below(piece.size()));
    } else {
      piece[rng.below(std::min<std::size_t>(piece.size(), 120))] ^=
          static_cast<char>(1u << rng.below(8));
    }
    const Peer::Pieces sent = bad;
    if (!feed(rules, bad)) continue;
    // What passed is a handshake under another id, or a message whose own numbers differ.
    const auto op = static_cast<int>(bad[0][0]);
    EXPECT_TRUE(op == 1 || op == 2 || op == 4 || op == 5) << op;
    if (op == 2) {
      EXPECT_EQ(sent[0].substr(4, 12), session[at][0].substr(4, 12));
    }
  }
}

}  // namespace
}  // namespace winnow::actors
