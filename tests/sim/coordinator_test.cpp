// The coordinator's core alone: what it says to whom, over a disk that outlives it.

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>

#include "actors/client.hpp"
#include "actors/coordinator_core.hpp"
#include "engine/source_hash.hpp"
#include "tests/sim/disk.hpp"
#include "tests/sim/results.hpp"
#include "tests/sim/workload.hpp"

namespace winnow::sim {
namespace {

using actors::Control;
using actors::Frame;
using actors::Kind;
using nlohmann::json;

const actors::PeerId kNodePeer(1), kClient(2);
constexpr std::uint64_t kSession = 77;

/// Takes down what the core sends; commits are carried out when told.
class Desk final : public actors::CoordinatorCore::Outside {
 public:
  explicit Desk(Disk& disk) : disk_(disk) {}
  void send(actors::PeerId to, Frame frame) override { sent.emplace_back(to, std::move(frame)); }
  void commit(actors::CommitOffer offer) override { offers.push_back(std::move(offer)); }
  void ask(actors::PeerId, std::uint64_t, const actors::Query&,
           const cluster::Principal&) override {}
  std::optional<cluster::Principal> principal_of(actors::PeerId) const override {
    return cluster::Principal{.name = asker, .rights = cluster::Rights::Operator};
  }
  void check(actors::CheckOrder order) override { checks.push_back(std::move(order)); }
  std::string network_of(actors::PeerId peer) const override {
    return std::to_string(peer.value());
  }
  TimestampNs utc_now() const override { return {1}; }

  template <class T>
  std::optional<T> last(actors::PeerId to) const {
    for (auto it = sent.rbegin(); it != sent.rend(); ++it) {
      if (it->first == to && it->second.kind == actors::kind_of<T>()) {
        return *actors::decode<T>(it->second);
      }
    }
    return std::nullopt;
  }
  void carry_out_commits(actors::CoordinatorCore& core, MonoNs now) {
    actors::IntakeGroup group(std::exchange(offers, {}));
    const auto outcomes = disk_.write(group.commits());
    ASSERT_TRUE(outcomes.ok());
    for (std::size_t k = 0; k < group.commits().size(); ++k) group.took(k, (*outcomes)[k]);
    disk_.sync();
    core.committed(std::move(group).results(), now);
  }

  std::string asker = "ada";
  std::vector<std::pair<actors::PeerId, Frame>> sent;
  std::vector<actors::CommitOffer> offers;
  std::vector<actors::CheckOrder> checks;

 private:
  Disk& disk_;
};

class Core : public ::testing::Test {
 protected:
  Core() {
    spdlog::set_level(spdlog::level::off);
    start();
  }
  void start() {
    core_ = std::make_unique<actors::CoordinatorCore>(
        actors::CoordinatorOptions{}, disk_, [] { return catalog(); }, desk_);
    ASSERT_TRUE(core_->start(now()).ok());
  }
  MonoNs now() const { return MonoNs{0} + milliseconds(ms_); }
  template <class T>
  void say(actors::PeerId from, const T& message, std::uint64_t session) {
    core_->on_frame(from, actors::encode(message, session), now());
  }
  std::string submit(const SweepDecl& sweep) {
    actors::Submit message;
    message.yaml = spec_text(sweep);
    message.file_name = "test.yaml";
    desk_.asker = sweep.user;
    say(kClient, message, 1);
    pass_checks();
    const auto submitted = desk_.last<actors::Submitted>(kClient);
    return submitted ? submitted->sweep : "";
  }
  void pass_checks() {
    for (const actors::CheckOrder& order : std::exchange(desk_.checks, {})) {
      core_->checked(passed(order), now());
    }
  }
  void control(const std::string& sweep, actors::SweepAction action, std::uint64_t trials = 0) {
    say(kClient, Control{sweep, action, trials, 0}, 2);
  }
  void join(std::uint32_t workers, std::vector<actors::Held> held = {},
            std::uint64_t session = kSession) {
    actors::Hello hello;
    hello.node = 5;
    hello.name = "n5";
    hello.workers = workers;
    hello.isa = "avx2";
    hello.engine_version = engine::kEngineVersion;
    hello.engine_sources = engine::source_hash();
    hello.connection = session;
    hello.tells_data = tells_data_;
    hello.held = std::move(held);
    say(kNodePeer, hello, session);
  }
  void result(const std::string& sweep, std::uint64_t block, std::uint64_t lease = 0) {
    const auto plan = results().plan(disk_.sweep(sweep)->value().spec_json);
    actors::BlockResult message;
    message.lease = lease;
    message.sweep = sweep;
    message.block = block;
    message.work_ns = 10'000'000;
    message.block_bytes = results().block(*plan, block);
    say(kNodePeer, message, kSession);
    desk_.carry_out_commits(*core_, now());
  }
  /// Runs whatever is given out until nothing is.
  void run_all() {
    for (;;) {
      say(kNodePeer, actors::Credit{++sequence_, 2, ~std::uint64_t{0} >> 1}, kSession);
      if (seen_ == desk_.sent.size()) return;
      const auto sent = desk_.sent;
      for (; seen_ < sent.size(); ++seen_) {
        const auto order = actors::decode<actors::LeaseOrder>(sent[seen_].second);
        if (!order) continue;
        for (std::uint32_t i = 0; i < order->blocks; ++i) {
          result(order->sweep, order->first_block + i, order->lease);
        }
      }
    }
  }
  store::SweepState state(const std::string& sweep) const {
    return disk_.sweep(sweep)->value().state;
  }

