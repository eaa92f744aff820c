#include "actors/sweep_registry.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "base/names.hpp"
#include "base/version.hpp"
#include "engine/engine.hpp"
#include "engine/source_hash.hpp"
#include "sweeps/attachment.hpp"

namespace winnow::actors {
namespace {

constexpr std::uint64_t kPriorTrialsMax = 1'000'000;

/// The catalogue with the files that came along with a submission. A name of the catalogue means
/// the catalogue's own, whatever came along under it; a file that did not come is not looked for,
/// for it would be another's: the coordinator opens no path of a client.
sweeps::Catalog with_profiles(sweeps::Catalog catalog, const Submit& request) {
  auto below = catalog.execution;
  catalog.execution = [below, names = request.profile_names, texts = request.profile_texts](
                          std::string_view name) -> Result<std::string> {
    if (!sweeps::names_a_file(name)) return below(name);
    for (std::size_t i = 0; i < names.size() && i < texts.size(); ++i) {
      if (names[i] == name) return texts[i];
    }
    return Error(ErrorCode::InvalidInput,
                 "the file " + show_text(name) +
                     " did not come along with the specification; a coordinator reads no file of "
                     "a client, `winnow sweep run` sends what it names");
  };
  return catalog;
}

/// What stands beside a sweep's results: every build that computed some, in order. A farm is of one
/// build (CoordinatorCore::hello), so that is the coordinator's.
bool note_build(store::SweepMeta& meta) {
  constexpr std::size_t kShown = 16;
  const std::string build =
      std::string(version()) + "+" + std::string(engine::source_hash().substr(0, kShown));
  if (meta.code_version.ends_with(build)) return false;
  meta.code_version += (meta.code_version.empty() ? "" : ", ") + build;
  return true;
}

}  // namespace

Result<sweeps::Plan> plan_of(const Submit& request, sweeps::Catalog catalog) {
  auto spec = sweeps::parse_spec(request.yaml, request.file_name,
                                 with_profiles(std::move(catalog), request));
  if (!spec) return spec.error();
  return sweeps::Plan::make(std::move(*spec));
}

Result<ActiveSweep*> SweepRegistry::submit(sweeps::Plan plan, const Asker& asker, TimestampNs now) {
  const auto warnings = sweeps::spec_warnings(plan);
  if (!warnings) return warnings.error();
  auto recorded = record(std::move(plan), asker, now);
  if (!recorded) return recorded;
  const std::string& id = (*recorded)->meta.id;
  // Both are said again at the next submission: a disk that is full just now takes nothing else.
  Status noted =
      warnings->empty() ? Status() : book_.put_warnings(id, sweeps::warnings_to_json(*warnings));
  if (noted.ok()) noted = book_.put_last_run(id);
  if (!noted.ok()) spdlog::error("sweep {}: {}", id, noted.error().text());
  return recorded;
}

Result<sweeps::Plan> SweepRegistry::preview(const Submit& request, const std::string& user) {
  auto plan = this->plan(request);
  if (!plan) return plan.error();
  const auto stored = book_.sweep(plan->id());
  if (!stored) return stored.error();
  if (!*stored || (*stored)->state == store::SweepState::Deleted) {
    WINNOW_TRY(check_unknown(*plan, user));
    return plan;
  }
  // Not load(): that takes up searches, which may write.
  ActiveSweep known;
  known.meta = **stored;
  auto spec = sweeps::ResolvedSpec::from_json(known.meta.spec_json);
  if (!spec) return spec.error();
  auto planned = sweeps::Plan::make(*std::move(spec));
  if (!planned) return planned.error();
  known.plan = std::make_shared<const sweeps::Plan>(*std::move(planned));
  auto committed = book_.committed(plan->id(), known.plan->blocks());
  if (!committed) return committed.error();
  known.committed = *std::move(committed);
  WINNOW_TRY(check_more(user, known, *plan));
  return plan;
}

Status SweepRegistry::check_unknown(const sweeps::Plan& plan, const std::string& user) const {
  const sweeps::ResolvedSpec& asked = plan.spec();
  if (!asked.learns() && asked.trials_max > 0 && blocks_within(plan, asked.trials_max) == 0) {
    return Error(ErrorCode::InvalidInput,
                 "budget.trials: " + std::to_string(asked.trials_max) +
                     " trials are fewer than the first block of this sweep, " +
                     std::to_string(plan.block_range(0).rows) + ", which is run as a whole");
  }
  if (!asked.adaptive.warm_start.empty()) WINNOW_TRY(check_warm_start(plan));
  return check_new(user, plan);
}

Result<ActiveSweep*> SweepRegistry::record(sweeps::Plan plan, const Asker& asker, TimestampNs now) {
  const std::string& user = asker.user;
  const sweeps::ResolvedSpec asked = plan.spec();
  ActiveSweep* known = find(plan.id());
  if (known == nullptr) {
    auto stored = book_.sweep(plan.id());
    if (!stored) return stored.error();
    if (*stored && (*stored)->state != store::SweepState::Deleted) {
      auto loaded = load(std::move(**stored));
      if (!loaded) return loaded.error();
      known = *loaded;
    }
  }
  if (known != nullptr) {
    // The same search, asked to go further than it was.
    if (asked.learns() && plan.trials() > known->plan->trials()) {
      WINNOW_TRY(grow(*known, asked.samples, user));
    }
    WINNOW_TRY(widen_budget(*known, asked, user));
    WINNOW_TRY(check_more(user, *known, *known->plan));
    return known;
  }
  WINNOW_TRY(check_unknown(plan, user));

  store::SweepMeta meta;
  meta.id = plan.id();
  meta.name = plan.spec().name;
  meta.spec_json = plan.spec().to_json();
  meta.user = user;
  meta.created = now;
  meta.trials = plan.trials();
  meta.blocks = plan.blocks();
  meta.engine_version = engine::kEngineVersion;
  note_build(meta);
  for (const engine::MetricDecl& metric : engine::metric_decls()) {
    meta.metric_names.emplace_back(metric.name);
  }
  WINNOW_TRY(open_hypotheses(plan, user, now));
  WINNOW_TRY(record_days(plan, asker, now));
  WINNOW_TRY(book_.put_sweep(meta));
  return adopt(std::move(plan), std::move(meta));
}

Result<ActiveSweep*> SweepRegistry::extend(ActiveSweep& sweep, const Control& more,
                                           const std::string& asker, TimestampNs now) {
  if (more.more_trials == 0 && more.more_cpu_ms == 0) {
    return Error(ErrorCode::InvalidInput, "extend by how much? Give trials or CPU hours");
  }
  if (more.more_cpu_ms > 0) WINNOW_TRY(extend_cpu(sweep, more, asker));
  if (more.more_trials == 0) return &sweep;
  sweeps::ResolvedSpec spec = sweep.plan->spec();
  if (const std::uint64_t rest =
          sweep.plan->trials() - std::min(spec.trials_max, sweep.plan->trials());
      spec.trials_max > 0 && rest > 0) {
    WINNOW_TRY(set_budget(sweep, spec.trials_max + std::min(rest, more.more_trials),
                          spec.cpu_hours_max, asker));
    return &sweep;
  }
  if (!spec.learns() && !spec.method.decl().extends) {
    return Error(ErrorCode::Refused,
                 "sweep " + more.sweep +
                     " is a grid or a hypercube, whose points are all there is; only random and "
                     "sobol searches, and those that learn, can go on. Widen the ranges and run it "
                     "as a new sweep");
  }
  constexpr std::uint64_t kMoreTrialsMax = 1'000'000'000;
  if (more.more_trials > kMoreTrialsMax) {
    return Error(ErrorCode::InvalidInput, std::to_string(more.more_trials) +
                                              " more trials; at most " +
                                              std::to_string(kMoreTrialsMax) + " are allowed");
  }
  const std::uint64_t segments = sweep.plan->segments().size();
  std::uint64_t samples = (more.more_trials + segments - 1) / segments;
  if (spec.learns()) {
    const std::uint64_t unit = sweeps::search_unit(spec);
    samples = (samples + unit - 1) / unit * unit;
    if (segments == 1) {
      WINNOW_TRY(grow(sweep, spec.samples + samples, asker));
      return &sweep;
    }
  }
  spec.samples += samples;
  if (spec.trials_max > 0) spec.trials_max = std::max(spec.trials_max, spec.samples * segments);
  auto plan = sweeps::Plan::make(std::move(spec));
  if (!plan) return plan.error();
  return record(std::move(*plan), {.user = asker}, now);
}

Status SweepRegistry::extend_cpu(ActiveSweep& sweep, const Control& more,
                                 const std::string& asker) {
  const sweeps::ResolvedSpec& spec = sweep.plan->spec();
  if (spec.cpu_hours_max <= 0) {
    return Error(ErrorCode::Refused,
                 "sweep " + more.sweep + " has no budget of CPU time to extend");
  }
  return set_budget(sweep, spec.trials_max,
                    spec.cpu_hours_max + static_cast<double>(more.more_cpu_ms) / 3.6e6, asker);
}

// A sweep that is submitted again with more to spend goes on; with less it keeps what it had.
Status SweepRegistry::widen_budget(ActiveSweep& sweep, const sweeps::ResolvedSpec& asked,
                                   const std::string& asker) {
  const auto wider = [](auto had, auto wants) {
    return had == 0 || wants == 0 ? decltype(had){0} : std::max(had, wants);
  };
  const sweeps::ResolvedSpec& spec = sweep.plan->spec();
  const std::uint64_t trials = wider(spec.trials_max, asked.trials_max);
  const double cpu_hours = wider(spec.cpu_hours_max, asked.cpu_hours_max);
  if (trials == spec.trials_max && cpu_hours == spec.cpu_hours_max) return {};
  return set_budget(sweep, trials, cpu_hours, asker);
}

Status SweepRegistry::set_budget(ActiveSweep& sweep, std::uint64_t trials_max, double cpu_hours_max,
                                 const std::string& asker) {
  sweeps::ResolvedSpec spec = sweep.plan->spec();
  spec.trials_max = trials_max;
  spec.cpu_hours_max = cpu_hours_max;
  store::SweepMeta meta = sweep.meta;
  meta.spec_json = spec.to_json();
  if (meta.state == store::SweepState::BudgetSpent) meta.state = store::SweepState::Running;
  (void)note_build(meta);
  auto plan = sweeps::Plan::make(std::move(spec));
  if (!plan) return plan.error();
  WINNOW_TRY(check_more(asker, sweep, *plan));
  auto known = with_rows_put_down(*std::move(plan));
  if (!known) return known.error();
  WINNOW_TRY(book_.put_sweep(meta));
  sweep.meta = std::move(meta);
  sweep.plan = std::make_shared<const sweeps::Plan>(*std::move(known));
  return {};
}

Status SweepRegistry::grow(ActiveSweep& sweep, std::uint64_t samples, const std::string& asker) {
  sweeps::ResolvedSpec spec = sweep.plan->spec();
  spec.samples = samples;
  if (spec.trials_max > 0) {
    spec.trials_max = std::max(spec.trials_max, samples * sweep.plan->segments().size());
  }
  store::SweepMeta meta = sweep.meta;
  meta.spec_json = spec.to_json();
  auto plan = sweeps::Plan::make(std::move(spec));
  if (!plan) return plan.error();
  WINNOW_TRY(check_more(asker, sweep, *plan));
  meta.trials = plan->trials();
  meta.blocks = plan->blocks();
  meta.state = store::SweepState::Running;
  meta.finished = TimestampNs{};
  (void)note_build(meta);
  auto known = with_rows_put_down(*std::move(plan));
  if (!known) return known.error();
  WINNOW_TRY(book_.put_sweep(meta));
  sweep.meta = std::move(meta);
  sweep.plan = std::make_shared<const sweeps::Plan>(*std::move(known));
  sweep.committed.resize(sweep.plan->blocks());
  return {};
}

Status SweepRegistry::take_up_searches(ActiveSweep& sweep) {
  if (!sweep.plan->spec().learns()) return {};
  std::vector<sweeps::GenerationRows> rows;
  for (const sweeps::Segment& segment : sweep.plan->segments()) {
    auto prior = prior_of(*sweep.plan, segment);
    if (!prior) return prior.error();
    auto keeper = SearchKeeper::take_up(book_, *sweep.plan, segment, *prior);
    if (!keeper) return keeper.error();
    for (sweeps::GenerationRows& g : (*keeper)->take_rows()) rows.push_back(std::move(g));
    sweep.searches.push_back(*std::move(keeper));
  }
  auto plan = sweep.plan->with_rows(rows);
  if (!plan) return plan.error();
  sweep.plan = std::make_shared<const sweeps::Plan>(*std::move(plan));
  return {};
}

Result<std::vector<scheduler::BlockRange>> SweepRegistry::advance(ActiveSweep& sweep) {
  std::vector<scheduler::BlockRange> released;
  for (const auto& search : sweep.searches) {
    auto rows = search->advance(book_, *sweep.plan, sweep.committed);
    if (!rows) {
      if (!released.empty()) break;  // what is there first; the rest is tried again
      return rows.error().within("sweep " + sweep.meta.id);
    }
    if (!*rows) continue;
    const sweeps::GenerationRows& made = **rows;
    auto plan = sweep.plan->with_rows({&made, 1});
    if (!plan) return plan.error();
    sweep.plan = std::make_shared<const sweeps::Plan>(*std::move(plan));
    const std::uint64_t first = sweep.plan->segments()[made.segment].first_block +
                                made.first_row / sweep.plan->block_rows();
    released.push_back({first, first + made.rows() / sweep.plan->block_rows()});
  }
  return released;
}

// A finished sweep on the same families and ranges, whose results are all there.
Result<sweeps::Plan> SweepRegistry::earlier_plan(const sweeps::Plan& plan) const {
  const std::string& id = plan.spec().adaptive.warm_start;
  const auto no = [&](const std::string& why) {
    return Error(ErrorCode::InvalidInput, "search.warm_start: sweep " + id + " " + why);
  };
  auto stored = book_.sweep(id);
  if (!stored) return stored.error();
  if (!*stored) return no("is not in this farm's store; allowed: the id of a finished sweep");
  if ((*stored)->state != store::SweepState::Done) {
    return no("is " + std::string(store::sweep_state_name((*stored)->state)) +
              "; only a finished one says the same every time");
  }
  auto spec = sweeps::ResolvedSpec::from_json((*stored)->spec_json);
  if (!spec) return spec.error().within("search.warm_start");
  if (const auto* documents = book_.documents(); documents != nullptr) {
    const auto openings = sweeps::level::openings_of(*documents, id);
    if (!openings) return openings.error();
    if (*openings && (*openings)->words_only()) {
      return no("is judged in words: a search that learned from it would show its days");
    }
  }
  for (const sweeps::StrategySpace& mine : plan.spec().strategies) {
    const auto same = [&](const sweeps::StrategySpace& s) { return s.family == mine.family; };
    const auto found = std::find_if(spec->strategies.begin(), spec->strategies.end(), same);
    if (found == spec->strategies.end()) return no("did not try " + mine.family);
  }
  auto made = sweeps::Plan::make(*std::move(spec));
  if (!made) return made.error().within("search.warm_start");
  if (made->id() != id) return no("was planned by another version of winnow");
  if (made->trials() > kPriorTrialsMax) {
    return no("has " + std::to_string(made->trials()) + " trials; at most " +
              std::to_string(kPriorTrialsMax) + " are learned from");
  }
  return with_rows_put_down(*std::move(made));
}

Result<sweeps::Plan> SweepRegistry::with_rows_put_down(sweeps::Plan plan) const {
  return sweeps::with_generations(std::move(plan),
                                  [&](const std::string& key) { return book_.generation(key); });
}

Status SweepRegistry::check_warm_start(const sweeps::Plan& plan) const {
  for (const sweeps::Segment& segment : plan.segments()) {
    const auto prior = prior_of(plan, segment);
    if (!prior) return prior.error();
    const auto search = sweeps::SegmentSearch::make(plan, segment, *prior);
    if (!search) return search.error();
  }
  return {};
}

Result<std::vector<sweeps::PriorResult>> SweepRegistry::prior_of(
    const sweeps::Plan& plan, const sweeps::Segment& segment) const {
  std::vector<sweeps::PriorResult> out;
  if (plan.spec().adaptive.warm_start.empty()) return out;
  const auto earlier = earlier_plan(plan);
  if (!earlier) return earlier.error();
  const std::string& family = plan.spec().strategies[segment.strategy].family;
  const std::string& data = plan.spec().data[segment.dataset].content_hash;
  // The same dataset if the earlier sweep had it, else its first.
  const sweeps::Segment* from = nullptr;
  for (const sweeps::Segment& s : earlier->segments()) {
    if (earlier->spec().strategies[s.strategy].family != family) continue;
    if (from == nullptr || earlier->spec().data[s.dataset].content_hash == data) from = &s;
  }
  for (std::uint64_t b = from->first_block; b < from->first_block + from->blocks; ++b) {
    if (!earlier->whole_window(b)) continue;  // a shorter window's numbers are others
    const auto block = book_.outcomes(earlier->id(), b);
    if (!block) return block.error().within("search.warm_start");
    const std::vector<double> params = earlier->params(block->first_trial, block->rows);
    const auto width = static_cast<std::ptrdiff_t>(params.size() / block->rows);
    for (std::uint32_t row = 0; row < block->rows; ++row) {
      const auto at = params.begin() + row * width;
      out.push_back({{at, at + width}, sweeps::outcome_of(plan.spec().adaptive, *block, row)});
    }
  }
  return out;
}

Result<ActiveSweep*> SweepRegistry::adopt(sweeps::Plan plan, store::SweepMeta meta) {
  auto committed = book_.committed(plan.id(), plan.blocks());
  if (!committed) return committed.error();
  const std::string id = plan.id();
  ActiveSweep sweep;
  sweep.plan = std::make_shared<const sweeps::Plan>(std::move(plan));
  sweep.meta = std::move(meta);
  sweep.committed = std::move(*committed);
  for (std::uint64_t b = 0; b < sweep.committed.size(); ++b) {
    if (sweep.committed[b]) sweep.trials_committed += sweep.plan->block_range(b).rows;
  }
  WINNOW_TRY(take_up_searches(sweep));
  sweep.used = ++uses_;
  ActiveSweep& kept = sweeps_[id] = std::move(sweep);
  // A disk that is full just now delays the first rows, no more.
  if (const auto advanced = advance(kept); !advanced) {
    spdlog::error("{}", advanced.error().text());
  }
  return &kept;
}

Result<std::vector<ActiveSweep*>> SweepRegistry::load_unfinished() {
  // A disk that is full just now delays it to the next start, and nothing is opened meanwhile.
  if (sweeps::level::Documents* documents = book_.documents(); documents != nullptr) {
    const Status noted = note_days_of_earlier_sweeps(*documents);
    if (!noted) spdlog::error("days that earlier sweeps showed: {}", noted.error().text());
  }
  auto all = book_.sweeps();
  if (!all) return all.error();
  std::vector<ActiveSweep*> out;
  for (store::SweepMeta& meta : *all) {
    if (meta.state == store::SweepState::Done || meta.state == store::SweepState::Cancelled ||
        meta.state == store::SweepState::Deleted) {
      continue;
    }
    auto loaded = load(std::move(meta));
    if (!loaded) return loaded.error();
    if (*loaded != nullptr) out.push_back(*loaded);
  }
  return out;
}

/// A null sweep: a plan that another version made cannot be continued, only read.
Result<ActiveSweep*> SweepRegistry::load(store::SweepMeta meta) {
  const std::string where = "sweep " + meta.id + " in the store";
  auto spec = sweeps::ResolvedSpec::from_json(meta.spec_json);
  if (!spec) return spec.error().within(where);
  auto plan = sweeps::Plan::make(std::move(*spec));
  if (!plan) return plan.error().within(where);
  if (plan->id() != meta.id) return static_cast<ActiveSweep*>(nullptr);
  const bool goes_on =
      meta.state == store::SweepState::Running || meta.state == store::SweepState::Paused;
  if (goes_on && note_build(meta)) {
    // A disk that is full just now does not hold up the farm; a later write brings it along.
    const Status noted = book_.put_sweep(meta);
    if (!noted) spdlog::error("{}: {}", where, noted.error().text());
  }
  return adopt(std::move(*plan), std::move(meta));
}

Result<ActiveSweep*> SweepRegistry::find_or_load(const std::string& id) {
  if (ActiveSweep* known = find(id)) return known;
  auto stored = book_.sweep(id);
  if (!stored) return stored.error();
  if (*stored && (*stored)->state == store::SweepState::Deleted) {
    return Error(ErrorCode::NotFound,
                 "sweep " + id + " was deleted at " + format_timestamp((*stored)->finished));
  }
  if (*stored) {
    auto loaded = load(**stored);
    if (!loaded || *loaded != nullptr) return loaded;
  }
  if (*stored && (*stored)->engine_version != engine::kEngineVersion) {
    return Error(ErrorCode::Refused,
                 "sweep " + id + " is of engine version " +
                     std::to_string((*stored)->engine_version) + " and this is version " +
                     std::to_string(engine::kEngineVersion) +
                     ": it stays as it is; run its specification again, as a new sweep (trials "
                     "that the ledger knows are not charged again)");
  }
  return Error(ErrorCode::NotFound, "this coordinator cannot run sweep " + id);
}

Result<std::string> SweepRegistry::owner_of(const std::string& id) const {
  if (const auto known = sweeps_.find(id); known != sweeps_.end()) return known->second.meta.user;
  const auto stored = book_.sweep(id);
  if (!stored) return stored.error();
  if (!*stored) return Error(ErrorCode::NotFound, "no sweep " + id + " in this farm's store");
  return (*stored)->user;
}

Status SweepRegistry::may_be_removed(const std::string& id) const {
  const auto stored = book_.sweep(id);
  if (!stored) return stored.error();
  if (!*stored) return Error(ErrorCode::NotFound, "no sweep " + id + " in this farm's store");
  const store::SweepState state = (*stored)->state;
  // What no program of this version can go on with need not be cancelled first.
  if ((*stored)->engine_version != engine::kEngineVersion) return {};
  if (state != store::SweepState::Running && state != store::SweepState::Paused) return {};
  return Error(ErrorCode::Refused, "sweep " + id + " is " +
                                       std::string(store::sweep_state_name(state)) +
                                       "; `winnow sweep cancel` it first");
}

Status SweepRegistry::remove(const std::string& id, const std::string& user, TimestampNs now) {
  WINNOW_TRY(may_be_removed(id));
  WINNOW_TRY(book_.delete_sweep(id, user, now));
  sweeps_.erase(id);
  return {};
}

ActiveSweep* SweepRegistry::find(const std::string& id) {
  const auto it = sweeps_.find(id);
  if (it == sweeps_.end()) return nullptr;
  it->second.used = ++uses_;
  return &it->second;
}

std::vector<std::string> SweepRegistry::rested(std::size_t kept) const {
  std::vector<std::pair<std::uint64_t, std::string>> resting;
  for (const auto& [id, sweep] : sweeps_) {
    if (sweep.at_rest()) resting.emplace_back(sweep.used, id);
  }
  std::vector<std::string> out;
  if (resting.size() <= kept) return out;
  std::sort(resting.begin(), resting.end());
  resting.resize(resting.size() - kept);
  for (auto& [used, id] : resting) out.push_back(std::move(id));
  return out;
}

Status SweepRegistry::set_state(ActiveSweep& sweep, store::SweepState state, TimestampNs now) {
  if (sweep.meta.state == state) return {};
  store::SweepMeta meta = sweep.meta;
  meta.state = state;
  meta.finished = state == store::SweepState::Done ? now : TimestampNs{};
  WINNOW_TRY(book_.put_sweep(meta));
  sweep.meta = std::move(meta);
  return {};
}

void SweepRegistry::count_committed(ActiveSweep& sweep, std::uint64_t block) {
  if (block >= sweep.committed.size() || sweep.committed[block]) return;
  sweep.committed[block] = true;
  sweep.trials_committed += sweep.plan->block_range(block).rows;
}

std::uint64_t SweepRegistry::blocks_within(const sweeps::Plan& plan, std::uint64_t trials) {
  for (const sweeps::Segment& segment : plan.segments()) {
    if (trials < segment.trials) return segment.first_block + trials / plan.block_rows();
    trials -= segment.trials;
  }
  return plan.blocks();
}

scheduler::SweepWork SweepRegistry::work_of(const ActiveSweep& sweep) {
  scheduler::SweepWork work;
  work.id = sweep.plan->id();
  work.blocks = sweep.plan->blocks();
  work.committed = sweep.committed;
  if (sweep.plan->spec().learns()) {
    for (std::uint64_t b = 0; b < work.blocks; ++b) {
      work.withheld.push_back(!sweep.plan->known(b));
    }
  }
  work.priority = sweep.plan->spec().priority;
  work.weight = sweep.plan->spec().weight;
  work.user = sweep.meta.user;
  work.cpu_s_max = sweep.plan->spec().cpu_hours_max * 3600;
  // A search that learns has its own number of trials, which its budget never cuts off.
  const std::uint64_t within = blocks_within(*sweep.plan, sweep.plan->spec().trials_max);
  const bool limited = sweep.plan->spec().trials_max > 0 && !sweep.plan->spec().learns();
  if (limited && within < work.blocks) work.blocks_max = within;
  work.spent = sweep.meta.state == store::SweepState::BudgetSpent;
  for (const sweeps::Segment& segment : sweep.plan->segments()) {
    work.segment_ends.push_back(segment.first_block + segment.blocks);
    work.segment_data.push_back(sweep.plan->spec().data[segment.dataset].content_hash);
  }
  return work;
}

}  // namespace winnow::actors
