#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/result_block.hpp"
#include "base/time.hpp"

namespace winnow::store {

enum class SweepState : std::uint8_t {
  Running = 0,
  Paused = 1,
  Done = 2,
  Cancelled = 3,
  BudgetSpent = 4,  ///< it stopped where its budget said; a larger one lets it go on
  Deleted = 5,      ///< its results are gone, its lines in the ledger are not
};
std::string_view sweep_state_name(SweepState state);

/// What the store knows of a sweep beside its results.
struct SweepMeta {
  std::string id;
  std::string name;
  std::string spec_json;  ///< the resolved specification; its plan can be made from it alone
  std::string user;       ///< who asked for it
  TimestampNs created;
  TimestampNs finished;  ///< 0 while it is not; of a deleted one: when it was deleted
  SweepState state = SweepState::Running;
  std::uint64_t trials = 0;
  std::uint64_t blocks = 0;
  std::uint32_t engine_version = 0;
  std::string code_version;  ///< of the binary that planned it
  std::vector<std::string> metric_names;
};

/// A block on its way into the store, with what the ledger must know of it.
struct BlockCommit {
  std::string sweep_id;
  std::string dataset_hash;
  std::string family;
  std::string user;
  const ResultBlock* block = nullptr;
  Edition edition = {};  ///< of the block's TrialKeys
};

enum class CommitKind : std::uint8_t {
  Fresh,      ///< first commit of this block
  Duplicate,  ///< it was there, bit for bit the same
  Mismatch,   ///< it was there and differs: the first stays, the alarm is recorded (law 2)
};
struct CommitOutcome {
  CommitKind kind = CommitKind::Fresh;
  std::uint32_t trials_new_to_ledger = 0;  ///< LedgerKeys never seen before, in any sweep
};

/// One line of the ledger: how many distinct trials were ever made on a dataset with a family.
struct LedgerCount {
  std::string dataset_hash;
  std::string family;
  std::uint64_t trials = 0;      ///< distinct LedgerKeys
  std::uint64_t executions = 0;  ///< committed rows, repeats of a key in other sweeps included
};

/// Counts of a ledger entry that no block of this store stands for: of results that a restored
/// store has lost, of a ledger that was joined, of backtests.
struct UnbackedCounts {
  std::uint64_t trials = 0;
  std::uint64_t executions = 0;
  std::uint64_t failed = 0;
  bool operator==(const UnbackedCounts&) const = default;
};

/// One entry of the ledger, as finely as it is kept: what one sweep of one user did with a family
/// on a dataset. The lines of ledger() are sums of these.
struct LedgerEntry {
  std::string dataset_hash;
  std::string family;
  std::string sweep_id;
  std::string user;
  std::uint64_t trials = 0;      ///< LedgerKeys that this entry was the first to bring
  std::uint64_t executions = 0;  ///< committed rows
  std::uint64_t failed = 0;      ///< of the executions, those that failed
  TimestampNs first;             ///< of its commits
  TimestampNs last;
  UnbackedCounts unbacked = {};  ///< a part of the counts above
};

/// Which ledger it is: made with the store, kept in it and in the head beside it, never changed.
struct LedgerBirth {
  std::string id;    ///< 32 hexadecimal digits by chance; empty: a store from before there were any
  TimestampNs born;  ///< of such a store: its earliest commit
};

/// What a verdict says of the ledger it was counted in.
struct LedgerStamp {
  LedgerBirth birth;
  std::uint64_t trials = 0;   ///< distinct, on all data
  std::uint64_t entries = 0;  ///< of the ledger
  std::string head;           ///< hash over birth and all entries; see ledger_head.hpp
};

/// Under this sweep id the ledger counts what was looked at outside of sweeps. No sweep has it.
inline constexpr std::string_view kBacktestSweep = "backtest";
/// Whether an entry's sweep id names no sweep: backtests of this ledger, or (with a slash and the
/// birth behind it) of one that was joined.
bool counts_backtests(std::string_view sweep_id);

/// A trial whose numbers are shown and not kept.
struct CountedTrial {
  LedgerKey key;
  std::string dataset_hash;
  std::string family;
  std::string user;
  TrialStatus status = TrialStatus::Ok;
};

/// What joining a ledger brought to this one.
struct LedgerJoin {
  std::uint64_t entries_new = 0;
  std::uint64_t entries_raised = 0;
  std::uint64_t trials = 0;
  std::uint64_t executions = 0;
  bool changed() const { return entries_new + entries_raised > 0; }
};

/// How a sweep is deleted.
struct SweepDeletion {
  std::string user;  ///< who wants it gone; kept
  TimestampNs now;
  /// Documents of these kinds go with it: those under its id, or under its id and a slash.
  std::vector<std::string> document_kinds;
};

/// Where a trial's first result is, whatever engine version gave it.
struct TrialPlace {
  std::string sweep_id;
  std::uint64_t trial = 0;  ///< index in that sweep's plan
};

/// Two results of one TrialKey or block that differ.
struct Alarm {
  TimestampNs time;
  std::string text;
};

struct StoreOptions {
  bool read_only = false;  ///< works beside a process that has it open for writing
  std::size_t cache_bytes = std::size_t{256} << 20;
  bool sync = true;  ///< off only in benchmarks that say so
  /// Trial keys kept in memory before they become a file of the index; at most twice as many are.
  std::size_t index_run_keys = std::size_t{1} << 18;
};

/// One column family at one moment.
struct FamilyHealth {
  std::string_view name;
  std::uint64_t table_bytes = 0;  ///< of sorted files
  std::uint64_t table_files = 0;
  std::uint64_t level0_files = 0;  ///< of those, not yet merged with others
  std::uint64_t blob_bytes = 0;
  std::uint64_t blob_files = 0;
  std::uint64_t memtable_bytes = 0;
  std::uint64_t pending_compaction_bytes = 0;
};

/// How the database is at one moment, for people on call.
struct StoreHealth {
  bool stopped = false;                         ///< takes no writes (a full disk, say)
  std::uint64_t delayed_write_bytes_per_s = 0;  ///< 0: writes are not slowed down
  std::uint64_t pending_compaction_bytes = 0;
  std::uint64_t running_compactions = 0;
  std::uint64_t running_flushes = 0;
  std::uint64_t cache_bytes = 0;
  std::uint64_t memtable_bytes = 0;
  std::uint64_t wal_bytes = 0;
  std::uint64_t table_bytes = 0;  ///< of sorted files
  std::uint64_t disk_free_bytes = 0;
  std::uint64_t alarms = 0;                ///< results that differed, ever
  std::uint64_t ledger_heads_refused = 0;  ///< times that the head beside the store was not written
  std::string ledger_head_trouble;         ///< why, if the last time; empty: it is there
  std::vector<FamilyHealth> families;
  /// Since the store was opened: writes that it refused for its disk or its state, not for what
  /// they asked. Results are blocks with their lines in the ledger, records sweeps and documents.
  std::uint64_t results_refused = 0;
  std::uint64_t records_refused = 0;
  /// Since then, how often RocksDB began to slow writes down, and to stop them.
  std::uint64_t slowdowns = 0;
  std::uint64_t stops = 0;
  std::uint64_t pending_keys = 0;  ///< trial keys that only memory has in order
};

/// How long one write to the log took.
struct WriteTimes {
  DurationNs whole;
  DurationNs sync;  ///< of it, waiting for the disk
};

/// Purpose: durable truth on RocksDB: sweeps, result blocks, ledger, alarms. What commit() has
/// acknowledged survives kill -9 and power loss.
/// Thread: any; commit(), delete_sweep() and compact() wait for each other.
/// Invariants: a block, its keys' index entries and the ledger's counts become visible in one
/// atomic batch (law 3: nothing is visible uncounted).
class Store {
 public:
  /// Fails: Unavailable (another process holds it; the text names the folder), Io, Corrupt.
  static Result<std::unique_ptr<Store>> open(const std::filesystem::path& dir,
                                             const StoreOptions& options = {});
  virtual ~Store() = default;

