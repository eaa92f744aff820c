#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>

namespace winnow::actors {

/// Purpose: what one thread of ours is asked to do by others, in order, at most `max` at a time.
/// Thread: any.
template <class T>
class BoundedQueue {
 public:
  explicit BoundedQueue(std::size_t max) : max_(max) {}

  /// False, with `item` left as it was, if `max` wait already.
  bool push(T& item) {
    {
      const std::lock_guard lock(mutex_);
      if (items_.size() >= max_) return false;
      items_.push_back(std::move(item));
    }
    wake_.notify_one();
    return true;
  }
  /// Waits for an item; nothing once a stop is requested.
  std::optional<T> pop(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    if (!wake_.wait(lock, stop, [&] { return !items_.empty(); })) return std::nullopt;
    std::optional<T> item(std::move(items_.front()));
    items_.pop_front();
    return item;
  }
  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return items_.size();
  }

 private:
  std::size_t max_;
  mutable std::mutex mutex_;
  std::condition_variable_any wake_;
  std::deque<T> items_;
};

}  // namespace winnow::actors
