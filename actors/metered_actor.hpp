#pragma once

// A header of wire.hpp's kind: it sees CAF.

#include <caf/event_based_actor.hpp>
#include <chrono>

#include "actors/farm_metrics.hpp"

namespace winnow::actors {

/// Purpose: an actor whose mailbox is counted; CAF 0.17 has no metrics of its own. Thread:
/// enqueue() any, consume() the actor's turns.
class MeteredActor : public caf::event_based_actor {
 public:
  using caf::event_based_actor::event_based_actor;

  /// Once, before the actor's behaviour is set. `metrics` outlives the actor.
  void meter(MailboxMetrics* metrics) { metrics_.store(metrics); }

  using caf::event_based_actor::enqueue;
  void enqueue(caf::mailbox_element_ptr message, caf::execution_unit* unit) override {
    if (MailboxMetrics* m = metrics_.load(std::memory_order_acquire)) m->received.add();
    caf::event_based_actor::enqueue(std::move(message), unit);
  }

  caf::invoke_message_result consume(caf::mailbox_element& message) override {
    MailboxMetrics* m = metrics_.load(std::memory_order_acquire);
    if (m == nullptr) return caf::event_based_actor::consume(message);
    const auto start = std::chrono::steady_clock::now();
    const auto result = caf::event_based_actor::consume(message);
    busy_ += std::chrono::steady_clock::now() - start;
    m->busy.set(std::chrono::duration<double>(busy_).count());
    if (result != caf::invoke_message_result::skipped) m->handled.add();
    const std::uint64_t received = m->received.value(), handled = m->handled.value();
    m->depth.set_count(received > handled ? received - handled : 0);
    return result;
  }

 private:
  std::atomic<MailboxMetrics*> metrics_{nullptr};
  std::chrono::steady_clock::duration busy_{};
};

}  // namespace winnow::actors
