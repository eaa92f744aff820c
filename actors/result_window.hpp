#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace winnow::actors {

/// Purpose: workers that compute faster than the coordinator commits wait here, each with one
/// finished block in its hands. Without it the results of many workers stand in one queue before
/// everything else the node says: its leases expired while the word that they live on waited
/// behind a second's worth of results, and every buffer on the way was fresh memory.
/// Owner: the node's shell. Thread: any.
/// Invariant: who is let in finds less than `bytes_max` bytes under way, so the sum never passes
/// that by more than one block.
class ResultWindow {
 public:
  explicit ResultWindow(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  /// Waits for room, then takes `bytes` of it.
  void enter(std::size_t bytes) {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [&] { return has_room(); });
    entered_ += bytes;
    if (has_room()) room_.notify_one();
  }
  /// What entered with `bytes` is with the core now, which says what of everything it was given
  /// is under way: sent, not acknowledged and not safe on disk.
  void handed_over(std::size_t bytes, std::size_t under_way) {
    const std::lock_guard lock(mutex_);
    entered_ -= std::min(entered_, bytes);
    under_way_ = under_way;
    if (has_room()) room_.notify_one();  // who enters tells the next
  }
  void under_way(std::size_t bytes) { handed_over(0, bytes); }
  /// Nobody waits any more.
  void open_for_good() {
    {
      const std::lock_guard lock(mutex_);
      open_ = true;
    }
    room_.notify_all();
  }

 private:
  bool has_room() const { return open_ || entered_ + under_way_ < bytes_max_; }

  const std::size_t bytes_max_;
  std::mutex mutex_;
  std::condition_variable room_;
  std::size_t entered_ = 0;
  std::size_t under_way_ = 0;
  bool open_ = false;
};

}  // namespace winnow::actors
