#include "serve/board_order.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include "base/check.hpp"

namespace winnow::serve {

BoardOrder::BoardOrder(Parts parts) : parts_(std::move(parts)) {
  WINNOW_REQUIRES(parts_.ratios.empty() || parts_.ratios.size() == parts_.trials.size());
  WINNOW_REQUIRES(parts_.trials.size() <= parts_.matching);
  const std::vector<double> ratios = std::exchange(parts_.ratios, {});
  if (ratios.empty()) return;
  const auto bits_of = [](double ratio) {
    return std::isnan(ratio) ? ~std::uint64_t{0} : std::bit_cast<std::uint64_t>(ratio);
  };
  // Ratios lie beside their places while they are sorted: to look one up at each comparison costs
  // more than the sort.
  std::vector<std::pair<std::uint64_t, std::uint32_t>> by_ratio(places());
  for (std::size_t i = 0; i < by_ratio.size(); ++i) {
    by_ratio[i] = {bits_of(ratios[i]), static_cast<std::uint32_t>(i)};
  }
  std::sort(by_ratio.begin(), by_ratio.end());
  alike_.resize(by_ratio.size());
  first_.resize(by_ratio.size());
  std::uint32_t first = 0;
  for (std::uint32_t i = 0; i < by_ratio.size(); ++i) {
    if (by_ratio[i].first != by_ratio[first].first) first = i;
    alike_[i] = by_ratio[i].second;
    first_[by_ratio[i].second] = first;
  }
}

std::optional<std::size_t> BoardOrder::place_of(std::uint64_t trial) const {
  const auto found = std::find(parts_.trials.begin(), parts_.trials.end(), trial);
  if (found == parts_.trials.end()) return std::nullopt;
  return static_cast<std::size_t>(found - parts_.trials.begin());
}

std::vector<BoardRow> BoardOrder::rows(std::size_t begin, std::uint64_t limit) const {
  std::vector<BoardRow> out;
  for (std::size_t i = begin; i < places() && out.size() < limit; ++i) {
    out.push_back({.rank = i + 1, .trials = {parts_.trials[i]}});
  }
  return out;
}

std::span<const std::uint32_t> BoardOrder::alike(std::size_t place) const {
  const std::uint32_t first = first_[place];
  const auto begin = alike_.begin() + first;
  return {begin, std::partition_point(begin, alike_.end(),
                                      [&](std::uint32_t other) { return first_[other] == first; })};
}

BoardRow BoardOrder::row_of(std::span<const std::uint32_t> places) const {
  BoardRow out{.variants = places.size()};
  for (const std::uint32_t place : places.first(std::min(places.size(), kNamed))) {
    out.trials.push_back(parts_.trials[place]);
  }
  return out;
}

Result<std::shared_ptr<const BoardOrder::Groups>> BoardOrder::groups_of(
    std::span<const std::uint32_t> places, const Split& split) const {
  {
    const std::lock_guard lock(mutex_);
    if (const auto known = split_.find(places.front()); known != split_.end()) {
      return known->second;
    }
  }
  std::vector<std::uint64_t> trials;
  for (const std::uint32_t place : places) trials.push_back(parts_.trials[place]);
  auto parts = split(trials);
  if (!parts.ok()) return parts.error();
  auto groups = std::make_shared<Groups>();
  for (auto& part : *parts) {
    BoardRow row{.variants = part.size()};
    part.resize(std::min(part.size(), kNamed));
    row.trials = std::move(part);
    groups->emplace(row.trials.front(), std::move(row));
  }
  const std::lock_guard lock(mutex_);
  if (split_.size() >= kSplitMax) split_.clear();
  return split_.emplace(places.front(), std::move(groups)).first->second;
}

Result<std::vector<BoardRow>> BoardOrder::results(std::size_t begin, std::uint64_t limit,
                                                  const Split& split) const {
  if (first_.empty()) return rows(begin, limit);
  std::vector<BoardRow> out;
  for (std::size_t i = begin; i < places() && out.size() < limit; ++i) {
    const auto same = alike(i);
    if (same.size() == 1 || same.size() > kComparedMax) {
      if (same.front() != i) continue;
      out.push_back(row_of(same));
    } else {
      const auto groups = groups_of(same, split);
      if (!groups.ok()) return groups.error();
      const auto first = (*groups)->find(parts_.trials[i]);
      if (first == (*groups)->end()) continue;
      out.push_back(first->second);
    }
    out.back().rank = i + 1;
  }
  return out;
}

std::size_t BoardOrder::bytes() const {
  return parts_.trials.capacity() * sizeof(std::uint64_t) +
         (alike_.capacity() + first_.capacity()) * sizeof(std::uint32_t);
}

}  // namespace winnow::serve
