#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "engine/indicators/spec.hpp"
#include "engine/lanes/family_decl.hpp"
#include "engine/lanes/range.hpp"

// What a strategy is. It is a template over a lane type V (lane.hpp); here is what it sees, what it
// may want, and what is asked of it. families/mean_reversion.hpp is a short one.

namespace winnow::engine::lanes {

/// How a position may end but by the strategy's own wish.
enum class Exits : std::uint8_t {
  None,      ///< in no other way: bars are not searched for stops
  Fixed,     ///< stop, target and deadline, set when it opens
  Trailing,  ///< and a stop that follows the best price since
};

/// What protects a position, read when it opens. What is off lies at infinity.
template <class V>
struct Protect {
  V stop_frac;    ///< loss from the fill, of its price
  V target_frac;  ///< gain over the fill
  V hold_bars;    ///< bars after the one it filled in
  V trail_frac;   ///< loss from the best price since the fill, of that; Exits::Trailing only
};

/// What a decision wants from the next open on.
template <class V>
struct Wish {
  V side;  ///< -1, 0 or 1
};

/// What a decision may know; nothing else exists for it. Columns: ExactBar.
template <class V, class Columns>
class Seen {
 public:
  Seen(const Columns& columns, V side) : columns_(columns), side_(side) {}
  /// Value of the strategy's column c at this close.
  V col(int c) const { return columns_.value(c); }
  /// Of the position that the strategy has, or that an order it wished for works towards.
  V side() const { return side_; }

 private:
  const Columns& columns_;
  V side_;
};

/// A block of bars, as a condition sees it. Columns: BlockBar.
template <class V, class Columns>
class SeenBlock {
 public:
  explicit SeenBlock(const Columns& columns) : columns_(columns) {}
  Range<V> col(int c) const { return {columns_.low(c), columns_.high(c)}; }

 private:
  const Columns& columns_;
};

/// Columns of nothing, to ask what a strategy can do with them.
template <class V>
struct AnyColumns {
  V value(int) const { return V(0.0); }
  V low(int) const { return V(0.0); }
  V high(int) const { return V(0.0); }
};

/// Stateless strategies decide by parameters and by what position_changed() made of them: their
/// decide() is const. Any other's state is changed only where it was due: see decided().
template <class S, class V>
concept Stateless = requires(const S s, const Seen<V, AnyColumns<V>> seen) {
  { s.decide(seen) } -> std::same_as<Wish<V>>;
};

// One concept a demand, so that a strategy of the wrong kind fails with the line that it fails.
template <class S>
concept Declares = requires {
  { S::kDecl } -> std::convertible_to<const FamilyDecl&>;
  { S::kColumns } -> std::convertible_to<int>;
  { S::kExits } -> std::convertible_to<Exits>;
  { S::kExitParam } -> std::convertible_to<int>;
};
template <class S>
concept NamesItsColumns = requires(const double* params) {
  { S::column(0, params) } -> std::same_as<ColumnSpec>;
};
template <class S, class V>
concept SaysWhenItIsDue = requires(const S s, const Seen<V, AnyColumns<V>> seen,
                                   const SeenBlock<V, AnyColumns<V>> block) {
  { s.rule()(seen) } -> std::same_as<typename V::Mask>;
  { s.rule()(block) } -> std::same_as<Maybe<typename V::Mask>>;
};
template <class S, class V>
concept Decides = requires(S s, const Seen<V, AnyColumns<V>> seen, V side) {
  { s.decide(seen) } -> std::same_as<Wish<V>>;
  {s.position_changed(side)};
};
template <class S, class V>
concept ProtectsWhatItOpens = S::kExits == Exits::None ||
                              requires(const S s, const Seen<V, AnyColumns<V>> seen) {
  { s.protect(seen) } -> std::same_as<Protect<V>>;
};
template <class S, class V>
concept HoldsLanesOnly = std::is_trivially_copyable_v<S> &&
    (std::is_empty_v<S> || sizeof(S) % sizeof(V) == 0);

/// Purpose: what every family's template fulfils.
///
/// `due(seen)` is the rule, said once: whether a decision could want or remember anything new. It
/// is asked of blocks of bars, then of bars; decide() is called where it holds, and what it wants
/// or remembers elsewhere is dropped, so that it cannot matter how many bars were looked at.
/// `position_changed(side)` is told after every change of the position. All members are lanes.
template <class S, class V>
concept Strategy = Declares<S> && NamesItsColumns<S> && SaysWhenItIsDue<S, V> && Decides<S, V> &&
    ProtectsWhatItOpens<S, V> && HoldsLanesOnly<S, V>;

/// The lanes of `before` where `m`, in all members. Unrolled: members stay in registers so.
template <class V, class S, class Mask, std::size_t... kMember>
[[gnu::always_inline]] inline void keep_state([[maybe_unused]] Mask m, const S& before, S& now,
                                              std::index_sequence<kMember...>) {
  [[maybe_unused]] const V* from = reinterpret_cast<const V*>(&before);
  [[maybe_unused]] V* to = reinterpret_cast<V*>(&now);
  ((to[kMember] = select(m, from[kMember], to[kMember])), ...);
}

/// The side wanted at a bar, in all lanes; those that are not due keep theirs, and their state.
template <class V, class S, class SeenBar>
[[gnu::always_inline]] inline V decided(S& strategy, const SeenBar& seen) {
  const typename V::Mask due = strategy.rule()(seen);
  if constexpr (Stateless<S, V>) {
    return select(due, strategy.decide(seen).side, seen.side());
  } else {
    const S before = strategy;
    const V side = strategy.decide(seen).side;
    keep_state<V>(!due, before, strategy, std::make_index_sequence<sizeof(S) / sizeof(V)>());
    return select(due, side, seen.side());
  }
}

}  // namespace winnow::engine::lanes
