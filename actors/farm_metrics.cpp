#include "actors/farm_metrics.hpp"

namespace winnow::actors {
namespace {

Counter& committed_kind(MetricsBook& book, const std::string& kind) {
  return book.counter("winnow_store_commit_blocks_total",
                      "Blocks by what became of them: fresh, duplicate (the same bits again), "
                      "mismatch (other bits, an alarm), refused (not what the plan says).",
                      {{"kind", kind}});
}

Gauge* blocks_in(MetricsBook& book, const std::string& state) {
  return &book.gauge("winnow_scheduler_blocks", "Blocks of unfinished sweeps by state.",
                     {{"state", state}});
}

Counter& left(MetricsBook& book, const std::string& reason) {
  return book.counter("winnow_actors_node_leaves_total", "Nodes that left, by reason.",
                      {{"reason", reason}});
}

Counter& port_ends(MetricsBook& book, const std::string& reason) {
  return book.counter("winnow_port_cut_total",
                      "Connections that the farm port ended: by its limit, by a frame against the "
                      "rules, by a deadline.",
                      {{"reason", reason}});
}

Counter& turned_away(MetricsBook& book, const std::string& desk) {
  return book.counter("winnow_actors_desk_turned_away_total",
                      "Questions that a desk refused because its queue was full.",
                      {{"desk", desk}});
}

Counter& dropped(MetricsBook& book, const std::string& reason) {
  return book.counter(
      "winnow_actors_query_dropped_total",
      "Askers of questions to the store who got no answer: they had gone, or it was "
      "too late.",
      {{"reason", reason}});
}

std::array<Gauge*, kQuestionCosts.size()> questions_by_lane(MetricsBook& book) {
  std::array<Gauge*, kQuestionCosts.size()> out{};
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = &book.gauge("winnow_actors_query_lane_questions",
                         "Questions to the store that wait for an answer, by what they cost.",
                         {{"lane", std::string(question_cost_name(kQuestionCosts[i]))}});
  }
  return out;
}

std::array<Counter*, kQuestionCosts.size()> turned_away_by_lane(MetricsBook& book) {
  std::array<Counter*, kQuestionCosts.size()> out{};
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = &book.counter("winnow_actors_query_lane_turned_away_total",
                           "Questions to the store that were refused because the queue of their "
                           "lane was full.",
                           {{"lane", std::string(question_cost_name(kQuestionCosts[i]))}});
  }
  return out;
}

Gauge& sweeps(MetricsBook& book, const std::string& state) {
  return book.gauge("winnow_scheduler_sweeps", "Unfinished sweeps by state.", {{"state", state}});
}

}  // namespace

FarmPortMetrics::FarmPortMetrics(MetricsBook& book)
    : connections(book.gauge("winnow_port_connections", "Connections of the farm port.")),
      turned_away(port_ends(book, "limit")),
      refused(port_ends(book, "rules")),
      late(port_ends(book, "deadline")),
      out_of_role(book.counter("winnow_port_out_of_role_total",
                               "Messages that their sender's certificate does not allow.")),
      received_bytes(
          book.counter("winnow_port_received_bytes_total", "Bytes of frames for the coordinator.")),
      unhandled_bytes(book.gauge("winnow_port_unhandled_bytes",
                                 "Bytes of frames that the coordinator has not handled yet.")),
      pauses(book.counter("winnow_port_pauses_total",
                          "Times that nobody was read, as too much was not handled yet.")) {}

