#pragma once

#include <array>

#include "actors/metrics_book.hpp"
#include "base/time.hpp"
#include "store/store.hpp"

namespace winnow::actors {

/// Purpose: what an actor's mailbox does. Thread: any.
struct MailboxMetrics {
  MailboxMetrics(MetricsBook& book, const std::string& actor)
      : received(book.counter("winnow_actors_mailbox_received_total",
                              "Messages that arrived in an actor's mailbox.", {{"actor", actor}})),
        handled(book.counter("winnow_actors_mailbox_handled_total",
                             "Messages an actor has handled.", {{"actor", actor}})),
        depth(book.gauge("winnow_actors_mailbox_depth_messages",
                         "Messages that wait in an actor's mailbox.", {{"actor", actor}})),
        busy(book.measured_counter("winnow_actors_mailbox_busy_seconds_total",
                                   "Time an actor has spent handling messages.",
                                   {{"actor", actor}})) {}
  Counter& received;
  Counter& handled;
  Gauge& depth;
  Gauge& busy;
};

/// Purpose: the coordinator's metrics. Owner: the coordinator; the book outlives it. Thread: any.
struct CoordinatorMetrics {
  explicit CoordinatorMetrics(MetricsBook& book);

  MailboxMetrics mailbox;
  Gauge& intake_blocks;
  Gauge& intake_bytes;
  Gauge& query_questions;
  Gauge& shipping_questions;
  Counter& shipped_bytes;

  Gauge& leases_live;
  Counter& leases_granted;
  Counter& leases_refused;
  Counter& leases_overran;
