#include "cluster/process.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <iterator>
#include <system_error>
#include <thread>

extern char** environ;  // NOLINT: POSIX declares it so

namespace winnow::cluster {

Result<pid_t> spawn(const ProcessSpec& spec) {
  std::vector<char*> argv;
  for (const std::string& arg : spec.argv) argv.push_back(const_cast<char*>(arg.c_str()));
  argv.push_back(nullptr);

  // Opened here, so that a failure says which of the two could not be had.
  const int log = ::open(spec.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (log < 0) {
    return Error(ErrorCode::Io, spec.log.string() + ": the log of " + spec.argv[0] +
                                    " cannot be opened: " + std::strerror(errno));
  }
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  if (spec.input_fd >= 0) {
    posix_spawn_file_actions_adddup2(&actions, spec.input_fd, 0);
  } else {
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  }
  posix_spawn_file_actions_adddup2(&actions, log, 1);
  posix_spawn_file_actions_adddup2(&actions, log, 2);
  if (spec.ready_fd >= 0) posix_spawn_file_actions_adddup2(&actions, spec.ready_fd, kReadyFd);
  posix_spawnattr_setpgroup(&attributes, 0);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
  pid_t pid = -1;
  const int error = posix_spawnp(&pid, argv[0], &actions, &attributes, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  ::close(log);
  if (error != 0) {
    return Error(ErrorCode::Io, "cannot start " + spec.argv[0] + ": " + std::strerror(error));
  }
  return pid;
}

bool has_ended(pid_t pid) { return ::waitpid(pid, nullptr, WNOHANG) != 0; }

int wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void end_all(const std::vector<pid_t>& pids, DurationNs patience) {
  const MonoNs until = system_clock().mono() + patience;
  for (const pid_t pid : pids) {
    if (pid > 0) ::kill(pid, SIGTERM);
  }
  for (const pid_t pid : pids) {
    if (pid <= 0) continue;
    while (!has_ended(pid)) {
      if (system_clock().mono() > until) {
        ::kill(pid, SIGKILL);
        ::waitpid(pid, nullptr, 0);
        break;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
}

Status can_start_threads(std::uint32_t count) {
  std::atomic<bool> over{false};
  std::vector<std::jthread> threads;
  std::string failure;
  try {
    threads.reserve(count);
    while (threads.size() < count) threads.emplace_back([&over] { over.wait(false); });
  } catch (const std::system_error& e) {
    failure = e.code().message();
  }
  const std::size_t started = threads.size();
  over = true;
  over.notify_all();
  threads.clear();
  if (failure.empty()) return {};
  return Error(ErrorCode::Unavailable,
               "no thread can be had: " + std::to_string(count) + " are needed, and after " +
                   std::to_string(started) + " the system says: " + failure +
                   "; raise the limit of processes (ulimit -u) or of the container's pids");
}

Status start_anew() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(file)), {});
  std::vector<char*> argv;
  for (std::size_t at = 0; at < text.size(); at = text.find('\0', at) + 1) {
    argv.push_back(text.data() + at);
  }
  argv.push_back(nullptr);
  ::execv("/proc/self/exe", argv.data());
  return Error(ErrorCode::Io, std::string("cannot start anew: ") + std::strerror(errno));
}

std::uintmax_t log_bytes(const std::filesystem::path& file) {
  std::error_code ec;
  const std::uintmax_t bytes = std::filesystem::file_size(file, ec);
  return ec ? 0 : bytes;
}

std::string last_lines(const std::filesystem::path& file, std::uintmax_t from) {
  constexpr std::uintmax_t kTail = 600;
  const std::uintmax_t bytes = log_bytes(file);
  std::ifstream in(file, std::ios::binary);
  in.seekg(static_cast<std::streamoff>(std::max(from, bytes - std::min(bytes, kTail))));
  return std::string((std::istreambuf_iterator<char>(in)), {});
}

std::string end_text(int wait_status) {
  if (WIFSIGNALED(wait_status)) {
    const int number = WTERMSIG(wait_status);
    return "signal " + std::to_string(number) + " (" + ::strsignal(number) + ")";
  }
  return "status " + std::to_string(WEXITSTATUS(wait_status));
}

}  // namespace winnow::cluster
