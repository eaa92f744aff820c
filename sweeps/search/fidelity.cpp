#include "sweeps/search/fidelity.hpp"

#include <algorithm>
#include <boost/serialization/string.hpp>
#include <boost/serialization/vector.hpp>
#include <cmath>
#include <exception>
#include <sstream>

#include "base/check.hpp"
#include "sweeps/search/method.hpp"
#include "sweeps/search/sealed.hpp"
#include "sweeps/stats/halving.hpp"

namespace winnow::sweeps::search {
namespace {

// Version 1 knew no batch.
constexpr std::string_view kFidelityMagicFirst = "winnow-fidelity-1\n";
constexpr std::string_view kFidelityMagic = "winnow-fidelity-2\n";

Error bad_fidelity(const std::string& why) {
  return Error(ErrorCode::InvalidInput, "fidelity: " + why);
}

Status check(const FidelityOptions& o) {
  const bool range = std::isfinite(o.resource_max) && o.resource_min > 0 &&
                     o.resource_min <= o.resource_max && o.resource_max <= 1e9 * o.resource_min;
  if (!range) {
    return bad_fidelity("resources " + std::to_string(o.resource_min) + " to " +
                        std::to_string(o.resource_max) + " are not 0 < min <= max <= 10^9 min");
  }
  if (o.eta < 2 || o.eta > 1000) {
    return bad_fidelity("eta is 2 to 1000, not " + std::to_string(o.eta));
  }
  const bool counted = o.kind != FidelityKind::Hyperband;
  if (counted && (o.configs < 1 || o.configs > FidelitySearch::kConfigsMax)) {
    return bad_fidelity("configs is 1 to " + std::to_string(FidelitySearch::kConfigsMax) +
                        ", not " + std::to_string(o.configs));
  }
  if (o.batch < 1 || o.batch > 1000) {
    return bad_fidelity("a batch is 1 to 1000 jobs, not " + std::to_string(o.batch));
  }
  if (o.kind == FidelityKind::Asha && o.generation % o.batch != 0) {
    return bad_fidelity("a generation of " + std::to_string(o.generation) +
                        " jobs is not whole batches of " + std::to_string(o.batch));
  }
  if (o.kind == FidelityKind::Asha && (o.generation < 1 || o.generation > Search::kGenerationMax)) {
    return bad_fidelity("a generation of asha is 1 to " + std::to_string(Search::kGenerationMax) +
                        " jobs, not " + std::to_string(o.generation));
  }
  return {};
}

}  // namespace

Result<FidelitySearch> FidelitySearch::make(Search search, const FidelityOptions& options) {
  WINNOW_TRY(check(options));
  if (!search.rows().empty()) return bad_fidelity("the search has an open generation");
  FidelitySearch out(std::move(search));
  out.options_ = options;
  out.start_ = out.search_.checkpoint();
  out.plan_rungs();
  for (const auto& bracket : out.brackets_) {
    if (bracket[0].rows > Search::kGenerationMax) {
      return bad_fidelity("a bracket has more than " + std::to_string(Search::kGenerationMax) +
                          " rows");
    }
  }
  return out;
}

void FidelitySearch::plan_rungs() {
  const double eta = static_cast<double>(options_.eta);
  if (options_.kind == FidelityKind::Hyperband) {
    const double ratio = options_.resource_max / options_.resource_min;
    const auto whole = static_cast<std::uint64_t>(ratio + 1e-9);
    for (const stats::Bracket& b :
         stats::hyperband(whole, options_.eta, stats::HyperbandRule::Table)) {
      brackets_.emplace_back();
      for (const stats::Rung& r : b.rungs) {
        brackets_.back().push_back(
            {r.configs * options_.batch, r.resource * options_.resource_min});
      }
    }
    return;
  }
  brackets_.emplace_back();
  std::uint64_t rows = options_.configs;
  double resource = options_.resource_min;
  while (rows > 0) {
    brackets_[0].push_back({rows, resource});
    if (resource >= options_.resource_max) break;
    resource = std::min(resource * eta, options_.resource_max);
    // Asha reaches every rung, whatever number is left.
    if (options_.kind == FidelityKind::Halving) rows /= options_.eta;
  }
}

void FidelitySearch::add_job(std::uint64_t config, std::uint64_t rung) {
  WINNOW_INVARIANT(bracket_ < brackets_.size() && rung < brackets_[bracket_].size());
  WINNOW_INVARIANT(config < configs_.size() && configs_[config].outcomes.size() == rung);
  const double resource = brackets_[bracket_][rung].resource;
  jobs_.push_back({log_.size() + jobs_.size(), config, rung, resource});
}

Status FidelitySearch::start_configs(std::uint64_t wanted, std::uint64_t first_config) {
  if (wanted == 0) return {};
  WINNOW_TRY(search_.open(wanted));
  for (const auto& row : search_.rows()) configs_.push_back({row, {}, 0});
  for (std::uint64_t k = 0; k < wanted; ++k) add_job(first_config + k, 0);
  return {};
}

Status FidelitySearch::open() {
  if (!jobs_.empty())
    return bad_fidelity("a generation is open, " + std::to_string(left_) + " are missing");
  if (finished_) return {};
  WINNOW_TRY(options_.kind == FidelityKind::Asha ? open_asha() : open_bracket());
  finished_ = jobs_.empty();
  log_.resize(log_.size() + jobs_.size());
  told_.assign(jobs_.size(), 0);
  left_ = jobs_.size();
  WINNOW_ENSURES(finished_ == (left_ == 0) && log_.size() >= left_);
  return {};
}

Status FidelitySearch::open_bracket() {
  if (bracket_ == brackets_.size()) return {};
  if (rung_ > 0) {
    for (std::uint64_t c : alive_) add_job(c, rung_);
    return {};
  }
  const std::uint64_t first = configs_.size();
  WINNOW_TRY(start_configs(brackets_[bracket_][0].rows, first));
  alive_.clear();
  for (std::uint64_t c = first; c < configs_.size(); ++c) alive_.push_back(c);
  return {};
}

bool FidelitySearch::promote_batch() {
  for (std::uint64_t rung = brackets_[0].size() - 1; rung-- > 0;) {
    std::vector<std::uint64_t> done;
    for (std::uint64_t c = 0; c < configs_.size(); ++c) {
      if (configs_[c].outcomes.size() > rung) done.push_back(c);
    }
    std::vector<std::uint64_t> order = ranked(done, rung);
    order.resize(std::min<std::size_t>(done.size() / options_.eta, order.size()));
    std::erase_if(order, [&](std::uint64_t c) { return configs_[c].rung_promoted > rung; });
    if (order.size() < options_.batch) continue;
    for (std::uint64_t k = 0; k < options_.batch; ++k) {
      configs_[order[k]].rung_promoted = rung + 1;
      add_job(order[k], rung + 1);
    }
    return true;
  }
  return false;
}

Status FidelitySearch::open_asha() {
  while (jobs_.size() + options_.batch <= options_.generation && promote_batch()) {
  }
  const std::uint64_t room = options_.generation - jobs_.size();
  const std::uint64_t first = configs_.size();
  return start_configs(std::min(room, options_.configs - first), first);
}

std::vector<std::uint64_t> FidelitySearch::ranked(const std::vector<std::uint64_t>& configs,
                                                  std::uint64_t rung) const {
  std::vector<std::pair<Standing, std::uint64_t>> order;
  for (std::uint64_t c : configs) {
    const Standing s = standing(configs_[c].outcomes[rung]);
    if (s.group != kGroupFailed) order.emplace_back(s, c);
  }
  std::sort(order.begin(), order.end());
  std::vector<std::uint64_t> out;
  for (const auto& entry : order) out.push_back(entry.second);
  return out;
}

Status FidelitySearch::tell(std::uint64_t trial, Outcome outcome) {
  const std::uint64_t first = log_.size() - jobs_.size();
  const std::string name = "trial " + std::to_string(trial);
  if (trial < first || trial >= log_.size())
    return bad_fidelity(name + " is not in the open generation");
  if (told_[trial - first] != 0) return bad_fidelity(name + " was told before");
  const bool none = outcome.state == OutcomeState::Failed && outcome.losses.empty();
  if (!none && outcome.losses.size() != search_.options().objectives) {
    return bad_fidelity(name + ": " + std::to_string(outcome.losses.size()) + " losses for " +
                        std::to_string(search_.options().objectives) + " objectives");
  }
  log_[trial] = std::move(outcome);
  told_[trial - first] = 1;
  WINNOW_INVARIANT(left_ > 0 && left_ <= jobs_.size());
  return --left_ == 0 ? close() : Status();
}

Status FidelitySearch::close() {
  WINNOW_INVARIANT(left_ == 0 && log_.size() >= jobs_.size());
  const std::uint64_t first = log_.size() - jobs_.size();
  for (std::size_t k = 0; k < jobs_.size(); ++k) {
    configs_[jobs_[k].config].outcomes.push_back(log_[first + k]);
  }
  return options_.kind == FidelityKind::Asha ? close_asha() : close_bracket();
}

Status FidelitySearch::close_asha() {
  const std::vector<Job> jobs = std::move(jobs_);
  jobs_.clear();
  std::uint64_t trial = search_.first_trial();
  for (const Job& job : jobs) {
    if (job.rung == 0) ++pruned_;  // until it reaches the top
    if (job.rung + 1 != brackets_[0].size()) continue;
    WINNOW_INVARIANT(pruned_ > 0);
    --pruned_;
  }
  for (const Job& job : jobs) {
    if (job.rung > 0) continue;
    WINNOW_TRY(search_.tell(trial++, configs_[job.config].outcomes[0]));
  }
  return {};
}

Status FidelitySearch::close_bracket() {
  jobs_.clear();
  std::vector<std::uint64_t> order = ranked(alive_, rung_);
  if (options_.batch > 1) {
    for (const std::uint64_t c : alive_) {
      if (standing(configs_[c].outcomes[rung_]).group == kGroupFailed) order.push_back(c);
    }
  }
  const std::vector<Step>& steps = brackets_[bracket_];
  if (rung_ + 1 < steps.size()) {
    const std::size_t kept = std::min<std::size_t>(steps[rung_ + 1].rows, order.size());
    WINNOW_INVARIANT(kept <= alive_.size());
    pruned_ += alive_.size() - kept;
    alive_.assign(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(kept));
    std::sort(alive_.begin(), alive_.end());
    ++rung_;
    if (kept > 0) return {};
  }
  const std::uint64_t rows = search_.rows().size();
  const std::uint64_t first_trial = search_.first_trial();
  for (std::uint64_t k = 0; k < rows; ++k) {
    const Config& c = configs_[configs_.size() - rows + k];
    Outcome last = c.outcomes.back();
    last.resource = steps[c.outcomes.size() - 1].resource;
    const bool stopped = c.outcomes.size() < steps.size();
    if (stopped && last.state == OutcomeState::Complete) last.state = OutcomeState::Pruned;
    WINNOW_TRY(search_.tell(first_trial + k, std::move(last)));
  }
  ++bracket_;
  rung_ = 0;
  return {};
}

std::string FidelitySearch::checkpoint() const {
  std::ostringstream body;
  {
    boost::archive::binary_oarchive out(body, boost::archive::no_codecvt);
    out << options_.kind << options_.resource_min << options_.resource_max << options_.eta
        << options_.configs << options_.generation << options_.batch << start_ << log_ << told_;
    const std::uint64_t open = jobs_.size();
    out << open;
  }
  return sealed(kFidelityMagic, body.str());
}

Result<FidelitySearch> FidelitySearch::restore(Space space, std::string_view bytes) {
  const auto corrupt = [](const std::string& why) {
    return Error(ErrorCode::Corrupt, "fidelity checkpoint: " + why);
  };
  const bool first = bytes.starts_with(kFidelityMagicFirst);
  const auto body =
      unsealed(first ? kFidelityMagicFirst : kFidelityMagic, bytes, "it does not start as one");
  if (!body) return corrupt(body.error().text());
  try {
    std::istringstream stream{std::string(*body)};
    boost::archive::binary_iarchive in(stream, boost::archive::no_codecvt);
    FidelityOptions options;
    std::string start;
    std::vector<Outcome> log;
    std::vector<std::uint8_t> told;
    std::uint64_t open = 0;
    in >> options.kind >> options.resource_min >> options.resource_max >> options.eta;
    in >> options.configs >> options.generation;
    if (!first) in >> options.batch;
    in >> start >> log >> told >> open;
    auto search = Search::restore(std::move(space), start);
    if (!search) return search.error();
    auto made = FidelitySearch::make(*std::move(search), options);
    if (!made) return made;
    FidelitySearch out = *std::move(made);
    if (open > log.size() || (open > 0 && told.size() != open)) return corrupt("sizes differ");
    const std::uint64_t closed = log.size() - open;
    while (out.log_.size() < log.size()) {
      WINNOW_TRY(out.open());
      if (out.jobs_.empty()) return corrupt("it tells of more jobs than there are");
      const std::uint64_t begin = out.log_.size() - out.jobs_.size();
      if (out.log_.size() > log.size()) return corrupt("it ends within a generation");
      const std::uint64_t end = out.log_.size();
      for (std::uint64_t t = begin; t < end; ++t) {
        if (t >= closed && told[t - closed] == 0) continue;
        WINNOW_TRY(out.tell(t, log[t]));
      }
    }
    return out;
  } catch (const std::exception& e) {
    return corrupt(std::string("not readable by this version: ") + e.what());
  }
}

}  // namespace winnow::sweeps::search
