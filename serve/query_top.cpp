// Leaderboards: ranked variants, in full or as a table for exports.
#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <utility>

#include "engine/engine.hpp"
#include "serve/answer/board.hpp"
#include "serve/board.hpp"
#include "serve/board_cache.hpp"
#include "serve/board_cursor.hpp"
#include "serve/holding.hpp"
#include "serve/query_parts.hpp"
#include "sweeps/results.hpp"

namespace winnow::serve::parts {
namespace {

constexpr std::uint64_t kLimitDefault = 20;
// So few rows, or rows of at most this part of all blocks, are read block by block, others by whole
// columns: looking up a value costs more than passing over one.
constexpr std::size_t kFewRows = 64;
constexpr std::uint64_t kFewBlocksPart = 4;

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

std::vector<answer::Noise> noise_of(const Sources& sources, const SweepView& view) {
  std::vector<answer::Noise> out;
  for (std::size_t d = 0; d < view.plan.spec().data.size(); ++d) {
    const auto& info = view.plan.spec().data[d];
    const auto trials = ledger_trials(sources, info.content_hash);
    if (!trials.ok()) continue;
    std::uint32_t periods = 0;
    for (const sweeps::Segment& s : view.plan.segments()) {
      if (s.dataset == d) periods = s.periods;
    }
    const NoiseExpectation noise = noise_expectation(*trials, periods, info.periods_per_year);
    out.push_back({.data = info.name,
                   .dataset_hash = info.content_hash,
                   .periods_per_year = info.periods_per_year,
                   .calendar = std::string(engine::calendar_name(info.periods_per_year)),
                   .ledger_trials = *trials,
                   .sharpe_ann_sd = noise.sd_ann,
                   .sharpe_ann_max_expected = noise.max_ann});
  }
  return out;
}

/// Rows of a page, with what is shown of each: that of the trial it is ranked by.
struct ShownRows {
  std::vector<BoardRow> rows;
  std::vector<std::uint64_t> trials = {};
  std::vector<std::vector<double>> metrics = {};  ///< stored ones; none: nothing is committed
  std::vector<std::vector<double>> oos = {};
};

Result<ShownRows> shown_rows(const Sources& sources, const SweepView& view, Board& board,
                             std::vector<BoardRow> rows) {
  ShownRows out{.rows = std::move(rows)};
  for (const BoardRow& row : out.rows) out.trials.push_back(row.trials.front());
  auto metrics = read_rows(sources, view, out.trials);
  if (!metrics.ok()) return metrics.error();
  out.metrics = *std::move(metrics);
  auto oos = board.oos_of(out.trials);
  if (!oos.ok()) return oos.error();
  out.oos = *std::move(oos);
  return out;
}

std::vector<std::string> table_columns(const SweepView& view, const Board& board) {
  std::vector<std::string> out = {"rank", "trial", "family", "data"};
  for (const std::string& name : sweeps::parameter_names(view.plan)) out.push_back("param_" + name);
  for (const std::string& name : view.meta.metric_names) out.push_back(name);
  for (const char* name : board.luck_names()) out.emplace_back(name);
  for (const auto& n : board.oos_numbers()) out.emplace_back(n.name);
  return out;
}

// Rows as arrays: what a CSV or SQLite export needs, without repeating names.
Json table_rows(const SweepView& view, const Board& board, const ShownRows& shown) {
  const auto& [board_rows, trials, metrics, oos] = shown;
  const std::vector<std::string> params = sweeps::parameter_names(view.plan);
  Json rows = Json::array();
  rows.get_ref<Json::array_t&>().reserve(trials.size());
  for (std::size_t i = 0; i < trials.size(); ++i) {
    const sweeps::Segment& segment = view.plan.segment_of_trial(trials[i]);
    const auto& decls = view.plan.family(segment).params;
    const std::vector<double> values = view.plan.params(trials[i], 1);
    Json row = {board_rows[i].rank, trials[i], view.family(segment), view.dataset(segment).name};
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
  return rows;
}

std::vector<answer::BoardLine> board_lines(const SweepView& view, const Board& board,
                                           const ShownRows& shown) {
  const auto& [board_rows, trials, metrics, oos] = shown;
  std::vector<answer::BoardLine> out(trials.size());
  for (std::size_t i = 0; i < trials.size(); ++i) {
    answer::BoardLine& line = out[i];
    line.rank = board_rows[i].rank;
    line.variant = variant_of(view, trials[i]);
    line.same_results = board_rows[i].variants;
    if (board_rows[i].variants > 1) line.same_trials = board_rows[i].trials;
    const auto& segment = view.plan.segment_of_trial(trials[i]);
    line.params_text = sweeps::params_text(view.plan, segment, view.plan.params(trials[i], 1));
    line.metrics = metrics_json(view, metrics[i]);
    const std::vector<double> luck = board.luck_of(trials[i], metrics[i]);
    for (std::size_t k = 0; k < luck.size(); ++k) {
      line.metrics[board.luck_names()[k]] = number_json(luck[k]);
    }
    for (std::size_t k = 0; k < oos[i].size(); ++k) {
      line.metrics[board.oos_numbers()[k].name] = number_json(oos[i][k]);
    }
    line.reason = missing_numbers_reason(line.metrics);
  }
  return out;
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
Result<std::size_t> begin_of(const Page& page, const BoardOrder& order) {
  if (!page.after) return page.begin;
  const auto place = order.place_of(page.after->last);
  if (place) return *place + 1;
  return Error(ErrorCode::NotFound, "variant " + std::to_string(page.after->last) +
                                        ", the last one before the cursor, is not in the ranking "
                                        "any more; begin without a cursor");
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
  const bool each = table || page.question.all;
  BoardQuestion question{page.question.by, page.question.where};
  if (each && !page.after) {
    const std::uint64_t all = view->plan.trials();
    question.first_places = std::min(page.begin, all) + std::min(*limit, all);
  }
  auto board = Board::make(sources, *view, question);
  if (!board.ok()) return board.error();
  const BoardOrder& order = board->order();
  const auto begin = begin_of(page, order);
  if (!begin.ok()) return begin.error();
  auto rows = each ? Result<std::vector<BoardRow>>(order.rows(*begin, *limit))
                   : board->results(*begin, *limit);
  if (!rows.ok()) return rows.error();
  const auto shown = shown_rows(sources, *view, *board, *std::move(rows));
  if (!shown.ok()) return shown.error();

  answer::Board out;
  out.head = head_of(*view);
  out.trials_committed = order.committed();
  out.trials_failed = order.failed();
  out.trials_matching = order.matching();
  out.by = page.question.by;
  out.higher_is_better = board->higher_is_better();
  out.where = page.question.where;
  if (!out.where.empty()) out.trials_undecided = order.undecided();
  out.noise = noise_of(sources, *view);
  out.holding = holdings_of(sources, *view);
  if (table) {
    out.columns = table_columns(*view, *board);
  } else {
    out.rows = board_lines(*view, *board, *shown);
  }
  if (page.after) out.changed_since_cursor = page.after->committed != board->committed();
  if (!shown->rows.empty() && shown->rows.back().rank < order.matching()) {
    BoardCursor next = page.question;
    next.sweep = view->meta.id;
    next.all = each;
    next.committed = board->committed();
    next.last = shown->trials.back();
    out.next = next.text();
  }
  Json json = to_json(out);
  if (table) json["rows"] = table_rows(*view, *board, *shown);
  return json;
}

}  // namespace winnow::serve::parts
