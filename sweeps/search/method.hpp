#pragma once

#include <boost/archive/binary_iarchive.hpp>
#include <boost/archive/binary_oarchive.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/rng.hpp"
#include "sweeps/search/outcome.hpp"
#include "sweeps/search/space.hpp"

namespace winnow::sweeps::search {

/// A trial that was told, as methods see it: the row with its place in the unit cube (NaN where
/// inactive), and how it counts.
struct Observation {
  std::uint64_t trial = 0;
  std::span<const double> row;
  std::span<const double> unit;
  const Outcome* outcome = nullptr;
};

/// Purpose: how one sampler makes rows. Between two calls of absorb() it is a function of what was
/// absorbed; the draws come from outside.
/// Owner: Search. Thread: one.
class Method {
 public:
  virtual ~Method() = default;
  /// A generation of `rows` rows starts.
  virtual void begin(std::uint64_t first_trial, std::size_t rows) = 0;
  /// One candidate row, masked. Called again for the same trial if a constraint refused it.
  virtual void propose(std::uint64_t trial, Rng& rng, std::span<double> row) = 0;
  /// The last proposal is the trial's row.
  virtual void accept(std::span<const double> /*row*/) {}
  /// All rows of the generation are made.
  virtual void end() {}
  /// The whole generation, in trial order. `own`: not rows of a warm start.
  virtual void absorb(std::span<const Observation> generation, Origin origin) = 0;
  virtual void save(boost::archive::binary_oarchive& out) const = 0;
  /// Fails: throws what the archive throws, or std::runtime_error.
  virtual void load(boost::archive::binary_iarchive& in) = 0;
};

/// What a declaration makes its method with.
template <class M>
std::unique_ptr<Method> method_of(const Space& space, const SearchOptions& options) {
  return std::make_unique<M>(space, options);
}

/// How a trial stands, best first. Infeasible ones by violation (Deb 2000), pruned ones after the
/// complete ones, by resource, then loss.
struct Standing {
  std::uint32_t group = 0;  ///< 0 complete, 1 pruned, 2 infeasible, 3 failed or not a number
  double first = 0;
  double second = 0;
  auto operator<=>(const Standing&) const = default;
  template <class Archive>
  void serialize(Archive& a, unsigned /*version*/) {
    a& group& first& second;
  }
};
inline constexpr std::uint32_t kGroupFailed = 3;
/// Of the first objective.
Standing standing(const Outcome& outcome);

}  // namespace winnow::sweeps::search
