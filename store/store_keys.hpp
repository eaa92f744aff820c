#pragma once

#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <span>
#include <vector>

#include "store/codec.hpp"
#include "store/rocks_db.hpp"

namespace winnow::store {

/// A committed block as the index sees it.
struct IndexedBlock {
  std::uint64_t sequence = 0;  ///< its number among all commits; names its record in Pending
  codec::PendingBlock place;
  std::vector<TrialKey> keys;             ///< all rows
  std::vector<std::uint64_t> row_hashes;  ///< all rows
};

/// Purpose: up to some hundred thousand keys in memory with where they were first seen.
/// Thread: readers any, when nobody adds.
class KeyRun {
 public:
  void add(IndexedBlock block);
  std::optional<codec::KeyEntry> find(const TrialKey& key) const;
  std::size_t size() const { return size_; }
  bool empty() const { return blocks_.empty(); }  ///< a block may bring no new key
  /// All entries, ascending by key.
  std::vector<std::pair<TrialKey, codec::KeyEntry>> sorted() const;
  std::uint64_t first_sequence() const { return blocks_.front().sequence; }
  std::uint64_t last_sequence() const { return blocks_.back().sequence; }

 private:
  struct Slot {
    TrialKey key;
    std::uint32_t block = 0;  ///< index in blocks_ plus one; 0 is an empty slot
    std::uint32_t row = 0;
  };
  struct Block {
    std::uint64_t sequence = 0;
    codec::PendingBlock place;
    std::vector<std::uint64_t> row_hashes;
  };
  void insert(const TrialKey& key, std::uint32_t block, std::uint32_t row);
  codec::KeyEntry entry(const Slot& slot) const;

  std::vector<Slot> slots_;  ///< a power of two, at most half full, linear probing
  std::vector<Block> blocks_;
  std::size_t size_ = 0;
};

/// Purpose: the exact index from TrialKey to its first result. A key per trial is too much for a
/// write-ahead log and a sorted memory table at hundreds of thousands a second, and it need not go
/// there: a block's keys are stored with the block. So a commit only notes the block in Pending (in
/// its own batch); the keys of pending blocks are in memory, and each full run of them becomes one
/// sorted file of the Keys family in the background, after which its notes are deleted.
/// Thread: look_up any; the rest the committing thread or, where nobody commits, one.
/// Invariants: Keys plus the keys of pending blocks are the keys of all committed blocks, at any
/// moment and after any crash. A key in both has the same entry in both.
/// Limits: two runs in memory; a commit that would need a third waits for the file of the first.
class KeyIndex {
 public:
  KeyIndex(RocksDb& rocks, std::size_t run_keys) : rocks_(rocks), run_keys_(run_keys) {}
  ~KeyIndex();

  /// Reads the pending blocks into memory. Fails: Corrupt, Io.
  Status load();
  /// Where each of the keys, ascending and distinct, was first seen.
  Status look_up(std::span<const TrialKey> keys,
                 std::vector<std::optional<codec::KeyEntry>>& out) const;
  /// Starts writing the run in memory if it is full. Fails: Io (no room for the file, twice).
  Status make_room();
  std::uint64_t next_sequence() const { return next_sequence_; }
  /// Requires: the block's commit succeeded, with `sequence` == next_sequence().
  void add(IndexedBlock block);
  /// Waits for the file in the making, if any.
  Status settle() { return finish_sealed(); }
  /// While it is held no note is deleted: a copy of the files in some order stays whole.
  std::unique_lock<std::mutex> hold_notes() { return std::unique_lock(notes_mutex_); }
  /// Writes what is in memory, whole; for compact().
  Status flush();
  /// Keys that only memory has. Thread: any.
  std::size_t pending() const;
  /// Calls `each(key, entry)` for the keys that only memory has.
  Status each_pending(
      const std::function<Status(const TrialKey&, const codec::KeyEntry&)>& each) const;

 private:
  Status write_run(const KeyRun& run);
  rocksdb::Status write_file(const KeyRun& run);
  rocksdb::Status write_entries(const KeyRun& run);
  Status finish_sealed();

  RocksDb& rocks_;
  std::size_t run_keys_;
  mutable std::shared_mutex mutex_;  ///< guards the two pointers and the active run
  std::mutex notes_mutex_;
  std::shared_ptr<KeyRun> active_ = std::make_shared<KeyRun>();
  std::shared_ptr<const KeyRun> sealed_;
  std::future<Status> writing_;
  std::uint64_t next_sequence_ = 0;
};

}  // namespace winnow::store
