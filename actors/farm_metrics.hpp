#pragma once

#include <array>

#include "actors/metrics_book.hpp"
#include "actors/question.hpp"
#include "base/time.hpp"
#include "store/store.hpp"

namespace winnow::actors {

// A metric is a line: its name, what it says and, behind kName, its label. docs/OPERATING.md speaks
// of each (tested).

/// Purpose: what an actor's mailbox does. Thread: any.
struct MailboxMetrics {
  MailboxMetrics(MetricsBook& to, const std::string& actor) : book(to), labels{{"actor", actor}} {}

  MetricsBook& book;
  MetricLabels labels;

  Counter& received = book.counter("winnow_actors_mailbox_received_total",
                                   "Messages that arrived in an actor's mailbox.", labels);
  Counter& handled =
      book.counter("winnow_actors_mailbox_handled_total", "Messages an actor has handled.", labels);
  Gauge& depth = book.gauge("winnow_actors_mailbox_depth_messages",
                            "Messages that wait in an actor's mailbox.", labels);
  Gauge& busy = book.measured_counter("winnow_actors_mailbox_busy_seconds_total",
                                      "Time an actor has spent handling messages.", labels);
};

/// Purpose: what the farm port does with its connections. Owner: the coordinator; the book outlives
/// it. Thread: any.
struct FarmPortMetrics {
  explicit FarmPortMetrics(MetricsBook& to);

  MetricsBook& book;

  Gauge& connections = book.gauge("winnow_port_connections", "Connections of the farm port.");
  static constexpr LabelledMetric kCut{"winnow_port_cut_total", "reason",
                                       "Connections that the farm port ended: by its limit, by a "
                                       "frame against the rules, by a deadline."};
  Counter& turned_away = kCut.counter(book, "limit");
  Counter& refused = kCut.counter(book, "rules");
  Counter& late = kCut.counter(book, "deadline");
  Counter& out_of_role = book.counter("winnow_port_out_of_role_total",
                                      "Messages that their sender's certificate does not allow.");
  Counter& received_bytes =
      book.counter("winnow_port_received_bytes_total", "Bytes of frames for the coordinator.");
  Gauge& unhandled_bytes = book.gauge("winnow_port_unhandled_bytes",
                                      "Bytes of frames that the coordinator has not handled yet.");
  Counter& pauses = book.counter("winnow_port_pauses_total",
                                 "Times that nobody was read, as too much was not handled yet.");
};

/// Purpose: the coordinator's metrics. Owner: the coordinator; the book outlives it. Thread: any.
struct CoordinatorMetrics {
  explicit CoordinatorMetrics(MetricsBook& to);

