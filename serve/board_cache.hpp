#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "engine/holding.hpp"
#include "serve/board_order.hpp"
#include "serve/last_asked.hpp"
#include "store/store.hpp"

namespace winnow::serve {

/// How many results a sweep has.
struct TrialCounts {
  std::uint64_t blocks = 0;
  std::uint64_t trials = 0;
  std::uint64_t failed = 0;
};

/// What a leaderboard reads of a whole sweep before it ranks.
struct BoardColumns {
  store::Store::MetricTable table;
  std::vector<double> ratio_variance;  ///< by segment, see luck.hpp; empty: not needed
};

/// Purpose: leaderboards that are asked for again and again while a farm works: the columns of the
/// sweeps asked for last, their order, the metrics of the rows shown last, what holding their
/// markets gave, and how many results complete sweeps have. Results never change once they are
/// committed, so an entry holds as long as no further block of its sweep is committed. Owner:
/// whoever answers questions for long. Thread: any. Limits: kColumnBytesMax, kOrderBytesMax,
/// kRowsMax, kCountsMax.
class BoardCache {
 public:
  static constexpr std::size_t kColumnBytesMax = std::size_t{128} << 20;
  static constexpr std::size_t kOrderBytesMax = std::size_t{128} << 20;
  static constexpr std::size_t kHoldingBytesMax = std::size_t{4} << 20;
  static constexpr std::size_t kRowsMax = 4096;
  static constexpr std::size_t kCountsMax = 4096;

  BoardCache();

  /// By sweep and metrics; a version is which blocks have results.
  LastAsked<BoardColumns>& columns() { return columns_; }
  /// By sweep, metric and condition; see Board.
  LastAsked<BoardOrder>& orders() { return orders_; }

  /// Buy and hold, by content hash and window; of one version.
  LastAsked<engine::Holding>& holdings() { return holdings_; }

  /// All metrics of a trial; empty: not here.
  std::vector<double> row(const std::string& sweep, std::uint64_t trial) const;
  void keep_row(const std::string& sweep, std::uint64_t trial, std::vector<double> metrics);

  /// Of a sweep that has all its results; nothing: not here. One that was deleted and made again is
  /// another.
  std::optional<TrialCounts> counts(const store::SweepMeta& sweep) const;
  /// Requires: it has all of them.
  void keep_counts(const store::SweepMeta& sweep, const TrialCounts& counts);

 private:
  LastAsked<BoardColumns> columns_;
  LastAsked<BoardOrder> orders_;
  LastAsked<engine::Holding> holdings_;
  mutable std::mutex mutex_;  ///< guards what follows; held for moments
  std::map<std::pair<std::string, std::uint64_t>, std::vector<double>> rows_;
  std::map<std::tuple<std::string, std::int64_t, std::uint64_t>, TrialCounts> counts_;
};

}  // namespace winnow::serve
