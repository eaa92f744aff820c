#pragma once

#include <cstddef>

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

}  // namespace winnow::engine
