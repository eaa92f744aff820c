// Budgets of users and deletion where sweeps are taken up: what would be charged is refused before
// the sweep is on record.

#include "actors/sweep_registry.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "tests/actors/sweeps_in_memory.hpp"

namespace winnow::actors {
namespace {

constexpr TimestampNs kNow{1'700'000'000'000'000'000};

/// What the store knows, in memory: sweeps, committed blocks, the ledger's keys and lines, budgets.
class Book final : public SweepsInMemory {
 public:
  Status delete_sweep(std::string_view id, const std::string&, TimestampNs now) override {
    store::SweepMeta& meta = sweeps_.at(std::string(id));
    meta.state = store::SweepState::Deleted;
    meta.finished = now;
    committed_.erase(std::string(id));
    return {};
  }
  Result<std::vector<bool>> committed(std::string_view id, std::uint64_t blocks) const override {
    std::vector<bool> out(blocks);
    const auto found = committed_.find(std::string(id));
    if (found == committed_.end()) return out;
    for (const std::uint64_t block : found->second) out[block] = true;
    return out;
  }
  Result<ResultBlock> outcomes(std::string_view, std::uint64_t) const override {
    return Error(ErrorCode::NotFound, "nothing here learns");
  }
  Result<std::optional<std::string>> user_budget(const std::string& user) const override {
    const auto found = budgets.find(user);
    if (found == budgets.end()) return std::optional<std::string>();
    return std::optional(found->second);
  }
  Result<std::vector<store::LedgerEntry>> ledger_entries() const override {
    std::vector<store::LedgerEntry> out;
    for (const auto& [place, trials] : trials_) {
      store::LedgerEntry entry;
      entry.dataset_hash = kSimHash;
      std::tie(entry.sweep_id, entry.user) = place;
      entry.trials = trials;
      out.push_back(entry);
    }
    return out;
  }
  Result<std::uint64_t> new_trials(std::span<const TrialKey> keys) const override {
    const std::set<TrialKey> distinct(keys.begin(), keys.end());
    return static_cast<std::uint64_t>(std::count_if(
        distinct.begin(), distinct.end(), [&](const TrialKey& k) { return !keys_.contains(k); }));
  }
  Result<bool> checked(const Hash128&) const override { return false; }
  Status put_checked(const Hash128&) override { return {}; }
  Status put_generation(const std::string&, const std::string&) override { return {}; }
  Result<std::optional<std::string>> generation(const std::string&) const override {
    return std::optional<std::string>();
  }

  void commit(SweepRegistry& registry, ActiveSweep& sweep, std::uint64_t block) {
    const auto range = sweep.plan->block_range(block);
    const auto params = sweep.plan->params(range.first_trial, range.rows);
    const std::size_t width = params.size() / range.rows;
    for (std::uint32_t row = 0; row < range.rows; ++row) {
      const auto key = sweep.plan->ledger_key(block, std::span(params).subspan(row * width, width));
      trials_[{sweep.meta.id, sweep.meta.user}] += keys_.insert(key).second ? 1 : 0;
    }
    committed_[sweep.meta.id].insert(block);
    registry.count_committed(sweep, block);
  }
  std::uint64_t spent() const {
    std::uint64_t out = 0;
    for (const auto& [place, trials] : trials_) out += trials;
    return out;
  }

  std::map<std::string, std::string> budgets;

 private:
  std::map<std::string, std::set<std::uint64_t>> committed_;
  std::set<TrialKey> keys_;
  std::map<std::pair<std::string, std::string>, std::uint64_t> trials_;
};

struct Wanted {
  std::string user = "ann";
  int samples = 500;
  int seed = 3;
  std::string more = {};
};

class SweepRegistryOf : public testing::Test {
 protected:
  Result<ActiveSweep*> submit(const Wanted& wanted) {
    const std::string yaml = R"(sweep: budgeted
data: [sim]
window: {}
execution: none
strategies:
  - family: mean_reversion
    params:
      lookback_bars: {int: [2, 200]}
      entry_z: {float: [0.5, 4.0]}
search: {method: random, samples: )" +
                             std::to_string(wanted.samples) +
                             "}\nseed: " + std::to_string(wanted.seed) + "\n" + wanted.more;
    auto plan = registry.plan({.yaml = yaml, .file_name = "b.yaml"});
    if (!plan) return plan.error();
    return registry.submit(*std::move(plan), {.user = wanted.user}, kNow);
  }
  ActiveSweep& accepted(const Wanted& wanted) {
    const auto sweep = submit(wanted);
    EXPECT_TRUE(sweep) << sweep.error().text();
    return **sweep;
  }
  void allow(const std::string& user, std::uint64_t trials, const std::string& hash = "") {
    const std::string name = hash.empty() ? "" : "sim";
    book.budgets[user] = sweeps::limits_to_json({{hash, name, trials, "operator", kNow}});
  }
  void commit_all(ActiveSweep& sweep) {
    for (std::uint64_t b = 0; b < sweep.plan->blocks(); ++b) book.commit(registry, sweep, b);
    ASSERT_TRUE(registry.set_state(sweep, store::SweepState::Done, kNow));
  }
  static void expect_refused(const Result<ActiveSweep*>& answer,
                             const std::vector<std::string>& parts) {
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code(), ErrorCode::Refused) << answer.error().text();
    for (const std::string& part : parts) {
      EXPECT_NE(answer.error().text().find(part), std::string::npos)
          << part << " in: " << answer.error().text();
    }
  }

