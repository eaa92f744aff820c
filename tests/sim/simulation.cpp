#include "tests/sim/simulation.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include "tests/sim/checks.hpp"

namespace winnow::sim {
namespace {

constexpr double kNs = 1e9;
constexpr std::int64_t kConnectionTimeoutNs = 10'000'000'000;  // as actors/wire.hpp
constexpr std::int64_t kHeartbeatNs = 1'000'000'000;

Disk::Broken broken_disk(Canary canary) {
  return {.forgets_committed = canary == Canary::ForgetsCommitted,
          .compares_nothing = canary == Canary::ComparesNothing,
          .counts_repeats = canary == Canary::CountsRepeats};
}

/// Purpose: one run: builds the farm, lets faults happen, ends them, waits for the end.
class Run {
 public:
  Run(const Workload& workload, std::uint64_t seed, const RunOptions& options)
      : workload_(workload),
        world_(seed, options.print),
        disk_(broken_disk(options.canary)),
        checks_(disk_, workload),
        coordinator_(world_, workload, disk_, checks_, options.canary),
        net_(world_, workload, coordinator_),
        client_(world_, workload, net_) {
    coordinator_.process.name = "coordinator";
    coordinator_.set_net(net_);
    for (std::uint32_t i = 0; i < workload.nodes; ++i) {
      nodes_.push_back(std::make_unique<NodeHost>(world_, workload, net_, options.canary, i));
      nodes_.back()->begins = [this](const NodeHost& node, const Disk::Place& block) {
        begun(node, block);
      };
    }
    set_clock(coordinator_.process);
    for (auto& node : nodes_) set_clock(node->process);
  }

