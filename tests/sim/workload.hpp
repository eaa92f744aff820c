#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "actors/check_desk.hpp"
#include "base/result.hpp"

namespace winnow::sim {

/// A span from which a value is drawn evenly.
struct Between {
  double low = 0;
  double high = 0;
};

/// Something that happens again and again while faults last: the mean time between two, and how
/// long each lasts. `every_s` 0: never.
struct Recurring {
  double every_s = 0;
  Between for_s;
};

struct SweepDecl {
  std::string name;
  std::string user = "ada";
  std::uint32_t blocks = 16;
  std::int32_t priority = 0;
  double weight = 1;
  double budget_frac = 0;   ///< of its trials at first, and again with every extension; 0: none
  double budget_cpu_s = 0;  ///< of engine time, likewise
  std::string data = "sim-a, sim-b";
  std::string search = "random";  ///< or a method that learns
  std::string fidelity = "";      ///< its ladder of windows, in YAML
};

/// Purpose: a farm, what it has to do and what goes wrong meanwhile, as data (workloads/*.yaml).
struct Workload {
  std::string name;
  std::uint32_t nodes = 3;
  Between workers{1, 2};
  Between speed{1, 1};  ///< of a node against the blocks' cost
  bool spool = false;   ///< nodes keep unacknowledged results on disks of their own
  std::vector<SweepDecl> sweeps;
  Between block_ms{20, 80};
  Between latency_ms{0.2, 2};
  Between sync_ms{1, 5};
  Between ship_ms{0, 0};      ///< for a dataset to reach a node; 0: nobody need tell what it holds
  double ship_fail_frac = 0;  ///< of the datasets' ways to a node, which fail at their end
  double make_room_frac = 0;  ///< of those that succeed, which cost the node another dataset
  double faults_for_s = 30;   ///< then everything is sound again
  double finish_within_s = 900;  ///< of virtual time after that, or the farm is stuck

  // Of every frame while faults last.
  double drop_frac = 0;
  double double_frac = 0;
  double late_frac = 0;  ///< overtaken by others, by up to late_ms, even past its connection's end
  Between late_ms{1, 3000};

  Recurring partition;         ///< one node
  Recurring connection_break;  ///< noticed at either end at its own time
  Recurring coordinator_kill;
  Recurring node_kill;
  Recurring node_drain;  ///< a node leaves in good order and another comes
  Recurring pause;       ///< of any process, as SIGSTOP does
  Recurring disk_full;
  Recurring disk_slow;
  double disk_slow_factor = 100;
  double clock_rate_frac = 0;  ///< clocks run fast or slow by up to this fraction
  double straggle_frac = 0;    ///< of blocks, which take straggle_factor times as long
  double straggle_factor = 100;
  double wrong_frac = 0;            ///< of the blocks of node 0, whose bytes are wrong
  std::int64_t poison_fail = -1;    ///< this block of the first sweep always fails
  std::int64_t poison_crash = -1;   ///< this one takes its node down
  std::vector<std::int64_t> fatal;  ///< trials of the first sweep that take their node down
  std::vector<std::int64_t> stuck;  ///< trials of the first sweep that never end by themselves
  /// Blocks begun elsewhere though a node that lives was at work on them when the coordinator was
  /// killed, copies for idle nodes aside: at most so many a run; below 0: any.
  std::int64_t recomputed_max = -1;
  /// When the first sweep is done, no user has had less than an even share of the engine time by
  /// more than this fraction of it; 0: not looked at.
  double unfair_frac_max = 0;
  /// Leases whose worker had to wait for the dataset: at most so many a run; below 0: any.
  std::int64_t data_waits_max = -1;
  double control_every_s = 0;  ///< a client pauses, resumes, cancels or submits again
};

/// Fails: InvalidInput, naming file and key.
Result<Workload> read_workload(const std::filesystem::path& file);
/// All of a folder, by name. Fails: as read_workload, and NotFound.
Result<std::vector<Workload>> read_workloads(const std::filesystem::path& folder);

/// The same farm and work without any fault.
Workload quiet(Workload workload);

/// What the detectors say of a workload's strategies, which hold no fault.
actors::CheckResult passed(const actors::CheckOrder& order);

}  // namespace winnow::sim
