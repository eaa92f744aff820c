#include "store/ledger.hpp"

#include "store_fixture.hpp"

namespace winnow::store {
namespace {

StoreOptions small_runs() {
  StoreOptions options;
  options.index_run_keys = 20;  // so that keys are looked up in files too
  return options;
}

TEST(Ledger, RepeatsAcrossSweepsCountOnce) {
  TempDir dir;
  auto store = must(Store::open(dir.path(), small_runs()));
  for (const char* id : {"a", "b"}) must(store->put_sweep(make_sweep(id, 9)));
  for (std::uint64_t b = 0; b < 4; ++b) {
    const ResultBlock block = make_block(1, b);
    EXPECT_EQ(commit_one(*store, commit_of("a", block)).trials_new_to_ledger, 16u);
  }
  // Sweep b: two blocks that a had, one that is new.
  for (std::uint64_t b : {1u, 3u, 5u}) {
    const ResultBlock block = make_block(1, b);
    const CommitOutcome outcome = commit_one(*store, commit_of("b", block));
    EXPECT_EQ(outcome.kind, CommitKind::Fresh);
    EXPECT_EQ(outcome.trials_new_to_ledger, b == 5 ? 16u : 0u);
  }
  const auto lines = must(store->ledger());
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].dataset_hash, "btc");
  EXPECT_EQ(lines[0].family, "mr");
  EXPECT_EQ(lines[0].trials, 5u * 16);
  EXPECT_EQ(lines[0].executions, 7u * 16);
  EXPECT_TRUE(must(store->alarms()).empty());
  must(store->verify([](std::string_view) {}));
}

/// The same trials in another edition: other keys, and, if asked for, other numbers.
ResultBlock in_edition(ResultBlock block, const Edition& edition, double shift = 0) {
  for (TrialKey& key : block.keys) key = with_edition(key, edition);
  for (double& v : block.metrics) v += shift;
  return block;
}

// Law 3 over a change of the engine: the trial is one, its results are two, and neither is an alarm
// about the other.
TEST(Ledger, TrialMadeAgainInAnotherEditionIsTheSameTrial) {
  const Edition second{0x1234'5678'9abc'def0, 0x0fed'cba9'8765'4321};
  TempDir dir;
  {
    auto store = must(Store::open(dir.path(), small_runs()));
    for (const char* id : {"old", "new", "fresh"}) must(store->put_sweep(make_sweep(id, 9)));
    for (std::uint64_t b = 0; b < 3; ++b) {
      const ResultBlock block = make_block(1, b);
      commit_one(*store, commit_of("old", block));
    }
    // Two blocks again, one that nobody made; then all of it once more in that edition.
    for (const char* sweep : {"new", "fresh"}) {
      for (std::uint64_t b : {1u, 2u, 5u}) {
        const ResultBlock block = in_edition(make_block(1, b), second, 0.25);
        BlockCommit commit = commit_of(sweep, block);
        commit.edition = second;
        const CommitOutcome outcome = commit_one(*store, commit);
        EXPECT_EQ(outcome.kind, CommitKind::Fresh);
        const bool charged = b == 5 && std::string_view(sweep) == "new";
        EXPECT_EQ(outcome.trials_new_to_ledger, charged ? 16u : 0u);
      }
    }
    EXPECT_EQ(must(store->count_new(make_block(1, 5).keys)), 0u) << "by the ledger's keys";
    EXPECT_EQ(must(store->count_new(make_block(1, 6).keys)), 16u);
    EXPECT_TRUE(must(store->alarms()).empty());
    expect_stored(*store, "new", in_edition(make_block(1, 2), second, 0.25));
    must(store->verify([](std::string_view) {}));
  }
  auto store = must(Store::open(dir.path(), small_runs()));  // keys are read from the disk again
  const auto lines = must(store->ledger());
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].trials, 4u * 16);
  EXPECT_EQ(lines[0].executions, 9u * 16);
  const auto places = must(store->find(make_block(1, 1).keys));
  EXPECT_EQ(places.at(0)->sweep_id, "old");
  expect_stored(*store, "fresh", in_edition(make_block(1, 5), second, 0.25));
  must(store->verify([](std::string_view) {}));
}

TEST(Ledger, OneEditionMustStillSayTheSameOfATrial) {
  const Edition second{7, 9};
  TempDir dir;
  auto store = must(Store::open(dir.path(), small_runs()));
  for (const char* id : {"a", "b"}) must(store->put_sweep(make_sweep(id, 9)));
  const ResultBlock first = in_edition(make_block(1, 0), second);
  const ResultBlock other = in_edition(make_block(1, 0), second, 1);
  for (const auto& [sweep, block] : {std::pair{"a", &first}, std::pair{"b", &other}}) {
    BlockCommit commit = commit_of(sweep, *block);
    commit.edition = second;
    commit_one(*store, commit);
  }
  const auto alarms = must(store->alarms());
  ASSERT_EQ(alarms.size(), 1u);
  const bool named = std::any_of(first.keys.begin(), first.keys.end(), [&](const TrialKey& key) {
    return alarms[0].text.find(key.hex()) != std::string::npos;
  });
  EXPECT_TRUE(named) << "not by a trial's own key: " << alarms[0].text;
}

