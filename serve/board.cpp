#include "serve/board.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <utility>

#include "base/text.hpp"
#include "serve/board_cache.hpp"

namespace winnow::serve {
namespace {

/// Which blocks of a sweep have results. Of one that is known to have them all nothing is read.
Result<Hash128> committed_hash(const Sources& sources, const SweepView& view) {
  std::string bits(view.plan.blocks(), '1');
  if (sources.boards != nullptr && sources.boards->counts(view.meta)) return hash128(bits);
  const auto flags = sources.store->committed(view.meta.id, view.plan.blocks());
  if (!flags.ok()) return flags.error();
  for (std::size_t b = 0; b < bits.size(); ++b) {
    if (!(*flags)[b]) bits[b] = '0';
  }
  return hash128(bits);
}

/// What the store says of a sweep's metrics, and what luck needs of them if `moments`, which are
/// then among `asked`, are given.
Result<std::shared_ptr<const BoardColumns>> read_columns(
    const Sources& sources, const SweepView& view, const std::vector<std::uint32_t>& asked,
    const std::optional<RecordColumns>& moments) {
  auto table = sources.store->read_metrics(view.meta.id, asked);
  if (!table.ok()) return table.error();
  BoardColumns out{*std::move(table), {}};
  if (moments) {
    std::array<std::span<const double>, RecordColumns::kNames.size()> columns;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const auto at = std::find(asked.begin(), asked.end(), moments->index[i]) - asked.begin();
      columns[i] = out.table.columns[static_cast<std::size_t>(at)];
    }
    for (const sweeps::Segment& segment : view.plan.segments()) {
      out.ratio_variance.push_back(ratio_variance(view, segment, out.table.trial, columns));
    }
  }
  return std::make_shared<const BoardColumns>(std::move(out));
}

/// Splits trials of one and the same Sharpe ratio by their daily returns, in order.
Result<std::vector<std::vector<std::uint64_t>>> by_returns(const Sources& sources,
                                                           const SweepView& view,
                                                           std::span<const std::uint64_t> trials) {
  std::vector<std::vector<std::uint64_t>> out;
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

}  // namespace

/// Purpose: the stored metrics that an order is made of. Thread: const, any.
struct Board::Columns {
  std::vector<std::uint32_t> asked;  ///< by index, as the columns of the table
  std::shared_ptr<const BoardColumns> read;

