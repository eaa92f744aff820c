#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

#include "base/result.hpp"

namespace winnow::engine {

enum class ParamType { Int, Float };

/// One parameter of a strategy, declared once: YAML validation, search space, documentation, CLI
/// help and dashboard all read this. Values travel as doubles in declaration order (integers
/// exactly).
struct ParamDecl {
  std::string_view name;  ///< with its unit last: `lookback_bars`, `stop_bps`
  std::string_view unit;  ///< `bars`, `bps`, `sd`, ...
  ParamType type = ParamType::Float;
  double min = 0;  ///< smallest allowed
  double max = 0;  ///< largest allowed
  double default_value = 0;
  double step = 0;        ///< what a grid steps by when nothing else is said
  std::string_view help;  ///< one sentence
};

/// The index of a parameter by its name: families name theirs so, and a name that is not declared
/// does not compile.
consteval int param_index(std::span<const ParamDecl> params, std::string_view name) {
  for (std::size_t i = 0; i < params.size(); ++i) {
    if (params[i].name == name) return static_cast<int>(i);
  }
  throw "there is no parameter of that name";
}

/// A bit for each of some parameters.
consteval std::uint64_t bits_of(std::initializer_list<int> params) {
  std::uint64_t bits = 0;
  for (const int p : params) bits |= std::uint64_t{1} << p;
  return bits;
}

/// Purpose: what is known of a family of variants without running it. Declared in the family's own
/// header; see families/list.hpp.
struct FamilyDecl {
  std::string_view name;           ///< `mean_reversion`
  std::uint32_t code_version = 1;  ///< raised whenever a result could change; part of TrialKey
  std::string_view summary;
  std::span<const ParamDecl> params;
  /// Checks that involve several parameters (fast < slow). `values` in declaration order, each
  /// already inside its own range. Null: none.
  Status (*check)(std::span<const double> values) = nullptr;
  /// Bit p is set if `check` may read parameter p. A planner tables only those, so a tight mask
  /// lets it plan larger grids.
  std::uint64_t check_reads = ~std::uint64_t{0};
};

}  // namespace winnow::engine
