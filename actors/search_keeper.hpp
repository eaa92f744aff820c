#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/sweep_book.hpp"
#include "sweeps/adaptive.hpp"

namespace winnow::actors {

/// Purpose: the search of one segment between its results in the store and the rows it puts down
/// there. A generation is on disk, with the search's checkpoint now and then, before anyone may
/// compute it; a coordinator that takes the search up makes the same rows from the same outcomes,
/// and finds out if not.
/// Owner: the registry. Thread: one.
class SearchKeeper {
 public:
  /// Takes up what was put down. Fails: Io, Corrupt (other rows than those put down).
  static Result<std::shared_ptr<SearchKeeper>> take_up(
      const SweepBook& book, const sweeps::Plan& plan, const sweeps::Segment& segment,
      const std::vector<sweeps::PriorResult>& prior);

  /// All rows put down so far, as read at the start. Empties itself.
  std::vector<sweeps::GenerationRows> take_rows() { return std::move(rows_); }
  /// If the open generation is committed: learns from it, and if trials are left puts the next one
  /// down and returns it. Fails: Io, Corrupt, Refused; called again it goes on.
  Result<std::optional<sweeps::GenerationRows>> advance(SweepBook& book, const sweeps::Plan& plan,
                                                        const std::vector<bool>& committed);

 private:
  SearchKeeper(const sweeps::Segment& segment, sweeps::SegmentSearch search)
      : segment_(segment.index), search_(std::move(search)) {}
  Result<bool> learn(const SweepBook& book, const sweeps::Plan& plan);

  std::uint32_t segment_;
  sweeps::SegmentSearch search_;
  std::vector<sweeps::GenerationRows> rows_;
  std::uint64_t generations_ = 0;  // put down
  std::uint64_t rows_checkpointed_ = 0;
  std::uint64_t rows_put_ = 0;
};

}  // namespace winnow::actors
