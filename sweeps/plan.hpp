#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "engine/engine.hpp"
#include "sweeps/resolved_spec.hpp"

namespace winnow::sweeps {

/// One family on one dataset: the hypothesis whose variants are scored together.
struct Segment {
  std::uint32_t index = 0;
  std::size_t dataset = 0;   ///< in spec.data
  std::size_t strategy = 0;  ///< in spec.strategies
  std::uint64_t first_trial = 0;
  std::uint64_t trials = 0;
  std::uint64_t first_block = 0;
  std::uint64_t blocks = 0;
  /// UTC days the window can touch: an upper bound, which sizes blocks. The number of periods of a
  /// result is the engine's (days without a bar have none) and never more.
  std::uint32_t periods = 0;
  std::uint32_t point_steps = 0;  ///< of its trials' learning curves
};

/// Values of one trial's learning curve, at most: metrics times steps.
inline constexpr std::uint64_t kPointValuesMax = 2048;

class Design;           // sweeps/design.hpp
struct GenerationRows;  // sweeps/generation_rows.hpp

/// Purpose: the deterministic stream of trials of a sweep (law 6): trial i is a function of (spec,
/// i); of a search that learns, of the outcomes of earlier generations as well, and then the plan
/// knows only the parameters it was given (with_rows). Trials are grouped in blocks of at most
/// `block_rows`, which never cross a segment; a block is the unit of lease, commit and
/// deduplication. Thread: const after construction, so any.
class Plan {
 public:
  /// Cost: milliseconds and little memory up to 10^9 grid points, unless the family checks
  /// parameters against each other (see Design). Fails: InvalidInput if nothing is left to try (a
  /// window without bars, a grid without points) or the spec, which may come from a file, breaks a
  /// rule.
  static Result<Plan> make(ResolvedSpec spec);

  const ResolvedSpec& spec() const { return spec_; }
  /// Names the sweep: a hash of spec, families' code versions and engine version, 16 hexadecimal
  /// digits. Priority and budget do not count.
  const std::string& id() const { return id_; }
  std::uint64_t trials() const { return trials_; }
  std::uint64_t blocks() const { return blocks_; }
  std::uint32_t block_rows() const { return block_rows_; }
  std::span<const Segment> segments() const { return segments_; }
  const Segment& segment_of_block(std::uint64_t block) const;
  const Segment& segment_of_trial(std::uint64_t trial) const;

  struct Range {
    std::uint64_t first_trial = 0;
    std::uint32_t rows = 0;
  };
  Range block_range(std::uint64_t block) const;

  /// The plan with these rows known as well. Fails: InvalidInput if they are not of this plan.
  Result<Plan> with_rows(std::span<const GenerationRows> rows) const;
  /// Whether the parameters of a block are known. Requires: block < blocks().
  bool known(std::uint64_t block) const;

  /// How many windows a search of several fidelities tries; 1 for every other search.
  std::uint32_t rungs() const { return static_cast<std::uint32_t>(rung_ends_.size()); }
  /// The rung of a block or trial, the last being the whole window. Requires: it is known.
  std::uint32_t rung_of_block(std::uint64_t block) const;
  bool whole_window(std::uint64_t block) const {
    return rungs() == 1 || rung_of_block(block) + 1 == rungs();
  }
  /// Where the window of a block ends, exclusive.
  TimestampNs window_to(std::uint64_t block) const { return rung_ends_[rung_of_block(block)]; }

  /// Parameters of consecutive trials of one segment, row-major [trial][parameter] in the family's
  /// declaration order; NaN where they are not known. Requires: the range lies in one segment.
  std::vector<double> params(std::uint64_t first_trial, std::uint64_t count) const;

  /// The id that the ledger knows the sweep by; see sweeps::ledger_id.
  std::string ledger_id() const { return sweeps::ledger_id(spec_); }

  /// Identity of a trial with these parameters in this segment: family and its code version, engine
  /// version, parameter names and values, dataset content hash, window (cut to the bars there are)
  /// and execution model. Not the seed: it chooses parameters, and nothing else is random in a
  /// trial.
  TrialKey key(const Segment& segment, std::span<const double> params) const {
    return with_edition(key_on(segment, rungs() - 1, params), edition(segment));
  }
  /// The same on the window of the trial's block.
  TrialKey trial_key(std::uint64_t block, std::span<const double> params) const {
    return with_edition(ledger_key(block, params), edition(segment_of_block(block)));
  }
  /// What the ledger counts of it.
  LedgerKey ledger_key(std::uint64_t block, std::span<const double> params) const {
    return key_on(segment_of_block(block), rung_of_block(block), params);
  }
  /// What lies between the two in a segment: engine version and execution model.
  const Edition& edition(const Segment& segment) const { return editions_[segment.index]; }

  /// Periods a year of a segment's data.
  double periods_per_year(const Segment& segment) const {
    return spec_.data[segment.dataset].periods_per_year;
  }
  /// Calendar time of a segment's whole window, from its first open to its last close, in years.
  double years(const Segment& segment) const;

  /// Exclusive end of the data that step `step` of a segment's learning curves has seen: midnight
  /// after a whole number of PointsSpec::every, the last one after the window's last day.
  TimestampNs point_until(const Segment& segment, std::uint32_t step) const;
  /// Indices of PointsSpec::metrics in engine::metric_decls().
  std::span<const std::uint32_t> point_metrics() const { return point_metrics_; }

  /// What a segment trades by.
  const engine::ExecutionModel& execution(const Segment& segment) const {
    return spec_.execution_by_data[segment.dataset];
  }
  const engine::FamilyDecl& family(const Segment& segment) const {
    return *families_[segment.strategy];
  }
  /// The points of a segment, for neighbourhoods and heat maps.
  const Design& design(const Segment& segment) const { return *designs_[segment.index]; }
  std::shared_ptr<const Design> shared_design(const Segment& segment) const {
    return designs_[segment.index];
  }

 private:
  Plan() = default;
  LedgerKey key_on(const Segment& segment, std::uint32_t rung,
                   std::span<const double> params) const;
  Status add_segment(Segment segment);
  ResolvedSpec spec_;
  std::string id_;
  std::uint64_t trials_ = 0;
  std::uint64_t blocks_ = 0;
  std::uint32_t block_rows_ = 0;
  std::vector<Segment> segments_;
  std::vector<const engine::FamilyDecl*> families_;     // by strategy
  std::vector<std::shared_ptr<const Design>> designs_;  // by segment
  std::vector<TimestampNs> rung_ends_;                  // the last is spec_.to
  std::vector<Hash128> segment_keys_;  // what all ledger keys of a (segment, rung) share
  std::vector<Edition> editions_;      // by segment
  std::vector<std::uint32_t> point_metrics_;
};

/// Where a trial outside of a sweep is made.
struct SingleTrial {
  DatasetInfo data;  ///< content hash, first, last and interval count
  TimestampNs from;  ///< first bar traded
  TimestampNs to;    ///< exclusive
  engine::ExecutionModel execution;
};
/// What the ledger counts of it: the key that the same trial has in every sweep that makes it.
/// `params` in the family's declaration order.
LedgerKey single_ledger_key(const SingleTrial& trial, const engine::FamilyDecl& family,
                            std::span<const double> params);

}  // namespace winnow::sweeps
