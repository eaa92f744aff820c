#include "tests/sim/explore.hpp"

#include <algorithm>
#include <fstream>

namespace winnow::sim {
namespace {

std::string first_line(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

/// What is checked out, as far as the source tree says.
std::string commit() {
  const std::filesystem::path git = std::filesystem::path(WINNOW_SOURCE_DIR) / ".git";
  const std::string head = first_line(git / "HEAD");
  if (!head.starts_with("ref: ")) return head.empty() ? "unknown" : head;
  const std::string id = first_line(git / head.substr(5));
  return id.empty() ? head.substr(5) : id;
}

std::string failure_text(const Workload& workload, std::uint64_t seed, const RunReport& report) {
  return "seed " + std::to_string(seed) + " of workload " + workload.name + " at commit " +
         commit() + ": " + report.failure + "\n  replay: winnow_sim --workload " + workload.name +
         " --seed " + std::to_string(seed) + " --trace";
}

}  // namespace

Result<Explored> explore(const Exploration& what) {
  const std::filesystem::path folder =
      std::filesystem::path(WINNOW_SOURCE_DIR) / "tests/sim/workloads";
  auto workloads = read_workloads(folder);
  if (!workloads) return workloads.error();
  if (!what.workload.empty()) {
    std::erase_if(*workloads, [&](const Workload& w) { return w.name != what.workload; });
    if (workloads->empty()) {
      return Error(ErrorCode::NotFound, "no workload " + what.workload + " in " + folder.string());
    }
  }
  Explored out;
  for (std::uint64_t seed = what.first; seed < what.first + what.seeds; ++seed) {
    const Workload& workload = (*workloads)[seed % workloads->size()];
    const RunReport report = simulate(workload, seed, what.options);
    ++out.seeds;
    out.steps += report.steps;
    out.frames += report.frames;
    out.kills += report.kills;
    out.held += report.held;
    out.recomputed += report.recomputed;
    out.virtual_s += report.virtual_s;
    out.trace = mix64(out.trace ^ report.trace);
    if (report.failure.empty()) continue;
    out.failures.push_back(failure_text(workload, seed, report));
    if (out.failures.size() >= what.failures_max) break;
  }
  return out;
}

std::string Explored::summary() const {
  std::string out;
  for (const std::string& failure : failures) out += failure + "\n";
  return out + std::to_string(seeds) + " seeds, " + std::to_string(failures.size()) +
         " failures, " + std::to_string(steps) + " steps, " + std::to_string(frames) + " frames, " +
         std::to_string(kills) + " kills, " + std::to_string(recomputed) + " of " +
         std::to_string(held) + " held blocks recomputed, " +
         std::to_string(static_cast<std::uint64_t>(virtual_s)) + " virtual seconds, trace " +
         std::to_string(trace);
}

}  // namespace winnow::sim
