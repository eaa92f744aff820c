// What each question costs, and how an answer that nobody waits for ends.

#include <gtest/gtest.h>

#include <atomic>
#include <set>

#include "serve/parallel.hpp"
#include "serve/query.hpp"
#include "serve/stopping.hpp"

namespace winnow::serve {
namespace {

using actors::QuestionCost;
using actors::QuestionEffect;

std::set<std::string> names_of(QuestionCost cost) {
  std::set<std::string> out;
  for (const std::string& name : query_names()) {
    const auto kind = question_kind(name);
    if (kind && kind->cost == cost) out.insert(name);
  }
  return out;
}

TEST(Questions, EachHasAClassAndNoneIsUnknown) {
  std::size_t known = 0;
  for (const QuestionCost cost : actors::kQuestionCosts) {
    EXPECT_FALSE(actors::question_cost_name(cost).empty());
    EXPECT_FALSE(names_of(cost).empty());
    known += names_of(cost).size();
  }
  EXPECT_EQ(known, query_names().size());
  EXPECT_FALSE(question_kind("no such question"));
  EXPECT_FALSE(question_kind(""));
}

// Those that compute with the returns of whole families, and nobody else, share a lane.
TEST(Questions, WhatScoresFamiliesIsHeavy) {
  EXPECT_EQ(names_of(QuestionCost::Heavy),
            (std::set<std::string>{"converge", "explain", "risk", "bakeoff", "report"}));
  EXPECT_EQ(names_of(QuestionCost::Board), (std::set<std::string>{"top", "compare", "points"}));
}

// One cheap lane keeps them in order; two at once could both pass the check of one budget.
TEST(Questions, WhatGoesOnRecordForEachAskIsCheap) {
  std::set<std::string> records;
  for (const std::string& name : query_names()) {
    const auto kind = question_kind(name);
    if (kind->effect != QuestionEffect::Records) continue;
    records.insert(name);
    EXPECT_EQ(kind->cost, QuestionCost::Cheap) << name;
  }
  EXPECT_EQ(records, (std::set<std::string>{"budget_set", "account_declare", "reveal", "void",
                                            "backtest_count", "ledger_import"}));
}

TEST(Stopping, NothingIsMadeOfPartsThatWereLeftOut) {
  constexpr std::size_t kParts = 64;
  for (const auto& threads : {sweeps::serial_for(), threads_for(2)}) {
    std::stop_source stop;
    const sweeps::ParallelFor parallel = stoppable(threads, stop.get_token());
    std::atomic<std::size_t> done = 0;
    parallel(kParts, [&](std::size_t) { ++done; });
    EXPECT_EQ(done, kParts);
    done = 0;
    const auto stopped_midway = [&] {
      parallel(kParts, [&](std::size_t) {
        if (++done == 5) stop.request_stop();
      });
    };
    EXPECT_THROW(stopped_midway(), AnswerStopped);
    EXPECT_LT(done, kParts);
    EXPECT_GE(done, 5u);
    done = 0;
    EXPECT_THROW(parallel(kParts, [&](std::size_t) { ++done; }), AnswerStopped);
    EXPECT_EQ(done, 0u);
  }
}

// Inside another call there is nobody to catch it; the call outside tells.
TEST(Stopping, OnAnotherThreadItOnlyLeavesOut) {
  std::stop_source stop;
  const sweeps::ParallelFor parallel = stoppable(threads_for(4), stop.get_token());
  std::atomic<std::size_t> inside = 0;
  const auto nested = [&] {
    parallel(8, [&](std::size_t) {
      stop.request_stop();
      parallel(8, [&](std::size_t) { ++inside; });
    });
  };
  EXPECT_THROW(nested(), AnswerStopped);
  EXPECT_EQ(inside, 0u);
}

}  // namespace
}  // namespace winnow::serve
