#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "engine/family.hpp"
#include "sweeps/resolved_spec.hpp"

namespace winnow::sweeps {

/// Purpose: the values one parameter can take, as points 0..count()-1 or as a continuum.
/// Mapping of u in [0, 1): a stepped axis takes point floor(u * count); a continuous one
/// low + u * (high - low); a logarithmic one low * (high / low)^u; a logarithmic integer n with
/// weight log((n + 1) / n).
/// Values with a step are decimal fractions as a person writes them (1.3, not 1.3000000000000003),
/// so that the same variant has the same key whatever step it was reached by.
/// Thread: any, const.
class Axis {
 public:
  /// Fails: InvalidInput if the range is empty, inverted or not finite, or the step does not fit.
  static Result<Axis> make(const ParamSpace& space);

  /// Points; 0 if continuous or logarithmic.
  std::uint64_t count() const { return count_; }
  bool fixed() const { return count_ == 1; }
  bool integer() const { return integer_; }
  bool logarithmic() const { return kind_ == ValueKind::LogRange; }
  /// Points at equal distances, not listed values.
  bool stepped() const { return count_ > 0 && values_.empty(); }
  /// Number of distinct values a draw can give; 0 if a continuum.
  std::uint64_t distinct() const;
  /// Requires: index < count().
  double value(std::uint64_t index) const;
  /// Requires: 0 <= u < 1.
  double from_unit(double u) const;
  double low() const;
  double high() const;
  /// Where a value lies between low and high, 0 to 1; on a logarithmic axis by its logarithm.
  double to_unit(double value) const;
  /// Position of point `index` when points are sorted by value, and back.
  std::uint64_t rank_of(std::uint64_t index) const {
    return rank_of_.empty() ? index : rank_of_[index];
  }
  std::uint64_t index_at(std::uint64_t rank) const {
    return index_at_.empty() ? rank : index_at_[rank];
  }

 private:
  Axis() = default;
  Status set_steps(const ParamSpace& space);
  Status set_values(const ParamSpace& space);

  ValueKind kind_ = ValueKind::Values;
  bool integer_ = false;
  double low_ = 0;
  double high_ = 0;
  double step_ = 0;
  double log_low_ = 0;
  double log_span_ = 0;
  std::uint64_t count_ = 0;
  // Decimal form of a stepped axis: value = (first_ + i * stride_) / scale_, all whole and exact.
  double first_ = 0;
  double stride_ = 0;
  double scale_ = 0;  // 0: no decimal form
  std::vector<double> values_;
  std::vector<std::uint32_t> rank_of_;
  std::vector<std::uint32_t> index_at_;
};

/// The range of a strategy's own default: fixed at it.
ParamSpace default_space(const engine::ParamDecl& decl);

}  // namespace winnow::sweeps
