#include "sweeps/search/nondominated.hpp"
#include "sweeps/search/tpe.hpp"
#include "tests/search/support.hpp"

namespace winnow::sweeps::search {
namespace {

double best_of(Search search, std::size_t budget, std::size_t rows,
               double (*loss)(const std::vector<double>&)) {
  double best = std::numeric_limits<double>::infinity();
  for (std::size_t done = 0; done < budget; done += rows) {
    EXPECT_TRUE(search.open(rows).ok());
    const Rows asked = search.rows();
    for (std::size_t k = 0; k < rows; ++k) {
      const double v = loss(asked[k]);
      best = std::min(best, v);
      EXPECT_TRUE(search.tell(done + k, {.losses = {v}}).ok());
    }
  }
  return best;
}

TEST(Tpe, FindsABowlThatRandomSearchMisses) {
  SearchOptions tpe = options_of(SearchMethod::Tpe);
  SearchOptions random = options_of(SearchMethod::Random);
  double ours = 0;
  double theirs = 0;
  for (tpe.seed = random.seed = 1; tpe.seed <= 5; random.seed = ++tpe.seed) {
    ours += best_of(make(floats(6), tpe), 200, 1, bowl);
    theirs += best_of(make(floats(6), random), 200, 1, bowl);
    EXPECT_LT(best_of(make(floats(6), tpe), 200, 10, bowl), 0.1) << tpe.seed;
  }
  EXPECT_LT(ours, 0.25 * theirs);
}

TEST(Cmaes, SolvesALongValleyExactly) {
  const auto valley = [](const std::vector<double>& x) {
    double sum = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double v = x[i] - 0.4 + (i > 0 ? 0.5 * (x[i - 1] - 0.4) : 0.0);
      sum += std::pow(1000.0, static_cast<double>(i) / 7.0) * v * v;
    }
    return sum;
  };
  SearchOptions options = options_of(SearchMethod::Cmaes);
  for (options.seed = 1; options.seed <= 3; ++options.seed) {
    EXPECT_LT(best_of(make(floats(8), options), 4000, 10, valley), 1e-10) << options.seed;
  }
}

TEST(Cmaes, RestartsLeaveAFlatStart) {
  const auto needle = [](const std::vector<double>& x) {
    return std::abs(x[0] - 0.1) < 0.05 ? bowl(x) - 1 : 1.0;
  };
  for (Restarts restarts : {Restarts::Ipop, Restarts::Bipop}) {
    SearchOptions options = options_of(SearchMethod::Cmaes);
    options.restarts = restarts;
    EXPECT_LT(best_of(make(floats(2), options), 3000, 6, needle), -0.9);
  }
}

TEST(Cmaes, IntegersDoNotFreeze) {
  std::vector<Dimension> dims{{"n", DimensionKind::Integer, 0, 30},
                              {"m", DimensionKind::Integer, 0, 3},
                              {"x", DimensionKind::Float, 0, 1}};
  const auto loss = [](const std::vector<double>& x) {
    return std::abs(x[0] - 23) + std::abs(x[1] - 3) + (x[2] - 0.2) * (x[2] - 0.2);
  };
  EXPECT_LT(best_of(make(dims, options_of(SearchMethod::Cmaes)), 1500, 7, loss), 1e-4);
}

TEST(Nsga2, ApproachesTheFrontOfTwoObjectives) {
  Search search = make(floats(8), options_of(SearchMethod::Nsga2));
  std::vector<std::vector<double>> last;
  for (int g = 0; g < 120; ++g) {
    ASSERT_TRUE(search.open(50).ok());
    const Rows rows = search.rows();
    const std::uint64_t first = search.first_trial();
    last.clear();
    for (std::size_t k = 0; k < rows.size(); ++k) {
      double sum = 0;
      for (std::size_t i = 1; i < 8; ++i) sum += rows[k][i];
      const double spread = 1 + 9 * sum / 7;
      last.push_back({rows[k][0], spread * (1 - std::sqrt(rows[k][0] / spread))});
      ASSERT_TRUE(search.tell(first + k, {.losses = last.back()}).ok());
    }
  }
  std::size_t near = 0;
  for (const auto& l : last) near += l[1] - (1 - std::sqrt(l[0])) < 0.1 ? 1 : 0;
  EXPECT_GE(near, 35u);
}

TEST(Nsga2, FeasibleComesFirst) {
  const std::vector<double> good{1, 1};
  const std::vector<double> bad{5, 5};
  EXPECT_TRUE(dominates({good, 0}, {bad, 0}));
  EXPECT_TRUE(dominates({bad, 0}, {good, 0.1}));
  EXPECT_TRUE(dominates({bad, 0.1}, {good, 0.2}));
  EXPECT_FALSE(dominates({good, 0}, {good, 0}));
}

TEST(Nondominated, FrontsAndCrowdingByHand) {
  const std::vector<std::vector<double>> losses{{1, 5}, {2, 3}, {4, 1}, {3, 4}, {5, 5}, {2, 3}};
  std::vector<Merit> merits;
  for (const auto& l : losses) merits.push_back({l, 0});
  const auto fronts = nondominated_fronts(merits);
  ASSERT_EQ(fronts.size(), 3u);
  EXPECT_EQ(fronts[0], (std::vector<std::size_t>{0, 1, 2, 5}));
  EXPECT_EQ(fronts[1], (std::vector<std::size_t>{3}));
  EXPECT_EQ(fronts[2], (std::vector<std::size_t>{4}));
  const std::vector<std::size_t> three{0, 1, 2};
  const auto distance = crowding_distances(merits, three);
  EXPECT_TRUE(std::isinf(distance[0]));
  EXPECT_TRUE(std::isinf(distance[2]));
  EXPECT_DOUBLE_EQ(distance[1], 2.0);  // (4 - 1) / 3 + (5 - 1) / 4
  const std::vector<std::size_t> same{1, 5};
  EXPECT_EQ(crowding_distances(merits, same), (std::vector<double>{0, 0}));
}

TEST(Histogram, IsADensityAndForgetsWithoutATrace) {
  for (std::uint64_t points : {0u, 7u, 100u}) {
    Histogram h(points);
    Rng rng(4);
    const auto draw = [&] {
      const double u = rng.uniform();
      const auto n = static_cast<double>(points);
      return points == 0 ? u : (std::floor(u * n) + 0.5) / n;
    };
    for (int k = 0; k < 500; ++k) h.add(draw() * 0.999, k);
    const double before = h(0.4, 500);
    const std::size_t bins = points == 0 ? 256 : points;
    double sum = 0;
    for (std::size_t b = 0; b < bins; ++b) {
      const double n = static_cast<double>(bins);
      sum += h((static_cast<double>(b) + 0.5) / n, 500) / (points == 0 ? n : 1);
    }
    EXPECT_NEAR(sum, 1, 5e-3) << points;
    h.add(0.41, 500);
    h.remove(0.41, 500);
    EXPECT_EQ(h(0.4, 500), before);
  }
}

TEST(Space, ImpossibleDimensionsAreNamed) {
  const auto refused = [](Dimension d) {
    const auto made = Space::make({{"first", DimensionKind::Float, 0, 1}, std::move(d)});
    return made.ok() ? std::string("accepted") : made.error().text();
  };
  const auto kFloat = DimensionKind::Float;
  EXPECT_NE(refused({"a", kFloat, 2, 1}).find("'a': the range 2 to 1"), std::string::npos);
  EXPECT_NE(refused({"a", kFloat, kNaN, 1}).find("'a'"), std::string::npos);
  EXPECT_NE(refused({"a", kFloat, 0, 1, 0, Scale::Log}).find("above 0"), std::string::npos);
  EXPECT_NE(refused({"a", DimensionKind::Integer, 0, 1.5}).find("whole"), std::string::npos);
  EXPECT_NE(refused({"first", kFloat, 0, 1}).find("twice"), std::string::npos);
  const Condition later{"later", {1}};
  EXPECT_NE(refused({"a", kFloat, 0, 1, 0, Scale::Linear, later}).find("'later'"),
            std::string::npos);
  EXPECT_FALSE(Space::make({}).ok());
}

TEST(Space, UnitMapsBackToTheSameValue) {
  const Space space = *Space::make(all_kinds());
  for (std::size_t i = 0; i < space.size(); ++i) {
    for (double u = 0.001; u < 1; u += 0.0137) {
      const double v = space.from_unit(i, u);
      EXPECT_NEAR(space.from_unit(i, space.to_unit(i, v)), v, 1e-12 * (1 + std::abs(v)));
    }
  }
}

}  // namespace
}  // namespace winnow::sweeps::search
