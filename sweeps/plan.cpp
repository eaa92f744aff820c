#include "sweeps/plan.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "base/check.hpp"
#include "base/numbers.hpp"
#include "sweeps/adaptive_spec.hpp"
#include "sweeps/design.hpp"
#include "sweeps/generation_rows.hpp"
#include "sweeps/spec_params.hpp"

namespace winnow::sweeps {
namespace {

constexpr std::uint64_t kTrialsMax = 10'000'000'000;
constexpr std::uint64_t kBlocksMax = 8'000'000;  // a coordinator keeps bytes of each and walks them
constexpr std::size_t kBlockBytesMax = std::size_t{512} << 10;
constexpr std::uint64_t kBlockRowsStep = 16;
constexpr std::uint64_t kBlockRowsMax = 4096;
// A small sweep is cut finer, so that many workers and a progress bar have something to do.
constexpr std::uint64_t kBlocksWanted = 64;

TimestampNs window_first(const ResolvedSpec& spec, const DatasetInfo& d) {
  return std::max(spec.from, d.first);
}
TimestampNs window_end(const ResolvedSpec& spec, const DatasetInfo& d) {
  return std::min(spec.to, d.last + d.interval);
}

}  // namespace

std::size_t window_days(const ResolvedSpec& spec, const DatasetInfo& d) {
  const std::int64_t first = utc_day(window_first(spec, d));
  const std::int64_t last = utc_day(window_end(spec, d) - DurationNs{1});
  return static_cast<std::size_t>(last - first + 1);
}

namespace {

// A day has at most as many periods as bars.
std::uint32_t period_bound(const ResolvedSpec& spec, const DatasetInfo& d) {
  return static_cast<std::uint32_t>(std::min(window_days(spec, d), d.bars));
}

Result<std::uint32_t> point_steps(const ResolvedSpec& spec, const DatasetInfo& d) {
  if (spec.points.metrics.empty()) return 0u;
  const auto every = static_cast<std::uint64_t>(spec.points.every.ns / days(1).ns);
  if (every == 0 || spec.points.every.ns % days(1).ns != 0) {
    return bad_input("points every " + format_duration(spec.points.every) +
                     "; learning curves go by whole days");
  }
  const std::uint64_t steps = (window_days(spec, d) + every - 1) / every;
  const std::uint64_t values = steps * spec.points.metrics.size();
  if (values > kPointValuesMax) {
    return bad_input("points: " + std::to_string(spec.points.metrics.size()) + " metrics at " +
                     std::to_string(steps) + " steps of '" + d.name + "' make " +
                     std::to_string(values) + " values a trial; at most " +
                     std::to_string(kPointValuesMax) + " are kept, so take longer steps");
  }
  return static_cast<std::uint32_t>(steps);
}

Result<std::vector<std::uint32_t>> point_metric_indices(const ResolvedSpec& spec) {
  std::vector<std::uint32_t> out;
  for (const std::string& name : spec.points.metrics) {
    const int index = engine::find_metric(name);
    if (index < 0 || !engine::metric_from_equity(index)) {
      return bad_input("points: there is no learning curve of '" + name + "'");
    }
    out.push_back(static_cast<std::uint32_t>(index));
  }
  return out;
}

// A row's metrics as engine version 1 had them: how a sweep is cut into blocks must not change with
// every new metric, or the plans of stored sweeps could not be made again.
constexpr std::size_t kLayoutMetrics = 33;

// Rows whose encoding stays within kBlockBytesMax. Those of a search that learns do not depend on
// how many trials there are, so that it can go on: its blocks are the engine's widest lane.
std::uint32_t choose_block_rows(const ResolvedSpec& spec, std::uint64_t trials,
                                std::uint32_t periods, std::uint64_t point_values) {
  if (spec.learns()) return kAdaptiveBlockRows;
  const std::size_t row_bytes =
      (kLayoutMetrics + point_values) * sizeof(double) + periods * sizeof(float) + 24;
  const std::uint64_t fitting = kBlockBytesMax / row_bytes / kBlockRowsStep * kBlockRowsStep;
  const std::uint64_t wanted = round_up(trials / kBlocksWanted, kBlockRowsStep);
  const std::uint64_t rows = std::min({fitting, wanted, kBlockRowsMax});
  return static_cast<std::uint32_t>(std::max(rows, kBlockRowsStep));
}

Status check_data(const ResolvedSpec& spec) {
  if (spec.data.empty()) return bad_input("the sweep names no dataset");
  if (spec.strategies.empty()) return bad_input("the sweep names no strategy");
  if (spec.execution_by_data.size() != spec.data.size()) {
    return bad_input("the sweep has " + std::to_string(spec.data.size()) + " datasets but " +
                     std::to_string(spec.execution_by_data.size()) + " execution models");
  }
  for (const engine::ExecutionModel& m : spec.execution_by_data) {
    WINNOW_TRY(engine::check_execution(m));
  }
  for (const DatasetInfo& d : spec.data) {
    const bool sound = d.bars > 0 && d.interval.ns > 0 && d.first <= d.last && d.first.ns >= 0 &&
                       d.last.ns < INT64_MAX - d.interval.ns;
    if (!sound) return bad_input("the dataset '" + d.name + "' has no bars or impossible times");
    if (spec.from >= spec.to || d.first >= spec.to || d.last < spec.from) {
      return bad_input("the dataset '" + d.name + "' has no bars from " +
                       format_timestamp(spec.from) + " to " + format_timestamp(spec.to));
    }
  }
  return {};
}

Edition edition_of(const engine::ExecutionModel& execution) {
  return KeyHasher("edition-1")
      .add(std::uint64_t{engine::kEngineVersion})
      .add(execution.key())
      .finish();
}

/// What the ledger keys of a family's trials on a dataset and window share.
Hash128 segment_key(const engine::FamilyDecl& family, const DatasetInfo& d, TimestampNs from,
                    TimestampNs to, const engine::ExecutionModel& execution) {
  KeyHasher hasher("trial-1");
  hasher.add(std::uint64_t{kLedgerEngineVersion});
  hasher.add(family.name).add(std::uint64_t{family.code_version});
  hasher.add(std::uint64_t{family.params.size()});
  for (const engine::ParamDecl& decl : family.params) hasher.add(decl.name);
  hasher.add(d.content_hash).add(std::max(from, d.first).ns);
  hasher.add(std::min(to, d.last + d.interval).ns);
  hasher.add(execution.ledger_key());
  return hasher.finish();
}

LedgerKey key_in_segment(const Hash128& segment, std::span<const double> params) {
  // The segment's part is hashed once; a key costs one short hash.
  constexpr std::size_t kParametersMax = 64;
  WINNOW_REQUIRES(params.size() <= kParametersMax);
  char raw[16 + 8 * kParametersMax];
  const std::array<char, 16> prefix = segment.bytes();
  std::memcpy(raw, prefix.data(), prefix.size());
  std::size_t size = prefix.size();
  for (const double v : params) {
    const std::uint64_t bits = std::bit_cast<std::uint64_t>(v == 0 ? 0.0 : v);
    std::memcpy(raw + size, &bits, sizeof bits);
    size += sizeof bits;
  }
  return hash128({raw, size});
}

engine::ExecutionModel version_1_form(engine::ExecutionModel m) {
  // A profile that states what version 1 was told is that one; else rules at their defaults are
  // what came with this version, and values of its own are another claim.
  const bool stated = m.version_1_impact_bps >= 0;
  if (stated) m.impact_bps = m.version_1_impact_bps;
  m.version_1_impact_bps = -1;
  for (const engine::ExecutionRule& rule : engine::execution_rules()) {
    if (stated || rule.value(m) == rule.otherwise) rule.set(m, rule.off);
  }
  return m;
}

std::string sweep_id(ResolvedSpec spec, std::uint32_t engine_version) {
  spec.priority = 0;
  spec.weight = 1;
  spec.trials_max = 0;
  spec.cpu_hours_max = 0;
  for (DatasetInfo& d : spec.data) d.gap.reset();
  spec.execution_hash.clear();
  // A search of one segment goes on in place: how far it goes does not name it.
  if (spec.learns() && spec.data.size() * spec.strategies.size() == 1) spec.samples = 0;
  KeyHasher hasher("sweep-1");
  hasher.add(spec.to_json()).add(std::uint64_t{engine_version});
  for (const StrategySpace& s : spec.strategies) {
    const engine::FamilyDecl* family = engine::find_family(s.family);
    hasher.add(std::uint64_t{family == nullptr ? 0 : family->code_version});
  }
  return hasher.finish().hex().substr(0, 16);
}

}  // namespace

ResolvedSpec ledger_form(ResolvedSpec spec) {
  spec.execution = version_1_form(std::move(spec.execution));
  for (auto& m : spec.execution_by_data) m = version_1_form(std::move(m));
  for (DatasetInfo& d : spec.data) {
    d.periods_per_year = engine::kPeriodsPerYearOpen;
    d.gap.reset();
  }
  spec.execution_hash.clear();
  spec.open = {};
  return spec;
}

double DatasetInfo::years() const {
  // At least a day, so that a rate is finite.
  const auto ns = std::max((last + interval - first).ns, days(1).ns);
  return static_cast<double>(ns) / static_cast<double>(days(1).ns) / engine::kDaysPerYear;
}

std::string ledger_id(const ResolvedSpec& spec) {
  return sweep_id(ledger_form(spec), kLedgerEngineVersion);
}

double Plan::years(const Segment& segment) const {
  const DatasetInfo& d = spec_.data[segment.dataset];
  const auto elapsed = static_cast<double>(window_end(spec_, d).ns - window_first(spec_, d).ns);
  return elapsed / static_cast<double>(days(1).ns) / engine::kDaysPerYear;
}

Status Plan::add_segment(Segment segment) {
  const StrategySpace& space = spec_.strategies[segment.strategy];
  const engine::FamilyDecl& family = *families_[segment.strategy];
  // Points that do not depend on the segment are shared by datasets.
  const bool shared = !spec_.learns() && spec_.method.decl().shares;
  if (shared && segment.dataset > 0) {
    designs_.push_back(designs_[segment.strategy]);
  } else {
    auto design = Design::make(
        space, family, {spec_.method, spec_.samples, spec_.seed, segment.index, spec_.learns()});
    if (!design) return design.error().within(space.family);
    designs_.push_back(*std::move(design));
  }
  segment.trials = designs_.back()->size();
  segment.periods = period_bound(spec_, spec_.data[segment.dataset]);
  const auto steps = point_steps(spec_, spec_.data[segment.dataset]);
  if (!steps) return steps.error();
  segment.point_steps = *steps;
  trials_ += segment.trials;
  if (trials_ > kTrialsMax) {
    return bad_input("the sweep has more than " + std::to_string(kTrialsMax) + " trials");
  }
  for (const TimestampNs to : rung_ends_) {
    segment_keys_.push_back(segment_key(family, spec_.data[segment.dataset], spec_.from, to,
                                        spec_.execution_by_data[segment.dataset]));
  }
  editions_.push_back(edition_of(spec_.execution_by_data[segment.dataset]));
  segments_.push_back(segment);
  return {};
}

Result<Plan> Plan::make(ResolvedSpec spec) {
  WINNOW_TRY(check_data(spec));
  WINNOW_TRY(check_adaptive(spec));
  Plan plan;
  for (const StrategySpace& s : spec.strategies) {
    const engine::FamilyDecl* family = engine::find_family(s.family);
    if (family == nullptr) return bad_input("there is no strategy family '" + s.family + "'");
    plan.families_.push_back(family);
  }
  for (const DurationNs length : rung_lengths(spec)) {
    plan.rung_ends_.push_back(spec.from + length);
  }
  auto point_metrics = point_metric_indices(spec);
  if (!point_metrics) return point_metrics.error();
  plan.point_metrics_ = *std::move(point_metrics);
  plan.spec_ = std::move(spec);
  std::uint32_t periods_max = 1;
  std::uint64_t point_values_max = 0;
  for (std::size_t d = 0; d < plan.spec_.data.size(); ++d) {
    for (std::size_t s = 0; s < plan.spec_.strategies.size(); ++s) {
      WINNOW_TRY(plan.add_segment({.index = static_cast<std::uint32_t>(plan.segments_.size()),
                                   .dataset = d,
                                   .strategy = s,
                                   .first_trial = plan.trials_}));
      const Segment& added = plan.segments_.back();
      periods_max = std::max(periods_max, added.periods);
      point_values_max =
          std::max(point_values_max, std::uint64_t{added.point_steps} * plan.point_metrics_.size());
    }
  }
  plan.block_rows_ = choose_block_rows(plan.spec_, plan.trials_, periods_max, point_values_max);
  std::uint64_t trials = 0;
  for (Segment& segment : plan.segments_) {
    WINNOW_INVARIANT(segment.first_trial == trials && segment.trials > 0);
    trials += segment.trials;
    segment.first_block = plan.blocks_;
    segment.blocks = round_up(segment.trials, plan.block_rows_) / plan.block_rows_;
    plan.blocks_ += segment.blocks;
  }
  WINNOW_INVARIANT(trials == plan.trials_);
  if (plan.blocks_ > kBlocksMax) {
    return bad_input("the results of " + std::to_string(plan.trials_) +
                     " trials on this window make " + std::to_string(plan.blocks_) +
                     " blocks; at most " + std::to_string(kBlocksMax) +
                     " are kept track of: take fewer trials or a shorter window");
  }
  plan.id_ = sweep_id(plan.spec_, engine::kEngineVersion);
  return plan;
}

Result<Plan> Plan::with_rows(std::span<const GenerationRows> rows) const {
  std::vector<std::vector<const GenerationRows*>> by_segment(segments_.size());
  for (const GenerationRows& r : rows) {
    if (r.segment >= segments_.size()) {
      return bad_input("rows of segment " + std::to_string(r.segment) + "; the sweep has " +
                       std::to_string(segments_.size()));
    }
    for (const std::uint8_t rung : r.rungs) {
      if (rung >= rungs()) return bad_input("a row of rung " + std::to_string(rung));
    }
    by_segment[r.segment].push_back(&r);
  }
  Plan out = *this;
  for (std::size_t s = 0; s < by_segment.size(); ++s) {
    if (by_segment[s].empty()) continue;
    auto design = designs_[s]->with_rows(by_segment[s]);
    if (!design) return design.error();
    out.designs_[s] = *std::move(design);
  }
  return out;
}

bool Plan::known(std::uint64_t block) const {
  WINNOW_REQUIRES(block < blocks_);
  if (!spec_.learns()) return true;
  const Segment& segment = segment_of_block(block);
  const std::uint64_t row = (block - segment.first_block) * block_rows_;
  const std::uint64_t last = std::min<std::uint64_t>(row + block_rows_, segment.trials) - 1;
  return design(segment).rung(row).has_value() && design(segment).rung(last).has_value();
}

std::uint32_t Plan::rung_of_block(std::uint64_t block) const {
  if (rungs() == 1) return 0;
  const Segment& segment = segment_of_block(block);
  const std::uint64_t row = (block - segment.first_block) * block_rows_;
  return design(segment).rung(row).value_or(rungs() - 1);
}

const Segment& Plan::segment_of_block(std::uint64_t block) const {
  WINNOW_REQUIRES(block < blocks_);
  const auto after =
      std::upper_bound(segments_.begin(), segments_.end(), block,
                       [](std::uint64_t b, const Segment& s) { return b < s.first_block; });
  WINNOW_INVARIANT(after != segments_.begin());
  WINNOW_ENSURES(block - (after - 1)->first_block < (after - 1)->blocks);
  return *(after - 1);
}

const Segment& Plan::segment_of_trial(std::uint64_t trial) const {
  WINNOW_REQUIRES(trial < trials_);
  const auto after =
      std::upper_bound(segments_.begin(), segments_.end(), trial,
                       [](std::uint64_t t, const Segment& s) { return t < s.first_trial; });
  WINNOW_INVARIANT(after != segments_.begin());
  WINNOW_ENSURES(trial - (after - 1)->first_trial < (after - 1)->trials);
  return *(after - 1);
}

Plan::Range Plan::block_range(std::uint64_t block) const {
  const Segment& segment = segment_of_block(block);
  const std::uint64_t offset = (block - segment.first_block) * block_rows_;
  const std::uint64_t rows = std::min<std::uint64_t>(block_rows_, segment.trials - offset);
  WINNOW_ENSURES(offset < segment.trials && rows >= 1 && offset + rows <= segment.trials);
  return {segment.first_trial + offset, static_cast<std::uint32_t>(rows)};
}

TimestampNs Plan::point_until(const Segment& segment, std::uint32_t step) const {
  const DatasetInfo& d = spec_.data[segment.dataset];
  const std::int64_t first = utc_day(window_first(spec_, d));
  const std::int64_t end = first + static_cast<std::int64_t>(window_days(spec_, d));
  const std::int64_t day = first + std::int64_t{step + 1} * (spec_.points.every.ns / days(1).ns);
  return TimestampNs{std::min(day, end) * days(1).ns};
}

std::vector<double> Plan::params(std::uint64_t first_trial, std::uint64_t count) const {
  if (count == 0) return {};
  const Segment& segment = segment_of_trial(first_trial);
  WINNOW_REQUIRES(first_trial - segment.first_trial + count <= segment.trials);
  const Design& points = design(segment);
  const std::size_t width = points.parameters();
  std::vector<double> out(count * width);
  for (std::uint64_t i = 0; i < count; ++i) {
    points.point(first_trial - segment.first_trial + i, std::span(out).subspan(i * width, width));
  }
  return out;
}

LedgerKey Plan::key_on(const Segment& segment, std::uint32_t rung,
                       std::span<const double> params) const {
  return key_in_segment(segment_keys_[segment.index * rungs() + rung], params);
}

LedgerKey single_ledger_key(const SingleTrial& trial, const engine::FamilyDecl& family,
                            std::span<const double> params) {
  return key_in_segment(segment_key(family, trial.data, trial.from, trial.to, trial.execution),
                        params);
}

}  // namespace winnow::sweeps
