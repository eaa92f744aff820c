#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "base/time.hpp"
#include "cli/app.hpp"

namespace winnow::cli {

/// Purpose: says on stderr what a command is at when that takes longer than a person waits without
/// wondering: `making the report of last ...`, and again every few seconds with the time it took so
/// far. On a terminal it is one line that goes away. Nothing with --quiet, nor for what is quick.
/// Owner: whoever does the work, on its stack. Thread: one; the line is drawn by a thread of its
/// own, so nothing else may print to stderr meanwhile.
class LongWork {
 public:
  LongWork(const Context& context, std::string_view what);
  ~LongWork();
  LongWork(const LongWork&) = delete;
  LongWork& operator=(const LongWork&) = delete;

 private:
  void talk(const std::stop_token& stop);
  void say(DurationNs so_far) const;

  std::string what_;
  bool terminal_;
  bool drawn_ = false;
  std::mutex mutex_;
  std::condition_variable_any ended_;
  std::jthread talking_;  // last: it uses the rest
};

}  // namespace winnow::cli
