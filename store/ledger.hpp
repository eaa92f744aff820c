#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "store/store.hpp"

namespace winnow::store {

/// Purpose: the ledger in memory (law 3). A commit stages its counts, writes the staged entries in
/// the same batch as the results, and only then keeps them: what memory says is what disk says.
/// Thread: one.
/// Invariants: numbers are dense from 0; counts never go down.
class LedgerBook {
 public:
  /// One entry as it was read from disk. Fails: Corrupt (its number leaves a gap at the end or is
  /// taken).
  Status load(std::vector<std::pair<std::uint32_t, LedgerEntry>> entries);

  /// The number of the entry, made if it is new.
  std::uint32_t stage_entry(const BlockCommit& commit);
  /// Counts one block under an entry that was staged.
  void stage_rows(std::uint32_t number, std::uint64_t rows, std::uint64_t failed, TimestampNs now);
  void stage_new_trial(std::uint32_t number) { ++staged_[number].trials; }

  /// Entries that differ from disk, by number.
  const std::map<std::uint32_t, LedgerEntry>& staged() const { return staged_; }
  void keep();
  void drop();

  const LedgerEntry& entry(std::uint32_t number) const;
  const std::vector<LedgerEntry>& entries() const { return entries_; }

 private:
  std::vector<LedgerEntry> entries_;
  std::unordered_map<std::string, std::uint32_t> numbers_;
  std::map<std::uint32_t, LedgerEntry> staged_;
  std::vector<std::string> staged_names_;
};

/// Sums entries by dataset and family, in that order.
std::vector<LedgerCount> sum_ledger(const std::vector<LedgerEntry>& entries);

}  // namespace winnow::store
