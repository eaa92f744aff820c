// What each question costs, and how an answer that nobody waits for ends.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <set>
#include <thread>

#include "serve/board_cache.hpp"
#include "serve/parallel.hpp"
#include "serve/stopping.hpp"
#include "tests/serve/fixture.hpp"

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

/// Every document that an answer may have put down: kind, key and text.
std::vector<std::string> documents(Home& home) {
  std::vector<std::string> out;
  for (const char* kind : {"convergence", "plateau", "evidence", "correlation", "look",
                           "neighbourhoods", "validation"}) {
    for (const std::string& key : must(home.store().document_keys(kind))) {
      out.push_back(std::string(kind) + " " + key + " " +
                    must(home.store().document(kind, key)).value_or("gone"));
    }
  }
  return out;
}

/// An answer without the name of its home's ledger, and without whether it was the one that put
/// its looks on record: one that was stopped may have.
Json of_any_home(Json answer) {
  answer.erase("ledger");
  if (answer.contains("families")) {
    for (Json& family : answer["families"]) {
      family.erase("ledger");
      family["look"].erase("recordable");
    }
  }
  return answer;
}

// A stop at any stage leaves behind a part of what an answer that is not stopped puts down, never
// anything else; and whoever asks again gets the same answer.
TEST(Stopping, AnAnswerStoppedAnywhereIsTheSameWhenItIsAskedAgain) {
  Home home, quiet;
  const std::string yaml = kSpecYaml + "convergence: {looks: equal}\n";
  const std::string sweep = home.run({.yaml = yaml});
  ASSERT_EQ(quiet.run({.yaml = yaml}), sweep);
  for (const char* by : {"family", "neighbourhood"}) {
    const Json args{{"sweep", sweep}, {"by", by}};
    Sources undisturbed = quiet.sources();
    undisturbed.verdicts = &quiet.store();
    const Json expected = of_any_home(must(query(undisturbed, "converge", args)));
    const std::vector<std::string> whole = documents(quiet);
    int stages = 0;
    for (bool stopped = true; stopped; ++stages) {
      std::stop_source stop;
      int calls = 0;
      Sources sources = home.sources();
      sources.verdicts = &home.store();
      sources.stop = stop.get_token();
      sources.parallel = [&](std::size_t n, const std::function<void(std::size_t)>& body) {
        if (calls++ == stages) stop.request_stop();
        sweeps::serial_for()(n, body);
      };
      const auto answer = query(sources, "converge", args);
      stopped = !answer.ok();
      if (stopped) {
        ASSERT_EQ(answer.error().code(), ErrorCode::Cancelled) << answer.error().text();
      }
      for (const std::string& document : documents(home)) {
        EXPECT_NE(std::find(whole.begin(), whole.end(), document), whole.end()) << document;
      }
      if (!stopped) {
        EXPECT_EQ(Json::diff(expected, of_any_home(*answer)), Json::array()) << by;
      }
    }
    EXPECT_GT(stages, 4) << by;
    EXPECT_EQ(documents(home), whole);
  }
}

// As the lanes of a coordinator do it: one of each cost at a time, all over one store and one
// cache.
TEST(Questions, EachMayBeAnsweredBesideAnyOther) {
  Home home, quiet;
  const std::string yaml = kSpecYaml + "convergence: {looks: equal}\n";
  const std::string sweep = home.run({.yaml = yaml});
  (void)quiet.run({.yaml = yaml});
  using Asked = std::pair<const char*, Json>;
  const Json this_sweep{{"sweep", sweep}};
  const std::vector<std::vector<Asked>> lanes = {
      {{"converge", {{"sweep", sweep}, {"by", "neighbourhood"}}},
       {"converge", this_sweep},
       {"risk", {{"sweep", sweep}, {"paths", 100}}},
       {"bakeoff", {{"sweeps", {sweep}}}},
       {"report", {{"sweep", sweep}, {"generated_ns", 1}}}},
      // Two at once of what takes looks: only one may find them free.
      {{"converge", this_sweep}, {"explain", this_sweep}},
      {{"top", this_sweep},
       {"top", {{"sweep", sweep}, {"by", "calmar"}, {"all", true}}},
       {"compare", {{"sweep", sweep}, {"variants", {1, 2}}}}},
      {{"sweep_list", Json::object()},
       {"sweep_show", this_sweep},
       {"ledger", Json::object()},
       {"budget_set", {{"user", "ada"}, {"data", "alpha"}, {"trials", 10}}},
       {"openings", Json::object()},
       {"account", Json::object()}},
      {{"budget_set", {{"user", "ada"}, {"data", "beta"}, {"trials", 20}}},
       {"budgets", Json::object()}}};
  BoardCache cache;
  std::mutex mutex;
  std::string failures;
  {
    std::vector<std::jthread> threads;
    for (const auto& lane : lanes) {
      threads.emplace_back([&] {
        for (const auto& [name, args] : lane) {
          Sources sources = home.sources();
          sources.verdicts = &home.store();
          sources.parallel = threads_for(2);
          sources.boards = &cache;
          const auto answer = query(sources, name, args);
          const std::lock_guard lock(mutex);
          if (!answer.ok()) failures += std::string(name) + ": " + answer.error().text() + "\n";
        }
      });
    }
  }
  EXPECT_EQ(failures, "");
  Sources alone = quiet.sources();
  alone.verdicts = &quiet.store();
  for (const auto& lane : lanes) {
    for (const auto& [name, args] : lane) {
      EXPECT_TRUE(query(alone, name, args).ok()) << name;
    }
  }
  EXPECT_EQ(documents(home), documents(quiet));
  EXPECT_EQ(must(home.store().document_keys("look")).size(), 4u);
  EXPECT_EQ(must(query(home.sources(), "budgets", {{"user", "ada"}}))["budgets"].size(), 2u);
}

// Counts of complete sweeps are kept; others are read anew.
TEST(Questions, AListThatIsKeptIsTheListReadAnew) {
  Home home;
  BoardCache cache;
  const auto ask = [&] {
    Sources kept = home.sources();
    kept.boards = &cache;
    const Json anew = must(query(home.sources(), "sweep_list", Json::object()));
    for (int time = 0; time < 2; ++time) {
      EXPECT_EQ(must(query(kept, "sweep_list", Json::object())), anew);
    }
    return anew["sweeps"][0];
  };
  (void)home.run({.blocks_max = 1, .failed_trial = 3});
  const Json part = ask();
  EXPECT_EQ(part["blocks_committed"], 1);
  EXPECT_EQ(part["trials_failed"], 1);
  const std::string sweep = home.run({.failed_trial = 3});
  const Json all = ask();
  EXPECT_EQ(all["blocks_committed"], all["blocks"]);
  EXPECT_EQ(all["trials_committed"], all["trials"]);
  EXPECT_EQ(all["trials_failed"], 1);
  const auto meta = must(home.store().sweep(sweep));
  ASSERT_TRUE(meta);
  EXPECT_TRUE(cache.counts(*meta));
  store::SweepMeta again = *meta;
  again.created.ns += 1;
  EXPECT_FALSE(cache.counts(again));
}

}  // namespace
}  // namespace winnow::serve
