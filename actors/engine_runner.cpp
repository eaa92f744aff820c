#include <malloc.h>

#include <algorithm>
#include <map>
#include <mutex>

#include "actors/limited_runner.hpp"
#include "engine/engine.hpp"
#include "store/dataset_store.hpp"
#include "sweeps/results.hpp"

namespace winnow::actors {
namespace {

/// A dataset with the sweep's window found in it.
struct LoadedWindow {
  store::Dataset dataset;
  engine::Window window;
};

class EngineComputer final : public TrialComputer {
 public:
  EngineComputer(std::string data_dir, std::shared_ptr<DatasetProvider> provider)
      : data_dir_(std::move(data_dir)), provider_(std::move(provider)) {}

  Status prepare(const sweeps::Plan& plan, const sweeps::Segment& segment,
                 std::stop_token stop) override {
    const auto loaded = fetch_and_load(plan, segment, plan.spec().to, stop);
    return loaded ? Status() : Status(loaded.error());
  }

  Result<std::uint64_t> bytes(const Range& range) override {
    auto batch = batch_of(range);
    if (!batch) return batch.error();
    return engine::batch_bytes((*batch)->request);
  }

  Result<ResultBlock> compute(const Range& range, const std::function<bool()>& stop) override {
    auto batch = batch_of(range);
    if (!batch) return batch.error();
    (*batch)->request.stop = stop;
    auto result = engine::run_batch((*batch)->request);
    if (!result) return result.error();
    return rows_of(range, (*batch)->params, *std::move(result));
  }

  void relieve() override {
    const std::lock_guard lock(mutex_);
    loaded_.clear();
    (void)::malloc_trim(0);
  }

 private:
  using Loaded = std::shared_ptr<const LoadedWindow>;

  // What this place lacks is no fault of the trials that wait for it.
  static Error lacking(const Error& error) {
    return error.code() == ErrorCode::Cancelled ? error
                                                : Error(ErrorCode::Unavailable, error.text());
  }

  Result<Loaded> fetch_and_load(const sweeps::Plan& plan, const sweeps::Segment& segment,
                                TimestampNs to, std::stop_token stop) {
    if (provider_ == nullptr) return load(plan, segment, to);
    const std::string& hash = plan.spec().data[segment.dataset].content_hash;
    // What is here may be damaged; and between the two another fetch may drop what was brought.
    constexpr int kTries = 3;
    for (int i = 1;; ++i) {
      if (const Status there = provider_->need(hash, stop); !there) return lacking(there.error());
      auto loaded = load(plan, segment, to);
      if (loaded || i == kTries) return loaded;
      provider_->reject(hash, loaded.error());
    }
  }

  Result<Loaded> load(const sweeps::Plan& plan, const sweeps::Segment& segment, TimestampNs to) {
    const sweeps::ResolvedSpec& spec = plan.spec();
    const std::string& hash = spec.data[segment.dataset].content_hash;
    const std::string key = hash + ":" + std::to_string(spec.from.ns) + ":" + std::to_string(to.ns);
    const std::lock_guard lock(mutex_);
    if (provider_ != nullptr && provider_->drops() != drops_seen_) {
      drops_seen_ = provider_->drops();
      loaded_.clear();
    }
    if (auto it = loaded_.find(key); it != loaded_.end()) return it->second;
    auto store = store::DatasetStore::open(data_dir_);
    if (!store) return lacking(store.error());
    auto dataset = store->load(hash);
    if (!dataset) return lacking(dataset.error());
    const auto times = dataset->view().time_ns;
    const auto index = [&](TimestampNs t) {
      return static_cast<std::size_t>(std::lower_bound(times.begin(), times.end(), t.ns) -
                                      times.begin());
    };
    const engine::Window window{index(spec.from), index(to)};
    constexpr std::size_t kLoadedMax = 64;
    if (loaded_.size() >= kLoadedMax) loaded_.erase(loaded_.begin());
    return loaded_[key] =
               std::make_shared<const LoadedWindow>(LoadedWindow{std::move(*dataset), window});
  }

