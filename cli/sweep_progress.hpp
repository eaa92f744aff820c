#pragma once

#include <string>

#include "actors/protocol.hpp"
#include "cli/app.hpp"
#include "cli/farm.hpp"
#include "cli/progress.hpp"

namespace winnow::cli {

/// Purpose: a running sweep on the progress line. Thread: one.
class SweepProgress {
 public:
  SweepProgress(const Context& context, std::string label);
  void update(const actors::Progress& progress);
  void finish() { progress_.finish(); }

 private:
  std::string label_;
  Progress progress_;
};

/// The last words of `sweep run`: the id and what was done, or JSON.
void print_run_summary(const Context& context, const RunSummary& summary);

}  // namespace winnow::cli
