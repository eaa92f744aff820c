#pragma once

#include <cstddef>
#include <functional>

namespace winnow::sweeps {

/// Purpose: how a pure function uses the caller's threads. `parallel(n, body)` calls body(0) ..
/// body(n - 1), each once, in any order and on any threads, and returns when all have returned.
/// Every function that takes one gives the same bits for every implementation of it.
using ParallelFor = std::function<void(std::size_t, const std::function<void(std::size_t)>&)>;

/// Calls the bodies one after the other on the caller's thread.
inline ParallelFor serial_for() {
  return [](std::size_t n, const std::function<void(std::size_t)>& body) {
    for (std::size_t i = 0; i < n; ++i) body(i);
  };
}

}  // namespace winnow::sweeps
