#pragma once

#include <rocksdb/write_batch.h>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "store/codec.hpp"
#include "store/high_water.hpp"
#include "store/ledger.hpp"
#include "store/ledger_keeper.hpp"
#include "store/record_file.hpp"
#include "store/rocks_db.hpp"
#include "store/store.hpp"
#include "store/store_keys.hpp"

namespace winnow::store {

/// Meta's keys of documents and of sweeps start so.
inline constexpr std::string_view kDocumentPrefix = "d/";
inline constexpr std::string_view kSweepPrefix = "s/";
/// The kind of the store's own documents about deleted sweeps.
inline constexpr std::string_view kDeletedKind = "deleted";

inline std::string document_key(std::string_view kind, std::string_view key) {
  return std::string(kDocumentPrefix) + codec::pair_key(kind, key);
}

/// What commit() must know of a sweep.
struct SweepInfo {
  bool deleted = false;
  std::uint32_t number = 0;
  std::uint64_t trials = 0;
  std::uint64_t blocks = 0;
  std::uint32_t metric_count = 0;
};

/// The head of a ledger as it lay beside the store's folder.
struct HeadBeside {
  std::string text;                ///< empty: there is none
  std::optional<LedgerHead> head;  ///< what it says; nothing where it is damaged
  std::string trouble;             ///< why it cannot be read; empty: it can, or there is none
};
HeadBeside read_head_beside(const std::filesystem::path& store);

/// Purpose: Store on RocksDB. First files to read: codec.hpp (what lies on disk), then
/// store_commit.cpp (what becomes visible together).
/// Thread: as Store.
/// Invariants: a header in Blocks implies its columns, panel, index entries and ledger counts, all
/// of one write batch; none is ever changed afterwards, and none deleted but with its whole sweep.
class RocksStore final : public Store {
 public:
  RocksStore(std::unique_ptr<RocksDb> rocks, const StoreOptions& options)
      : rocks_(std::move(rocks)), options_(options), index_(*rocks_, options.index_run_keys) {}

  /// Reads what memory keeps: sweep numbers, the ledger, the next alarm's number.
  Status load();
  Status add_missing_families() { return rocks_->add_missing_families(); }

  Status put_sweep(const SweepMeta& meta) override;
  Result<std::optional<SweepMeta>> sweep(std::string_view id) const override;
  Result<std::vector<SweepMeta>> sweeps() const override;
  Result<std::vector<CommitOutcome>> commit(std::span<const BlockCommit> blocks,
                                            TimestampNs now) override;
  Result<std::vector<bool>> committed(std::string_view sweep_id,
                                      std::uint64_t blocks) const override;
  Result<ResultBlock> read_block(std::string_view sweep_id, std::uint64_t block,
                                 Parts parts) const override;
  Result<MetricTable> read_metrics(std::string_view sweep_id,
                                   std::span<const std::uint32_t> metrics) const override;
  Result<PanelShape> returns_shape(std::string_view sweep_id, std::uint64_t first_block,
                                   std::uint64_t block_count) const override;
  Result<PanelShape> read_returns(std::string_view sweep_id, std::uint64_t first_block,
                                  std::uint64_t block_count, std::span<float> out) const override;
  Status delete_sweep(std::string_view id, const SweepDeletion& how) override;
  Result<std::vector<std::optional<TrialPlace>>> find(
      std::span<const LedgerKey> keys) const override;
  Result<std::uint64_t> count_new(std::span<const LedgerKey> keys) const override;
  Result<std::vector<LedgerCount>> ledger() const override;
  Result<std::vector<LedgerEntry>> ledger_entries() const override;
  Result<LedgerStamp> ledger_stamp() const override;
  Result<bool> count_backtest(const CountedTrial& trial, TimestampNs now) override;
  Result<LedgerJoin> join_ledger(const LedgerBirth& birth, std::span<const LedgerEntry> entries,
                                 std::string_view why, TimestampNs now) override;
  Result<std::vector<Alarm>> alarms() const override;
  Status put_document(std::string_view kind, std::string_view key, std::string_view json) override;
  Result<std::optional<std::string>> document(std::string_view kind,
                                              std::string_view key) const override;
  Result<std::vector<std::string>> document_keys(std::string_view kind,
                                                 std::string_view prefix) const override;
  Status update_document(std::string_view kind, std::string_view key,
                         const DocumentChange& change) override;
  Status verify(const std::function<void(std::string_view)>& progress) const override;
  Status backup(const std::filesystem::path& dir) const override;
  StoreHealth health() const override;
  void observe_writes(std::function<void(const WriteTimes&)> observer) override {
    write_observer_ = std::move(observer);
  }
  Status compact() override;

  /// What lies beside the folder, read before the database was opened: what a writer commits and
  /// heads meanwhile is not what this instance sees.
  void set_head_beside(HeadBeside beside) { beside_ = std::move(beside); }
  /// For a writer, once: gives the ledger a birth if it has none, takes back what the head beside
  /// the store says beyond it, and keeps the head from now on. Fails: Io, Corrupt.
  Status take_up_ledger(TimestampNs now);
  /// For a writer, after it: takes back what the record beside the store says beyond it, and adds
  /// to the record from now on. Fails: Io, Corrupt.
  Status take_up_record(TimestampNs now);
  /// For a reader: what the record says beyond the store is told as if it were there.
  Status look_beside();

  /// From now on every synced write is noted outside the log.
  void watch_high_water() { high_water_ = HighWater::open(rocks_->dir()); }

 private:
  friend class CommitBuilder;
  friend class Verifier;

  struct NumberedHeader {
    std::uint64_t block = 0;
    codec::BlockHeader header;
  };

