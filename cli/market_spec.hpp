#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "engine/synth/market_spec.hpp"
#include "store/dataset_store.hpp"

namespace winnow::cli {

/// Reads a market specification (configs/markets/*.yaml). Fails: InvalidInput as
/// `file:line:column: key: ...` naming value and what is allowed; unknown keys name the nearest
/// one.
Result<engine::synth::MarketSpec> parse_market_spec(std::string_view yaml,
                                                    std::string_view file_name);

struct SynthRequest {
  std::filesystem::path spec_file;
  std::uint64_t seed = 0;
  /// Of the dataset; with several instruments `name-instrument` each, or the instrument's own name
  /// where that begins with `name-` already.
  std::string name;
  TimestampNs now;
  store::SealRequest seal = {};
};

/// Simulates a market and stores each instrument with its truth in the manifest; the order of the
/// specification. Fails: NotFound, InvalidInput, Io.
Result<std::vector<store::PutOutcome>> synth_datasets(const store::DatasetStore& datasets,
                                                      const SynthRequest& request);

}  // namespace winnow::cli
