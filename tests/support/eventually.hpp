#pragma once

#include <algorithm>
#include <chrono>
#include <thread>

namespace winnow::tests {

/// Asks until `holds` says yes; false if it has not by the limit. A test waits for a fact by this
/// and by nothing else: no other file of the tests may sleep (tests/house, rule `sleep`). The limit
/// is there to fail, not to measure: it is far above what a busy machine needs.
template <class Holds>
bool eventually(std::chrono::seconds limit, Holds&& holds) {
  constexpr std::chrono::milliseconds kPauseMax{20};
  std::chrono::milliseconds pause{1};
  const auto until = std::chrono::steady_clock::now() + limit;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(pause);
    pause = std::min(2 * pause, kPauseMax);
  }
  return true;
}

}  // namespace winnow::tests
