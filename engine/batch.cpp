#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "base/check.hpp"
#include "engine/engine.hpp"
#include "engine/indicators/list.hpp"
#include "engine/isa.hpp"
#include "engine/lanes/job.hpp"
#include "engine/lanes/tile_size.hpp"
#include "engine/metrics.hpp"
#include "engine/prepare.hpp"

namespace winnow::engine {
namespace {

/// Purpose: which variant sits in which lane. Variants sorted by their parameters become groups
/// whose lanes share indicators and behave alike; groups that use the same indicators follow one
/// another.
struct Layout {
  std::vector<std::uint32_t> variant;  ///< by slot
  std::vector<bool> padded;            ///< by slot: repeats its neighbour, result dropped
  std::vector<ColumnSpec> specs;
  std::vector<std::uint32_t> columns;  ///< [column][slot]
};

class LayoutMaker {
 public:
  LayoutMaker(const BatchRequest& request, std::size_t variants, std::size_t lanes)
      : params_(request.params),
        width_(request.family->params.size()),
        variants_(variants),
        lanes_(lanes),
        runtime_(family_runtime(*request.family)),
        column_count_(static_cast<std::size_t>(runtime_.columns)) {}

  Layout make() {
    number_columns();
    sort_variants();
    sort_buckets();
    fill_groups();
    sort_groups();
    return std::move(layout_);
  }

 private:
  const double* row(std::size_t v) const { return params_.data() + v * width_; }
  std::uint32_t column(std::size_t v, std::size_t c) const {
    return column_of_[v * column_count_ + c];
  }

  void number_columns() {
    std::map<ColumnSpec, std::uint32_t> numbers;
    column_of_.reserve(variants_ * column_count_);
    for (std::size_t v = 0; v < variants_; ++v) {
      for (std::size_t c = 0; c < column_count_; ++c) {
        const ColumnSpec spec = runtime_.column(static_cast<int>(c), row(v));
        const auto [at, fresh] =
            numbers.try_emplace(spec, static_cast<std::uint32_t>(layout_.specs.size()));
        if (fresh) layout_.specs.push_back(spec);
        column_of_.push_back(at->second);
      }
    }
  }

  void sort_variants() {
    order_.resize(variants_);
    std::iota(order_.begin(), order_.end(), 0u);
    std::stable_sort(order_.begin(), order_.end(), [&](std::uint32_t a, std::uint32_t b) {
      return std::lexicographical_compare(row(a), row(a) + width_, row(b), row(b) + width_);
    });
  }

  // Lanes that act at the same bars save events. Sorting by the parameters in order makes entries
  // coincide; sorting small neighbourhoods of that order once more, by the parameter that decides
  // most exits, makes exits coincide too (W3 dense: 7% faster).
  void sort_buckets() {
    if (runtime_.exit_param < 0) return;
    const auto p = static_cast<std::size_t>(runtime_.exit_param);
    const std::size_t bucket = 4 * lanes_;
    for (std::size_t begin = 0; begin < variants_;) {
      std::size_t end = begin + 1;
      while (end < variants_ && end - begin < bucket && same_run(order_[begin], order_[end])) ++end;
      std::stable_sort(order_.begin() + static_cast<std::ptrdiff_t>(begin),
                       order_.begin() + static_cast<std::ptrdiff_t>(end),
                       [&](std::uint32_t a, std::uint32_t b) { return row(a)[p] < row(b)[p]; });
      begin = end;
    }
  }

  // A run of variants that share all columns but the last, or the only one, ends its last group
  // early if that wastes little: groups then share their columns.
  bool same_run(std::uint32_t a, std::uint32_t b) const {
    const std::size_t shared = column_count_ > 1 ? column_count_ - 1 : 1;
    for (std::size_t c = 0; c < shared; ++c) {
      if (column(a, c) != column(b, c)) return false;
    }
    return true;
  }

  void fill_groups() {
    for (std::size_t begin = 0; begin < variants_;) {
      std::size_t end = begin + 1;
      while (end < variants_ && same_run(order_[begin], order_[end])) ++end;
      for (std::size_t i = begin; i < end; ++i) place(order_[i], false);
      if (end == variants_ || end - begin >= 4 * lanes_) {
        while (layout_.variant.size() % lanes_ != 0) place(order_[end - 1], true);
      }
      begin = end;
    }
  }

  void place(std::uint32_t variant, bool padded) {
    layout_.variant.push_back(variant);
    layout_.padded.push_back(padded);
  }

