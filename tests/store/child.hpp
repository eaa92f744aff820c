#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

// Second processes of the store's tests: this same binary, started afresh by exec, as RocksDB's
// threads do not live through a fork.
namespace winnow::store {

/// Purpose: a running child whose standard output the test reads. Owner of both.
class Child {
 public:
  explicit Child(const std::vector<std::string>& arguments);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// The next line without its end; empty at the end of the output.
  std::string line();
  void kill_now();
  /// All lines still to come, until the child has ended.
  std::vector<std::string> rest();
  /// The exit status; 128 + signal if one ended it. Called once.
  int wait();

 private:
  pid_t pid_ = -1;
  int output_ = -1;
  std::string buffer_;
};

/// What main() does for `--child KIND ...`. The exit status.
int child_main(const std::vector<std::string>& arguments);

}  // namespace winnow::store
