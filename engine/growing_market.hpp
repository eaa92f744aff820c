#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/market.hpp"
#include "engine/engine.hpp"
#include "engine/lanes/job.hpp"
#include "engine/liquidity.hpp"

namespace winnow::engine {

/// One complete bar of an instrument. Prices in quote currency, volume in base units.
struct BarEvent {
  std::int64_t time_ns = 0;  ///< of its open, UTC
  double open = 0;
  double high = 0;
  double low = 0;
  double close = 0;
  double volume = 0;
};

/// Purpose: a market that grows bar by bar, in the kernels' terms: what Prepared is for one that is
/// known whole. Owns what the job points to; what that is moves as it grows. Not copyable: the job
/// points into it. Owner: one stepper. Thread: one.
class GrowingMarket {
 public:
  /// `history` (copied) warms indicators up; what is appended is traded on. `ordinal_first`: of its
  /// first bar, where indicators are to split their windows as they did in a market that was longer
  /// (with gaps that is not what its time says). Requires: execution is checked, and the history as
  /// check_window() has it, or empty.
  GrowingMarket(const MarketView& history, const ExecutionModel& execution,
                std::optional<std::int64_t> ordinal_first);
  GrowingMarket(const GrowingMarket&) = delete;
  GrowingMarket& operator=(const GrowingMarket&) = delete;

  /// Funding that fell into the bar, or after it and before the next one. Fails: InvalidInput; then
  /// nothing was appended.
  Status append(const BarEvent& bar, std::span<const FundingEvent> funding);

  /// Everything but variants and outputs. The bars traded on begin at job().first.
  lanes::Job& job() { return job_; }
  const lanes::Job& job() const { return job_; }
  MarketView view() const { return columns_.view(); }
  /// Whether the last bar came after the one before it.
  bool is_ascending() const {
    const auto& t = columns_.time_ns;
    return t.size() < 2 || t[t.size() - 2] < t.back();
  }
  std::size_t size() const { return columns_.size(); }

 private:
  Status check(const BarEvent& bar, std::span<const FundingEvent> funding) const;
  void point();

  MarketColumns columns_;
  bool pays_funding_;
  bool has_rules_;
  std::vector<InstrumentRules> rules_by_time_;
  std::vector<lanes::RuleStep> rules_;
  std::vector<lanes::FundingStep> funding_;
  LiquidityTracker tracker_;
  std::vector<double> expected_volume_;
  std::vector<double> impact_scale_;
  std::vector<double> exposure_;
  lanes::Job job_;
};

}  // namespace winnow::engine
