#include "actors/limited_runner.hpp"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <limits>
#include <optional>
#include <utility>

#include "actors/memory_gate.hpp"
#include "engine/engine.hpp"

namespace winnow::actors {
namespace {

// One call of the engine: enough variants to share indicators among, few enough to report within
// about a second and to keep memory small.
constexpr std::uint64_t kBatchRowsMax = 2048;
// Below this limit of time the first batch is a single block, and the others are sized by what it
// took, so that a batch of good trials seldom goes over the time of one.
constexpr double kGenerousLimit_s = 60;
constexpr double kBatchShare = 0.25;

constexpr double kMiB = 1 << 20;

std::string seconds_text(double s) {
  char text[40];
  std::snprintf(text, sizeof text, "%.3g s", s);
  return text;
}

std::string mib_text(double bytes) {
  char text[40];
  std::snprintf(text, sizeof text, "%.4g MiB", bytes / kMiB);
  return text;
}

/// The smaller of two limits, of which 0 is none.
template <class T>
T smaller_limit(T a, T b) {
  if (a <= T{0}) return b;
  if (b <= T{0}) return a;
  return std::min(a, b);
}

/// Purpose: rows of a batch as they come, whole pieces and single rows that were cut.
class Batch {
 public:
  Batch(const sweeps::Plan& plan, const sweeps::Segment& segment)
      : plan_(plan), segment_(segment) {}

  void add(ResultBlock piece) {
    periods_ = piece.periods;
    pieces_.push_back(std::move(piece));
  }
  void cut(std::uint64_t trial, std::string why) { cut_.emplace(trial, std::move(why)); }

  /// Requires: every trial of the block came one way or the other.
  ResultBlock block(std::uint64_t index) const {
    const auto range = plan_.block_range(index);
    ResultBlock out;
    out.block = index;
    out.first_trial = range.first_trial;
    out.rows = range.rows;
    out.metric_count = static_cast<std::uint32_t>(engine::metric_decls().size());
    out.periods = periods_;
    out.point_steps = segment_.point_steps;
    if (out.point_steps > 0) {
      out.point_metrics = static_cast<std::uint32_t>(plan_.point_metrics().size());
    }
    const std::size_t rows = out.rows;
    out.status.assign(rows, TrialStatus::Cut);
    out.keys.resize(rows);
    out.metrics.assign(out.metric_count * rows, std::numeric_limits<double>::quiet_NaN());
    out.returns.assign(rows * out.periods, std::numeric_limits<float>::quiet_NaN());
    const bool exposed = std::any_of(pieces_.begin(), pieces_.end(),
                                     [](const ResultBlock& b) { return !b.exposures.empty(); });
    if (exposed) out.exposures.assign(rows * out.periods, std::numeric_limits<float>::quiet_NaN());
    out.points.assign(rows * out.point_metrics * out.point_steps,
                      std::numeric_limits<double>::quiet_NaN());
    for (const ResultBlock& piece : pieces_) copy(piece, out);
    for (std::size_t row = 0; row < rows; ++row) {
      if (out.status[row] == TrialStatus::Ok) continue;
      const std::uint64_t trial = out.first_trial + row;
      out.keys[row] = plan_.trial_key(index, plan_.params(trial, 1));
      out.errors.push_back(error_of(trial));
    }
    return out;
  }

 private:
  static void copy(const ResultBlock& from, ResultBlock& to) {
    const std::uint64_t first = std::max(from.first_trial, to.first_trial);
    const std::uint64_t last = std::min(from.first_trial + from.rows, to.first_trial + to.rows);
    if (first >= last) return;
    const std::size_t count = last - first;
    const std::size_t a = first - from.first_trial;
    const std::size_t b = first - to.first_trial;
    const auto column = [&](const auto& source, std::size_t rows_from, auto& target,
                            std::size_t k) {
      std::copy_n(source.begin() + static_cast<std::ptrdiff_t>(k * rows_from + a), count,
                  target.begin() + static_cast<std::ptrdiff_t>(k * to.rows + b));
    };
    column(from.status, from.rows, to.status, 0);
    column(from.keys, from.rows, to.keys, 0);
    for (std::size_t m = 0; m < to.metric_count; ++m)
      column(from.metrics, from.rows, to.metrics, m);
    for (std::size_t p = 0; p < std::size_t{to.point_metrics} * to.point_steps; ++p) {
      column(from.points, from.rows, to.points, p);
    }
    const auto panel = [&](const std::vector<float>& source, std::vector<float>& target) {
      if (source.empty()) return;
      std::copy_n(source.begin() + static_cast<std::ptrdiff_t>(a * from.periods),
                  count * from.periods,
                  target.begin() + static_cast<std::ptrdiff_t>(b * to.periods));
    };
    panel(from.returns, to.returns);
    panel(from.exposures, to.exposures);
  }

