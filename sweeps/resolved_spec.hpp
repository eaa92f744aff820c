#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "engine/calendar.hpp"
#include "engine/execution.hpp"
#include "sweeps/level/claim.hpp"
#include "sweeps/level/gaps.hpp"
#include "sweeps/search/samplers.hpp"

namespace winnow::sweeps {

/// What the planner must know of a dataset; the caller's catalogue answers by name.
struct DatasetInfo {
  std::string name;
  std::string content_hash;
  std::string instrument;
  TimestampNs first;  ///< open time of the first bar
  TimestampNs last;   ///< open time of the last bar
  DurationNs interval;
  std::uint64_t bars = 0;
  bool has_funding = false;
  /// Of its calendar (engine::calendar_of). What came with engine version 1 has that version's.
  double periods_per_year = engine::kPeriodsPerYearOpen;
  /// What is charged for losses that were not seen, as the coordinator knew it when the sweep was
  /// first submitted. A matter of judging: no part of what names a sweep. Empty: from before there
  /// were any.
  std::optional<level::Gap> gap = std::nullopt;

  /// From the first open to the last close, in years of 365 days.
  double years() const;
  /// `gap`, else that of an instrument without a record.
  level::Gap gap_or_unrecorded() const { return gap ? *gap : level::gap_without_record(years()); }
};

/// Purpose: answers the planner's questions about the world, so that planning stays pure.
struct Catalog {
  /// All dataset names, for "did you mean".
  std::vector<std::string> dataset_names;
  std::function<std::optional<DatasetInfo>(std::string_view name)> dataset;
  /// The market behind a dataset. Empty: each is a market of its own, and nothing is sealed.
  std::function<Result<level::MarketDays>(const DatasetInfo&)> market;
  /// Days of a dataset that only an opened hypothesis may touch. Empty: none.
  std::function<Result<std::vector<level::DayRange>>(const DatasetInfo&)> sealed;
  /// How a specification is opened that does not say it.
  level::OpenMode open_otherwise = level::OpenMode::Explore;
  std::vector<std::string> execution_names;
  /// YAML text of an execution profile and where it came from.
  std::function<Result<std::string>(std::string_view name)> execution;
  /// YAML text of the shipped profile of that name, whatever its case and punctuation; none: the
  /// name is free. Null: no name is reserved.
  std::function<Result<std::optional<std::string>>(std::string_view name)> shipped = nullptr;
  /// The gap of a dataset's instrument (configs/gaps.yaml). Null: none is resolved.
  std::function<Result<level::Gap>(const DatasetInfo& dataset)> gap = nullptr;
};

enum class ValueKind { Grid, IntRange, FloatRange, LogRange, Values };

/// A parameter that says something only where another has one of these values.
struct ParamCondition {
  std::string parameter;
  std::vector<double> values;  ///< as written
  double otherwise = 0;        ///< where this parameter stands when it says nothing
};

/// The declared search range of one parameter.
struct ParamSpace {
  std::string name;
  ValueKind kind = ValueKind::Values;
  bool integer = false;
  double low = 0;
  double high = 0;
  double step = 0;             ///< 0: continuous (not allowed for a grid)
  std::vector<double> values;  ///< for Values: as written, no duplicates; one: a fixed parameter
  std::optional<ParamCondition> when = std::nullopt;
};

struct StrategySpace {
  std::string family;
  std::vector<ParamSpace> params;  ///< in the family's declaration order, fixed ones included
  std::vector<std::string> require = {};  ///< what must hold between parameters, as in `Filter`
};

enum class FidelityMethod { None, Halving, Hyperband, Asha };

/// What a search that learns is told beside its method. Trials are `samples` of the specification.
struct AdaptiveSpec {
  std::uint64_t generation = 0;  ///< rows between two decisions; 0: the search does not learn
  std::vector<std::string> objectives;  ///< metrics, each in the direction that is better
  std::string warm_start;               ///< id of a finished sweep; empty: none
  FidelityMethod fidelity = FidelityMethod::None;
  std::uint64_t eta = 0;  ///< of three or so rows one goes on to a window so many times as long
  DurationNs shortest;    ///< the window of the lowest rung
};

/// What one trial may use; 0: no limit. Part of the sweep's identity: another limit may cut other
/// trials.
struct TrialLimits {
  double seconds = 0;    ///< of processor time
  double memory_mb = 0;  ///< MiB that its computation needs at once
  bool operator==(const TrialLimits&) const = default;
};

/// The learning curve that every trial reports: metrics as they stood every so often in data time.
struct PointsSpec {
  std::vector<std::string> metrics;  ///< of engine::metric_from_equity; empty: no curve
  DurationNs every;                  ///< whole days
  bool operator==(const PointsSpec&) const = default;
};

/// Purpose: a sweep with every name resolved: what it says, it says without a catalogue. Two specs
/// that resolve to the same text are the same sweep.
struct ResolvedSpec {
  std::string name;
  std::vector<DatasetInfo> data;
  TimestampNs from;  ///< first bar traded
  TimestampNs to;    ///< exclusive; a holdout is already cut off
  DurationNs holdout;
  /// The profile with the rules of an instrument it does not name. To run a segment take
  /// execution_by_data: rules (tick, lot, minimums) belong to instruments.
  engine::ExecutionModel execution;
  std::vector<engine::ExecutionModel> execution_by_data;  ///< one a dataset, in the order of `data`
  /// Of the whole profile (profile_hash); empty: from before it was kept. Names nothing: what is
  /// traded by is in the models.
  std::string execution_hash;
  std::vector<StrategySpace> strategies;
  SearchMethod method = SearchMethod::Grid;
  std::uint64_t samples = 0;  ///< per (dataset, strategy), but for Grid: 0
  AdaptiveSpec adaptive;
  std::uint64_t seed = 0;
  std::int32_t priority = 0;
  double weight = 1;             ///< of its share among its user's sweeps of one priority
  std::uint64_t trials_max = 0;  ///< budget; 0: none. A search may make more: it stops there
  double cpu_hours_max = 0;      ///< budget; 0: none
  std::string validation_json;   ///< canonical; empty: none
  /// How the families are scored, declared before there are results (convergence_declared.hpp);
  /// canonical; empty: the defaults.
  std::string convergence_json;
  TrialLimits limits;
  PointsSpec points;
  /// How the families are judged; not part of what the ledger knows a sweep by.
  level::OpenSpec open;
  /// What the person should know although nothing is wrong. Not part of the JSON.
  std::vector<std::string> warnings;

