#include "store/store.hpp"

#include <cmath>
#include <cstring>
#include <thread>

#include "store_fixture.hpp"

namespace winnow::store {
namespace {

TEST(Store, SweepComesBackAsItWasPut) {
  TempDir dir;
  SweepMeta meta = make_sweep("s1", 4);
  meta.state = SweepState::Paused;
  meta.finished = {5};
  {
    auto store = open_store(dir.path());
    must(store->put_sweep(make_sweep("s1", 2)));
    must(store->put_sweep(meta));
  }
  auto store = open_store(dir.path());
  const auto got = must(store->sweep("s1"));
  ASSERT_TRUE(got.has_value());
  EXPECT_EQ(got->id, "s1");
  EXPECT_EQ(got->name, meta.name);
  EXPECT_EQ(got->spec_json, meta.spec_json);
  EXPECT_EQ(got->user, "ann");
  EXPECT_EQ(got->created, meta.created);
  EXPECT_EQ(got->finished, meta.finished);
  EXPECT_EQ(got->state, SweepState::Paused);
  EXPECT_EQ(got->trials, 64u);
  EXPECT_EQ(got->blocks, 4u);
  EXPECT_EQ(got->engine_version, 7u);
  EXPECT_EQ(got->code_version, "0.1.0");
  EXPECT_EQ(got->metric_names, meta.metric_names);
  EXPECT_FALSE(must(store->sweep("s2")).has_value());
}

TEST(Store, SweepsComeByCreationTime) {
  TempDir dir;
  auto store = open_store(dir.path());
  for (int i : {3, 1, 2}) {
    SweepMeta meta = make_sweep("s" + std::to_string(9 - i), 1);
    meta.created = {i};
    must(store->put_sweep(meta));
  }
  const auto all = must(store->sweeps());
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].created.ns, 1);
  EXPECT_EQ(all[1].created.ns, 2);
  EXPECT_EQ(all[2].created.ns, 3);
}

TEST(Store, CommittedBlocksComeBackBitForBit) {
  TempDir dir;
  const BlockShape shape{.rows = 64, .metrics = 5, .periods = 33};
  std::vector<ResultBlock> blocks;
  for (std::uint64_t b = 0; b < 6; ++b) blocks.push_back(make_block(1, b, shape));
  {
    auto store = open_store(dir.path());
    must(store->put_sweep(make_sweep("s1", 8, shape)));
    std::vector<BlockCommit> group;
    for (std::uint64_t b : {5u, 0u, 2u}) group.push_back(commit_of("s1", blocks[b]));
    const auto outcomes = must(store->commit(group, kNow));
    ASSERT_EQ(outcomes.size(), 3u);
    for (const auto& outcome : outcomes) {
      EXPECT_EQ(outcome.kind, CommitKind::Fresh);
      EXPECT_EQ(outcome.trials_new_to_ledger, 64u);
    }
  }
  auto store = open_store(dir.path());
  for (std::uint64_t b : {5u, 0u, 2u}) expect_stored(*store, "s1", blocks[b]);
  const std::vector<bool> flags = must(store->committed("s1", 8));
  EXPECT_EQ(flags, (std::vector<bool>{true, false, true, false, false, true, false, false}));
  EXPECT_EQ(store->read_block("s1", 1, {}).error().code(), ErrorCode::NotFound);
}

TEST(Store, UnreadPartsStayEmpty) {
  TempDir dir;
  auto store = open_store(dir.path());
  must(store->put_sweep(make_sweep("s1", 1)));
  const ResultBlock block = make_block(1, 0);
  commit_one(*store, commit_of("s1", block));
  const ResultBlock keys = must(store->read_block("s1", 0, {.keys = true}));
  EXPECT_EQ(keys.keys, block.keys);
  EXPECT_TRUE(keys.metrics.empty());
  EXPECT_TRUE(keys.returns.empty());
  EXPECT_EQ(keys.rows, block.rows);
  EXPECT_EQ(keys.status, block.status);
  const ResultBlock returns = must(store->read_block("s1", 0, {.returns = true}));
  EXPECT_TRUE(returns.keys.empty());
  EXPECT_EQ(returns.returns.size(), block.returns.size());
}

