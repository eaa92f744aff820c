#include "sweeps/config_kind.hpp"

#include <algorithm>
#include <array>

#include "sweeps/yaml/yaml_tree.hpp"

namespace winnow::sweeps {
namespace {

// Keys that only one kind of file has.
constexpr std::array<std::string_view, 6> kSweepOnly{"sweep",  "data",      "strategies",
                                                     "search", "execution", "validation"};
constexpr std::array<std::string_view, 10> kExecutionOnly{
    "taker_fee_bps", "maker_fee_bps",  "half_spread_bps",        "impact_bps",
    "sizing",        "rules",          "participation_max_frac", "impact_y",
    "leverage_max",  "stop_range_frac"};

template <std::size_t n>
bool has_any(const yaml::Node& map, const std::array<std::string_view, n>& keys) {
  return std::any_of(map.keys.begin(), map.keys.end(), [&](const yaml::Key& key) {
    return std::find(keys.begin(), keys.end(), key.text) != keys.end();
  });
}

}  // namespace

Result<ConfigKind> config_kind(std::string_view yaml, std::string_view file_name) {
  const Result<yaml::Node> root = yaml::load(yaml, file_name);
  if (!root) return root.error();
  if (has_any(*root, kSweepOnly)) return ConfigKind::Sweep;
  if (has_any(*root, kExecutionOnly)) return ConfigKind::Execution;
  return yaml::error_at(file_name, root->place,
                        "neither a sweep specification (which has the keys sweep, data, "
                        "strategies) nor an execution profile (name, taker_fee_bps, ...)");
}

}  // namespace winnow::sweeps
