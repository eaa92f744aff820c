// Leaderboards: ranked variants, in full or as a table for exports.
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include "engine/engine.hpp"
#include "serve/board_cache.hpp"
#include "serve/board_cursor.hpp"
#include "serve/holding.hpp"
#include "serve/luck.hpp"
#include "serve/query_parts.hpp"
#include "serve/validation.hpp"
#include "sweeps/results.hpp"

namespace winnow::serve::parts {
namespace {

constexpr std::uint64_t kLimitDefault = 20;
// So few rows, or rows of at most this part of all blocks, are read block by block, others by whole
// columns: looking up a value costs more than passing over one.
constexpr std::size_t kFewRows = 64;
constexpr std::uint64_t kFewBlocksPart = 4;
// Of variants that are one result, so many are named.
constexpr std::size_t kSameListed = 10;
// Beyond so many of one ratio to its last bit, their days are not read: they are variants that
// never traded.
constexpr std::size_t kReturnsComparedMax = 4096;

Result<std::vector<std::vector<double>>> read_rows_anew(const Sources& sources,
                                                        const SweepView& view,
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

Result<std::vector<std::vector<double>>> read_rows(const Sources& sources, const SweepView& view,
                                                   std::span<const std::uint64_t> trials) {
  if (sources.boards == nullptr || trials.size() > BoardCache::kRowsMax) {
    return read_rows_anew(sources, view, trials);
  }
  std::vector<std::vector<double>> rows;
  std::vector<std::uint64_t> missing;
  for (const std::uint64_t trial : trials) {
    rows.push_back(sources.boards->row(view.meta.id, trial));
    if (rows.back().empty()) missing.push_back(trial);
  }
  if (missing.empty()) return rows;
  auto read = read_rows_anew(sources, view, missing);
  if (!read.ok()) return read.error();
  std::size_t next = 0;
  for (std::size_t i = 0; i < trials.size(); ++i) {
    if (!rows[i].empty()) continue;
    rows[i] = std::move((*read)[next++]);
    if (!rows[i].empty()) sources.boards->keep_row(view.meta.id, trials[i], rows[i]);
  }
  return rows;
}

/// What the store says of a sweep's metrics, and what luck needs of them if `moments`, which are
/// then among `asked`, are given.
Result<BoardColumns> read_columns(const Sources& sources, const SweepView& view,
                                  const std::vector<std::uint32_t>& asked,
                                  const std::optional<RecordColumns>& moments) {
  BoardColumns out;
  auto table = sources.store->read_metrics(view.meta.id, asked);
  if (!table.ok()) return table.error();
  out.table = std::move(*table);
  if (!moments) return out;
  std::array<std::span<const double>, RecordColumns::kNames.size()> columns;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const auto at = std::find(asked.begin(), asked.end(), moments->index[i]) - asked.begin();
    columns[i] = out.table.columns[static_cast<std::size_t>(at)];
  }
  for (const sweeps::Segment& segment : view.plan.segments()) {
    out.ratio_variance.push_back(ratio_variance(view, segment, out.table.trial, columns));
  }
  return out;
}

/// Which blocks of a sweep have results.
Result<Hash128> committed_hash(const Sources& sources, const SweepView& view) {
  const auto flags = sources.store->committed(view.meta.id, view.plan.blocks());
  if (!flags.ok()) return flags.error();
  std::string bits;
  for (const bool there : *flags) bits.push_back(there ? '1' : '0');
  return hash128(bits);
}

/// The same, from the cache if there is one.
Result<std::shared_ptr<const BoardColumns>> board_columns(
    const Sources& sources, const SweepView& view, const std::vector<std::uint32_t>& asked,
    const std::optional<RecordColumns>& moments) {
  const auto read = [&] { return read_columns(sources, view, asked, moments); };
  if (sources.boards == nullptr) {
    auto made = read();
    if (!made.ok()) return made.error();
    return std::make_shared<const BoardColumns>(std::move(*made));
  }
  const auto committed = committed_hash(sources, view);
  if (!committed.ok()) return committed.error();
  return sources.boards->columns(view.meta.id, *committed, asked, read);
}

/// Purpose: the metrics of a leaderboard: stored ones, then those of luck, then those out of sample
/// if the sweep declares a validation. Owner: outlives nothing
/// it was made from. Thread: one.
class Board {
 public:
  /// Requires: `view` outlives it. Fails: InvalidInput (by, where), Corrupt, Io.
  static Result<Board> make(const Sources& sources, const SweepView& view,
                            const sweeps::RankRequest& request);

