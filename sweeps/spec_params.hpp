#pragma once

#include <string>
#include <vector>

#include "engine/family.hpp"
#include "sweeps/plan.hpp"
#include "sweeps/yaml_tree.hpp"

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

/// UTC days that a sweep's window touches on a dataset.
std::size_t window_days(const ResolvedSpec& spec, const DatasetInfo& dataset);

/// Reads `validation:` and gives it as canonical JSON. Throws yaml::Refusal, also where no fold
/// fits into the window on some dataset. Requires: data and window of `spec` are read.
std::string read_validation(const yaml::Cursor& at, const ResolvedSpec& spec);

/// Reads `convergence:` and gives it as canonical JSON. Throws yaml::Refusal.
/// Requires: strategies, search and validation of `spec` are read.
std::string read_convergence(const yaml::Cursor& at, const ResolvedSpec& spec);

}  // namespace winnow::sweeps