  /// A request with what it points to.
  struct Batch {
    Loaded loaded;
    std::vector<double> params;
    std::vector<std::uint32_t> point_periods;
    engine::BatchRequest request;
  };

  Result<std::unique_ptr<Batch>> batch_of(const Range& range) {
    const std::uint64_t block = sweeps::block_of_trial(range.plan, range.first_trial);
    auto loaded = load(range.plan, range.segment, range.plan.window_to(block));
    if (!loaded) return loaded.error();
    auto batch = std::make_unique<Batch>();
    batch->loaded = *std::move(loaded);
    batch->params = range.plan.params(range.first_trial, range.trials);
    engine::BatchRequest& request = batch->request;
    request.market = &batch->loaded->dataset.view();
    request.window = batch->loaded->window;
    request.family = &range.plan.family(range.segment);
    request.params = batch->params;
    request.execution = &range.plan.execution(range.segment);
    request.isa = engine::best_isa();
    if (range.segment.point_steps > 0) {
      batch->point_periods = periods_of_steps(range, *batch->loaded);
      request.point_metrics = range.plan.point_metrics();
      request.point_periods = batch->point_periods;
    }
    return batch;
  }

  static std::vector<std::uint32_t> periods_of_steps(const Range& range,
                                                     const LoadedWindow& loaded) {
    const auto starts = engine::period_starts(loaded.dataset.view(), loaded.window);
    const TimestampNs to =
        range.plan.window_to(sweeps::block_of_trial(range.plan, range.first_trial));
    std::vector<std::uint32_t> out;
    for (std::uint32_t step = 0; step < range.segment.point_steps; ++step) {
      // Of a step after the end of a shorter window there is no metric.
      if (step > 0 && range.plan.point_until(range.segment, step - 1) >= to) {
        out.push_back(0);
        continue;
      }
      const std::int64_t until = range.plan.point_until(range.segment, step).ns;
      out.push_back(static_cast<std::uint32_t>(
          std::lower_bound(starts.begin(), starts.end(), until) - starts.begin()));
    }
    return out;
  }

  static ResultBlock rows_of(const Range& range, std::span<const double> params,
                             engine::BatchResult result) {
    ResultBlock out;
    out.first_trial = range.first_trial;
    out.rows = static_cast<std::uint32_t>(range.trials);
    out.metric_count = static_cast<std::uint32_t>(result.metrics.size() / result.variants);
    out.periods = static_cast<std::uint32_t>(result.periods);
    out.status.assign(out.rows, TrialStatus::Ok);
    const std::size_t width = params.size() / result.variants;
    out.keys.reserve(out.rows);
    const std::uint64_t block = sweeps::block_of_trial(range.plan, range.first_trial);
    for (std::size_t row = 0; row < out.rows; ++row) {
      out.keys.push_back(range.plan.trial_key(block, params.subspan(row * width, width)));
    }
    out.metrics = std::move(result.metrics);
    out.returns = std::move(result.returns);
    out.exposures = std::move(result.exposures);
    out.point_steps = range.segment.point_steps;
    if (out.point_steps > 0) {
      out.point_metrics = static_cast<std::uint32_t>(range.plan.point_metrics().size());
    }
    out.points = std::move(result.points);
    return out;
  }

  std::string data_dir_;
  std::shared_ptr<DatasetProvider> provider_;
  std::mutex mutex_;
  std::uint64_t drops_seen_ = 0;
  std::map<std::string, Loaded> loaded_;
};

}  // namespace

std::shared_ptr<TrialComputer> make_engine_computer(const std::string& data_dir,
                                                    std::shared_ptr<DatasetProvider> provider) {
  return std::make_shared<EngineComputer>(data_dir, std::move(provider));
}

std::unique_ptr<TrialRunner> make_engine_runner(const std::string& data_dir,
                                                std::shared_ptr<DatasetProvider> provider,
                                                const NodeLimits& limits) {
  return make_limited_runner(make_engine_computer(data_dir, std::move(provider)), limits);
}

}  // namespace winnow::actors
