#pragma once

#include <cstddef>
#include <string_view>

#include "base/type_list.hpp"
#include "engine/families/bollinger.hpp"
#include "engine/families/donchian.hpp"
#include "engine/families/ma_cross.hpp"
#include "engine/families/mean_reversion.hpp"
#include "engine/families/rsi_reversion.hpp"
#include "engine/families/sma_cross.hpp"
#include "engine/families/z_momentum.hpp"
#include "engine/lanes/contract.hpp"

namespace winnow::engine {

/// The only list of families, in the order of their names: declarations, kernels, steppers and the
/// tests of them all are made from it.
template <class V>
using Families = TypeList<strategies::Bollinger<V>, strategies::Donchian<V>, strategies::MaCross<V>,
                          strategies::MeanReversion<V>, strategies::RsiReversion<V>,
                          strategies::SmaCross<V>, strategies::ZMomentum<V>>;

inline constexpr std::size_t kFamilyCount = Families<lanes::Lane1>::kSize;

namespace strategies {
template <class... S>
consteval bool in_name_order(TypeList<S...>) {
  const std::string_view names[] = {S::kDecl.name...};
  for (std::size_t i = 1; i < sizeof...(S); ++i) {
    if (names[i] <= names[i - 1]) return false;
  }
  return true;
}
}  // namespace strategies
static_assert(strategies::in_name_order(Families<lanes::Lane1>()), "families stand in name order");

}  // namespace winnow::engine
