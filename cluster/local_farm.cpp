#include "cluster/local_farm.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <utility>

#include "cluster/process.hpp"

namespace winnow::cluster {
namespace {

constexpr DurationNs kReadyPatience = seconds(30);
constexpr int kReadyLookMs = 100;
constexpr suseconds_t kEndAfterOwner_us = 700'000;
constexpr std::uint32_t kQuickDeathsMax = 5;
constexpr DurationNs kQuickDeath = seconds(2);
constexpr DurationNs kFirstStartPatience = seconds(5);
constexpr std::chrono::milliseconds kFirstStartPause{200};
constexpr DurationNs kEndPatience = seconds(1);

std::atomic<bool> owner_gone{false};
static_assert(std::atomic<bool>::is_always_lock_free);

// The stop signals may be held back until somebody waits for them, which takes as long as opening a
// store does; this one comes through, and the alarm with it.
void on_owner_gone(int) {
  owner_gone.store(true);
  const itimerval once{{0, 0}, {0, kEndAfterOwner_us}};
  ::setitimer(ITIMER_REAL, &once, nullptr);
  ::kill(::getpid(), SIGTERM);
}

std::string system_error(const std::string& what) { return what + ": " + std::strerror(errno); }

/// Waits for `PORT\n` on the pipe. 0 if the child ended or said nothing in time, or `stop` says so.
std::uint16_t read_port(int fd, const std::function<bool()>& stop) {
  std::string text;
  const MonoNs give_up = system_clock().mono() + kReadyPatience;
  for (;;) {
    if ((stop && stop()) || system_clock().mono() > give_up) return 0;
    pollfd waiting{fd, POLLIN, 0};
    const int ready = ::poll(&waiting, 1, kReadyLookMs);
    if (ready == 0 || (ready < 0 && errno == EINTR)) continue;
    if (ready < 0) return 0;
    std::array<char, 64> buffer{};
    const ssize_t n = ::read(fd, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return 0;
    text.append(buffer.data(), static_cast<std::size_t>(n));
    if (text.find('\n') != std::string::npos) {
      return static_cast<std::uint16_t>(std::strtoul(text.c_str(), nullptr, 10));
    }
  }
}

/// A child that closed its pipe is about to end: how it did, if it does so in time.
std::string end_of(pid_t pid) {
  const MonoNs give_up = system_clock().mono() + kEndPatience;
  int status = 0;
  while (::waitpid(pid, &status, WNOHANG) != pid) {
    if (system_clock().mono() > give_up) return "";
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return end_text(status);
}

}  // namespace

std::filesystem::path LocalFarm::log_of(const Child& child) const {
  return options_.home / "logs" / (child.role + ".log");
}

Error LocalFarm::ended(const Child& child, const std::string& what) const {
  const auto log = log_of(child);
  const std::string said = last_lines(log, child.log_from);
  return Error(ErrorCode::Unavailable,
               what + (child.end.empty() ? "" : ": it ended with " + child.end) + "; its log, " +
                   log.string() + (said.empty() ? ", says nothing of it" : ", says:\n" + said));
}

Result<std::unique_ptr<LocalFarm>> LocalFarm::start(const LocalFarmOptions& options) {
  std::error_code ec;
  std::filesystem::create_directories(options.home / "logs", ec);
  if (ec) {
    return Error(ErrorCode::Io,
                 "cannot make " + (options.home / "logs").string() + ": " + ec.message());
  }
  auto farm = std::unique_ptr<LocalFarm>(new LocalFarm(options));
  farm->children_.resize(1 + options.nodes);
  farm->children_[0].role = "coordinator";
  for (std::uint32_t i = 1; i <= options.nodes; ++i) {
    farm->children_[i].role = "node-" + std::to_string(i);
  }
  // The coordinator of a farm whose owner was just killed may hold the store for a moment longer.
  Child& coordinator = farm->children_[0];
  const MonoNs give_up = system_clock().mono() + kFirstStartPatience;
  for (Status up = farm->start_coordinator(coordinator); !up;
       up = farm->start_coordinator(coordinator)) {
    if (coordinator.pid > 0) {
      ::kill(coordinator.pid, SIGKILL);
      ::waitpid(coordinator.pid, nullptr, 0);
      coordinator.pid = -1;
    }
    if (up.error().code() == ErrorCode::Cancelled || system_clock().mono() > give_up) {
      return up.error();
    }
    std::this_thread::sleep_for(kFirstStartPause);
  }
  for (std::uint32_t i = 1; i <= options.nodes; ++i) {
    WINNOW_TRY(farm->start_node(farm->children_[i]));
  }
  return farm;
}

LocalFarm::~LocalFarm() { stop(seconds(2)); }

Status LocalFarm::start_coordinator(Child& child) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return Error(ErrorCode::Io, system_error("pipe"));
  const auto log = log_of(child);
  child.log_from = log_bytes(log);
  auto pid =
      spawn({.argv = {options_.binary.string(), "up", "--home", options_.home.string(), "--listen",
                      "127.0.0.1:" + std::to_string(port_), "--only-submitted", "--ready-fd",
                      std::to_string(kReadyFd), "--owner-pid", std::to_string(::getpid())},
             .log = log,
             .ready_fd = ends[1]});
  ::close(ends[1]);
  if (!pid) {
    ::close(ends[0]);
    return pid.error();
  }
  child.pid = *pid;
  child.started = system_clock().mono();
  const std::uint16_t port = read_port(ends[0], options_.stop);
  ::close(ends[0]);
  if (port == 0 && options_.stop && options_.stop()) {
    return Error(ErrorCode::Cancelled, "interrupted");
  }
  if (port == 0) {
    child.end = end_of(child.pid);
    if (!child.end.empty()) child.pid = -1;
    return ended(child, "the coordinator did not come up");
  }
  port_ = port;
  return {};
}

Status LocalFarm::start_node(Child& child) {
  child.log_from = log_bytes(log_of(child));
  auto pid = spawn(
      {.argv = {options_.binary.string(), "node", "--home", options_.home.string(), "--join",
                "127.0.0.1:" + std::to_string(port_), "--workers", std::to_string(options_.workers),
                "--farm", "local", "--owner-pid", std::to_string(::getpid())},
       .log = log_of(child)});
  if (!pid) return pid.error();
  child.pid = *pid;
  child.started = system_clock().mono();
  return {};
}

Status LocalFarm::supervise() {
  for (Child& child : children_) {
    int status = 0;
    if (child.pid > 0 && ::waitpid(child.pid, &status, WNOHANG) != child.pid) continue;
    if (child.pid > 0) child.end = end_text(status);
    if (system_clock().mono() - child.started < kQuickDeath) {
      ++child.quick_deaths;
    } else {
      child.quick_deaths = 0;
    }
    if (child.quick_deaths > kQuickDeathsMax) {
      return ended(child, child.role + " dies as soon as it starts");
    }
    ++child.restarts;
    child.pid = -1;
    Status started = child.role == "coordinator" ? start_coordinator(child) : start_node(child);
    // The next round tries again, up to the limit above.
    if (!started && started.error().code() != ErrorCode::Unavailable) return started;
  }
  return {};
}

void LocalFarm::stop(DurationNs patience) {
  // Nodes first: what they still hold can be committed while the coordinator lives.
  for (const bool coordinator : {false, true}) {
    std::vector<pid_t> pids;
    for (Child& child : children_) {
      if ((child.role == "coordinator") == coordinator) {
        pids.push_back(std::exchange(child.pid, -1));
      }
    }
    end_all(pids, patience);
  }
}

bool end_with_owner(pid_t owner) {
  struct sigaction action {};
  action.sa_handler = on_owner_gone;
  sigemptyset(&action.sa_mask);
  ::sigaction(SIGUSR2, &action, nullptr);
  // In this order: an owner that ends in between is seen by the question for the parent.
  ::prctl(PR_SET_PDEATHSIG, SIGUSR2);
  return ::getppid() == owner;
}

bool owner_is_gone() { return owner_gone.load(); }

std::filesystem::path own_binary() {
  std::error_code ec;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", ec);
  return ec ? std::filesystem::path("winnow") : path;
}

}  // namespace winnow::cluster
