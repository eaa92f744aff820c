#include "sweeps/adaptive.hpp"

#include <algorithm>
#include <boost/archive/binary_iarchive.hpp>
#include <boost/archive/binary_oarchive.hpp>
#include <boost/serialization/string.hpp>
#include <cassert>
#include <cmath>
#include <exception>
#include <limits>
#include <sstream>

#include "base/check.hpp"
#include "base/numbers.hpp"
#include "base/rng.hpp"
#include "engine/engine.hpp"

namespace winnow::sweeps {
namespace {

using search::FidelityKind;
using search::FidelityOptions;
using search::FidelitySearch;
using search::Outcome;
using search::OutcomeState;

FidelityOptions fidelity_of(const ResolvedSpec& spec) {
  FidelityOptions out;
  out.kind = spec.adaptive.fidelity == FidelityMethod::Halving     ? FidelityKind::Halving
             : spec.adaptive.fidelity == FidelityMethod::Hyperband ? FidelityKind::Hyperband
                                                                   : FidelityKind::Asha;
  // Rung k has resource eta^k, whatever its window.
  out.resource_max = static_cast<double>(whole_window_resource(spec));
  out.eta = spec.adaptive.eta;
  out.configs =
      out.kind == FidelityKind::Halving ? halving_rows(spec) : FidelitySearch::kConfigsMax;
  out.generation = spec.adaptive.generation;
  out.batch = kAdaptiveBlockRows;
  return out;
}

std::uint32_t rung_of(double resource, std::uint64_t eta) {
  std::uint32_t rung = 0;
  for (double r = 1; r < resource; r *= static_cast<double>(eta)) ++rung;
  return rung;
}

}  // namespace

Outcome outcome_of(const AdaptiveSpec& spec, const ResultBlock& block, std::uint32_t row) {
  WINNOW_REQUIRES(row < block.rows && block.metric_count == engine::metric_decls().size());
  Outcome out;
  if (block.status[row] != TrialStatus::Ok) {
    out.state = OutcomeState::Failed;
    return out;
  }
  for (const std::string& name : spec.objectives) {
    const auto metric = static_cast<std::size_t>(engine::find_metric(name));
    const double value = block.metrics[metric * block.rows + row];
    out.losses.push_back(engine::metric_decls()[metric].higher_is_better ? -value : value);
  }
  return out;
}

Result<search::Space> SegmentSearch::space_of(const std::shared_ptr<const Design>& design) {
  std::vector<search::Dimension> dimensions;
  for (const std::size_t p : design->varying()) {
    const Axis& axis = design->axis(p);
    search::Dimension d;
    d.name = std::string(design->family().params[p].name);
    d.kind = search::DimensionKind::Float;
    d.low = axis.low();
    d.high = axis.high();
    if (axis.count() > 0) {  // by position, so that values are exactly the axis's own
      d.kind = search::DimensionKind::Integer;
      d.low = 0;
      d.high = static_cast<double>(axis.count() - 1);
    } else if (axis.logarithmic()) {
      d.scale = search::Scale::Log;
      if (axis.integer()) d.kind = search::DimensionKind::Integer;
    }
    if (const auto& when = design->rules().condition(p)) {
      const Axis& parent = design->axis(when->parent);
      search::Condition condition{std::string(design->family().params[when->parent].name), {}};
      for (std::uint64_t rank = 0; rank < parent.count(); ++rank) {
        const double v = parent.value(parent.index_at(rank));
        const bool meant = std::count(when->values.begin(), when->values.end(), v) > 0;
        if (meant) condition.values.push_back(static_cast<double>(rank));
      }
      d.condition = std::move(condition);
    }
    dimensions.push_back(std::move(d));
  }
  if (dimensions.empty()) return bad_search("no parameter varies");
  std::vector<search::Constraint> constraints;
  if (design->rules().refuses()) {
    constraints.push_back({std::string(design->family().name),
                           [design, params = std::vector<double>(design->parameters())](
                               std::span<const double> row) mutable {
                             design->place(row, params);
                             return design->valid(params) ? 0.0 : 1.0;
                           }});
  }
  return search::Space::make(std::move(dimensions), std::move(constraints));
}

Status SegmentSearch::wrap(search::Search made) {
  if (spec_.adaptive.fidelity == FidelityMethod::None) {
    search_.emplace(std::move(made));
    return {};
  }
  auto fidelity = FidelitySearch::make(std::move(made), fidelity_of(spec_));
  if (!fidelity) return fidelity.error();
  fidelity_.emplace(*std::move(fidelity));
  return {};
}

Result<SegmentSearch> SegmentSearch::make(const Plan& plan, const Segment& segment,
                                          std::span<const PriorResult> prior) {
  SegmentSearch out;
  out.spec_ = plan.spec();
  out.design_ = plan.shared_design(segment);
  out.open_.segment = segment.index;
  out.open_.width = static_cast<std::uint32_t>(out.design_->parameters());
  auto space = space_of(out.design_);
  if (!space) return space.error();
  search::SearchOptions options;
  options.method = out.spec_.method;
  options.seed = mix64(out.spec_.seed ^ mix64(segment.index + 1));
  options.objectives = out.spec_.adaptive.objectives.size();
  if (options.method.decl().whole_generation) {
    options.population = out.spec_.adaptive.generation;
  }
  auto made = search::Search::make(*std::move(space), options);
  if (!made) return made.error();
  std::vector<search::PriorTrial> trials;
  for (const PriorResult& p : prior) {
    auto point = out.coordinates(p.params);
    if (!point)
      return bad_search("warm start: trial " + std::to_string(trials.size()) +
                        " of the earlier "
                        "sweep is not a point of this one");
    trials.push_back({*std::move(point), p.outcome});
  }
  if (!trials.empty()) WINNOW_TRY(made->warm_start(made->space().signature(), trials));
  WINNOW_TRY(out.wrap(*std::move(made)));
  return out;
}

std::optional<std::vector<double>> SegmentSearch::coordinates(
    std::span<const double> params) const {
  if (params.size() != design_->parameters()) return std::nullopt;
  const SpaceRules& rules = design_->rules();
  for (std::size_t p = 0; p < params.size(); ++p) {
    const Axis& axis = design_->axis(p);
    if (axis.fixed() && axis.value(0) != params[p]) return std::nullopt;
  }
  std::vector<double> out;
  for (const std::size_t p : design_->varying()) {
    const Axis& axis = design_->axis(p);
    if (!rules.active(p, params)) {
      if (params[p] != rules.condition(p)->otherwise) return std::nullopt;
      out.push_back(std::numeric_limits<double>::quiet_NaN());
      continue;
    }
    if (axis.count() == 0) {
      if (!(params[p] >= axis.low() && params[p] <= axis.high())) return std::nullopt;
      out.push_back(params[p]);
      continue;
    }
    // Values are monotone in the rank, so a bisection finds the position.
    std::uint64_t low = 0;
    std::uint64_t high = axis.count() - 1;
    while (low < high) {
      const std::uint64_t middle = (low + high) / 2;
      if (axis.value(axis.index_at(middle)) < params[p]) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    if (axis.value(axis.index_at(low)) != params[p]) return std::nullopt;
    out.push_back(static_cast<double>(low));
  }
  return out;
}

void SegmentSearch::add_row(std::span<const double> point, std::uint32_t rung) {
  const std::size_t at = open_.values.size();
  open_.values.resize(at + open_.width);
  design_->place(point, std::span(open_.values).subspan(at));
  open_.rungs.push_back(static_cast<std::uint8_t>(rung));
}

// What the search has open, as the farm is to know it.
void SegmentSearch::show(std::uint64_t first_row) {
  open_.first_row = first_row;
  open_.values.clear();
  open_.rungs.clear();
  if (!fidelity_) {
    for (const auto& row : search_->rows()) add_row(row, 0);
    return;
  }
  for (const search::Job& job : fidelity_->jobs()) {
    add_row(fidelity_->row(job.config), rung_of(job.resource, spec_.adaptive.eta));
  }
}

Status SegmentSearch::open() {
  if (waits()) return bad_search("a generation is open");
  if (!fidelity_) {
    WINNOW_TRY(search_->open(spec_.adaptive.generation));
    show(rows_made());
    return {};
  }
  WINNOW_TRY(fidelity_->open());
  if (fidelity_->finished()) {  // the next round of rungs, with all that was learned
    search::Search sampler = std::move(*fidelity_).take_search();
    WINNOW_TRY(wrap(std::move(sampler)));
    WINNOW_TRY(fidelity_->open());
  }
  show(rows_made());
  return {};
}

Status SegmentSearch::tell(std::span<const Outcome> outcomes) {
  if (!waits() || outcomes.size() != open_.rows()) {
    return bad_search(std::to_string(outcomes.size()) + " outcomes for a generation of " +
                      std::to_string(open_.rows()));
  }
  const std::uint64_t next = rows_made();
  if (fidelity_) {
    const std::vector<search::Job> jobs = fidelity_->jobs();
    for (std::size_t k = 0; k < jobs.size(); ++k) {
      WINNOW_TRY(fidelity_->tell(jobs[k].trial, outcomes[k]));
    }
  } else {
    const std::uint64_t first = search_->first_trial();
    for (std::size_t k = 0; k < outcomes.size(); ++k) {
      WINNOW_TRY(search_->tell(first + k, outcomes[k]));
    }
  }
  open_.first_row = next;
  open_.values.clear();
  open_.rungs.clear();
  return {};
}

std::string SegmentSearch::checkpoint() const {
  std::ostringstream body;
  {
    boost::archive::binary_oarchive out(body, boost::archive::no_codecvt);
    const std::string inner = fidelity_ ? fidelity_->checkpoint() : search_->checkpoint();
    out << open_.first_row << inner;
  }
  return body.str();
}

Result<SegmentSearch> SegmentSearch::restore(const Plan& plan, const Segment& segment,
                                             std::string_view checkpoint) {
  try {
    std::istringstream stream{std::string(checkpoint)};
    boost::archive::binary_iarchive in(stream, boost::archive::no_codecvt);
    std::uint64_t first_row = 0;
    std::string inner;
    in >> first_row >> inner;
    auto out = make(plan, segment);
    if (!out) return out;
    auto space = space_of(out->design_);
    if (!space) return space.error();
    if (out->fidelity_) {
      auto restored = FidelitySearch::restore(*std::move(space), inner);
      if (!restored) return restored.error();
      out->fidelity_.emplace(*std::move(restored));
    } else {
      auto restored = search::Search::restore(*std::move(space), inner);
      if (!restored) return restored.error();
      out->search_.emplace(*std::move(restored));
    }
    out->show(first_row);
    return out;
  } catch (const std::exception& e) {
    return Error(ErrorCode::Corrupt, std::string("checkpoint of a search: ") + e.what());
  }
}

}  // namespace winnow::sweeps
