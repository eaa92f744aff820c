// The ledger's head beside the store: an older copy of the store does not make the ledger forget.
#include "store/ledger_head.hpp"

#include <signal.h>
#include <sys/resource.h>

#include <chrono>
#include <fstream>
#include <sstream>

#include "child.hpp"
#include "store/ledger.hpp"
#include "store_fixture.hpp"
#include "tests/support/eventually.hpp"

namespace winnow::store {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kPlanBlocks = 8;
constexpr std::uint64_t kRows = BlockShape{}.rows;
constexpr std::uint64_t kPlanTrials = kPlanBlocks * kRows;
const auto kSilent = [](std::string_view) {};

std::string text_of_file(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

void put_file(const fs::path& file, std::string_view text) {
  std::ofstream(file, std::ios::binary | std::ios::trunc) << text;
}

void commit_blocks(Store& store, const std::string& sweep, std::uint64_t first, std::uint64_t end,
                   std::uint64_t salt = 1) {
  for (std::uint64_t b = first; b < end; ++b) {
    const ResultBlock block = make_block(salt, b);
    commit_one(store, commit_of(sweep, block));
  }
}

std::uint64_t trials_of(const Store& store) { return must(store.ledger_stamp()).trials; }

std::string verdict(const fs::path& dir) {
  const Status verified = open_store(dir, true)->verify(kSilent);
  return verified.ok() ? "whole" : verified.error().text();
}

bool says(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

/// A store whose sweep has `kept` blocks, put back after `made` were there.
void put_older_copy_back(const fs::path& dir, std::uint64_t kept, std::uint64_t made) {
  const fs::path copy = dir.string() + "-older";
  {
    auto store = open_store(dir);
    must(store->put_sweep(make_sweep("s", kPlanBlocks)));
    commit_blocks(*store, "s", 0, kept);
    must(store->backup(copy));
    commit_blocks(*store, "s", kept, made);
  }
  fs::remove_all(dir);
  fs::rename(copy, dir);
}

TEST(LedgerHead, SaysWhatWasWritten) {
  const LedgerBirth birth = new_ledger_birth({1'700'000'000});
  EXPECT_NE(new_ledger_birth({1}).id, birth.id);
  std::vector<LedgerEntry> entries(3);
  entries[0] = {"zz", "family", "sweep", "user", 7, 9, 1, {-5}, {6}, {1, 2, 0}};
  entries[1] = {"", "a b%\n", "\xff\x01", "\xc3\xa4nn", ~0ull, ~0ull, 0, {0}, {INT64_MAX}};
  entries[2] = {"b", "", "", "", 0, 0, 0, {}, {}};
  const std::string text = ledger_head_text(birth, entries);
  const LedgerHead head = must(parse_ledger_head(text));
  EXPECT_EQ(head.birth.id, birth.id);
  EXPECT_EQ(head.birth.born.ns, 1'700'000'000);
  EXPECT_EQ(head.hash, ledger_head_hash(birth, entries));
  ASSERT_EQ(head.entries.size(), 3u);
  EXPECT_EQ(head.entries[0].family, "a b%\n");
  EXPECT_EQ(head.entries[0].sweep_id, "\xff\x01");
  EXPECT_EQ(head.entries[0].trials, ~0ull);
  EXPECT_EQ(head.entries[2].first.ns, -5);
  EXPECT_EQ(head.entries[2].unbacked, UnbackedCounts{}) << "is of a store, not of the ledger";
  std::swap(entries[0], entries[1]);
  EXPECT_EQ(ledger_head_text(birth, entries), text) << "whatever their order";
  ++entries[1].executions;
  EXPECT_NE(ledger_head_hash(birth, entries), head.hash);
}

TEST(LedgerHead, EveryDamageIsNoticed) {
  std::vector<LedgerEntry> entries(2);
  entries[0] = {"d", "f", "s", "u", 7, 9, 1, {5}, {6}};
  entries[1] = {"d", "f", "t", "u", 1, 2, 0, {5}, {6}};
  const std::string text = ledger_head_text(new_ledger_birth({1}), entries);
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string damaged = text;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    EXPECT_FALSE(parse_ledger_head(damaged).ok()) << "byte " << i;
    EXPECT_FALSE(parse_ledger_head(text.substr(0, i)).ok()) << i << " bytes";
  }
}

TEST(LedgerHead, ThatCannotBeWrittenLeavesTheOldOneWhole) {
  TempDir dir;
  const fs::path file = dir.path() / "store.ledger";
  must(write_ledger_head(file, "old", HeadSync::Yes));
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = 100;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const Status written = write_ledger_head(file, std::string(5000, 'x'), HeadSync::Yes);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  ::signal(SIGXFSZ, handler);
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().code(), ErrorCode::Io);
  EXPECT_TRUE(says(written.error().text(), file.string())) << written.error().text();
  EXPECT_EQ(text_of_file(file), "old");
  EXPECT_FALSE(fs::exists(file.string() + ".making"));
}

TEST(LedgerHead, KilledWhileItIsWrittenIsOldOrNew) {
  TempDir dir;
  const fs::path file = dir.path() / "store.ledger";
  Rng rng(20261130);
  std::uint64_t last = 0;
  for (int kill = 0; kill < 20; ++kill) {
    Child child({"head", file.string(), std::to_string(last + 1)});
    std::uint64_t acknowledged = last;
    for (std::uint64_t n = 1 + rng.below(20); n > 0; --n) {
      const std::string line = child.line();
      ASSERT_TRUE(line.starts_with("written ")) << line;
      acknowledged = std::stoull(line.substr(8));
    }
    child.kill_now();
    child.wait();
    const LedgerHead head = must(parse_ledger_head(text_of_file(file)));
    ASSERT_FALSE(head.entries.empty());
    EXPECT_GE(head.entries.front().trials, acknowledged);
    last = head.entries.front().trials;
  }
}

TEST(LedgerHead, IsWrittenWhileCommitsRunAndWhenTheStoreCloses) {
  TempDir dir;
  const fs::path file = ledger_head_file(dir.path() / "store");
  EXPECT_EQ(file, dir.path() / "store.ledger");
  auto store = open_store(dir.path() / "store");
  const LedgerStamp first = must(store->ledger_stamp());
  EXPECT_EQ(must(parse_ledger_head(text_of_file(file))).birth.id, first.birth.id);
  must(store->put_sweep(make_sweep("s", kPlanBlocks)));
  commit_blocks(*store, "s", 0, 2);
  const auto head_trials = [&] {
    const auto head = must(parse_ledger_head(text_of_file(file)));
    return head.entries.empty() ? 0 : head.entries.front().trials;
  };
  EXPECT_TRUE(tests::eventually(std::chrono::seconds(30), [&] {
    return head_trials() == 2 * kRows;
  })) << "a head lags by about a second";
  commit_blocks(*store, "s", 2, 5);
  const LedgerStamp last = must(store->ledger_stamp());
  store.reset();
  const LedgerHead head = must(parse_ledger_head(text_of_file(file)));
  EXPECT_EQ(head.entries.front().trials, 5 * kRows);
  EXPECT_EQ(head.hash, last.head) << "what verdicts say";
  const LedgerStamp read = must(open_store(dir.path() / "store", true)->ledger_stamp());
  EXPECT_EQ(read.head, last.head);
  EXPECT_EQ(read.birth.id, first.birth.id);
  EXPECT_EQ(read.trials, 5 * kRows);
  EXPECT_EQ(read.entries, 1u);
}

TEST(LedgerHead, WithoutAPlaceFailsNoCommitAndIsSaid) {
  TempDir dir;
  const fs::path path = dir.path() / "store";
  { const auto made = open_store(path); }
  const fs::path in_the_way = ledger_head_file(path).string() + ".making";
  fs::create_directories(in_the_way / "a folder");
  {
    auto store = open_store(path);
    must(store->put_sweep(make_sweep("s", kPlanBlocks)));
    commit_blocks(*store, "s", 0, 3);
    EXPECT_EQ(trials_of(*store), 3 * kRows);
    EXPECT_TRUE(tests::eventually(std::chrono::seconds(30),
                                  [&] { return store->health().ledger_heads_refused > 0; }));
    const StoreHealth health = store->health();
    EXPECT_GT(health.ledger_heads_refused, 0u);
    EXPECT_TRUE(says(health.ledger_head_trouble, "store.ledger")) << health.ledger_head_trouble;
  }
  fs::remove_all(in_the_way);
  auto store = open_store(path);
  EXPECT_EQ(store->health().ledger_head_trouble, "");
  EXPECT_EQ(must(parse_ledger_head(text_of_file(ledger_head_file(path)))).entries.size(), 1u);
}

TEST(LedgerUnion, OlderCopyOfTheStoreTakesBackWhatTheHeadSays) {
  TempDir dir;
  const fs::path path = dir.path() / "store";
  put_older_copy_back(path, 3, 6);
  // Nobody who only reads is told less, and verify names the entry and both numbers.
  EXPECT_EQ(trials_of(*open_store(path, true)), 6 * kRows);
  const std::string shrunk = verdict(path);
  EXPECT_TRUE(says(shrunk,
                   "the ledger shrank: mr on dataset btc, sweep s, user ann has 48 trials "
                   "in 48 executions, but "))
      << shrunk;
  EXPECT_TRUE(says(shrunk, "says 96 trials in 96 executions")) << shrunk;
  {
    auto store = open_store(path);
    EXPECT_EQ(trials_of(*store), 6 * kRows);
    const auto entry = must(store->ledger_entries()).at(0);
    EXPECT_EQ(entry.unbacked.trials, 3 * kRows);
    EXPECT_EQ(entry.unbacked.executions, 3 * kRows);
    const auto records = must(store->document_keys(Store::kJoinKind));
    ASSERT_EQ(records.size(), 1u);
    const std::string record = *must(store->document(Store::kJoinKind, records[0]));
    EXPECT_TRUE(says(record, "\"trials\":48")) << record;
    must(store->verify(kSilent));
  }
  EXPECT_EQ(verdict(path), "whole");
  // The same sweep again, in full: its trials come back and are not new ones.
  {
    auto store = open_store(path);
    EXPECT_EQ(must(store->document_keys(Store::kJoinKind)).size(), 1u) << "nothing to take back";
    commit_blocks(*store, "s", 3, kPlanBlocks);
    const auto entry = must(store->ledger_entries()).at(0);
    EXPECT_EQ(entry.trials, kPlanTrials);
    EXPECT_EQ(entry.executions, kPlanTrials);
    EXPECT_EQ(entry.unbacked, UnbackedCounts{});
    must(store->verify(kSilent));
  }
  EXPECT_EQ(verdict(path), "whole");
}

TEST(LedgerUnion, LostTrialsAreNeverTakenForOthersThatAreNew) {
  TempDir dir;
  const fs::path path = dir.path() / "store";
  put_older_copy_back(path, 0, 4);
  auto store = open_store(path);
  // The four blocks that were lost are not among these: eight were made by now.
  commit_blocks(*store, "s", 4, 8);
  EXPECT_EQ(trials_of(*store), kPlanTrials);
  commit_blocks(*store, "s", 0, 4);
  EXPECT_EQ(trials_of(*store), kPlanTrials) << "as many as the plan has";
  EXPECT_EQ(must(store->ledger_entries()).at(0).unbacked, UnbackedCounts{});
  must(store->verify(kSilent));
}

TEST(LedgerUnion, StoreThatIsGoneLeavesItsLedger) {
  TempDir dir;
  const fs::path path = dir.path() / "store";
  std::string id;
  {
    auto store = open_store(path);
    must(store->put_sweep(make_sweep("s", kPlanBlocks)));
    commit_blocks(*store, "s", 0, 5);
    id = must(store->ledger_stamp()).birth.id;
  }
  fs::remove_all(path);
  auto store = open_store(path);
  EXPECT_EQ(trials_of(*store), 5 * kRows);
  EXPECT_EQ(must(store->ledger_stamp()).birth.id, id);
  must(store->verify(kSilent));
}

TEST(LedgerUnion, HeadOfAnotherLedgerIsNamedAndJoined) {
  TempDir dir;
  const fs::path path = dir.path() / "store";
  const fs::path other = dir.path() / "other";
  for (const fs::path& at : {path, other}) {
    auto store = open_store(at);
    const std::string sweep = at.filename().string();
    must(store->put_sweep(make_sweep(sweep, kPlanBlocks)));
    commit_blocks(*store, sweep, 0, at == path ? 2 : 3, at == path ? 1 : 2);
  }
  fs::remove_all(path);
  fs::rename(other, path);
  EXPECT_TRUE(says(verdict(path), "is that of another ledger")) << verdict(path);
  { EXPECT_EQ(trials_of(*open_store(path)), 5 * kRows); }
  EXPECT_EQ(verdict(path), "whole");
  bool aside = false;
  for (const auto& entry : fs::directory_iterator(dir.path())) {
    aside = aside || entry.path().filename().string().starts_with("store.ledger.of-");
  }
  EXPECT_TRUE(aside);
}

TEST(LedgerUnion, DamagedHeadIsNamedAndPutAside) {
  TempDir dir;
  const fs::path path = dir.path() / "store";
  {
    auto store = open_store(path);
    must(store->put_sweep(make_sweep("s", kPlanBlocks)));
    commit_blocks(*store, "s", 0, 2);
  }
  std::string text = text_of_file(ledger_head_file(path));
  text[text.find(" 32 ") + 1] = '1';
  put_file(ledger_head_file(path), text);
  EXPECT_TRUE(says(verdict(path), "store.ledger is damaged (its checksum")) << verdict(path);
  EXPECT_EQ(trials_of(*open_store(path, true)), 2 * kRows);
  { EXPECT_EQ(trials_of(*open_store(path)), 2 * kRows); }
  EXPECT_EQ(verdict(path), "whole");
  EXPECT_EQ(text_of_file(ledger_head_file(path).string() + ".damaged"), text);
}

TEST(LedgerUnion, JoiningTwiceIsJoiningOnce) {
  TempDir dir;
  auto here = open_store(dir.path() / "here");
  auto there = open_store(dir.path() / "there");
  for (Store* store : {here.get(), there.get()}) {
    must(store->put_sweep(make_sweep("s", kPlanBlocks)));
    commit_blocks(*store, "s", 0, store == here.get() ? 2 : 5);
    const CountedTrial shown{key_of(77, store == here.get() ? 0 : 1), "btc", "mr", "ann"};
    EXPECT_TRUE(must(store->count_backtest(shown, kNow)));
  }
  const LedgerBirth from = must(there->ledger_stamp()).birth;
  const auto join = [](Store& into, Store& other) {
    return must(into.join_ledger(must(other.ledger_stamp()).birth, must(other.ledger_entries()),
                                 "a test", kNow));
  };
  const LedgerJoin joined = join(*here, *there);
  EXPECT_EQ(joined.entries_raised, 1u);
  EXPECT_EQ(joined.entries_new, 1u) << "its backtests stay apart";
  EXPECT_EQ(joined.trials, 3 * kRows + 1);
  EXPECT_EQ(trials_of(*here), 5 * kRows + 2);
  const std::string head = must(here->ledger_stamp()).head;
  EXPECT_FALSE(join(*here, *there).changed());
  EXPECT_EQ(must(here->ledger_stamp()).head, head);
  // And back: each knows its own.
  join(*there, *here);
  EXPECT_EQ(trials_of(*there), trials_of(*here));
  EXPECT_FALSE(join(*here, *there).changed());
  for (const LedgerEntry& e : must(here->ledger_entries())) {
    if (e.sweep_id != "s") {
      EXPECT_TRUE(counts_backtests(e.sweep_id)) << e.sweep_id;
    }
    if (e.sweep_id == "backtest/" + from.id) {
      EXPECT_EQ(e.trials, 1u);
    }
  }
  must(here->verify(kSilent));
  must(there->verify(kSilent));
}

TEST(Backtests, CountOnceWhoeverMadeTheTrialFirst) {
  TempDir dir;
  const fs::path path = dir.path() / "store";
  StoreOptions options;
  options.index_run_keys = 20;
  {
    auto store = must(Store::open(path, options));
    must(store->put_sweep(make_sweep("s", kPlanBlocks)));
    commit_blocks(*store, "s", 0, 2);
    const CountedTrial known{key_of(1, 3), "btc", "mr", "ann"};
    EXPECT_FALSE(must(store->count_backtest(known, kNow))) << "a sweep made it";
    CountedTrial fresh{key_of(1, 2 * kRows), "btc", "mr", "ann"};
    EXPECT_TRUE(must(store->count_backtest(fresh, kNow)));
    fresh.status = TrialStatus::Failed;
    EXPECT_FALSE(must(store->count_backtest(fresh, kNow)));
    EXPECT_EQ(must(store->count_new({&fresh.key, 1})), 0u);
    EXPECT_FALSE(must(store->find({&fresh.key, 1})).at(0).has_value()) << "nothing is kept of it";
    // The sweep comes to the same trial: it is no new one, and contradicts nothing.
    const ResultBlock block = make_block(1, 2);
    EXPECT_EQ(commit_one(*store, commit_of("s", block)).trials_new_to_ledger, kRows - 1);
    EXPECT_TRUE(must(store->alarms()).empty());
    EXPECT_EQ(trials_of(*store), 3 * kRows);
    must(store->verify(kSilent));
  }
  EXPECT_EQ(verdict(path), "whole");
  auto store = must(Store::open(path, options));
  for (const LedgerEntry& e : must(store->ledger_entries())) {
    if (e.sweep_id != kBacktestSweep) continue;
    EXPECT_EQ(e.trials, 1u);
    EXPECT_EQ(e.executions, 3u);
    EXPECT_EQ(e.failed, 1u);
  }
  commit_blocks(*store, "s", 3, kPlanBlocks);
  must(store->compact());
  must(store->delete_sweep("s", {"ann", kNow, {}}));
  EXPECT_EQ(trials_of(*store), kPlanTrials);
  must(store->verify(kSilent));
}

TEST(Backtests, NeedAStoreThatCanBeWritten) {
  TempDir dir;
  { const auto made = open_store(dir.path() / "store"); }
  auto reader = open_store(dir.path() / "store", true);
  const auto counted = reader->count_backtest({key_of(1, 1), "btc", "mr", "ann"}, kNow);
  ASSERT_FALSE(counted.ok());
  EXPECT_EQ(counted.error().code(), ErrorCode::Refused);
}

}  // namespace
}  // namespace winnow::store
