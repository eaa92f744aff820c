#include "sweeps/stats/shape.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "base/check.hpp"
#include "sweeps/stats/basic.hpp"

namespace winnow::sweeps::stats {
namespace {

using Grid = std::vector<std::vector<double>>;

/// Calls f(row, column) for each neighbour of a point inside the grid.
template <class F>
void for_neighbours(const Grid& grid, std::size_t i, std::size_t j, bool diagonals, F f) {
  for (int di = -1; di <= 1; ++di) {
    for (int dj = -1; dj <= 1; ++dj) {
      if ((di == 0 && dj == 0) || (!diagonals && di != 0 && dj != 0)) continue;
      const auto r = static_cast<std::ptrdiff_t>(i) + di;
      const auto c = static_cast<std::ptrdiff_t>(j) + dj;
      if (r < 0 || c < 0 || r >= std::ssize(grid) || c >= std::ssize(grid[0])) continue;
      f(static_cast<std::size_t>(r), static_cast<std::size_t>(c));
    }
  }
}

double neighbourhood_mean(const Grid& grid, std::size_t i, std::size_t j, bool with_centre) {
  double sum = with_centre ? grid[i][j] : 0;
  double n = with_centre ? 1 : 0;
  for_neighbours(grid, i, j, true, [&](std::size_t r, std::size_t c) {
    sum += grid[r][c];
    ++n;
  });
  return sum / n;
}

template <class F>
std::array<std::size_t, 2> grid_argmax(const Grid& grid, double& best, F value) {
  std::array<std::size_t, 2> at{};
  bool first = true;
  for (std::size_t i = 0; i < grid.size(); ++i) {
    for (std::size_t j = 0; j < grid[i].size(); ++j) {
      const double v = value(i, j);
      if (!first && !(v > best)) continue;
      first = false;
      best = v;
      at = {i, j};
    }
  }
  return at;
}

}  // namespace

Dispersion dispersion(std::span<const double> x) {
  WINNOW_REQUIRES(!x.empty());
  std::vector<double> sorted(x.begin(), x.end());
  std::sort(sorted.begin(), sorted.end());
  const double n = static_cast<double>(x.size());
  double sum = 0;
  double weighted = 0;
  double squares = 0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    sum += sorted[i];
    weighted += static_cast<double>(i + 1) * sorted[i];
    squares += sorted[i] * sorted[i];
  }
  WINNOW_REQUIRES(sum > 0);
  std::vector<double> off;
  const double middle = median(x);
  for (double v : x) off.push_back(std::abs(v - middle));
  Dispersion d;
  d.cv = stdev(x) / mean(x);
  d.gini = 2 * weighted / (n * sum) - (n + 1) / n;
  d.mad = median(off);
  d.hhi = squares / (sum * sum);
  d.top_share_frac = sorted.back() / sum;
  return d;
}

GridShape grid_shape(const Grid& grid) {
  std::vector<double> all;
  for (const auto& row : grid) all.insert(all.end(), row.begin(), row.end());
  WINNOW_REQUIRES(all.size() >= 2);
  const double n = static_cast<double>(all.size());
  const double m = mean(all);
  GridShape g;
  double product = 0;
  double links = 0;
  double squares = 0;
  double steps = 0;
  for (std::size_t i = 0; i < grid.size(); ++i) {
    for (std::size_t j = 0; j < grid[i].size(); ++j) {
      for_neighbours(grid, i, j, false, [&](std::size_t r, std::size_t c) {
        const double step = std::abs(grid[i][j] - grid[r][c]);
        product += (grid[i][j] - m) * (grid[r][c] - m);
        g.max_local_lipschitz = std::max(g.max_local_lipschitz, step);
        steps += step;
        squares += step * step;
        ++links;
      });
    }
  }
  g.morans_i = n / links * product / (variance(all, 0) * n);
  g.expected_i = -1 / (n - 1);
  g.mean_abs_neighbour_diff = steps / links;
  g.neighbour_variance_ratio = squares / links / (2 * variance(all));
  g.best =
      grid_argmax(grid, g.best_value, [&](std::size_t i, std::size_t j) { return grid[i][j]; });
  g.best_neighbour_mean = neighbourhood_mean(grid, g.best[0], g.best[1], false);
  double close = 0;
  double near = 0;
  for_neighbours(grid, g.best[0], g.best[1], true, [&](std::size_t r, std::size_t c) {
    close += grid[r][c] >= 0.7 * g.best_value ? 1 : 0;
    ++near;
  });
  g.best_neighbour_frac = close / near;
  g.plateau_centre = grid_argmax(grid, g.plateau_centre_mean, [&](std::size_t i, std::size_t j) {
    return neighbourhood_mean(grid, i, j, true);
  });
  return g;
}

Silhouette correlation_silhouette(const Grid& columns, std::span<const int> labels) {
  const std::size_t n = columns.size();
  Grid distance(n, std::vector<double>(n, 0.0));
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const double r = correlation(columns[i], columns[j]);
      distance[i][j] = distance[j][i] = std::sqrt(std::max(0.0, (1 - r) / 2));
    }
  }
  Silhouette s;
  for (std::size_t i = 0; i < n; ++i) {
    std::map<int, std::pair<double, double>> to;  // label: sum of distances, members
    for (std::size_t j = 0; j < n; ++j) {
      if (j == i) continue;
      double square = 0;
      for (std::size_t k = 0; k < n; ++k) {
        square += (distance[i][k] - distance[j][k]) * (distance[i][k] - distance[j][k]);
      }
      to[labels[j]].first += std::sqrt(square);
      to[labels[j]].second += 1;
    }
    double nearest = std::numeric_limits<double>::infinity();
    for (const auto& [label, sum] : to) {
      if (label != labels[i]) nearest = std::min(nearest, sum.first / sum.second);
    }
    const auto own = to.find(labels[i]);
    const double inside = own == to.end() ? 0 : own->second.first / own->second.second;
    s.score.push_back(own == to.end() ? 0 : (nearest - inside) / std::max(nearest, inside));
  }
  s.mean = mean(s.score);
  s.quality_t = s.mean / stdev(s.score, 0);
  return s;
}

}  // namespace winnow::sweeps::stats