CoordinatorMetrics::CoordinatorMetrics(MetricsBook& book)
    : mailbox(book, "coordinator"),
      port(book),
      intake_blocks(book.gauge("winnow_actors_intake_blocks",
                               "Blocks that arrived and are not committed yet.")),
      intake_bytes(book.gauge("winnow_actors_intake_bytes", "Bytes of those blocks.")),
      intake_oldest(book.gauge("winnow_actors_intake_oldest_seconds",
                               "Age of the oldest block that arrived and is not on disk; 0: there "
                               "is none.")),
      in_commit_bytes(book.gauge("winnow_actors_in_commit_bytes",
                                 "Bytes of results that the coordinator took and has not "
                                 "acknowledged.")),
      results_put_off(book.counter("winnow_actors_results_put_off_total",
                                   "Results not taken as too many bytes were not acknowledged; "
                                   "their nodes send them again.")),
      ends_unrecorded(book.gauge("winnow_actors_ends_unrecorded",
                                 "Sweeps at their end that the store has not recorded yet.")),
      watchers(book.gauge("winnow_actors_watchers", "Clients that follow a sweep's progress.")),
      requests_refused(book.counter("winnow_actors_requests_refused_total",
                                    "Requests of nodes and clients that were answered with a "
                                    "refusal.")),
      measuring(book.histogram("winnow_actors_measuring_seconds",
                               "The coordinator's turn that counts nodes, leases and blocks.",
                               latency_bounds_s())),
      query_questions(book.gauge("winnow_actors_query_questions",
                                 "Questions to the store that wait for an answer.")),
      query_turned_away(turned_away(book, "query")),
      lane_questions(questions_by_lane(book)),
      lane_turned_away(turned_away_by_lane(book)),
      query_shared(book.counter("winnow_actors_query_shared_total",
                                "Askers who got an answer that was computed for another.")),
      query_forgotten(dropped(book, "gone")),
      query_late(dropped(book, "late")),
      shipping_questions(book.gauge("winnow_actors_shipping_questions",
                                    "Chunks of datasets that nodes wait for.")),
      shipping_turned_away(turned_away(book, "shipping")),
      shipped_bytes(book.counter("winnow_actors_shipped_bytes_total",
                                 "Bytes of datasets sent to nodes, framing included.")),
      shipped_answers(book.counter("winnow_actors_shipped_answers_total",
                                   "Answers to nodes that fetch datasets: offers, chunks, "
                                   "denials.")),
      query_latency(book.histogram("winnow_actors_query_seconds",
                                   "From a question to the store to its answer, the waiting "
                                   "included.",
                                   latency_bounds_s())),
      leases_live(book.gauge("winnow_scheduler_leases", "Leases that nodes hold.")),
      leases_granted(book.counter("winnow_scheduler_leases_granted_total", "Leases granted.")),
      leases_refused(book.counter("winnow_scheduler_leases_refused_total",
                                  "Leases that a node gave back because it could not run them.")),
      leases_adopted(book.counter("winnow_scheduler_leases_adopted_total",
                                  "Running leases that a node brought along from an earlier "
                                  "session or another coordinator.")),
      leases_expired(book.counter("winnow_scheduler_leases_expired_total",
                                  "Leases that ran out as nothing was heard of them.")),
      leases_overran(book.counter("winnow_scheduler_leases_overran_total",
                                  "Leases given back because a trial did not stop at its limit of "
                                  "time; each cost its node a restart.")),
      blocks_retried(book.counter("winnow_scheduler_blocks_retried_total",
                                  "Blocks given back by expiry, loss or failure.")),
      blocks_straggling(book.counter("winnow_scheduler_blocks_straggling_total",
                                     "Blocks given to a second worker as the first was late.")),
      blocks_quarantined(book.counter("winnow_scheduler_blocks_quarantined_total",
                                      "Blocks given up after too many failed attempts.")),
      grant_to_result(book.histogram("winnow_scheduler_grant_to_result_seconds",
                                     "From the grant of a lease to each of its results.",
                                     latency_bounds_s())),
      result_to_acknowledgement(book.histogram("winnow_actors_result_to_acknowledgement_seconds",
                                               "From a block's arrival to its being on disk.",
                                               latency_bounds_s())),
      commit_duration(book.histogram("winnow_store_commit_duration_seconds",
                                     "One group commit with its sync.", latency_bounds_s())),
      commit_blocks(book.histogram("winnow_store_commit_size_blocks", "Blocks in a group commit.",
                                   size_bounds())),
      blocks_fresh(committed_kind(book, "fresh")),
      blocks_duplicate(committed_kind(book, "duplicate")),
      blocks_mismatch(committed_kind(book, "mismatch")),
      blocks_refused(committed_kind(book, "refused")),
      trials_committed(book.counter("winnow_store_commit_trials_total",
                                    "Trials of blocks that were committed fresh.")),
      bytes_committed(book.counter("winnow_store_commit_bytes_total",
                                   "Bytes of blocks offered for commit, as they arrived.")),
      commits_stalled(book.counter("winnow_store_commit_stalls_total",
                                   "Group commits that the store refused and that are retried.")),
      nodes(book.gauge("winnow_actors_nodes", "Nodes that are connected.")),
      nodes_silent(book.gauge("winnow_actors_nodes_silent",
                              "Connected nodes that nothing was heard of for two seconds.")),
      nodes_busy(book.gauge("winnow_actors_nodes_busy", "Nodes that hold a lease.")),
      workers(book.gauge("winnow_actors_workers", "Workers of all nodes.")),
      nodes_joined(book.counter("winnow_actors_node_joins_total", "Nodes that joined.")),
      nodes_left_goodbye(left(book, "goodbye")),
      nodes_left_broken(left(book, "connection_broke")),
      nodes_left_silent(left(book, "silent")),
      nodes_left_replaced(left(book, "replaced")),
      sweep_blocks{blocks_in(book, "pending"), blocks_in(book, "leased"),
                   blocks_in(book, "received"), blocks_in(book, "committed"),
                   blocks_in(book, "quarantined")},
      sweeps_active(sweeps(book, "running")),
      sweeps_paused(sweeps(book, "paused")) {}

