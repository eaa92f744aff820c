// Pages of a leaderboard: by rank and by cursor, also while results come in.

#include "serve/board_cursor.hpp"

#include <gtest/gtest.h>

#include <set>

#include "tests/serve/fixture.hpp"

namespace winnow::serve {
namespace {

Json top(Home& home, const Json& args) { return must(query(home.sources(), "top", args)); }

std::vector<std::uint64_t> trials_of(const Json& rows) {
  std::vector<std::uint64_t> out;
  for (const Json& row : rows) out.push_back(row["trial"]);
  return out;
}

/// All pages of a leaderboard, one after the other, as one list of rows.
Json pages(Home& home, Json args, std::uint64_t rows_a_page) {
  Json out = Json::array();
  args["limit"] = rows_a_page;
  for (;;) {
    const Json page = top(home, args);
    EXPECT_LE(page["rows"].size(), rows_a_page);
    for (const Json& row : page["rows"]) out.push_back(row);
    if (!page.contains("next")) return out;
    args = {{"cursor", page["next"]}, {"limit", rows_a_page}};
    if (out.size() > 10'000) return out;
  }
}

TEST(BoardCursor, IsReadAsItWasWrittenAndNotOtherwise) {
  const BoardCursor cursor{.sweep = "abc",
                           .by = "calmar",
                           .where = "trades > 5 and \"x\" < 1",
                           .all = true,
                           .committed = {1, ~std::uint64_t{0}},
                           .last = 512'300};
  const std::string text = cursor.text();
  EXPECT_EQ(text.find_first_not_of("0123456789abcdef"), std::string::npos);
  const BoardCursor back = must(BoardCursor::read(text));
  EXPECT_EQ(back.sweep, cursor.sweep);
  EXPECT_EQ(back.by, cursor.by);
  EXPECT_EQ(back.where, cursor.where);
  EXPECT_EQ(back.all, cursor.all);
  EXPECT_EQ(back.committed, cursor.committed);
  EXPECT_EQ(back.last, cursor.last);
  for (std::size_t n = 0; n < text.size(); ++n) {
    EXPECT_FALSE(BoardCursor::read(text.substr(0, n)).ok()) << n;
    std::string wrong = text;
    wrong[n] = wrong[n] == '0' ? '1' : '0';
    EXPECT_FALSE(BoardCursor::read(wrong).ok()) << n;
  }
  for (const char* text_of_others : {"", "x", "0123456789abcdefzz", "last"}) {
    const auto no = BoardCursor::read(text_of_others);
    ASSERT_FALSE(no.ok());
    EXPECT_EQ(no.error().code(), ErrorCode::InvalidInput);
  }
}

TEST(BoardPages, ShowEachRowOnceAndInOrder) {
  Home home;
  const std::string sweep = home.run({});
  for (const char* by : {"sharpe_ann", "trades", "dsr", "drawdown_max_frac"}) {
    for (const bool all : {false, true}) {
      const Json question{{"sweep", sweep}, {"by", by}, {"where", "trades >= 1"}, {"all", all}};
      Json whole_args = question;
      whole_args["limit"] = 10'000;
      const Json whole = top(home, whole_args);
      EXPECT_FALSE(whole.contains("next"));
      ASSERT_GT(whole["rows"].size(), 20u);
      EXPECT_EQ(pages(home, question, 7), whole["rows"]) << by << all;
    }
  }
}

TEST(BoardPages, BeginAtAPlaceOfTheRanking) {
  Home home;
  const std::string sweep = home.run({});
  const Json all = top(home, {{"sweep", sweep}, {"all", true}, {"limit", 10'000}})["rows"];
  const Json few = top(home, {{"sweep", sweep}, {"all", true}, {"rank", 31}, {"limit", 4}});
  ASSERT_EQ(few["rows"].size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(few["rows"][i], all[30 + i]);
    EXPECT_EQ(few["rows"][i]["rank"], 31 + i);
  }
  const Json table =
      top(home, {{"sweep", sweep}, {"table", true}, {"rank", 31}, {"limit", 4}})["rows"];
  EXPECT_EQ(table[0][0], 31);
  EXPECT_EQ(table[3][1], all[33]["trial"]);
  // Of one result the first place counts, wherever one begins.
  const Json results = top(home, {{"sweep", sweep}, {"limit", 10'000}})["rows"];
  for (const std::uint64_t rank : {2, 9, 40, 100}) {
    Json expected = Json::array();
    for (const Json& row : results) {
      if (row["rank"] >= rank && expected.size() < 5) expected.push_back(row);
    }
    EXPECT_EQ(top(home, {{"sweep", sweep}, {"rank", rank}, {"limit", 5}})["rows"], expected);
  }
  const Json beyond = top(home, {{"sweep", sweep}, {"rank", 1'000'000}});
  EXPECT_TRUE(beyond["rows"].empty());
  EXPECT_FALSE(beyond.contains("next"));
  EXPECT_EQ(beyond["trials_matching"], all.size());
}

// `dsr` of every row falls with each further trial in the ledger: a cursor holds by the variant.
TEST(BoardPages, ShowNoRowTwiceWhileResultsComeIn) {
  for (const char* by : {"sharpe_ann", "dsr"}) {
    Home home;
    const std::string sweep = home.run({.blocks_max = 2});
    const Json question{{"sweep", sweep}, {"by", by}, {"all", true}};
    Json first_args = question;
    first_args["limit"] = 10'000;
    const auto before = trials_of(top(home, first_args)["rows"]);
    ASSERT_GT(before.size(), 12u);
    Json args = question;
    args["limit"] = 6;
    Json page = top(home, args);
    Json shown = page["rows"];
    (void)home.run({});
    args = {{"cursor", page["next"]}, {"limit", 6}};
    page = top(home, args);
    EXPECT_EQ(page["changed_since_cursor"], true);
    for (const Json& row : page["rows"]) shown.push_back(row);
    const Json rest = pages(home, {{"cursor", page["next"]}}, 6);
    EXPECT_EQ(top(home, {{"cursor", page["next"]}})["changed_since_cursor"], false);
    for (const Json& row : rest) shown.push_back(row);
    const auto trials = trials_of(shown);
    const std::set<std::uint64_t> once(trials.begin(), trials.end());
    EXPECT_EQ(once.size(), trials.size()) << by;
    for (const std::uint64_t trial : before) EXPECT_TRUE(once.contains(trial)) << by << trial;
  }
}

TEST(BoardPages, ACursorOfAnotherQuestionIsRefused) {
  Home home;
  const std::string sweep = home.run({});
  (void)home.run({.yaml = kSpecYaml + "priority: 1\n"});
  const std::string cursor = top(home, {{"sweep", sweep}, {"limit", 5}})["next"];
  const auto refusal = [&](Json args) {
    args["cursor"] = cursor;
    const auto answer = query(home.sources(), "top", args);
    return answer.ok() ? std::string() : answer.error().text();
  };
  EXPECT_EQ(refusal(Json::object()), "");
  EXPECT_EQ(refusal({{"sweep", sweep}, {"by", "sharpe_ann"}, {"where", ""}}), "");
  EXPECT_EQ(refusal({{"by", "calmar"}}),
            "the cursor is of a leaderboard with another `by`; begin without one");
  EXPECT_EQ(refusal({{"where", "trades > 1"}}),
            "the cursor is of a leaderboard with another `where`; begin without one");
  EXPECT_EQ(refusal({{"all", true}}),
            "the cursor is of a leaderboard with another `all`; begin without one");
  EXPECT_EQ(refusal({{"table", true}}),
            "the cursor is of a leaderboard with another `all`; begin without one");
  EXPECT_EQ(refusal({{"rank", 3}}), "a page begins at a rank or at a cursor, not at both");
  EXPECT_EQ(must(query(home.sources(), "top", Json{{"cursor", cursor}}))["sweep_id"], sweep);
  const auto none = query(home.sources(), "top", Json{{"sweep", sweep}, {"rank", 0}});
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().text(), "rank must be a place in the ranking, from 1 up, not 0");
}

}  // namespace
}  // namespace winnow::serve
