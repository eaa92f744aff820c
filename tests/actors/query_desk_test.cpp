// The desk's lanes: who waits for whom, who shares an answer, and what happens to askers who go.

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <map>
#include <mutex>
#include <stdexcept>

#include "actors/query_desk.hpp"
#include "tests/support/eventually.hpp"

namespace winnow::actors {
namespace {

using namespace std::chrono_literals;
constexpr std::chrono::seconds kLimit{60};

/// Kinds by the first letter of a name: c, b, h read in their lanes, r goes on record (cheap).
QuestionKind kind_by_letter(std::string_view name) {
  switch (name.front()) {
    case 'c':
      return {QuestionCost::Cheap, QuestionEffect::Reads};
    case 'b':
      return {QuestionCost::Board, QuestionEffect::Reads};
    case 'h':
      return {QuestionCost::Heavy, QuestionEffect::Reads};
    default:
      return {QuestionCost::Cheap, QuestionEffect::Records};
  }
}

/// Answers with what it was asked; a question whose arguments are `gated` waits for open(), or, if
/// it may, for being told to stop.
class Work {
 public:
  QueryDesk::Handler handler() {
    return [this](std::string_view name, std::string_view args, const cluster::Principal&,
                  const std::stop_token& stop) -> Result<std::string> {
      {
        std::unique_lock lock(mutex_);
        ++begun_[std::string(name)];
        order_.push_back(std::string(name) + std::string(args));
        changed_.notify_all();
        if (args == "gated") changed_.wait(lock, stop, [&] { return open_; });
        if (args == "deaf") changed_.wait(lock, [&] { return open_; });
        if (stop.stop_requested()) ++stopped_;
      }
      return std::string(name) + " " + std::string(args);
    };
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void await_begin(const std::string& name) {
    std::unique_lock lock(mutex_);
    ASSERT_TRUE(changed_.wait_for(lock, kLimit, [&] { return begun_[name] > 0; }));
  }
  int begun(const std::string& name) {
    const std::lock_guard lock(mutex_);
    return begun_[name];
  }
  int stopped() {
    const std::lock_guard lock(mutex_);
    return stopped_;
  }
  std::vector<std::string> order() {
    const std::lock_guard lock(mutex_);
    return order_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool open_ = false;
  int stopped_ = 0;
  std::map<std::string, int> begun_;
  std::vector<std::string> order_;
};

/// An answer that can be waited for.
struct Waiting {
  std::shared_ptr<std::promise<Result<std::string>>> promise =
      std::make_shared<std::promise<Result<std::string>>>();
  std::future<Result<std::string>> future = promise->get_future();
  QueryDesk::Answer answer() {
    return [p = promise](Result<std::string> text) { p->set_value(std::move(text)); };
  }
  Result<std::string> get() {
    if (future.wait_for(kLimit) != std::future_status::ready) {
      return Error(ErrorCode::Internal, "the test waited in vain");
    }
    return future.get();
  }
  bool came() const { return future.wait_for(0s) == std::future_status::ready; }
};

AskedQuestion question(const std::string& name, const std::string& args, std::uint64_t peer = 1) {
  return {.name = name, .args_json = args, .asker = {}, .peer = peer};
}

TEST(QueryDesk, ACheaperQuestionPassesADearerOne) {
  Work work;
  QueryDesk desk(kind_by_letter, work.handler());
  Waiting heavy, second_heavy, board, cheap;
  desk.ask(question("h1", "gated"), heavy.answer());
  work.await_begin("h1");
  desk.ask(question("h2", "x"), second_heavy.answer());
  desk.ask(question("b1", "gated"), board.answer());
  work.await_begin("b1");
  desk.ask(question("c1", "x"), cheap.answer());
  EXPECT_EQ(*cheap.get(), "c1 x");
  EXPECT_FALSE(heavy.came());
  EXPECT_FALSE(board.came());
  EXPECT_FALSE(second_heavy.came());
  const auto counts = desk.counts();
  EXPECT_EQ(counts.lanes[2].waiting, 1u);
  EXPECT_EQ(counts.waiting(), 1u);
  work.open();
  EXPECT_EQ(*heavy.get(), "h1 gated");
  EXPECT_EQ(*second_heavy.get(), "h2 x");
  EXPECT_EQ(*board.get(), "b1 gated");
}

TEST(QueryDesk, CountsWhomItTurnsAwayByLane) {
  Work work;
  QueryDesk desk(kind_by_letter, work.handler());
  std::atomic<int> refused = 0;
  const std::size_t asked = QueryDesk::kWaitingMax + 10;
  const auto count = [&](const Result<std::string>& answer) { refused += answer ? 0 : 1; };
  desk.ask(question("h", "gated"), count);
  work.await_begin("h");
  // Some join it, some wait for it: all of them take room.
  for (std::size_t i = 1; i < asked; ++i) {
    desk.ask(question("h", i % 2 == 0 ? "gated" : std::to_string(i)), count);
  }
  const std::uint64_t turned_away = desk.counts().turned_away();
  EXPECT_EQ(turned_away, 9u);  // one is with the handler
  EXPECT_EQ(static_cast<std::uint64_t>(refused), turned_away);
  EXPECT_EQ(desk.counts().lanes[2].turned_away, turned_away);
  Waiting full, cheap;
  desk.ask(question("h", "other"), full.answer());
  const auto no = full.get();
  ASSERT_FALSE(no.ok());
  EXPECT_EQ(no.error().text(), "256 questions are waiting; ask again later");
  desk.ask(question("c", "x"), cheap.answer());
  EXPECT_TRUE(cheap.get().ok());
  work.open();
}

TEST(QueryDesk, OneAnswerServesAllWhoAskTheSame) {
  Work work;
  QueryDesk desk(kind_by_letter, work.handler());
  Waiting first, same, other_args, other_user;
  desk.ask(question("h", "gated"), first.answer());
  work.await_begin("h");
  desk.ask(question("h", "gated", 2), same.answer());
  desk.ask(question("h", "x", 3), other_args.answer());
  AskedQuestion of_bob = question("h", "gated", 4);
  of_bob.asker.name = "bob";
  desk.ask(of_bob, other_user.answer());
  EXPECT_EQ(desk.counts().shared, 1u);
  work.open();
  EXPECT_EQ(*first.get(), "h gated");
  EXPECT_EQ(*same.get(), "h gated");
  EXPECT_EQ(*other_args.get(), "h x");
  EXPECT_EQ(*other_user.get(), "h gated");
  EXPECT_EQ(work.begun("h"), 3);
}

// Whoever knows of a result that came after an answer began does not get that answer.
TEST(QueryDesk, AnAnswerUnderWayIsNotSharedWithWhoMayKnowMore) {
  Work work;
  QueryDesk desk(kind_by_letter, work.handler());
  Waiting first, later, later_still;
  desk.ask(question("h", "gated"), first.answer());
  work.await_begin("h");
  AskedQuestion knows_more = question("h", "gated", 2);
  knows_more.store_state = 1;
  desk.ask(knows_more, later.answer());
  EXPECT_EQ(desk.counts().shared, 0u);
  // One that waits will read all that there is.
  knows_more.store_state = 2;
  desk.ask(knows_more, later_still.answer());
  EXPECT_EQ(desk.counts().shared, 1u);
  work.open();
  EXPECT_TRUE(first.get().ok());
  EXPECT_TRUE(later.get().ok());
  EXPECT_TRUE(later_still.get().ok());
  EXPECT_EQ(work.begun("h"), 2);
}

TEST(QueryDesk, WhatAnotherAnswerPutOnRecordEndsTheSharing) {
  Work work;
  QueryDesk desk(kind_by_letter, work.handler());
  Waiting first, record, later;
  desk.ask(question("h", "gated"), first.answer());
  work.await_begin("h");
  desk.ask(question("r", "x"), record.answer());
  ASSERT_TRUE(record.get().ok());
  desk.ask(question("h", "gated", 2), later.answer());
  EXPECT_EQ(desk.counts().shared, 0u);
  work.open();
  EXPECT_TRUE(later.get().ok());
  EXPECT_EQ(work.begun("h"), 2);
}

TEST(QueryDesk, EachAskThatGoesOnRecordIsCarriedOutInOrder) {
  Work work;
  QueryDesk desk(kind_by_letter, work.handler());
  std::vector<Waiting> asked(6);
  desk.ask(question("r", "deaf", 1), asked[0].answer());
  work.await_begin("r");
  for (std::size_t i = 1; i < asked.size(); ++i) {
    // Twice each; and who asked goes away.
    desk.ask(question("r", std::to_string((i + 1) / 2), 2), asked[i].answer());
  }
  desk.forget(1);
  desk.forget(2);
  desk.expire(MonoNs{} + QueryDesk::kPatience + QueryDesk::kPatience);
  EXPECT_EQ(desk.counts().forgotten, 0u);
  EXPECT_EQ(desk.counts().shared, 0u);
  work.open();
  for (Waiting& w : asked) EXPECT_TRUE(w.get().ok());
  EXPECT_EQ(work.order(), (std::vector<std::string>{"rdeaf", "r1", "r1", "r2", "r2", "r3"}));
  EXPECT_EQ(work.stopped(), 0);
}

TEST(QueryDesk, WhatNobodyWaitsForIsDroppedOrStopped) {
  Work work;
  QueryDesk desk(kind_by_letter, work.handler());
  Waiting gone, waits, stays, after;
  desk.ask(question("h1", "gated", 1), gone.answer());
  work.await_begin("h1");
  desk.ask(question("h2", "x", 1), waits.answer());
  desk.ask(question("h3", "x", 2), stays.answer());
  desk.forget(1);
  EXPECT_EQ(desk.counts().forgotten, 2u);
  // The gate is still shut: only the stop ends the first.
  EXPECT_TRUE(stays.get().ok());
  EXPECT_EQ(work.stopped(), 1);
  EXPECT_EQ(work.begun("h2"), 0);
  EXPECT_FALSE(gone.came());
  EXPECT_FALSE(waits.came());
  desk.ask(question("h2", "x", 3), after.answer());
  EXPECT_TRUE(after.get().ok());
}

TEST(QueryDesk, AQuestionGoesOnWhileAnybodyWaits) {
  Work work;
  QueryDesk desk(kind_by_letter, work.handler());
  Waiting first, second;
  AskedQuestion q = question("h", "gated", 1);
  q.request = 7;
  desk.ask(q, first.answer());
  work.await_begin("h");
  q.request = 8;
  desk.ask(q, second.answer());
  desk.forget(1, 7);
  desk.forget(1, 99);
  EXPECT_EQ(desk.counts().forgotten, 1u);
  work.open();
  EXPECT_TRUE(second.get().ok());
  EXPECT_EQ(work.stopped(), 0);
  EXPECT_FALSE(first.came());
}

// A question that was told to stop has no answer to share.
TEST(QueryDesk, WhoAsksAgainAfterAStopGetsAnAnswerOfHisOwn) {
  Work work;
  QueryDesk desk(kind_by_letter, work.handler());
  Waiting gone, again;
  desk.ask(question("h", "deaf", 1), gone.answer());
  work.await_begin("h");
  desk.forget(1);
  desk.ask(question("h", "deaf", 2), again.answer());
  EXPECT_EQ(desk.counts().shared, 0u);
  work.open();
  EXPECT_EQ(*again.get(), "h deaf");
  EXPECT_EQ(work.begun("h"), 2);
  EXPECT_EQ(work.stopped(), 1);
}

TEST(QueryDesk, WhoWaitsTooLongIsToldSo) {
  Work work;
  QueryDesk desk(kind_by_letter, work.handler());
  Waiting late, late_too, in_time;
  const MonoNs start{1'000};
  AskedQuestion q = question("h1", "gated", 1);
  q.asked = start;
  desk.ask(q, late.answer());
  work.await_begin("h1");
  q.name = "h2";
  desk.ask(q, late_too.answer());
  q.name = "h3";
  q.args_json = "x";
  q.asked = start + seconds(1);
  desk.ask(q, in_time.answer());
  desk.expire(start + QueryDesk::kPatience + DurationNs{-1});
  EXPECT_EQ(desk.counts().late, 0u);
  EXPECT_FALSE(late.came());
  desk.expire(start + QueryDesk::kPatience);
  EXPECT_EQ(desk.counts().late, 2u);
  const auto no = late.get();
  ASSERT_FALSE(no.ok());
  EXPECT_EQ(no.error().code(), ErrorCode::Unavailable);
  EXPECT_EQ(no.error().text(), "there is no answer after 600 s; ask again later");
  EXPECT_FALSE(late_too.get().ok());
  EXPECT_TRUE(in_time.get().ok());
  EXPECT_EQ(work.begun("h2"), 0);
}

TEST(QueryDesk, AnErrorEndsOneQuestionAndNotTheLane) {
  QueryDesk desk(kind_by_letter,
                 [](std::string_view name, std::string_view, const cluster::Principal&,
                    const std::stop_token&) -> Result<std::string> {
                   if (name == "h1") throw std::runtime_error("no such luck");
                   return Error(ErrorCode::NotFound, "there is none");
                 });
  Waiting thrown, returned;
  desk.ask(question("h1", "x"), thrown.answer());
  desk.ask(question("h2", "x"), returned.answer());
  const auto first = thrown.get();
  ASSERT_FALSE(first.ok());
  EXPECT_EQ(first.error().code(), ErrorCode::Internal);
  EXPECT_EQ(first.error().text(), "h1: no such luck");
  EXPECT_EQ(returned.get().error().code(), ErrorCode::NotFound);
}

TEST(QueryDesk, ItsEndStopsWhatReadsAndCarriesOutWhatGoesOnRecord) {
  Work work;
  Waiting heavy, waits, board, record, second_record;
  std::atomic<bool> ended = false;
  std::jthread ending;
  {
    auto desk = std::make_unique<QueryDesk>(kind_by_letter, work.handler());
    desk->ask(question("h1", "gated"), heavy.answer());
    desk->ask(question("b1", "gated"), board.answer());
    work.await_begin("h1");
    work.await_begin("b1");
    desk->ask(question("h2", "x"), waits.answer());
    desk->ask(question("r1", "deaf"), record.answer());
    work.await_begin("r1");
    desk->ask(question("r2", "x"), second_record.answer());
    ending = std::jthread([desk = std::move(desk), &ended]() mutable {
      desk.reset();
      ended = true;
    });
  }
  // Both that read end by the stop alone; the desk waits for its records.
  EXPECT_TRUE(tests::eventually(kLimit, [&] { return work.stopped() == 2; }));
  EXPECT_FALSE(ended);
  work.open();
  ending.join();
  EXPECT_TRUE(record.get().ok());
  EXPECT_TRUE(second_record.get().ok());
  EXPECT_EQ(work.begun("r2"), 1);
  EXPECT_EQ(work.begun("h2"), 0);
}

}  // namespace
}  // namespace winnow::actors
