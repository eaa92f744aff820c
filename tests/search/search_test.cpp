#include <fstream>
#include <iterator>

#include "tests/search/support.hpp"

namespace winnow::sweeps::search {
namespace {

/// `generations` generations of 16, told in an order.
std::string history(Search search, int generations, std::uint64_t shuffle) {
  std::string out;
  for (int g = 0; g < generations; ++g) {
    const auto status = search.open(16);
    EXPECT_TRUE(status.ok()) << status.error().text();
    if (!status.ok()) break;
    out += text(search.rows());
    tell_all(search, shuffle == 0 ? 0 : shuffle + static_cast<std::uint64_t>(g));
  }
  return out;
}

class EveryMethod : public testing::TestWithParam<SearchMethod> {};
INSTANTIATE_TEST_SUITE_P(Search, EveryMethod, testing::ValuesIn(methods()));

TEST_P(EveryMethod, RowsDoNotDependOnTheOrderOfArrival) {
  const auto told = [&](std::uint64_t shuffle) {
    return history(make(all_kinds(), options_of(GetParam())), 25, shuffle);
  };
  const std::string expected = told(0);
  for (std::uint64_t shuffle : {1u, 77u, 1234u}) EXPECT_EQ(told(shuffle), expected);
}

TEST_P(EveryMethod, SeedChoosesRows) {
  SearchOptions other = options_of(GetParam());
  other.seed = 6;
  const bool same = history(make(all_kinds(), options_of(GetParam())), 3, 0) ==
                    history(make(all_kinds(), other), 3, 0);
  EXPECT_EQ(same, GetParam() == SearchMethod::Sobol);  // not scrambled: one sequence
}

TEST_P(EveryMethod, RowsLieInTheSpace) {
  Search search = make(all_kinds(), options_of(GetParam()));
  for (int g = 0; g < 20; ++g) {
    ASSERT_TRUE(search.open(10).ok());
    for (const auto& row : search.rows()) {
      const auto status = search.space().check(row);
      ASSERT_TRUE(status.ok()) << status.error().text();
      ASSERT_EQ(std::isnan(row[6]), row[5] != 1);
      ASSERT_EQ(row[7], 3);
    }
    tell_all(search, 0);
  }
  EXPECT_EQ(search.counts().failed + search.counts().not_a_number + search.counts().infeasible +
                search.counts().pruned + search.counts().complete,
            200u);
  EXPECT_EQ(search.counts().failed, 18u);
}

TEST_P(EveryMethod, CheckpointWithinAGenerationContinuesIdentically) {
  Search first = make(all_kinds(), options_of(GetParam()));
  for (int g = 0; g < 12; ++g) {
    ASSERT_TRUE(first.open(13).ok());
    tell_all(first, 0);
  }
  ASSERT_TRUE(first.open(13).ok());
  const auto some = first.first_trial() + 4;
  ASSERT_TRUE(first.tell(some, assorted(first.rows()[4], some, first.options().objectives)).ok());
  auto second = Search::restore(*Space::make(all_kinds()), first.checkpoint());
  ASSERT_TRUE(second.ok()) << second.error().text();
  EXPECT_EQ(text(second->rows()), text(first.rows()));
  EXPECT_FALSE(second->tell(some, {.losses = {0}}).ok());
  for (Search* s : {&first, &*second}) {
    const Rows rows = s->rows();
    for (std::size_t k = 0; k < rows.size(); ++k) {
      const std::uint64_t trial = some - 4 + k;
      if (k == 4) continue;
      ASSERT_TRUE(s->tell(trial, assorted(rows[k], trial, s->options().objectives)).ok());
    }
  }
  EXPECT_EQ(second->counts(), first.counts());
  EXPECT_EQ(history(*std::move(second), 12, 0), history(std::move(first), 12, 9));
}

TEST_P(EveryMethod, AllEqualAndAllFailedResultsAreSurvived) {
  for (const Outcome& same : {Outcome{.losses = {1}}, Outcome{.losses = {kNaN}},
                              Outcome{.state = OutcomeState::Failed}}) {
    Search search = make(floats(3), options_of(GetParam()));
    for (int g = 0; g < 30; ++g) {
      ASSERT_TRUE(search.open(10).ok());
      for (const auto& row : search.rows()) ASSERT_TRUE(search.space().check(row).ok());
      const std::uint64_t first = search.first_trial();
      for (std::uint64_t k = 0; k < 10; ++k) {
        Outcome told = same;
        if (!told.losses.empty()) told.losses.resize(search.options().objectives, same.losses[0]);
        ASSERT_TRUE(search.tell(first + k, told).ok());
      }
    }
  }
}

TEST_P(EveryMethod, HundredThousandClonesAreSurvived) {
  Search search = make(floats(2), options_of(GetParam()));
  const Outcome same{.losses = std::vector<double>(search.options().objectives, 1.0)};
  const std::vector<PriorTrial> clones(100'000, PriorTrial{{0.5, 0.5}, same});
  ASSERT_TRUE(search.warm_start(search.space().signature(), clones).ok());
  ASSERT_TRUE(search.open(20).ok());
  for (const auto& row : search.rows()) ASSERT_TRUE(search.space().check(row).ok());
}

TEST_P(EveryMethod, ConstraintsHold) {
  const Constraint below{"x0 below x1",
                         [](std::span<const double> r) { return r[0] < r[1] ? 0.0 : 1.0; }};
  Search search = make(floats(4), options_of(GetParam()), {below});
  for (int g = 0; g < 20; ++g) {
    ASSERT_TRUE(search.open(10).ok());
    for (const auto& row : search.rows()) ASSERT_LT(row[0], row[1]);
    tell_all(search, 0);
  }
}

TEST_P(EveryMethod, ContradictoryConstraintsAreNamed) {
  const Constraint low{"x0 low", [](std::span<const double> r) { return r[0] - 0.2; }};
  const Constraint high{"x0 high", [](std::span<const double> r) { return 0.8 - r[0]; }};
  Search search = make(floats(2), options_of(GetParam()), {low, high});
  const auto status = search.open(5);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code(), ErrorCode::Refused);
  EXPECT_NE(status.error().text().find("'x0 high' refused"), std::string::npos);
  EXPECT_NE(status.error().text().find("'x0 low' refused"), std::string::npos);
  EXPECT_TRUE(search.rows().empty());
}

TEST_P(EveryMethod, OneValueRangesAreAllowed) {
  Search search = make({{"a", DimensionKind::Float, 2, 2}, {"b", DimensionKind::Category, 0, 0}},
                       options_of(GetParam()));
  EXPECT_EQ(text({{2, 0}}), history(std::move(search), 1, 0).substr(0, text({{2, 0}}).size()));
}

// Checkpoints of version 1, in tests/search/data: one a method, after 12 generations of 16.
std::string golden_path(SearchMethod method) {
  return std::string(WINNOW_SOURCE_DIR) + "/tests/search/data/search_v1_" +
         std::to_string(method.index - SearchMethod::Random.index) + ".bin";
}

Search golden_search(SearchMethod method) {
  Search search = make(all_kinds(), options_of(method));
  for (int g = 0; g < 12; ++g) {
    EXPECT_TRUE(search.open(16).ok());
    tell_all(search, 0);
  }
  return search;
}

TEST_P(EveryMethod, ReadsACheckpointOfVersionOne) {
  std::ifstream file(golden_path(GetParam()), std::ios::binary);
  const std::string bytes(std::istreambuf_iterator<char>(file), {});
  auto old = Search::restore(*Space::make(all_kinds()), bytes);
  ASSERT_TRUE(old.ok()) << old.error().text();
  EXPECT_EQ(old->generation(), 12u);
  EXPECT_EQ(history(*std::move(old), 3, 0), history(golden_search(GetParam()), 3, 0));
}

// Writes those files; for a new version of the format, under a new name.
TEST_P(EveryMethod, DISABLED_WritesACheckpoint) {
  std::ofstream(golden_path(GetParam()), std::ios::binary)
      << golden_search(GetParam()).checkpoint();
}

TEST(Search, DamagedCheckpointIsCorrupt) {
  Search search = make(all_kinds(), options_of(SearchMethod::Tpe));
  ASSERT_TRUE(search.open(30).ok());
  tell_all(search, 0);
  const std::string good = search.checkpoint();
  for (std::size_t at = 0; at < good.size(); at += 37) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x10);
    const auto read = Search::restore(*Space::make(all_kinds()), bad);
    ASSERT_FALSE(read.ok());
    ASSERT_EQ(read.error().code(), ErrorCode::Corrupt);
  }
  EXPECT_FALSE(Search::restore(*Space::make(all_kinds()), good.substr(0, 20)).ok());
}