  const sweeps::Ranking& ranking() const { return *ranking_; }
  const store::Store::MetricTable& table() const { return columns_->table; }
  Result<sweeps::Ranking::Ranked> rank();
  /// Annual Sharpe ratios of rows of the table; empty of a sweep that keeps none.
  std::vector<double> sharpe_of(std::span<const std::uint32_t> rows) const;
  /// Values of a trial's stored metrics; empty without luck, which older sweeps may lack.
  std::vector<double> luck_of(std::uint64_t trial, std::span<const double> metrics) const;
  /// Out-of-sample numbers of trials, and their names; none without a validation.
  Result<std::vector<std::vector<double>>> oos_of(std::span<const std::uint64_t> trials);
  std::span<const sweeps::VariantOosNumber> oos_numbers() const {
    return sweeps::variant_oos_numbers().first(oos_ ? sweeps::variant_oos_numbers().size() : 0);
  }
  /// Names of what luck_of gives.
  std::span<const char* const> luck_names() const {
    return std::span(kLuckMetrics).first(luck_ ? kLuckMetrics.size() : 0);
  }

 private:
  std::span<const double> stored(std::uint32_t metric) const {
    const auto at = std::find(read_.begin(), read_.end(), metric) - read_.begin();
    return table().columns[static_cast<std::size_t>(at)];
  }

