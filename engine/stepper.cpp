#include "engine/stepper.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <utility>

#include "base/check.hpp"
#include "base/time.hpp"
#include "engine/indicators/list.hpp"
#include "engine/prepare.hpp"
#include "engine/steps.hpp"

namespace winnow::engine {
namespace {

constexpr std::string_view kSavedMagic = "winnow stepper 1";

/// What a saved stepper is written with: numbers as they lie in memory, texts and arrays with their
/// length before them.
class SavedWriter {
 public:
  void add(std::uint64_t v) { out_.append(reinterpret_cast<const char*>(&v), sizeof(v)); }
  void add(std::string_view text) {
    add(static_cast<std::uint64_t>(text.size()));
    out_.append(text);
  }
  template <class T>
  void add(std::span<const T> values) {
    add(std::string_view(reinterpret_cast<const char*>(values.data()), values.size_bytes()));
  }
  std::string finish() && {
    const Hash128 sum = hash128(out_);
    add(sum.high);
    add(sum.low);
    return std::move(out_);
  }

 private:
  std::string out_;
};

/// Reads it; once something is missing, everything is empty.
class SavedReader {
 public:
  explicit SavedReader(std::string_view bytes) : left_(bytes) {
    constexpr std::size_t kSum = 2 * sizeof(std::uint64_t);
    if (bytes.size() < kSum) {
      good_ = false;
      return;
    }
    left_ = bytes.substr(0, bytes.size() - kSum);
    const Hash128 sum = hash128(left_);
    std::uint64_t said[2];
    std::memcpy(said, bytes.data() + left_.size(), kSum);
    good_ = sum.high == said[0] && sum.low == said[1];
  }
  bool good() const { return good_; }
  bool done() const { return good_ && left_.empty(); }

  std::uint64_t number() {
    std::uint64_t v = 0;
    const std::string_view raw = take(sizeof(v));
    if (good_) std::memcpy(&v, raw.data(), sizeof(v));
    return v;
  }
  std::string_view text() { return take(number()); }
  template <class T>
  std::vector<T> values() {
    const std::string_view raw = text();
    if (raw.size() % sizeof(T) != 0) good_ = false;
    std::vector<T> out(good_ ? raw.size() / sizeof(T) : 0);
    if (!out.empty()) std::memcpy(out.data(), raw.data(), raw.size());
    return out;
  }

 private:
  std::string_view take(std::uint64_t size) {
    if (size > left_.size()) good_ = false;
    if (!good_) return {};
    const std::string_view out = left_.substr(0, size);
    left_.remove_prefix(size);
    return out;
  }
  std::string_view left_;
  bool good_ = true;
};

Error damaged_save(std::string_view why) {
  return Error(ErrorCode::Corrupt, "the saved stepper is damaged: " + std::string(why));
}

int side_of(double v) { return v > 0 ? 1 : v < 0 ? -1 : 0; }

}  // namespace

struct StepperLanes::Parts {
  const FamilyDecl* family = nullptr;
  ExecutionModel execution;
  std::vector<double> rows;    // [variant][parameter]
  std::vector<double> params;  // [parameter][variant]
  std::vector<ColumnSpec> specs;
  std::vector<std::uint32_t> columns;  // [column][variant]
  std::optional<GrowingMarket> market;
  std::size_t dropped = 0;  // bars that came before the market's first
  std::size_t stepped = 0;
  std::size_t needed_bars = 0;  // before one, that it depends on
  std::uint64_t numbers = 0;    // of intents so far
  std::vector<double> equity;
  std::vector<double> exposure;
  std::vector<double> drawdown;
  std::vector<double> tallies;
  std::unique_ptr<lanes::Steps> steps;
  std::vector<Intent> intents;

  std::size_t variants() const { return rows.size() / family->params.size(); }

  void begin(const MarketView& history, std::optional<std::int64_t> ordinal_first) {
    market.emplace(history, execution, ordinal_first);
    lay_out();
    lanes::Job& job = market->job();
    job.slots = variants();
    job.params = params.data();
    job.specs = specs.data();
    job.spec_count = specs.size();
    job.columns = columns.data();
    job.periods = 1;
    equity.resize(job.slots);
    exposure.resize(job.slots);
    drawdown.resize(job.slots);
    tallies.resize(lanes::kTallies * job.slots);
    job.period_equity = equity.data();
    job.period_exposure = exposure.data();
    job.period_drawdown = drawdown.data();
    job.tallies = tallies.data();
    WINNOW_INVARIANT(columns.size() % job.slots == 0 && !specs.empty());
    steps = make_steps(*family, job, 1, nullptr);
  }

