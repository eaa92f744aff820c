#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "engine/family.hpp"
#include "sweeps/axis.hpp"
#include "sweeps/generation_rows.hpp"
#include "sweeps/grid_index.hpp"
#include "sweeps/resolved_spec.hpp"
#include "sweeps/space_rules.hpp"

namespace winnow::sweeps {

/// What the points of one segment are drawn by.
struct DesignOptions {
  SearchMethod method = SearchMethod::Grid;
  std::uint64_t samples = 0;
  std::uint64_t seed = 0;
  std::uint64_t segment = 0;  ///< Random and Lhs draw each segment's points afresh
  bool learns = false;        ///< the points are a search's
};

/// Purpose: the points of one family's search, by index.
///   Grid    mixed radix over the valid points, last parameter fastest.
///   Random  point i is the first valid of the draws (seed, segment, i, attempt).
///   Sobol   point i is the i-th valid point of the sequence; parameters that do not vary take no
///           dimension.
///   Lhs     `samples` rows are laid out, rows that the rules refuse are left out, so there may be
///           fewer points than samples.
///   Tpe, Cmaes, Nsga2, and others on several fidelities: the rows that with_rows() added; a row
///           that is not known is NaN.
/// A parameter that says nothing in a row stands where its condition says, in all of them.
/// Limits: samples <= kSamplesMax; where parameters are checked against each other,
/// kCheckedSamplesMax for Sobol and Lhs (their valid points are found once and tabled).
/// Thread: any, const.
class Design {
 public:
  static constexpr std::uint64_t kSamplesMax = 1'000'000'000;
  static constexpr std::uint64_t kCheckedSamplesMax = std::uint64_t{1} << 20;

  /// Fails: InvalidInput, naming parameter and what is allowed; also where the space's parameters
  /// are not the family's in the order in which it declares them.
  static Result<std::shared_ptr<const Design>> make(const StrategySpace& space,
                                                    const engine::FamilyDecl& family,
                                                    const DesignOptions& options);

  std::uint64_t size() const { return size_; }
  std::size_t parameters() const { return axes_.size(); }
  const Axis& axis(std::size_t p) const { return axes_[p]; }
  const engine::FamilyDecl& family() const { return *family_; }
  /// Parameters of point i. Requires: i < size(), one entry a parameter.
  void point(std::uint64_t i, std::span<double> out) const;
  /// The grid, or null for a sampled design.
  const GridIndex* grid() const { return grid_ ? &*grid_ : nullptr; }
  const SpaceRules& rules() const { return *rules_; }
  /// Whether the rules accept these parameters.
  bool valid(std::span<const double> values, std::string* why = nullptr) const;

  /// The parameters that vary, in the order in which a search draws them: as declared, those with
  /// a condition last.
  std::span<const std::size_t> varying() const { return varying_; }
  /// All parameters from those of varying(), each by its position on an axis of points (in order
  /// of value), else by its value; not a number where it says nothing. Requires: one entry a
  /// parameter in `out`.
  void place(std::span<const double> varying, std::span<double> out) const;

  bool learns() const { return options_.learns; }
  /// The same with a search's rows known. Fails: InvalidInput (another width, beyond the end).
  Result<std::shared_ptr<const Design>> with_rows(
      std::span<const GenerationRows* const> rows) const;
  /// Rung of row i if it is known.
  std::optional<std::uint32_t> rung(std::uint64_t i) const;

 private:
  using RowsPtr = std::shared_ptr<const GenerationRows>;
  Design() = default;
  Status check_ranges() const;
  Status check_sampling();
  Status table_valid();
  Status probe_random() const;
  void candidate(std::uint64_t index, std::uint64_t attempt, std::span<double> out) const;
  const GenerationRows* rows_with(std::uint64_t i) const;

  DesignOptions options_;
  const engine::FamilyDecl* family_ = nullptr;
  std::optional<SpaceRules> rules_;
  std::vector<Axis> axes_;
  std::vector<std::size_t> varying_;
  std::optional<GridIndex> grid_;
  std::vector<std::uint32_t> valid_;  // Sobol and Lhs with a check: candidates that are points
  std::uint64_t size_ = 0;
  std::vector<RowsPtr> known_;  // a search's rows, ascending
};

}  // namespace winnow::sweeps
