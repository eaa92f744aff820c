#include "scheduler/interval_set.hpp"

#include <algorithm>
#include <iterator>

#include "base/check.hpp"

namespace winnow::scheduler {

void IntervalSet::insert(BlockRange range) {
  if (range.first >= range.last) return;
  auto it = ranges_.upper_bound(range.first);
  if (it != ranges_.begin()) {
    const auto before = std::prev(it);
    if (before->second >= range.first) it = before;
  }
  while (it != ranges_.end() && it->first <= range.last) {
    range.first = std::min(range.first, it->first);
    range.last = std::max(range.last, it->second);
    size_ -= it->second - it->first;
    it = ranges_.erase(it);
  }
  const auto added = ranges_.emplace(range.first, range.last).first;
  size_ += range.size();
  WINNOW_INVARIANT(is_apart(added) && size_ >= range.size());
}

void IntervalSet::erase(BlockRange range) {
  if (range.first >= range.last) return;
  auto it = ranges_.upper_bound(range.first);
  if (it != ranges_.begin()) --it;
  while (it != ranges_.end() && it->first < range.last) {
    const BlockRange old{it->first, it->second};
    if (old.last <= range.first) {
      ++it;
      continue;
    }
    it = ranges_.erase(it);
    WINNOW_INVARIANT(size_ >= old.size());
    size_ -= old.size();
    const BlockRange left{old.first, std::max(old.first, range.first)};
    const BlockRange right{std::min(old.last, range.last), old.last};
    if (left.size() > 0) ranges_.emplace(left.first, left.last);
    if (right.size() > 0) it = ranges_.emplace(right.first, right.last).first;
    size_ += left.size() + right.size();
  }
}

bool IntervalSet::is_apart(std::map<std::uint64_t, std::uint64_t>::const_iterator range) const {
  const auto after = std::next(range);
  return range->first < range->second &&
         (range == ranges_.begin() || std::prev(range)->second < range->first) &&
         (after == ranges_.end() || range->second < after->first);
}

BlockRange IntervalSet::first_within(BlockRange range) const {
  auto it = ranges_.upper_bound(range.first);
  if (it != ranges_.begin() && std::prev(it)->second > range.first) --it;
  if (it == ranges_.end() || it->first >= range.last) return {range.first, range.first};
  return {std::max(it->first, range.first), std::min(it->second, range.last)};
}

bool IntervalSet::contains(std::uint64_t block) const {
  auto it = ranges_.upper_bound(block);
  return it != ranges_.begin() && std::prev(it)->second > block;
}

}  // namespace winnow::scheduler