TEST(Ledger, RepeatsInsideOneGroupCountOnce) {
  TempDir dir;
  auto store = open_store(dir.path());
  for (const char* id : {"a", "b"}) must(store->put_sweep(make_sweep(id, 9)));
  ResultBlock twice = make_block(1, 0);
  const std::uint32_t last = twice.rows - 1;  // row 15 is row 3 again
  twice.keys[last] = twice.keys[3];
  twice.status[last] = twice.status[3];
  for (std::uint32_t m = 0; m < twice.metric_count; ++m) {
    twice.metrics[m * twice.rows + last] = twice.metrics[m * twice.rows + 3];
  }
  for (std::uint32_t p = 0; p < twice.periods; ++p) {
    twice.returns[last * twice.periods + p] = twice.returns[3 * twice.periods + p];
  }
  const BlockCommit group[] = {commit_of("a", twice), commit_of("b", twice), commit_of("a", twice)};
  const auto outcomes = must(store->commit(group, kNow));
  EXPECT_EQ(outcomes[0].kind, CommitKind::Fresh);
  EXPECT_EQ(outcomes[0].trials_new_to_ledger, 15u);
  EXPECT_EQ(outcomes[1].kind, CommitKind::Fresh);
  EXPECT_EQ(outcomes[1].trials_new_to_ledger, 0u);
  EXPECT_EQ(outcomes[2].kind, CommitKind::Duplicate);
  const auto lines = must(store->ledger());
  EXPECT_EQ(lines[0].trials, 15u);
  EXPECT_EQ(lines[0].executions, 32u);
  EXPECT_TRUE(must(store->alarms()).empty());
  must(store->verify([](std::string_view) {}));
}

TEST(Ledger, DuplicatesCountNothing) {
  TempDir dir;
  auto store = open_store(dir.path());
  must(store->put_sweep(make_sweep("a", 9)));
  const ResultBlock block = make_block(1, 0);
  commit_one(*store, commit_of("a", block));
  for (int i = 0; i < 3; ++i) {
    const CommitOutcome again = commit_one(*store, commit_of("a", block));
    EXPECT_EQ(again.kind, CommitKind::Duplicate);
    EXPECT_EQ(again.trials_new_to_ledger, 0u);
  }
  const auto lines = must(store->ledger());
  EXPECT_EQ(lines[0].trials, 16u);
  EXPECT_EQ(lines[0].executions, 16u);
}

TEST(Ledger, EntriesTellWhoAndWhere) {
  TempDir dir;
  {
    auto store = open_store(dir.path());
    for (const char* id : {"a", "b"}) must(store->put_sweep(make_sweep(id, 99)));
    std::uint64_t salt = 0;
    for (const char* dataset : {"btc", "eth"}) {
      for (const char* family : {"mr", "sma"}) {
        for (std::uint64_t b = 0; b <= salt; ++b) {
          const ResultBlock block = make_block(salt, b, {}, 1000 * salt + b * 16 + 1);
          ResultBlock placed = block;
          placed.block = 10 * salt + b;
          BlockCommit commit = commit_of("a", placed, dataset, family);
          if (salt == 3) commit.user = "agent-7";
          commit_one(*store, commit);
        }
        ++salt;
      }
    }
  }
  auto store = open_store(dir.path(), /*read_only=*/true);
  const auto lines = must(store->ledger());
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[0].dataset_hash + "/" + lines[0].family, "btc/mr");
  EXPECT_EQ(lines[3].dataset_hash + "/" + lines[3].family, "eth/sma");
  for (std::uint64_t i = 0; i < 4; ++i) EXPECT_EQ(lines[i].trials, (i + 1) * 16);
  const auto entries = must(store->ledger_entries());
  ASSERT_EQ(entries.size(), 4u);
  EXPECT_EQ(entries[3].user, "agent-7");
  EXPECT_EQ(entries[3].sweep_id, "a");
  EXPECT_EQ(entries[3].executions, 64u);
  EXPECT_EQ(entries[3].first, kNow);
}

