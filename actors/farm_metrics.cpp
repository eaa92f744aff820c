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

Gauge& sweeps(MetricsBook& book, const std::string& state) {
  return book.gauge("winnow_scheduler_sweeps", "Unfinished sweeps by state.", {{"state", state}});
}

}  // namespace

CoordinatorMetrics::CoordinatorMetrics(MetricsBook& book)
    : mailbox(book, "coordinator"),
      intake_blocks(book.gauge("winnow_actors_intake_blocks",
                               "Blocks that arrived and are not committed yet.")),
      intake_bytes(book.gauge("winnow_actors_intake_bytes", "Bytes of those blocks.")),
      query_questions(book.gauge("winnow_actors_query_questions",
                                 "Questions to the store that wait for an answer.")),
      shipping_questions(book.gauge("winnow_actors_shipping_questions",
                                    "Chunks of datasets that nodes wait for.")),
      shipped_bytes(book.counter("winnow_actors_shipped_bytes_total",
                                 "Bytes of datasets sent to nodes, framing included.")),
      leases_live(book.gauge("winnow_scheduler_leases", "Leases that nodes hold.")),
      leases_granted(book.counter("winnow_scheduler_leases_granted_total", "Leases granted.")),
      leases_refused(book.counter("winnow_scheduler_leases_refused_total",
                                  "Leases that a node gave back because it could not run them.")),
      leases_overran(book.counter("winnow_scheduler_leases_overran_total",
                                  "Leases given back because a trial did not stop at its limit of "
                                  "time; each cost its node a restart.")),
