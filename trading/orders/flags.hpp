#pragma once

#include <compare>
#include <cstdint>
#include <type_traits>

namespace winnow::orders {

/// Purpose: a set of enumerators of `E`, which number from 0 and are fewer than 32.
template <class E>
class Flags {
 public:
  constexpr Flags() = default;
  constexpr Flags(E one) : bits_(bit(one)) {}  // NOLINT: a set of one

  constexpr bool has(E one) const { return (bits_ & bit(one)) != 0; }
  constexpr bool any() const { return bits_ != 0; }
  constexpr bool none() const { return bits_ == 0; }
  constexpr std::uint32_t bits() const { return bits_; }
  constexpr Flags operator|(Flags o) const { return from(bits_ | o.bits_); }
  constexpr Flags operator&(Flags o) const { return from(bits_ & o.bits_); }
  /// Those of this set that are not in the other.
  constexpr Flags operator-(Flags o) const { return from(bits_ & ~o.bits_); }
  constexpr Flags& operator|=(Flags o) { return *this = *this | o; }
  constexpr Flags& operator-=(Flags o) { return *this = *this - o; }
  auto operator<=>(const Flags&) const = default;

 private:
  static constexpr std::uint32_t bit(E one) {
    return std::uint32_t{1} << static_cast<std::underlying_type_t<E>>(one);
  }
  static constexpr Flags from(std::uint32_t bits) {
    Flags flags;
    flags.bits_ = bits;
    return flags;
  }
  std::uint32_t bits_ = 0;
};

}  // namespace winnow::orders
