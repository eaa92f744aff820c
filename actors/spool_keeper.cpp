#include "actors/spool_keeper.hpp"

#include <spdlog/spdlog.h>

#include <utility>

namespace winnow::actors {

SpoolKeeper::SpoolKeeper(std::unique_ptr<Spool> spool, Adopted adopted)
    : spool_(std::move(spool)), adopted_(std::move(adopted)) {
  for (const std::string& line : spool_->refused()) spdlog::error("spool: {}", line);
  const std::vector<Spool::Key> keys = spool_->keys();
  inherited_.assign(keys.begin(), keys.end());
  if (!keys.empty()) {
    spdlog::info("spool: {} blocks of an earlier node in {}; they are sent again", keys.size(),
                 spool_->folder().string());
  }
  load_.blocks = spool_->blocks();
  load_.bytes = spool_->bytes();
  thread_ = std::jthread([this](std::stop_token stop) { loop(stop); });
}

SpoolKeeper::~SpoolKeeper() {
  thread_.request_stop();
  thread_.join();
}

void SpoolKeeper::put(BlockResult result) {
  Spool::Key key{result.sweep, result.block};
  {
    const std::lock_guard lock(mutex_);
    orders_.push_back({std::move(key), std::make_unique<BlockResult>(std::move(result))});
    ++load_.queued;
  }
  wake_.notify_one();
}

void SpoolKeeper::forget(const Spool::Key& key) {
  {
    const std::lock_guard lock(mutex_);
    orders_.push_back({key, nullptr});
  }
  wake_.notify_one();
}

SpoolKeeper::Load SpoolKeeper::load() const {
  const std::lock_guard lock(mutex_);
  return load_;
}

void SpoolKeeper::loop(std::stop_token stop) {
  for (;;) {
    hand_out();
    std::deque<Order> orders;
    {
      std::unique_lock lock(mutex_);
      if (!wake_.wait(lock, stop, [&] { return !orders_.empty(); })) return;
      orders.swap(orders_);
    }
    carry_out(orders);
  }
}

void SpoolKeeper::carry_out(const std::deque<Order>& orders) {
  std::set<Spool::Key> forgotten;  // put and forgotten in one batch: never touches the disk
  for (const Order& order : orders) {
    if (order.put == nullptr) forgotten.insert(order.key);
  }
  std::uint64_t puts = 0, written = 0, failed = 0;
  for (const Order& order : orders) {
    if (order.put == nullptr) {
      handed_out_.erase(order.key);
      spool_->forget(order.key);
      continue;
    }
    ++puts;
    if (forgotten.contains(order.key)) continue;
    const Status done = spool_->put(*order.put);
    if (done) {
      ++written;
    } else if (failed++ == 0 && !std::exchange(refuses_, true)) {
      spdlog::error("spool: {}; blocks are kept in memory only", done.error().text());
    }
  }
  if (written > 0 && failed == 0 && std::exchange(refuses_, false)) {
    spdlog::info("spool: blocks are kept on disk again");
  }
  if (written > 0) {
    if (const Status synced = spool_->sync(); !synced) {
      spdlog::error("spool: {}", synced.error().text());
    }
  }
  const std::lock_guard lock(mutex_);
  load_.queued -= puts;
  load_.put_total += written;
  load_.failed_total += failed;
  load_.blocks = spool_->blocks();
  load_.bytes = spool_->bytes();
}

void SpoolKeeper::hand_out() {
  while (!inherited_.empty() && handed_out_.size() < kAdoptedAtOnceMax) {
    const Spool::Key key = std::move(inherited_.front());
    inherited_.pop_front();
    if (!spool_->holds(key)) continue;  // computed anew and acknowledged meanwhile
    auto result = spool_->read(key);
    if (!result) {
      spdlog::error("spool: {}", result.error().text());
      spool_->forget(key);
      continue;
    }
    handed_out_.insert(key);
    adopted_(std::move(*result));
  }
}

}  // namespace winnow::actors
