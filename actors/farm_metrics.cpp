#include "actors/farm_metrics.hpp"

namespace winnow::actors {
FarmPortMetrics::FarmPortMetrics(MetricsBook& to) : book(to) {}

CoordinatorMetrics::CoordinatorMetrics(MetricsBook& to) : book(to) {}

namespace {

using store::FamilyHealth;
using store::StoreHealth;

// What the store says of itself: a row is a metric's name, what it says, and where its value
// stands.

struct HealthGauge {
  const char* name;
  const char* help;
  std::uint64_t (*value)(const StoreHealth&);
};
constexpr HealthGauge kHealthGauges[] = {
    {"winnow_store_stopped", "1 while the store takes no writes.",
     [](const StoreHealth& h) -> std::uint64_t { return h.stopped ? 1 : 0; }},
    {"winnow_store_delayed_write_bytes_per_second",
     "The rate writes are slowed down to; 0: they are not.",
     [](const StoreHealth& h) { return h.delayed_write_bytes_per_s; }},
    {"winnow_store_pending_compaction_bytes", "What compactions have yet to rewrite.",
     [](const StoreHealth& h) { return h.pending_compaction_bytes; }},
    {"winnow_store_running_compactions", "Compactions that run.",
     [](const StoreHealth& h) { return h.running_compactions; }},
    {"winnow_store_running_flushes", "Flushes that run.",
     [](const StoreHealth& h) { return h.running_flushes; }},
    {"winnow_store_cache_bytes", "The block cache.",
     [](const StoreHealth& h) { return h.cache_bytes; }},
    {"winnow_store_memtable_bytes", "Written and not yet in sorted files.",
     [](const StoreHealth& h) { return h.memtable_bytes; }},
    {"winnow_store_wal_bytes", "The write-ahead log's files.",
     [](const StoreHealth& h) { return h.wal_bytes; }},
    {"winnow_store_table_bytes", "Sorted files.",
     [](const StoreHealth& h) { return h.table_bytes; }},
    {"winnow_store_disk_free_bytes", "Room left on the store's disk.",
     [](const StoreHealth& h) { return h.disk_free_bytes; }},
    {"winnow_store_mismatch_alarms", "Results that differed from those already stored, ever.",
     [](const StoreHealth& h) { return h.alarms; }},
    {"winnow_store_pending_keys", "Trial keys that only memory has in order.",
     [](const StoreHealth& h) { return h.pending_keys; }},
};

constexpr LabelledMetric kWritesRefused{
    "winnow_store_writes_refused_total", "kind",
    "Writes that the store could not take: results (blocks with their lines in the ledger), "
    "records (sweeps, documents), ledger_head (the file beside the store, which is tried again "
    "and fails no commit)."};
constexpr LabelledMetric kStalls{"winnow_store_stalls_total", "kind",
                                 "Times that RocksDB began to slow writes down, or to stop them, "
                                 "so that compactions could keep up."};
struct HealthCounter {
  const LabelledMetric& metric;
  const char* kind;
  std::uint64_t (*value)(const StoreHealth&);
};
constexpr HealthCounter kHealthCounters[] = {
    {kWritesRefused, "results", [](const StoreHealth& h) { return h.results_refused; }},
    {kWritesRefused, "records", [](const StoreHealth& h) { return h.records_refused; }},
    {kWritesRefused, "ledger_head", [](const StoreHealth& h) { return h.ledger_heads_refused; }},
    {kStalls, "slowdown", [](const StoreHealth& h) { return h.slowdowns; }},
    {kStalls, "stop", [](const StoreHealth& h) { return h.stops; }},
};

struct FamilyGauge {
  const char* name;
  const char* help;
  const char* kind;  ///< of files; empty: it has no such label
  std::uint64_t (*value)(const FamilyHealth&);
};
constexpr const char* kFilesHelp = "Files by column family and kind.";
constexpr const char* kFileBytesHelp = "Bytes of files by column family and kind.";
constexpr FamilyGauge kFamilyGauges[] = {
    {"winnow_store_files", kFilesHelp, "table",
     [](const FamilyHealth& f) { return f.table_files; }},
    {"winnow_store_files", kFilesHelp, "blob", [](const FamilyHealth& f) { return f.blob_files; }},
    {"winnow_store_file_bytes", kFileBytesHelp, "table",
     [](const FamilyHealth& f) { return f.table_bytes; }},
    {"winnow_store_file_bytes", kFileBytesHelp, "blob",
     [](const FamilyHealth& f) { return f.blob_bytes; }},
    {"winnow_store_unmerged_files", "Sorted files that were not merged yet.", "",
     [](const FamilyHealth& f) { return f.level0_files; }},
    {"winnow_store_family_memtable_bytes", "Written and not yet in sorted files, by column family.",
     "", [](const FamilyHealth& f) { return f.memtable_bytes; }},
    {"winnow_store_family_pending_compaction_bytes",
     "What compactions have yet to rewrite, by column family.", "",
     [](const FamilyHealth& f) { return f.pending_compaction_bytes; }},
};

Gauge& family_gauge(MetricsBook& book, const FamilyGauge& row, std::string_view family) {
  MetricLabels labels{{"family", std::string(family)}};
  if (*row.kind != '\0') labels.emplace_back("kind", row.kind);
  return book.gauge(row.name, row.help, std::move(labels));
}

}  // namespace

void add_store_metrics(MetricsBook& book, store::Store& store) {
  std::vector<Gauge*> gauges;
  std::vector<Counter*> counters;
  std::vector<Gauge*> of_families;  // all of the first, all of the next
  for (const HealthGauge& row : kHealthGauges) gauges.push_back(&book.gauge(row.name, row.help));
  for (const HealthCounter& row : kHealthCounters) {
    counters.push_back(&row.metric.counter(book, row.kind));
  }
  const StoreHealth first = store.health();
  for (const FamilyHealth& family : first.families) {
    for (const FamilyGauge& row : kFamilyGauges) {
      of_families.push_back(&family_gauge(book, row, family.name));
    }
  }
  Histogram& whole = book.histogram("winnow_store_write_duration_seconds",
                                    "One write to the log, its sync included.", latency_bounds_s());
  Histogram& sync = book.histogram("winnow_store_sync_duration_seconds",
                                   "The sync of one write to the log.", latency_bounds_s());
  store.observe_writes([&whole, &sync](const store::WriteTimes& times) {
    whole.observe(times.whole.seconds());
    sync.observe(times.sync.seconds());
  });
  book.before_reading([gauges, counters, of_families, &store] {
    const StoreHealth now = store.health();
    for (std::size_t i = 0; i < gauges.size(); ++i) {
      gauges[i]->set_count(kHealthGauges[i].value(now));
    }
    for (std::size_t i = 0; i < counters.size(); ++i) {
      counters[i]->raise_to(kHealthCounters[i].value(now));
    }
    constexpr std::size_t kRows = std::size(kFamilyGauges);
    for (std::size_t i = 0; i < of_families.size(); ++i) {
      of_families[i]->set_count(kFamilyGauges[i % kRows].value(now.families[i / kRows]));
    }
  });
}

NodeMetrics::NodeMetrics(MetricsBook& to) : book(to) {}

}  // namespace winnow::actors
