#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <stop_token>

#include "base/result.hpp"

namespace winnow::actors {

/// Purpose: keeps a process below a limit of memory: computations say what they will take and wait
/// until there is room, by what others said and by what the process really has. Owner: a runner.
/// Thread: any.
/// Invariants: what is held never exceeds the limit; when nothing is held, the next one that fits
/// at all goes ahead.
class MemoryGate {
 public:
  /// `bytes_max` 0: no limit, and nothing is measured. `relieve` gives back what can be done
  /// without; `used` is the process's own memory in bytes (by default, its anonymous pages).
  explicit MemoryGate(std::uint64_t bytes_max, std::function<void()> relieve = {},
                      std::function<std::uint64_t()> used = {});

  /// Room that is given back at the end of its life.
  class Hold {
   public:
    Hold(MemoryGate* gate, std::uint64_t bytes) : gate_(gate), bytes_(bytes) {}
    Hold(Hold&& other) noexcept : gate_(other.gate_), bytes_(other.bytes_) {
      other.gate_ = nullptr;
    }
    Hold& operator=(Hold&&) = delete;
    ~Hold() {
      if (gate_ != nullptr) gate_->release(bytes_);
    }

   private:
    MemoryGate* gate_;
    std::uint64_t bytes_;
  };

  /// Whether so much could ever be had: what the process takes at rest does not count as room.
  bool could_fit(std::uint64_t bytes) const;
  /// Waits until there is room. Fails: Refused (it could never fit; the text has the numbers),
  /// Cancelled.
  Result<Hold> acquire(std::uint64_t bytes, std::stop_token stop);

  struct Load {
    std::uint64_t waiting = 0;     ///< computations that wait for room
    std::uint64_t held_bytes = 0;  ///< by those that run
  };
  /// Takes no lock: it may be asked while the process's memory is being measured.
  Load load() const { return {waiting_.load(), held_.load()}; }

 private:
  void release(std::uint64_t bytes);

  const std::uint64_t bytes_max_;
  std::function<void()> relieve_;
  std::function<std::uint64_t()> used_;
  std::uint64_t at_rest_ = 0;  ///< of the process, before its first computation
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::atomic<std::uint64_t> held_ = 0;     // written under the mutex
  std::atomic<std::uint64_t> waiting_ = 0;  // as it
};

/// Anonymous memory of this process that is in use, bytes.
std::uint64_t anonymous_bytes();

}  // namespace winnow::actors
