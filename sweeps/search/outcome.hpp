#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sweeps/search/samplers.hpp"

namespace winnow::sweeps::search {

enum class Restarts : std::uint8_t { None, Ipop, Bipop };
enum class Origin : std::uint8_t { Own, WarmStart };

struct SearchOptions {
  SearchMethod method = SearchMethod::Random;
  std::uint64_t seed = 0;
  std::size_t objectives = 1;          ///< all are losses: smaller is better
  std::size_t startup = 10;            ///< TPE: random rows before it models
  std::size_t candidates = 24;         ///< TPE: draws compared for each parameter
  std::size_t population = 0;          ///< CMA-ES and NSGA-II; 0: 4 + floor(3 ln n), and 50
  Restarts restarts = Restarts::Ipop;  ///< CMA-ES
};

enum class OutcomeState : std::uint8_t { Complete, Pruned, Failed };

/// What became of a trial.
struct Outcome {
  OutcomeState state = OutcomeState::Complete;
  std::vector<double> losses = {};  ///< one an objective; may be left out if failed
  double violation = 0;             ///< above 0: infeasible, by so much
  double resource = 0;              ///< what a pruned trial had been given
  template <class Archive>
  void serialize(Archive& a, unsigned /*version*/) {
    a& state& losses& violation& resource;
  }
};

/// How many trials ended how. A complete trial whose loss is not finite counts as not a number.
struct OutcomeCounts {
  std::uint64_t complete = 0;
  std::uint64_t pruned = 0;
  std::uint64_t infeasible = 0;
  std::uint64_t failed = 0;
  std::uint64_t not_a_number = 0;
  bool operator==(const OutcomeCounts&) const = default;
  template <class Archive>
  void serialize(Archive& a, unsigned /*version*/) {
    a& complete& pruned& infeasible& failed& not_a_number;
  }
};

using Rows = std::vector<std::vector<double>>;

/// A trial of an earlier search.
struct PriorTrial {
  std::vector<double> row;
  Outcome outcome;
};

}  // namespace winnow::sweeps::search