namespace {

/// What RocksDB says of one column family.
struct FamilyGauges {
  FamilyGauges(MetricsBook& b, std::string_view family)
      : tables(files(b, family, "table")),
        blobs(files(b, family, "blob")),
        table_bytes(bytes(b, family, "table")),
        blob_bytes(bytes(b, family, "blob")),
        level0(b.gauge("winnow_store_unmerged_files", "Sorted files that were not merged yet.",
                       {{"family", std::string(family)}})),
        memtable(b.gauge("winnow_store_family_memtable_bytes",
                         "Written and not yet in sorted files, by column family.",
                         {{"family", std::string(family)}})),
        pending(b.gauge("winnow_store_family_pending_compaction_bytes",
                        "What compactions have yet to rewrite, by column family.",
                        {{"family", std::string(family)}})) {}
  static Gauge& files(MetricsBook& b, std::string_view family, const char* kind) {
    return b.gauge("winnow_store_files", "Files by column family and kind.",
                   {{"family", std::string(family)}, {"kind", kind}});
  }
  static Gauge& bytes(MetricsBook& b, std::string_view family, const char* kind) {
    return b.gauge("winnow_store_file_bytes", "Bytes of files by column family and kind.",
                   {{"family", std::string(family)}, {"kind", kind}});
  }
  void set(const store::FamilyHealth& now) {
    tables.set_count(now.table_files);
    blobs.set_count(now.blob_files);
    table_bytes.set_count(now.table_bytes);
    blob_bytes.set_count(now.blob_bytes);
    level0.set_count(now.level0_files);
    memtable.set_count(now.memtable_bytes);
    pending.set_count(now.pending_compaction_bytes);
  }
  Gauge &tables, &blobs, &table_bytes, &blob_bytes, &level0, &memtable, &pending;
};

Counter& refused_writes(MetricsBook& book, const std::string& kind) {
  return book.counter("winnow_store_writes_refused_total",
                      "Writes that the store could not take: results (blocks with their lines in "
                      "the ledger), records (sweeps, documents), ledger_head (the file beside the "
                      "store, which is tried again and fails no commit).",
                      {{"kind", kind}});
}

Counter& stalls(MetricsBook& book, const std::string& kind) {
  return book.counter("winnow_store_stalls_total",
                      "Times that RocksDB began to slow writes down, or to stop them, so that "
                      "compactions could keep up.",
                      {{"kind", kind}});
}

}  // namespace