  /// Makes `to`, which must not exist, a store from `backup`, a folder that backup() made. The
  /// backup stays and shares no file with it. Fails: NotFound, InvalidInput, Io.
  static Status restore(const std::filesystem::path& backup, const std::filesystem::path& to);

  virtual Status put_sweep(const SweepMeta& meta) = 0;
  virtual Result<std::optional<SweepMeta>> sweep(std::string_view id) const = 0;
  virtual Result<std::vector<SweepMeta>> sweeps() const = 0;  ///< by creation time

  /// Group commit: all blocks with one sync; returns after it. All or nothing: when it fails,
  /// nothing of the group is acknowledged. A later call may succeed (a disk with room again).
  /// Fails: NotFound (no such sweep), InvalidInput (a block that breaks its own invariants or its
  /// sweep's bounds), Io (full disk), Corrupt, Refused (read-only).
  virtual Result<std::vector<CommitOutcome>> commit(std::span<const BlockCommit> blocks,
                                                    TimestampNs now) = 0;
  /// One flag a block of the sweep.
  virtual Result<std::vector<bool>> committed(std::string_view sweep_id,
                                              std::uint64_t blocks) const = 0;

  /// Parts of one committed block; unread parts stay empty. Fails: NotFound, Corrupt.
  struct Parts {
    bool keys = false;
    bool metrics = false;
    bool returns = false;
    bool exposures = false;
    bool points = false;
  };
  static constexpr Parts kAllParts{true, true, true, true, true};
  virtual Result<ResultBlock> read_block(std::string_view sweep_id, std::uint64_t block,
                                         Parts parts) const = 0;

  /// All committed metrics of a sweep for some metrics (indices), columns joined over blocks in
  /// order.
  struct MetricTable {
    std::vector<std::uint64_t> trial;          ///< index in the plan
    std::vector<TrialStatus> status;           ///< per row
    std::vector<std::vector<double>> columns;  ///< [asked metric][row]
  };
  virtual Result<MetricTable> read_metrics(std::string_view sweep_id,
                                           std::span<const std::uint32_t> metrics) const = 0;