TEST(Ledger, CountsFailedTrials) {
  TempDir dir;
  auto store = open_store(dir.path());
  const BlockShape shape{.rows = 512, .metrics = 1, .periods = 0};
  must(store->put_sweep(make_sweep("a", 1, shape)));
  const ResultBlock block = make_block(4, 0, shape);
  ASSERT_GT(block.errors.size(), 0u);
  commit_one(*store, commit_of("a", block));
  const auto entries = must(store->ledger_entries());
  EXPECT_EQ(entries.at(0).trials, 512u);
  EXPECT_EQ(entries.at(0).failed, block.errors.size());
  expect_stored(*store, "a", block);
}

TEST(Ledger, FindTellsTheFirstPlace) {
  TempDir dir;
  auto store = must(Store::open(dir.path(), small_runs()));
  for (const char* id : {"a", "b"}) must(store->put_sweep(make_sweep(id, 9)));
  for (std::uint64_t b = 0; b < 6; ++b) {
    const ResultBlock block = make_block(1, b);
    commit_one(*store, commit_of("a", block));
    commit_one(*store, commit_of("b", block));
  }
  const std::vector<TrialKey> keys = {key_of(1, 90), key_of(2, 0), key_of(1, 0), key_of(1, 90)};
  const auto check = [&](const Store& reader) {
    const auto places = must(reader.find(keys));
    ASSERT_EQ(places.size(), 4u);
    EXPECT_EQ(places[0]->sweep_id, "a");
    EXPECT_EQ(places[0]->trial, 90u);
    EXPECT_FALSE(places[1].has_value());
    EXPECT_EQ(places[2]->trial, 0u);
    EXPECT_EQ(places[3]->trial, 90u);
  };
  {
    SCOPED_TRACE("rw");
    check(*store);
  }
  check(*open_store(dir.path(), /*read_only=*/true));
  store.reset();
  check(*open_store(dir.path()));
}

TEST(Alarms, DifferentRepeatOfABlockIsKeptOutAndReported) {
  TempDir dir;
  ResultBlock block = make_block(1, 2);
  {
    auto store = open_store(dir.path());
    must(store->put_sweep(make_sweep("a", 9)));
    commit_one(*store, commit_of("a", block));
    ResultBlock other = block;
    other.metrics[1 * other.rows + 5] += 1e-9;
    const CommitOutcome outcome = commit_one(*store, commit_of("a", other));
    EXPECT_EQ(outcome.kind, CommitKind::Mismatch);
    EXPECT_EQ(outcome.trials_new_to_ledger, 0u);
  }
  auto store = open_store(dir.path());
  expect_stored(*store, "a", block);
  const auto alarms = must(store->alarms());
  ASSERT_EQ(alarms.size(), 1u);
  EXPECT_EQ(alarms[0].time, kNow);
  EXPECT_NE(alarms[0].text.find("block 2 of sweep a"), std::string::npos) << alarms[0].text;
  EXPECT_NE(alarms[0].text.find("trial 37, metric 1"), std::string::npos) << alarms[0].text;
  EXPECT_EQ(must(store->ledger()).at(0).executions, 16u);
}

TEST(Alarms, OneKeyWithTwoResultsIsReported) {
  TempDir dir;
  auto store = must(Store::open(dir.path(), small_runs()));
  for (const char* id : {"a", "b"}) must(store->put_sweep(make_sweep(id, 9)));
  for (std::uint64_t b = 0; b < 4; ++b) {
    const ResultBlock block = make_block(1, b);
    commit_one(*store, commit_of("a", block));
  }
  ResultBlock other = make_block(1, 1);
  other.returns[5 * other.periods] += 1.0f;
  other.metrics[3] += 1.0;
  const CommitOutcome outcome = commit_one(*store, commit_of("b", other));
  EXPECT_EQ(outcome.kind, CommitKind::Fresh);
  const auto alarms = must(store->alarms());
  ASSERT_EQ(alarms.size(), 1u);
  EXPECT_NE(alarms[0].text.find("trial key "), std::string::npos);
  EXPECT_NE(alarms[0].text.find("of sweep a, the other trial"), std::string::npos)
      << alarms[0].text;
  EXPECT_NE(alarms[0].text.find("and 1 more"), std::string::npos) << alarms[0].text;
}

TEST(Alarms, SweepsThatKeepOtherColumnsMayDiffer) {
  TempDir dir;
  auto store = open_store(dir.path());
  const BlockShape narrow{.rows = 16, .metrics = 2, .periods = 0};
  must(store->put_sweep(make_sweep("a", 9)));
  must(store->put_sweep(make_sweep("b", 9, narrow)));
  const ResultBlock wide = make_block(1, 0);
  const ResultBlock thin = make_block(1, 0, narrow);
  commit_one(*store, commit_of("a", wide));
  EXPECT_EQ(commit_one(*store, commit_of("b", thin)).trials_new_to_ledger, 0u);
  EXPECT_TRUE(must(store->alarms()).empty());
}

}  // namespace
}  // namespace winnow::store