  std::int64_t ms_ = 0;
  std::uint8_t tells_data_ = 0;
  std::uint64_t sequence_ = 100;
  std::size_t seen_ = 0;  // of what was sent
  Disk disk_{Disk::Broken{}};
  Desk desk_{disk_};
  std::unique_ptr<actors::CoordinatorCore> core_;
};

TEST_F(Core, LateResultOfACancelledSweepIsCommittedByTheNextCoordinator) {
  const std::string sweep = submit({.name = "late", .blocks = 4});
  control(sweep, actors::SweepAction::Cancel);
  ASSERT_EQ(state(sweep), store::SweepState::Cancelled);
  start();
  join(1);
  result(sweep, 1);
  EXPECT_TRUE(disk_.durable({sweep, 1}));
  const auto answer = desk_.last<actors::BlocksCommitted>(kNodePeer);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->blocks, std::vector<std::uint64_t>{1});
  EXPECT_TRUE(answer->refused.empty());
  EXPECT_EQ(state(sweep), store::SweepState::Cancelled);
}

TEST_F(Core, ResultOfAnUnknownSweepIsRefusedByName) {
  join(1);
  say(kNodePeer, actors::BlockResult{0, "0123456789abcdef", 3, 1, "bytes"}, kSession);
  const auto answer = desk_.last<actors::BlocksCommitted>(kNodePeer);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->refused, std::vector<std::uint64_t>{3});
  EXPECT_NE(answer->reason.find("0123456789abcdef"), std::string::npos) << answer->reason;
}

TEST_F(Core, RunningLeasesAreAdoptedInWelcomeAndSaidAgainWhenAskedAgain) {
  const std::string sweep = submit({.name = "held", .blocks = 4});
  start();
  join(1, {{9, sweep, 1, 2, {}}});
  for (int i = 0; i < 2; ++i) {
    const auto welcome = desk_.last<actors::Welcome>(kNodePeer);
    ASSERT_TRUE(welcome);
    ASSERT_EQ(welcome->adopted.size(), 1u);
    EXPECT_EQ(welcome->adopted[0].place, 9u);
    EXPECT_NE(welcome->adopted[0].lease, 0u);
    desk_.sent.clear();
    join(1, {{9, sweep, 1, 2, {}}});  // Welcome was lost
  }
  EXPECT_EQ(core_->scheduler().progress(sweep)->leased, 2u);
}

