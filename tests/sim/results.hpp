#pragma once

#include <map>
#include <memory>
#include <string>

#include "actors/runner.hpp"
#include "base/result_block.hpp"
#include "sweeps/plan.hpp"
#include "tests/sim/workload.hpp"

namespace winnow::sim {

/// The YAML of a sweep of about so many blocks, two segments, random search.
std::string spec_text(const SweepDecl& sweep);
/// The budget it begins with, and by which it is extended; 0: none.
std::uint64_t budget_trials(const SweepDecl& sweep);
/// The world those specifications speak of.
sweeps::Catalog catalog();

/// Purpose: the plans and results of a process's simulations, made once each: seeds repeat them by
/// the thousand. Thread: one.
class Results {
 public:
  using PlanPtr = std::shared_ptr<const sweeps::Plan>;
  Result<PlanPtr> plan(const std::string& spec_json);
  /// The only right result of a block, encoded; what the quiet run commits.
  const std::string& block(const PlanPtr& plan, std::uint64_t block);
  /// The same with another number in it.
  static std::string wrong_block(const std::string& right);
  /// The same without some of its trials.
  static std::string cut_block(const std::string& right, const actors::Condemned& trials);

 private:
  static constexpr std::size_t kBlocksMax = 20'000;
  std::map<std::string, PlanPtr> plans_;
  std::map<std::pair<std::string, std::uint64_t>, std::string> blocks_;
};
Results& results();

}  // namespace winnow::sim
