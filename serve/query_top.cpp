// Leaderboards: ranked variants, in full or as a table for exports.
#include <algorithm>
#include <cmath>
#include <set>

#include "engine/engine.hpp"
#include "serve/query_parts.hpp"
#include "sweeps/results.hpp"

namespace winnow::serve::parts {
namespace {

constexpr std::uint64_t kLimitDefault = 20;
// So few rows, or rows of at most this part of all blocks, are read block by block, others by whole
// columns: looking up a value costs more than passing over one.
constexpr std::size_t kFewRows = 64;
constexpr std::uint64_t kFewBlocksPart = 4;

Json number(double v) { return std::isfinite(v) ? Json(v) : Json(); }

Result<std::vector<std::vector<double>>> read_rows(const Sources& sources, const SweepView& view,
                                                   std::span<const std::uint64_t> trials) {
  std::vector<std::vector<double>> rows;
  std::set<std::uint64_t> blocks;
  for (const std::uint64_t trial : trials) blocks.insert(sweeps::block_of_trial(view.plan, trial));
  if (trials.size() <= kFewRows || blocks.size() <= view.plan.blocks() / kFewBlocksPart) {
    auto read = read_trials(sources, view, trials, {.metrics = true});
    if (!read.ok()) return read.error();
    for (auto& row : *read) rows.push_back(row ? std::move(row->metrics) : std::vector<double>{});
    return rows;
  }
  std::vector<std::uint32_t> all(view.meta.metric_names.size());
  for (std::uint32_t m = 0; m < all.size(); ++m) all[m] = m;
  const auto table = sources.store->read_metrics(view.meta.id, all);
  if (!table.ok()) return table.error();
  for (const std::uint64_t trial : trials) {
    const auto at = std::lower_bound(table->trial.begin(), table->trial.end(), trial);
    std::vector<double> row;
    if (at != table->trial.end() && *at == trial) {
      const auto r = static_cast<std::size_t>(at - table->trial.begin());
      for (const auto& column : table->columns) row.push_back(column[r]);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

Json noise_json(const Sources& sources, const SweepView& view) {
  Json out = Json::array();
  for (std::size_t d = 0; d < view.plan.spec().data.size(); ++d) {
    const auto& info = view.plan.spec().data[d];
    const auto trials = ledger_trials(*sources.store, info.content_hash);
    if (!trials.ok()) continue;
    std::uint32_t periods = 0;
    for (const sweeps::Segment& s : view.plan.segments()) {
      if (s.dataset == d) periods = s.periods;
    }
    const NoiseExpectation noise = noise_expectation(*trials, periods);
    out.push_back({{"data", info.name},
                   {"dataset_hash", info.content_hash},
                   {"ledger_trials", *trials},
                   {"noise_sharpe_ann_sd", noise.sd_ann},
                   {"noise_sharpe_ann_max_expected", noise.max_ann}});
  }
  return out;
}

// Rows as arrays under one header: what a CSV or SQLite export needs, without repeating names.
Json table_json(const SweepView& view, std::span<const std::uint64_t> trials,
                const std::vector<std::vector<double>>& metrics) {
  const std::vector<std::string> params = sweeps::parameter_names(view.plan);
  Json columns = {"rank", "trial", "family", "data"};
  for (const std::string& name : params) columns.push_back("param_" + name);
  for (const std::string& name : view.meta.metric_names) columns.push_back(name);
  Json rows = Json::array();
  rows.get_ref<Json::array_t&>().reserve(trials.size());
  for (std::size_t i = 0; i < trials.size(); ++i) {
    const sweeps::Segment& segment = view.plan.segment_of_trial(trials[i]);
    const auto& decls = view.plan.family(segment).params;
    const std::vector<double> values = view.plan.params(trials[i], 1);
    Json row = {i + 1, trials[i], view.family(segment), view.dataset(segment).name};
    for (const std::string& name : params) {
      const auto found =
          std::find_if(decls.begin(), decls.end(), [&](const auto& d) { return d.name == name; });
      row.push_back(found == decls.end()
                        ? Json()
                        : Json(values[static_cast<std::size_t>(found - decls.begin())]));
    }
    for (const double v : metrics[i]) row.push_back(number(v));
    rows.push_back(std::move(row));
  }
  return {{"columns", std::move(columns)}, {"rows", std::move(rows)}};
}

Json rows_json(const SweepView& view, std::span<const std::uint64_t> trials,
               const std::vector<std::vector<double>>& metrics) {
  Json rows = Json::array();
  for (std::size_t i = 0; i < trials.size(); ++i) {
    Json row;
    row["rank"] = i + 1;
    row.update(variant_json(view, trials[i]));
    const auto& segment = view.plan.segment_of_trial(trials[i]);
    row["params_text"] = sweeps::params_text(view.plan, segment, view.plan.params(trials[i], 1));
    row["metrics"] = metrics_json(view, metrics[i]);
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace

Result<Json> top(const Sources& sources, const Json& args) {
  const auto selector = sweep_arg(args);
  if (!selector.ok()) return selector.error();
  const auto by = text_arg(args, "by", "sharpe_ann");
  if (!by.ok()) return by.error();
  const auto where = text_arg(args, "where", "");
  if (!where.ok()) return where.error();
  const auto limit = count_arg(args, "limit", kLimitDefault);
  if (!limit.ok()) return limit.error();
  const bool table = args.contains("table") && args["table"] == true;

  const auto view = SweepView::open(sources, *selector);
  if (!view.ok()) return view.error();
  const auto ranking = sweeps::Ranking::make(view->plan, view->meta.metric_names,
                                             {.by = *by, .where = *where, .limit = *limit});
  if (!ranking.ok()) return ranking.error();
  const auto read = sources.store->read_metrics(view->meta.id, ranking->metrics_needed());
  if (!read.ok()) return read.error();
  sweeps::ResultColumns columns{read->trial, read->status, {}};
  for (const auto& column : read->columns) columns.metrics.emplace_back(column);
  const auto ranked = ranking->rank(columns);
  std::vector<std::uint64_t> trials;
  for (const std::uint32_t row : ranked.rows) trials.push_back(read->trial[row]);
  const auto metrics = read_rows(sources, *view, trials);
  if (!metrics.ok()) return metrics.error();

  Json out = sweep_head(*view);
  out["trials_committed"] = read->trial.size();
  out["trials_failed"] = std::count_if(read->status.begin(), read->status.end(), has_failed);
  out["trials_matching"] = ranked.matching;
  out["by"] = *by;
  out["higher_is_better"] = ranking->higher_is_better();
  if (!where->empty()) out["where"] = *where;
  out["noise"] = noise_json(sources, *view);
  if (table) {
    out.update(table_json(*view, trials, *metrics));
  } else {
    out["rows"] = rows_json(*view, trials, *metrics);
  }
  return out;
}

}  // namespace winnow::serve::parts
