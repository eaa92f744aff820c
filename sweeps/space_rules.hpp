#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "engine/family.hpp"
#include "sweeps/filter.hpp"
#include "sweeps/resolved_spec.hpp"

namespace winnow::sweeps {

/// Purpose: what rows of parameters one family's space allows beside each parameter's own range:
/// the family's check, what the specification requires, and where a parameter says something.
/// Owner: a Design. Thread: any, const.
class SpaceRules {
 public:
  static constexpr std::size_t kRequirementsMax = 64;

  /// Requires: space.params in the family's declaration order. The family outlives the rules.
  /// Fails: InvalidInput, naming the requirement or the parameter and what is allowed.
  static Result<SpaceRules> make(const StrategySpace& space, const engine::FamilyDecl& family);

  /// Whether some row within the ranges is refused.
  bool refuses() const { return family_->check != nullptr || !requirements_.empty(); }
  /// Whether some parameter says something only where another has certain values.
  bool conditional() const { return conditional_; }
  bool conditional(std::size_t p) const { return conditions_[p].has_value(); }
  /// Whether refuses() or active() look at parameter p.
  bool reads(std::size_t p) const { return reads_[p]; }
  /// Parameter p's condition by the other's place among the parameters.
  struct Condition {
    std::size_t parent = 0;
    std::vector<double> values;
    double otherwise = 0;
  };
  const std::optional<Condition>& condition(std::size_t p) const { return conditions_[p]; }
  /// Whether parameter p says something in this row.
  bool active(std::size_t p, std::span<const double> values) const;
  /// Puts every parameter that says nothing where it then stands.
  void settle(std::span<double> values) const;
  /// Fails: InvalidInput, saying what does not hold. Requires: a settled row.
  Status check(std::span<const double> values) const;

 private:
  SpaceRules() = default;

  const engine::FamilyDecl* family_ = nullptr;
  std::vector<std::optional<Condition>> conditions_;
  bool conditional_ = false;
  std::vector<std::string> texts_;
  std::vector<Filter> requirements_;
  std::vector<bool> reads_;
};

}  // namespace winnow::sweeps
