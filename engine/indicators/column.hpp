#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/indicators/spec.hpp"

namespace winnow::engine {

/// Purpose: the values of one indicator over one instrument's bars, asked for in rising order of
/// bars, though not of every bar. A value is missing (empty()) at bars before its window is full
/// and nowhere else, and depends on nothing but the bars of that window. Owner: one kernel call, or
/// one stepper. Thread: one.
class Column {
 public:
  virtual ~Column() = default;
  /// Values at the closes of bars [begin, end) into out[0 .. end-begin).
  virtual void fill(std::size_t begin, std::size_t end, double* out) = 0;
  /// What stands where the window is not full yet: NaN, or a value at which nothing is wanted.
  virtual double empty() const = 0;
};

/// Blocks of `length` bars that begin where absolute ordinals are multiples of it: where windows
/// are split, whatever bar the data begins with.
class OrdinalBlocks {
 public:
  static constexpr std::size_t kNone = ~std::size_t{0};

  OrdinalBlocks(const Bars& bars, std::size_t length) : bars_(bars), length_(length) {}

  std::size_t length() const { return length_; }
  /// Bars between the start of t's block and t: more than t where that lies before the data.
  /// Requires: there is a bar.
  std::size_t position(std::size_t t) {
    if (phase_ == kNone) {
      const auto w = static_cast<std::int64_t>(length_);
      phase_ = static_cast<std::size_t>(((bars_.ordinal_first % w) + w) % w);
    }
    return (t + phase_) % length_;
  }
  /// First bar of the block that t lies in. Requires: it lies in the data.
  std::size_t start(std::size_t t) {
    if (start_ == kNone || t < start_ || t >= start_ + length_) start_ = t - position(t);
    return start_;
  }

 private:
  const Bars& bars_;
  std::size_t length_;
  std::size_t phase_ = kNone;  // known once there is a bar
  std::size_t start_ = kNone;
};

}  // namespace winnow::engine
