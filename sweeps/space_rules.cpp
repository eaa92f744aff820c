#include "sweeps/space_rules.hpp"

#include <algorithm>
#include <cmath>

#include "base/check.hpp"
#include "base/names.hpp"
#include "sweeps/axis.hpp"

namespace winnow::sweeps {
namespace {

bool has(std::span<const double> values, double v) {
  return std::find(values.begin(), values.end(), v) != values.end();
}

Status check_own(const ParamSpace& own, const engine::ParamDecl& decl) {
  const double v = own.when->otherwise;
  const bool whole = decl.type == engine::ParamType::Int;
  if (v < decl.min || v > decl.max || (whole && v != std::floor(v))) {
    return bad_input(own.name + ": else: " + show_number(v) + " is not " +
                     (whole ? "a whole number" : "a number") + " from " + show_number(decl.min) +
                     " to " + show_number(decl.max));
  }
  const auto axis = Axis::make(own);
  if (!axis) return axis.error();
  if (axis->fixed()) return bad_input(own.name + ": when: the parameter does not vary");
  return {};
}

// The parent must be able to take each of the values, or the condition would be about nothing.
Result<SpaceRules::Condition> condition_of(const StrategySpace& space, std::size_t p) {
  const ParamSpace& own = space.params[p];
  const auto no = [&](const std::string& why) { return bad_input(own.name + ": when: " + why); };
  const ParamCondition& when = *own.when;
  const auto parent =
      std::find_if(space.params.begin(), space.params.end(),
                   [&](const ParamSpace& other) { return other.name == when.parameter; });
  if (parent == space.params.end()) return no("there is no parameter '" + when.parameter + "'");
  if (parent->name == own.name) return no("a parameter cannot depend on itself");
  if (parent->when) {
    return no(parent->name + " depends on " + parent->when->parameter +
              " itself; name that, with the values that are meant");
  }
  const auto axis = Axis::make(*parent);
  if (!axis) return axis.error();
  if (axis->count() < 2) {
    return no(parent->name +
              (axis->count() == 1 ? " does not vary" : " has no points; give it a step or values"));
  }
  std::vector<double> points;
  for (std::uint64_t i = 0; i < axis->count(); ++i) points.push_back(axis->value(i));
  if (when.values.empty()) return no("name at least one value of " + parent->name);
  for (const double v : when.values) {
    if (!has(points, v)) return no(parent->name + " never is " + show_number(v));
  }
  if (std::all_of(points.begin(), points.end(), [&](double v) { return has(when.values, v); })) {
    return no("these are all values of " + parent->name + ", so it always holds; leave it out");
  }
  const auto at = static_cast<std::size_t>(parent - space.params.begin());
  return SpaceRules::Condition{at, when.values, when.otherwise};
}

}  // namespace

Result<SpaceRules> SpaceRules::make(const StrategySpace& space, const engine::FamilyDecl& family) {
  WINNOW_REQUIRES(std::equal(
      space.params.begin(), space.params.end(), family.params.begin(), family.params.end(),
      [](const ParamSpace& p, const engine::ParamDecl& decl) { return p.name == decl.name; }));
  SpaceRules out;
  out.family_ = &family;
  const std::size_t n = space.params.size();
  out.conditions_.resize(n);
  out.reads_.resize(n);
  std::vector<std::string> names;
  for (std::size_t p = 0; p < n; ++p) {
    names.push_back(space.params[p].name);
    const bool checked = p >= 64 || (family.check_reads >> p & 1) != 0;
    if (family.check != nullptr && checked) out.reads_[p] = true;
    if (!space.params[p].when) continue;
    WINNOW_TRY(check_own(space.params[p], family.params[p]));
    auto condition = condition_of(space, p);
    if (!condition) return condition.error();
    out.reads_[p] = out.reads_[condition->parent] = out.conditional_ = true;
    out.conditions_[p] = *std::move(condition);
  }
  if (space.require.size() > kRequirementsMax) {
    return bad_input("require: " + std::to_string(space.require.size()) + " conditions; at most " +
                     std::to_string(kRequirementsMax) + " are allowed");
  }
  for (const std::string& text : space.require) {
    auto filter = Filter::parse(text, names);
    if (!filter) return filter.error().within("require: " + show_text(text));
    if (filter->columns().empty()) {
      return bad_input("require: " + show_text(text) + " names no parameter");
    }
    for (const std::uint32_t p : filter->columns()) out.reads_[p] = true;
    out.requirements_.push_back(*std::move(filter));
    out.texts_.push_back(text);
  }
  return out;
}

bool SpaceRules::active(std::size_t p, std::span<const double> values) const {
  const auto& condition = conditions_[p];
  return !condition || has(condition->values, values[condition->parent]);
}

void SpaceRules::settle(std::span<double> values) const {
  if (!conditional_) return;
  for (std::size_t p = 0; p < values.size(); ++p) {
    if (!active(p, values)) values[p] = conditions_[p]->otherwise;
  }
}

Status SpaceRules::check(std::span<const double> values) const {
  if (family_->check != nullptr) WINNOW_TRY(family_->check(values));
  std::vector<std::span<const double>> columns;
  for (std::size_t k = 0; k < requirements_.size(); ++k) {
    columns.clear();
    for (const std::uint32_t p : requirements_[k].columns()) {
      columns.push_back(values.subspan(p, 1));
    }
    if (!requirements_[k].select(columns, 1).empty()) continue;
    return bad_input("it is required that " + texts_[k]);
  }
  return {};
}

}  // namespace winnow::sweeps
