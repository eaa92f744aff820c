#pragma once

#include <string>
#include <vector>

#include "engine/family.hpp"
#include "sweeps/resolved_spec.hpp"
#include "sweeps/yaml/yaml_tree.hpp"

namespace winnow::sweeps {

/// Reads `strategies:`: one family each, with the ranges of its parameters; those not mentioned
/// stay at their defaults. Throws yaml::Refusal.
std::vector<StrategySpace> read_strategies(const yaml::Cursor& at, SearchMethod method);

/// Names of a family's parameters.
std::vector<std::string> param_names(const engine::FamilyDecl& family);

/// Reads `search:` and `fidelity:` but for the number of samples: the method, and what a search
/// that learns is told. Throws yaml::Refusal.
void read_search(const yaml::Cursor& root, ResolvedSpec& spec);
/// Reads how many samples or trials the search makes. Requires: read_search, and data, strategies
/// and budget are read. Throws yaml::Refusal.
void read_samples(const yaml::Cursor& root, ResolvedSpec& spec);

/// Where a dataset ends, exclusive.
inline TimestampNs end_of(const DatasetInfo& d) { return d.last + d.interval; }

/// UTC days that a sweep's window touches on a dataset.
std::size_t window_days(const ResolvedSpec& spec, const DatasetInfo& dataset);

/// Reads `validation:` and gives it as canonical JSON. Throws yaml::Refusal, also where no fold
/// fits into the window on some dataset. Requires: data and window of `spec` are read.
std::string read_validation(const yaml::Cursor& at, const ResolvedSpec& spec);

/// Reads `open:`, `share:` and `looks:`. Throws yaml::Refusal.
level::OpenSpec read_open(const yaml::Cursor& root, level::OpenMode otherwise);
/// Days that are kept from exploring.
struct SealedDays {
  std::vector<level::DayRange> by_import;  ///< which also says where a window stands by itself
  std::vector<level::DayRange> all;        ///< of all datasets, for whatever reason
};
/// Throws yaml::Refusal where that cannot be read.
SealedDays sealed_days(const yaml::Cursor& at, const Catalog& catalog, const ResolvedSpec& spec);
/// Where a window stands that was not said: of an exploring sweep the longest part that no import
/// sealed, of one that confirms what it did. Keeps `from` or `to` where it was said. Adds a warning
/// that says so. Throws yaml::Refusal where nothing is left.
struct WindowSaid {
  bool from = false, to = false;
};
void place_window(const yaml::Cursor& at, const SealedDays& sealed, WindowSaid said,
                  ResolvedSpec& spec);
/// Refuses an exploring window that reaches into sealed days. Throws yaml::Refusal.
void check_window(const yaml::Cursor& at, const SealedDays& sealed, const ResolvedSpec& spec);

/// Reads `convergence:` and gives it as canonical JSON. Throws yaml::Refusal.
/// Requires: strategies, search and validation of `spec` are read.
std::string read_convergence(const yaml::Cursor& at, const ResolvedSpec& spec);

}  // namespace winnow::sweeps
