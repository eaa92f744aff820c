#include "tests/e2e/process.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <sstream>

#include "tests/e2e/tables.hpp"
#include "tests/support/eventually.hpp"

extern char** environ;  // NOLINT: POSIX declares it so

namespace winnow::e2e {
namespace {

namespace fs = std::filesystem;

int unique_number() {
  static int n = 0;
  return ++n;
}

}  // namespace

int free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  const bool bound = ::bind(fd, reinterpret_cast<sockaddr*>(&at), size) == 0 &&
                     ::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size) == 0;
  ::close(fd);
  return bound ? ntohs(at.sin_port) : 0;
}

TemporaryFolder::TemporaryFolder() {
  std::string name = (fs::temp_directory_path() / "winnow-e2e-XXXXXX").string();
  path_ = ::mkdtemp(name.data());
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ec;
  fs::remove_all(path_, ec);
}

Process::Process(const fs::path& folder, std::vector<std::string> argv) {
  fs::create_directories(folder);
  const std::string stem = "process-" + std::to_string(unique_number());
  out_ = folder / (stem + ".out");
  err_ = folder / (stem + ".err");
  std::vector<char*> raw;
  for (std::string& arg : argv) raw.push_back(arg.data());
  raw.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, out_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  posix_spawn_file_actions_addopen(&actions, 2, err_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (posix_spawn(&pid_, raw[0], &actions, nullptr, raw.data(), environ) != 0) pid_ = -1;
  posix_spawn_file_actions_destroy(&actions);
}

Process::~Process() {
  if (pid_ <= 0 || !running()) return;
  ::kill(pid_, SIGTERM);
  if (wait(10) == -1) {
    ::kill(pid_, SIGKILL);
    wait(10);
  }
}

bool Process::running() {
  if (pid_ <= 0 || reaped_) return false;
  if (::waitpid(pid_, &status_, WNOHANG) == pid_) reaped_ = true;
  return !reaped_;
}

int Process::wait(int seconds) {
  if (!tests::eventually(std::chrono::seconds(seconds), [this] { return !running(); })) return -1;
  return WIFSIGNALED(status_) ? 128 + WTERMSIG(status_) : WEXITSTATUS(status_);
}

void Process::send(int signal) const {
  if (pid_ > 0 && !reaped_) ::kill(pid_, signal);
}

std::string Process::output() const { return read_text(out_); }
std::string Process::errors() const { return read_text(err_); }

std::vector<std::string> winnow_argv(const fs::path& home, std::vector<std::string> args) {
  std::vector<std::string> argv{WINNOW_BINARY_DIR "/winnow"};
  argv.insert(argv.end(), args.begin(), args.end());
  argv.insert(argv.end(), {"--home", home.string()});
  return argv;
}

Ran winnow(const fs::path& home, std::vector<std::string> args, int seconds) {
  fs::create_directories(home);
  Process process(home, winnow_argv(home, std::move(args)));
  const int status = process.wait(seconds);
  return {status, process.output(), process.errors()};
}

std::vector<pid_t> descendants(pid_t pid) {
  std::vector<pid_t> found;
  std::error_code ec;
  for (const auto& task : fs::directory_iterator("/proc/" + std::to_string(pid) + "/task", ec)) {
    std::istringstream children(read_text(task.path() / "children"));
    for (pid_t child = 0; children >> child;) {
      found.push_back(child);
      for (const pid_t below : descendants(child)) found.push_back(below);
    }
  }
  return found;
}

void write_text(const fs::path& file, const std::string& text) {
  std::ofstream(file, std::ios::binary) << text;
}

}  // namespace winnow::e2e
