// A coordinator and nodes over CAF on loopback: what a node lacks is there before its lease is.

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>
#include <stdlib.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <map>

#include "actors/client.hpp"
#include "actors/coordinator.hpp"
#include "actors/dataset_courier.hpp"
#include "actors/node.hpp"
#include "store/dataset_store.hpp"

namespace winnow::actors {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMinuteNs = 60'000'000'000;
constexpr DurationNs kPatience = seconds(60);

/// Three days of minutes, of a swing that depends on `seed`.
struct Swing {
  explicit Swing(int seed) {
    constexpr int kBars = 3 * 1440;
    for (int i = 0; i < kBars; ++i) {
      const double px = 100 + 5 * std::sin(0.01 * seed * i) + std::sin(0.37 * i);
      time.push_back(std::int64_t{19'000} * 1440 * kMinuteNs + i * kMinuteNs);
      open.push_back(px);
      close.push_back(px + 0.05);
      high.push_back(px + 0.2);
      low.push_back(px - 0.2);
      volume.push_back(1000);
    }
  }
  MarketView view() const {
    MarketView market;
    market.interval_ns = kMinuteNs;
    market.time_ns = time;
    market.open = open;
    market.high = high;
    market.low = low;
    market.close = close;
    market.volume = volume;
    return market;
  }
  std::vector<std::int64_t> time;
  std::vector<double> open, high, low, close, volume;
};

/// The real runner; counts leases that come before their data.
class WatchedRunner final : public TrialRunner {
 public:
  WatchedRunner(std::unique_ptr<TrialRunner> real, std::shared_ptr<DatasetCourier> courier,
                std::atomic<int>& too_early)
      : real_(std::move(real)), courier_(std::move(courier)), too_early_(too_early) {}
  Status run(const RunRequest& request, std::stop_token stop, const Emit& emit) override {
    const auto& segment = request.plan->segment_of_block(request.first_block);
    const auto here = courier_->held();
    const std::string& data = request.plan->spec().data[segment.dataset].content_hash;
    if (std::find(here.begin(), here.end(), data) == here.end()) ++too_early_;
    return real_->run(request, std::move(stop), emit);
  }

 private:
  std::unique_ptr<TrialRunner> real_;
  std::shared_ptr<DatasetCourier> courier_;
  std::atomic<int>& too_early_;
};

class FarmData : public ::testing::Test {
 protected:
  FarmData() {
    spdlog::set_level(spdlog::level::off);
    std::string name = (fs::temp_directory_path() / "winnow-farm-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    for (int i = 0; i < 3; ++i) add_dataset("sim-" + std::to_string(i), i + 1);
    auto store = store::Store::open(folder_ / "store");
    EXPECT_TRUE(store.ok());
    store_ = std::move(*store);
    CoordinatorContext context;
    context.store = store_.get();
    context.data_dir = folder_ / "data";
    context.catalog = [this] { return catalog(); };
    auto started = CoordinatorProcess::start({}, context);
    EXPECT_TRUE(started.ok()) << started.error().text();
    coordinator_ = std::move(*started);
    client_ = *Client::connect("127.0.0.1", coordinator_->port(), kPatience);
  }
  ~FarmData() override {
    nodes_.clear();
    client_.reset();
    coordinator_.reset();
    store_.reset();
    std::error_code ec;
    fs::remove_all(folder_, ec);
    spdlog::set_level(spdlog::level::info);
  }
  void add_dataset(const std::string& name, int seed) {
    const Swing market(seed);
    store::NewDataset meta;
    meta.name = name;
    meta.instrument = "SIM";
    meta.format = "synth";
    const auto put = store::DatasetStore::open(folder_ / "data")->put(market.view(), meta);
    ASSERT_TRUE(put.ok()) << put.error().text();
    sweeps::DatasetInfo info;
    info.name = name;
    info.content_hash = put->manifest.content_hash;
    info.instrument = "SIM";
    info.interval = DurationNs{kMinuteNs};
    info.first = TimestampNs{market.time.front()};
    info.last = TimestampNs{market.time.back()};
    info.bars = market.time.size();
    datasets_[name] = info;
  }
  sweeps::Catalog catalog() const {
    sweeps::Catalog out;
    for (const auto& [name, info] : datasets_) out.dataset_names.push_back(name);
    out.dataset = [this](std::string_view name) -> std::optional<sweeps::DatasetInfo> {
      const auto found = datasets_.find(std::string(name));
      return found == datasets_.end() ? std::nullopt : std::optional(found->second);
    };
    out.execution_names = {"none"};
    out.execution = [](std::string_view) -> Result<std::string> {
      return std::string("name: none\nsizing: all_in\ninitial_cash: 100000\n");
    };
    return out;
  }
  void add_node(const std::string& name) {
    auto courier =
        std::make_shared<DatasetCourier>(CourierOptions{.data_dir = folder_ / name / "data"});
    NodeOptions options;
    options.port = coordinator_->port();
    options.courier = courier;
    auto engine = make_engine_runner((folder_ / name / "data").string(), courier);
    nodes_.push_back(NodeProcess::start(
        options, std::make_unique<WatchedRunner>(std::move(engine), courier, too_early_)));
  }
  Submit request(const std::string& name, const std::string& data, int priority) const {
    Submit out;
    out.yaml = "sweep: " + name + "\ndata: [" + data +
               "]\nwindow: {}\nexecution: none\nstrategies:\n  - family: mean_reversion\n"
               "    params:\n      lookback_bars: {int: [5, 60]}\n"
               "      entry_z: {float: [0.5, 3.0]}\n"
               "search: {method: random, samples: 4000}\npriority: " +
               std::to_string(priority) + "\n";
    out.file_name = name + ".yaml";
    return out;
  }
  Progress run(const Submit& what) {
    const auto submitted = client_->submit(what, kPatience, [](const Checking&) {});
    EXPECT_TRUE(submitted.ok()) << submitted.error().text();
    const auto last = client_->watch(
        submitted->sweep, what, [](const Progress&) {}, [] { return false; }, kPatience);
    EXPECT_TRUE(last.ok()) << last.error().text();
    return last.ok() ? *last : Progress{};
  }

  fs::path folder_;
  std::map<std::string, sweeps::DatasetInfo> datasets_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<CoordinatorProcess> coordinator_;
  std::unique_ptr<Client> client_;
  std::atomic<int> too_early_ = 0;
  std::vector<std::unique_ptr<NodeProcess>> nodes_;
};

TEST_F(FarmData, IsThereBeforeTheLease) {
  add_node("one");
  add_node("two");
  const Submit many = request("many", "sim-0, sim-1", 0);
  ASSERT_TRUE(client_->submit(many, kPatience, [](const Checking&) {}).ok());
  const Progress urgent = run(request("urgent", "sim-2", 7));
  EXPECT_EQ(state_of(urgent), store::SweepState::Done);
  EXPECT_EQ(urgent.trials_committed, 4000u);
  const Progress last = run(many);
  EXPECT_EQ(state_of(last), store::SweepState::Done);
  EXPECT_EQ(last.trials_committed, 8000u);
  EXPECT_EQ(last.retries + urgent.retries, 0u);
  EXPECT_EQ(too_early_, 0) << "workers had to wait for data";
}

TEST_F(FarmData, F3WhatNobodyCanReadIsWaitedForAndNoFaultOfTrials) {
  const fs::path columns = folder_ / "data" / "columns";
  const fs::path away = folder_ / "away";
  fs::rename(columns, away);
  add_node("one");
  const Submit lost = request("lost", "sim-0", 0);
  std::string waited_for;
  const auto submitted = client_->submit(lost, kPatience, [&](const Checking& word) {
    if (word.waits_for.empty() || !waited_for.empty()) return;
    waited_for = word.waits_for;
    fs::rename(away, columns);
  });
  ASSERT_TRUE(submitted.ok()) << submitted.error().text();
  EXPECT_NE(waited_for.find("dataset sim-0"), std::string::npos) << waited_for;
  const Progress end = run(lost);
  EXPECT_EQ(state_of(end), store::SweepState::Done);
  EXPECT_EQ(end.trials_committed, 4000u);
  EXPECT_EQ(end.blocks_quarantined, 0u);
}

}  // namespace
}  // namespace winnow::actors
