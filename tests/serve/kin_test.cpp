// An opened idea under another name is known by what it earns.
#include <gtest/gtest.h>

#include "serve/opening.hpp"
#include "serve/scoring.hpp"
#include "tests/serve/fixture.hpp"

namespace winnow::serve {
namespace {

namespace level = sweeps::level;

/// A family of variants on one dataset, 147 days from 2023-01-05.
std::string crossing(const std::string& fast, const std::string& slow) {
  return "sweep: test\ndata: [alpha]\nwindow: {from: 2023-01-05, to: 2023-06-01}\n"
         "execution: plain\nstrategies:\n  - family: sma_cross\n    params:\n      fast_bars: "
         "{int: " +
         fast + "}\n      slow_bars: {int: " + slow + "}\nsearch: {method: grid}\n";
}
const std::string kFading = R"(sweep: test
data: [alpha]
window: {from: 2023-01-05, to: 2023-06-01}
execution: plain
strategies:
  - family: mean_reversion
    params:
      lookback_bars: {int: [6, 18], step: 2}
      entry_z: {float: [1.0, 2.5], step: 0.5}
search: {method: grid}
)";

constexpr std::int64_t kDays = 147;
const TimestampNs kEarlier = TimestampNs{} + days(19'600);
const TimestampNs kLater = TimestampNs{} + days(19'650);

class Kin : public testing::Test {
 protected:
  /// Opens what a sweep ran, as a family of any name.
  std::string open(const std::string& sweep, const std::string& id, const std::string& family,
                   TimestampNs when) {
    const SweepView view = must(SweepView::open(home_.sources(), sweep));
    level::Claim claim;
    claim.id = id;
    claim.key = "key of " + id;
    claim.mode = level::OpenMode::Confirm;
    claim.family = family;
    claim.data = "alpha";
    claim.dataset_hash = claim.market = view.plan.spec().data[0].content_hash;
    claim.sweep = sweep;
    claim.user = "ann";
    claim.opened = when;
    claim.window = {utc_day(view.plan.spec().from), utc_day(view.plan.spec().to)};
    claim.judged = {claim.window};
    claim.looks = {{0, 1.0}};
    claim.fixed = "{}";
    claim.seen_by = "nobody";
    auto documents = documents_of(writing());
    must(level::open_claims(documents, level::account_key(when), {claim}));
    return id;
  }
  void reveal(const std::string& id, TimestampNs when) {
    auto documents = documents_of(writing());
    must(level::reveal(documents, id, "ann", when));
  }
  Sources writing() {
    Sources out = home_.sources();
    out.verdicts = &home_.store();
    return out;
  }
  FamilyScore score(const Sources& sources, const std::string& sweep) {
    return must(score_families(sources, must(SweepView::open(sources, sweep, Answers::Words))))
        .families[0];
  }
  std::string run(const std::string& name, const std::string& yaml) {
    return home_.run({.name = name, .yaml = yaml});
  }
  /// One whose numbers were seen.
  std::string seen_first() {
    const std::string sweep = run("first", crossing("[4, 20], step: 4", "[24, 96], step: 24"));
    open(sweep, "aaaa", "sma_cross", kEarlier);
    EXPECT_EQ(score(writing(), sweep).judged_days, kDays);
    reveal("aaaa", kEarlier + days(1));
    return sweep;
  }
  Home home_;
};

TEST_F(Kin, ARenamedIdeaIsNotJudgedByDaysThatItsFormerNameWasSeenOn) {
  seen_first();
  const std::string again = run("again", crossing("[5, 21], step: 4", "[26, 98], step: 24"));
  open(again, "bbbb", "my_cross", kLater);
  for (const Sources& sources : {home_.sources(), writing(), home_.sources()}) {
    const FamilyScore f = score(sources, again);
    EXPECT_EQ(f.judged_days, 0);
    EXPECT_EQ(f.word, "INSUFFICIENT");
    EXPECT_NE(f.sentence.find("earns what hypothesis aaaa did"), std::string::npos) << f.sentence;
    ASSERT_TRUE(f.opened && f.opened->kin);
    ASSERT_EQ(f.opened->kin->size(), 1u);
    EXPECT_EQ(level::day_count(f.opened->kin->front().days), kDays);
    EXPECT_TRUE(f.opened->looks.empty()) << "no look is spent on days that judge nothing";
    EXPECT_EQ(f.opened->next_look_days(), level::kJudgedDaysMin);
  }
  const auto on_record = must(level::find_hypothesis(documents_of(writing()), "bbbb"));
  EXPECT_TRUE(on_record.kin);
  EXPECT_EQ(level::day_count(on_record.claim.judged), 0);
}

TEST_F(Kin, AnotherIdeaIsJudgedByThem) {
  seen_first();
  const std::string other = run("other", kFading);
  open(other, "bbbb", "mean_reversion", kLater);
  const FamilyScore f = score(writing(), other);
  EXPECT_EQ(f.judged_days, kDays);
  ASSERT_TRUE(f.opened && f.opened->kin);
  EXPECT_TRUE(f.opened->kin->empty());
  EXPECT_EQ(f.opened->looks.size(), 1u);
}

TEST_F(Kin, WhatIsSeenLaterTakesNothingAway) {
  const std::string sweep = run("first", crossing("[4, 20], step: 4", "[24, 96], step: 24"));
  open(sweep, "aaaa", "sma_cross", kEarlier);
  score(writing(), sweep);
  const std::string again = run("again", crossing("[5, 21], step: 4", "[26, 98], step: 24"));
  open(again, "bbbb", "my_cross", kEarlier + days(1));
  reveal("aaaa", kLater);
  EXPECT_EQ(score(writing(), again).judged_days, kDays);
}

TEST_F(Kin, ResultsThatWereDeletedCannotDenyIt) {
  const std::string first = seen_first();
  const std::string other = run("other", kFading);
  open(other, "bbbb", "mean_reversion", kLater);
  must(home_.store().delete_sweep(first, {.user = "ann", .now = kLater, .document_kinds = {}}));
  EXPECT_EQ(score(writing(), other).judged_days, 0);
}

TEST_F(Kin, OneOfAnotherHomeIsKnownByItsName) {
  const std::string first = seen_first();
  auto documents = documents_of(writing());
  const std::string own = level::account_key(kEarlier);
  const auto text = must(documents.read(level::kAccountKind, own));
  must(documents.update(level::kAccountKind, own + "@01234567",
                        [&](const auto&) -> Result<std::string> { return *text; }));
  must(documents.update(level::kAccountKind, own, [&](const auto&) -> Result<std::string> {
    return std::string(R"({"parameters":{"alpha":0.05,"openings":20,"level_max":0.05,)"
                       R"("level_min":0.0002,"share_max":0.5},"users":[],"events":[]})");
  }));
  must(home_.store().delete_sweep(first, {.user = "ann", .now = kLater, .document_kinds = {}}));
  const std::string other = run("other", kFading);
  open(other, "bbbb", "mean_reversion", kLater);
  EXPECT_EQ(score(writing(), other).judged_days, kDays);
}

TEST_F(Kin, WithoutTheMarketNoLookIsLost) {
  const std::string sweep = run("first", crossing("[4, 20], step: 4", "[24, 96], step: 24"));
  open(sweep, "aaaa", "sma_cross", kEarlier);
  Sources blind = writing();
  blind.datasets = nullptr;
  const FamilyScore f = score(blind, sweep);
  EXPECT_TRUE(f.opened->looks.empty());
  EXPECT_NE(f.sentence.find("cannot be judged here"), std::string::npos) << f.sentence;
  EXPECT_EQ(score(writing(), sweep).opened->looks.size(), 1u);
}

}  // namespace
}  // namespace winnow::serve