TEST(Search, CheckpointOfAnotherSpaceIsRefusedByName) {
  auto dims = all_kinds();
  dims[3].high = 60;
  const std::string bytes = make(all_kinds(), options_of(SearchMethod::Tpe)).checkpoint();
  const auto read = Search::restore(*Space::make(dims), bytes);
  ASSERT_FALSE(read.ok());
  EXPECT_NE(read.error().text().find("bars"), std::string::npos);
}

TEST(Search, WarmStartLearnsAndRefusesAnotherSpace) {
  for (SearchMethod method : {SearchMethod::Tpe, SearchMethod::Cmaes}) {
    std::vector<PriorTrial> prior;
    Rng rng(3);
    for (int k = 0; k < 300; ++k) {
      std::vector<double> row{rng.uniform(), rng.uniform()};
      const double loss = bowl(row);
      prior.push_back({row, {.losses = {loss}}});
    }
    Search warm = make(floats(2), options_of(method));
    Search cold = make(floats(2), options_of(method));
    ASSERT_TRUE(warm.warm_start(warm.space().signature(), prior).ok());
    ASSERT_TRUE(warm.open(10).ok());
    ASSERT_TRUE(cold.open(10).ok());
    const auto sum = [](const Rows& rows) {
      double total = 0;
      for (const auto& row : rows) total += bowl(row);
      return total;
    };
    EXPECT_LT(sum(warm.rows()), sum(cold.rows()));
    Search other = make(floats(2), options_of(method));
    const auto refused = other.warm_start(make(floats(3), {}).space().signature(), prior);
    ASSERT_FALSE(refused.ok());
    EXPECT_NE(refused.error().text().find("x2"), std::string::npos);
    prior[7].row[1] = 4;
    const auto outside = other.warm_start(other.space().signature(), prior);
    ASSERT_FALSE(outside.ok());
    EXPECT_NE(outside.error().text().find("trial 7"), std::string::npos);
  }
}

TEST(Search, MisuseIsRefused) {
  Search search = make(floats(1), options_of(SearchMethod::Random));
  EXPECT_FALSE(search.tell(0, {.losses = {1}}).ok());
  EXPECT_FALSE(search.open(0).ok());
  ASSERT_TRUE(search.open(2).ok());
  EXPECT_FALSE(search.open(2).ok());
  EXPECT_FALSE(search.tell(2, {.losses = {1}}).ok());
  EXPECT_FALSE(search.tell(0, {.losses = {1, 2}}).ok());
  EXPECT_FALSE(search.warm_start(search.space().signature(), {}).ok());
  const auto two =
      Search::make(*Space::make(floats(1)), {.method = SearchMethod::Tpe, .objectives = 2});
  ASSERT_FALSE(two.ok());
  EXPECT_NE(two.error().text().find("nsga2"), std::string::npos);
}

}  // namespace
}  // namespace winnow::sweeps::search
