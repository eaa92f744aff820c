#include "actors/worker_pool.hpp"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <exception>

namespace winnow::actors {
namespace {

// Workers yield to everything that answers a message: a node that is busy must still renew leases.
constexpr int kWorkerNice = 5;

void lower_own_priority() {
  const auto thread = static_cast<id_t>(::syscall(SYS_gettid));
  (void)::setpriority(PRIO_PROCESS, thread, kWorkerNice);
}

}  // namespace

WorkerPool::WorkerPool(std::uint32_t workers, TrialRunner& runner, Callbacks callbacks)
    : runner_(runner), callbacks_(std::move(callbacks)) {
  for (std::uint32_t i = 0; i < workers; ++i) {
    threads_.emplace_back([this](std::stop_token stop) {
      lower_own_priority();
      loop(stop);
    });
  }
}

WorkerPool::~WorkerPool() {
  for (std::jthread& thread : threads_) thread.request_stop();
}

void WorkerPool::push(Work work) {
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(work));
  }
  wake_.notify_one();
}

std::vector<LeaseId> WorkerPool::drop_queued() {
  const std::lock_guard lock(mutex_);
  std::vector<LeaseId> dropped;
  for (const Work& work : queue_) dropped.push_back(work.lease);
  queue_.clear();
  return dropped;
}

std::size_t WorkerPool::waiting() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

void WorkerPool::loop(std::stop_token stop) {
  for (;;) {
    Work work;
    {
      std::unique_lock lock(mutex_);
      if (!wake_.wait(lock, stop, [&] { return !queue_.empty(); })) return;
      work = std::move(queue_.front());
      queue_.pop_front();
    }
    Status status;
    RunRequest request{work.plan,  work.first_block,          work.blocks, work.lease,
                       work.alone, std::move(work.condemned), {}};
    if (work.alone && callbacks_.before_trial) {
      request.before_trial = [&](std::uint64_t trial, std::stop_token asked) {
        return callbacks_.before_trial(work.lease, trial, std::move(asked));
      };
    }
    try {
      status = runner_.run(request, stop, [&](ResultBlock block, DurationNs spent) {
        callbacks_.block(work.lease, std::move(block), spent);
      });
    } catch (const std::exception& e) {  // out of memory, say: the lease fails, the node lives
      status = Error(ErrorCode::Internal, std::string("the worker threw: ") + e.what());
    }
    if (stop.stop_requested() && !status.ok()) return;
    callbacks_.finished(work.lease, std::move(status));
  }
}

}  // namespace winnow::actors
