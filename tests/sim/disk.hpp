#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "actors/sweep_book.hpp"
#include "base/rng.hpp"

namespace winnow::sim {

/// Purpose: a store with a disk under it that behaves as badly as disks may: bytes that were not
/// synced when the process dies are lost, kept or torn. What is kept is a log of records with
/// checksums; opening reads it up to the first record that is not whole.
/// Promises what store::Store does: the first commit of a block wins, a later one is compared bit
/// for bit, the ledger counts each distinct trial key once, in the same record.
class Disk final : public actors::SweepBook {
 public:
  /// Deliberate faults of the store, for the canaries.
  struct Broken {
    bool forgets_committed = false;  ///< says after opening that nothing is committed
    bool compares_nothing = false;   ///< a differing duplicate passes as equal
    bool counts_repeats = false;     ///< the ledger counts a duplicate again
  };
  explicit Disk(Broken broken) : broken_(broken) {}

  /// What was synced, and possibly more, is there again. Fails: Corrupt (a record that was synced
  /// is damaged, which would be the simulation's fault).
  Status open();
  /// The process died: the unsynced tail is lost, kept, or torn anywhere.
  void crash(Rng& rng);
  void set_full(bool full) { full_ = full; }

  // SweepBook.
  Status put_sweep(const store::SweepMeta& meta) override;
  Result<std::optional<store::SweepMeta>> sweep(std::string_view id) const override;
  Result<std::vector<store::SweepMeta>> sweeps() const override;
  Result<std::vector<bool>> committed(std::string_view sweep_id,
                                      std::uint64_t blocks) const override;
  /// Status, and the first metric in place of every one: it is what is kept.
  Result<ResultBlock> outcomes(std::string_view sweep_id, std::uint64_t block) const override;
  Result<bool> checked(const Hash128& key) const override;
  Status put_checked(const Hash128& key) override;
  Status put_generation(const std::string& key, const std::string& bytes) override;
  Result<std::optional<std::string>> generation(const std::string& key) const override;

  /// Writes a group without syncing it. Fails: Io (full).
  Result<std::vector<store::CommitOutcome>> write(std::span<const store::BlockCommit> blocks);
  /// What was written is durable and visible.
  void sync();

  // For the checks: what a crash now could not take away.
  struct Stored {
    Hash128 content;
    bool failed = false;  ///< quarantined: every row failed
    std::uint32_t rows = 0;
    std::vector<TrialKey> keys;
    std::vector<double> scores;  ///< first metric, by which digest() ranks
  };
  using Place = std::pair<std::string, std::uint64_t>;  ///< sweep, block
  const std::map<Place, Stored>& blocks() const { return blocks_; }
  bool durable(const Place& place) const { return blocks_.contains(place); }
  std::uint64_t ledger_trials() const { return ledger_keys_.size() + ledger_extra_; }
  std::uint64_t ledger_executions() const { return executions_; }
  std::uint64_t rows() const { return rows_; }  ///< of all blocks
  std::uint64_t alarms() const { return alarms_; }

 private:
  void append_synced(char type, const std::string& payload);
  void append(char type, const std::string& payload);
  void apply(char type, std::string_view payload);
  void apply_block(std::string_view sweep, const ResultBlock& block);

  Broken broken_;
  bool full_ = false;
  bool reopened_ = false;
  std::string log_;
  std::size_t synced_ = 0;
  // Made from the synced log.
  std::map<std::string, store::SweepMeta> sweeps_;
  std::map<Place, Stored> blocks_;
  std::map<std::string, std::string> generations_;
  std::set<std::string> checked_;
  std::set<TrialKey> ledger_keys_;
  std::uint64_t ledger_extra_ = 0;
  std::uint64_t executions_ = 0;
  std::uint64_t rows_ = 0;
  std::uint64_t alarms_ = 0;
};

}  // namespace winnow::sim