  void lay_out() {
    const std::size_t width = family->params.size();
    const std::size_t count = variants();
    const FamilyRuntime& runtime = family_runtime(*family);
    params.resize(rows.size());
    columns.resize(static_cast<std::size_t>(runtime.columns) * count);
    std::map<ColumnSpec, std::uint32_t> numbers_of;
    for (std::size_t v = 0; v < count; ++v) {
      const double* row = rows.data() + v * width;
      for (std::size_t p = 0; p < width; ++p) params[p * count + v] = row[p];
      needed_bars = std::max(needed_bars, runtime.warmup_bars(row));
      for (int c = 0; c < runtime.columns; ++c) {
        const ColumnSpec spec = runtime.column(c, row);
        const auto [at, fresh] =
            numbers_of.try_emplace(spec, static_cast<std::uint32_t>(specs.size()));
        if (fresh) specs.push_back(spec);
        columns[static_cast<std::size_t>(c) * count + v] = at->second;
      }
    }
  }

  void tell_intents() {
    intents.clear();
    const std::size_t t = market->size() - 1;
    for (std::size_t v = 0; v < variants(); ++v) {
      const lanes::StepView now = steps->look(v);
      if (now.wanted == now.wished) continue;
      intents.push_back({.number = ++numbers,
                         .variant = static_cast<std::uint32_t>(v),
                         .decided_ns = market->view().time_ns[t],
                         .leg = 0,
                         .side = side_of(now.wanted),
                         .was = side_of(now.wished),
                         .stop_frac = now.protect.stop_frac.v,
                         .target_frac = now.protect.target_frac.v,
                         .trail_frac = now.protect.trail_frac.v,
                         .hold_bars = now.protect.hold_bars.v});
    }
  }

