#include "sweeps/search/space.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/det_math.hpp"

namespace winnow::sweeps::search {
namespace {

constexpr double kCountMax = 9007199254740992.0;  // whole numbers a double holds

std::string text(double v) {
  char raw[32];
  const auto end = std::to_chars(raw, raw + sizeof raw, v).ptr;
  return std::string(raw, end);
}

Error bad(const Dimension& d, const std::string& why) {
  return Error(ErrorCode::InvalidInput, "search dimension '" + d.name + "': " + why);
}

double edge(const Dimension& d) { return d.kind == DimensionKind::Integer ? 0.5 : 0; }

Status check_range(const Dimension& d) {
  if (!std::isfinite(d.low) || !std::isfinite(d.high) || d.low > d.high) {
    return bad(d, "the range " + text(d.low) + " to " + text(d.high) +
                      " is not a finite one with low <= high");
  }
  if (!std::isfinite(d.step) || d.step < 0) {
    return bad(d, "the step " + text(d.step) + " is not 0 or a positive number");
  }
  if (d.scale == Scale::Log) {
    if (d.kind == DimensionKind::Category) return bad(d, "categories have no logarithm");
    if (d.low <= 0) return bad(d, "a logarithmic range starts above 0, not at " + text(d.low));
    if (d.step != 0) return bad(d, "a logarithmic range takes no step");
  }
  if (d.kind == DimensionKind::Float) return {};
  if (d.low != std::floor(d.low) || d.high != std::floor(d.high) || d.step != std::floor(d.step)) {
    return bad(d, "range and step must be whole numbers");
  }
  if (d.kind == DimensionKind::Category && (d.low != 0 || d.step > 1)) {
    return bad(d, "categories are numbered from 0 by 1");
  }
  return {};
}

}  // namespace

Status Space::add(Dimension d) {
  if (d.name.empty()) return bad(d, "has no name");
  for (const Dimension& other : dimensions_) {
    if (other.name == d.name) return bad(d, "stands twice");
  }
  WINNOW_TRY(check_range(d));
  if (d.kind != DimensionKind::Float && d.step == 0 && d.scale == Scale::Linear) d.step = 1;
  double count = 0;
  if (d.low == d.high) {
    count = 1;
  } else if (d.step > 0) {
    count = std::floor((d.high - d.low) / d.step + 1e-9) + 1;
    if (count > kCountMax) return bad(d, "has more than 2^53 points, take a longer step");
  }
  std::ptrdiff_t parent = -1;
  if (d.condition) {
    for (std::size_t i = 0; i < dimensions_.size(); ++i) {
      if (dimensions_[i].name == d.condition->parent) parent = static_cast<std::ptrdiff_t>(i);
    }
    if (parent < 0) {
      return bad(d, "depends on '" + d.condition->parent + "', which is no earlier dimension");
    }
    const Dimension& on = dimensions_[static_cast<std::size_t>(parent)];
    if (d.condition->values.empty()) return bad(d, "depends on no value of '" + on.name + "'");
    for (double v : d.condition->values) {
      if (!(v >= on.low && v <= on.high)) {
        return bad(d, "depends on " + text(v) + " of '" + on.name + "', which is " + text(on.low) +
                          " to " + text(on.high));
      }
    }
  }
  counts_.push_back(static_cast<std::uint64_t>(count));
  parents_.push_back(parent);
  dimensions_.push_back(std::move(d));
  return {};
}

Result<Space> Space::make(std::vector<Dimension> dimensions, std::vector<Constraint> constraints) {
  if (dimensions.empty() || dimensions.size() > kDimensionsMax) {
    return Error(ErrorCode::InvalidInput,
                 "a search space has " + std::to_string(dimensions.size()) +
                     " dimensions; allowed are 1 to " + std::to_string(kDimensionsMax));
  }
  Space out;
  for (Dimension& d : dimensions) WINNOW_TRY(out.add(std::move(d)));
  for (const Constraint& c : constraints) {
    if (c.name.empty() || !c.violation) {
      return Error(ErrorCode::InvalidInput, "a constraint has no name or no function");
    }
  }
  out.constraints_ = std::move(constraints);
  return out;
}

double Space::from_unit(std::size_t i, double u) const {
  const Dimension& d = dimensions_[i];
  u = u > 0 ? std::min(u, 1.0) : 0.0;
  if (counts_[i] > 0) {
    const auto last = static_cast<double>(counts_[i] - 1);
    const double index = std::min(std::floor(u * (last + 1)), last);
    return std::min(d.low + index * d.step, d.high);
  }
  if (d.scale == Scale::Linear) return std::clamp(d.low + u * (d.high - d.low), d.low, d.high);
  const double from = det_log(d.low - edge(d));
  const double v = det_exp(from + u * (det_log(d.high + edge(d)) - from));
  return std::clamp(d.kind == DimensionKind::Integer ? std::round(v) : v, d.low, d.high);
}

double Space::to_unit(std::size_t i, double value) const {
  const Dimension& d = dimensions_[i];
  if (counts_[i] == 1) return 0.5;
  if (counts_[i] > 0) {
    const double index = std::round((value - d.low) / d.step);
    return std::clamp((index + 0.5) / static_cast<double>(counts_[i]), 0.0, 1.0);
  }
  if (d.scale == Scale::Linear) return (value - d.low) / (d.high - d.low);
  const double from = det_log(d.low - edge(d));
  const double u = (det_log(value) - from) / (det_log(d.high + edge(d)) - from);
  return std::clamp(u, 0.0, 1.0);
}

bool Space::active(std::size_t i, std::span<const double> row) const {
  if (parents_[i] < 0) return true;
  const double on = row[static_cast<std::size_t>(parents_[i])];
  const auto& values = dimensions_[i].condition->values;
  return std::find(values.begin(), values.end(), on) != values.end();
}

void Space::mask(std::span<double> row) const {
  for (std::size_t i = 0; i < size(); ++i) {
    if (!active(i, row)) row[i] = std::numeric_limits<double>::quiet_NaN();
  }
}

Status Space::check(std::span<const double> row) const {
  if (row.size() != size()) {
    return Error(ErrorCode::InvalidInput, "a row of " + std::to_string(row.size()) +
                                              " values for " + std::to_string(size()) +
                                              " dimensions");
  }
  for (std::size_t i = 0; i < size(); ++i) {
    const Dimension& d = dimensions_[i];
    if (!active(i, row)) {
      if (!std::isnan(row[i])) return bad(d, "is not active, but has the value " + text(row[i]));
      continue;
    }
    if (!(row[i] >= d.low && row[i] <= d.high)) {
      return bad(d, text(row[i]) + " is not in " + text(d.low) + " to " + text(d.high));
    }
    if (d.kind != DimensionKind::Float && row[i] != std::floor(row[i])) {
      return bad(d, text(row[i]) + " is not a whole number");
    }
  }
  return {};
}

std::vector<std::string> Space::signature() const {
  std::vector<std::string> out;
  for (const Dimension& d : dimensions_) {
    std::string line = d.name + " kind " + std::to_string(static_cast<int>(d.kind)) + " from " +
                       text(d.low) + " to " + text(d.high) + " step " + text(d.step);
    if (d.scale == Scale::Log) line += " log";
    if (d.condition) {
      line += " if " + d.condition->parent + " is";
      for (double v : d.condition->values) line += " " + text(v);
    }
    out.push_back(std::move(line));
  }
  return out;
}

Status Space::same_as(const std::vector<std::string>& other) const {
  const auto mine = signature();
  for (std::size_t i = 0; i < std::max(mine.size(), other.size()); ++i) {
    const std::string here = i < mine.size() ? mine[i] : "no such dimension";
    const std::string there = i < other.size() ? other[i] : "no such dimension";
    if (here != there) {
      return Error(ErrorCode::InvalidInput, "not the same search space: dimension " +
                                                std::to_string(i + 1) + " is '" + there +
                                                "' there and '" + here + "' here");
    }
  }
  return {};
}

}  // namespace winnow::sweeps::search
