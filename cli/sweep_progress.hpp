#pragma once

#include <memory>
#include <string>

#include "actors/protocol.hpp"
#include "cli/app.hpp"
#include "cli/farm.hpp"

namespace winnow::cli {

/// Purpose: shows a running sweep on stderr: a bar on a terminal, a line every few seconds in a pipe,
/// nothing with --quiet. Thread: one.
class SweepProgress {
 public:
  explicit SweepProgress(const Context& context);
  ~SweepProgress();
  void update(const actors::Progress& progress);
  void finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The last words of `sweep run`: the id and what was done, or JSON.
void print_run_summary(const Context& context, const RunSummary& summary, bool detached);

/// Who is at the keyboard: $USER, else the numeric user id.
std::string current_user();

}  // namespace winnow::cli
