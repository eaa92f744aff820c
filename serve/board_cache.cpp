#include "serve/board_cache.hpp"

#include <algorithm>

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

Result<std::shared_ptr<const BoardColumns>> BoardCache::columns(
    const std::string& sweep, const Hash128& committed, const std::vector<std::uint32_t>& asked,
    const std::function<Result<BoardColumns>()>& read) {
  const auto is_meant = [&](const Entry& e) { return e.sweep == sweep && e.asked == asked; };
  {
    const std::lock_guard lock(mutex_);
    const auto found = std::find_if(entries_.begin(), entries_.end(), is_meant);
    if (found != entries_.end() && found->committed == committed) {
      entries_.splice(entries_.begin(), entries_, found);
      return entries_.front().columns;
    }
  }
  auto made = read();
  if (!made.ok()) return made.error();
  Entry entry{sweep, committed, asked, nullptr, bytes_of(*made)};
  entry.columns = std::make_shared<const BoardColumns>(std::move(*made));
  const auto out = entry.columns;
  const std::lock_guard lock(mutex_);
  const auto drop = [&](std::list<Entry>::iterator at) {
    bytes_ -= at->bytes;
    return entries_.erase(at);
  };
  for (auto at = entries_.begin(); at != entries_.end();) {
    at = is_meant(*at) ? drop(at) : std::next(at);
  }
  if (entry.bytes > kColumnBytesMax) return out;
  while (bytes_ + entry.bytes > kColumnBytesMax) drop(std::prev(entries_.end()));
  bytes_ += entry.bytes;
  entries_.push_front(std::move(entry));
  return out;
}

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
