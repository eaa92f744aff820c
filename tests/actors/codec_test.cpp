#include "actors/codec.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <set>

#include "base/rng.hpp"

namespace winnow::actors {
namespace {

ResultBlock sample_block() {
  ResultBlock block;
  block.block = 7;
  block.first_trial = 1234;
  block.rows = 3;
  block.metric_count = 2;
  block.periods = 4;
  for (std::uint64_t i = 0; i < 3; ++i) block.keys.push_back({i, ~i});
  block.status = {TrialStatus::Ok, TrialStatus::Failed, TrialStatus::Ok};
  block.metrics = {1.5,    std::numeric_limits<double>::quiet_NaN(),
                   -0.0,   std::numeric_limits<double>::infinity(),
                   5e-324, -1e308};
  block.returns.assign(12, 0.25F);
  block.errors = {"row 1: it broke"};
  return block;
}

ResultBlock block_with_points() {
  ResultBlock block = sample_block();
  block.status[2] = TrialStatus::Cut;
  block.errors.push_back("row 2: over its limit");
  block.point_metrics = 2;
  block.point_steps = 3;
  for (int i = 0; i < 18; ++i) block.points.push_back(0.5 * i);
  return block;
}

TEST(Codec, PointsTravelWithTheirBlock) {
  const ResultBlock block = block_with_points();
  const auto back = decode_block(encode_block(block));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->points, block.points);
  EXPECT_EQ(back->point_metrics, 2u);
  EXPECT_EQ(back->point_steps, 3u);
  EXPECT_EQ(back->status, block.status);
  EXPECT_EQ(back->content_hash(), block.content_hash());
  EXPECT_NE(back->content_hash(), sample_block().content_hash());
}

TEST(Codec, ExposuresTravelWithTheirBlock) {
  ResultBlock block = block_with_points();
  for (int i = 0; i < 12; ++i) block.exposures.push_back(0.125F * static_cast<float>(i) - 1);
  const std::string bytes = encode_block(block);
  const auto back = decode_block(bytes);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->exposures, block.exposures);
  EXPECT_EQ(back->points, block.points);
  EXPECT_EQ(back->content_hash(), block.content_hash());
  EXPECT_NE(back->content_hash(), block_with_points().content_hash());
}

TEST(Codec, BlockRoundTripsBitForBit) {
  const ResultBlock block = sample_block();
  const auto back = decode_block(encode_block(block));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->block, block.block);
  EXPECT_EQ(back->first_trial, block.first_trial);
  EXPECT_EQ(back->content_hash(), block.content_hash());
  EXPECT_TRUE(std::signbit(back->metrics[2]));
}

TEST(Codec, DamagedBlocksAreCorruptNeverFatal) {
  Rng rng(3);
  for (int i = 0; i < 20'000; ++i) {
    std::string bad = encode_block(i % 2 == 0 ? sample_block() : block_with_points());
    if (rng.below(3) == 0) {
      bad.resize(rng.below(bad.size()));
    } else {
      bad[rng.below(bad.size())] ^= static_cast<char>(1 + rng.below(255));
    }
    ASSERT_FALSE(decode_block(bad).ok());
  }
}

TEST(Codec, MessagesRoundTrip) {
  Renew renew;
  renew.leases = {1, 2, 1ull << 60};
  const Frame frame = encode(renew, 42);
  EXPECT_EQ(frame.session, 42u);
  EXPECT_EQ(decode<Renew>(frame)->leases, renew.leases);
  Submit submit;
  submit.yaml = std::string(10'000, 'x');
  submit.profile_names = {"a", ""};
  const auto back = decode<Submit>(encode(submit, 1));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->yaml, submit.yaml);
  EXPECT_EQ(back->profile_names, submit.profile_names);
}

TEST(Codec, OtherKindsVersionsAndSizesAreRefused) {
  Frame frame = encode(Credit{1, 3, 0}, 1);
  EXPECT_FALSE(decode<Renew>(frame).ok());
  frame.version = 99;
  EXPECT_NE(decode<Credit>(frame).error().text().find("version 99"), std::string::npos);
  frame = encode(Credit{1, 3, 0}, 1);
  frame.body.resize(kFrameBytesMax + 1);
  EXPECT_FALSE(decode<Credit>(frame).ok());
}

template <class T>
void mutate(const T& message, std::uint64_t seed) {
  Rng rng(seed);
  const Frame good = encode(message, 9);
  for (int i = 0; i < 5'000; ++i) {
    Frame bad = good;
    const std::uint64_t how = rng.below(3);
    if (how == 0) bad.body.resize(rng.below(bad.body.size() + 1));
    if (how == 1) bad.body += std::string(1 + rng.below(9), '\x7f');
    for (std::uint64_t n = rng.below(4); n > 0 && !bad.body.empty(); --n) {
      bad.body[rng.below(bad.body.size())] = static_cast<char>(rng.below(256));
    }
    (void)decode<T>(bad).ok();  // must neither throw nor take memory it was not sent
  }
}

