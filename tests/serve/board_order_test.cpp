#include "serve/board_order.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <numeric>
#include <thread>

#include "base/rng.hpp"
#include "tests/serve/fixture.hpp"

namespace winnow::serve {
namespace {

/// A board of trials in a shuffled order, of few ratios and fewer kinds of days.
struct Drawn {
  BoardOrder::Parts parts;
  std::map<std::uint64_t, std::pair<double, std::uint64_t>> result;  // ratio and days of each trial
};

Drawn draw(Rng& rng, std::size_t trials) {
  Drawn out;
  std::vector<std::uint64_t> ids(trials);
  std::iota(ids.begin(), ids.end(), std::uint64_t{0});
  for (std::size_t i = ids.size(); i > 1; --i) std::swap(ids[i - 1], ids[rng.below(i)]);
  out.parts.matching = trials;
  for (const std::uint64_t id : ids) {
    const std::uint64_t ratio = rng.below(5);
    out.parts.trials.push_back(id);
    out.parts.ratios.push_back(ratio == 4 ? std::nan("") : static_cast<double>(ratio) - 2);
    out.result[id] = {static_cast<double>(ratio), rng.below(3)};
  }
  return out;
}

using Groups = std::vector<std::vector<std::uint64_t>>;

/// As a board asks for it. Groups come in any order.
Result<Groups> by_days(const Drawn& board, std::span<const std::uint64_t> trials) {
  std::map<std::uint64_t, std::vector<std::uint64_t>> groups;
  Groups out;
  for (const std::uint64_t t : trials) groups[board.result.at(t).second].push_back(t);
  for (auto& [days, group] : groups) out.push_back(std::move(group));
  return out;
}

/// The rows of a board, by comparing each trial with all before it.
std::vector<BoardRow> rows_by_hand(const Drawn& board) {
  std::vector<BoardRow> out;
  std::map<std::pair<double, std::uint64_t>, std::size_t> row_of;
  for (std::size_t i = 0; i < board.parts.trials.size(); ++i) {
    const std::uint64_t id = board.parts.trials[i];
    const auto [at, is_new] = row_of.emplace(board.result.at(id), out.size());
    if (is_new) out.push_back({.rank = i + 1, .variants = 0});
    BoardRow& row = out[at->second];
    ++row.variants;
    if (row.trials.size() < BoardOrder::kNamed) row.trials.push_back(id);
  }
  return out;
}

TEST(BoardOrder, PagesFromAnyPlaceAreThoseOfTheWholeBoard) {
  Rng rng(3);
  for (int round = 0; round < 200; ++round) {
    const Drawn board = draw(rng, 1 + rng.below(60));
    const BoardOrder order{BoardOrder::Parts(board.parts)};
    const std::vector<BoardRow> expected = rows_by_hand(board);
    int splits = 0;
    const auto split = [&](std::span<const std::uint64_t> trials) {
      ++splits;
      return by_days(board, trials);
    };
    for (int page = 0; page < 20; ++page) {
      const std::size_t begin = rng.below(board.parts.trials.size() + 2);
      const std::uint64_t limit = rng.below(8);
      const auto rows = must(order.results(begin, limit, split));
      auto at = std::find_if(expected.begin(), expected.end(),
                             [&](const BoardRow& row) { return row.rank > begin; });
      for (const BoardRow& row : rows) {
        ASSERT_NE(at, expected.end());
        EXPECT_EQ(row.rank, at->rank);
        EXPECT_EQ(row.variants, at->variants);
        EXPECT_EQ(row.trials, at->trials);
        ++at;
      }
      EXPECT_TRUE(rows.size() == limit || at == expected.end());
    }
    EXPECT_LE(splits, 5) << "each ratio is split once";
  }
}

TEST(BoardOrder, FindsWhereATrialStands) {
  const BoardOrder order({.trials = {7, 3, 9}, .ratios = {3, 2, 1}, .matching = 3});
  EXPECT_EQ(order.place_of(9), 2u);
  EXPECT_EQ(order.place_of(7), 0u);
  EXPECT_EQ(order.place_of(8), std::nullopt);
  ASSERT_EQ(order.rows(1, 5).size(), 2u);
  EXPECT_EQ(order.rows(1, 5)[0].rank, 2u);
  EXPECT_EQ(order.rows(1, 5)[0].trials, std::vector<std::uint64_t>{3});
}

TEST(BoardOrder, WhatNeverTradedIsOneRowWithoutReadingItsDays) {
  BoardOrder::Parts parts;
  parts.trials.resize(BoardOrder::kComparedMax + 2);
  std::iota(parts.trials.begin(), parts.trials.end(), std::uint64_t{0});
  parts.ratios.assign(parts.trials.size(), std::nan(""));
  parts.ratios.front() = 1;
  parts.matching = parts.trials.size();
  const BoardOrder order(std::move(parts));
  const auto no_split = [](std::span<const std::uint64_t>) {
    ADD_FAILURE() << "days were read";
    return Result<Groups>(Error(ErrorCode::Io, "cut"));
  };
  const auto rows = must(order.results(0, 20, no_split));
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[1].variants, BoardOrder::kComparedMax + 1);
  EXPECT_EQ(rows[1].trials.size(), BoardOrder::kNamed);
  EXPECT_TRUE(must(order.results(2, 20, no_split)).empty());
}

TEST(BoardOrder, ManyMayAskForPagesAtOnce) {
  Rng rng(5);
  const Drawn board = draw(rng, 200);
  const BoardOrder order{BoardOrder::Parts(board.parts)};
  const std::vector<BoardRow> expected = rows_by_hand(board);
  const auto split = [&](std::span<const std::uint64_t> trials) { return by_days(board, trials); };
  std::vector<std::size_t> rows(4);
  {
    std::vector<std::jthread> asking;
    for (std::size_t& count : rows) {
      asking.emplace_back([&] { count = must(order.results(0, 1000, split)).size(); });
    }
  }
  EXPECT_EQ(rows, std::vector<std::size_t>(4, expected.size()));
}

TEST(BoardOrder, DaysThatCannotBeReadAreToldAndAskedForAgain) {
  const BoardOrder order({.trials = {1, 2}, .ratios = {1, 1}, .matching = 2});
  bool broken = true;
  const auto split = [&](std::span<const std::uint64_t> trials) {
    if (broken) return Result<Groups>(Error(ErrorCode::Io, "cut"));
    return Result<Groups>(Groups{{trials.begin(), trials.end()}});
  };
  EXPECT_FALSE(order.results(0, 5, split).ok());
  broken = false;
  EXPECT_EQ(must(order.results(0, 5, split)).size(), 1u);
}

}  // namespace
}  // namespace winnow::serve
