// winnow_odd_node HOME PORT WORKERS [slow|frozen|deaf|hungry|broken|fatal TRIAL]...
//
// A node of the farm on loopback port PORT with the datasets of HOME, until SIGTERM. Its trials are
// the engine's, but for those that are named: a slow one goes on until it is stopped, a frozen one
// stands still until there is a file HOME/thaw, a deaf one goes on for ever, a hungry one says that
// it needs 1 GiB, a broken one fails, a fatal one ends the process with SIGSEGV, which a new one
// follows as a supervisor would see to it.

#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "actors/dataset_courier.hpp"
#include "actors/limited_runner.hpp"
#include "actors/node.hpp"
#include "cluster/process.hpp"
#include "tests/support/eventually.hpp"

namespace winnow {
namespace {

constexpr std::chrono::hours kFrozenMax{1};

using Trials = std::map<std::string, std::set<std::uint64_t>>;

class OddComputer final : public actors::TrialComputer {
 public:
  OddComputer(std::shared_ptr<actors::TrialComputer> real, Trials trials,
              std::filesystem::path thaw)
      : real_(std::move(real)), trials_(std::move(trials)), thaw_(std::move(thaw)) {}

  Status prepare(const sweeps::Plan& plan, const sweeps::Segment& segment,
                 std::stop_token stop) override {
    return real_->prepare(plan, segment, stop);
  }
  Result<std::uint64_t> bytes(const Range& range) override {
    auto bytes = real_->bytes(range);
    if (bytes && has("hungry", range)) *bytes += std::uint64_t{1} << 30;
    return bytes;
  }
  Result<ResultBlock> compute(const Range& range, const std::function<bool()>& stop) override {
    while (has("slow", range)) {
      if (stop()) return Error(ErrorCode::Cancelled, "told to stop");
    }
    bool told = false;
    if (has("frozen", range)) {
      tests::eventually(kFrozenMax, [&] {
        told = stop();
        return told || std::filesystem::exists(thaw_);
      });
    }
    if (told) return Error(ErrorCode::Cancelled, "told to stop");
    for (volatile bool deaf = has("deaf", range); deaf;) {
    }
    if (has("fatal", range)) (void)::raise(SIGSEGV);
    if (has("broken", range)) return Error(ErrorCode::Internal, "a trial is broken");
    return real_->compute(range, stop);
  }

 private:
  bool has(const std::string& kind, const Range& range) const {
    const auto found = trials_.find(kind);
    if (found == trials_.end()) return false;
    const auto first = found->second.lower_bound(range.first_trial);
    return first != found->second.end() && *first < range.first_trial + range.trials;
  }

  std::shared_ptr<actors::TrialComputer> real_;
  Trials trials_;
  std::filesystem::path thaw_;
};

/// Starts node after node until one ends in good order; then ends as it did.
int supervise(const std::function<int()>& node) {
  sigset_t stop;
  ::sigemptyset(&stop);
  ::sigaddset(&stop, SIGTERM);
  for (;;) {
    const pid_t child = ::fork();
    if (child == 0) {
      (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
      return node();
    }
    const timespec wait{0, 50'000'000};
    int status = 0;
    bool stopped = false;
    while (::waitpid(child, &status, WNOHANG) == 0) {
      if (::sigtimedwait(&stop, nullptr, &wait) == SIGTERM) {
        stopped = true;
        (void)::kill(child, SIGTERM);
      }
    }
    if (WIFEXITED(status)) return WEXITSTATUS(status);
    if (stopped) return 0;
  }
}

int run_node(int argc, char** argv) {
  sigset_t stop;
  ::sigemptyset(&stop);
  ::sigaddset(&stop, SIGTERM);
  (void)::pthread_sigmask(SIG_BLOCK, &stop, nullptr);
  const std::filesystem::path home = argv[1];
  Trials trials;
  for (int i = 4; i + 1 < argc; i += 2) {
    trials[argv[i]].insert(std::strtoull(argv[i + 1], nullptr, 10));
  }
  actors::NodeOptions options;
  options.port = static_cast<std::uint16_t>(std::atoi(argv[2]));
  options.workers = static_cast<std::uint32_t>(std::atoi(argv[3]));
  options.courier =
      std::make_shared<actors::DatasetCourier>(actors::CourierOptions{.data_dir = home / "data"});
  options.run_folder = home / "run";
  const auto engine = actors::make_engine_computer((home / "data").string(), options.courier);
  const auto node = actors::NodeProcess::start(
      options,
      actors::make_limited_runner(std::make_shared<OddComputer>(engine, trials, home / "thaw")));
  const timespec wait{0, 100'000'000};
  while (::sigtimedwait(&stop, nullptr, &wait) < 0) {
    if (!node->wants_restart()) continue;
    node->drain(seconds(5));
    const Status failed = cluster::start_anew();
    spdlog::critical("{}", failed.error().text());
    ::_exit(1);
  }
  node->drain(seconds(5));
  if (node->wants_restart()) ::_exit(0);
  return 0;
}

int run(int argc, char** argv) {
  bool fatal = false;
  for (int i = 4; i + 1 < argc; i += 2) fatal = fatal || std::string(argv[i]) == "fatal";
  if (!fatal) return run_node(argc, argv);
  sigset_t stop;
  ::sigemptyset(&stop);
  ::sigaddset(&stop, SIGTERM);
  (void)::pthread_sigmask(SIG_BLOCK, &stop, nullptr);
  return supervise([&] { return run_node(argc, argv); });
}

}  // namespace
}  // namespace winnow

int main(int argc, char** argv) {
  if (argc >= 4) return winnow::run(argc, argv);
  std::fprintf(stderr,
               "usage: %s HOME PORT WORKERS [slow|frozen|deaf|hungry|broken|fatal TRIAL]...\n",
               argv[0]);
  return 2;
}
