#include "tests/sim/workload.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <functional>
#include <map>

#include "sweeps/checked_rows.hpp"

namespace winnow::sim {
namespace {

using Readers = std::map<std::string, std::function<void(const YAML::Node&)>>;

Between between(const YAML::Node& node) {
  if (node.IsScalar()) return {node.as<double>(), node.as<double>()};
  return {node[0].as<double>(), node[1].as<double>()};
}

void read_map(const YAML::Node& node, const std::string& where, const Readers& readers) {
  for (const auto& entry : node) {
    const std::string key = entry.first.as<std::string>();
    const auto reader = readers.find(key);
    if (reader == readers.end()) throw YAML::Exception(entry.first.Mark(), where + key + "?");
    reader->second(entry.second);
  }
}

std::function<void(const YAML::Node&)> number(double& into) {
  return [&into](const YAML::Node& node) { into = node.as<double>(); };
}
std::function<void(const YAML::Node&)> span(Between& into) {
  return [&into](const YAML::Node& node) { into = between(node); };
}
std::function<void(const YAML::Node&)> recurring(Recurring& into) {
  return [&into](const YAML::Node& node) {
    read_map(node, "", {{"every_s", number(into.every_s)}, {"for_s", span(into.for_s)}});
  };
}
template <class T>
std::function<void(const YAML::Node&)> value(T& into) {
  return [&into](const YAML::Node& node) { into = node.as<T>(); };
}

void read_sweeps(const YAML::Node& node, std::vector<SweepDecl>& sweeps) {
  for (const YAML::Node& one : node) {
    SweepDecl sweep;
    read_map(one, "sweeps.",
             {{"name", value(sweep.name)},
              {"user", value(sweep.user)},
              {"blocks", value(sweep.blocks)},
              {"data", value(sweep.data)},
              {"search", value(sweep.search)},
              {"fidelity", value(sweep.fidelity)},
              {"priority", value(sweep.priority)},
              {"weight", number(sweep.weight)},
              {"budget_frac", number(sweep.budget_frac)},
              {"budget_cpu_s", number(sweep.budget_cpu_s)}});
    sweeps.push_back(sweep);
  }
}

void read_all(const YAML::Node& root, Workload& w) {
  const Readers faults{{"drop_frac", number(w.drop_frac)},
                       {"double_frac", number(w.double_frac)},
                       {"late_frac", number(w.late_frac)},
                       {"late_ms", span(w.late_ms)},
                       {"partition", recurring(w.partition)},
                       {"connection_break", recurring(w.connection_break)},
                       {"coordinator_kill", recurring(w.coordinator_kill)},
                       {"node_kill", recurring(w.node_kill)},
                       {"node_drain", recurring(w.node_drain)},
                       {"pause", recurring(w.pause)},
                       {"disk_full", recurring(w.disk_full)},
                       {"disk_slow", recurring(w.disk_slow)},
                       {"disk_slow_factor", number(w.disk_slow_factor)},
                       {"clock_rate_frac", number(w.clock_rate_frac)},
                       {"straggle_frac", number(w.straggle_frac)},
                       {"straggle_factor", number(w.straggle_factor)},
                       {"ship_fail_frac", number(w.ship_fail_frac)},
                       {"wrong_frac", number(w.wrong_frac)},
                       {"poison_fail", value(w.poison_fail)},
                       {"poison_crash", value(w.poison_crash)},
                       {"fatal", value(w.fatal)},
                       {"stuck", value(w.stuck)},
                       {"control_every_s", number(w.control_every_s)}};
  read_map(root, "",
           {{"nodes", value(w.nodes)},
            {"workers", span(w.workers)},
            {"speed", span(w.speed)},
            {"spool", value(w.spool)},
            {"sweeps", [&](const YAML::Node& node) { read_sweeps(node, w.sweeps); }},
            {"block_ms", span(w.block_ms)},
            {"latency_ms", span(w.latency_ms)},
            {"sync_ms", span(w.sync_ms)},
            {"ship_ms", span(w.ship_ms)},
            {"make_room_frac", number(w.make_room_frac)},
            {"faults_for_s", number(w.faults_for_s)},
            {"finish_within_s", number(w.finish_within_s)},
            {"recomputed_max", value(w.recomputed_max)},
            {"unfair_frac_max", number(w.unfair_frac_max)},
            {"data_waits_max", value(w.data_waits_max)},
            {"faults", [&](const YAML::Node& node) { read_map(node, "faults.", faults); }}});
}

}  // namespace

Result<Workload> read_workload(const std::filesystem::path& file) {
  Workload w;
  w.name = file.stem().string();
  try {
    read_all(YAML::LoadFile(file.string()), w);
  } catch (const YAML::Exception& e) {
    return Error(ErrorCode::InvalidInput, file.string() + ": " + e.what());
  }
  if (w.sweeps.empty() || w.nodes == 0) {
    return Error(ErrorCode::InvalidInput, file.string() + ": needs a node and a sweep");
  }
  return w;
}

Result<std::vector<Workload>> read_workloads(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  std::error_code ec;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ec)) {
    if (entry.path().extension() == ".yaml") files.push_back(entry.path());
  }
  if (files.empty()) return Error(ErrorCode::NotFound, "no workloads in " + folder.string());
  std::sort(files.begin(), files.end());
  std::vector<Workload> out;
  for (const auto& file : files) {
    auto workload = read_workload(file);
    if (!workload) return workload.error();
    out.push_back(std::move(*workload));
  }
  return out;
}

Workload quiet(Workload w) {
  Workload calm;
  calm.name = w.name;
  calm.nodes = w.nodes;
  calm.workers = w.workers;
  calm.speed = w.speed;
  calm.spool = w.spool;
  calm.sweeps = w.sweeps;
  calm.block_ms = w.block_ms;
  calm.latency_ms = w.latency_ms;
  calm.sync_ms = w.sync_ms;
  calm.ship_ms = w.ship_ms;
  calm.faults_for_s = 0;
  calm.poison_fail = w.poison_fail;
  calm.poison_crash = w.poison_crash;
  calm.fatal = w.fatal;
  calm.stuck = w.stuck;
  return calm;
}

actors::CheckResult passed(const actors::CheckOrder& order) {
  actors::CheckResult result;
  result.ticket = order.ticket;
  for (const std::uint32_t segment : order.segments) {
    result.passed.push_back(sweeps::check_key(*order.plan, order.plan->segments()[segment]));
  }
  return result;
}

}  // namespace winnow::sim