TEST_F(Core, NodeThatReconnectsWithinTheGraceKeepsItsBlocks) {
  const std::string sweep = submit({.name = "cut", .blocks = 1});
  join(1);
  say(kNodePeer, actors::Credit{1, 1, 0}, kSession);
  ASSERT_EQ(core_->scheduler().progress(sweep)->leased, 1u);
  core_->peer_gone(kNodePeer, now());
  ms_ += 200;
  core_->tick(now());
  EXPECT_EQ(core_->scheduler().progress(sweep)->leased, 1u);
  join(1, {{1, sweep, 0, 1, {}}}, kSession + 1);
  EXPECT_EQ(core_->scheduler().progress(sweep)->leased, 1u);
  EXPECT_EQ(core_->scheduler().live_leases().at(0).lease.attempt, 1u);
  core_->peer_gone(kNodePeer, now());
  ms_ += 400;
  core_->tick(now());
  EXPECT_EQ(core_->scheduler().progress(sweep)->leased, 0u) << "it did not come back";
  EXPECT_EQ(core_->nodes(), 0u);
}

TEST_F(Core, BudgetOfTrialsStopsASweepAndIsExtendedInPlaceAcrossARestart) {
  const std::string sweep = submit({.name = "budget", .blocks = 10, .budget_frac = 0.3});
  ASSERT_FALSE(sweep.empty());
  join(2);
  run_all();
  EXPECT_EQ(state(sweep), store::SweepState::BudgetSpent);
  EXPECT_EQ(disk_.rows(), 48u);
  EXPECT_EQ(disk_.blocks().size(), 3u);

  start();
  ms_ += 2000;
  core_->tick(now());
  join(2);
  run_all();
  EXPECT_EQ(disk_.blocks().size(), 3u) << "a restart is no new budget";
  control(sweep, actors::SweepAction::Resume);
  ASSERT_TRUE(desk_.last<actors::Refusal>(kClient));
  EXPECT_NE(desk_.last<actors::Refusal>(kClient)->text.find("extend"), std::string::npos);

  control(sweep, actors::SweepAction::Extend, 40);  // 88 trials are five blocks of 16 and a half
  const auto extended = desk_.last<actors::Controlled>(kClient);
  ASSERT_TRUE(extended);
  EXPECT_EQ(extended->sweep, sweep);
  EXPECT_EQ(state(sweep), store::SweepState::Running);
  run_all();
  EXPECT_EQ(disk_.blocks().size(), 5u);
  EXPECT_EQ(state(sweep), store::SweepState::BudgetSpent);

  control(sweep, actors::SweepAction::Extend, 1'000'000);
  run_all();
  EXPECT_EQ(disk_.blocks().size(), 10u);
  EXPECT_EQ(state(sweep), store::SweepState::Done);
  EXPECT_EQ(disk_.ledger_executions(), disk_.ledger_trials());
}

// Ten thousand small sweeps leave no more behind in memory than a few.
TEST_F(Core, ForgetsSweepsThatAreDoneAndFindsThemInTheStore) {
  join(2);
  std::vector<std::string> sweeps;
  constexpr int kSweeps = 400;
  for (int i = 0; i < kSweeps; ++i) {
    sweeps.push_back(submit({.name = "small-" + std::to_string(i), .blocks = 1}));
    ASSERT_FALSE(sweeps.back().empty());
    if (i % 10 == 9) control(sweeps.back(), actors::SweepAction::Cancel);
    run_all();
    for (int k = 0; k < 5; ++k) {
      ms_ += 200;
      core_->tick(now());
    }
    ASSERT_LE(core_->sweeps_in_memory(), actors::CoordinatorCore::kFinishedKept + 1) << i;
    desk_.sent.clear();
    seen_ = 0;
  }
  EXPECT_EQ(std::set(sweeps.begin(), sweeps.end()).size(), sweeps.size());
  EXPECT_FALSE(core_->scheduler().knows(sweeps[0]));
  EXPECT_TRUE(core_->scheduler().knows(sweeps[kSweeps - 2]));

  // The first ones are as they were: watched, they say that they are done; a late result is taken;
  // one that was cancelled goes on.
  say(kClient, actors::Watch{sweeps[0]}, 7);
  const auto progress = desk_.last<actors::Progress>(kClient);
  ASSERT_TRUE(progress);
  EXPECT_EQ(actors::state_of(*progress), store::SweepState::Done);
  result(sweeps[1], 0);
  const auto answer = desk_.last<actors::BlocksCommitted>(kNodePeer);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->blocks, std::vector<std::uint64_t>{0});
  control(sweeps[9], actors::SweepAction::Resume);
  run_all();
  EXPECT_EQ(state(sweeps[9]), store::SweepState::Done);
  EXPECT_EQ(disk_.ledger_executions(), 32u * kSweeps) << "each block of 16 on two datasets, once";
}

