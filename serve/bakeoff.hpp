#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "serve/scoring.hpp"
#include "serve/sweep_view.hpp"

namespace winnow::serve {

struct BakeoffRequest {
  std::vector<std::string> families = {};        ///< empty: all
  std::optional<std::uint64_t> train_days = {};  ///< unset: sweeps::bakeoff_windows
  std::optional<std::uint64_t> test_days = {};
  std::uint64_t seed = 1;
};

/// Compares the families of one or more sweeps on each dataset they share: an array, one entry a
/// dataset. Numbers that do not exist are null.
/// Fails: InvalidInput where a comparison would not be fair (other data by content hash, window or
/// execution; a family that is not there), as score_families.
Result<Json> bake_off_sweeps(const Sources& sources, const std::vector<SweepView>& views,
                             const BakeoffRequest& request);

/// The same of one sweep whose families are scored already.
Result<Json> bake_off_scored(const Sources& sources, const SweepView& view, const Scoring& scoring,
                             const BakeoffRequest& request);

}  // namespace winnow::serve