  RunReport run(const std::string& quiet) {
    coordinator_.start();
    for (auto& node : nodes_) {
      world_.outside(static_cast<std::int64_t>(world_.rng.below(2'000'000'000)), [&node] {
        if (!node->process.alive) node->start();
      });
    }
    client_.start();
    start_faults();
    world_.outside(faults_end_ns(), [this] { end_faults(); });
    const std::int64_t end =
        faults_end_ns() + static_cast<std::int64_t>(workload_.finish_within_s * kNs);
    while (!checks_.failed() && !over() && world_.step(end)) check();
    if (!checks_.failed() && !over()) checks_.broken("the farm is stuck: " + what_waits());
    if (!checks_.failed() && !quiet.empty()) checks_.at_end(quiet);
    return {.failure = checks_.failure(),
            .trace = world_.trace(),
            .steps = world_.steps(),
            .frames = net_.frames(),
            .kills = kills_,
            .held = held_,
            .recomputed = recomputed_,
            .virtual_s = static_cast<double>(world_.now_ns()) / kNs,
            .digest = digest(disk_)};
  }

 private:
  std::int64_t faults_end_ns() const {
    return static_cast<std::int64_t>(workload_.faults_for_s * kNs);
  }

  void set_clock(Process& process) {
    process.clock_offset_ns = static_cast<std::int64_t>(world_.rng.below(1'000'000'000'000));
    process.clock_rate = 1 + workload_.clock_rate_frac * (2 * world_.rng.uniform() - 1);
  }

  void check() {
    if (coordinator_.touched && workload_.unfair_frac_max > 0) check_shares();
    if (coordinator_.touched) checks_.coordinator(coordinator_, nodes_.size());
    coordinator_.touched = false;
    for (auto& node : nodes_) {
      if (node->touched) checks_.node(*node);
      node->touched = false;
    }
    check_data_waits();
  }

  void check_data_waits() {
    if (workload_.data_waits_max < 0) return;
    std::uint64_t waits = 0;
    for (const auto& node : nodes_) waits += node->data_waits;
    if (waits > static_cast<std::uint64_t>(workload_.data_waits_max)) {
      checks_.broken(std::to_string(waits) + " workers had to wait for a dataset");
    }
  }

  /// Seconds of work that each user's sweeps had so far; nothing before all are submitted.
  std::optional<std::map<std::string, double>> work_by_user() {
    const auto sweeps = disk_.sweeps();
    if (sweeps->size() < workload_.sweeps.size()) return std::nullopt;
    std::map<std::string, double> had_s;
    for (const store::SweepMeta& meta : *sweeps) {
      const auto progress = coordinator_.core()->scheduler().progress(meta.id);
      if (!progress) return std::nullopt;
      had_s[meta.user] += progress->work_s;
      a_sweep_is_done_ = a_sweep_is_done_ || progress->committed == progress->blocks;
    }
    return had_s;
  }

  /// Looks once, when the first sweep is done: since the last one came, every user had as much. A
  /// short while says nothing, as what is given out at once is a sixth of it.
  void check_shares() {
    constexpr double kTellingShareS = 6;
    if (a_sweep_is_done_ || coordinator_.core() == nullptr) return;
    auto had_s = work_by_user();
    if (!had_s) return;
    if (all_came_.empty()) all_came_ = *had_s;
    if (!a_sweep_is_done_) return;
    double all_s = 0;
    for (auto& [user, s] : *had_s) all_s += s -= all_came_[user];
    const double even_s = all_s / static_cast<double>(had_s->size());
    if (even_s < kTellingShareS) return;
    for (const auto& [user, s] : *had_s) {
      if (s >= even_s * (1 - workload_.unfair_frac_max)) continue;
      std::string what = "user ";
      what += user;
      checks_.broken(what + " had an unfair share: " + std::to_string(s) + " s, an even one is " +
                     std::to_string(even_s) + " s");
    }
  }

  /// Every sweep is done and every node has nothing left.
  bool over() {
    if (world_.now_ns() < faults_end_ns() || world_.steps() % 16 != 0) return over_;
    const auto sweeps = disk_.sweeps();
    over_ = sweeps->size() == workload_.sweeps.size() &&
            std::all_of(sweeps->begin(), sweeps->end(), [](const store::SweepMeta& m) {
              return m.state == store::SweepState::Done;
            });
    for (const auto& node : nodes_) {
      over_ = over_ && node->core() != nullptr && node->core()->busy() == 0;
    }
    return over_;
  }

  // ---- what is computed twice because of a restart

  void remember_held() {
    at_work_.clear();
    std::set<Disk::Place> copied;  // by order of the coordinator that is killed
    constexpr std::uint64_t kNoSession = 0;
    for (const auto& node : nodes_) {
      if (node->core() == nullptr) continue;
      for (const actors::Held& held : node->core()->held_except(kNoSession)) {
        const std::set<std::uint64_t> settled(held.settled.begin(), held.settled.end());
        for (std::uint64_t b = held.first_block; b < held.first_block + held.blocks; ++b) {
          if (settled.contains(b)) continue;
          const Holder holder{node.get(), node->process.life};
          if (!at_work_.emplace(Disk::Place(held.sweep, b), holder).second) {
            copied.insert({held.sweep, b});
          }
        }
      }
    }
    for (const Disk::Place& block : copied) at_work_.erase(block);
    held_ += at_work_.size();
  }

  void begun(const NodeHost& node, const Disk::Place& block) {
    const auto held = at_work_.find(block);
    if (held == at_work_.end()) return;
    const auto& [holder, life] = held->second;
    if (holder != &node && holder->process.alive && holder->process.life == life &&
        !is_copy(node, block)) {
      ++recomputed_;
      world_.note(node.process.name, "recomputes", block.second);
    }
    at_work_.erase(held);
    if (workload_.recomputed_max >= 0 &&
        recomputed_ > static_cast<std::uint64_t>(workload_.recomputed_max)) {
      std::string what = "block ";
      what += std::to_string(block.second);
      checks_.broken(what + " is computed twice because the coordinator was restarted");
    }
  }

  /// An idle node runs it beside its holder, which is known and slow.
  bool is_copy(const NodeHost& node, const Disk::Place& block) const {
    if (coordinator_.core() == nullptr) return false;
    const NodeId own(node.core()->session());
    for (const auto& [id, lease, open] : coordinator_.core()->scheduler().live_leases()) {
      if (id == own || lease.sweep != block.first || block.second < lease.first_block) continue;
      const std::uint64_t at = block.second - lease.first_block;
      if (at < open.size() && open[at]) return true;
    }
    return false;
  }

  std::string what_waits() const {
    std::string out;
    const auto sweeps = disk_.sweeps();
    for (const store::SweepMeta& meta : *sweeps) {
      out += meta.name + " is " + std::string(store::sweep_state_name(meta.state)) + "; ";
      if (coordinator_.core() != nullptr) {
        out += coordinator_.core()->scheduler().explain(meta.id, {}, {}) + " ";
      }
    }
    for (const auto& node : nodes_) {
      if (node->core() == nullptr) continue;
      out += node->process.name + " holds " + std::to_string(node->core()->places()) +
             " leases and " + std::to_string(node->core()->unacknowledged()) + " results; ";
    }
    return out;
  }

  // ---- faults

  void start_faults() {
    recur(workload_.partition, [this](std::int64_t for_ns) { cut_off(some_remote(), for_ns); });
    recur(workload_.connection_break,
          [this](std::int64_t for_ns) { net_.break_links_of(some_remote(), for_ns); });
    recur(workload_.coordinator_kill, [this](std::int64_t for_ns) {
      if (!coordinator_.process.alive) return;
      ++kills_;
      remember_held();
      coordinator_.kill();
      world_.outside(for_ns, [this] { start_coordinator(); });
    });
    recur(workload_.node_kill, [this](std::int64_t for_ns) {
      NodeHost& node = some_node();
      if (!node.process.alive) return;
      ++kills_;
      node.kill();
      world_.outside(for_ns, [&node] {
        if (!node.process.alive) node.start();
      });
    });
    recur(workload_.node_drain, [this](std::int64_t) {
      NodeHost& node = some_node();
      if (node.process.alive && node.process.paused_until_ns <= world_.now_ns()) node.drain();
    });
    recur(workload_.pause, [this](std::int64_t for_ns) { pause(for_ns); });
    recur(workload_.disk_full, [this](std::int64_t for_ns) {
      world_.note("disk", "is full");
      disk_.set_full(true);
      world_.outside(for_ns, [this] { disk_.set_full(false); });
    });
    recur(workload_.disk_slow, [this](std::int64_t for_ns) {
      world_.note("disk", "is slow");
      coordinator_.slowness = workload_.disk_slow_factor;
      world_.outside(for_ns, [this] { coordinator_.slowness = 1; });
    });
  }

  void recur(const Recurring& fault, std::function<void(std::int64_t for_ns)> strike) {
    if (fault.every_s <= 0) return;
    // Exponential waits, so that faults meet in every order.
    const double wait_s = -fault.every_s * std::log(1 - world_.rng.uniform());
    world_.outside(static_cast<std::int64_t>(wait_s * kNs), [this, &fault, strike] {
      if (faults_over_) return;
      strike(world_.ns_between_s(fault.for_s));
      recur(fault, strike);
    });
  }

  NodeHost& some_node() { return *nodes_[world_.rng.below(nodes_.size())]; }
  Remote& some_remote() {
    if (world_.rng.below(6) == 0) return client_;
    return some_node();
  }

  void start_coordinator() {
    if (coordinator_.process.alive) return;
    coordinator_.start();
    checks_.after_restart();
  }

  // A connection without a heartbeat for its timeout is dropped at either end.
  void time_out(std::function<void()> drop, std::int64_t for_ns) {
    if (for_ns > kConnectionTimeoutNs) world_.outside(kConnectionTimeoutNs, std::move(drop));
  }

  void cut_off(Remote& remote, std::int64_t for_ns) {
    world_.note(remote.process.name, "is partitioned", static_cast<std::uint64_t>(for_ns));
    remote.cut_off_until_ns = world_.now_ns() + for_ns;
    time_out([this, &remote] { net_.break_links_of(remote, kHeartbeatNs); }, for_ns);
  }

  void pause(std::int64_t for_ns) {
    const bool centre = world_.rng.below(4) == 0;
    Process& process = centre ? coordinator_.process : some_remote().process;
    world_.note(process.name, "is stopped", static_cast<std::uint64_t>(for_ns));
    process.paused_until_ns = world_.now_ns() + for_ns;
    time_out(
        [this, &process] {
          for (const LinkPtr& link : net_.links()) {
            if (&process == &coordinator_.process || &process == &link->remote->process) {
              net_.break_link(link, kHeartbeatNs);
            }
          }
        },
        for_ns);
  }

  void end_faults() {
    world_.note("world", "faults cease");
    faults_over_ = true;
    net_.set_faults(false);
    disk_.set_full(false);
    coordinator_.slowness = 1;
    coordinator_.process.paused_until_ns = 0;
    start_coordinator();
    client_.cut_off_until_ns = 0;
    client_.process.paused_until_ns = 0;
    for (auto& node : nodes_) {
      node->cut_off_until_ns = 0;
      node->process.paused_until_ns = 0;
      node->set_faults(false);
      if (!node->process.alive) node->start();
    }
    // After the last late frame.
    world_.outside(5'000'000'000, [this] { client_.insist(); });
  }

  const Workload& workload_;
  World world_;
  Disk disk_;
  Checks checks_;
  CoordinatorHost coordinator_;
  Net net_;
  std::vector<std::unique_ptr<NodeHost>> nodes_;
  ClientHost client_;
  bool faults_over_ = false;
  bool over_ = false;
  std::map<std::string, double> all_came_;  // what users had when the last sweep came
  bool a_sweep_is_done_ = false;
  std::uint64_t kills_ = 0;
  struct Holder {
    const NodeHost* node = nullptr;
    std::uint64_t life = 0;
  };
  std::map<Disk::Place, Holder> at_work_;  // when the coordinator was last killed
  std::uint64_t held_ = 0;
  std::uint64_t recomputed_ = 0;
};

}  // namespace

RunReport simulate(const Workload& workload, std::uint64_t seed, const RunOptions& options) {
  const std::string quiet = quiet_digest(workload);
  return Run(workload, seed, options).run(quiet);
}

const std::string& quiet_digest(const Workload& workload) {
  static std::map<std::string, std::string> made;
  std::string& known = made[workload.name];
  if (known.empty()) {
    const Workload calm = quiet(workload);
    const RunReport report = Run(calm, 0, {}).run("");
    known = report.failure.empty() ? report.digest : "the quiet run fails: " + report.failure;
  }
  return known;
}

}  // namespace winnow::sim