// A sweep at the end of its budget is not done: it is kept, and goes on in place.
TEST_F(Core, ForgetsNoSweepThatStandsStill) {
  join(2);
  const std::string still = submit({.name = "still", .blocks = 2, .budget_frac = 0.5});
  run_all();
  ASSERT_EQ(state(still), store::SweepState::BudgetSpent) << "it stands still, it is not done";
  for (int i = 0; i < 100; ++i) {
    submit({.name = "other-" + std::to_string(i), .blocks = 1});
    run_all();
    for (int k = 0; k < 5; ++k) core_->tick(now());
  }
  EXPECT_TRUE(core_->scheduler().knows(still));
  control(still, actors::SweepAction::Extend, 1'000'000);
  run_all();
  EXPECT_EQ(state(still), store::SweepState::Done);
}

TEST_F(Core, F13ANodeOfOtherSourcesIsRefusedWithWords) {
  for (const std::string& sources : {std::string("0123456789abcdef0123456789abcdef"), std::string(),
                                     std::string("\x1b[31m\n")}) {
    actors::Hello hello;
    hello.node = 5;
    hello.name = "n5";
    hello.workers = 1;
    hello.isa = "avx2";
    hello.engine_version = engine::kEngineVersion;
    hello.connection = 1;
    hello.engine_sources = sources;
    desk_.sent.clear();
    say(kNodePeer, hello, kSession);
    EXPECT_FALSE(desk_.last<actors::Welcome>(kNodePeer));
    const auto refusal = desk_.last<actors::Refusal>(kNodePeer);
    ASSERT_TRUE(refusal);
    EXPECT_NE(refusal->text.find(engine::source_hash()), std::string::npos) << refusal->text;
    EXPECT_NE(refusal->text.find("same build"), std::string::npos);
    EXPECT_EQ(refusal->text.find('\x1b'), std::string::npos);
    EXPECT_EQ(core_->nodes(), 0u);
  }
}

TEST_F(Core, F13TheBuildStandsBesideTheResults) {
  const std::string sweep = submit({.name = "built", .blocks = 1});
  const std::string build(engine::source_hash().substr(0, 16));
  const std::string by = disk_.sweep(sweep)->value().code_version;
  EXPECT_NE(by.find("+" + build), std::string::npos) << by;
  start();  // another process of the same build adds nothing
  EXPECT_EQ(disk_.sweep(sweep)->value().code_version, by);
  store::SweepMeta older = **disk_.sweep(sweep);
  older.code_version = "0.1.0+older";
  ASSERT_TRUE(disk_.put_sweep(older));
  start();
  EXPECT_EQ(disk_.sweep(sweep)->value().code_version, "0.1.0+older, " + by);
}

TEST_F(Core, F3ALeaseWithoutItsDataGoesBackAsNoAttemptAndTheSweepSaysWhy) {
  const std::string sweep = submit({.name = "lost", .blocks = 2});
  say(kClient, actors::Watch{sweep}, 9);
  join(1);
  std::string trouble;
  for (int i = 0; i < 30; ++i) {
    say(kNodePeer, actors::Credit{++sequence_, 1, ~std::uint64_t{0}}, kSession);
    const auto lease = desk_.last<actors::LeaseOrder>(kNodePeer);
    if (lease) {
      EXPECT_EQ(lease->attempt, 1u);
      say(kNodePeer,
          actors::LeaseFailed{lease->lease, static_cast<std::uint8_t>(actors::LeaseEnd::NoData),
                              "the copy here is damaged"},
          kSession);
    }
    desk_.sent.clear();
    ms_ += 1000;
    say(kNodePeer, actors::Renew{{++sequence_, 1, ~std::uint64_t{0}}, {}}, kSession);
    core_->tick(now());
    // While it is tried again nothing stands still.
    const auto progress = desk_.last<actors::Progress>(kClient);
    if (progress && !progress->trouble.empty()) trouble = progress->trouble;
  }
  EXPECT_EQ(core_->scheduler().progress(sweep)->quarantined, 0u);
  EXPECT_EQ(core_->scheduler().progress(sweep)->committed, 0u);
  EXPECT_NE(trouble.find("the copy here is damaged"), std::string::npos) << trouble;
}

