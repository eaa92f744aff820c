#include "sweeps/spec_params.hpp"

#include <algorithm>
#include <cmath>

#include "base/names.hpp"
#include "sweeps/axis.hpp"
#include "sweeps/space_rules.hpp"

namespace winnow::sweeps {
namespace {

using engine::FamilyDecl;
using engine::ParamDecl;
using engine::ParamType;
using yaml::Cursor;
using yaml::Node;

constexpr std::size_t kValuesMax = 10'000;

constexpr std::string_view kRangeHelp =
    "a number or one of {int: [low, high], step: s}, {float: [low, high], step: s}, "
    "{log: [low, high]}, {values: [...]}";

std::string range_of(const ParamDecl& decl) {
  return (decl.type == ParamType::Int ? "a whole number from " : "a number from ") +
         show_number(decl.min) + " to " + show_number(decl.max) +
         (decl.unit.empty() ? "" : " " + std::string(decl.unit));
}

// One value of a parameter: its type, and the strategy's own range.
double read_value(const Cursor& at, const ParamDecl& decl) {
  const double v = at.number(range_of(decl));
  if (decl.type == ParamType::Int && v != std::floor(v)) {
    at.refuse(show_number(v) + " is not a whole number; allowed: " + range_of(decl));
  }
  if (v < decl.min || v > decl.max) {
    at.refuse(show_number(v) + " is outside the strategy's range; allowed: " + range_of(decl));
  }
  return v;
}

void read_values(const Cursor& at, const ParamDecl& decl, ParamSpace& space) {
  const std::vector<Cursor> entries = at.list("a list of values");
  if (entries.empty()) at.refuse("the list is empty; allowed: " + range_of(decl));
  if (entries.size() > kValuesMax) {
    at.refuse("more than " + std::to_string(kValuesMax) + " values; write a range with a step");
  }
  std::vector<double> sorted;
  for (const Cursor& entry : entries) {
    const double v = read_value(entry, decl);
    const auto place = std::lower_bound(sorted.begin(), sorted.end(), v);
    if (place != sorted.end() && *place == v) {
      entry.refuse("the value " + show_number(v) + " stands twice");
    }
    sorted.insert(place, v);
    space.values.push_back(v);
  }
  space.kind = ValueKind::Values;
  space.low = sorted.front();
  space.high = sorted.back();
}

void read_bounds(const Cursor& at, const ParamDecl& decl, ParamSpace& space) {
  const std::vector<Cursor> ends = at.list("a list [low, high]");
  if (ends.size() != 2) {
    at.refuse(std::to_string(ends.size()) + " values where [low, high] belongs");
  }
  space.low = read_value(ends[0], decl);
  space.high = read_value(ends[1], decl);
  for (const Cursor& end : ends) {
    const double v = &end == &ends[0] ? space.low : space.high;
    if (space.kind == ValueKind::IntRange && v != std::floor(v)) {
      end.refuse(show_number(v) + " is not a whole number; an int range has whole ends");
    }
  }
  if (space.low >= space.high) {
    at.refuse("the range from " + show_number(space.low) + " to " + show_number(space.high) +
              (space.low > space.high ? " is inverted; write [low, high]"
                                      : " holds one value; write " + show_number(space.low)));
  }
  if (space.kind == ValueKind::LogRange && space.low <= 0) {
    ends[0].refuse(show_number(space.low) + " is not above 0, where a log range must start");
  }
}

void read_step(const Cursor& at, const ParamDecl& decl, ParamSpace& space) {
  const double step = at.number("a number above 0");
  if (step <= 0) at.refuse(show_number(step) + " is not above 0");
  const bool whole = decl.type == ParamType::Int || space.kind == ValueKind::IntRange;
  if (whole && step != std::floor(step)) {
    at.refuse(show_number(step) + " is not a whole number, as steps of whole numbers must be");
  }
  space.step = step;
  const Result<Axis> axis = Axis::make(space);
  if (!axis) at.refuse(axis.error().text().substr(space.name.size() + 2));
}

// `{int: [12, 288], step: 12}` and its kin.
void read_range(const Cursor& at, const ParamDecl& decl, ParamSpace& space) {
  at.expect_map(kRangeHelp, {"int", "float", "log", "values", "step", "when", "else"});
  std::vector<std::string> kinds;
  for (const char* kind : {"int", "float", "log", "values"}) {
    if (at.find(kind)) kinds.emplace_back(kind);
  }
  if (kinds.size() != 1) {
    at.refuse((kinds.empty() ? "no range" : join_names(kinds) + " together") +
              std::string("; write ") + std::string(kRangeHelp));
  }
  const Cursor range = *at.find(kinds[0]);
  const auto step = at.find("step");
  if (kinds[0] == "values") {
    read_values(range, decl, space);
  } else {
    if (kinds[0] == "float" && decl.type == ParamType::Int) {
      at.refuse_at(at.key_place("float"), range.path(),
                   "the parameter takes whole numbers; write int");
    }
    space.kind = kinds[0] == "int"   ? ValueKind::IntRange
                 : kinds[0] == "log" ? ValueKind::LogRange
                                     : ValueKind::FloatRange;
    space.integer = decl.type == ParamType::Int || kinds[0] == "int";
    read_bounds(range, decl, space);
  }
  if (step && (kinds[0] == "values" || kinds[0] == "log")) {
    at.refuse_at(at.key_place("step"), step->path(),
                 "a step says nothing beside " + kinds[0] + "; remove it");
  }
  if (step) read_step(*step, decl, space);
}

// `when: {stop_bps: [50, 100]}, else: 0`; whether the other parameter has such values is seen when
// all are read.
void read_condition(const Cursor& at, const FamilyDecl& family, const ParamDecl& decl,
                    ParamSpace& space) {
  const auto when = at.find("when");
  const auto otherwise = at.find("else");
  if (!when) {
    if (otherwise) {
      at.refuse_at(at.key_place("else"), otherwise->path(),
                   "else says nothing without when: {PARAMETER: [values]}");
    }
    return;
  }
  constexpr std::string_view help = "one parameter with its values, as in {stop_bps: [50, 100]}";
  when->expect_map(help, param_names(family));
  ParamCondition condition;
  for (const ParamDecl& other : family.params) {
    const auto values = when->find(other.name);
    if (!values) continue;
    if (!condition.parameter.empty()) when->refuse("several parameters; name one");
    condition.parameter = other.name;
    const bool one = values->is(Node::Kind::Scalar);
    for (const Cursor& v : one ? std::vector<Cursor>{*values} : values->list(help)) {
      condition.values.push_back(read_value(v, other));
    }
  }
  if (condition.parameter.empty()) when->refuse("nothing; name " + std::string(help));
  condition.otherwise = otherwise ? read_value(*otherwise, decl) : decl.default_value;
  space.when = std::move(condition);
}

ParamSpace read_param(const Cursor& at, const FamilyDecl& family, const ParamDecl& decl,
                      SearchMethod method) {
  ParamSpace space = default_space(decl);
  if (at.is(Node::Kind::Scalar)) {
    space.values = {read_value(at, decl)};
    space.low = space.high = space.values[0];
    return space;
  }
  if (at.is(Node::Kind::List)) {
    at.refuse(
        "a bare list; write {values: [...]}, {int: [low, high], step: s} or {float: [low, "
        "high], step: s}");
  }
  if (at.is(Node::Kind::Null)) at.refuse("nothing where " + std::string(kRangeHelp) + " belongs");
  space.values.clear();
  read_range(at, decl, space);
  read_condition(at, family, decl, space);
  if (method == SearchMethod::Grid && space.kind == ValueKind::LogRange) {
    at.refuse("a grid cannot step through a log range; write {values: [...]} or search at random");
  }
  if (method == SearchMethod::Grid && space.kind != ValueKind::Values && space.step == 0) {
    at.refuse("a grid needs a step; add step: " + show_number(decl.step > 0 ? decl.step : 1) +
              " (what the strategy suggests)");
  }
  return space;
}

// What holds between parameters. The place of a refusal is the rule that is at fault.
void read_rules(const Cursor& at, const FamilyDecl& family, StrategySpace& out) {
  const auto params = at.find("params");
  for (const ParamSpace& param : out.params) {
    if (!param.when) continue;
    StrategySpace alone = out;
    for (ParamSpace& other : alone.params) {
      if (other.name != param.name && other.name != param.when->parameter) other.when.reset();
    }
    const auto rules = SpaceRules::make(alone, family);
    if (!rules) params->find(param.name)->find("when")->refuse(rules.error().text());
  }
  const auto require = at.find("require");
  if (!require) return;
  constexpr std::string_view help =
      "a list of comparisons between parameters, as in [fast_bars < slow_bars]";
  for (const Cursor& entry : require->list(help)) {
    StrategySpace alone = out;
    alone.require = {entry.text(help)};
    const auto rules = SpaceRules::make(alone, family);
    if (!rules) entry.refuse(rules.error().text());
    out.require.push_back(alone.require.front());
  }
  if (out.require.empty()) require->refuse("the list is empty; leave it out");
  const auto rules = SpaceRules::make(out, family);
  if (!rules) require->refuse(rules.error().text());
}

StrategySpace read_strategy(const Cursor& at, SearchMethod method) {
  at.expect_map("a strategy such as {family: mean_reversion, params: {...}}",
                {"family", "params", "require"});
  std::vector<std::string> names;
  for (const FamilyDecl& family : engine::families()) names.emplace_back(family.name);
  const Cursor named = at.at("family", "one of " + join_names(names));
  const FamilyDecl& family = *engine::find_family(named.choice(names));

  StrategySpace out{.family = std::string(family.name), .params = {}};
  const auto params = at.find("params");
  if (params) params->expect_map("a map from parameter to range", param_names(family));
  for (const ParamDecl& decl : family.params) {
    const auto given = params ? params->find(decl.name) : std::nullopt;
    out.params.push_back(given ? read_param(*given, family, decl, method) : default_space(decl));
  }
  read_rules(at, family, out);
  return out;
}

}  // namespace

std::vector<std::string> param_names(const FamilyDecl& family) {
  std::vector<std::string> names;
  for (const ParamDecl& decl : family.params) names.emplace_back(decl.name);
  return names;
}

std::vector<StrategySpace> read_strategies(const Cursor& at, SearchMethod method) {
  const std::vector<Cursor> entries =
      at.list("a list of strategies, as in - {family: mean_reversion, params: {...}}");
  if (entries.empty()) at.refuse("the list is empty; name at least one family");
  std::vector<StrategySpace> out;
  for (const Cursor& entry : entries) {
    out.push_back(read_strategy(entry, method));
    for (std::size_t k = 0; k + 1 < out.size(); ++k) {
      if (out[k].family == out.back().family) {
        entry.find("family")->refuse("the family '" + out.back().family +
                                     "' stands twice; put all its ranges into one entry");
      }
    }
  }
  return out;
}

}  // namespace winnow::sweeps
