#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "base/rng.hpp"
#include "sweeps/search/search.hpp"

namespace winnow::sweeps::search {

inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// Every kind of dimension: float, stepped, logarithmic, integer, category, conditional, one value.
inline std::vector<Dimension> all_kinds() {
  return {{"x", DimensionKind::Float, -2, 2},
          {"stepped", DimensionKind::Float, 0, 1, 0.25},
          {"rate", DimensionKind::Float, 1e-4, 1, 0, Scale::Log},
          {"bars", DimensionKind::Integer, 5, 50},
          {"size", DimensionKind::Integer, 1, 1000, 0, Scale::Log},
          {"kind", DimensionKind::Category, 0, 2},
          {"only_one", DimensionKind::Float, 0, 1, 0, Scale::Linear, Condition{"kind", {1}}},
          {"fixed", DimensionKind::Float, 3, 3}};
}

inline std::vector<Dimension> floats(std::size_t n) {
  std::vector<Dimension> out;
  for (std::size_t i = 0; i < n; ++i) {
    out.push_back({"x" + std::to_string(i), DimensionKind::Float, 0, 1});
  }
  return out;
}

inline Search make(std::vector<Dimension> dims, const SearchOptions& options,
                   std::vector<Constraint> constraints = {}) {
  auto space = Space::make(std::move(dims), std::move(constraints));
  EXPECT_TRUE(space.ok()) << space.error().text();
  auto search = Search::make(*std::move(space), options);
  EXPECT_TRUE(search.ok()) << search.error().text();
  return *std::move(search);
}

inline double bowl(const std::vector<double>& row) {
  double sum = 0;
  for (double v : row) sum += std::isnan(v) ? 0.1 : (v - 0.3) * (v - 0.3);
  return sum;
}

/// An outcome of every sort, by row and trial alone.
inline Outcome assorted(const std::vector<double>& row, std::uint64_t trial,
                        std::size_t objectives) {
  Outcome out{.losses = std::vector<double>(objectives, bowl(row))};
  out.losses.back() += static_cast<double>(trial % 7);
  if (trial % 11 == 3) out.state = OutcomeState::Failed;
  if (trial % 11 == 5) out.losses[0] = kNaN;
  if (trial % 11 == 7) out.violation = 1 + std::abs(row[0]);
  if (trial % 11 == 9) {
    out.state = OutcomeState::Pruned;
    out.resource = static_cast<double>(trial % 3);
  }
  return out;
}

/// Bits of rows as text: NaN equals itself.
inline std::string text(const Rows& rows) {
  std::string out;
  for (const auto& row : rows) {
    for (double v : row) {
      out.append(std::isnan(v) ? "-" : std::to_string(std::bit_cast<std::uint64_t>(v)));
      out += ' ';
    }
    out += '\n';
  }
  return out;
}

/// Tells the open generation in an order chosen by `shuffle`; 0: as it is.
inline void tell_all(Search& search, std::uint64_t shuffle) {
  const Rows rows = search.rows();
  const std::uint64_t first = search.first_trial();
  std::vector<std::uint64_t> order(rows.size());
  std::iota(order.begin(), order.end(), first);
  Rng rng(shuffle);
  for (std::size_t k = order.size(); shuffle != 0 && k > 1; --k) {
    std::swap(order[k - 1], order[rng.below(k)]);
  }
  for (std::uint64_t trial : order) {
    const auto status =
        search.tell(trial, assorted(rows[trial - first], trial, search.options().objectives));
    ASSERT_TRUE(status.ok()) << status.error().text();
  }
}

inline SearchOptions options_of(SearchMethod method) {
  return {.method = method, .seed = 5, .objectives = method.decl().objectives_min};
}

/// All that search.
inline const std::vector<SearchMethod>& methods() {
  static const std::vector<SearchMethod> kAll = [] {
    std::vector<SearchMethod> out;
    for (std::size_t i = 0; i < samplers().size(); ++i) {
      if (samplers()[i]->make != nullptr) out.push_back({static_cast<std::uint8_t>(i)});
    }
    return out;
  }();
  return kAll;
}

}  // namespace winnow::sweeps::search
