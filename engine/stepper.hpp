#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.hpp"
#include "engine/engine.hpp"
#include "engine/growing_market.hpp"
#include "engine/lanes/steps.hpp"

namespace winnow::engine {

/// What a variant wants from the next open on, told when that changes.
struct Intent {
  std::uint64_t number = 0;     ///< of the stepper's intents, from 1: replayed, the same
  std::uint32_t variant = 0;    ///< row of the stepper's parameters
  std::int64_t decided_ns = 0;  ///< open time of the bar at whose close it was decided
  int leg = 0;
  int side = 0;  ///< -1, 0 or 1
  int was = 0;   ///< what it had, or what its last order works towards
  /// Of a position that is opened so: fractions of its price; infinite: none.
  double stop_frac = 0;
  double target_frac = 0;
  double trail_frac = 0;
  double hold_bars = 0;
};

/// What a variant has at the last close.
struct Standing {
  double cash = 0;
  double qty = 0;     ///< signed
  double equity = 0;  ///< quote currency, at the close
  int side = 0;
  int wanted = 0;      ///< from the next open on
  double stop_px = 0;  ///< where the position is stopped; infinite: nowhere
  /// As booked at the end of the last UTC day that is over; 0 before there is one. A day is over
  /// when a bar of a later one has come.
  double day_equity = 0;
  double day_exposure = 0;  ///< mean signed notional over equity in it
};

/// Purpose: variants of one family on one instrument, stepped bar by bar: what shadow and paper
/// hold, over the same lanes::Steps that backtests run on. Each is decided when a bar is complete,
/// and what it wanted is filled, by the execution model's rules, in the next one. Fed bar by bar it
/// is the batch of the same bars, bit for bit. Owner and thread: one.
class StepperLanes {
 public:
  /// `params`: a row for each variant, as BatchRequest. `history` (copied, may be empty): bars
  /// before the first that is traded on. Fails: InvalidInput, as run_batch.
  static Result<StepperLanes> open(const FamilyDecl& family, std::span<const double> params,
                                   const MarketView& history, const ExecutionModel& execution);
  /// What save() gave. `execution` must be the model it was saved under. Fails: InvalidInput where
  /// it is not, or where the family's or the engine's version is another; Corrupt.
  static Result<StepperLanes> restore(std::string_view saved, const ExecutionModel& execution);

  StepperLanes(StepperLanes&&) noexcept;
  StepperLanes& operator=(StepperLanes&&) noexcept;
  ~StepperLanes();

  /// Steps a complete bar; what variants then want and did not before, by variant. Valid until the
  /// next step. `funding`: what was paid in the bar, or after it before the next one. Fails:
  /// InvalidInput; then nothing has happened.
  Result<std::span<const Intent>> on_bar(const BarEvent& bar,
                                         std::span<const FundingEvent> funding = {});

  std::size_t variants() const;
  std::size_t bars() const;  ///< traded on so far
  /// Requires: variant < variants().
  Standing standing(std::size_t variant) const;
  /// Of all that a variant is after the last bar. Two steppers that saw the same have the same,
  /// however often either was saved and restored. Requires: variant < variants().
  Hash128 digest(std::size_t variant) const;
  /// Everything, with as much of the market as indicators look back on.
  std::string save() const;

 private:
  struct Parts;
  explicit StepperLanes(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

/// Purpose: the same of one variant.
class Stepper {
 public:
  static Result<Stepper> open(const FamilyDecl& family, std::span<const double> params,
                              const MarketView& history, const ExecutionModel& execution);
  static Result<Stepper> restore(std::string_view saved, const ExecutionModel& execution);

  Result<std::span<const Intent>> on_bar(const BarEvent& bar,
                                         std::span<const FundingEvent> funding = {}) {
    return lanes_.on_bar(bar, funding);
  }
  Standing standing() const { return lanes_.standing(0); }
  Hash128 digest() const { return lanes_.digest(0); }
  std::string save() const { return lanes_.save(); }

 private:
  explicit Stepper(StepperLanes lanes) : lanes_(std::move(lanes)) {}
  StepperLanes lanes_;
};

}  // namespace winnow::engine
