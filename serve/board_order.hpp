#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "base/result.hpp"

namespace winnow::serve {

/// A row of a leaderboard: variants that are one result.
struct BoardRow {
  std::uint64_t rank = 1;
  std::uint64_t variants = 1;  ///< how many are this result
  std::vector<std::uint64_t> trials =
      {};  ///< the first of them, the best ranked first; never empty
};

/// Purpose: a leaderboard in its whole order, from which a page anywhere costs what it shows: which
/// trial stands at each place, and which trials are one result. It holds all that it needs, 16
/// bytes a variant. Invariants: results never change, so neither does an order. Thread: any.
/// Limits: kComparedMax, kNamed, kSplitMax; 2^32 places.
class BoardOrder {
 public:
  /// Beyond so many of one ratio to its last bit, their days are not compared: they are variants
  /// that never traded, and count as one.
  static constexpr std::size_t kComparedMax = 4096;
  /// Of variants that are one result, so many are named.
  static constexpr std::size_t kNamed = 10;
  /// So many ratios of several variants are remembered with how they were split.
  static constexpr std::size_t kSplitMax = 4096;

  /// What an order is made of.
  struct Parts {
    std::vector<std::uint64_t> trials = {};  ///< best first
    std::vector<double> ratios = {};  ///< Sharpe ratio of each; empty: each is a result of its own
    std::uint64_t matching = 0;       ///< trials that have a rank: these, or more of them
    std::uint64_t committed = 0;      ///< results of the sweep, whether they match or not
    std::uint64_t failed = 0;         ///< of those
    std::uint64_t undecided = 0;      ///< see Ranking::Ranked
    std::vector<double> ratio_variance = {};  ///< by segment, see luck.hpp; empty: not needed
  };
  /// Requires: no ratios, or as many as trials; no more trials than match.
  explicit BoardOrder(Parts parts);

  std::uint64_t places() const { return parts_.trials.size(); }
  /// How many have a rank, whether their places are in it or not.
  std::uint64_t matching() const { return parts_.matching; }
  std::uint64_t committed() const { return parts_.committed; }
  std::uint64_t failed() const { return parts_.failed; }
  std::uint64_t undecided() const { return parts_.undecided; }
  const std::vector<double>& ratio_variance() const { return parts_.ratio_variance; }

  /// The place of a trial, from 0; nothing: it has no rank.
  std::optional<std::size_t> place_of(std::uint64_t trial) const;

  /// The trials at the places from `begin` on, at most `limit`, each a row.
  std::vector<BoardRow> rows(std::size_t begin, std::uint64_t limit) const;

  /// Splits trials of one Sharpe ratio, in their order, by what they earned each day.
  using Split = std::function<Result<std::vector<std::vector<std::uint64_t>>>(
      std::span<const std::uint64_t>)>;
  /// The distinct results from place `begin` on, at most `limit`; one that has a variant at an
  /// earlier place stands there. Equal days have equal ratios, so only those are split.
  /// Fails: as `split`.
  Result<std::vector<BoardRow>> results(std::size_t begin, std::uint64_t limit,
                                        const Split& split) const;

  std::size_t bytes() const;

 private:
  using Groups = std::map<std::uint64_t, BoardRow>;  // by the first trial, without a rank

  /// The places that have the ratio of this one, ascending.
  std::span<const std::uint32_t> alike(std::size_t place) const;
  BoardRow row_of(std::span<const std::uint32_t> places) const;
  Result<std::shared_ptr<const Groups>> groups_of(std::span<const std::uint32_t> places,
                                                  const Split& split) const;

  Parts parts_;                       // without its ratios
  std::vector<std::uint32_t> alike_;  // places by ratio, then ascending
  std::vector<std::uint32_t> first_;  // by place: where in alike_ its ratio begins

  mutable std::mutex mutex_;  // guards what was split so far, by the first place of each ratio
  mutable std::map<std::uint32_t, std::shared_ptr<const Groups>> split_;
};

}  // namespace winnow::serve
