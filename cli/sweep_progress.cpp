#include "cli/sweep_progress.hpp"

#include <nlohmann/json.hpp>

namespace winnow::cli {

SweepProgress::SweepProgress(const Context& context, std::string label)
    : label_(std::move(label)), progress_({.quiet = context.quiet}) {}

void SweepProgress::update(const actors::Progress& p) {
  ProgressState state;
  state.label = label_;
  state.done = p.trials_committed;
  state.total = p.trials;
  state.failed = p.blocks_quarantined;
  state.workers = p.workers;
  state.nodes = p.nodes;
  state.note = p.note;
  progress_.update(state);
}

void print_run_summary(const Context& context, const RunSummary& summary) {
  const actors::Progress& last = summary.last;
  const bool waited = !last.sweep.empty();
  const std::uint64_t before = summary.submitted.trials_committed;
  const std::uint64_t committed = waited ? last.trials_committed : before;
  const double rate =
      summary.wall_s > 0 ? static_cast<double>(committed - before) / summary.wall_s : 0;
  if (context.json) {
    const nlohmann::ordered_json out = {{"sweep", summary.submitted.sweep},
                                        {"state", waited ? last.state : "running"},
                                        {"trials", summary.submitted.trials},
                                        {"trials_committed", committed},
                                        {"trials_run_now", committed - before},
                                        {"retries", last.retries},
                                        {"blocks_quarantined", last.blocks_quarantined},
                                        {"engine_s", static_cast<double>(last.work_ns) * 1e-9},
                                        {"wall_s", summary.wall_s},
                                        {"trials_per_s", rate}};
    std::printf("%s\n", out.dump().c_str());
    return;
  }
  std::printf("sweep %s\n", summary.submitted.sweep.c_str());
  if (!waited || context.quiet) return;
  std::printf("%s: %llu of %llu trials, %llu of them now in %.1f s\n", last.state.c_str(),
              static_cast<unsigned long long>(committed),
              static_cast<unsigned long long>(last.trials),
              static_cast<unsigned long long>(committed - before), summary.wall_s);
}

}  // namespace winnow::cli
