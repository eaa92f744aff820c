#include "serve/board_cache.hpp"

#include "base/check.hpp"

namespace winnow::serve {
namespace {

std::size_t bytes_of(const BoardColumns& columns) {
  std::size_t bytes = columns.table.trial.capacity() * sizeof(std::uint64_t) +
                      columns.table.status.capacity() * sizeof(TrialStatus);
  for (const auto& column : columns.table.columns) bytes += column.capacity() * sizeof(double);
  return bytes;
}

}  // namespace

BoardCache::BoardCache()
    : columns_(kColumnBytesMax, bytes_of),
      orders_(kOrderBytesMax, [](const BoardOrder& order) { return order.bytes(); }),
      holdings_(kHoldingBytesMax, [](const engine::Holding& held) {
        return (held.metrics.capacity() + held.returns.capacity()) * sizeof(double);
      }) {}

std::vector<double> BoardCache::row(const std::string& sweep, std::uint64_t trial) const {
  const std::lock_guard lock(mutex_);
  const auto found = rows_.find({sweep, trial});
  return found == rows_.end() ? std::vector<double>() : found->second;
}

// Which rows a board shows changes slowly; when they are too many, it starts anew.
void BoardCache::keep_row(const std::string& sweep, std::uint64_t trial,
                          std::vector<double> metrics) {
  const std::lock_guard lock(mutex_);
  if (rows_.size() >= kRowsMax) rows_.clear();
  rows_.insert_or_assign({sweep, trial}, std::move(metrics));
}

std::optional<TrialCounts> BoardCache::counts(const store::SweepMeta& sweep) const {
  const std::lock_guard lock(mutex_);
  const auto found = counts_.find({sweep.id, sweep.created.ns, sweep.blocks});
  return found == counts_.end() ? std::nullopt : std::optional(found->second);
}

void BoardCache::keep_counts(const store::SweepMeta& sweep, const TrialCounts& counts) {
  WINNOW_REQUIRES(counts.blocks == sweep.blocks);
  const std::lock_guard lock(mutex_);
  if (counts_.size() >= kCountsMax) counts_.clear();
  counts_.insert_or_assign({sweep.id, sweep.created.ns, sweep.blocks}, counts);
}

}  // namespace winnow::serve
