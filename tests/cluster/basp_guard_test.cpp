#include "cluster/door/basp_guard.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace winnow::cluster {
namespace {

using Bytes = std::vector<std::byte>;

Bytes frame(unsigned op, std::uint32_t announced, std::size_t sent) {
  Bytes bytes(kBaspHeaderBytes + sent);
  bytes[0] = static_cast<std::byte>(op);
  for (int i = 0; i < 4; ++i) bytes[4 + i] = static_cast<std::byte>(announced >> (24 - 8 * i));
  return bytes;
}
Bytes frame(unsigned op, std::uint32_t size) { return frame(op, size, size); }

Bytes joined(std::initializer_list<Bytes> parts) {
  Bytes all;
  for (const Bytes& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

constexpr unsigned kServer = 0, kClient = 1, kMessage = 2, kRouted = 3, kMonitor = 4, kDown = 5,
                   kHeartbeat = 6;

TEST(BaspGuard, AConversationPassesInAnyPieces) {
  const Bytes all =
      joined({frame(kClient, 40), frame(kMonitor, 0), frame(kMessage, 1000), frame(kHeartbeat, 0),
              frame(kDown, 20), frame(kMessage, kBaspPayloadMax), frame(kHeartbeat, 0)});
  for (const unsigned seed : {1u, 2u, 3u, 4u, 5u}) {
    std::mt19937 rng(seed);
    BaspGuard guard(BaspSide::Joining);
    for (std::size_t at = 0; at < all.size();) {
      const std::size_t most = seed == 1 ? 1 : seed == 2 ? all.size() : 1 + rng() % 5000;
      const std::size_t n = std::min(most, all.size() - at);
      ASSERT_TRUE(guard.feed(std::span(all).subspan(at, n))) << "seed " << seed << " at " << at;
      at += n;
    }
    EXPECT_EQ(guard.frames(), 7u);
    EXPECT_TRUE(guard.between_frames());
  }
}

TEST(BaspGuard, TheHandshakeThatKillsCafIsRefused) {
  BaspGuard joining(BaspSide::Joining);
  const Status status = joining.feed(frame(kClient, 0));
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().text().find("client handshake of 0 bytes"), std::string::npos);
  BaspGuard serving(BaspSide::Serving);
  EXPECT_FALSE(serving.feed(frame(kServer, 0)));
}

TEST(BaspGuard, AGreetingComesFirst) {
  const struct {
    BaspSide side;
    Bytes bytes;
    bool fits;
  } cases[] = {
      {BaspSide::Joining, frame(kClient, 9), true},
      {BaspSide::Joining, frame(kServer, 9), false},
      {BaspSide::Joining, frame(kHeartbeat, 0), false},
      {BaspSide::Joining, frame(kMessage, 9), false},
      {BaspSide::Joining, joined({frame(kClient, 9), frame(kClient, 9)}), true},
      {BaspSide::Joining, joined({frame(kClient, 9), frame(kServer, 9)}), false},
      {BaspSide::Joining, joined({frame(kClient, 9), frame(kClient, 0)}), false},
      {BaspSide::Serving, joined({frame(kServer, 9), frame(kServer, 9)}), false},
      {BaspSide::Serving, frame(kServer, 9), true},
      {BaspSide::Serving, frame(kClient, 9), false},
      {BaspSide::Serving, joined({frame(kServer, 9), frame(kMessage, 9)}), true},
  };
  for (const auto& c : cases) {
    BaspGuard guard(c.side);
    EXPECT_EQ(guard.feed(c.bytes).ok(), c.fits) << &c - cases;
  }
}

TEST(BaspGuard, LengthsBeyondTheLimitAreRefusedByTheirHeader) {
  const struct {
    unsigned op;
    std::uint32_t size;
    bool fits;
  } cases[] = {{kMessage, kBaspPayloadMax, true},
               {kMessage, kBaspPayloadMax + 1, false},
               {kMessage, 0xffffffffu, false},
               {kMessage, 0, false},
               {kMonitor, kBaspControlMax, true},
               {kMonitor, kBaspControlMax + 1, false},
               {kHeartbeat, 1, false},
               {kRouted, 10, false},
               {7, 10, false},
               {255, 10, false}};
  for (const auto& c : cases) {
    BaspGuard guard(BaspSide::Joining);
    ASSERT_TRUE(guard.feed(frame(kClient, 8)));
    EXPECT_EQ(guard.feed(frame(c.op, c.size, 0)).ok(), c.fits) << c.op << " " << c.size;
  }
}

/// What the guard says does not depend on how the bytes were cut, and it never takes a first byte
/// that is not its greeting.
TEST(BaspGuard, TenThousandRandomStreamsGetOneAnswerHoweverTheyAreCut) {
  for (unsigned seed = 1; seed <= 10'000; ++seed) {
    std::mt19937 rng(seed);
    Bytes bytes = joined({frame(kClient, static_cast<std::uint32_t>(1 + rng() % 64)),
                          frame(rng() % 8, static_cast<std::uint32_t>(rng() % 100))});
    for (unsigned flips = rng() % 4; flips > 0; --flips) {
      bytes[rng() % bytes.size()] ^= static_cast<std::byte>(1u << rng() % 8);
    }
    BaspGuard whole(BaspSide::Joining);
    const bool fits = whole.feed(bytes).ok();
    BaspGuard cut(BaspSide::Joining);
    bool cut_fits = true;
    for (const std::byte b : bytes) cut_fits = cut_fits && cut.feed(std::span(&b, 1)).ok();
    ASSERT_EQ(fits, cut_fits) << "seed " << seed;
    if (fits) {
      ASSERT_EQ(bytes[0], std::byte{1}) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace winnow::cluster
