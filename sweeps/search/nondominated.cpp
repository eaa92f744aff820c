#include "sweeps/search/nondominated.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <numeric>

namespace winnow::sweeps::search {

bool dominates(const Merit& a, const Merit& b) {
  if (a.violation != b.violation) return a.violation < b.violation;
  if (a.violation > 0) return false;
  bool lower = false;
  for (std::size_t k = 0; k < a.losses.size(); ++k) {
    if (a.losses[k] > b.losses[k]) return false;
    lower = lower || a.losses[k] < b.losses[k];
  }
  return lower;
}

std::vector<std::vector<std::size_t>> nondominated_fronts(std::span<const Merit> merits) {
  const std::size_t n = merits.size();
  std::vector<std::uint32_t> dominators(n, 0);
  std::vector<std::vector<std::uint32_t>> below(n);
  for (std::size_t a = 0; a < n; ++a) {
    for (std::size_t b = a + 1; b < n; ++b) {
      if (dominates(merits[a], merits[b])) {
        below[a].push_back(static_cast<std::uint32_t>(b));
        ++dominators[b];
      } else if (dominates(merits[b], merits[a])) {
        below[b].push_back(static_cast<std::uint32_t>(a));
        ++dominators[a];
      }
    }
  }
  std::vector<std::vector<std::size_t>> fronts;
  std::vector<std::size_t> front;
  for (std::size_t a = 0; a < n; ++a) {
    if (dominators[a] == 0) front.push_back(a);
  }
  while (!front.empty()) {
    std::vector<std::size_t> next;
    for (std::size_t a : front) {
      for (std::uint32_t b : below[a]) {
        if (--dominators[b] == 0) next.push_back(b);
      }
    }
    std::sort(next.begin(), next.end());
    fronts.push_back(std::move(front));
    front = std::move(next);
  }
  return fronts;
}

std::vector<double> crowding_distances(std::span<const Merit> merits,
                                       std::span<const std::size_t> front) {
  std::vector<double> out(front.size(), 0.0);
  if (front.empty()) return out;
  std::vector<std::size_t> order(front.size());
  for (std::size_t k = 0; k < merits[front[0]].losses.size(); ++k) {
    const auto loss = [&](std::size_t at) { return merits[front[at]].losses[k]; };
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return loss(a) < loss(b); });
    const double span = loss(order.back()) - loss(order.front());
    if (!(span > 0)) continue;
    out[order.front()] = out[order.back()] = std::numeric_limits<double>::infinity();
    for (std::size_t j = 1; j + 1 < order.size(); ++j) {
      out[order[j]] += (loss(order[j + 1]) - loss(order[j - 1])) / span;
    }
  }
  return out;
}

}  // namespace winnow::sweeps::search
