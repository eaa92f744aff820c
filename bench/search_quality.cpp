// The best loss of runs of one sampler on one function, as JSON, for search_quality.py:
//   winnow_bench_search_quality METHOD FUNCTION DIMENSIONS BUDGET SEEDS [FIRST_SEED]
// For nsga2 all pairs of losses of each run.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>

#include "bench/search_functions.hpp"
#include "sweeps/search/search.hpp"

namespace {

using namespace winnow::sweeps::search;
using winnow::sweeps::SearchMethod;
using Dims = std::vector<Dimension>;

Dims dimensions(const std::string& name, std::size_t n) {
  constexpr auto kFloat = DimensionKind::Float;
  constexpr auto kInteger = DimensionKind::Integer;
  constexpr auto kCategory = DimensionKind::Category;
  if (name == "mixed") {
    return {{"a", kFloat, 1e-5, 1, 0, Scale::Log},
            {"b", kFloat, 1e-2, 1e3, 0, Scale::Log},
            {"c", kInteger, 1, 64},
            {"d", kInteger, 1, 12},
            {"e", kCategory, 0, 3},
            {"f", kCategory, 0, 3},
            {"g", kFloat, 0, 1},
            {"h", kFloat, 0, 1}};
  }
  Dims out;
  if (name == "conditional") {
    out.push_back({"branch", kCategory, 0, 2});
    for (int k = 1; k <= 6; ++k) {
      const int which = (k - 1) / 2;
      const double branch = which;
      out.push_back(
          {"x" + std::to_string(k), kFloat, 0, 1, 0, Scale::Linear, Condition{"branch", {branch}}});
    }
    out.push_back({"x7", kFloat, 0, 1});
    out.push_back({"x8", kInteger, 1, 30});
    return out;
  }
  struct Half {
    const char* name;
    double range;
  };
  constexpr Half kHalves[] = {{"sphere", 5.12},   {"rosenbrock", 2.048}, {"rastrigin", 5.12},
                              {"ackley", 32.768}, {"griewank", 600},     {"levy", 10},
                              {"schwefel", 500},  {"styblinski_tang", 5}};
  double low = 0;
  double high = 1;
  for (const Half& h : kHalves) {
    if (name == h.name) {
      low = -h.range;
      high = h.range;
    }
  }
  for (std::size_t i = 0; i < n; ++i) out.push_back({"x" + std::to_string(i), kFloat, low, high});
  return out;
}

int fail(const std::string& why) {
  std::fprintf(stderr, "search_quality: %s\n", why.c_str());
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6 && argc != 7) {
    return fail("METHOD FUNCTION DIMENSIONS BUDGET SEEDS [FIRST_SEED] are needed");
  }
  const std::string method = argv[1];
  const std::string name = argv[2];
  const auto dims = std::strtoull(argv[3], nullptr, 10);
  const auto budget = std::strtoull(argv[4], nullptr, 10);
  const auto seeds = std::strtoull(argv[5], nullptr, 10);
  const auto first_seed = argc == 7 ? std::strtoull(argv[6], nullptr, 10) : 0;
  const bool several = method == "nsga2";
  SearchOptions options{.method = method == "tpe"     ? SearchMethod::Tpe
                                  : method == "cmaes" ? SearchMethod::Cmaes
                                  : several           ? SearchMethod::Nsga2
                                                      : SearchMethod::Random,
                        .objectives = several ? 2u : 1u};
  std::printf("[");
  for (std::uint64_t run = 0; run < seeds; ++run) {
    options.seed = first_seed + run;
    auto space = Space::make(dimensions(name, dims));
    if (!space) return fail(space.error().text());
    auto search = Search::make(*std::move(space), options);
    if (!search) return fail(search.error().text());
    double best = std::numeric_limits<double>::infinity();
    std::fputs(run > 0 ? "," : "", stdout);
    if (several) std::printf("[");
    // One row a generation where the sampler learns from each, a population where it does not.
    const std::uint64_t rows = several ? 50 : 1;
    for (std::uint64_t done = 0; done < budget; done += rows) {
      if (auto s = search->open(std::min<std::uint64_t>(rows, budget - done)); !s)
        return fail(s.error().text());
      const Rows asked = search->rows();
      for (std::size_t k = 0; k < asked.size(); ++k) {
        Outcome outcome{.losses = {0}};
        if (several) {
          outcome.losses = {0, 0};
          winnow_bench_zdt(std::atoi(name.c_str() + 3), asked[k].data(), dims,
                           outcome.losses.data());
          std::printf("%s[%.17g,%.17g]", done + k > 0 ? "," : "", outcome.losses[0],
                      outcome.losses[1]);
        } else {
          outcome.losses[0] = winnow_bench_loss(name.c_str(), asked[k].data(), asked[k].size());
          best = std::min(best, outcome.losses[0]);
        }
        if (auto s = search->tell(done + k, outcome); !s) return fail(s.error().text());
      }
    }
    if (several) {
      std::printf("]");
    } else {
      std::printf("%.17g", best);
    }
  }
  std::printf("]\n");
  return 0;
}
