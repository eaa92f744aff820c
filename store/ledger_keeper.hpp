#pragma once

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "store/ledger_head.hpp"

namespace winnow::store {

/// Purpose: writes the ledger's head beside the store while its writer works: at most about once a
/// second, on a thread of its own, so that no commit waits for it. A head that lags says too
/// little, never too much. One that cannot be written is tried again, and said.
/// Owner: the writer's RocksStore. Thread: any.
class LedgerKeeper {
 public:
  /// All entries as they are on disk, at the moment of the call; asked on the keeper's thread.
  using Entries = std::function<std::vector<LedgerEntry>()>;

  LedgerKeeper(std::filesystem::path file, LedgerBirth birth, HeadSync sync, Entries entries);
  /// Writes what has changed since.
  ~LedgerKeeper();
  LedgerKeeper(const LedgerKeeper&) = delete;
  LedgerKeeper& operator=(const LedgerKeeper&) = delete;

  const LedgerBirth& birth() const { return birth_; }
  const std::filesystem::path& file() const { return file_; }
  /// The ledger says more than it did. Cheap.
  void changed();
  /// At once, on the calling thread.
  void write();

  std::uint64_t refused() const { return refused_; }
  std::string trouble() const;  ///< why the last time was refused; empty: it was not

 private:
  void loop();

  std::filesystem::path file_;
  LedgerBirth birth_;
  HeadSync sync_;
  Entries entries_;
  std::atomic<bool> changed_ = false;
  std::atomic<std::uint64_t> refused_ = 0;
  std::mutex writing_;  ///< one file at a time
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stop_ = false;
  std::string trouble_;
  std::thread thread_;  ///< starts with the first change
};

}  // namespace winnow::store
