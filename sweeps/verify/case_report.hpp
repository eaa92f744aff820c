#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "base/result.hpp"

namespace winnow::sweeps::verify {

/// Reads a file named by a case, relative to the folder of the case file.
using ReadFile = std::function<Result<std::string>(const std::string& relative_name)>;

/// One case: what was computed against what was expected.
struct CaseReport {
  std::string name;
  bool passed = false;
  std::size_t compared = 0;       ///< numbers, texts and truths compared
  double error_to_tolerance = 0;  ///< the largest |got - expected| / allowed; at most 1 passes
  double error = 0;               ///< |got - expected| there
  std::string field;              ///< where that was
  std::string message;            ///< why it failed; empty if it passed
};

}  // namespace winnow::sweeps::verify
