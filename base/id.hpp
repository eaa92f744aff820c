#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace winnow {

/// Purpose: an integer that names one kind of thing. No arithmetic, no implicit conversion either
/// way.
template <class Tag, class Rep = std::uint64_t>
class Id {
 public:
  constexpr Id() = default;
  constexpr explicit Id(Rep v) : v_(v) {}
  constexpr Rep value() const { return v_; }
  auto operator<=>(const Id&) const = default;

 private:
  Rep v_ = 0;
};

/// One node process from its start to its end; drawn at random at start.
using NodeId = Id<struct NodeTag>;
/// One session of a node with one coordinator; stale messages carry an old one.
using Incarnation = Id<struct IncarnationTag>;
/// Permission to run a range of blocks, with a deadline.
using LeaseId = Id<struct LeaseTag>;

}  // namespace winnow

template <class Tag, class Rep>
struct std::hash<winnow::Id<Tag, Rep>> {
  std::size_t operator()(winnow::Id<Tag, Rep> id) const noexcept {
    return std::hash<Rep>{}(id.value());
  }
};
