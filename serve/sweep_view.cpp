#include "serve/sweep_view.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "actors/store_documents.hpp"
#include "base/names.hpp"
#include "engine/shortfall.hpp"
#include "sweeps/generation.hpp"
#include "sweeps/results.hpp"
#include "sweeps/spec_warnings.hpp"
#include "sweeps/stats/sharpe.hpp"

namespace winnow::serve {
namespace {

constexpr std::size_t kPrefixMin = 4;

Error unknown_sweep(const std::vector<store::SweepMeta>& all, std::string_view selector) {
  std::vector<std::string> names;
  for (auto it = all.rbegin(); it != all.rend(); ++it) {
    if (std::find(names.begin(), names.end(), it->name) == names.end()) names.push_back(it->name);
  }
  std::vector<std::string> candidates = names;
  for (const store::SweepMeta& meta : all) candidates.push_back(meta.id);
  constexpr std::size_t kShown = 10;
  return Error(ErrorCode::NotFound,
               "there is no sweep " + show_text(selector) + did_you_mean(selector, candidates) +
                   "; an id, its first characters, a name or `last` is allowed; there are: " +
                   join_names(names, kShown));
}

Error ambiguous(const std::string& what, std::string_view selector,
                const std::vector<const store::SweepMeta*>& found) {
  std::vector<std::string> ids;
  for (auto meta = found.rbegin(); meta != found.rend(); ++meta) {
    ids.push_back((*meta)->id + " (" + std::to_string((*meta)->trials) + " variants, made " +
                  format_timestamp({(*meta)->created.ns - (*meta)->created.ns % seconds(1).ns}) +
                  ")");
  }
  return Error(ErrorCode::InvalidInput,
               "the " + what + " " + show_text(selector) +
                   " is of several sweeps, so say which id is meant: " + join_names(ids, 10));
}

Error gone(const store::SweepMeta& meta) {
  return Error(ErrorCode::NotFound,
               "sweep " + meta.id + " (" + meta.name + ") was deleted at " +
                   format_timestamp(meta.finished) +
                   "; its trials stay in the ledger (`winnow ledger show --by sweep`), and the "
                   "same specification can be run again");
}

/// What the data lack of what the profile wants, whatever was known when the sweep was planned.
void add_shortfalls(const Sources& sources, SweepView& view) {
  if (sources.datasets == nullptr) return;
  const sweeps::ResolvedSpec& spec = view.plan.spec();
  for (std::size_t d = 0; d < spec.data.size() && d < spec.execution_by_data.size(); ++d) {
    const auto dataset = sources.datasets->load(spec.data[d].content_hash);
    if (!dataset.ok()) continue;  // a farm's results outlive the data they came from
    const MarketView& market = dataset->view();
    const auto at = [&](TimestampNs t) {
      return static_cast<std::size_t>(
          std::lower_bound(market.time_ns.begin(), market.time_ns.end(), t.ns) -
          market.time_ns.begin());
    };
    for (std::string& text : engine::shortfalls(spec.execution_by_data[d], market,
                                                {at(spec.from), at(spec.to)}, spec.data[d].name)) {
      const bool known =
          std::find(view.warnings.begin(), view.warnings.end(), text) != view.warnings.end();
      if (!known) view.warnings.push_back(std::move(text));
    }
  }
}

}  // namespace

void keep(const Sources& sources, Keepsake document) {
  if (sources.verdicts != nullptr) {
    const Status kept = sources.verdicts->put_document(document.kind, document.key, document.text);
    static_cast<void>(kept.ok());
  } else if (sources.keepsakes != nullptr) {
    sources.keepsakes->push_back(std::move(document));
  }
}

Result<store::SweepMeta> find_sweep(const store::Store& store, std::string_view selector) {
  auto all = store.sweeps();
  if (!all.ok()) return all.error();
  std::vector<store::SweepMeta> deleted;
  std::erase_if(*all, [&](const store::SweepMeta& meta) {
    if (meta.state != store::SweepState::Deleted) return false;
    deleted.push_back(meta);
    return true;
  });
  if (all->empty() && deleted.empty()) {
    return Error(ErrorCode::NotFound,
                 "there is no sweep yet; `winnow sweep run SPEC.yaml` or "
                 "`winnow demo` makes one");
  }
  if (selector == "last" && !all->empty()) {
    const auto noted = store.document(sweeps::kLastRunKind, sweeps::kLastRunKey);
    if (!noted.ok()) return noted.error();
    for (const store::SweepMeta& meta : *all) {
      if (*noted && meta.id == **noted) return meta;
    }
    return all->back();  // of a home that has no such note, or was that one deleted
  }
  std::vector<const store::SweepMeta*> by_prefix;
  std::vector<const store::SweepMeta*> by_name;
  for (const store::SweepMeta& meta : *all) {
    if (meta.id == selector) return meta;
    if (meta.name == selector) by_name.push_back(&meta);
    if (selector.size() >= kPrefixMin && meta.id.starts_with(selector)) by_prefix.push_back(&meta);
  }
  for (const bool name : {true, false}) {
    const auto& found = name ? by_name : by_prefix;
    if (found.size() == 1) return *found.front();
    if (found.size() > 1) return ambiguous(name ? "name" : "prefix", selector, found);
  }
  for (auto meta = deleted.rbegin(); meta != deleted.rend(); ++meta) {
    const bool meant = meta->id == selector || meta->name == selector ||
                       (selector.size() >= kPrefixMin && meta->id.starts_with(selector));
    if (meant) return gone(*meta);
  }
  return unknown_sweep(*all, selector);
}

std::string old_engine_note(std::uint32_t version) {
  return "of engine version " + std::to_string(version) + ", as it was computed then (this is " +
         std::to_string(engine::kEngineVersion) +
         "): nothing of it is compared with later results, and running it again gives another "
         "sweep, which the ledger does not charge for the same trials";
}

namespace {

Error only_words(const SweepView& view) {
  std::string ids;
  for (const auto& h : view.openings->by_segment) {
    if (h && !h->numbers_shown()) ids += (ids.empty() ? "" : ", ") + h->claim.id;
  }
  return Error(ErrorCode::Refused,
               "sweep " + view.meta.id +
                   " is judged in words: its days are sealed, and a number of theirs would keep "
                   "them from judging again. `winnow converge` says the word; `winnow reveal " +
                   ids + "` shows the numbers, for good and on record");
}

}  // namespace

Result<SweepView> SweepView::open(const Sources& sources, std::string_view selector,
                                  Answers answers) {
  auto meta = find_sweep(*sources.store, selector);
  if (!meta.ok()) return meta.error();
  auto spec = sweeps::ResolvedSpec::from_json(meta->spec_json);
  if (!spec.ok()) return spec.error().within("sweep " + meta->id);
  auto plan = sweeps::Plan::make(std::move(*spec));
  if (plan.ok()) {
    plan = sweeps::with_generations(*std::move(plan), [&](const std::string& key) {
      return sources.store->document(sweeps::kGenerationKind, key);
    });
  }
  if (!plan.ok()) return plan.error().within("sweep " + meta->id);
  SweepView view{std::move(*meta), std::move(*plan), {}};
  auto openings = sweeps::level::openings_of(
      actors::StoreDocuments(*sources.store, sources.verdicts), view.meta.id);
  if (!openings.ok()) return openings.error();
  view.openings = std::move(*openings);
  if (answers == Answers::Numbers && view.openings && view.openings->words_only()) {
    return only_words(view);
  }
  if (view.plan.trials() != view.meta.trials || view.plan.blocks() != view.meta.blocks) {
    return Error(ErrorCode::Refused, "sweep " + view.meta.id + " was planned as " +
                                         std::to_string(view.meta.trials) + " trials by " +
                                         view.meta.code_version + "; this version plans " +
                                         std::to_string(view.plan.trials()) +
                                         " of the same specification and cannot name its variants");
  }
  const auto said = sources.store->document(sweeps::kSpecWarningsKind, view.meta.id);
  if (!said.ok()) return said.error();
  if (*said) view.warnings = sweeps::warnings_from_json(**said);
  add_shortfalls(sources, view);
  if (view.plan.id() != view.meta.id) {
    view.warnings.push_back(view.meta.engine_version == engine::kEngineVersion
                                ? "planned by another version of this program: running it again "
                                  "gives another sweep"
                                : old_engine_note(view.meta.engine_version));
  }
  return view;
}

Result<std::uint64_t> SweepView::check_trial(std::uint64_t trial) const {
  if (trial < plan.trials()) return trial;
  return Error(ErrorCode::InvalidInput, "sweep " + meta.id + " has no variant " +
                                            std::to_string(trial) + "; allowed: 0 to " +
                                            std::to_string(plan.trials() - 1));
}

Json params_json(const SweepView& view, std::uint64_t trial) {
  const sweeps::Segment& segment = view.plan.segment_of_trial(trial);
  const auto& decls = view.plan.family(segment).params;
  const std::vector<double> values = view.plan.params(trial, 1);
  Json out = Json::object();
  for (std::size_t p = 0; p < decls.size(); ++p) {
    const std::string name(decls[p].name);
    if (decls[p].type == engine::ParamType::Int) {
      out[name] = static_cast<std::int64_t>(values[p]);
    } else {
      out[name] = values[p];
    }
  }
  return out;
}

namespace {

/// One row of a block. Requires: row < block.rows.
TrialRow trial_row(const ResultBlock& block, std::uint64_t row, store::Store::Parts parts) {
  TrialRow out;
  out.status = block.status[row];
  if (parts.keys) out.key = block.keys[row];
  for (std::uint32_t m = 0; parts.metrics && m < block.metric_count; ++m) {
    out.metrics.push_back(block.metrics[std::size_t{m} * block.rows + row]);
  }
  if (parts.returns) {
    const auto first = block.returns.begin() + static_cast<std::ptrdiff_t>(row * block.periods);
    out.returns.assign(first, first + block.periods);
  }
  if (has_failed(out.status)) {
    const auto at = static_cast<std::size_t>(std::count_if(
        block.status.begin(), block.status.begin() + static_cast<long>(row), has_failed));
    if (at < block.errors.size()) out.error = block.errors[at];
  }
  return out;
}

}  // namespace

// Rows of a page lie in a block each, whose parts are read one by one: on two threads that takes
// half as long.
Result<std::vector<std::optional<TrialRow>>> read_trials(const Sources& sources,
                                                         const SweepView& view,
                                                         std::span<const std::uint64_t> trials,
                                                         store::Store::Parts parts) {
  std::map<std::uint64_t, std::vector<std::size_t>> by_block;
  for (std::size_t i = 0; i < trials.size(); ++i) {
    by_block[sweeps::block_of_trial(view.plan, trials[i])].push_back(i);
  }
  using Wanted = std::pair<const std::uint64_t, std::vector<std::size_t>>;
  std::vector<const Wanted*> blocks;
  for (const Wanted& wanted : by_block) blocks.push_back(&wanted);
  std::vector<std::optional<TrialRow>> rows(trials.size());
  std::vector<Status> read(blocks.size());
  const auto read_block = [&](std::size_t b) {
    const auto block = sources.store->read_block(view.meta.id, blocks[b]->first, parts);
    if (!block.ok()) {
      if (block.error().code() != ErrorCode::NotFound) read[b] = block.error();
      return;
    }
    for (const std::size_t i : blocks[b]->second) {
      const std::uint64_t row = trials[i] - block->first_trial;
      if (trials[i] < block->first_trial || row >= block->rows) continue;
      rows[i] = trial_row(*block, row, parts);
    }
  };
  constexpr std::size_t kWorthThreads = 8;
  if (blocks.size() < kWorthThreads) {
    sweeps::serial_for()(blocks.size(), read_block);
  } else {
    sources.parallel(blocks.size(), read_block);
  }
  for (const Status& status : read) WINNOW_TRY(status);
  return rows;
}

Result<std::shared_ptr<const store::MarketBook>> market_book(const Sources& sources) {
  if (sources.markets) return sources.markets;
  if (sources.datasets == nullptr) return std::make_shared<const store::MarketBook>();
  auto book = store::MarketBook::read(*sources.datasets);
  if (!book.ok()) return book.error();
  return std::make_shared<const store::MarketBook>(*std::move(book));
}

Result<std::uint64_t> ledger_trials(const Sources& sources, std::string_view dataset_hash) {
  const auto lines = sources.store->ledger();
  if (!lines.ok()) return lines.error();
  const auto book = market_book(sources);
  if (!book.ok()) return book.error();
  std::uint64_t sum = 0;
  for (const store::LedgerCount& line : *lines) {
    if ((*book)->same_market(line.dataset_hash, dataset_hash)) sum += line.trials;
  }
  return sum;
}

NoiseExpectation noise_expectation(std::uint64_t trials, std::uint64_t periods,
                                   double periods_per_year) {
  NoiseExpectation out;
  if (periods == 0) return out;
  out.sd_ann = std::sqrt(periods_per_year / static_cast<double>(periods));
  out.max_ann =
      sweeps::stats::expected_max_sharpe(static_cast<double>(trials), 0, out.sd_ann * out.sd_ann);
  return out;
}

}  // namespace winnow::serve
