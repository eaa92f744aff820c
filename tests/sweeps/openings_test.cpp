#include <gtest/gtest.h>

#include "documents_in_memory.hpp"
#include "sweeps/account_spec.hpp"
#include "sweeps/level/day_book.hpp"
#include "sweeps/level/tile_search.hpp"

namespace winnow::sweeps::level {
namespace {

constexpr std::int64_t kDay = 19'000;
const TimestampNs kNow = TimestampNs{} + days(20'000);  // 2024-10-04
const std::string kAccount = "2024/default";

Claim claim(const std::string& id, std::int64_t first, std::int64_t count) {
  Claim c;
  c.id = id;
  c.key = "key of " + id;
  c.family = "family " + id;
  c.data = "data";
  c.dataset_hash = c.market = "m";
  c.sweep = "sweep of " + id;
  c.user = "ann";
  c.opened = kNow;
  c.window = {first, first + count};
  c.judged = {c.window};
  c.looks = looks_for({}, count);
  c.fixed = "{}";
  c.seen_by = "nobody";
  return c;
}

LookRecord look_of(double p, std::size_t number = 1) {
  return {.judged_days = 400, .p = p, .gates = true, .bound = 0, .time = kNow, .number = number};
}

OpenedHypothesis opened(const DocumentsInMemory& documents, const std::string& id) {
  return *find_hypothesis(documents, id);
}

TEST(Openings, BuyTheLevelsOfTheAccountInTheirOrder) {
  DocumentsInMemory documents;
  const auto out =
      open_claims(documents, kAccount, {claim("aaaa", kDay, 400), claim("bbbb", kDay, 400)});
  ASSERT_TRUE(out) << out.error().text();
  EXPECT_FALSE((*out)[0].repeat);
  // The first levels of LEVEL 9: .0025 / 1.0025 each at the default pace.
  EXPECT_NEAR(opened(documents, "aaaa").in_account.level, 0.0025 / 1.0025, 1e-12);
  EXPECT_EQ(opened(documents, "bbbb").in_account.index, 2u);
  const auto state = *read_account_state(documents, kAccount);
  EXPECT_NEAR(state.account.left(), 0.045, 1e-12);
  EXPECT_EQ(account_key(kNow), kAccount);
}

TEST(Openings, AnExactRepeatIsFreeAndGrowingDaysGoOn) {
  DocumentsInMemory documents;
  ASSERT_TRUE(open_claims(documents, kAccount, {claim("aaaa", kDay, 200)}));
  auto again = *open_claims(documents, kAccount, {claim("aaaa", kDay, 200)});
  EXPECT_TRUE(again[0].repeat);
  Claim grown = claim("cccc", kDay, 300);
  grown.key = "key of aaaa";
  grown.sweep = "later";
  again = *open_claims(documents, kAccount, {grown});
  EXPECT_TRUE(again[0].repeat);
  EXPECT_EQ(again[0].id, "aaaa");
  EXPECT_EQ(all_hypotheses(documents)->size(), 1u);
  const auto of_later = *openings_of(documents, "later");
  ASSERT_TRUE(of_later && of_later->by_segment[0]);
  EXPECT_EQ(of_later->by_segment[0]->claim.id, "aaaa");
  // Decided, the same idea on other days is another opening.
  ASSERT_TRUE(take_look(documents, kAccount, "aaaa", look_of(0.5, 4)));
  again = *open_claims(documents, kAccount, {grown});
  EXPECT_FALSE(again[0].repeat);
}

TEST(Openings, APromotionGivesTheStakeBackAndIsForGood) {
  DocumentsInMemory documents;
  ASSERT_TRUE(open_claims(documents, kAccount, {claim("aaaa", kDay, 400)}));
  const auto after = *take_look(documents, kAccount, "aaaa", look_of(0.001));
  EXPECT_EQ(after.in_account.state, HypothesisState::Converged);
  EXPECT_EQ(after.looks.size(), 1u);
  EXPECT_NEAR(after.looks[0].bound, after.in_account.level, 1e-15);
  EXPECT_NEAR(read_account_state(documents, kAccount)->account.left(), 0.05, 1e-12);
  // Somebody else's look at the same time changes nothing.
  EXPECT_EQ(take_look(documents, kAccount, "aaaa", look_of(0.9))->in_account.state,
            HypothesisState::Converged);
  ASSERT_TRUE(void_hypothesis(documents, "aaaa", "wrong prices", "ann", kNow));
  EXPECT_EQ(opened(documents, "aaaa").in_account.state, HypothesisState::Void);
  EXPECT_EQ(opened(documents, "aaaa").void_reason, "wrong prices");
  EXPECT_FALSE(void_hypothesis(documents, "aaaa", "again", "ann", kNow));
}

TEST(Openings, GatesThatFailAreANo) {
  DocumentsInMemory documents;
  ASSERT_TRUE(open_claims(documents, kAccount, {claim("aaaa", kDay, 400)}));
  LookRecord look = look_of(0.0001);
  look.gates = false;
  EXPECT_EQ(take_look(documents, kAccount, "aaaa", look)->in_account.state,
            HypothesisState::NotPromoted);
}

TEST(Openings, LooksThatWereMissedAreLost) {
  DocumentsInMemory documents;
  ASSERT_TRUE(open_claims(documents, kAccount, {claim("aaaa", kDay, 200)}));
  const auto second = *take_look(documents, kAccount, "aaaa", look_of(0.5, 2));
  EXPECT_EQ(second.in_account.looks, 2u);
  EXPECT_EQ(second.in_account.state, HypothesisState::Open);
  EXPECT_EQ(second.next_look_days(), 365);
  EXPECT_EQ(take_look(documents, kAccount, "aaaa", look_of(0.0, 1))->in_account.looks, 2u);
}

TEST(Openings, TooFewDaysBuyNothingAndSayWhoSawThem) {
  DocumentsInMemory documents;
  Claim seen = claim("aaaa", kDay, 400);
  seen.judged = {{kDay, kDay + 59}};
  seen.seen_by = "sweep 0123";
  const auto out = *open_claims(documents, kAccount, {seen});
  EXPECT_TRUE(out[0].id.empty());
  EXPECT_NE(out[0].refusal.find("these days were seen by sweep 0123"), std::string::npos)
      << out[0].refusal;
  EXPECT_TRUE(all_hypotheses(documents)->empty());
  const auto openings = *openings_of(documents, "sweep of aaaa");
  ASSERT_TRUE(openings);
  EXPECT_FALSE(openings->by_segment[0]);
  EXPECT_EQ(openings->refusals[0], out[0].refusal);
}

TEST(Openings, AShortWindowIsNobodysFault) {
  DocumentsInMemory documents;
  const auto out = *open_claims(documents, kAccount, {claim("aaaa", kDay, 59)});
  EXPECT_TRUE(out[0].id.empty());
  EXPECT_EQ(out[0].refusal.find("seen by"), std::string::npos) << out[0].refusal;
}

TEST(Openings, AllOrNoneAndASpentAccountSaysSo) {
  DocumentsInMemory documents;
  std::vector<Claim> many;
  for (int i = 0; i < 60; ++i) many.push_back(claim("id" + std::to_string(1000 + i), kDay, 400));
  const auto out = open_claims(documents, kAccount, many);
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().code(), ErrorCode::Refused);
  EXPECT_NE(out.error().text().find("spent until 1 January"), std::string::npos);
  EXPECT_TRUE(all_hypotheses(documents)->empty());
  many.resize(20);
  EXPECT_TRUE(open_claims(documents, kAccount, many));
}

TEST(Openings, WordsUntilTheyAreRevealed) {
  DocumentsInMemory documents;
  Claim sealed = claim("aaaa", kDay, 400);
  sealed.mode = OpenMode::Confirm;
  ASSERT_TRUE(open_claims(documents, kAccount, {sealed}));
  EXPECT_TRUE((*openings_of(documents, sealed.sweep))->words_only());
  // While it is open its days go on judging.
  EXPECT_EQ(reveal(documents, "aaaa", "ann", kNow).error().code(), ErrorCode::Refused);
  ASSERT_TRUE(take_look(documents, kAccount, "aaaa", look_of(0.5)));
  ASSERT_TRUE(reveal(documents, "aaaa", "ann", kNow));
  EXPECT_FALSE((*openings_of(documents, sealed.sweep))->words_only());
  EXPECT_EQ(opened(documents, "aaaa").revealed_by, "ann");
  EXPECT_FALSE(reveal(documents, "aaaa", "bob", kNow));
}

TEST(Openings, ADiskThatIsFullOpensNothing) {
  DocumentsInMemory documents;
  documents.full = true;
  EXPECT_EQ(open_claims(documents, kAccount, {claim("aaaa", kDay, 400)}).error().code(),
            ErrorCode::Io);
}

TEST(Openings, ADamagedRecordIsNamed) {
  DocumentsInMemory documents;
  ASSERT_TRUE(documents.update(kAccountKind, kAccount, [](const auto&) -> Result<std::string> {
    return std::string("{\"events\":3");
  }));
  const auto state = read_account_state(documents, kAccount);
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().code(), ErrorCode::Corrupt);
  EXPECT_NE(state.error().text().find(kAccount), std::string::npos);
}

TEST(Accounts, AreDeclaredBeforeTheirFirstOpeningAndShareTheYear) {
  DocumentsInMemory documents;
  AccountParameters few;
  few.alpha = 0.05;
  few.openings = 5;
  ASSERT_TRUE(declare_account(documents, "2024/agents", few, {"scout"}));
  EXPECT_EQ(*account_of_user(documents, kNow, "scout"), "2024/agents");
  EXPECT_EQ(*account_of_user(documents, kNow, "ann"), kAccount);
  ASSERT_TRUE(open_claims(documents, "2024/agents", {claim("aaaa", kDay, 400)}));
  EXPECT_NEAR(opened(documents, "aaaa").in_account.level, 0.01 / 1.01, 1e-12);
  const Status late = declare_account(documents, "2024/agents", few, {});
  EXPECT_EQ(late.error().code(), ErrorCode::Refused);
  AccountParameters greedy;
  greedy.alpha = 0.06;
  const Status over = declare_account(documents, "2024/more", greedy, {});
  EXPECT_EQ(over.error().code(), ErrorCode::InvalidInput);
}

TEST(Accounts, AFileSaysWhatIsAllowed) {
  const auto spec =
      parse_account("account: agents\nusers: [scout]\nalpha: 0.02\nopenings: 40\n", "a.yaml");
  ASSERT_TRUE(spec) << spec.error().text();
  EXPECT_EQ(spec->users, std::vector<std::string>{"scout"});
  EXPECT_EQ(spec->parameters.openings, 40u);
  for (const char* bad : {"alpha: 0.2\n", "openings: 3\n", "alpah: 0.02\n", "users: scout\n"}) {
    const auto refused = parse_account(bad, "a.yaml");
    ASSERT_FALSE(refused) << bad;
    EXPECT_TRUE(refused.error().text().starts_with("a.yaml:1:")) << refused.error().text();
  }
}

TEST(Days, SealedAreThoseThatNobodySawBroadly) {
  DocumentsInMemory documents;
  const MarketDays market{.id = "m", .hashes = {"m", "n"}, .sealed_from = kDay + 100};
  EXPECT_EQ(DayBook::read(documents, market)->sealed().size(), 1u);
  const Showing swept{"n", {kDay, kDay + 150}, Breadth::Broad, "sweep 1"};
  ASSERT_TRUE(record_showing(documents, swept, "ann", kNow, "", SealBroken::No));
  const auto days = *DayBook::read(documents, market);
  EXPECT_EQ(days.sealed()[0].start, kDay + 150);
  EXPECT_EQ(days.seen_by({kDay, kDay + 10}), "sweep 1");
  Claim c = claim("aaaa", kDay, 400);
  ASSERT_TRUE(set_judged_days(documents, days, c));
  EXPECT_EQ(c.judged, (std::vector<DayRange>{{kDay + 150, kDay + 400}}));
  EXPECT_EQ(parse_showing(showing_key(swept))->who, "sweep 1");
  EXPECT_FALSE(parse_showing("nonsense"));
}

TEST(Days, FiveNarrowShowingsAreABroadOne) {
  DocumentsInMemory documents;
  const MarketDays market{.id = "m", .hashes = {"m"}, .sealed_from = std::nullopt};
  for (int i = 0; i < 5; ++i) {
    const auto days = *DayBook::read(documents, market);
    EXPECT_TRUE(days.shown_broadly().empty()) << i;
    // Of the same family one is enough, of another none.
    EXPECT_EQ(days.shown_narrowly("family a").empty(), i == 0);
    EXPECT_TRUE(days.shown_narrowly("family b").empty());
    const Showing one{"m", {kDay, kDay + 100}, Breadth::Narrow, "backtest " + std::to_string(i)};
    ASSERT_TRUE(record_showing(documents, one, "ann", kNow, "family a", SealBroken::No));
  }
  EXPECT_EQ(DayBook::read(documents, market)->shown_broadly(),
            (std::vector<DayRange>{{kDay, kDay + 100}}));
}

TEST(Days, AHoldoutIsKept) {
  DocumentsInMemory documents;
  const MarketDays market{.id = "m", .hashes = {"m"}, .sealed_from = std::nullopt};
  ASSERT_TRUE(
      record_seal(documents, {"m", {kDay, kDay + 30}, Breadth::Broad, "sweep 1"}, "ann", kNow));
  EXPECT_EQ(DayBook::read(documents, market)->sealed(), (std::vector<DayRange>{{kDay, kDay + 30}}));
}

std::vector<double> grid(std::size_t a, std::size_t b) {
  std::vector<double> out;
  for (std::size_t i = 0; i < a; ++i) {
    for (std::size_t j = 0; j < b; ++j) {
      out.push_back(static_cast<double>(i));
      out.push_back(10.0 * static_cast<double>(j));
    }
  }
  return out;
}

TEST(Tiles, AreTheWholeHalvesAndQuartersOfEveryAxis) {
  const auto tiles = space_tiles(grid(16, 16), {"fast", "slow"});
  ASSERT_FALSE(tiles.empty());
  EXPECT_EQ(tiles[0].rows.size(), 256u);
  EXPECT_EQ(tiles[0].text, "the whole space");
  // 3 x 3 halves, 7 x 7 quarters, half overlapping.
  EXPECT_EQ(tiles.size(), 1u + 9 + 49);
  EXPECT_EQ(tiles[1].rows.size(), 64u);
  EXPECT_EQ(tiles[1].text, "fast 0 to 7, slow 0 to 70");
  EXPECT_EQ(tiles[10].rows.size(), 16u);
  EXPECT_EQ(tiles.back().text, "fast 12 to 15, slow 120 to 150");
}

TEST(Tiles, AnAxisOfOneValueIsNoAxisAndSmallTilesAreLeftOut) {
  EXPECT_EQ(space_tiles(grid(1, 4), {"fast", "slow"}).size(), 1u);
  const auto tiles = space_tiles(grid(1, 32), {"fast", "slow"});
  for (const SpaceTile& tile : tiles) EXPECT_GE(tile.rows.size(), kTileRowsMin);
  EXPECT_EQ(tiles.size(), 1u + 3 + 7);
}

TEST(Tiles, ManyAxesStayWithinTheBound) {
  std::vector<double> params;
  std::vector<std::string> names;
  for (int a = 0; a < 8; ++a) names.push_back("p" + std::to_string(a));
  for (std::size_t r = 0; r < 3000; ++r) {
    for (std::size_t a = 0; a < 8; ++a) {
      params.push_back(static_cast<double>((r * 2654435761u >> (a * 2)) % 8));
    }
  }
  const auto tiles = space_tiles(params, names);
  EXPECT_LE(tiles.size(), kTilesMax);
  EXPECT_GT(tiles.size(), 1u);
}

TEST(Openings, DaysAfterTheWindowThatSomebodyHadSeenDoNotJudgeIt) {
  DocumentsInMemory documents;
  const MarketDays market{.id = "m", .hashes = {"m"}, .sealed_from = std::nullopt};
  ASSERT_TRUE(record_showing(documents, {"m", {kDay + 350, kDay + 500}, Breadth::Broad, "sweep 1"},
                             "ann", kNow, "", SealBroken::No));
  Claim c = claim("aaaa", kDay, 400);
  ASSERT_TRUE(set_judged_days(documents, *DayBook::read(documents, market), c));
  EXPECT_EQ(day_count(c.judged), 350);
  EXPECT_TRUE(judges(c, kDay + 349));
  EXPECT_FALSE(judges(c, kDay + 350));
  EXPECT_FALSE(judges(c, kDay + 420)) << "after the window, and shown before it was opened";
  EXPECT_TRUE(judges(c, kDay + 500)) << "still to come";
  // On record it is the same.
  ASSERT_TRUE(open_claims(documents, kAccount, {c}));
  EXPECT_FALSE(judges(opened(documents, "aaaa").claim, kDay + 420));
}

TEST(Openings, KinIsSettledOnceBeforeTheFirstLook) {
  DocumentsInMemory documents;
  ASSERT_TRUE(open_claims(documents, kAccount, {claim("aaaa", kDay, 400)}));
  EXPECT_FALSE(opened(documents, "aaaa").kin);
  const auto after =
      *settle_kin(documents, kAccount, "aaaa", {{"bbbb", {{kDay, kDay + 300}}}}, kNow);
  ASSERT_TRUE(after.kin);
  EXPECT_EQ(after.claim.judged, (std::vector<DayRange>{{kDay + 300, kDay + 400}}));
  EXPECT_EQ(settle_kin(documents, kAccount, "aaaa", {}, kNow)->kin->size(), 1u);
  ASSERT_TRUE(open_claims(documents, kAccount, {claim("cccc", kDay, 400)}));
  ASSERT_TRUE(take_look(documents, kAccount, "cccc", look_of(0.5)));
  EXPECT_FALSE(settle_kin(documents, kAccount, "cccc", {{"bbbb", {{kDay, kDay + 9}}}}, kNow)->kin)
      << "what was looked at stays as it was";
}

TEST(Openings, DaysThatCameAfterTheWindowAreSeenWithItsLook) {
  DocumentsInMemory documents;
  ASSERT_TRUE(open_claims(documents, kAccount, {claim("aaaa", kDay, 100)}));
  LookRecord look = look_of(0.00001, 1);
  look.to_day = kDay + 140;
  const auto after = *take_look(documents, kAccount, "aaaa", look);
  EXPECT_EQ(after.judged_so_far(), (std::vector<DayRange>{{kDay, kDay + 140}}));
  EXPECT_TRUE(after.seen_before(kNow + days(1)));
  EXPECT_FALSE(after.seen_before(kNow));
}

}  // namespace
}  // namespace winnow::sweeps::level
