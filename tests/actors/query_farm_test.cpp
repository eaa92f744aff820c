// Questions to a real coordinator over CAF on loopback: lanes, and askers who go.

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>
#include <stdlib.h>

#include <condition_variable>
#include <filesystem>
#include <future>
#include <mutex>

#include "actors/client.hpp"
#include "actors/codec.hpp"
#include "actors/coordinator.hpp"
#include "actors/metrics_book.hpp"
#include "actors/wire.hpp"
#include "tests/support/eventually.hpp"

namespace winnow::actors {
namespace {

namespace fs = std::filesystem;

constexpr DurationNs kLong = seconds(60);
constexpr std::chrono::seconds kInTheEnd{60};

class QueryFarm : public ::testing::Test {
 protected:
  QueryFarm() {
    spdlog::set_level(spdlog::level::off);
    std::string name = (fs::temp_directory_path() / "winnow-lanes-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    auto store = store::Store::open(folder_ / "store");
    EXPECT_TRUE(store.ok());
    store_ = std::move(*store);
    CoordinatorContext context;
    context.store = store_.get();
    context.metrics = &metrics_;
    context.data_dir = folder_ / "data";
    context.catalog = [] { return sweeps::Catalog(); };
    context.question_kind = [](std::string_view question) -> QuestionKind {
      if (question == "list") return {QuestionCost::Cheap, QuestionEffect::Reads};
      if (question == "count") return {QuestionCost::Cheap, QuestionEffect::Records};
      return {QuestionCost::Heavy, QuestionEffect::Reads};
    };
    context.query = [this](std::string_view question, std::string_view args,
                           const cluster::Principal&,
                           const std::stop_token& stop) { return answer(question, args, stop); };
    auto started = CoordinatorProcess::start({}, context);
    EXPECT_TRUE(started.ok()) << started.error().text();
    coordinator_ = std::move(*started);
  }
  ~QueryFarm() override {
    coordinator_.reset();
    store_.reset();
    std::error_code ec;
    fs::remove_all(folder_, ec);
    spdlog::set_level(spdlog::level::info);
  }
  std::unique_ptr<Client> client() {
    return *Client::connect("127.0.0.1", coordinator_->port(), kLong);
  }
  /// A heavy question waits for the test's word, or for being told to stop.
  Result<std::string> answer(std::string_view question, std::string_view args,
                             const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    if (question == "converge") {
      ++begun_;
      changed_.notify_all();
      changed_.wait(lock, stop, [&] { return open_; });
      stopped_ += stop.stop_requested() ? 1 : 0;
    }
    return std::string(question) + std::string(args);
  }
  void await_begun(int times) {
    std::unique_lock lock(mutex_);
    ASSERT_TRUE(changed_.wait_for(lock, kInTheEnd, [&] { return begun_ == times; }));
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  int stopped() {
    const std::lock_guard lock(mutex_);
    return stopped_;
  }
  /// Of the desk, all its series together; the coordinator says it once a second.
  double metric(const std::string& name) const {
    double sum = 0;
    for (const MetricFamily& family : metrics_.read()) {
      if (family.name != "winnow_actors_" + name) continue;
      for (const MetricPoint& point : family.points) sum += point.value;
    }
    return sum;
  }
  int begun() {
    const std::lock_guard lock(mutex_);
    return begun_;
  }

  fs::path folder_;
  std::unique_ptr<store::Store> store_;
  MetricsBook metrics_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  int begun_ = 0;
  int stopped_ = 0;
  bool open_ = false;
  std::unique_ptr<CoordinatorProcess> coordinator_;
};

TEST_F(QueryFarm, AListIsAnsweredBesideAConvergence) {
  auto heavy =
      std::async(std::launch::async, [&] { return client()->query("converge", "{}", kLong); });
  await_begun(1);
  const auto asks = client();
  for (int i = 0; i < 20; ++i) {
    const auto list = asks->query("list", "{\"limit\":" + std::to_string(i) + "}", kLong);
    ASSERT_TRUE(list.ok()) << list.error().text();
    EXPECT_EQ(*list, "list{\"limit\":" + std::to_string(i) + "}");
  }
  EXPECT_EQ(heavy.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  open();
  EXPECT_EQ(*heavy.get(), "converge{}");
}

TEST_F(QueryFarm, TwoWhoAskTheSameGetOneAnswer) {
  const auto ask = [&] { return client()->query("converge", "{}", kLong); };
  auto first = std::async(std::launch::async, ask);
  await_begun(1);
  auto second = std::async(std::launch::async, ask);
  EXPECT_TRUE(tests::eventually(kInTheEnd, [&] { return metric("query_shared_total") == 1; }));
  open();
  EXPECT_EQ(*first.get(), "converge{}");
  EXPECT_EQ(*second.get(), "converge{}");
  EXPECT_EQ(begun(), 1);
}

TEST_F(QueryFarm, WhoGivesUpStopsTheirQuestion) {
  const auto impatient = client();
  const auto late = impatient->query("converge", "{}", milliseconds(1));
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().code(), ErrorCode::Unavailable);
  // The gate is shut: it began and was stopped, or it was taken back before it began.
  const auto list = impatient->query("list", "{}", kLong);
  ASSERT_TRUE(list.ok());
  EXPECT_TRUE(tests::eventually(kInTheEnd, [&] { return stopped() == begun(); }));
  // The lane is free again.
  auto next = std::async(std::launch::async,
                         [&] { return client()->query("converge", "{\"by\":2}", kLong); });
  EXPECT_TRUE(tests::eventually(kInTheEnd, [&] { return begun() == stopped() + 1; }));
  open();
  EXPECT_TRUE(next.get().ok());
}

TEST_F(QueryFarm, WhoIsGoneStopsTheirQuestion) {
  {
    SystemConfig config;
    caf::actor_system system(config);
    caf::scoped_actor self(system);
    auto coordinator = system.middleman().remote_actor("127.0.0.1", coordinator_->port());
    ASSERT_TRUE(coordinator);
    self->send(*coordinator, encode(Query{"converge", "{}"}, 1));
    self->send(*coordinator, encode(Query{"converge", "{\"by\":1}"}, 2));
    await_begun(1);
  }
  EXPECT_TRUE(tests::eventually(kInTheEnd, [&] { return stopped() == 1; }));
  auto next = std::async(std::launch::async,
                         [&] { return client()->query("converge", "{\"by\":2}", kLong); });
  await_begun(2);  // the one that waited was dropped
  EXPECT_TRUE(tests::eventually(kInTheEnd, [&] { return metric("query_dropped_total") == 2; }));
  open();
  EXPECT_EQ(*next.get(), "converge{\"by\":2}");
}

TEST_F(QueryFarm, TheCoordinatorsEndStopsWhatIsUnderWay) {
  auto heavy =
      std::async(std::launch::async, [&] { return client()->query("converge", "{}", seconds(3)); });
  await_begun(1);
  coordinator_.reset();
  EXPECT_EQ(stopped(), 1);
  EXPECT_FALSE(heavy.get().ok());
}

}  // namespace
}  // namespace winnow::actors
