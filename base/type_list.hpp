#pragma once

#include <array>
#include <cstddef>

#include "base/check.hpp"

namespace winnow {

/// A list of types: what is made for each of them is made here, so that none is forgotten.
template <class... T>
struct TypeList {
  static constexpr std::size_t kSize = sizeof...(T);
};

/// make.operator()<T>() for each T, in the list's order.
template <class Entry, class... T, class Make>
constexpr std::array<Entry, sizeof...(T)> table_of(TypeList<T...>, const Make& make) {
  return {make.template operator()<T>()...};
}

/// Calls f.operator()<T>() for the `index`-th T. Requires: index < kSize.
template <class... T, class F>
void with_type(TypeList<T...>, std::size_t index, const F& f) {
  WINNOW_REQUIRES(index < TypeList<T...>::kSize);
  std::size_t i = 0;
  (void)((i++ == index ? (f.template operator()<T>(), true) : false) || ...);
}

}  // namespace winnow