  // A computer may fail a row by itself.
  std::string error_of(std::uint64_t trial) const {
    if (const auto found = cut_.find(trial); found != cut_.end()) return found->second;
    for (const ResultBlock& piece : pieces_) {
      if (trial < piece.first_trial || trial - piece.first_trial >= piece.rows) continue;
      const auto end =
          piece.status.begin() + static_cast<std::ptrdiff_t>(trial - piece.first_trial);
      const auto at =
          static_cast<std::size_t>(std::count_if(piece.status.begin(), end, has_failed));
      return piece.errors.at(at);
    }
    return "it was not run";
  }

  const sweeps::Plan& plan_;
  const sweeps::Segment& segment_;
  std::uint32_t periods_ = 0;
  std::vector<ResultBlock> pieces_;
  Condemned cut_;
};

class LimitedRunner final : public TrialRunner {
 public:
  LimitedRunner(std::shared_ptr<TrialComputer> computer, const NodeLimits& limits)
      : computer_(std::move(computer)),
        limits_(limits),
        gate_(limits.memory_mb << 20, [this] { computer_->relieve(); }) {}

  Status run(const RunRequest& request, std::stop_token stop, const Emit& emit) override {
    const sweeps::Plan& plan = *request.plan;
    const sweeps::Segment& segment = plan.segment_of_block(request.first_block);
    WINNOW_TRY(computer_->prepare(plan, segment, stop));
    Work work{request, plan, segment, stop, effective(plan.spec().limits)};
    std::uint64_t rows_max = kBatchRowsMax;
    if (work.limits.seconds > 0 && work.limits.seconds < kGenerousLimit_s) rows_max = 1;
    const std::uint64_t end = request.first_block + request.blocks;
    for (std::uint64_t block = request.first_block; block < end;) {
      if (stop.stop_requested()) return Error(ErrorCode::Cancelled, "the node stops");
      std::uint64_t rows = plan.block_range(block).rows;
      std::uint64_t last = block + 1;
      while (last < end && plan.rung_of_block(last) == plan.rung_of_block(block) &&
             rows + plan.block_range(last).rows <= rows_max) {
        rows += plan.block_range(last++).rows;
      }
      Batch batch(plan, segment);
      const MonoNs start = system_clock().mono();
      WINNOW_TRY(run_range(work, plan.block_range(block).first_trial, rows, batch));
      const DurationNs spent = system_clock().mono() - start;
      for (; block < last; ++block) {
        ResultBlock out = batch.block(block);
        const double share = static_cast<double>(out.rows) / static_cast<double>(rows);
        emit(std::move(out),
             DurationNs{static_cast<std::int64_t>(static_cast<double>(spent.ns) * share)});
      }
      if (rows_max < kBatchRowsMax || work.limits.seconds > 0) {
        rows_max = rows_within(work.limits.seconds, spent.seconds() / static_cast<double>(rows));
      }
    }
    return {};
  }

  MemoryLoad memory_load() const override {
    const MemoryGate::Load load = gate_.load();
    return {load.waiting, load.held_bytes};
  }

  std::vector<WorkWatch::Overdue> overdue() const override {
    return watch_.overdue(system_clock().mono());
  }

 private:
  struct Work {
    const RunRequest& request;
    const sweeps::Plan& plan;
    const sweeps::Segment& segment;
    std::stop_token stop;
    sweeps::TrialLimits limits;
  };

  sweeps::TrialLimits effective(const sweeps::TrialLimits& sweep) const {
    return {smaller_limit(sweep.seconds, limits_.trial_seconds),
            smaller_limit(sweep.memory_mb, limits_.trial_memory_mb)};
  }

  static std::uint64_t rows_within(double limit_s, double trial_s) {
    if (limit_s <= 0 || trial_s <= 0) return kBatchRowsMax;
    const double rows = kBatchShare * limit_s / trial_s;
    return rows >= static_cast<double>(kBatchRowsMax) ? kBatchRowsMax
                                                      : static_cast<std::uint64_t>(rows);
  }

  // Stretches between condemned trials; alone, every trial is a stretch.
  Status run_range(const Work& work, std::uint64_t first, std::uint64_t rows, Batch& batch) {
    const std::uint64_t end = first + rows;
    const Condemned& condemned = work.request.condemned;
    while (first < end) {
      if (const auto found = condemned.find(first); found != condemned.end()) {
        batch.cut(first++, found->second);
        continue;
      }
      const auto next = condemned.upper_bound(first);
      std::uint64_t last = next == condemned.end() ? end : std::min(end, next->first);
      if (work.request.alone) {
        last = first + 1;
        if (work.request.before_trial) WINNOW_TRY(work.request.before_trial(first, work.stop));
      }
      WINNOW_TRY(run_stretch(work, first, last - first, batch));
      first = last;
    }
    return {};
  }

