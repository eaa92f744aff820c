#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace winnow::e2e {

/// A port of loopback that nobody listens on now, for programs that do not say which one they took;
/// 0 if there is none.
int free_port();

/// A folder that goes away with the test.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Purpose: a real process of ours, ended with the test at the latest.
class Process {
 public:
  /// Starts `argv`, output and errors to files below `folder`.
  Process(const std::filesystem::path& folder, std::vector<std::string> argv);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  bool running();
  /// Waits at most `seconds`; -1 if it still runs then, 128 + signal if one ended it.
  int wait(int seconds);
  void send(int signal) const;
  std::string output() const;
  std::string errors() const;

 private:
  std::filesystem::path out_;
  std::filesystem::path err_;
  pid_t pid_ = -1;
  int status_ = 0;
  bool reaped_ = false;
};

struct Ran {
  int status = 0;
  std::string output;
  std::string errors;
};
/// Runs the winnow that was built with the tests; `home` becomes WINNOW_HOME.
Ran winnow(const std::filesystem::path& home, std::vector<std::string> args, int seconds = 120);
std::vector<std::string> winnow_argv(const std::filesystem::path& home,
                                     std::vector<std::string> args);

/// Children of a process, and theirs, by /proc; only ours can be among them.
std::vector<pid_t> descendants(pid_t pid);

void write_text(const std::filesystem::path& file, const std::string& text);

}  // namespace winnow::e2e
