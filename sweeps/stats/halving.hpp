#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace winnow::sweeps::stats {

// Budgets of multi-fidelity search.

struct Rung {
  std::uint64_t configs = 0;
  double resource = 0;
};
struct Bracket {
  std::uint64_t s = 0;
  std::vector<Rung> rungs;
};
/// Number of configurations a bracket of Hyperband starts with. The paper (Li and others 2018)
/// prints both; they differ.
enum class HyperbandRule : std::uint8_t {
  Table,      ///< floor((s_max + 1) / (s + 1)) eta^s, its Table 1
  Algorithm,  ///< ceil((s_max + 1) / (s + 1) eta^s), its Algorithm 1
};
/// Brackets from s_max down to 0; s_max is the largest s with eta^s <= R, by integers.
/// Requires: eta >= 2, R >= 1.
std::vector<Bracket> hyperband(std::uint64_t resource_max, std::uint64_t eta, HyperbandRule rule);

/// Loss of a configuration after a resource.
using Loss = std::function<double(std::size_t config, double resource)>;

struct HalvingStep {
  double resource = 0;
  std::vector<std::size_t> configs;  ///< ascending
};
struct HalvingOptions {
  std::size_t configs = 0;
  double resource_min = 1;
  double resource_max = 1;
  std::size_t eta = 3;
};
/// Successive halving: at each rung the floor(n / eta) best go on, ties to the lower id.
std::vector<HalvingStep> successive_halving(const HalvingOptions& options, const Loss& loss);

struct AshaJob {
  std::size_t config = 0;
  std::size_t rung = 0;
  bool operator==(const AshaJob&) const = default;
};
/// The first `jobs` jobs of ASHA (Li and others 2020, Algorithm 2) with one worker: promote the
/// best configuration in the top 1/eta of the highest rung that has one not yet promoted, else
/// start the next. Ends early if neither is left.
std::vector<AshaJob> asha(const HalvingOptions& options, std::size_t jobs, const Loss& loss);

}  // namespace winnow::sweeps::stats
