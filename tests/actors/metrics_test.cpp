// What a process says of itself: the store's and the budgets' metrics over a real store, the ages
// and queues of the intake.

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <future>
#include <map>

#include "actors/farm_metrics.hpp"
#include "actors/intake.hpp"
#include "actors/memory_gate.hpp"
#include "sweeps/user_budget.hpp"

namespace winnow::actors {
namespace {

constexpr std::uint32_t kRows = 8;

/// A store in a folder of its own.
class MetricsOfAStore : public ::testing::Test {
 protected:
  MetricsOfAStore() {
    std::string pattern = (std::filesystem::temp_directory_path() / "winnow-metrics-XXXXXX");
    folder_ = ::mkdtemp(pattern.data());
    auto opened = store::Store::open(folder_ / "store");
    EXPECT_TRUE(opened.ok()) << opened.error().text();
    store_ = std::move(*opened);
  }
  ~MetricsOfAStore() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  void put_sweep(const std::string& id) {
    store::SweepMeta meta;
    meta.id = id;
    meta.metric_names = {"sharpe_ann"};
    ASSERT_TRUE(store_->put_sweep(meta).ok());
  }
  /// kRows new trials of a user on a dataset.
  void commit(const std::string& user, const std::string& dataset) {
    ResultBlock block;
    block.block = blocks_++;
    block.rows = kRows;
    block.metric_count = 1;
    for (std::uint32_t row = 0; row < kRows; ++row) {
      block.keys.push_back({block.block + 1, row});
      block.status.push_back(TrialStatus::Ok);
      block.metrics.push_back(row);
    }
    const store::BlockCommit commit{"s", dataset, "family", user, &block};
    ASSERT_TRUE(store_->commit({&commit, 1}, {1}).ok());
  }
  /// The values now, by name and labels.
  std::map<std::string, double> read() const {
    std::map<std::string, double> out;
    for (const MetricFamily& family : book_.read()) {
      for (const MetricPoint& point : family.points) {
        std::string name = family.name;
        for (const auto& [label, value] : point.labels) name += " " + value;
        out[name] = point.histogram != nullptr
                        ? static_cast<double>(point.histogram->observations())
                        : point.value;
        if (point.histogram != nullptr) out[name + " sum"] = point.histogram->sum();
      }
    }
    return out;
  }

