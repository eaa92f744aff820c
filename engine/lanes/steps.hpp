#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/hash.hpp"
#include "engine/lanes/contract.hpp"

namespace winnow::engine::lanes {

/// What a stepped variant has and wants at the last close, for whoever acts on it.
struct StepView {
  double cash = 0;
  double qty = 0;          ///< signed
  double side = 0;         ///< its sign
  double wished = 0;       ///< `side`, or what an order that is being worked leads to
  double wanted = 0;       ///< the side wanted from the next open on
  double stop = 0;         ///< level at which the position is stopped as of now; infinite: at none
  Protect<Lane1> protect;  ///< of a position that is opened now
};

/// Purpose: variants of one family stepped bar by bar, each decided when a bar is complete and
/// settled when the next one is. What happens, and every bit of it, is what SweepWindow does: it
/// knows a day's end when the next day's first bar comes, and books the day before then. Owner: one
/// backtest, or one stepper. Thread: one.
class Steps {
 public:
  virtual ~Steps() = default;
  /// Steps the job's bars up to `end`. Requires: end <= job.market.size.
  virtual void run_to(std::size_t end) = 0;
  /// The last bar ends the window: the job's outputs are complete. Nothing may be stepped after it.
  virtual void finish() = 0;
  virtual StepView look(std::size_t slot) const = 0;
  /// Adds all that a variant is to the hash; bars are counted as if `dropped` more came before.
  virtual void add_to(KeyHasher& hasher, std::size_t slot, std::size_t dropped) const = 0;
  /// Where the steps stand, and all states; bars are counted as if `dropped` more came before.
  virtual std::string save(std::size_t dropped) const = 0;
  /// Takes over what save() gave; `dropped` bars of those it counts come before the job's first.
  /// False, and nothing is done, where it cannot be that.
  virtual bool restore(std::string_view saved, std::size_t dropped) = 0;
};

}  // namespace winnow::engine::lanes