  const store::Store::MetricTable& table() const { return read->table; }
  std::span<const double> of(std::uint32_t metric) const {
    const auto at = std::find(asked.begin(), asked.end(), metric) - asked.begin();
    return table().columns[static_cast<std::size_t>(at)];
  }
};

Result<Board> Board::make(const Sources& sources, const SweepView& view,
                          const BoardQuestion& question) {
  Board out(sources, view);
  // What is out of sample follows from the days of the data, too, which may come later.
  WINNOW_TRY(out.name_metrics(question));
  const bool keeps = sources.boards != nullptr && !out.ranks_out_of_sample();
  const auto committed = committed_hash(sources, view);
  if (!committed.ok()) return committed.error();
  out.committed_ = *committed;
  Result<std::shared_ptr<const BoardOrder>> order = Error(ErrorCode::Internal, "no order");
  if (keeps) {
    const auto version = out.version();
    if (!version.ok()) return version.error();
    order = sources.boards->orders().get(json_text(Json{view.meta.id, question.by, question.where}),
                                         *version, [&] { return out.put_in_order(std::nullopt); });
  } else {
    order = out.put_in_order(question.first_places);
  }
  if (!order.ok()) return order.error();
  out.order_ = *std::move(order);
  if (!out.moments_) return out;
  auto luck = Luck::make(sources, view, out.order_->ratio_variance());
  if (!luck.ok()) return luck.error();
  out.luck_ = *std::move(luck);
  return out;
}

Status Board::name_metrics(const BoardQuestion& question) {
  std::vector<std::string> names = view_->meta.metric_names;
  stored_count_ = static_cast<std::uint32_t>(names.size());
  moments_ = record_columns(*view_);
  if (moments_) names.insert(names.end(), kLuckMetrics.begin(), kLuckMetrics.end());
  oos_first_ = static_cast<std::uint32_t>(names.size());
  if (!view_->plan.spec().validation_json.empty()) {
    auto oos = VariantOos::make(*sources_, *view_);
    if (!oos.ok()) return oos.error();
    oos_ = *std::move(oos);
    for (const auto& n : sweeps::variant_oos_numbers()) names.emplace_back(n.name);
  }
  const std::uint64_t all = view_->plan.trials();
  auto ranking = sweeps::Ranking::make(
      view_->plan, names,
      {.by = question.by,
       .where = question.where,
       .limit = sources_->boards == nullptr ? question.first_places.value_or(all) : all});
  if (!ranking.ok()) return ranking.error();
  ranking_ = *std::move(ranking);
  return {};
}

/// Whether the question needs a metric of these indices.
bool Board::needs(std::uint32_t first, std::uint32_t end) const {
  const auto needed = ranking_->metrics_needed();
  return std::any_of(needed.begin(), needed.end(),
                     [&](std::uint32_t metric) { return metric >= first && metric < end; });
}

bool Board::ranks_out_of_sample() const { return needs(oos_first_, ~std::uint32_t{0}); }

/// What the order is a function of, beside its question: results, and where it needs a ratio that
/// the ledger deflates, how many trials that counts. Others stay as they are while a farm works.
Result<Hash128> Board::version() const {
  Json parts{committed_.hex(), view_->meta.created.ns};
  if (!needs(stored_count_, oos_first_)) return hash128(json_text(parts));
  for (const sweeps::Segment& segment : view_->plan.segments()) {
    const auto trials = ledger_trials(*sources_, view_->dataset(segment).content_hash);
    if (!trials.ok()) return trials.error();
    parts.push_back(*trials);
  }
  return hash128(json_text(parts));
}

Result<Board::Columns> Board::read_needed() const {
  Columns out;
  const auto need = [&](std::uint32_t metric) {
    const bool known = std::find(out.asked.begin(), out.asked.end(), metric) != out.asked.end();
    if (!known && metric < stored_count_) out.asked.push_back(metric);
  };
  const auto needed = ranking_->metrics_needed();
  std::for_each(needed.begin(), needed.end(), need);
  if (moments_) std::for_each(moments_->index.begin(), moments_->index.end(), need);
  const auto read = [&] { return read_columns(*sources_, *view_, out.asked, moments_); };
  auto got = sources_->boards == nullptr
                 ? read()
                 : sources_->boards->columns().get(json_text(Json{view_->meta.id, out.asked}),
                                                   committed_, read);
  if (!got.ok()) return got.error();
  out.read = *std::move(got);
  return out;
}

/// Metrics that are not stored, by index from stored_count_ on; those that nobody needs are empty.
Result<std::vector<std::vector<double>>> Board::made_columns(const Columns& columns) {
  std::vector<std::vector<double>> out;
  if (needs(stored_count_, oos_first_)) {
    auto luck = luck_columns(columns);
    if (!luck.ok()) return luck.error();
    out = *std::move(luck);
  }
  out.resize(oos_first_ - stored_count_);
  if (ranks_out_of_sample()) {
    auto oos = oos_columns(columns.table().trial);
    if (!oos.ok()) return oos.error();
    std::move(oos->begin(), oos->end(), std::back_inserter(out));
  }
  return out;
}

Result<std::shared_ptr<const BoardOrder>> Board::put_in_order(
    std::optional<std::uint64_t> first_places) {
  const auto columns = read_needed();
  if (!columns.ok()) return columns.error();
  const auto made = made_columns(*columns);
  if (!made.ok()) return made.error();
  const store::Store::MetricTable& table = columns->table();
  sweeps::ResultColumns given{table.trial, table.status, {}};
  for (const std::uint32_t m : ranking_->metrics_needed()) {
    given.metrics.push_back(
        m < stored_count_ ? columns->of(m) : std::span<const double>((*made)[m - stored_count_]));
  }
  const sweeps::Ranking::Ranked ranked = ranking_->rank(given);

  BoardOrder::Parts parts{.matching = ranked.matching,
                          .committed = table.trial.size(),
                          .undecided = ranked.undecided,
                          .ratio_variance = columns->read->ratio_variance};
  parts.failed = static_cast<std::uint64_t>(
      std::count_if(table.status.begin(), table.status.end(), has_failed));
  if (sources_->boards != nullptr && parts.committed == view_->plan.trials()) {
    sources_->boards->keep_counts(view_->meta,
                                  {view_->plan.blocks(), parts.committed, parts.failed});
  }
  parts.trials.reserve(ranked.rows.size());
  for (const std::uint32_t row : ranked.rows) parts.trials.push_back(table.trial[row]);
  if (moments_ && !first_places) {
    const auto sharpe = columns->of(moments_->index[0]);
    parts.ratios.reserve(ranked.rows.size());
    for (const std::uint32_t row : ranked.rows) parts.ratios.push_back(sharpe[row]);
  }
  return std::make_shared<const BoardOrder>(std::move(parts));
}

Result<std::vector<std::vector<double>>> Board::luck_columns(const Columns& columns) const {
  const auto luck = Luck::make(*sources_, *view_, columns.read->ratio_variance);
  if (!luck.ok()) return luck.error();
  const auto& trials = columns.table().trial;
  std::array<std::span<const double>, RecordColumns::kNames.size()> moments;
  for (std::size_t i = 0; i < moments.size(); ++i) moments[i] = columns.of(moments_->index[i]);
  std::vector<std::vector<double>> out(kLuckMetrics.size(), std::vector<double>(trials.size()));
  for (std::size_t r = 0; r < trials.size(); ++r) {
    Moments own;
    for (std::size_t i = 0; i < own.size(); ++i) own[i] = moments[i][r];
    const auto ratios = luck->of(trials[r], own);
    for (std::size_t i = 0; i < ratios.size(); ++i) out[i][r] = ratios[i];
  }
  return out;
}

Result<std::vector<std::vector<double>>> Board::oos_columns(std::span<const std::uint64_t> trials) {
  const auto rows = oos_of(trials);
  if (!rows.ok()) return rows.error();
  std::vector<std::vector<double>> out(oos_numbers().size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i].reserve(rows->size());
    for (const auto& row : *rows) out[i].push_back(row[i]);
  }
  return out;
}

Result<std::vector<BoardRow>> Board::results(std::size_t begin, std::uint64_t limit) const {
  return order_->results(begin, limit, [&](std::span<const std::uint64_t> trials) {
    return by_returns(*sources_, *view_, trials);
  });
}

Result<std::vector<std::vector<double>>> Board::oos_of(std::span<const std::uint64_t> trials) {
  if (!oos_) return std::vector<std::vector<double>>(trials.size());
  return oos_->of(trials);
}

std::vector<double> Board::luck_of(std::uint64_t trial, std::span<const double> metrics) const {
  if (!luck_) return {};
  if (metrics.empty()) return std::vector<double>(kLuckMetrics.size(), std::nan(""));
  const auto ratios = luck_->of(trial, moments_of(*moments_, metrics));
  return {ratios.begin(), ratios.end()};
}

}  // namespace winnow::serve
