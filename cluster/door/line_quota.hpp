#pragma once

#include <cstdint>

#include "base/time.hpp"

namespace winnow::cluster {

/// Purpose: a few log lines a second and a count of the others: each refusal has its line, and yet
/// whoever knocks cannot fill the disk. Thread: one.
class LineQuota {
 public:
  static constexpr std::uint32_t kLinesMax = 10;  ///< a second

  /// Whether this line may be written.
  bool take(MonoNs now) {
    if (now >= window_end_) {
      window_end_ = now + seconds(1);
      lines_ = 0;
    }
    if (lines_ < kLinesMax) {
      ++lines_;
      return true;
    }
    ++missed_;
    return false;
  }
  /// Lines that were not written, once their second is over.
  std::uint64_t take_missed(MonoNs now) {
    if (now < window_end_ || missed_ == 0) return 0;
    const std::uint64_t missed = missed_;
    missed_ = 0;
    return missed;
  }

 private:
  MonoNs window_end_;
  std::uint32_t lines_ = 0;
  std::uint64_t missed_ = 0;
};

}  // namespace winnow::cluster
