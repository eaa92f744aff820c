#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "actors/spool.hpp"

namespace winnow::actors {

/// Purpose: the spool on a thread of its own, so that no disk delays the node's messages. Blocks of
/// an earlier process are handed out a window at a time, the next as earlier ones are forgotten.
/// What is put is written when the thread gets to it and synced once per batch: kill -9 loses what
/// was still in the queue, power loss the last batch. Both are computed again when their leases
/// expire; nothing acknowledged depends on the spool.
/// Owner: the node. Thread: any may call; `adopted` runs on the keeper's thread.
class SpoolKeeper {
 public:
  using Adopted = std::function<void(BlockResult)>;
  static constexpr std::size_t kAdoptedAtOnceMax = 32;  ///< handed out and not yet forgotten

  SpoolKeeper(std::unique_ptr<Spool> spool, Adopted adopted);
  ~SpoolKeeper();  ///< what was put before is on disk

  void put(BlockResult result);
  void forget(const Spool::Key& key);

  struct Load {
    std::uint64_t blocks = 0;  ///< on disk
    std::uint64_t bytes = 0;   ///< of files
    std::uint64_t queued = 0;  ///< not yet on disk
    std::uint64_t put_total = 0;
    std::uint64_t failed_total = 0;  ///< could not be put (disk full, limit)
  };
  Load load() const;

 private:
  struct Order {
    Spool::Key key;
    std::unique_ptr<BlockResult> put;  ///< empty: forget
  };
  void loop(std::stop_token stop);
  void carry_out(const std::deque<Order>& orders);
  void hand_out();

  std::unique_ptr<Spool> spool_;      // the keeper's thread's
  std::deque<Spool::Key> inherited_;  // the keeper's thread's: not yet handed out
  std::set<Spool::Key> handed_out_;   // the keeper's thread's
  Adopted adopted_;
  mutable std::mutex mutex_;
  std::condition_variable_any wake_;
  std::deque<Order> orders_;
  Load load_;
  bool refuses_ = false;  // the keeper's thread's: said once for as long as it lasts
  std::jthread thread_;
};

}  // namespace winnow::actors
