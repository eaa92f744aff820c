#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/market.hpp"
#include "engine/engine.hpp"
#include "engine/lanes/job.hpp"
#include "engine/liquidity.hpp"

namespace winnow::engine {

/// What the engine knows of a family's strategy source beside its declaration.
struct FamilyRuntime {
  int columns = 0;
  ColumnSpec (*column)(int column, const double* params) = nullptr;
  /// The parameter that decides most exits, or -1: variants close in it leave together.
  int exit_param = -1;
  /// Bars before the window that fill every indicator.
  std::size_t (*warmup_bars)(const double* params) = nullptr;
};
/// Requires: a family of families().
std::size_t family_index(const FamilyDecl& family);
const FamilyRuntime& family_runtime(const FamilyDecl& family);

/// Costs and rules of the model as the kernels take them. Requires: it is checked.
void set_execution(lanes::Job& job, const ExecutionModel& execution);
lanes::RuleStep rule_step(const InstrumentRules& rules, std::size_t from_bar);

/// Purpose: a job's market side in the kernels' terms: bar indices in place of times, fractions in
/// place of bps. Owns what the job points to. Not copyable: the job points into it.
class Prepared {
 public:
  /// Requires: window and execution are checked.
  Prepared(const MarketView& market, Window window, const ExecutionModel& execution);
  Prepared(const Prepared&) = delete;
  Prepared& operator=(const Prepared&) = delete;

  /// Everything but variants and outputs.
  const lanes::Job& job() const { return job_; }
  std::size_t periods() const { return period_last_.size(); }

 private:
  void find_periods(const MarketView& market, Window window);
  void find_funding(const MarketView& market, Window window);
  void find_rules(const MarketView& market, const ExecutionModel& execution);

  std::vector<std::size_t> period_last_;
  std::vector<lanes::FundingStep> funding_;
  std::vector<lanes::RuleStep> rules_;
  Liquidity liquidity_;  ///< for the full executor
  lanes::Job job_;
};

/// Fails: InvalidInput if columns differ in length, the window is empty or reaches past the data,
/// times do not rise (or lie so far out that an interval more is no time), funding is out of order
/// or no number: everything that becomes an index, or is worked through in order, is checked here.
Status check_window(const MarketView& market, Window window);

}  // namespace winnow::engine
