// Sweeps as a whole.
#include <algorithm>

#include "actors/opening_price.hpp"
#include "base/names.hpp"
#include "base/text.hpp"
#include "serve/answer/sweeps.hpp"
#include "serve/board_cache.hpp"
#include "serve/query_parts.hpp"
#include "sweeps/design.hpp"

namespace winnow::serve::parts {
namespace {

constexpr std::uint64_t kListedDefault = 100;
constexpr std::size_t kErrorsShown = 5;

std::optional<std::string> time_text(TimestampNs t) {
  return t.ns == 0 ? std::nullopt : std::optional(format_timestamp(t));
}

Result<std::uint64_t> committed_blocks(const Sources& sources, const store::SweepMeta& meta) {
  const auto flags = sources.store->committed(meta.id, meta.blocks);
  if (!flags.ok()) return flags.error();
  return static_cast<std::uint64_t>(std::count(flags->begin(), flags->end(), true));
}

/// How many results a sweep has; those of a complete one are counted once.
Result<TrialCounts> count_results(const Sources& sources, const store::SweepMeta& meta) {
  if (sources.boards != nullptr) {
    if (const auto known = sources.boards->counts(meta)) return *known;
  }
  const auto blocks = committed_blocks(sources, meta);
  if (!blocks.ok()) return blocks.error();
  const auto table = sources.store->read_metrics(meta.id, {});
  if (!table.ok()) return table.error();
  const TrialCounts out{*blocks, table->trial.size(),
                        static_cast<std::uint64_t>(
                            std::count_if(table->status.begin(), table->status.end(), has_failed))};
  if (sources.boards != nullptr && out.blocks == meta.blocks) {
    sources.boards->keep_counts(meta, out);
  }
  return out;
}

answer::SweepFacts facts_of(const store::SweepMeta& meta, std::uint64_t committed) {
  answer::SweepFacts out;
  out.id = meta.id;
  out.name = meta.name;
  out.state = store::sweep_state_name(meta.state);
  out.user = meta.user;
  out.created = time_text(meta.created);
  out.finished = time_text(meta.finished);
  if (meta.finished.ns > meta.created.ns) {
    out.wall_s = (meta.finished - meta.created).seconds();
    out.trials_per_s = static_cast<double>(meta.trials) / *out.wall_s;
  }
  out.trials = meta.trials;
  out.engine_version = meta.engine_version;
  if (meta.engine_version != engine::kEngineVersion) {
    out.engine_note = old_engine_note(meta.engine_version);
  }
  out.blocks = meta.blocks;
  out.blocks_committed = committed;
  return out;
}

struct Counts {
  std::uint64_t committed = 0;
  std::uint64_t failed = 0;
};

/// Nothing for one that explores.
std::optional<answer::Opening> opening_of(const SweepView& view, const sweeps::Segment& segment) {
  if (!view.openings || segment.index >= view.openings->by_segment.size()) return std::nullopt;
  actors::OpeningPrice price;
  price.family = view.family(segment);
  price.data = view.dataset(segment).name;
  price.refusal = view.openings->refusals[segment.index];
  answer::Opening out;
  if (const auto& h = view.openings->by_segment[segment.index]) {
    price.hypothesis = h->claim.id;
    price.repeat = h->claim.sweep != view.meta.id;
    price.level = h->in_account.level;
    price.stake = h->in_account.stake;
    price.left = h->in_account.left_before;
    price.account = h->account;
    price.judged_days = sweeps::level::day_count(h->claim.judged);
    out.hypothesis = price.hypothesis;
    out.level = price.level;
    out.stake = price.stake;
  } else {
    out.refusal = price.refusal;
  }
  out.repeat = price.repeat;
  out.text = actors::price_text(price);
  return out;
}

answer::Segment segment_line(const SweepView& view, const sweeps::Segment& segment,
                             const Counts& counts) {
  const auto& info = view.dataset(segment);
  return {.family = view.family(segment),
          .code_version = view.plan.family(segment).code_version,
          .data = info.name,
          .instrument = info.instrument,
          .dataset_hash = info.content_hash,
          .trial_first = segment.first_trial,
          .trials = segment.trials,
          .trials_committed = counts.committed,
          .trials_failed = counts.failed,
          .periods_max = segment.periods,
          .periods_per_year = info.periods_per_year,
          .calendar = std::string(engine::calendar_name(info.periods_per_year)),
          .opening = opening_of(view, segment)};
}

// What is missing or wrong, one sentence each.
std::vector<std::string> remarks(const SweepView& view, std::uint64_t committed,
                                 std::uint64_t failed) {
  std::vector<std::string> out;
  const std::uint64_t missing = view.meta.blocks - std::min(view.meta.blocks, committed);
  if (missing > 0) {
    out.push_back(std::to_string(missing) + " of " + std::to_string(view.meta.blocks) +
                  " blocks have no result yet; the sweep is " +
                  std::string(store::sweep_state_name(view.meta.state)));
  }
  if (missing > 0 && view.meta.state == store::SweepState::BudgetSpent) {
    const sweeps::ResolvedSpec& spec = view.plan.spec();
    std::string budget;
    if (spec.trials_max > 0) budget = std::to_string(spec.trials_max) + " trials";
    if (spec.cpu_hours_max > 0) {
      budget += budget.empty() ? "" : " and ";
      budget += show_number(spec.cpu_hours_max) + " CPU hours";
    }
    out.push_back("it stopped at its budget of " + budget +
                  "; `winnow sweep extend` raises it and the same sweep goes on");
  }
  if (failed > 0) out.push_back(std::to_string(failed) + " trials failed");
  if (missing == 0 && failed == 0) out.push_back("every trial has a result");
  return out;
}

// The first few errors of failed trials.
Result<std::vector<answer::TrialError>> first_errors(const Sources& sources, const SweepView& view,
                                                     const std::vector<std::uint64_t>& failed) {
  std::vector<answer::TrialError> out;
  const std::size_t shown = std::min(failed.size(), kErrorsShown);
  const auto rows = read_trials(sources, view, std::span(failed).first(shown), {});
  if (!rows.ok()) return rows.error();
  for (std::size_t i = 0; i < shown; ++i) {
    if ((*rows)[i]) out.push_back({failed[i], (*rows)[i]->error});
  }
  return out;
}

}  // namespace

Result<Json> sweep_list(const Sources& sources, const Json& args) {
  const auto limit = count_arg(args, "limit", kListedDefault);
  if (!limit.ok()) return limit.error();
  auto all = sources.store->sweeps();
  if (!all.ok()) return all.error();
  answer::SweepList out;
  out.deleted = std::erase_if(
      *all, [](const store::SweepMeta& meta) { return meta.state == store::SweepState::Deleted; });
  out.total = all->size();
  for (auto meta = all->rbegin(); meta != all->rend() && out.sweeps.size() < *limit; ++meta) {
    const auto counts = count_results(sources, *meta);
    if (!counts.ok()) return counts.error();
    out.sweeps.push_back({facts_of(*meta, counts->blocks), counts->trials, counts->failed});
  }
  return to_json(out);
}

Result<Json> sweep_show(const Sources& sources, const Json& args) {
  const auto selector = sweep_arg(args);
  if (!selector.ok()) return selector.error();
  const auto view = SweepView::open(sources, *selector, Answers::Words);
  if (!view.ok()) return view.error();
  const auto committed = committed_blocks(sources, view->meta);
  if (!committed.ok()) return committed.error();
  const auto table = sources.store->read_metrics(view->meta.id, {});
  if (!table.ok()) return table.error();
  std::vector<Counts> counts(view->plan.segments().size());
  std::vector<std::uint64_t> failed;
  for (std::size_t r = 0; r < table->trial.size(); ++r) {
    if (table->trial[r] >= view->plan.trials()) continue;
    Counts& c = counts[view->plan.segment_of_trial(table->trial[r]).index];
    ++c.committed;
    if (table->status[r] == TrialStatus::Ok) continue;
    ++c.failed;
    failed.push_back(table->trial[r]);
  }
  answer::SweepShow out;
  out.facts = facts_of(view->meta, *committed);
  out.execution = execution_of(*view);
  out.warnings = view->warnings;
  out.trials_committed = table->trial.size();
  out.trials_failed = failed.size();
  out.code_version = view->meta.code_version;
  for (const sweeps::Segment& segment : view->plan.segments()) {
    out.segments.push_back(segment_line(*view, segment, counts[segment.index]));
  }
  out.why = remarks(*view, *committed, failed.size());
  auto errors = first_errors(sources, *view, failed);
  if (!errors.ok()) return errors.error();
  out.errors = *std::move(errors);
  out.spec = parse_ordered_json(view->meta.spec_json);
  return to_json(out);
}

}  // namespace winnow::serve::parts