  Book book;
  SweepRegistry registry{book, catalog_of_sim};
};

TEST_F(SweepRegistryOf, AUserWithABudgetRefusesASweepThatIsTooBigBeforeItIsOnRecord) {
  allow("ann", 499);
  expect_refused(submit({}), {"'ann'", "499 trials", "0 are spent", "500 are asked for"});
  EXPECT_TRUE(book.sweeps()->empty());
  EXPECT_TRUE(registry.all().empty());
  EXPECT_TRUE(submit({.user = "bob"})) << "others have no budget";
  allow("ann", 500);
  EXPECT_TRUE(submit({.seed = 4}));
}

TEST_F(SweepRegistryOf, AUserCountsTheBudgetOfOneDatasetApart) {
  allow("ann", 10, "another dataset");
  EXPECT_TRUE(submit({}));
  allow("ann", 10, kSimHash);
  expect_refused(submit({.seed = 4}), {"on dataset sim"});
}

TEST_F(SweepRegistryOf, AUserReservesWhatSweepsThatRunWillStillMake) {
  allow("ann", 900);
  ActiveSweep& first = accepted({});
  expect_refused(submit({.seed = 4}), {"500 are reserved", "500 are asked for"});
  book.commit(registry, first, 0);
  const std::uint64_t made = first.plan->block_range(0).rows;
  expect_refused(submit({.seed = 4}), {std::to_string(made) + " are spent",
                                       std::to_string(500 - made) + " are reserved"});
  // A cancelled one is charged what was evaluated, and no more.
  ASSERT_TRUE(registry.set_state(first, store::SweepState::Cancelled, kNow));
  EXPECT_EQ(book.spent(), made);
  EXPECT_TRUE(submit({.seed = 4}));
  // Now there is no room for what was cancelled to go on.
  expect_refused(submit({}), {std::to_string(500 - made) + " are asked for"});
  const Status resumed = registry.may_go_on(first, "ann");
  ASSERT_FALSE(resumed);
  EXPECT_EQ(resumed.error().code(), ErrorCode::Refused);
  allow("ann", 1000);
  EXPECT_TRUE(registry.may_go_on(first, "ann"));
}

TEST_F(SweepRegistryOf, AUserPaysNothingForTrialsThatWereMadeBefore) {
  commit_all(accepted({.user = "bob"}));
  allow("ann", 100);
  const auto again = submit({});
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_EQ((*again)->meta.user, "bob") << "the same sweep is found";
  // Another sweep whose first trials are the same ones: only the others are new.
  expect_refused(submit({.samples = 700}), {"200 are asked for"});
  allow("ann", 200);
  EXPECT_TRUE(submit({.samples = 700}));
}

TEST_F(SweepRegistryOf, AUserWithABudgetCannotLetOthersPay) {
  ActiveSweep& theirs = accepted({.user = "bob", .more = "budget: {trials: 200}\n"});
  allow("ann", 100'000);
  const Control more{.sweep = theirs.meta.id, .more_trials = 100};
  expect_refused(registry.extend(theirs, more, "ann", kNow), {"charged to user 'bob'", "'ann'"});
  EXPECT_TRUE(registry.extend(theirs, more, "bob", kNow));
}

TEST_F(SweepRegistryOf, AUserIsHeldToTheBudgetWhenASweepIsExtended) {
  allow("ann", 300);
  ActiveSweep& sweep = accepted({.more = "budget: {trials: 200}\n"});
  const std::string before = book.sweep(sweep.meta.id)->value().spec_json;
  expect_refused(registry.extend(sweep, {.sweep = sweep.meta.id, .more_trials = 250}, "ann", kNow),
                 {"300 trials", "are asked for"});
  EXPECT_EQ(book.sweep(sweep.meta.id)->value().spec_json, before);
  EXPECT_TRUE(registry.extend(sweep, {.sweep = sweep.meta.id, .more_trials = 100}, "ann", kNow));
}

TEST_F(SweepRegistryOf, AUserWhoseBudgetCannotBeReadMakesNothing) {
  book.budgets["ann"] = "{\"limits\":";
  const auto answer = submit({});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code(), ErrorCode::Corrupt);
  EXPECT_TRUE(book.sweeps()->empty());
}

TEST_F(SweepRegistryOf, DeletedSweepsRunAgainAndThoseThatRunAreKept) {
  ActiveSweep& sweep = accepted({});
  const std::string id = sweep.meta.id;
  const Status busy = registry.remove(id, "ann", kNow);
  ASSERT_FALSE(busy);
  EXPECT_EQ(busy.error().code(), ErrorCode::Refused);
  EXPECT_NE(busy.error().text().find("winnow sweep cancel"), std::string::npos);
  commit_all(sweep);
  ASSERT_TRUE(registry.remove(id, "ann", kNow));
  EXPECT_EQ(registry.find(id), nullptr);
  EXPECT_EQ(registry.find_or_load(id).error().code(), ErrorCode::NotFound);
  ASSERT_TRUE(registry.load_unfinished());
  EXPECT_TRUE(registry.all().empty());
  // It is planned anew, and no trial of it is a new one.
  allow("ann", 500);
  ActiveSweep& again = accepted({});
  EXPECT_EQ(again.meta.id, id);
  EXPECT_EQ(again.trials_committed, 0u);
  commit_all(again);
  EXPECT_EQ(book.spent(), 500u);
  EXPECT_EQ(registry.remove("no such sweep", "ann", kNow).error().code(), ErrorCode::NotFound);
}

}  // namespace
}  // namespace winnow::actors
