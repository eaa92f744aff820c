#include "sweeps/design.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.hpp"
#include "base/names.hpp"
#include "sweeps/generation_rows.hpp"
#include "sweeps/search/sampler.hpp"

namespace winnow::sweeps {
namespace {

// A space where fewer draws than one in 64 are valid is refused: its ranges are wrong. Then 4096
// attempts miss with probability below 1e-27.
constexpr std::uint64_t kProbes = 1024;
constexpr std::uint64_t kProbesValidMin = kProbes / 64;
constexpr std::uint64_t kAttemptsMax = 4096;
constexpr std::size_t kStackParameters = 64;

}  // namespace

Result<std::shared_ptr<const Design>> Design::make(const StrategySpace& space,
                                                   const engine::FamilyDecl& family,
                                                   const DesignOptions& options) {
  if (space.params.size() != family.params.size() || space.params.size() > kStackParameters) {
    return bad_input(std::string(family.name) + " declares " +
                     std::to_string(family.params.size()) + " parameters, the space has " +
                     std::to_string(space.params.size()));
  }
  for (std::size_t p = 0; p < space.params.size(); ++p) {
    if (space.params[p].name == family.params[p].name) continue;
    return bad_input(std::string(family.name) + " declares '" + std::string(family.params[p].name) +
                     "' where the space has '" + space.params[p].name + "'");
  }
  const std::shared_ptr<Design> design(new Design());
  design->options_ = options;
  design->family_ = &family;
  Result<SpaceRules> rules = SpaceRules::make(space, family);
  if (!rules) return rules.error();
  design->rules_ = *std::move(rules);
  for (const ParamSpace& param : space.params) {
    Result<Axis> axis = Axis::make(param);
    if (!axis) return axis.error();
    design->axes_.push_back(*std::move(axis));
    if (options.method == SearchMethod::Grid && design->axes_.back().count() == 0) {
      return bad_input(param.name + ": a grid needs a step or values");
    }
  }
  for (const bool conditional : {false, true}) {
    for (std::size_t p = 0; p < design->axes_.size(); ++p) {
      const bool here = design->rules_->conditional(p) == conditional;
      if (here && !design->axes_[p].fixed()) design->varying_.push_back(p);
    }
  }
  WINNOW_TRY(design->check_ranges());
  if (options.method == SearchMethod::Grid) {
    Result<GridIndex> grid = GridIndex::make(design->axes_, *design->rules_);
    if (!grid) return grid.error();
    design->grid_ = *std::move(grid);
    design->size_ = design->grid_->size();
  } else {
    WINNOW_TRY(design->check_sampling());
  }
  return std::shared_ptr<const Design>(design);
}

Status Design::check_ranges() const {
  for (std::size_t p = 0; p < axes_.size(); ++p) {
    const engine::ParamDecl& decl = family_->params[p];
    const Axis& axis = axes_[p];
    const std::string name(decl.name);
    const double outside = axis.low() < decl.min ? axis.low() : axis.high();
    if (axis.low() < decl.min || axis.high() > decl.max) {
      return bad_input(name + ": " + show_number(outside) + " is outside the range of " +
                       std::string(family_->name) + ", " + show_number(decl.min) + " to " +
                       show_number(decl.max) + " " + std::string(decl.unit));
    }
    if (decl.type != engine::ParamType::Int) continue;
    for (std::uint64_t i = 0; i < axis.count(); ++i) {
      const double v = axis.value(i);
      if (v != std::floor(v))
        return bad_input(name + ": " + show_number(v) + " is not a whole number");
      // A stepped axis is whole everywhere if its first two points are.
      if (i == 1 && axis.stepped()) break;
    }
    if (axis.count() == 0 && !axis.integer()) {
      return bad_input(name + ": whole numbers only; write {int: [low, high]}");
    }
  }
  return {};
}

Status Design::check_sampling() {
  const std::uint64_t n = options_.samples;
  if (n == 0 || n > kSamplesMax) {
    return bad_input("samples " + std::to_string(n) + ": 1 to " + std::to_string(kSamplesMax));
  }
  std::size_t varying = 0;
  double distinct = 1;
  for (const Axis& axis : axes_) {
    varying += axis.fixed() ? 0 : 1;
    distinct *= axis.distinct() == 0 ? HUGE_VAL : static_cast<double>(axis.distinct());
  }
  if (distinct < static_cast<double>(n)) {
    return bad_input("samples " + std::to_string(n) + " of a space of " + show_number(distinct) +
                     " points; take fewer, or search: {method: grid}");
  }
  if (options_.method == SearchMethod::Sobol && varying > kSobolDimensionsMax) {
    return bad_input(std::to_string(varying) + " parameters vary; sobol takes at most " +
                     std::to_string(kSobolDimensionsMax) + ", use lhs or random");
  }
  size_ = n;
  if (!rules_->refuses()) return {};
  const bool drawn = options_.learns || options_.method == SearchMethod::Random;
  return drawn ? probe_random() : table_valid();
}

Status Design::probe_random() const {
  std::vector<double> values(axes_.size());
  std::uint64_t found = 0;
  std::string why;
  for (std::uint64_t i = 0; i < kProbes; ++i) {
    candidate(i, 0, values);
    found += valid(values, &why) ? 1 : 0;
  }
  if (found >= kProbesValidMin) return {};
  return bad_input("only " + std::to_string(found) + " of " + std::to_string(kProbes) +
                   " draws are valid; narrow the ranges. " + why);
}

Status Design::table_valid() {
  if (options_.samples > kCheckedSamplesMax) {
    return bad_input("samples " + std::to_string(options_.samples) + ": at most " +
                     std::to_string(kCheckedSamplesMax) +
                     " where parameters are checked against each other");
  }
  const bool layout = options_.method == SearchMethod::Lhs;
  const std::uint64_t candidates = layout ? options_.samples : 64 * options_.samples;
  std::vector<double> values(axes_.size());
  std::string why;
  bool hopeless = false;
  for (std::uint64_t i = 0; i < candidates && valid_.size() < options_.samples; ++i) {
    candidate(i, 0, values);
    if (valid(values, &why)) valid_.push_back(static_cast<std::uint32_t>(i));
    hopeless = i == kProbes && valid_.size() < kProbesValidMin;
    if (hopeless) break;
  }
  if (hopeless || valid_.empty() || (!layout && valid_.size() < options_.samples)) {
    return bad_input("only " + std::to_string(valid_.size()) +
                     " points of the space are valid where samples is " +
                     std::to_string(options_.samples) + "; narrow the ranges. " + why);
  }
  size_ = valid_.size();
  return {};
}

bool Design::valid(std::span<const double> values, std::string* why) const {
  if (!rules_->refuses()) return true;
  const Status status = rules_->check(values);
  if (!status.ok() && why != nullptr) *why = status.error().text();
  return status.ok();
}

void Design::candidate(std::uint64_t index, std::uint64_t attempt, std::span<double> out) const {
  std::size_t dimension = 0;
  for (std::size_t p = 0; p < axes_.size(); ++p) {
    if (axes_[p].fixed()) {
      out[p] = axes_[p].value(0);
      continue;
    }
    double u = 0;
    if (options_.method == SearchMethod::Sobol && !options_.learns) {
      u = sobol(index, dimension);
    } else if (options_.method == SearchMethod::Lhs && !options_.learns) {
      u = latin_hypercube(options_.seed, options_.segment, options_.samples, index, p);
    } else {
      u = uniform_at(options_.seed, options_.segment, index, attempt * axes_.size() + p);
    }
    out[p] = axes_[p].from_unit(u);
    ++dimension;
  }
  rules_->settle(out);
}

Result<std::shared_ptr<const Design>> Design::with_rows(
    std::span<const GenerationRows* const> rows) const {
  const std::shared_ptr<Design> out(new Design(*this));
  for (const GenerationRows* r : rows) {
    if (!options_.learns || r->width != axes_.size() || r->rows() == 0 || r->first_row >= size_ ||
        r->rows() > size_ - r->first_row) {
      return bad_input("rows " + std::to_string(r->first_row) + " and on, " +
                       std::to_string(r->rows()) + " of " + std::to_string(r->width) +
                       " parameters, are not of this search");
    }
    out->known_.push_back(std::make_shared<const GenerationRows>(*r));
  }
  std::stable_sort(out->known_.begin(), out->known_.end(),
                   [](const RowsPtr& a, const RowsPtr& b) { return a->first_row < b->first_row; });
  return std::shared_ptr<const Design>(out);
}

void Design::place(std::span<const double> varying, std::span<double> out) const {
  WINNOW_REQUIRES(varying.size() == varying_.size() && out.size() == axes_.size());
  for (std::size_t p = 0; p < axes_.size(); ++p) {
    if (axes_[p].fixed()) out[p] = axes_[p].value(0);
  }
  for (std::size_t k = 0; k < varying_.size(); ++k) {
    const std::size_t p = varying_[k];
    const Axis& axis = axes_[p];
    if (rules_->conditional(p) && std::isnan(varying[k])) {
      out[p] = rules_->condition(p)->otherwise;
    } else if (axis.count() > 0) {
      out[p] = axis.value(axis.index_at(static_cast<std::uint64_t>(varying[k])));
    } else {
      out[p] = std::clamp(varying[k], axis.low(), axis.high());
    }
  }
}

const GenerationRows* Design::rows_with(std::uint64_t i) const {
  const auto after =
      std::upper_bound(known_.begin(), known_.end(), i,
                       [](std::uint64_t row, const RowsPtr& r) { return row < r->first_row; });
  if (after == known_.begin()) return nullptr;
  const GenerationRows& rows = **(after - 1);
  return i - rows.first_row < rows.rows() ? &rows : nullptr;
}

std::optional<std::uint32_t> Design::rung(std::uint64_t i) const {
  const GenerationRows* rows = rows_with(i);
  if (rows == nullptr) return std::nullopt;
  return rows->rungs[i - rows->first_row];
}

void Design::point(std::uint64_t i, std::span<double> out) const {
  WINNOW_REQUIRES(i < size() && out.size() == axes_.size());
  if (options_.learns) {
    const GenerationRows* rows = rows_with(i);
    if (rows == nullptr) {
      std::fill(out.begin(), out.end(), std::numeric_limits<double>::quiet_NaN());
      return;
    }
    const auto at = static_cast<std::ptrdiff_t>((i - rows->first_row) * rows->width);
    std::copy_n(rows->values.begin() + at, rows->width, out.begin());
    return;
  }
  if (grid_) {
    std::uint64_t digits[kStackParameters];
    grid_->unrank(i, {digits, axes_.size()});
    for (std::size_t p = 0; p < axes_.size(); ++p) out[p] = axes_[p].value(digits[p]);
    return rules_->settle(out);
  }
  if (!valid_.empty()) return candidate(valid_[i], 0, out);
  for (std::uint64_t attempt = 0; attempt < kAttemptsMax; ++attempt) {
    candidate(i, attempt, out);
    if (options_.method != SearchMethod::Random || valid(out)) return;
  }
}

}  // namespace winnow::sweeps