  template <class Metric, class Make>
  static std::array<Metric*, kQuestionCosts.size()> by_lane(const Make& make) {
    std::array<Metric*, kQuestionCosts.size()> out{};
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] = make(std::string(question_cost_name(kQuestionCosts[i])));
    }
    return out;
  }

  MetricsBook& book;

  MailboxMetrics mailbox{book, "coordinator"};
  FarmPortMetrics port{book};
  Gauge& intake_blocks =
      book.gauge("winnow_actors_intake_blocks", "Blocks that arrived and are not committed yet.");
  Gauge& intake_bytes = book.gauge("winnow_actors_intake_bytes", "Bytes of those blocks.");
  Gauge& intake_oldest =
      book.gauge("winnow_actors_intake_oldest_seconds",
                 "Age of the oldest block that arrived and is not on disk; 0: there is none.");
  Gauge& in_commit_bytes =
      book.gauge("winnow_actors_in_commit_bytes",
                 "Bytes of results that the coordinator took and has not acknowledged.");
  Counter& results_put_off =
      book.counter("winnow_actors_results_put_off_total",
                   "Results not taken as too many bytes were not acknowledged; their nodes send "
                   "them again.");
  Gauge& ends_unrecorded = book.gauge("winnow_actors_ends_unrecorded",
                                      "Sweeps at their end that the store has not recorded yet.");
  Gauge& watchers = book.gauge("winnow_actors_watchers", "Clients that follow a sweep's progress.");
  Counter& requests_refused =
      book.counter("winnow_actors_requests_refused_total",
                   "Requests of nodes and clients that were answered with a refusal.");
  Histogram& measuring = book.histogram(
      "winnow_actors_measuring_seconds",
      "The coordinator's turn that counts nodes, leases and blocks.", latency_bounds_s());
  Gauge& query_questions = book.gauge("winnow_actors_query_questions",
                                      "Questions to the store that wait for an answer.");
  static constexpr LabelledMetric kTurnedAway{
      "winnow_actors_desk_turned_away_total", "desk",
      "Questions that a desk refused because its queue was full."};
  Counter& query_turned_away = kTurnedAway.counter(book, "query");
  static constexpr LabelledMetric kLaneQuestions{
      "winnow_actors_query_lane_questions", "lane",
      "Questions to the store that wait for an answer, by what they cost."};
  static constexpr LabelledMetric kLaneTurnedAway{
      "winnow_actors_query_lane_turned_away_total", "lane",
      "Questions to the store that were refused because the queue of their lane was full."};
  /// As kQuestionCosts.
  std::array<Gauge*, kQuestionCosts.size()> lane_questions =
      by_lane<Gauge>([this](const std::string& lane) { return &kLaneQuestions.gauge(book, lane); });
  std::array<Counter*, kQuestionCosts.size()> lane_turned_away = by_lane<Counter>(
      [this](const std::string& lane) { return &kLaneTurnedAway.counter(book, lane); });
  Counter& query_shared = book.counter("winnow_actors_query_shared_total",
                                       "Askers who got an answer that was computed for another.");
  static constexpr LabelledMetric kDropped{
      "winnow_actors_query_dropped_total", "reason",
      "Askers of questions to the store who got no answer: they had gone, or it was too late."};
  Counter& query_forgotten = kDropped.counter(book, "gone");
  Counter& query_late = kDropped.counter(book, "late");
  Gauge& shipping_questions =
      book.gauge("winnow_actors_shipping_questions", "Chunks of datasets that nodes wait for.");
  Counter& shipping_turned_away = kTurnedAway.counter(book, "shipping");
  Counter& shipped_bytes = book.counter("winnow_actors_shipped_bytes_total",
                                        "Bytes of datasets sent to nodes, framing included.");
  Counter& shipped_answers =
      book.counter("winnow_actors_shipped_answers_total",
                   "Answers to nodes that fetch datasets: offers, chunks, denials.");
  Histogram& query_latency = book.histogram(
      "winnow_actors_query_seconds",
      "From a question to the store to its answer, the waiting included.", latency_bounds_s());

  Gauge& leases_live = book.gauge("winnow_scheduler_leases", "Leases that nodes hold.");
  Counter& leases_granted =
      book.counter("winnow_scheduler_leases_granted_total", "Leases granted.");
  Counter& leases_refused =
      book.counter("winnow_scheduler_leases_refused_total",
                   "Leases that a node gave back because it could not run them.");
  Counter& leases_adopted =
      book.counter("winnow_scheduler_leases_adopted_total",
                   "Running leases that a node brought along from an earlier session or another "
                   "coordinator.");
  Counter& leases_expired = book.counter("winnow_scheduler_leases_expired_total",
                                         "Leases that ran out as nothing was heard of them.");
  Counter& leases_overran =
      book.counter("winnow_scheduler_leases_overran_total",
                   "Leases given back because a trial did not stop at its limit of time; each cost "
                   "its node a restart.");
  Counter& blocks_retried = book.counter("winnow_scheduler_blocks_retried_total",
                                         "Blocks given back by expiry, loss or failure.");
  Counter& blocks_straggling =
      book.counter("winnow_scheduler_blocks_straggling_total",
                   "Blocks given to a second worker as the first was late.");
  Counter& blocks_quarantined = book.counter("winnow_scheduler_blocks_quarantined_total",
                                             "Blocks given up after too many failed attempts.");
  Histogram& grant_to_result =
      book.histogram("winnow_scheduler_grant_to_result_seconds",
                     "From the grant of a lease to each of its results.", latency_bounds_s());
  Histogram& result_to_acknowledgement =
      book.histogram("winnow_actors_result_to_acknowledgement_seconds",
                     "From a block's arrival to its being on disk.", latency_bounds_s());
  Histogram& commit_duration =
      book.histogram("winnow_store_commit_duration_seconds", "One group commit with its sync.",
                     latency_bounds_s());
  Histogram& commit_blocks =
      book.histogram("winnow_store_commit_size_blocks", "Blocks in a group commit.", size_bounds());

  static constexpr LabelledMetric kCommitBlocks{
      "winnow_store_commit_blocks_total", "kind",
      "Blocks by what became of them: fresh, duplicate (the same bits again), mismatch (other "
      "bits, an alarm), refused (not what the plan says)."};
  Counter& blocks_fresh = kCommitBlocks.counter(book, "fresh");
  Counter& blocks_duplicate = kCommitBlocks.counter(book, "duplicate");
  Counter& blocks_mismatch = kCommitBlocks.counter(book, "mismatch");
  Counter& blocks_refused = kCommitBlocks.counter(book, "refused");
  Counter& trials_committed = book.counter("winnow_store_commit_trials_total",
                                           "Trials of blocks that were committed fresh.");
  Counter& bytes_committed = book.counter("winnow_store_commit_bytes_total",
                                          "Bytes of blocks offered for commit, as they arrived.");
  Counter& commits_stalled =
      book.counter("winnow_store_commit_stalls_total",
                   "Group commits that the store refused and that are retried.");

  Gauge& nodes = book.gauge("winnow_actors_nodes", "Nodes that are connected.");
  Gauge& nodes_silent = book.gauge("winnow_actors_nodes_silent",
                                   "Connected nodes that nothing was heard of for two seconds.");
  Gauge& nodes_busy = book.gauge("winnow_actors_nodes_busy", "Nodes that hold a lease.");
  Gauge& workers = book.gauge("winnow_actors_workers", "Workers of all nodes.");
  Counter& nodes_joined = book.counter("winnow_actors_node_joins_total", "Nodes that joined.");
  static constexpr LabelledMetric kLeaves{"winnow_actors_node_leaves_total", "reason",
                                          "Nodes that left, by reason."};
  Counter& nodes_left_goodbye = kLeaves.counter(book, "goodbye");
  Counter& nodes_left_broken = kLeaves.counter(book, "connection_broke");
  Counter& nodes_left_silent = kLeaves.counter(book, "silent");
  Counter& nodes_left_replaced = kLeaves.counter(book, "replaced");

  static constexpr LabelledMetric kBlocks{"winnow_scheduler_blocks", "state",
                                          "Blocks of unfinished sweeps by state."};
  /// In the order of scheduler progress: pending, leased, received, committed, quarantined.
  std::array<Gauge*, 5> sweep_blocks{
      &kBlocks.gauge(book, "pending"), &kBlocks.gauge(book, "leased"),
      &kBlocks.gauge(book, "received"), &kBlocks.gauge(book, "committed"),
      &kBlocks.gauge(book, "quarantined")};
  static constexpr LabelledMetric kSweeps{"winnow_scheduler_sweeps", "state",
                                          "Unfinished sweeps by state."};
  Gauge& sweeps_active = kSweeps.gauge(book, "running");
  Gauge& sweeps_paused = kSweeps.gauge(book, "paused");
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
  explicit NodeMetrics(MetricsBook& to);

  MetricsBook& book;

  MailboxMetrics mailbox{book, "node"};
  Gauge& connected = book.gauge("winnow_node_connected", "1 with a coordinator, 0 without.");
  Counter& connections =
      book.counter("winnow_node_connections_total", "Connections made to a coordinator.");
  Gauge& workers = book.gauge("winnow_node_workers", "Workers of this node.");
  Gauge& pool_leases = book.gauge("winnow_node_pool_leases", "Leases that wait for a worker.");
  Gauge& leases = book.gauge("winnow_node_leases", "Leases held, waiting ones included.");
  Gauge& unacknowledged_blocks = book.gauge("winnow_node_unacknowledged_blocks",
                                            "Computed blocks that no coordinator acknowledged.");
  Counter& blocks_computed = book.counter("winnow_node_blocks_computed_total", "Blocks computed.");
  Histogram& block_work = book.histogram("winnow_node_block_work_seconds",
                                         "Engine time of a block.", latency_bounds_s());
  Gauge& spool_blocks = book.gauge("winnow_node_spool_blocks", "Blocks in the spool on disk.");
  Gauge& spool_bytes = book.gauge("winnow_node_spool_bytes", "Bytes of the spool's files.");
  Gauge& spool_queued =
      book.gauge("winnow_node_spool_queued_blocks", "Blocks on their way into the spool.");
  Counter& spool_put =
      book.counter("winnow_node_spool_put_blocks_total", "Blocks written to the spool.");
  Counter& spool_failed = book.counter("winnow_node_spool_failed_blocks_total",
                                       "Blocks the spool could not take (full disk, limit).");
  Gauge& batches_waiting = book.gauge("winnow_node_memory_waiting_batches",
                                      "Batches of trials that wait for room in the node's memory.");
  Gauge& batch_bytes = book.gauge("winnow_node_memory_held_bytes",
                                  "What running batches said they take; 0 without --memory-mb.");
  Gauge& fetching_datasets =
      book.gauge("winnow_node_fetching_datasets", "Datasets that are being fetched or wait to be.");
  Counter& fetched_bytes = book.counter("winnow_node_fetched_bytes_total",
                                        "Bytes of datasets fetched from the coordinator.");
  Counter& fetched_datasets =
      book.counter("winnow_node_fetched_datasets_total", "Datasets fetched.");
  Counter& fetch_failures =
      book.counter("winnow_node_fetch_failures_total", "Datasets that could not be fetched.");
  Counter& dropped_datasets =
      book.counter("winnow_node_dropped_datasets_total", "Copies dropped for room.");
};

}  // namespace winnow::actors