  /// How many rows and periods the returns of blocks [first, first + count) have when stacked.
  /// Fails: NotFound (a block is not committed), InvalidInput (periods differ between blocks).
  struct PanelShape {
    std::uint64_t rows = 0;
    std::uint32_t periods = 0;
  };
  virtual Result<PanelShape> returns_shape(std::string_view sweep_id, std::uint64_t first_block,
                                           std::uint64_t block_count) const = 0;
  /// Fills `out` as [row][period], blocks in order, decoded in place. Fails: as returns_shape;
  /// InvalidInput (`out` is not the rows * periods that it says), Corrupt.
  virtual Result<PanelShape> read_returns(std::string_view sweep_id, std::uint64_t first_block,
                                          std::uint64_t block_count,
                                          std::span<float> out) const = 0;

  /// Takes all results of a sweep away, for good and at once: after a crash they are all there or
  /// all gone. Its record stays, as Deleted, and so do its lines in the ledger, its trial keys
  /// (they are no new trials in any later sweep) and documents of other kinds. put_sweep() of the
  /// same id starts it anew. The space comes back with compact(). Fails: NotFound (no such sweep,
  /// or deleted already), Io, Corrupt, Refused (read-only).
  virtual Status delete_sweep(std::string_view id, const SweepDeletion& how) = 0;

  /// Where each key's first result is, if any sweep has one. (A deleted result is none.)
  virtual Result<std::vector<std::optional<TrialPlace>>> find(
      std::span<const LedgerKey> keys) const = 0;

  /// How many of the keys, repeats once, no sweep ever brought: what they would add to the ledger.
  virtual Result<std::uint64_t> count_new(std::span<const LedgerKey> keys) const = 0;

  virtual Result<std::vector<LedgerCount>> ledger() const = 0;
  virtual Result<std::vector<LedgerEntry>> ledger_entries() const = 0;
  /// Of the entries as they are now. Thread: any.
  virtual Result<LedgerStamp> ledger_stamp() const = 0;

  /// Counts a trial that no sweep keeps, under kBacktestSweep, with one sync; true if no sweep and
  /// no backtest ever brought it. Fails: Io, Corrupt, Refused (read-only).
  virtual Result<bool> count_backtest(const CountedTrial& trial, TimestampNs now) = 0;

  /// Raises this ledger to what another one says: the larger of each count, the earlier first and
  /// the later last commit. Entries of one name are one; the other's backtests are kept apart under
  /// its birth. Joining the same again changes nothing. What came goes on record under kJoinKind,
  /// with `why`. Fails: Io, Refused (read-only).
  virtual Result<LedgerJoin> join_ledger(const LedgerBirth& birth,
                                         std::span<const LedgerEntry> entries, std::string_view why,
                                         TimestampNs now) = 0;
  /// The kind of the documents that say what was joined when.
  static constexpr std::string_view kJoinKind = "ledger-join";

  virtual Result<std::vector<Alarm>> alarms() const = 0;

  /// Small named documents (JSON) by kind and key: convergence verdicts and the like.
  virtual Status put_document(std::string_view kind, std::string_view key,
                              std::string_view json) = 0;
  virtual Result<std::optional<std::string>> document(std::string_view kind,
                                                      std::string_view key) const = 0;
  /// Keys of all documents of a kind that start so, ascending.
  virtual Result<std::vector<std::string>> document_keys(std::string_view kind,
                                                         std::string_view prefix = {}) const = 0;
  /// Replaces a document by what `change` makes of it (nothing: there is none); no other update of
  /// a document meanwhile. One that is on record (record_file.hpp) outlives an older copy of the
  /// store. Fails: as `change` (then nothing is written), as put_document.
  using DocumentChange = std::function<Result<std::string>(const std::optional<std::string>&)>;
  virtual Status update_document(std::string_view kind, std::string_view key,
                                 const DocumentChange& change) = 0;

  /// Reads everything: checksums of files and values, completeness of blocks, key index and ledger
  /// against the blocks. `progress` gets one line a step. Requires: no commit() of this instance
  /// meanwhile (a read-only one sees none). Fails: Corrupt, naming what and where.
  virtual Status verify(const std::function<void(std::string_view)>& progress) const = 0;

  /// A consistent copy into `dir`, which must not exist. It shares no file with the store. Commits
  /// may go on meanwhile. The copy is a store that open() takes. Fails: InvalidInput, Io; then
  /// nothing is left behind.
  virtual Status backup(const std::filesystem::path& dir) const = 0;
  virtual StoreHealth health() const { return {}; }
  /// Called after every write that succeeded, on the writing thread, one at a time. Requires: no
  /// write yet or meanwhile; the observer outlives the last one.
  virtual void observe_writes(std::function<void(const WriteTimes&)> /*observer*/) {}
  /// Rewrites the files in their best order; what was deleted gives its space back.
  virtual Status compact() = 0;
};

}  // namespace winnow::store
