#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace winnow::sweeps {

namespace search {
class Method;
class Space;
struct SearchOptions;
}  // namespace search

/// One way of choosing variants. Declared in the file that does it, listed in samplers.cpp; what a
/// specification may say beside it, what it means for a verdict and what a report calls it is read
/// from here and nowhere else.
struct SamplerDecl {
  std::string_view name;    ///< in specifications: `cmaes`
  std::string_view words;   ///< in reports: `CMA-ES`
  bool seeded = false;      ///< its points depend on the seed alone, which reports add
  bool enumerates = false;  ///< every combination of the steps: takes no samples
  /// Chooses by results: a family is judged by what was chosen without any (sweeps/judged.hpp).
  bool learns = false;
  std::size_t objectives_min = 1;
  std::size_t objectives_max = 1;
  bool fidelity = true;            ///< may stand beside a ladder of windows
  bool extends = false;            ///< without results it can be asked for more points than it had
  bool shares = false;             ///< its points do not depend on the segment
  bool whole_generation = false;   ///< its population is a generation
  std::size_t dimensions_max = 0;  ///< 0: any
  /// Null where the plan lays the points out by itself.
  std::unique_ptr<search::Method> (*make)(const search::Space& space,
                                          const search::SearchOptions& options) = nullptr;
};

/// All there are; a specification's `method` is one of their names.
std::span<const SamplerDecl* const> samplers();

/// A sampler's place in samplers().
struct SearchMethod {
  std::uint8_t index = 0;
  bool operator==(const SearchMethod&) const = default;
  const SamplerDecl& decl() const { return *samplers()[index]; }

  // Those that code names because it lays their points out (sweeps/design.cpp) or tests try them.
  static const SearchMethod Grid, Random, Sobol, Lhs, Tpe, Cmaes, Nsga2;
};
inline constexpr SearchMethod SearchMethod::Grid{0};
inline constexpr SearchMethod SearchMethod::Random{1};
inline constexpr SearchMethod SearchMethod::Sobol{2};
inline constexpr SearchMethod SearchMethod::Lhs{3};
inline constexpr SearchMethod SearchMethod::Tpe{4};
inline constexpr SearchMethod SearchMethod::Cmaes{5};
inline constexpr SearchMethod SearchMethod::Nsga2{6};

/// The names of those for which `pick` holds, as in `tpe, cmaes or nsga2`.
std::string samplers_that(bool (*pick)(const SamplerDecl&), std::string_view last = " or ");

}  // namespace winnow::sweeps