  // The last bars that anything looks back on, and all of the day that goes on.
  std::size_t tail_first() const {
    const MarketView all = market->view();
    const std::size_t n = all.size();
    if (n == 0) return 0;
    // A window reaches back from the start of the block that its last bar lies in.
    std::size_t keep = 2 * (needed_bars + 1);
    keep = std::max(keep, liquidity_bars(all, {n - 1, n}, execution) + 1);
    std::size_t first = n - std::min(n, keep);
    while (first > 0 &&
           utc_day_of_ns(all.time_ns[first]) == utc_day_of_ns(all.time_ns[first - 1])) {
      --first;
    }
    return first;
  }
};

StepperLanes::StepperLanes(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
StepperLanes::StepperLanes(StepperLanes&&) noexcept = default;
StepperLanes& StepperLanes::operator=(StepperLanes&&) noexcept = default;
StepperLanes::~StepperLanes() = default;

Result<StepperLanes> StepperLanes::open(const FamilyDecl& family, std::span<const double> params,
                                        const MarketView& history,
                                        const ExecutionModel& execution) {
  WINNOW_TRY(check_execution(execution));
  WINNOW_TRY(check_rows(family, params));
  if (history.size() > 0) WINNOW_TRY(check_window(history, {0, history.size()}));
  auto parts = std::make_unique<Parts>();
  parts->family = &family;
  parts->execution = execution;
  parts->rows.assign(params.begin(), params.end());
  parts->begin(history, {});
  return StepperLanes(std::move(parts));
}

Result<std::span<const Intent>> StepperLanes::on_bar(const BarEvent& bar,
                                                     std::span<const FundingEvent> funding) {
  [[maybe_unused]] const std::size_t bars_before = parts_->market->size();
  WINNOW_TRY(parts_->market->append(bar, funding));
  WINNOW_INVARIANT(parts_->market->size() == bars_before + 1);
  WINNOW_INVARIANT(parts_->market->is_ascending());
  parts_->steps->run_to(parts_->market->size());
  ++parts_->stepped;
  parts_->tell_intents();
  return std::span<const Intent>(parts_->intents);
}

std::size_t StepperLanes::variants() const { return parts_->variants(); }
std::size_t StepperLanes::bars() const { return parts_->stepped; }

Standing StepperLanes::standing(std::size_t variant) const {
  WINNOW_REQUIRES(variant < variants());
  const lanes::StepView now = parts_->steps->look(variant);
  WINNOW_INVARIANT(side_of(now.qty) == side_of(now.side));
  const MarketView all = parts_->market->view();
  const double close = all.size() > 0 ? all.close.back() : 0;
  return {.cash = now.cash,
          .qty = now.qty,
          .equity = now.cash + now.qty * close,
          .side = side_of(now.side),
          .wanted = side_of(now.wanted),
          .stop_px = now.stop,
          .day_equity = parts_->equity[variant],
          .day_exposure = parts_->exposure[variant]};
}

Hash128 StepperLanes::digest(std::size_t variant) const {
  WINNOW_REQUIRES(variant < variants());
  KeyHasher hasher("step");
  hasher.add(static_cast<std::uint64_t>(parts_->stepped));
  parts_->steps->add_to(hasher, variant, parts_->dropped);
  return hasher.finish();
}

std::string StepperLanes::save() const {
  const Parts& p = *parts_;
  const MarketView all = p.market->view();
  const std::size_t first = p.tail_first();
  SavedWriter out;
  out.add(kSavedMagic);
  out.add(std::uint64_t{kEngineVersion});
  out.add(p.family->name);
  out.add(std::uint64_t{p.family->code_version});
  out.add(p.execution.key().high);
  out.add(p.execution.key().low);
  out.add(std::span<const double>(p.rows));
  out.add(static_cast<std::uint64_t>(p.dropped + first));
  out.add(static_cast<std::uint64_t>(p.stepped));
  out.add(p.numbers);
  out.add(static_cast<std::uint64_t>(all.interval_ns));
  out.add(static_cast<std::uint64_t>(p.market->job().market.ordinal_first +
                                     static_cast<std::int64_t>(first)));
  out.add(all.time_ns.subspan(first));
  for (const auto& column : {all.open, all.high, all.low, all.close, all.volume}) {
    out.add(column.subspan(first));
  }
  for (const auto* row : {&p.equity, &p.exposure}) out.add(std::span<const double>(*row));
  out.add(p.steps->save(p.dropped));
  return std::move(out).finish();
}

Result<StepperLanes> StepperLanes::restore(std::string_view saved,
                                           const ExecutionModel& execution) {
  SavedReader in(saved);
  if (!in.good()) return damaged_save("its checksum differs");
  if (in.text() != kSavedMagic) return damaged_save("it begins as none does");
  if (const std::uint64_t version = in.number(); version != kEngineVersion) {
    return Error(ErrorCode::InvalidInput, "the stepper was saved by engine version " +
                                              std::to_string(version) + ", this is version " +
                                              std::to_string(kEngineVersion));
  }
  auto parts = std::make_unique<Parts>();
  const std::string name(in.text());
  parts->family = find_family(name);
  const std::uint64_t code_version = in.number();
  if (parts->family == nullptr || parts->family->code_version != code_version) {
    return Error(ErrorCode::InvalidInput, "the stepper was saved for version " +
                                              std::to_string(code_version) + " of family " + name +
                                              ", which this program has not");
  }
  WINNOW_TRY(check_execution(execution));
  const Hash128 key{in.number(), in.number()};
  if (key != execution.key()) {
    return Error(ErrorCode::InvalidInput,
                 "the stepper was saved under another execution model than " + execution.name);
  }
  parts->execution = execution;
  parts->rows = in.values<double>();
  if (auto rows = check_rows(*parts->family, parts->rows); !rows.ok()) return rows.error();
  parts->dropped = in.number();
  parts->stepped = in.number();
  parts->numbers = in.number();
  MarketColumns tail;
  tail.interval_ns = static_cast<std::int64_t>(in.number());
  const auto ordinal = static_cast<std::int64_t>(in.number());
  tail.time_ns = in.values<std::int64_t>();
  for (auto* column : {&tail.open, &tail.high, &tail.low, &tail.close, &tail.volume}) {
    *column = in.values<double>();
  }
  const std::vector<double> equity = in.values<double>();
  const std::vector<double> exposure = in.values<double>();
  const std::string_view steps = in.text();
  if (!in.done()) return damaged_save("it ends too early, or too late");
  if (tail.size() > 0) WINNOW_TRY(check_window(tail.view(), {0, tail.size()}));
  parts->begin(tail.view(), ordinal);
  if (equity.size() != parts->variants() || exposure.size() != parts->variants() ||
      !parts->steps->restore(steps, parts->dropped)) {
    return damaged_save("its variants are not so many");
  }
  std::copy(equity.begin(), equity.end(), parts->equity.begin());
  std::copy(exposure.begin(), exposure.end(), parts->exposure.begin());
  return StepperLanes(std::move(parts));
}

Result<Stepper> Stepper::open(const FamilyDecl& family, std::span<const double> params,
                              const MarketView& history, const ExecutionModel& execution) {
  WINNOW_TRY(check_params(family, params));
  auto lanes = StepperLanes::open(family, params, history, execution);
  if (!lanes.ok()) return lanes.error();
  return Stepper(std::move(*lanes));
}

Result<Stepper> Stepper::restore(std::string_view saved, const ExecutionModel& execution) {
  auto lanes = StepperLanes::restore(saved, execution);
  if (!lanes.ok()) return lanes.error();
  if (lanes->variants() != 1) {
    return Error(ErrorCode::InvalidInput, "the stepper was saved with " +
                                              std::to_string(lanes->variants()) +
                                              " variants; one is allowed here");
  }
  return Stepper(std::move(*lanes));
}

}  // namespace winnow::engine
