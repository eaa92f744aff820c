#include "actors/sweep_registry.hpp"

#include <algorithm>

#include "engine/engine.hpp"

namespace winnow::actors {
namespace {

/// The catalogue with the profiles that came along with a submission laid over it.
sweeps::Catalog with_profiles(sweeps::Catalog catalog, const Submit& request) {
  auto below = catalog.execution;
  catalog.execution = [below, names = request.profile_names, texts = request.profile_texts](
                          std::string_view name) -> Result<std::string> {
    for (std::size_t i = 0; i < names.size() && i < texts.size(); ++i) {
      if (names[i] == name) return texts[i];
    }
    return below(name);
  };
  return catalog;
}

}  // namespace

Result<sweeps::Plan> plan_of(const Submit& request, sweeps::Catalog catalog) {
  auto spec = sweeps::parse_spec(request.yaml, request.file_name,
                                 with_profiles(std::move(catalog), request));
  if (!spec) return spec.error();
  return sweeps::Plan::make(std::move(*spec));
}

Result<ActiveSweep*> SweepRegistry::submit(const Submit& request, TimestampNs now) {
  auto plan = plan_of(request, catalog_());
  if (!plan) return plan.error();
  return record(std::move(*plan), request.user, now);
}

Result<ActiveSweep*> SweepRegistry::record(sweeps::Plan plan, const std::string& user,
                                           TimestampNs now) {
  if (ActiveSweep* known = find(plan.id())) return known;
  auto stored = book_.sweep(plan.id());
  if (!stored) return stored.error();
  if (*stored) return adopt(std::move(plan), std::move(**stored));

  store::SweepMeta meta;
  meta.id = plan.id();
  meta.name = plan.spec().name;
  meta.spec_json = plan.spec().to_json();
  meta.user = user;
  meta.created = now;
  meta.trials = plan.trials();
  meta.blocks = plan.blocks();
  meta.engine_version = engine::kEngineVersion;
  meta.code_version = WINNOW_VERSION;
  for (const engine::MetricDecl& metric : engine::metric_decls()) {
    meta.metric_names.emplace_back(metric.name);
  }
  WINNOW_TRY(book_.put_sweep(meta));
  return adopt(std::move(plan), std::move(meta));
}

Result<ActiveSweep*> SweepRegistry::extend(ActiveSweep& sweep, const Control& more,
                                           TimestampNs now) {
  if (more.more_trials == 0 && more.more_cpu_ms == 0) {
    return Error(ErrorCode::InvalidInput, "extend by how much? Give trials or CPU hours");
  }
  if (more.more_cpu_ms > 0) WINNOW_TRY(extend_budget(sweep, more));
  if (more.more_trials == 0) return &sweep;
  sweeps::ResolvedSpec spec = sweep.plan->spec();
  if (spec.method != sweeps::SearchMethod::Random && spec.method != sweeps::SearchMethod::Sobol) {
    return Error(ErrorCode::Refused,
                 "sweep " + more.sweep +
                     " is a grid or a hypercube, whose points are all there is; only random and "
                     "sobol searches can go on. Widen the ranges and run it as a new sweep");
  }
  constexpr std::uint64_t kMoreTrialsMax = 1'000'000'000;
  if (more.more_trials > kMoreTrialsMax) {
    return Error(ErrorCode::InvalidInput, std::to_string(more.more_trials) +
                                              " more trials; at most " +
                                              std::to_string(kMoreTrialsMax) + " are allowed");
  }
  const std::uint64_t segments = sweep.plan->segments().size();
  spec.samples += (more.more_trials + segments - 1) / segments;
  if (spec.trials_max > 0) spec.trials_max = std::max(spec.trials_max, spec.samples * segments);
  auto plan = sweeps::Plan::make(std::move(spec));
  if (!plan) return plan.error();
  return record(std::move(*plan), more.user, now);
}

Status SweepRegistry::extend_budget(ActiveSweep& sweep, const Control& more) {
  sweeps::ResolvedSpec spec = sweep.plan->spec();
  if (spec.cpu_hours_max <= 0) {
    return Error(ErrorCode::Refused,
                 "sweep " + more.sweep + " has no budget of CPU time to extend");
  }
  spec.cpu_hours_max += static_cast<double>(more.more_cpu_ms) / 3.6e6;
  store::SweepMeta meta = sweep.meta;
  meta.spec_json = spec.to_json();
  auto plan = sweeps::Plan::make(std::move(spec));
  if (!plan) return plan.error();
  WINNOW_TRY(book_.put_sweep(meta));
  sweep.meta = std::move(meta);
  sweep.plan = std::make_shared<const sweeps::Plan>(std::move(*plan));
  return {};
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
  return &(sweeps_[id] = std::move(sweep));
}

Result<std::vector<ActiveSweep*>> SweepRegistry::load_unfinished() {
  auto all = book_.sweeps();
  if (!all) return all.error();
  std::vector<ActiveSweep*> out;
  for (store::SweepMeta& meta : *all) {
    if (meta.state == store::SweepState::Done || meta.state == store::SweepState::Cancelled) {
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
  return adopt(std::move(*plan), std::move(meta));
}

Result<ActiveSweep*> SweepRegistry::find_or_load(const std::string& id) {
  if (ActiveSweep* known = find(id)) return known;
  auto stored = book_.sweep(id);
  if (!stored) return stored.error();
  if (*stored) {
    auto loaded = load(std::move(**stored));
    if (!loaded || *loaded != nullptr) return loaded;
  }
  return Error(ErrorCode::NotFound, "this coordinator cannot run sweep " + id);
}

ActiveSweep* SweepRegistry::find(const std::string& id) {
  const auto it = sweeps_.find(id);
  return it == sweeps_.end() ? nullptr : &it->second;
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

scheduler::SweepWork SweepRegistry::work_of(const ActiveSweep& sweep) {
  scheduler::SweepWork work;
  work.id = sweep.plan->id();
  work.blocks = sweep.plan->blocks();
  work.committed = sweep.committed;
  work.priority = sweep.plan->spec().priority;
  work.user = sweep.meta.user;
  work.cpu_s_max = sweep.plan->spec().cpu_hours_max * 3600;
  for (const sweeps::Segment& segment : sweep.plan->segments()) {
    work.segment_ends.push_back(segment.first_block + segment.blocks);
    work.segment_data.push_back(sweep.plan->spec().data[segment.dataset].content_hash);
  }
  return work;
}

}  // namespace winnow::actors