void add_store_metrics(MetricsBook& book, store::Store& store) {
  struct Gauges {
    explicit Gauges(MetricsBook& b)
        : stopped(b.gauge("winnow_store_stopped", "1 while the store takes no writes.")),
          delayed(b.gauge("winnow_store_delayed_write_bytes_per_second",
                          "The rate writes are slowed down to; 0: they are not.")),
          pending(b.gauge("winnow_store_pending_compaction_bytes",
                          "What compactions have yet to rewrite.")),
          compactions(b.gauge("winnow_store_running_compactions", "Compactions that run.")),
          flushes(b.gauge("winnow_store_running_flushes", "Flushes that run.")),
          cache(b.gauge("winnow_store_cache_bytes", "The block cache.")),
          memtables(b.gauge("winnow_store_memtable_bytes", "Written and not yet in sorted files.")),
          wal(b.gauge("winnow_store_wal_bytes", "The write-ahead log's files.")),
          tables(b.gauge("winnow_store_table_bytes", "Sorted files.")),
          free(b.gauge("winnow_store_disk_free_bytes", "Room left on the store's disk.")),
          alarms(b.gauge("winnow_store_mismatch_alarms",
                         "Results that differed from those already stored, ever.")),
          pending_keys(
              b.gauge("winnow_store_pending_keys", "Trial keys that only memory has in order.")),
          results_refused(refused_writes(b, "results")),
          records_refused(refused_writes(b, "records")),
          heads_refused(refused_writes(b, "ledger_head")),
          slowdowns(stalls(b, "slowdown")),
          stops(stalls(b, "stop")) {}
    Gauge &stopped, &delayed, &pending, &compactions, &flushes, &cache, &memtables, &wal, &tables,
        &free, &alarms, &pending_keys;
    Counter &results_refused, &records_refused, &heads_refused, &slowdowns, &stops;
    std::vector<FamilyGauges> families;
  };
  auto gauges = std::make_shared<Gauges>(book);
  for (const store::FamilyHealth& family : store.health().families) {
    gauges->families.emplace_back(book, family.name);
  }
  Histogram& whole = book.histogram("winnow_store_write_duration_seconds",
                                    "One write to the log, its sync included.", latency_bounds_s());
  Histogram& sync = book.histogram("winnow_store_sync_duration_seconds",
                                   "The sync of one write to the log.", latency_bounds_s());
  store.observe_writes([&whole, &sync](const store::WriteTimes& times) {
    whole.observe(times.whole.seconds());
    sync.observe(times.sync.seconds());
  });
  book.before_reading([g = std::move(gauges), &store] {
    const store::StoreHealth now = store.health();
    g->stopped.set(now.stopped ? 1 : 0);
    g->delayed.set_count(now.delayed_write_bytes_per_s);
    g->pending.set_count(now.pending_compaction_bytes);
    g->compactions.set_count(now.running_compactions);
    g->flushes.set_count(now.running_flushes);
    g->cache.set_count(now.cache_bytes);
    g->memtables.set_count(now.memtable_bytes);
    g->wal.set_count(now.wal_bytes);
    g->tables.set_count(now.table_bytes);
    g->free.set_count(now.disk_free_bytes);
    g->alarms.set_count(now.alarms);
    g->pending_keys.set_count(now.pending_keys);
    g->results_refused.raise_to(now.results_refused);
    g->records_refused.raise_to(now.records_refused);
    g->heads_refused.raise_to(now.ledger_heads_refused);
    g->slowdowns.raise_to(now.slowdowns);
    g->stops.raise_to(now.stops);
    for (std::size_t f = 0; f < g->families.size(); ++f) g->families[f].set(now.families[f]);
  });
}

NodeMetrics::NodeMetrics(MetricsBook& book)
    : mailbox(book, "node"),
      connected(book.gauge("winnow_node_connected", "1 with a coordinator, 0 without.")),
      connections(
          book.counter("winnow_node_connections_total", "Connections made to a coordinator.")),
      workers(book.gauge("winnow_node_workers", "Workers of this node.")),
      pool_leases(book.gauge("winnow_node_pool_leases", "Leases that wait for a worker.")),
      leases(book.gauge("winnow_node_leases", "Leases held, waiting ones included.")),
      unacknowledged_blocks(book.gauge("winnow_node_unacknowledged_blocks",
                                       "Computed blocks that no coordinator acknowledged.")),
      blocks_computed(book.counter("winnow_node_blocks_computed_total", "Blocks computed.")),
      block_work(book.histogram("winnow_node_block_work_seconds", "Engine time of a block.",
                                latency_bounds_s())),
      spool_blocks(book.gauge("winnow_node_spool_blocks", "Blocks in the spool on disk.")),
      spool_bytes(book.gauge("winnow_node_spool_bytes", "Bytes of the spool's files.")),
      spool_queued(
          book.gauge("winnow_node_spool_queued_blocks", "Blocks on their way into the spool.")),
      spool_put(book.counter("winnow_node_spool_put_blocks_total", "Blocks written to the spool.")),
      spool_failed(book.counter("winnow_node_spool_failed_blocks_total",
                                "Blocks the spool could not take (full disk, limit).")),
      batches_waiting(book.gauge("winnow_node_memory_waiting_batches",
                                 "Batches of trials that wait for room in the node's memory.")),
      batch_bytes(book.gauge("winnow_node_memory_held_bytes",
                             "What running batches said they take; 0 without --memory-mb.")),
      fetching_datasets(book.gauge("winnow_node_fetching_datasets",
                                   "Datasets that are being fetched or wait to be.")),
      fetched_bytes(book.counter("winnow_node_fetched_bytes_total",
                                 "Bytes of datasets fetched from the coordinator.")),
      fetched_datasets(book.counter("winnow_node_fetched_datasets_total", "Datasets fetched.")),
      fetch_failures(
          book.counter("winnow_node_fetch_failures_total", "Datasets that could not be fetched.")),
      dropped_datasets(
          book.counter("winnow_node_dropped_datasets_total", "Copies dropped for room.")) {}

}  // namespace winnow::actors
