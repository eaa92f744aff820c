#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace winnow::sweeps::search {

enum class DimensionKind : std::uint8_t { Float, Integer, Category };
enum class Scale : std::uint8_t { Linear, Log };

/// A dimension is searched only where its parent, an earlier dimension, is itself active and has
/// one of these values.
struct Condition {
  std::string parent;
  std::vector<double> values;
};

/// One parameter of a search. A category's values are 0 to high, the choices' numbers.
struct Dimension {
  std::string name;
  DimensionKind kind = DimensionKind::Float;
  double low = 0;
  double high = 0;
  double step = 0;  ///< 0: continuous, or by one for integers
  Scale scale = Scale::Linear;
  std::optional<Condition> condition = std::nullopt;
};

/// How far a row is from allowed: 0 or below is allowed. Inactive values are NaN.
struct Constraint {
  std::string name;
  std::function<double(std::span<const double>)> violation;
};

/// Purpose: what a search may try, and the map between values and the unit interval that samplers
/// work in. A stepped dimension of c points has point floor(u c) at u, a logarithmic one low (high
/// / low)^u; a logarithmic integer rounds over [low - 1/2, high + 1/2]. Thread: any, const, if the
/// constraints are.
class Space {
 public:
  static constexpr std::size_t kDimensionsMax = 1024;

  /// Fails: InvalidInput, naming dimension, value and what is allowed.
  static Result<Space> make(std::vector<Dimension> dimensions,
                            std::vector<Constraint> constraints = {});

  std::size_t size() const { return dimensions_.size(); }
  const Dimension& dimension(std::size_t i) const { return dimensions_[i]; }
  const std::vector<Constraint>& constraints() const { return constraints_; }
  bool category(std::size_t i) const { return dimensions_[i].kind == DimensionKind::Category; }
  /// Distinct values; 0 if continuous or logarithmic.
  std::uint64_t count(std::size_t i) const { return counts_[i]; }

  /// u is clamped into the unit interval.
  double from_unit(std::size_t i, double u) const;
  /// The middle of the value's stratum; 1/2 where there is one value only.
  double to_unit(std::size_t i, double value) const;

  /// Whether dimension i is searched, given the values before it.
  bool active(std::size_t i, std::span<const double> row) const;
  /// Replaces the values of inactive dimensions by NaN.
  void mask(std::span<double> row) const;
  /// Fails: InvalidInput if the row could not have come from this space.
  Status check(std::span<const double> row) const;

  /// All that makes two spaces the same but their constraints, one line a dimension.
  std::vector<std::string> signature() const;
  /// Fails: InvalidInput, naming the first dimension that differs.
  Status same_as(const std::vector<std::string>& other) const;

 private:
  Space() = default;
  Status add(Dimension d);

  std::vector<Dimension> dimensions_;
  std::vector<Constraint> constraints_;
  std::vector<std::uint64_t> counts_;
  std::vector<std::ptrdiff_t> parents_;  // -1: none
};

}  // namespace winnow::sweeps::search
