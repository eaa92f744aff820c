#include "sweeps/search/search.hpp"

#include <cmath>
#include <map>

#include "base/check.hpp"
#include "sweeps/search/method.hpp"

namespace winnow::sweeps::search {
namespace {

// Draws of trial t come from stream t under a seed that is not used for anything else.
constexpr std::uint64_t kSearchSalt = 0x7365'6172'6368'0001ull;

Status check_options(const Space& space, const SearchOptions& o) {
  const SamplerDecl& sampler = o.method.decl();
  if (sampler.make == nullptr) {
    return bad_input(std::string(sampler.name) + " is laid out, not searched");
  }
  if (o.objectives < 1 || o.objectives > 16) {
    return bad_input("a search has 1 to 16 objectives, not " + std::to_string(o.objectives));
  }
  if (sampler.learns && sampler.objectives_max == 1 && o.objectives != 1) {
    const auto one = [](const SamplerDecl& s) { return s.learns && s.objectives_max == 1; };
    const auto several = [](const SamplerDecl& s) { return s.objectives_max > 1; };
    return bad_input(samplers_that(one, " and ") + " take one objective, not " +
                     std::to_string(o.objectives) + "; " + samplers_that(several, " and ") +
                     " takes several");
  }
  if (o.candidates < 1 || o.candidates > 1000) {
    return bad_input("tpe compares 1 to 1000 candidates, not " + std::to_string(o.candidates));
  }
  if (o.population == 1 || o.population > 100'000) {
    return bad_input("a population is 2 to 100000, or 0 for the default, not " +
                     std::to_string(o.population));
  }
  if (sampler.dimensions_max > 0 && space.size() > sampler.dimensions_max) {
    return bad_input("the " + std::string(sampler.words) + " has " +
                     std::to_string(sampler.dimensions_max) + " dimensions, the space has " +
                     std::to_string(space.size()) + "; use lhs or random");
  }
  return {};
}

bool finite(const Outcome& o) {
  for (double v : o.losses) {
    if (!std::isfinite(v)) return false;
  }
  return std::isfinite(o.violation) && std::isfinite(o.resource);
}

}  // namespace

Standing standing(const Outcome& o) {
  if (o.state == OutcomeState::Failed || !finite(o) || o.losses.empty()) {
    return {kGroupFailed, 0, 0};
  }
  if (o.violation > 0) return {2, o.violation, o.losses[0]};
  if (o.state == OutcomeState::Pruned) return {1, -o.resource, o.losses[0]};
  return {0, o.losses[0], 0};
}

Search::Search(Search&&) noexcept = default;
Search& Search::operator=(Search&&) noexcept = default;
Search::~Search() = default;

Result<Search> Search::make(Space space, const SearchOptions& options) {
  WINNOW_TRY(check_options(space, options));
  Search out;
  out.space_ = std::make_unique<const Space>(std::move(space));
  out.options_ = options;
  out.method_ = options.method.decl().make(*out.space_, options);
  return out;
}

Status Search::make_row(std::uint64_t trial, std::vector<double>& row) {
  Rng rng(options_.seed ^ kSearchSalt, trial);
  std::map<std::string, std::uint64_t> refusals;
  for (std::size_t attempt = 0; attempt < kTriesMax; ++attempt) {
    method_->propose(trial, rng, row);
    bool allowed = true;
    for (const Constraint& c : space_->constraints()) {
      if (c.violation(row) <= 0) continue;  // not a number: refused
      allowed = false;
      ++refusals[c.name];
    }
    if (allowed) {
      method_->accept(row);
      return {};
    }
  }
  std::string names;
  for (const auto& [name, times] : refusals) {
    names += (names.empty() ? "'" : ", '") + name + "' refused " + std::to_string(times);
  }
  return Error(ErrorCode::Refused, "no row for trial " + std::to_string(trial) + ": of " +
                                       std::to_string(kTriesMax) + " draws constraint " + names +
                                       "; widen the ranges or drop a constraint");
}

Status Search::open(std::size_t rows) {
  if (!rows_.empty()) {
    return bad_input("generation " + std::to_string(generation_) + " is open, " +
                     std::to_string(left_) + " of its outcomes are missing");
  }
  if (rows < 1 || rows > kGenerationMax) {
    return bad_input("a generation has 1 to " + std::to_string(kGenerationMax) + " rows, not " +
                     std::to_string(rows));
  }
  method_->begin(first_trial_, rows);
  Rows made(rows, std::vector<double>(space_->size()));
  Status status;
  for (std::size_t k = 0; k < rows && status.ok(); ++k) {
    status = make_row(first_trial_ + k, made[k]);
  }
  method_->end();
  if (!status.ok()) return status;
  rows_ = std::move(made);
  outcomes_.assign(rows, Outcome{});
  told_.assign(rows, 0);
  left_ = rows;
  WINNOW_ENSURES(rows_.size() == rows && outcomes_.size() == rows);
  return {};
}

Status Search::check(const Outcome& o) const {
  const bool none = o.state == OutcomeState::Failed && o.losses.empty();
  if (!none && o.losses.size() != options_.objectives) {
    return bad_input(std::to_string(o.losses.size()) + " losses for " +
                     std::to_string(options_.objectives) + " objectives");
  }
  return {};
}

Status Search::tell(std::uint64_t trial, Outcome outcome) {
  const std::string name = "trial " + std::to_string(trial);
  if (trial < first_trial_ || trial - first_trial_ >= rows_.size()) {
    return bad_input(name + " is not in the open generation");
  }
  const std::size_t k = static_cast<std::size_t>(trial - first_trial_);
  if (told_[k] != 0) return bad_input(name + " was told before");
  if (auto status = check(outcome); !status) return status.error().within(name);
  outcomes_[k] = std::move(outcome);
  told_[k] = 1;
  WINNOW_INVARIANT(left_ > 0 && left_ <= rows_.size());
  if (--left_ == 0) close();
  return {};
}

void Search::count(const Outcome& o) {
  const Standing s = standing(o);
  if (o.state == OutcomeState::Failed) {
    ++counts_.failed;
  } else if (s.group == kGroupFailed) {
    ++counts_.not_a_number;
  } else if (s.group == 2) {
    ++counts_.infeasible;
  } else {
    ++(s.group == 1 ? counts_.pruned : counts_.complete);
  }
}

void Search::absorb(const std::vector<const Outcome*>& outcomes, Origin origin) {
  const std::size_t d = space_->size();
  std::vector<double> unit(rows_.size() * d);
  std::vector<Observation> seen;
  for (std::size_t k = 0; k < rows_.size(); ++k) {
    for (std::size_t i = 0; i < d; ++i) {
      const double v = rows_[k][i];
      unit[k * d + i] = std::isnan(v) ? v : space_->to_unit(i, v);
    }
    seen.push_back({first_trial_ + k, rows_[k], std::span(unit).subspan(k * d, d), outcomes[k]});
  }
  method_->absorb(seen, origin);
}

void Search::close() {
  WINNOW_INVARIANT(left_ == 0 && outcomes_.size() == rows_.size());
  std::vector<const Outcome*> outcomes;
  for (const Outcome& o : outcomes_) {
    outcomes.push_back(&o);
    count(o);
  }
  absorb(outcomes, Origin::Own);
  first_trial_ += rows_.size();
  ++generation_;
  rows_.clear();
}

Status Search::warm_start(const std::vector<std::string>& signature,
                          const std::vector<PriorTrial>& trials) {
  if (generation_ > 0 || !rows_.empty()) {
    return bad_input("a warm start comes before the first generation");
  }
  if (auto status = space_->same_as(signature); !status) {
    return status.error().within("warm start");
  }
  std::vector<const Outcome*> outcomes;
  Rows rows;
  for (std::size_t k = 0; k < trials.size(); ++k) {
    Status status = space_->check(trials[k].row);
    if (status.ok()) status = check(trials[k].outcome);
    if (!status) return status.error().within("warm start, trial " + std::to_string(k));
    rows.push_back(trials[k].row);
    outcomes.push_back(&trials[k].outcome);
  }
  rows_ = std::move(rows);
  absorb(outcomes, Origin::WarmStart);
  rows_.clear();
  return {};
}

}  // namespace winnow::sweeps::search