  /// Canonical JSON, stable key order. What travels to nodes and is stored.
  std::string to_json() const;
  static Result<ResolvedSpec> from_json(std::string_view text);
  /// Whether later trials depend on the results of earlier ones.
  bool learns() const { return adaptive.generation > 0; }
};

/// The ledger goes on naming trials and sweeps as this engine version did.
inline constexpr std::uint32_t kLedgerEngineVersion = 1;

/// The specification as engine version 1 would have resolved it: what came later and says how to
/// compute, not what to try, is as it was then. What the ledger knows a sweep by is made of it.
ResolvedSpec ledger_form(ResolvedSpec spec);
/// The id that engine version 1 would have given a sweep of this specification: the same for one
/// that is made again under a newer version, so that its hypotheses are counted once.
std::string ledger_id(const ResolvedSpec& spec);

/// Parses and checks a sweep specification (sweeps/README.md has every key). Unknown keys, wrong
/// units, empty or contradictory ranges, missing datasets and a space without a valid point are
/// refused. The first error only.
/// Fails: InvalidInput, the text starting with `file:line:column: `, naming key path, value and
/// what is allowed.
Result<ResolvedSpec> parse_spec(std::string_view yaml, std::string_view file_name,
                                const Catalog& catalog);

/// Parses an execution profile (configs/execution/*.yaml) with the rules of its `default`
/// instrument. Fails: as parse_spec.
Result<engine::ExecutionModel> parse_execution(std::string_view yaml, std::string_view file_name);
/// The same with the rules of one instrument, or of `default` if the profile does not name it.
Result<engine::ExecutionModel> parse_execution(std::string_view yaml, std::string_view file_name,
                                               std::string_view instrument);

}  // namespace winnow::sweeps