  void sort_groups() {
    const std::size_t groups = layout_.variant.size() / lanes_;
    std::vector<std::size_t> order(groups);
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto before = [&](std::size_t a, std::size_t b) {
      for (std::size_t c = column_count_; c-- > 0;) {
        for (std::size_t lane = 0; lane < lanes_; ++lane) {
          const std::uint32_t x = column(layout_.variant[a * lanes_ + lane], c);
          const std::uint32_t y = column(layout_.variant[b * lanes_ + lane], c);
          if (x != y) return x < y;
        }
      }
      return false;
    };
    std::stable_sort(order.begin(), order.end(), before);
    const Layout old = layout_;
    for (std::size_t g = 0; g < groups; ++g) {
      for (std::size_t lane = 0; lane < lanes_; ++lane) {
        layout_.variant[g * lanes_ + lane] = old.variant[order[g] * lanes_ + lane];
        layout_.padded[g * lanes_ + lane] = old.padded[order[g] * lanes_ + lane];
      }
    }
    const std::size_t slots = layout_.variant.size();
    layout_.columns.resize(column_count_ * slots);
    for (std::size_t c = 0; c < column_count_; ++c) {
      for (std::size_t s = 0; s < slots; ++s) {
        layout_.columns[c * slots + s] = column(layout_.variant[s], c);
      }
    }
  }

  std::span<const double> params_;
  std::size_t width_;
  std::size_t variants_;
  std::size_t lanes_;
  const FamilyRuntime& runtime_;
  std::size_t column_count_;
  std::vector<std::uint32_t> column_of_;
  std::vector<std::uint32_t> order_;
  Layout layout_;
};

Status check_request(const BatchRequest& request) {
  if (request.market == nullptr || request.family == nullptr || request.execution == nullptr) {
    return Error(ErrorCode::InvalidInput, "batch needs a market, a family and an execution model");
  }
  WINNOW_TRY(check_window(*request.market, request.window));
  WINNOW_TRY(check_execution(*request.execution));
  WINNOW_TRY(check_rows(*request.family, request.params));
  for (const std::uint32_t metric : request.point_metrics) {
    if (!metric_from_equity(static_cast<int>(metric))) {
      return Error(ErrorCode::InvalidInput,
                   "metric " + std::to_string(metric) + " has no learning curve");
    }
  }
  if (!isa_supported(request.isa)) {
    return Error(ErrorCode::InvalidInput, "this machine does not support " +
                                              std::string(isa_name(request.isa)) + " kernels");
  }
  return {};
}

/// A request's predicate as the kernels call it.
struct Stop {
  const std::function<bool()>& asked;
  bool said = false;
  static bool ask(void* with) {
    auto& stop = *static_cast<Stop*>(with);
    return stop.said = stop.asked();
  }
};

/// What the kernel wrote, and the rows made of it.
class Collector {
 public:
  Collector(std::size_t periods, std::size_t slots, bool drawdown)
      : slots_(slots),
        equity_(periods * slots),
        exposure_(periods * slots),
        drawdown_(drawdown ? periods * slots : 0),
        tallies_(lanes::kTallies * slots) {}

  void attach(lanes::Job& job) {
    job.period_equity = equity_.data();
    job.period_exposure = exposure_.data();
    job.tallies = tallies_.data();
    if (!drawdown_.empty()) job.period_drawdown = drawdown_.data();
  }

  void write(const Layout& layout, const BatchRequest& request, MetricRow& row,
             BatchResult& result) const {
    const std::size_t metrics = metric_decls().size();
    std::vector<double> equity(result.periods);
    std::vector<double> drawdown(drawdown_.empty() ? 0 : result.periods);
    std::vector<double> exposure(result.periods);
    std::vector<double> tallies(lanes::kTallies);
    std::vector<double> values(metrics);
    for (std::size_t slot = 0; slot < slots_; ++slot) {
      if (layout.padded[slot]) continue;
      const std::size_t v = layout.variant[slot];
      for (std::size_t p = 0; p < equity.size(); ++p) equity[p] = equity_[p * slots_ + slot];
      for (std::size_t p = 0; p < drawdown.size(); ++p) drawdown[p] = drawdown_[p * slots_ + slot];
      row.see_drawdown(drawdown);
      for (std::size_t i = 0; i < tallies.size(); ++i) tallies[i] = tallies_[i * slots_ + slot];
      const std::span<float> returns(result.returns.data() + v * result.periods, result.periods);
      const std::span<float> exposures(result.exposures.data() + v * result.periods,
                                       result.periods);
      for (std::size_t p = 0; p < exposures.size(); ++p) {
        exposure[p] = exposure_[p * slots_ + slot];
        exposures[p] = static_cast<float>(exposure[p]);
      }
      row.see_exposure(exposure);
      row.compute(equity, tallies, values, returns);
      for (std::size_t m = 0; m < metrics; ++m) result.metrics[m * result.variants + v] = values[m];
      if (!request.point_metrics.empty()) write_points(request, v, equity, values, row, result);
    }
  }

 private:
  static void write_points(const BatchRequest& request, std::size_t variant,
                           std::span<const double> equity, std::span<double> values, MetricRow& row,
                           BatchResult& result) {
    const std::size_t steps = request.point_periods.size();
    for (std::size_t step = 0; step < steps; ++step) {
      row.compute_prefix(equity.first(request.point_periods[step]), values);
      for (std::size_t m = 0; m < request.point_metrics.size(); ++m) {
        result.points[(m * steps + step) * result.variants + variant] =
            values[request.point_metrics[m]];
      }
    }
  }