  std::filesystem::path folder_;
  MetricsBook book_;
  std::unique_ptr<store::Store> store_;
  std::uint64_t blocks_ = 0;
};

TEST_F(MetricsOfAStore, TellTheSyncApartFromTheWrite) {
  add_store_metrics(book_, *store_);
  put_sweep("s");
  for (int i = 0; i < 5; ++i) commit("ann", "btc");
  const auto now = read();
  EXPECT_EQ(now.at("winnow_store_write_duration_seconds"), 6);
  EXPECT_EQ(now.at("winnow_store_sync_duration_seconds"), 6);
  EXPECT_GT(now.at("winnow_store_sync_duration_seconds sum"), 0);
  EXPECT_LT(now.at("winnow_store_sync_duration_seconds sum"),
            now.at("winnow_store_write_duration_seconds sum"));
}

TEST_F(MetricsOfAStore, CountFilesAndBytesByColumnFamily) {
  add_store_metrics(book_, *store_);
  put_sweep("s");
  for (int i = 0; i < 5; ++i) commit("ann", "btc");
  const auto before = read();
  EXPECT_EQ(before.at("winnow_store_pending_keys"), 5 * kRows);
  EXPECT_GT(before.at("winnow_store_family_memtable_bytes metrics"), 0);
  EXPECT_EQ(before.at("winnow_store_files metrics table"), 0);
  ASSERT_TRUE(store_->compact().ok());
  const auto after = read();
  double bytes = 0;
  for (const char* family : {"meta", "blocks", "metrics", "returns", "keys", "ledger", "alarms",
                             "pending", "points", "exposures"}) {
    bytes += after.at("winnow_store_file_bytes " + std::string(family) + " table");
    EXPECT_TRUE(after.contains("winnow_store_unmerged_files " + std::string(family))) << family;
  }
  EXPECT_EQ(after.at("winnow_store_files metrics table"), 1);
  EXPECT_EQ(after.at("winnow_store_files keys table"), 1);
  EXPECT_EQ(after.at("winnow_store_table_bytes"), bytes);
  EXPECT_EQ(after.at("winnow_store_pending_keys"), 0);
}

TEST_F(MetricsOfAStore, CountOnlyWritesThatFailedForTheStore) {
  add_store_metrics(book_, *store_);
  const ResultBlock block;  // of no sweep
  const store::BlockCommit commit{"none", "btc", "family", "ann", &block};
  EXPECT_FALSE(store_->commit({&commit, 1}, {1}).ok());
  const auto now = read();
  EXPECT_EQ(now.at("winnow_store_writes_refused_total results"), 0);
  EXPECT_EQ(now.at("winnow_store_writes_refused_total records"), 0);
}

// However many sweeps and users there are, the series are the same.
TEST_F(MetricsOfAStore, KeepTheirNumberOfSeries) {
  add_store_metrics(book_, *store_);
  add_budget_metrics(book_, *store_);
  put_sweep("s");
  const std::size_t before = read().size();
  for (int i = 0; i < 50; ++i) {
    put_sweep("sweep-" + std::to_string(i));
    commit("user-" + std::to_string(i), "data-" + std::to_string(i));
    const auto limits = sweeps::limits_to_json({{"", "", 100, "bob", {1}}});
    ASSERT_TRUE(
        store_->put_document(sweeps::kUserBudgetKind, "user-" + std::to_string(i), limits).ok());
  }
  EXPECT_EQ(read().size(), before);
}

TEST_F(MetricsOfAStore, SayHowMuchOfTheBudgetsIsSpent) {
  const auto budget = [&](const std::string& user, std::vector<sweeps::TrialLimit> limits) {
    ASSERT_TRUE(
        store_->put_document(sweeps::kUserBudgetKind, user, sweeps::limits_to_json(limits)).ok());
  };
  put_sweep("s");
  commit("ann", "btc");
  commit("ann", "eth");
  commit("bob", "btc");
  commit("nobody", "btc");
  budget("ann", {{"", "", 100, "root", {1}}, {"eth", "eth", kRows, "root", {1}}});
  budget("bob", {{"btc", "btc", kRows + 1, "root", {1}}, {"eth", "eth", 0, "root", {1}}});
  budget("eve", {{"", "", 10, "root", {1}}});
  ASSERT_TRUE(store_->put_document(sweeps::kUserBudgetKind, "odd", "no budget").ok());
  add_budget_metrics(book_, *store_);
  const auto now = read();
  EXPECT_EQ(now.at("winnow_budget_limits within"), 3);  // ann 16/100, bob 8/9, eve 0/10
  EXPECT_EQ(now.at("winnow_budget_limits near"), 0);
  EXPECT_EQ(now.at("winnow_budget_limits spent"), 2);  // ann 8/8 on eth, bob 0/0
  EXPECT_EQ(now.at("winnow_budget_limits unreadable"), 1);
  EXPECT_EQ(now.at("winnow_budget_trials_limit"), 100 + kRows + kRows + 1 + 10);
  EXPECT_EQ(now.at("winnow_budget_trials_spent"), 2 * kRows + kRows + kRows);
  EXPECT_EQ(now.at("winnow_budget_spent_frac_max"), 1);
}

TEST(MemoryGateLoad, SaysWhatIsHeldAndWhoWaits) {
  constexpr std::uint64_t kMiB = 1 << 20;
  MemoryGate gate(100 * kMiB, {}, [] { return std::uint64_t{0}; });
  EXPECT_EQ(gate.load().held_bytes, 0u);
  auto first = gate.acquire(80 * kMiB, {});
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(gate.load().held_bytes, 80 * kMiB);
  EXPECT_EQ(gate.load().waiting, 0u);
  auto second = std::async(std::launch::async, [&] { return gate.acquire(40 * kMiB, {}).ok(); });
  while (gate.load().waiting == 0) std::this_thread::yield();
  { const auto gone = std::move(*first); }
  EXPECT_TRUE(second.get());
  EXPECT_EQ(gate.load().waiting, 0u);
}

}  // namespace
}  // namespace winnow::actors