TEST(Codec, MutatedMessagesNeverThrowOrExhaustMemory) {
  mutate(
      Hello{1, "host:1", 2, 3, "avx2", 4, {"a", "b"}, 1, {{1, "sweep", 2, 3, {2}}}, 7, "signal 11"},
      1);
  mutate(Renew{{1, 2, 3}, {1, 2, 3, 4}}, 2);
  mutate(Submit{"yaml: 1", "f.yaml", {"p"}, {"text"}}, 3);
  mutate(BlockResult{1, "sweep", 2, 3, std::string(300, 'b')}, 4);
  mutate(BlocksCommitted{"sweep", {1, 2, 3}, {4}, "why"}, 5);
  mutate(Reply{0, 1, "{}"}, 6);
  mutate(DatasetOffer{std::string(64, 'a'), "{}", 99, std::string(32, 'h')}, 7);
  mutate(ChunkAsk{"hash", 3}, 8);
  mutate(DatasetChunk{"hash", 3, std::string(500, 'c')}, 9);
  mutate(DatasetDenied{"hash", 2, "text"}, 10);
  mutate(Welcome{5, {{1, 2}}}, 11);
  mutate(Credit{1, 2, 3}, 12);
  mutate(SweepInfo{"sweep", "{}"}, 13);
  mutate(LeaseFailed{1, 2, "reason"}, 15);
  mutate(Goodbye{}, 16);
  mutate(Refusal{3, "text"}, 17);
  mutate(DatasetAsk{"hash"}, 18);
  mutate(Submitted{"sweep", 1, 2}, 19);
  mutate(Watch{"sweep"}, 20);
  mutate(Progress{"sweep", 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, "note"}, 21);
  mutate(Control{"sweep", SweepAction::Resume, 1, 2}, 22);
  mutate(Query{"name", "{}"}, 23);
  mutate(LeaseOrder{1, "sweep", 2, 1, 3, 1, {40, 41}, {"stuck", "stuck too"}, "rows"}, 24);
  mutate(TrialBegins{1, 40}, 26);
  mutate(TrialLeave{1, 40, 1}, 27);
  mutate(LeaseOverran{1, 2, 1, 40, 1, "trial 40 is stuck"}, 25);
}

template <class... T>
void mutate_each(Messages<T...>) {
  std::uint64_t seed = 100;
  (mutate(T{}, ++seed), ...);
}

TEST(Codec, EveryMessageOfTheListsCanBeMutated) { mutate_each(EveryMessage{}); }

template <class... T>
std::set<std::uint16_t> numbers(Messages<T...>) {
  return {kind_of<T>()...};
}

/// The lists are one conversation: a number is one message's, and told to the coordinator or by it.
TEST(Codec, EveryMessageHasOneNumberAndOneDirection) {
  const auto count = []<class... T>(Messages<T...>) { return sizeof...(T); };
  EXPECT_EQ(numbers(EveryMessage{}).size(), count(EveryMessage{}));
  std::set<std::uint16_t> heard = numbers(NodeHears{});
  heard.merge(numbers(CourierHears{}));
  heard.merge(numbers(ClientHears{}));
  std::set<std::uint16_t> said = numbers(NodeSays{});
  said.merge(numbers(ClientSays{}));
  EXPECT_EQ(heard.size() + said.size(), count(EveryMessage{}));
  for (const std::uint16_t kind : said) EXPECT_FALSE(heard.contains(kind)) << kind;
}

/// A count that announces more than the body holds is believed by nobody.
TEST(Codec, EnormousCountsAreRefusedBeforeMemoryIsTaken) {
  for (const std::uint64_t count : {1ull << 20, 1ull << 32, 1ull << 60, ~0ull}) {
    Frame frame = encode(Renew{{1, 2, 3}, {}}, 1);
    ASSERT_GE(frame.body.size(), 8u);
    for (std::size_t i = 0; i + 8 <= frame.body.size(); ++i) {
      Frame bad = frame;
      std::memcpy(bad.body.data() + i, &count, sizeof count);
      (void)decode<Renew>(bad).ok();
    }
    Frame text = encode(Query{"n", "{}"}, 1);
    std::memcpy(text.body.data(), &count, sizeof count);
    EXPECT_FALSE(decode<Query>(text).ok());
  }
}

}  // namespace
}  // namespace winnow::actors