  /// What deletions took from one entry of the ledger; verify() needs it for its balance.
  struct DeletedCounts {
    std::uint64_t executions = 0;
    std::uint64_t failed = 0;
  };
  using DeletedEntries = std::map<std::uint32_t, DeletedCounts>;

  Status check_writable() const;
  /// Fails: Corrupt, Io. Nothing: a store from before ledgers had one.
  Result<std::optional<LedgerBirth>> ledger_birth() const;
  /// What memory says of the ledger becomes what the disk says; see LedgerBook::keep.
  void keep_ledger();
  /// The union with the head that lay beside a reader's store.
  std::vector<LedgerEntry> with_head(std::vector<LedgerEntry> entries) const;
  /// So many bytes of the record beside the store are in the store.
  std::uint64_t record_mark() const;
  std::string mark_text() const;
  void stage_document(std::string_view kind, std::string_view key, std::string_view text,
                      rocksdb::WriteBatch& batch) const;
  Status put_on_record(std::string_view kind, std::string_view key, std::string_view text);
  Status write_whole_record();
  /// Puts down that something came to the ledger or to the record from outside.
  Status note_join(const LedgerBirth& from, TimestampNs now, std::string_view text);
  /// Of all deletions of a sweep together. Fails: Corrupt.
  Result<DeletedEntries> deleted_entries(std::string_view sweep_id) const;
  /// Whether the sweep ever was; trial keys may name blocks of it that are gone.
  bool ever_deleted(std::uint32_t sweep) const;
  Result<std::vector<std::string>> documents_of(std::string_view sweep_id,
                                                const std::vector<std::string>& kinds) const;
  Result<std::string> deletion_document(std::string_view sweep_id, std::uint32_t number,
                                        const SweepDeletion& how) const;
  /// The index with its pending keys in memory.
  Result<KeyIndex*> index() const;
  /// Writes with the store's sync setting; once more after RocksDB has recovered from a full disk.
  /// `blocks`: what the batch commits.
  Status write(rocksdb::WriteBatch& batch, std::string_view doing,
               std::span<const NamedBlock> blocks = {});
  /// Where the store is once `batch` is written. Requires: it is.
  HighWater::Mark end_of(const rocksdb::WriteBatch& batch) const;
  /// The same of sweeps and documents; what fails is counted.
  Status write_record(rocksdb::WriteBatch& batch, std::string_view doing);
  Result<std::optional<std::string>> get(Family family, std::string_view key) const;
  std::optional<SweepInfo> sweep_info(std::string_view id) const;
  Result<SweepInfo> known_sweep(std::string_view id) const;
  std::optional<std::string> sweep_name(std::uint32_t number) const;
  Result<std::optional<codec::BlockHeader>> header(std::uint32_t sweep, std::uint64_t block) const;
  /// Headers of blocks [first, first + count) that are there, ascending.
  Result<std::vector<NumberedHeader>> headers(std::uint32_t sweep, std::uint64_t first,
                                              std::uint64_t count) const;
  class BlockReader;
  Status read_exposures(std::string_view sweep_id, std::uint32_t sweep, ResultBlock& block) const;
  Status read_points(std::string_view sweep_id, std::uint32_t sweep, ResultBlock& block) const;
  Status read_column(std::uint32_t sweep, std::uint16_t column,
                     const std::vector<NumberedHeader>& headers, std::vector<double>& out) const;
  Error named(const Error& error, std::string_view sweep_id, std::uint64_t block) const;
  Error rocks_failure(const rocksdb::Status& status, std::string_view doing) const {
    return rocks_error(status, rocks_->dir(), doing);
  }
  rocksdb::DB& db() const { return rocks_->db(); }

  std::unique_ptr<RocksDb> rocks_;
  std::unique_ptr<HighWater> high_water_;  ///< null: nothing is noted
  StoreOptions options_;
  mutable std::shared_mutex sweeps_mutex_;
  std::unordered_map<std::string, SweepInfo> sweeps_;
  std::vector<std::string> sweep_names_;  ///< by number
  std::unordered_set<std::string> ever_deleted_;
  std::unique_ptr<RecordWriter> record_;  ///< null: a reader; under documents_mutex_
  /// Of a reader, by kind and key: what the record says beyond the store.
  std::map<std::pair<std::string, std::string>, std::string> on_record_;
  std::mutex documents_mutex_;  ///< of one update_document() after the other
  std::mutex writing_mutex_;    ///< commits, deletions and compactions one after the other
  /// Shared by readers of blocks, so that none of them sees half a block.
  mutable std::shared_mutex deletion_mutex_;
  mutable KeyIndex index_;
  mutable std::once_flag index_loaded_;  ///< readers load the pending keys when first asked
  mutable Status index_status_;
  LedgerBook book_;                            ///< the committing thread's
  std::mutex book_mutex_;                      ///< its entries change, or are read elsewhere
  HeadBeside beside_;                          ///< of a reader; a writer's while it opens
  std::atomic<std::uint64_t> next_alarm_ = 0;  ///< how many there are; the committing thread's
  /// The committing thread's. Kept, as a batch that grows to a group's size anew each time is
  /// copied twice over, into pages that the kernel has to clear first.
  rocksdb::WriteBatch batch_;
  std::function<void(const WriteTimes&)> write_observer_;
  std::atomic<std::uint64_t> results_refused_ = 0;
  std::atomic<std::uint64_t> records_refused_ = 0;
  std::unique_ptr<LedgerKeeper> keeper_;  ///< null: a reader; the first to go, as it reads book_
};

/// The first place where two results of the same trials differ, in words; empty if nowhere.
std::string describe_difference(const ResultBlock& first, const ResultBlock& second);

}  // namespace winnow::store