TEST_F(Core, D6ACoordinatorSaysWhichOneItIs) {
  say(kClient, actors::Query{std::string(actors::kInstanceQuestion), "{}"}, 4);
  const auto reply = desk_.last<actors::Reply>(kClient);
  ASSERT_TRUE(reply);
  EXPECT_EQ(json::parse(reply->text), (json{{"instance", ""}}));
}

TEST_F(Core, WantsDataAtANodeBeforeItGivesOutItsBlocks) {
  const std::string sweep = submit({.name = "far", .blocks = 4, .data = "sim-a"});
  tells_data_ = 1;
  join(1);
  say(kNodePeer, actors::Credit{1, 1, 0}, kSession);
  EXPECT_FALSE(desk_.last<actors::LeaseOrder>(kNodePeer));
  const auto wanted = desk_.last<actors::DatasetWanted>(kNodePeer);
  ASSERT_TRUE(wanted);
  EXPECT_EQ(wanted->dataset, "content of sim-a");
  const auto tell = [&](actors::DatasetState::Is is, const char* reason) {
    say(kNodePeer,
        actors::DatasetState{wanted->dataset, static_cast<std::uint8_t>(is), 512, 2048, reason},
        kSession);
  };
  tell(actors::DatasetState::Is::Coming, "");
  EXPECT_FALSE(desk_.last<actors::LeaseOrder>(kNodePeer));
  desk_.sent.clear();
  say(kClient, actors::Query{"explain_live", json{{"sweep", sweep}}.dump()}, 3);
  const auto reply = desk_.last<actors::Reply>(kClient);
  ASSERT_TRUE(reply);
  EXPECT_NE(reply->text.find("dataset content of sim-a: node n5 has 512 of 2048 bytes."),
            std::string::npos)
      << reply->text;
  tell(actors::DatasetState::Is::Here, "\n");
  const auto order = desk_.last<actors::LeaseOrder>(kNodePeer);
  ASSERT_TRUE(order);
  EXPECT_EQ(order->sweep, sweep);
}

TEST_F(Core, ExplainsBlocksAndNodesLive) {
  const std::string sweep = submit({.name = "why", .blocks = 4});
  join(1);
  const auto asked = [&](const json& args) {
    desk_.sent.clear();
    say(kClient, actors::Query{"explain_live", args.dump()}, 3);
    const auto reply = desk_.last<actors::Reply>(kClient);
    return reply ? json::parse(reply->text) : json{};
  };
  say(kNodePeer, actors::Credit{1, 1, 0}, kSession);
  const json running = asked({{"sweep", sweep}, {"block", 0}});
  EXPECT_NE(running["farm"].get<std::string>().find("Node n5 has it"), std::string::npos);
  const json waits = asked({{"sweep", sweep}, {"block", 3}});
  EXPECT_NE(waits["farm"].get<std::string>().find("It waits for a worker"), std::string::npos);
  EXPECT_EQ(waits["blocks_on_nodes"], 1);
  control(sweep, actors::SweepAction::Pause);
  EXPECT_NE(asked({{"sweep", sweep}})["farm"].get<std::string>().find("paused"), std::string::npos);
  EXPECT_NE(asked({{"node", "n5"}})["farm"].get<std::string>().find("holds 1 lease"),
            std::string::npos);
  EXPECT_TRUE(asked({{"node", "nobody"}}).is_null());
  EXPECT_TRUE(asked({{"sweep", 7}}).is_null());
  EXPECT_TRUE(desk_.last<actors::Refusal>(kClient));
}

}  // namespace
}  // namespace winnow::sim