  Status halves(const Work& work, std::uint64_t first, std::uint64_t rows, Batch& batch) {
    WINNOW_TRY(run_stretch(work, first, rows / 2, batch));
    return run_stretch(work, first + rows / 2, rows - rows / 2, batch);
  }

  Status run_stretch(const Work& work, std::uint64_t first, std::uint64_t rows, Batch& batch) {
    const TrialComputer::Range range{work.plan, work.segment, first, rows};
    std::optional<MemoryGate::Hold> hold;
    if (work.limits.memory_mb > 0 || limits_.memory_mb > 0) {
      const auto bytes = computer_->bytes(range);
      if (!bytes) return bytes.error();
      const double most = work.limits.memory_mb * kMiB;
      const bool too_much = most > 0 && static_cast<double>(*bytes) > most;
      if (rows > 1 && (too_much || !gate_.could_fit(*bytes))) {
        return halves(work, first, rows, batch);
      }
      if (too_much) {
        batch.cut(first, "it needs " + mib_text(static_cast<double>(*bytes)) +
                             " at once, above its limit of " + mib_text(most) +
                             whose(work.plan.spec().limits.memory_mb, work.limits.memory_mb));
        return {};
      }
      auto room = gate_.acquire(*bytes, work.stop);
      if (!room) return room.error();
      hold.emplace(std::move(*room));
    }
    double spent_s = 0;
    auto piece = compute(work, range, spent_s);
    if (piece) {
      batch.add(std::move(*piece));
      return {};
    }
    const bool over = piece.error().code() == ErrorCode::Cancelled && !work.stop.stop_requested();
    hold.reset();
    if (over && rows > 1) return halves(work, first, rows, batch);
    if (over) {
      batch.cut(first, "it went over its limit of " + seconds_text(work.limits.seconds) +
                           " of processor time" +
                           whose(work.plan.spec().limits.seconds, work.limits.seconds) +
                           ": stopped after " + seconds_text(spent_s) + " on node " + node_name());
      return {};
    }
    const bool of_the_place = piece.error().code() == ErrorCode::Unavailable;
    if (!work.request.alone || of_the_place || work.stop.stop_requested()) return piece.error();
    // It failed before in company, and now by itself: its neighbours need not suffer.
    batch.cut(first, piece.error().text() + " (alone, on node " + node_name() + ")");
    return {};
  }

  Result<ResultBlock> compute(const Work& work, const TrialComputer::Range& range,
                              double& spent_s) {
    const double limit_s = work.limits.seconds;
    const WorkWatch::Span span(watch_,
                               {work.request.place, range.first_trial, range.trials, limit_s});
    const std::int64_t start_ns = cpu_time_ns(CLOCK_THREAD_CPUTIME_ID);
    const auto spent = [&] {
      return static_cast<double>(cpu_time_ns(CLOCK_THREAD_CPUTIME_ID) - start_ns) * 1e-9;
    };
    const auto stop = [&] {
      return work.stop.stop_requested() || (limit_s > 0 && spent() > limit_s);
    };
    try {
      auto out = computer_->compute(range, stop);
      spent_s = spent();
      return out;
    } catch (const std::exception& e) {  // out of memory, say: the lease fails, the node lives
      return Error(ErrorCode::Internal, std::string("the computation threw: ") + e.what());
    }
  }

  template <class T>
  static std::string whose(T of_sweep, T holds) {
    return of_sweep == holds ? "" : " (the node's)";
  }

  std::shared_ptr<TrialComputer> computer_;
  NodeLimits limits_;
  WorkWatch watch_;
  MemoryGate gate_;
};

}  // namespace

std::unique_ptr<TrialRunner> make_limited_runner(std::shared_ptr<TrialComputer> computer,
                                                 const NodeLimits& limits) {
  return std::make_unique<LimitedRunner>(std::move(computer), limits);
}

ResultBlock failed_block(const sweeps::Plan& plan, std::uint64_t block, const std::string& reason) {
  const auto range = plan.block_range(block);
  Batch batch(plan, plan.segment_of_block(block));
  for (std::uint32_t row = 0; row < range.rows; ++row) batch.cut(range.first_trial + row, reason);
  return batch.block(block);
}

std::string node_name() {
  char host[256] = "node";
  (void)::gethostname(host, sizeof host - 1);
  return std::string(host) + ":" + std::to_string(::getpid());
}

}  // namespace winnow::actors
