#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "serve/board_order.hpp"
#include "serve/luck.hpp"
#include "serve/sweep_view.hpp"
#include "serve/validation.hpp"
#include "sweeps/results.hpp"

namespace winnow::serve {

/// Which leaderboard is asked for.
struct BoardQuestion {
  std::string by;     ///< metric that ranks
  std::string where;  ///< see sweeps::Filter; empty: all
  /// Only so many places from the front are looked at, each a row: an order that nobody keeps is
  /// then not made further, nor asked which variants are one result. Nothing: all of it.
  std::optional<std::uint64_t> first_places = std::nullopt;
};

/// Purpose: a leaderboard: its order, and the metrics that no trial stores: those of luck, then
/// those out of sample if the sweep declares a validation. Owner: outlives nothing it was made
/// from. Thread: one.
class Board {
 public:
  /// Requires: `view` outlives it. Fails: InvalidInput (by, where), Corrupt, Io.
  static Result<Board> make(const Sources& sources, const SweepView& view,
                            const BoardQuestion& question);

  const BoardOrder& order() const { return *order_; }
  bool higher_is_better() const { return ranking_->higher_is_better(); }
  /// Which blocks of the sweep have results, all that it was made from.
  const Hash128& committed() const { return committed_; }

  /// The distinct results from place `begin` on. Fails: Corrupt, Io.
  Result<std::vector<BoardRow>> results(std::size_t begin, std::uint64_t limit) const;
  /// Values of luck_names() of a trial, from its stored metrics; none of a sweep that lacks what
  /// they need.
  std::vector<double> luck_of(std::uint64_t trial, std::span<const double> metrics) const;
  std::span<const char* const> luck_names() const {
    return std::span(kLuckMetrics).first(luck_ ? kLuckMetrics.size() : 0);
  }
  /// Out-of-sample numbers of trials, and their names; none without a validation.
  Result<std::vector<std::vector<double>>> oos_of(std::span<const std::uint64_t> trials);
  std::span<const sweeps::VariantOosNumber> oos_numbers() const {
    return sweeps::variant_oos_numbers().first(oos_ ? sweeps::variant_oos_numbers().size() : 0);
  }

 private:
  struct Columns;

  Board(const Sources& sources, const SweepView& view) : sources_(&sources), view_(&view) {}
  Status name_metrics(const BoardQuestion& question);
  bool needs(std::uint32_t first, std::uint32_t end) const;
  bool ranks_out_of_sample() const;
  Result<Hash128> version() const;
  Result<std::shared_ptr<const BoardOrder>> put_in_order(std::optional<std::uint64_t> first_places);
  Result<Columns> read_needed() const;
  Result<std::vector<std::vector<double>>> made_columns(const Columns& columns);
  Result<std::vector<std::vector<double>>> luck_columns(const Columns& columns) const;
  Result<std::vector<std::vector<double>>> oos_columns(std::span<const std::uint64_t> trials);

  const Sources* sources_;
  const SweepView* view_;
  Hash128 committed_;
  std::optional<sweeps::Ranking> ranking_;
  std::uint32_t stored_count_ = 0;  // metrics below this index are stored
  std::uint32_t oos_first_ = 0;     // index of the first out-of-sample number
  std::optional<RecordColumns> moments_;
  std::optional<VariantOos> oos_;
  std::optional<Luck> luck_;
  std::shared_ptr<const BoardOrder> order_;
};

}  // namespace winnow::serve
