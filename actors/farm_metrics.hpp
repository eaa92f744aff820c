#pragma once

#include <array>

#include "actors/metrics_book.hpp"
#include "actors/question.hpp"
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

/// Purpose: what the farm port does with its connections. Owner: the coordinator; the book outlives
/// it. Thread: any.
struct FarmPortMetrics {
  explicit FarmPortMetrics(MetricsBook& book);

  Gauge& connections;
  Counter& turned_away;
  Counter& refused;
  Counter& late;
  Counter& out_of_role;
  Counter& received_bytes;
  Gauge& unhandled_bytes;
  Counter& pauses;
};

/// Purpose: the coordinator's metrics. Owner: the coordinator; the book outlives it. Thread: any.
struct CoordinatorMetrics {
  explicit CoordinatorMetrics(MetricsBook& book);

  MailboxMetrics mailbox;
  FarmPortMetrics port;
  Gauge& intake_blocks;
  Gauge& intake_bytes;
  Gauge& intake_oldest;
  Gauge& in_commit_bytes;
  Counter& results_put_off;
  Gauge& ends_unrecorded;
  Gauge& watchers;
  Counter& requests_refused;
  Histogram& measuring;
  Gauge& query_questions;
  Counter& query_turned_away;
  std::array<Gauge*, kQuestionCosts.size()> lane_questions;  ///< as kQuestionCosts
  std::array<Counter*, kQuestionCosts.size()> lane_turned_away;
  Counter& query_shared;
  Counter& query_forgotten;
  Counter& query_late;
  Gauge& shipping_questions;
  Counter& shipping_turned_away;
  Counter& shipped_bytes;
  Counter& shipped_answers;
  Histogram& query_latency;

  Gauge& leases_live;
  Counter& leases_granted;
  Counter& leases_refused;
  Counter& leases_adopted;
  Counter& leases_expired;
  Counter& leases_overran;
  Counter& blocks_retried;
  Counter& blocks_straggling;
  Counter& blocks_quarantined;
  Histogram& grant_to_result;
  Histogram& result_to_acknowledgement;
  Histogram& commit_duration;
  Histogram& commit_blocks;

  Counter& blocks_fresh;
  Counter& blocks_duplicate;
  Counter& blocks_mismatch;
  Counter& blocks_refused;
  Counter& trials_committed;
  Counter& bytes_committed;
  Counter& commits_stalled;

  Gauge& nodes;
  Gauge& nodes_silent;
  Gauge& nodes_busy;
  Gauge& workers;
  Counter& nodes_joined;
  Counter& nodes_left_goodbye;
  Counter& nodes_left_broken;
  Counter& nodes_left_silent;
  Counter& nodes_left_replaced;

  /// In the order of scheduler progress: pending, leased, received, committed, quarantined.
  std::array<Gauge*, 5> sweep_blocks;
  Gauge& sweeps_active;
  Gauge& sweeps_paused;
};

/// Registers what the store's database says of itself whenever the book is read, and how long its
/// syncs take. Requires: nothing was written yet. The store outlives the reading, the book the
/// store's last write.
void add_store_metrics(MetricsBook& book, store::Store& store);

/// Registers how much of users' budgets is spent, all users together; at most ten seconds old. The
/// store outlives the reading.
void add_budget_metrics(MetricsBook& book, const store::Store& store);

/// Purpose: a worker node's metrics. Owner: the node; the book outlives it. Thread: any.
struct NodeMetrics {
  explicit NodeMetrics(MetricsBook& book);

  MailboxMetrics mailbox;
  Gauge& connected;
  Counter& connections;
  Gauge& workers;
  Gauge& pool_leases;
  Gauge& leases;
  Gauge& unacknowledged_blocks;
  Counter& blocks_computed;
  Histogram& block_work;
  Gauge& spool_blocks;
  Gauge& spool_bytes;
  Gauge& spool_queued;
  Counter& spool_put;
  Counter& spool_failed;
  Gauge& batches_waiting;
  Gauge& batch_bytes;
  Gauge& fetching_datasets;
  Counter& fetched_bytes;
  Counter& fetched_datasets;
  Counter& fetch_failures;
  Counter& dropped_datasets;
};

}  // namespace winnow::actors