  std::size_t slots_;
  std::vector<double> equity_;    // [period][slot]
  std::vector<double> exposure_;  // [period][slot]
  std::vector<double> drawdown_;  // [period][slot], empty unless taken at every close
  std::vector<double> tallies_;   // [tally][slot]
};

}  // namespace

Result<std::uint64_t> batch_bytes(const BatchRequest& request) {
  WINNOW_TRY(check_request(request));
  const FamilyRuntime& runtime = family_runtime(*request.family);
  const std::size_t width = request.family->params.size();
  const std::uint64_t variants = request.params.size() / width;
  std::set<ColumnSpec> specs;
  for (std::uint64_t v = 0; v < variants; ++v) {
    for (int c = 0; c < runtime.columns; ++c) {
      specs.insert(runtime.column(c, request.params.data() + v * width));
    }
  }
  lanes::Job job;
  job.spec_count = specs.size();
  const std::uint64_t tile = lanes::tile_bars(job);
  // Values of a tile, their block summaries (two for eight bars) and those of the market.
  std::uint64_t doubles = specs.size() * tile + (specs.size() + 1) * tile / 4;
  for (const ColumnSpec& spec : specs) doubles += column_doubles(spec, request.market->size());
  // Bounds that hold for every instruction set, so that a trial's need is the same on every node:
  // lanes are filled up to whole groups of eight, by a quarter at most; a lane's state is below 80
  // numbers.
  constexpr std::uint64_t kLanesMax = 8;
  constexpr std::uint64_t kLaneDoubles = 80;
  const std::uint64_t slots = variants + variants / 4 + kLanesMax;
  const std::uint64_t periods = period_starts(*request.market, request.window).size();
  doubles += slots * (2 * periods + lanes::kTallies + kLaneDoubles + 2 * width);
  if (request.execution->drawdown_bars) doubles += slots * periods;
  // Expected volume, slippage, and what they are counted with.
  if (request.execution->has_rules()) doubles += 3 * request.market->size();
  // A row of the result, as a block and as the bytes that travel.
  const std::uint64_t row_doubles =
      metric_decls().size() + request.point_metrics.size() * request.point_periods.size();
  doubles += 2 * variants * (row_doubles + periods + 4) + 4 * periods;
  return doubles * sizeof(double);
}

Result<BatchResult> run_batch(const BatchRequest& request) {
  WINNOW_TRY(check_request(request));
  const std::size_t width = request.family->params.size();
  const std::size_t variants = request.params.size() / width;
  const lanes::KernelTable& kernels = kernels_of(request.isa);
  const Layout layout =
      LayoutMaker(request, variants, static_cast<std::size_t>(kernels.lanes)).make();
  const Prepared prepared(*request.market, request.window, *request.execution);

  lanes::Job job = prepared.job();
  job.slots = layout.variant.size();
  std::vector<double> params(width * job.slots);
  for (std::size_t p = 0; p < width; ++p) {
    for (std::size_t s = 0; s < job.slots; ++s) {
      params[p * job.slots + s] = request.params[layout.variant[s] * width + p];
    }
  }
  job.params = params.data();
  job.specs = layout.specs.data();
  job.spec_count = layout.specs.size();
  job.columns = layout.columns.data();
  Collector collector(prepared.periods(), job.slots, job.full.drawdown_bars);
  collector.attach(job);
  Stop stop{request.stop};
  if (request.stop) {
    job.stop = Stop::ask;
    job.stop_with = &stop;
  }
  WINNOW_INVARIANT(job.slots >= variants && layout.padded.size() == job.slots);
  // What the kernels rely on, once a run: they check nothing themselves.
  WINNOW_REQUIRES(job.costs.initial_cash > 0 && job.last <= job.market.size);
  WINNOW_REQUIRES(std::all_of(layout.specs.begin(), layout.specs.end(), [](const ColumnSpec& c) {
    return c.window >= 1 && c.timeframe >= 1;
  }));
  const lanes::KernelTable::Run* run = job.full.on ? kernels.run_full : kernels.run;
  run[family_index(*request.family)](job);
  if (stop.said) return Error(ErrorCode::Cancelled, "the batch was stopped between two tiles");

  BatchResult result;
  result.variants = variants;
  result.periods = prepared.periods();
  for (const std::uint32_t periods : request.point_periods) {
    if (periods <= result.periods) continue;
    return Error(ErrorCode::InvalidInput, "a point after " + std::to_string(periods) +
                                              " periods; the window has " +
                                              std::to_string(result.periods));
  }
  result.points.resize(request.point_metrics.size() * request.point_periods.size() * variants);
  result.metrics.resize(metric_decls().size() * variants);
  result.returns.resize(variants * result.periods);
  result.exposures.resize(variants * result.periods);
  MetricRow row(metric_input(job, *request.market));
  collector.write(layout, request, row, result);
  return result;
}

}  // namespace winnow::engine
