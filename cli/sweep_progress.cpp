#include "cli/sweep_progress.hpp"

#include <unistd.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/time.hpp"

namespace winnow::cli {

struct SweepProgress::Impl {
  bool quiet = false;
  MonoNs start = system_clock().mono();
  MonoNs shown{};
  actors::Progress last;
};

SweepProgress::SweepProgress(const Context& context) : impl_(std::make_unique<Impl>()) {
  impl_->quiet = context.quiet;
}
SweepProgress::~SweepProgress() = default;

void SweepProgress::update(const actors::Progress& p) {
  impl_->last = p;
  const MonoNs now = system_clock().mono();
  if (impl_->quiet || (now - impl_->shown < seconds(2) && p.state == "running")) return;
  impl_->shown = now;
  std::fprintf(stderr, "%llu/%llu trials, %u nodes, %u workers %s\n",
               static_cast<unsigned long long>(p.trials_committed),
               static_cast<unsigned long long>(p.trials), p.nodes, p.workers, p.note.c_str());
}

void SweepProgress::finish() {}

std::string current_user() {
  const char* user = std::getenv("USER");
  return user != nullptr && *user != '\0' ? user : "uid-" + std::to_string(::getuid());
}

void print_run_summary(const Context& context, const RunSummary& summary, bool detached) {
  const actors::Progress& last = summary.last;
  const std::uint64_t fresh =
      detached ? 0 : last.trials_committed - summary.submitted.trials_committed;
  const double rate = summary.wall_s > 0 ? static_cast<double>(fresh) / summary.wall_s : 0;
  if (context.json) {
    const nlohmann::json out = {{"sweep", summary.submitted.sweep},
                                {"state", detached ? "running" : last.state},
                                {"trials", summary.submitted.trials},
                                {"trials_committed",
                                 detached ? summary.submitted.trials_committed : last.trials_committed},
                                {"trials_run_now", fresh},
                                {"retries", last.retries},
                                {"blocks_quarantined", last.blocks_quarantined},
                                {"engine_s", static_cast<double>(last.work_ns) * 1e-9},
                                {"wall_s", summary.wall_s},
                                {"trials_per_s", rate}};
    std::printf("%s\n", out.dump().c_str());
    return;
  }
  std::printf("sweep %s\n", summary.submitted.sweep.c_str());
  if (detached || context.quiet) return;
  std::printf("%s: %llu of %llu trials, %llu of them now in %.1f s (%.0f trials/s)\n",
              last.state.c_str(), static_cast<unsigned long long>(last.trials_committed),
              static_cast<unsigned long long>(last.trials), static_cast<unsigned long long>(fresh),
              summary.wall_s, rate);
}

}  // namespace winnow::cli
