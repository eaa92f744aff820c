#pragma once

#include <cstdint>
#include <map>

#include "base/check.hpp"

namespace winnow::scheduler {

/// Half-open range of block indices.
struct BlockRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::uint64_t size() const {
    WINNOW_INVARIANT(first <= last);
    return last - first;
  }
  auto operator<=>(const BlockRange&) const = default;
};

/// Purpose: a set of block indices kept as disjoint, non-touching ranges in order, so that a sweep
/// of 10^9 trials waits in a few bytes. Thread: one.
class IntervalSet {
 public:
  /// Adds [first, last); parts already in it stay once.
  void insert(BlockRange range);
  /// Takes [first, last) out; parts not in it are ignored.
  void erase(BlockRange range);
  bool contains(std::uint64_t block) const;
  bool empty() const { return ranges_.empty(); }
  std::uint64_t size() const { return size_; }
  /// The lowest range. Requires: !empty().
  BlockRange front() const {
    WINNOW_REQUIRES(!empty());
    return {ranges_.begin()->first, ranges_.begin()->second};
  }
  /// The lowest part of it within a range; empty if there is none.
  BlockRange first_within(BlockRange range) const;

 private:
  bool is_apart(std::map<std::uint64_t, std::uint64_t>::const_iterator range) const;

  std::map<std::uint64_t, std::uint64_t> ranges_;  // first -> last
  std::uint64_t size_ = 0;
};

}  // namespace winnow::scheduler
