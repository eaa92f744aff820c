#include <algorithm>

#include "tests/sim/hosts.hpp"

namespace winnow::sim {
namespace {

// As actors/node.cpp.
constexpr std::int64_t kDialDelayMinNs = 50 * kMs;
constexpr std::int64_t kDialDelayMaxNs = 500 * kMs;
constexpr std::int64_t kRestartNs = 1000 * kMs;

const std::string& data_of(const actors::WorkerPool::Work& work) {
  const sweeps::Segment& segment = work.plan->segment_of_block(work.first_block);
  return work.plan->spec().data[segment.dataset].content_hash;
}

}  // namespace

NodeHost::NodeHost(World& world, const Workload& workload, Net& net, Canary canary,
                   std::uint32_t index)
    : world_(world), workload_(workload), net_(net), canary_(canary), index_(index) {
  process.name = "node-" + std::to_string(index);
  workers_ = static_cast<std::uint32_t>(
      world.between({workload.workers.low, workload.workers.high + 0.999}));
  speed_ = world.between(workload.speed);
}

void NodeHost::start() {
  process.alive = true;
  ++process.life;
  process.paused_until_ns = 0;
  core_ = std::make_unique<actors::NodeCore>(
      actors::NodeCoreOptions{process.name, workers_, "none", 0, ""}, *this);
  pool_.assign(workers_, {});
  adopted_ = spool_.size();
  const auto kept = spool_;
  for (const auto& [place, result] : kept) core_->adopted(result);
  dial_delay_ns_ = kDialDelayMinNs;
  world_.note(process.name, "starts", process.life, workers_);
  dial();
  world_.timer(process, core_->renew_interval(), [this] { tick(); });
}

void NodeHost::kill() {
  world_.note(process.name, "is killed");
  process.alive = false;
  ++process.life;
  core_.reset();
  link_.reset();
  queue_.clear();
  pool_.clear();
  fetching_.clear();
  net_.remote_died(*this);
}

void NodeHost::drain() {
  world_.note(process.name, "drains");
  core_->drain();
  wait_for_drained(200);
}

void NodeHost::wait_for_drained(int patience) {
  if (core_->busy() > 0 && patience > 0) {
    return world_.timer(process, milliseconds(100),
                        [this, patience] { wait_for_drained(patience - 1); });
  }
  core_->leave();
  kill();
  world_.outside(kRestartNs, [this] {
    if (!process.alive) start();
  });
}

void NodeHost::keep(const actors::BlockResult& result) {
  if (!workload_.spool) return;
  world_.note(process.name, "keeps", result.block);
  spool_[{result.sweep, result.block}] = result;
}

void NodeHost::forget(const std::string& sweep, std::uint64_t block) {
  spool_.erase({sweep, block});
}

void NodeHost::dial() { net_.dial(*this); }

void NodeHost::dial_later() {
  const auto jitter = static_cast<std::int64_t>(world_.rng.below(50)) * kMs;
  world_.timer(process, DurationNs{dial_delay_ns_ + jitter}, [this] { dial(); });
  dial_delay_ns_ = std::min(2 * dial_delay_ns_, kDialDelayMaxNs);
}

void NodeHost::on_connected(const LinkPtr& link) {
  touched = true;
  link_ = link;
  dial_delay_ns_ = kDialDelayMinNs;
  world_.note(process.name, "is connected", link->peer.value());
  core_->connected();
}

void NodeHost::on_dial_failed() { dial_later(); }

void NodeHost::on_disconnected(const LinkPtr& link) {
  touched = true;
  if (link != link_) return;
  world_.note(process.name, "is cut off");
  link_.reset();
  core_->disconnected();
  dial_later();
}

void NodeHost::on_frame(const Frame& frame) {
  touched = true;
  if (canary_ == Canary::NoFencing && core_->session() != 0) {
    Frame stale = frame;
    stale.session = core_->session();
    return core_->on_frame(stale);
  }
  core_->on_frame(frame);
}

void NodeHost::send(Frame frame) {
  if (canary_ == Canary::HidesLeases && actors::is<actors::Hello>(frame)) {
    auto hello = actors::decode<actors::Hello>(frame);
    hello->held.clear();
    frame = actors::encode(*hello, frame.session);
  }
  if (link_) net_.to_server(link_, std::move(frame));
}

void NodeHost::tick() {
  touched = true;
  core_->tick();
  world_.timer(process, core_->renew_interval(), [this] { tick(); });
}

void NodeHost::push(actors::WorkerPool::Work work) {
  queue_.push_back(std::move(work));
  feed();
}

std::vector<LeaseId> NodeHost::drop_queued() {
  std::vector<LeaseId> out;
  for (const auto& work : queue_) out.push_back(work.lease);
  queue_.clear();
  return out;
}

void NodeHost::feed() {
  for (std::size_t w = 0; w < pool_.size() && !queue_.empty(); ++w) {
    if (pool_[w].work) continue;
    pool_[w].work = std::move(queue_.front());
    pool_[w].block = pool_[w].work->first_block;
    queue_.pop_front();
    if (has_data(*pool_[w].work)) {
      compute(w);
      continue;
    }
    // As actors/engine_runner.cpp: it holds its place until the data is here.
    ++data_waits;
    world_.note(process.name, "waits for data", pool_[w].block);
    pool_[w].waits = true;
    fetch(data_of(*pool_[w].work));
  }
}

// ---- datasets, as actors/dataset_courier.cpp

std::optional<std::vector<std::string>> NodeHost::datasets() {
  if (!ships()) return std::nullopt;
  return std::vector<std::string>(data_.begin(), data_.end());
}

void NodeHost::on_dataset(const Frame& frame) {
  const auto wanted = actors::decode<actors::DatasetWanted>(frame);
  if (!wanted) return;
  if (canary_ == Canary::HidesData) return tell(wanted->dataset, actors::DatasetState::Is::Here);
  if (data_.contains(wanted->dataset)) {
    return tell(wanted->dataset, actors::DatasetState::Is::Here);
  }
  fetch(wanted->dataset);
}

void NodeHost::fetch(const std::string& data) {
  tell(data, actors::DatasetState::Is::Coming);
  if (!fetching_.insert(data).second) return;
  const double ms = world_.between(workload_.ship_ms);
  world_.in(process, static_cast<std::int64_t>(ms * kMs), [this, data] { arrived(data); });
}

void NodeHost::arrived(const std::string& data) {
  touched = true;
  fetching_.erase(data);
  const bool fails = faults_ && world_.chance(workload_.ship_fail_frac);
  if (!fails) {
    if (!data_.empty() && world_.chance(workload_.make_room_frac)) {
      const std::string gone = *data_.begin();
      data_.erase(gone);
      tell(gone, actors::DatasetState::Is::Gone);
    }
    data_.insert(data);
  }
  tell(data, fails ? actors::DatasetState::Is::Failed : actors::DatasetState::Is::Here);
  for (std::size_t w = 0; w < pool_.size(); ++w) {
    if (!pool_[w].work || !pool_[w].waits || data_of(*pool_[w].work) != data) continue;
    pool_[w].waits = false;
    if (!fails) {
      compute(w);
      continue;
    }
    const LeaseId place = pool_[w].work->lease;
    pool_[w].work.reset();
    core_->lease_over(place, Error(ErrorCode::Unavailable, "its dataset did not come"));
  }
  feed();
}

void NodeHost::tell(const std::string& data, actors::DatasetState::Is is) {
  world_.note(process.name, "tells of data", static_cast<std::uint64_t>(is));
  core_->ask(actors::DatasetState{data, static_cast<std::uint8_t>(is), 1, 2,
                                  is == actors::DatasetState::Is::Failed ? "it broke" : ""});
}

bool NodeHost::has_data(const actors::WorkerPool::Work& work) {
  return !ships() || data_.contains(data_of(work));
}

void NodeHost::compute(std::size_t w) {
  if (begins) begins(*this, {pool_[w].work->plan->id(), pool_[w].block});
  double ms = world_.between(workload_.block_ms) / speed_;
  if (faults_ && world_.chance(workload_.straggle_frac)) ms *= workload_.straggle_factor;
  const auto ns = static_cast<std::int64_t>(ms * kMs);
  Worker& worker = pool_[w];
  if (worker.work->alone) {
    worker.trial = worker.work->plan->block_range(worker.block).first_trial;
    worker.trial_ns = ns / worker.work->plan->block_range(worker.block).rows;
    worker.spent_ns = 0;
    return next_trial(w);
  }
  world_.in(process, ns, [this, w, ns] { computed(w, ns); });
}

// As actors/limited_runner.cpp: what runs alone runs trial by trial, each with leave.
void NodeHost::next_trial(std::size_t w) {
  Worker& worker = pool_[w];
  const auto range = worker.work->plan->block_range(worker.block);
  while (worker.trial < range.first_trial + range.rows &&
         worker.work->condemned.contains(worker.trial)) {
    ++worker.trial;
  }
  if (worker.trial == range.first_trial + range.rows) return computed(w, worker.spent_ns);
  core_->trial_begins(worker.work->lease, worker.trial);
}

void NodeHost::trial_leave(LeaseId place, std::uint64_t trial, actors::NodeCore::Leave leave) {
  for (std::size_t w = 0; w < pool_.size(); ++w) {
    if (!pool_[w].work || pool_[w].work->lease != place || pool_[w].trial != trial) continue;
    if (leave == actors::NodeCore::Leave::Begin) {
      world_.in(process, pool_[w].trial_ns, [this, w, place, trial] {
        Worker& worker = pool_[w];
        if (!worker.work || worker.work->lease != place || worker.trial != trial) return;
        touched = true;
        if (is_fatal(*worker.work, trial, 1)) return crash();
        worker.spent_ns += worker.trial_ns;
        ++worker.trial;
        next_trial(w);
      });
      return;
    }
    // Not within the core's own call.
    world_.in(process, 0, [this, w, place, trial] {
      Worker& worker = pool_[w];
      if (!worker.work || worker.work->lease != place || worker.trial != trial) return;
      touched = true;
      worker.work.reset();
      core_->lease_over(place, Error(ErrorCode::Cancelled, "the lease was over"));
      feed();
    });
    return;
  }
}

bool NodeHost::is_fatal(const actors::WorkerPool::Work& work, std::uint64_t first,
                        std::uint64_t rows) const {
  if (work.plan->spec().name != workload_.sweeps[0].name) return false;
  return std::any_of(workload_.fatal.begin(), workload_.fatal.end(), [&](std::int64_t one) {
    const auto trial = static_cast<std::uint64_t>(one);
    return trial >= first && trial - first < rows && !work.condemned.contains(trial);
  });
}

void NodeHost::crash() {
  kill();
  world_.outside(kRestartNs, [this] {
    if (!process.alive) start();
  });
}

void NodeHost::computed(std::size_t w, std::int64_t spent_ns) {
  touched = true;
  Worker& worker = pool_[w];
  const auto& work = *worker.work;
  const std::uint64_t block = worker.block;
  const LeaseId place = work.lease;
  const bool first_sweep = work.plan->spec().name == workload_.sweeps[0].name;
  if (first_sweep && workload_.poison_crash == static_cast<std::int64_t>(block)) return crash();
  const auto range = work.plan->block_range(block);
  if (is_fatal(work, range.first_trial, range.rows)) return crash();
  if (first_sweep && workload_.poison_fail == static_cast<std::int64_t>(block)) {
    worker.work.reset();
    core_->lease_over(place, Error(ErrorCode::Internal, "the block is poison"));
    return feed();
  }
  if (const auto stuck = stuck_trial(work, block); first_sweep && stuck) {
    return give_up(w, *stuck);
  }
  std::string bytes = results().block(work.plan, block);
  actors::Condemned condemned = work.condemned;
  for (auto& [trial, evidence] : condemned) evidence = "condemned";  // it names nodes
  if (!condemned.empty()) bytes = Results::cut_block(bytes, condemned);
  if (faults_ && index_ == 0 && world_.chance(workload_.wrong_frac)) {
    ++wrong_blocks;
    bytes = Results::wrong_block(bytes);
  }
  const bool last = ++worker.block == work.first_block + work.blocks;
  if (canary_ == Canary::LosesResults && world_.chance(0.05)) {
    // As if it were sent and forgotten: nobody ever hears of it.
  } else {
    core_->computed(place, block, DurationNs{spent_ns}, std::move(bytes));
  }
  if (!last) return compute(w);
  worker.work.reset();
  core_->lease_over(place, {});
  feed();
}

/// The first trial of the block that would not end.
std::optional<std::uint64_t> NodeHost::stuck_trial(const actors::WorkerPool::Work& work,
                                                   std::uint64_t block) const {
  const auto range = work.plan->block_range(block);
  for (const std::int64_t one : workload_.stuck) {
    const auto trial = static_cast<std::uint64_t>(one);
    if (trial < range.first_trial || trial - range.first_trial >= range.rows) continue;
    if (!work.condemned.contains(trial)) return trial;
  }
  return std::nullopt;
}

// As actors/node.cpp and cli/farm_commands.cpp: what runs is known to the trial if it runs alone,
// else to the block; then the process ends its other work and starts anew.
void NodeHost::give_up(std::size_t w, std::uint64_t trial) {
  const auto& work = *pool_[w].work;
  const auto range = work.plan->block_range(pool_[w].block);
  const std::uint64_t first = work.alone ? trial : range.first_trial;
  world_.note(process.name, "is stuck", first, work.alone ? 1 : range.rows);
  core_->overran(work.lease, first, work.alone ? 1 : range.rows, "it does not stop");
  wait_for_drained(50);
}

}  // namespace winnow::sim
