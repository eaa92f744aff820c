#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

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
  /// The last word; `failed` is how many trials failed, of which the farm's own reports know only
  /// those that it gave up.
  void finish(std::optional<std::uint64_t> failed = {});

 private:
  void say_trouble(const std::string& trouble);

  std::string label_;
  ProgressState state_;
  Progress progress_;
  std::string trouble_;         // that it waits for now
  std::set<std::string> said_;  // of those there were
};

/// What the store says of a sweep beside what the farm reports of it.
struct SweepFacts {
  std::vector<std::string> warnings;
  std::vector<std::string> openings;  ///< what its families were opened for, a sentence each
  std::uint64_t trials_committed = 0;
  std::uint64_t trials_failed = 0;
};
/// Asks the farm. Fails: as Client::query; Corrupt.
Result<SweepFacts> sweep_facts(actors::Client& client, const std::string& sweep);

/// The last words of `sweep run`: the id and what was done, or JSON.
void print_run_summary(const Context& context, const RunSummary& summary, const SweepFacts& facts);

/// 0, or 1 where the sweep came to its end and not one of its trials has a result.
int status_of(const SweepFacts& facts);

}  // namespace winnow::cli
