// Sweeps as a whole.
#include <algorithm>

#include "actors/opening_price.hpp"
#include "base/names.hpp"
#include "base/text.hpp"
#include "serve/board_cache.hpp"
#include "serve/query_parts.hpp"
#include "sweeps/design.hpp"

namespace winnow::serve::parts {
namespace {

constexpr std::uint64_t kListedDefault = 100;
constexpr std::size_t kErrorsShown = 5;

Json time_json(TimestampNs t) { return t.ns == 0 ? Json() : Json(format_timestamp(t)); }

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

Json meta_json(const store::SweepMeta& meta, std::uint64_t committed) {
  Json out;
  out["sweep_id"] = meta.id;
  out["sweep_name"] = meta.name;
  out["state"] = store::sweep_state_name(meta.state);
  out["user"] = meta.user;
  out["created"] = time_json(meta.created);
  out["finished"] = time_json(meta.finished);
  if (meta.finished.ns > meta.created.ns) {
    const double wall_s = (meta.finished - meta.created).seconds();
    out["wall_s"] = wall_s;
    out["trials_per_s"] = static_cast<double>(meta.trials) / wall_s;
  }
  out["trials"] = meta.trials;
  out["engine_version"] = meta.engine_version;
  if (meta.engine_version != engine::kEngineVersion) {
    out["engine_note"] = old_engine_note(meta.engine_version);
  }
  out["blocks"] = meta.blocks;
  out["blocks_committed"] = committed;
  return out;
}

struct Counts {
  std::uint64_t committed = 0;
  std::uint64_t failed = 0;
};

/// What opening a segment bought; null for one that explores.
Json opening_json(const SweepView& view, const sweeps::Segment& segment) {
  if (!view.openings || segment.index >= view.openings->by_segment.size()) return {};
  actors::OpeningPrice price;
  price.family = view.family(segment);
  price.data = view.dataset(segment).name;
  price.refusal = view.openings->refusals[segment.index];
  if (const auto& h = view.openings->by_segment[segment.index]) {
    price.hypothesis = h->claim.id;
    price.repeat = h->claim.sweep != view.meta.id;
    price.level = h->in_account.level;
    price.stake = h->in_account.stake;
    price.left = h->in_account.left_before;
    price.account = h->account;
    price.judged_days = sweeps::level::day_count(h->claim.judged);
  }
  const bool bought = !price.hypothesis.empty();
  return {{"hypothesis", bought ? Json(price.hypothesis) : Json()},
          {"repeat", price.repeat},
          {"level", bought ? Json(price.level) : Json()},
          {"stake", bought ? Json(price.stake) : Json()},
          {"refusal", bought ? Json() : Json(price.refusal)},
          {"text", actors::price_text(price)}};
}

Json segment_json(const SweepView& view, const sweeps::Segment& segment, const Counts& counts) {
  const auto& info = view.dataset(segment);
  Json out;
  out["family"] = view.family(segment);
  out["code_version"] = view.plan.family(segment).code_version;
  out["data"] = info.name;
  out["instrument"] = info.instrument;
  out["dataset_hash"] = info.content_hash;
  out["trial_first"] = segment.first_trial;
  out["trials"] = segment.trials;
  out["trials_committed"] = counts.committed;
  out["trials_failed"] = counts.failed;
  out["periods_max"] = segment.periods;
  out["periods_per_year"] = info.periods_per_year;
  out["calendar"] = engine::calendar_name(info.periods_per_year);
  out["opening"] = opening_json(view, segment);
  return out;
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
Result<Json> errors_json(const Sources& sources, const SweepView& view,
                         const std::vector<std::uint64_t>& failed) {
  Json out = Json::array();
  const std::size_t shown = std::min(failed.size(), kErrorsShown);
  const auto rows = read_trials(sources, view, std::span(failed).first(shown), {});
  if (!rows.ok()) return rows.error();
  for (std::size_t i = 0; i < shown; ++i) {
    if ((*rows)[i]) out.push_back({{"trial", failed[i]}, {"error", (*rows)[i]->error}});
  }
  return out;
}

}  // namespace

Result<Json> sweep_list(const Sources& sources, const Json& args) {
  const auto limit = count_arg(args, "limit", kListedDefault);
  if (!limit.ok()) return limit.error();
  auto all = sources.store->sweeps();
  if (!all.ok()) return all.error();
  const auto deleted = std::erase_if(
      *all, [](const store::SweepMeta& meta) { return meta.state == store::SweepState::Deleted; });
  Json out;
  out["sweeps_total"] = all->size();
  out["sweeps_deleted"] = deleted;
  out["sweeps"] = Json::array();
  for (auto meta = all->rbegin(); meta != all->rend() && out["sweeps"].size() < *limit; ++meta) {
    const auto counts = count_results(sources, *meta);
    if (!counts.ok()) return counts.error();
    Json line = meta_json(*meta, counts->blocks);
    line["trials_committed"] = counts->trials;
    line["trials_failed"] = counts->failed;
    out["sweeps"].push_back(std::move(line));
  }
  return out;
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
  Json out = meta_json(view->meta, *committed);
  add_execution(*view, out);
  if (!view->warnings.empty()) out["warnings"] = view->warnings;
  out["trials_committed"] = table->trial.size();
  out["trials_failed"] = failed.size();
  out["code_version"] = view->meta.code_version;
  out["segments"] = Json::array();
  for (const sweeps::Segment& segment : view->plan.segments()) {
    out["segments"].push_back(segment_json(*view, segment, counts[segment.index]));
  }
  out["why"] = remarks(*view, *committed, failed.size());
  auto errors = errors_json(sources, *view, failed);
  if (!errors.ok()) return errors.error();
  if (!errors->empty()) out["errors"] = std::move(*errors);
  out["spec"] = parse_ordered_json(view->meta.spec_json);
  return out;
}

}  // namespace winnow::serve::parts