TEST(Store, MetricsJoinOverBlocksInOrder) {
  TempDir dir;
  auto store = open_store(dir.path());
  must(store->put_sweep(make_sweep("s1", 9)));
  must(store->put_sweep(make_sweep("s2", 9)));
  std::vector<double> expected;
  std::vector<std::uint64_t> trials;
  for (std::uint64_t b : {7u, 1u, 4u}) {
    const ResultBlock block = make_block(1, b);
    commit_one(*store, commit_of("s1", block));
    const ResultBlock other = make_block(2, b);
    commit_one(*store, commit_of("s2", other));
  }
  for (std::uint64_t b : {1u, 4u, 7u}) {
    const ResultBlock block = make_block(1, b);
    for (std::uint32_t row = 0; row < block.rows; ++row) {
      trials.push_back(block.first_trial + row);
      expected.push_back(block.metrics[2 * block.rows + row]);
    }
  }
  const std::uint32_t asked[] = {2, 0};
  const auto table = must(store->read_metrics("s1", asked));
  EXPECT_EQ(table.trial, trials);
  ASSERT_EQ(table.columns.size(), 2u);
  ASSERT_EQ(table.columns[0].size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const bool failed = table.status[i] == TrialStatus::Failed;
    EXPECT_EQ(failed, std::isnan(expected[i]));
    if (!failed) {
      EXPECT_EQ(table.columns[0][i], expected[i]);
    }
  }
  const std::uint32_t unknown[] = {3};
  EXPECT_EQ(store->read_metrics("s1", unknown).error().code(), ErrorCode::InvalidInput);
}

TEST(Store, ReturnsFillOneBuffer) {
  TempDir dir;
  auto store = open_store(dir.path());
  must(store->put_sweep(make_sweep("s1", 4)));
  std::vector<float> expected;
  for (std::uint64_t b = 0; b < 3; ++b) {
    const ResultBlock block = make_block(3, b);
    commit_one(*store, commit_of("s1", block));
    if (b > 0) expected.insert(expected.end(), block.returns.begin(), block.returns.end());
  }
  const auto shape = must(store->returns_shape("s1", 1, 2));
  EXPECT_EQ(shape.rows, 32u);
  EXPECT_EQ(shape.periods, 5u);
  std::vector<float> out(expected.size());
  must(store->read_returns("s1", 1, 2, out));
  EXPECT_EQ(std::memcmp(out.data(), expected.data(), out.size() * sizeof(float)), 0);
  EXPECT_EQ(store->returns_shape("s1", 2, 2).error().code(), ErrorCode::NotFound);
  out.pop_back();
  EXPECT_EQ(store->read_returns("s1", 1, 2, out).error().code(), ErrorCode::InvalidInput);
}

TEST(Store, DocumentsAreKeptByKindAndKey) {
  TempDir dir;
  {
    auto store = open_store(dir.path());
    must(store->put_document("convergence", "s1", "{}"));
    must(store->put_document("convergence", "s1", R"({"score": 0.5})"));
    must(store->put_document("convergence", "s2", "[]"));
    must(store->put_document("conv", "ergence", "1"));
  }
  auto store = open_store(dir.path());
  EXPECT_EQ(must(store->document("convergence", "s1")), R"({"score": 0.5})");
  EXPECT_EQ(must(store->document("convergence", "s3")), std::nullopt);
  EXPECT_EQ(must(store->document("conv", "ergence")), "1");
  EXPECT_EQ(must(store->document_keys("convergence")), (std::vector<std::string>{"s1", "s2"}));
}

TEST(Store, UpdatesOfADocumentDoNotLoseOneAnother) {
  TempDir dir;
  {
    auto store = open_store(dir.path());
    constexpr int kEach = 40;
    const auto count = [&] {
      for (int i = 0; i < kEach; ++i) {
        must(store->update_document(
            "count", "n", [](const std::optional<std::string>& there) -> Result<std::string> {
              return std::to_string(there ? std::stoi(*there) + 1 : 1);
            }));
      }
    };
    std::thread other(count);
    count();
    other.join();
    EXPECT_EQ(must(store->document("count", "n")), std::to_string(2 * kEach));
    const Status refused = store->update_document(
        "count", "n",
        [](const auto&) -> Result<std::string> { return Error(ErrorCode::Refused, "no"); });
    EXPECT_EQ(refused.error().code(), ErrorCode::Refused);
    EXPECT_EQ(must(store->document("count", "n")), std::to_string(2 * kEach)) << "as it was";
    must(store->put_document("count", "m", "1"));
    EXPECT_EQ(must(store->document_keys("count", "n")), std::vector<std::string>{"n"});
  }
  auto reader = open_store(dir.path(), /*read_only=*/true);
  const Status status = reader->update_document(
      "count", "n", [](const auto&) -> Result<std::string> { return std::string("0"); });
  EXPECT_EQ(status.error().code(), ErrorCode::Refused);
}

TEST(Store, UnknownSweepIsNamed) {
  TempDir dir;
  auto store = open_store(dir.path());
  const ResultBlock block = make_block(1, 0);
  const BlockCommit commit = commit_of("nowhere", block);
  const auto result = store->commit({&commit, 1}, kNow);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code(), ErrorCode::NotFound);
  EXPECT_NE(result.error().text().find("nowhere"), std::string::npos);
  EXPECT_EQ(store->committed("nowhere", 1).error().code(), ErrorCode::NotFound);
}

}  // namespace
}  // namespace winnow::store