  std::optional<sweeps::Ranking> ranking_;
  std::vector<std::uint32_t> read_;  // stored metrics, as the table's columns
  std::uint32_t stored_count_ = 0;
  std::optional<RecordColumns> moments_;
  std::uint32_t oos_first_ = 0;  // index of the first out-of-sample number
  std::shared_ptr<const BoardColumns> columns_;
  std::optional<Luck> luck_;
  std::optional<VariantOos> oos_;
};

Result<Board> Board::make(const Sources& sources, const SweepView& view,
                          const sweeps::RankRequest& request) {
  Board out;
  std::vector<std::string> names = view.meta.metric_names;
  out.stored_count_ = static_cast<std::uint32_t>(names.size());
  out.moments_ = record_columns(view);
  if (out.moments_) names.insert(names.end(), kLuckMetrics.begin(), kLuckMetrics.end());
  out.oos_first_ = static_cast<std::uint32_t>(names.size());
  if (!view.plan.spec().validation_json.empty()) {
    auto oos = VariantOos::make(sources, view);
    if (!oos.ok()) return oos.error();
    out.oos_ = std::move(*oos);
    for (const auto& n : sweeps::variant_oos_numbers()) names.emplace_back(n.name);
  }
  auto ranking = sweeps::Ranking::make(view.plan, names, request);
  if (!ranking.ok()) return ranking.error();
  out.ranking_ = std::move(*ranking);
  const auto need = [&](std::uint32_t metric) {
    const bool known = std::find(out.read_.begin(), out.read_.end(), metric) != out.read_.end();
    if (!known) out.read_.push_back(metric);
  };
  for (const std::uint32_t metric : out.ranking_->metrics_needed()) {
    if (metric < out.stored_count_) need(metric);
  }
  if (out.moments_) std::for_each(out.moments_->index.begin(), out.moments_->index.end(), need);
  auto columns = board_columns(sources, view, out.read_, out.moments_);
  if (!columns.ok()) return columns.error();
  out.columns_ = std::move(*columns);
  if (!out.moments_) return out;
  auto luck = Luck::make(sources, view, out.columns_->ratio_variance);
  if (!luck.ok()) return luck.error();
  out.luck_ = std::move(*luck);
  return out;
}

Result<std::vector<std::vector<double>>> Board::oos_of(std::span<const std::uint64_t> trials) {
  if (!oos_) return std::vector<std::vector<double>>(trials.size());
  return oos_->of(trials);
}

Result<sweeps::Ranking::Ranked> Board::rank() {
  std::array<std::vector<double>, kLuckMetrics.size()> computed;
  std::vector<std::vector<double>> oos(oos_numbers().size());
  sweeps::ResultColumns columns{table().trial, table().status, {}};
  for (const std::uint32_t metric : ranking_->metrics_needed()) {
    if (metric < stored_count_) {
      columns.metrics.push_back(stored(metric));
      continue;
    }
    if (metric >= oos_first_) {
      if (oos[0].empty()) {
        const auto rows = oos_of(table().trial);
        if (!rows.ok()) return rows.error();
        for (std::size_t i = 0; i < oos.size(); ++i) {
          for (const auto& row : *rows) oos[i].push_back(row[i]);
        }
      }
      columns.metrics.emplace_back(oos[metric - oos_first_]);
      continue;
    }
    if (computed[0].empty()) {
      for (auto& column : computed) column.reserve(table().trial.size());
      std::array<std::span<const double>, RecordColumns::kNames.size()> moments;
      for (std::size_t i = 0; i < moments.size(); ++i) moments[i] = stored(moments_->index[i]);
      for (std::size_t r = 0; r < table().trial.size(); ++r) {
        Moments own;
        for (std::size_t i = 0; i < own.size(); ++i) own[i] = moments[i][r];
        const auto ratios = luck_->of(table().trial[r], own);
        for (std::size_t i = 0; i < ratios.size(); ++i) computed[i].push_back(ratios[i]);
      }
    }
    columns.metrics.emplace_back(computed[metric - stored_count_]);
  }
  return ranking_->rank(columns);
}

std::vector<double> Board::sharpe_of(std::span<const std::uint32_t> rows) const {
  std::vector<double> out;
  if (!luck_) return out;
  const auto column = stored(moments_->index[0]);  // the Sharpe ratio
  for (const std::uint32_t row : rows) out.push_back(column[row]);
  return out;
}

std::vector<double> Board::luck_of(std::uint64_t trial, std::span<const double> metrics) const {
  if (!luck_) return {};
  if (metrics.empty()) return std::vector<double>(kLuckMetrics.size(), std::nan(""));
  const auto ratios = luck_->of(trial, moments_of(*moments_, metrics));
  return {ratios.begin(), ratios.end()};
}

Json noise_json(const Sources& sources, const SweepView& view) {
  Json out = Json::array();
  for (std::size_t d = 0; d < view.plan.spec().data.size(); ++d) {
    const auto& info = view.plan.spec().data[d];
    const auto trials = ledger_trials(sources, info.content_hash);
    if (!trials.ok()) continue;
    std::uint32_t periods = 0;
    for (const sweeps::Segment& s : view.plan.segments()) {
      if (s.dataset == d) periods = s.periods;
    }
    const NoiseExpectation noise = noise_expectation(*trials, periods, info.periods_per_year);
    out.push_back({{"data", info.name},
                   {"dataset_hash", info.content_hash},
                   {"periods_per_year", info.periods_per_year},
                   {"calendar", engine::calendar_name(info.periods_per_year)},
                   {"ledger_trials", *trials},
                   {"noise_sharpe_ann_sd", noise.sd_ann},
                   {"noise_sharpe_ann_max_expected", noise.max_ann}});
  }
  return out;
}

/// A row of the leaderboard: the variants that are this one result, the best ranked first.
struct Shown {
  std::uint64_t rank = 1;
  std::vector<std::uint64_t> same;
};

/// Of a whole ranking, those from place `begin` (from 0) on.
Result<std::vector<Shown>> one_by_one(std::span<const std::uint64_t> trials, std::size_t begin,
                                      std::uint64_t limit) {
  std::vector<Shown> out;
  for (std::size_t i = begin; i < trials.size() && out.size() < limit; ++i) {
    out.push_back({i + 1, {trials[i]}});
  }
  return out;
}

/// Splits trials of one and the same Sharpe ratio by their daily returns, in order.
Result<std::vector<std::vector<std::uint64_t>>> by_returns(const Sources& sources,
                                                           const SweepView& view,
                                                           std::span<const std::uint64_t> trials) {
  std::vector<std::vector<std::uint64_t>> out;
  if (trials.size() == 1 || trials.size() > kReturnsComparedMax) {
    out.emplace_back(trials.begin(), trials.end());
    return out;
  }
  const auto rows = read_trials(sources, view, trials, {.returns = true});
  if (!rows.ok()) return rows.error();
  std::map<std::vector<float>, std::size_t> place;
  for (std::size_t i = 0; i < trials.size(); ++i) {
    const auto [found, added] =
        place.emplace((*rows)[i] ? (*rows)[i]->returns : std::vector<float>(), out.size());
    if (added) out.emplace_back();
    out[found->second].push_back(trials[i]);
  }
  return out;
}

/// `limit` distinct results of a ranking, from place `begin` (from 0) on; one that has a variant at
/// an earlier place stands there. Equal returns have equal ratios, so only those are compared day
/// by day.
Result<std::vector<Shown>> grouped(const Sources& sources, const SweepView& view,
                                   std::span<const std::uint64_t> trials,
                                   std::span<const double> sharpe, std::size_t begin,
                                   std::uint64_t limit) {
  if (sharpe.empty()) return one_by_one(trials, begin, limit);
  const auto bits = [&](std::size_t i) {
    return std::isnan(sharpe[i]) ? ~std::uint64_t{0} : std::bit_cast<std::uint64_t>(sharpe[i]);
  };
  std::vector<std::pair<std::uint64_t, std::uint64_t>> alike;  // bits, place in the ranking
  for (std::size_t i = 0; i < trials.size(); ++i) alike.emplace_back(bits(i), i);
  std::sort(alike.begin(), alike.end());
  std::set<std::uint64_t> split;
  std::map<std::uint64_t, std::vector<std::uint64_t>> firsts;  // trial -> those it stands for
  std::vector<Shown> out;
  for (std::size_t i = begin; i < trials.size() && out.size() < limit; ++i) {
    if (split.insert(bits(i)).second) {
      std::vector<std::uint64_t> waiting;
      for (auto at =
               std::lower_bound(alike.begin(), alike.end(), std::pair{bits(i), std::uint64_t{0}});
           at != alike.end() && at->first == bits(i); ++at) {
        waiting.push_back(trials[at->second]);
      }
      auto groups = by_returns(sources, view, waiting);
      if (!groups.ok()) return groups.error();
      for (auto& group : *groups) firsts[group.front()] = std::move(group);
    }
    const auto first = firsts.find(trials[i]);
    if (first != firsts.end()) out.push_back({i + 1, std::move(first->second)});
  }
  return out;
}

// Rows as arrays under one header: what a CSV or SQLite export needs, without repeating names.
Json table_json(const SweepView& view, const Board& board, const std::vector<Shown>& shown,
                std::span<const std::uint64_t> trials,
                const std::vector<std::vector<double>>& metrics,
                const std::vector<std::vector<double>>& oos) {
  const std::vector<std::string> params = sweeps::parameter_names(view.plan);
  Json columns = {"rank", "trial", "family", "data"};
  for (const std::string& name : params) columns.push_back("param_" + name);
  for (const std::string& name : view.meta.metric_names) columns.push_back(name);
  for (const char* name : board.luck_names()) columns.push_back(name);
  for (const auto& n : board.oos_numbers()) columns.push_back(n.name);
  Json rows = Json::array();
  rows.get_ref<Json::array_t&>().reserve(trials.size());
  for (std::size_t i = 0; i < trials.size(); ++i) {
    const sweeps::Segment& segment = view.plan.segment_of_trial(trials[i]);
    const auto& decls = view.plan.family(segment).params;
    const std::vector<double> values = view.plan.params(trials[i], 1);
    Json row = {shown[i].rank, trials[i], view.family(segment), view.dataset(segment).name};
    for (const std::string& name : params) {
      const auto found =
          std::find_if(decls.begin(), decls.end(), [&](const auto& d) { return d.name == name; });
      row.push_back(found == decls.end()
                        ? Json()
                        : Json(values[static_cast<std::size_t>(found - decls.begin())]));
    }
    for (const double v : metrics[i]) row.push_back(number_json(v));
    for (const double v : board.luck_of(trials[i], metrics[i])) row.push_back(number_json(v));
    for (const double v : oos[i]) row.push_back(number_json(v));
    rows.push_back(std::move(row));
  }
  return {{"columns", std::move(columns)}, {"rows", std::move(rows)}};
}

Json rows_json(const SweepView& view, const Board& board, const std::vector<Shown>& shown,
               std::span<const std::uint64_t> trials,
               const std::vector<std::vector<double>>& metrics,
               const std::vector<std::vector<double>>& oos) {
  Json rows = Json::array();
  for (std::size_t i = 0; i < trials.size(); ++i) {
    Json row;
    row["rank"] = shown[i].rank;
    row.update(variant_json(view, trials[i]));
    row["same_results"] = shown[i].same.size();
    if (shown[i].same.size() > 1) {
      row["same_trials"] = std::vector<std::uint64_t>(
          shown[i].same.begin(), shown[i].same.begin() + static_cast<std::ptrdiff_t>(std::min(
                                                             shown[i].same.size(), kSameListed)));
    }
    const auto& segment = view.plan.segment_of_trial(trials[i]);
    row["params_text"] = sweeps::params_text(view.plan, segment, view.plan.params(trials[i], 1));
    row["metrics"] = metrics_json(view, metrics[i]);
    const std::vector<double> luck = board.luck_of(trials[i], metrics[i]);
    for (std::size_t k = 0; k < luck.size(); ++k) {
      row["metrics"][board.luck_names()[k]] = number_json(luck[k]);
    }
    for (std::size_t k = 0; k < oos[i].size(); ++k) {
      row["metrics"][board.oos_numbers()[k].name] = number_json(oos[i][k]);
    }
    if (auto why = missing_numbers_reason(row["metrics"]); !why.empty()) row["reason"] = why;
    rows.push_back(std::move(row));
  }
  return rows;
}

/// Which part of which leaderboard is asked for.
struct Page {
  BoardCursor question;              ///< sweep (as it was named), by, where, all
  std::uint64_t begin = 0;           ///< place, from 0
  std::optional<BoardCursor> after;  ///< then the place is behind its last row
};

Result<Page> page_arg(const Json& args) {
  Page out;
  const auto cursor = text_arg(args, "cursor", "");
  if (!cursor.ok()) return cursor.error();
  const auto rank = count_arg(args, "rank", 1);
  if (!rank.ok()) return rank.error();
  if (*rank == 0) return bad_input("rank must be a place in the ranking, from 1 up, not 0");
  if (!cursor->empty()) {
    if (args.contains("rank")) {
      return bad_input("a page begins at a rank or at a cursor, not at both");
    }
    auto after = BoardCursor::read(*cursor);
    if (!after.ok()) return after.error();
    out.question = *after;
    out.after = *std::move(after);
  }
  out.begin = *rank - 1;
  const auto selector = text_arg(args, "sweep", out.after ? out.after->sweep : "last");
  if (!selector.ok()) return selector.error();
  out.question.sweep = *selector;
  const auto by = text_arg(args, "by", out.after ? out.after->by : "sharpe_ann");
  if (!by.ok()) return by.error();
  out.question.by = *by;
  const auto where = text_arg(args, "where", out.after ? out.after->where : "");
  if (!where.ok()) return where.error();
  out.question.where = *where;
  if (args.contains("all")) out.question.all = args["all"] == true;
  return out;
}

/// A cursor goes on with the question it came from, and with no other.
Status check_page(const Page& page, const Json& args, const SweepView& view) {
  if (!page.after) return {};
  const BoardCursor& after = *page.after;
  const bool table = args.contains("table") && args["table"] == true;
  const char* other = nullptr;
  if (after.sweep != view.meta.id) other = "sweep";
  if (after.by != page.question.by) other = "by";
  if (after.where != page.question.where) other = "where";
  if (after.all != (table || page.question.all)) other = "all";
  if (other == nullptr) return {};
  return bad_input("the cursor is of a leaderboard with another `" + std::string(other) +
                   "`; begin without one");
}

/// The place that a page begins at. Fails: NotFound, if the cursor's last row has no rank now.
Result<std::size_t> begin_of(const Page& page, std::span<const std::uint64_t> in_order) {
  if (!page.after) return page.begin;
  const auto found = std::find(in_order.begin(), in_order.end(), page.after->last);
  if (found == in_order.end()) {
    return Error(ErrorCode::NotFound, "variant " + std::to_string(page.after->last) +
                                          ", the last one before the cursor, is not in the ranking "
                                          "any more; begin without a cursor");
  }
  return static_cast<std::size_t>(found - in_order.begin()) + 1;
}

}  // namespace

Result<Json> top(const Sources& sources, const Json& args) {
  const auto asked = page_arg(args);
  if (!asked.ok()) return asked.error();
  const Page& page = *asked;
  const auto limit = count_arg(args, "limit", kLimitDefault);
  if (!limit.ok()) return limit.error();
  const bool table = args.contains("table") && args["table"] == true;

  const auto view = SweepView::open(sources, page.question.sweep);
  if (!view.ok()) return view.error();
  WINNOW_TRY(check_page(page, args, *view));
  const auto committed = committed_hash(sources, *view);
  if (!committed.ok()) return committed.error();
  // Rows that are one result stand as one, so more are ranked than are shown.
  const bool each = table || page.question.all;
  const bool few = each && !page.after && *limit < view->plan.trials();
  auto board = Board::make(sources, *view,
                           {.by = page.question.by,
                            .where = page.question.where,
                            .limit = few ? page.begin + *limit : view->plan.trials()});
  if (!board.ok()) return board.error();
  const auto rank = board->rank();
  if (!rank.ok()) return rank.error();
  const auto& ranked = *rank;
  const store::Store::MetricTable& read = board->table();
  std::vector<std::uint64_t> in_order;
  for (const std::uint32_t row : ranked.rows) in_order.push_back(read.trial[row]);
  const auto begin = begin_of(page, in_order);
  if (!begin.ok()) return begin.error();
  auto shown =
      each ? one_by_one(in_order, *begin, *limit)
           : grouped(sources, *view, in_order, board->sharpe_of(ranked.rows), *begin, *limit);
  if (!shown.ok()) return shown.error();
  std::vector<std::uint64_t> trials;
  for (const Shown& row : *shown) trials.push_back(row.same.front());
  const auto metrics = read_rows(sources, *view, trials);
  if (!metrics.ok()) return metrics.error();
  const auto oos = board->oos_of(trials);
  if (!oos.ok()) return oos.error();

  Json out = sweep_head(*view);
  out["trials_committed"] = read.trial.size();
  out["trials_failed"] = std::count_if(read.status.begin(), read.status.end(), has_failed);
  out["trials_matching"] = ranked.matching;
  out["by"] = page.question.by;
  out["higher_is_better"] = board->ranking().higher_is_better();
  if (!page.question.where.empty()) {
    out["where"] = page.question.where;
    out["trials_undecided"] = ranked.undecided;
  }
  out["noise"] = noise_json(sources, *view);
  out["holding"] = holdings_json(sources, *view);
  if (table) {
    out.update(table_json(*view, *board, *shown, trials, *metrics, *oos));
  } else {
    out["rows"] = rows_json(*view, *board, *shown, trials, *metrics, *oos);
  }
  if (page.after) out["changed_since_cursor"] = page.after->committed != *committed;
  if (!shown->empty() && shown->back().rank < ranked.matching) {
    BoardCursor next = page.question;
    next.sweep = view->meta.id;
    next.all = each;
    next.committed = *committed;
    next.last = trials.back();
    out["next"] = next.text();
  }
  return out;
}

}  // namespace winnow::serve::parts
