#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "store/store.hpp"

namespace winnow::store {

/// Purpose: the ledger in memory (law 3). A commit stages its counts, writes the staged entries in
/// the same batch as the results, and only then keeps them: what memory says is what disk says.
/// Thread: one.
/// Invariants: numbers are dense from 0; counts never go down.
/// Unbacked counts: trials that a sweep brings again after their keys were lost cannot be told from
/// trials that it never made. They count in full until the sweep's entries say as many trials as
/// its plan has; only what goes beyond takes the place of an unbacked one. So an entry may be too
/// large for a while, and is right when the sweep is complete again. It is never too small.
class LedgerBook {
 public:
  /// One entry as it was read from disk. Fails: Corrupt (its number leaves a gap at the end or is
  /// taken).
  Status load(std::vector<std::pair<std::uint32_t, LedgerEntry>> entries);

  /// The number of the entry, made if it is new.
  std::uint32_t stage_entry(const BlockCommit& commit);
  std::uint32_t stage_entry(LedgerEntry name);  ///< by its four names; the counts are ignored
  /// Counts one block under an entry that was staged.
  void stage_rows(std::uint32_t number, std::uint64_t rows, std::uint64_t failed, TimestampNs now);
  /// `plan_trials`: of the sweep; 0: unknown. Requires: the row was staged.
  void stage_new_trial(std::uint32_t number, std::uint64_t plan_trials);
  /// Counts a trial that no block stands for.
  enum class SeenBefore : std::uint8_t { No, Yes };
  void stage_backtest(std::uint32_t number, SeenBefore seen, TrialStatus status, TimestampNs now);
  /// Raises an entry that was staged to what another ledger says of it. What it gained; nothing if
  /// it says no more.
  std::optional<UnbackedCounts> stage_union(std::uint32_t number, const LedgerEntry& other);

  /// Entries that differ from disk, by number.
  const std::map<std::uint32_t, LedgerEntry>& staged() const { return staged_; }
  void keep();
  void drop();

  const LedgerEntry& entry(std::uint32_t number) const;
  const std::vector<LedgerEntry>& entries() const { return entries_; }
  /// The entry of these names, if there is one.
  const LedgerEntry* find(const LedgerEntry& name) const;

 private:
  std::uint64_t& sweep_trials(std::string_view sweep_id);

  std::vector<LedgerEntry> entries_;
  std::unordered_map<std::string, std::uint32_t> numbers_;
  std::map<std::uint32_t, LedgerEntry> staged_;
  std::vector<std::string> staged_names_;
  /// Of sweeps with unbacked trials that are being staged: trials of all their entries.
  std::map<std::string, std::uint64_t, std::less<>> sweep_trials_;
};

/// Whether a union with `other` would raise `ours`.
bool says_more(const LedgerEntry& other, const LedgerEntry& ours);

/// Sums entries by dataset and family, in that order.
std::vector<LedgerCount> sum_ledger(const std::vector<LedgerEntry>& entries);

}  // namespace winnow::store
