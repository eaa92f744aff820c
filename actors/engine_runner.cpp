#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <mutex>

#include "actors/runner.hpp"
#include "engine/engine.hpp"
#include "store/dataset_store.hpp"

namespace winnow::actors {
namespace {

// One call of the engine: enough variants to share indicators among, few enough to report within
// about a second and to keep memory small.
constexpr std::uint64_t kBatchRowsMax = 2048;

/// A dataset with the sweep's window found in it.
struct LoadedWindow {
  store::Dataset dataset;
  engine::Window window;
};

class EngineRunner final : public TrialRunner {
 public:
  EngineRunner(std::string data_dir, std::shared_ptr<DatasetProvider> provider)
      : data_dir_(std::move(data_dir)), provider_(std::move(provider)) {}

  Status run(const sweeps::Plan& plan, std::uint64_t first, std::uint32_t count,
             std::stop_token stop, const Emit& emit) override {
    const sweeps::Segment& segment = plan.segment_of_block(first);
    auto loaded = fetch_and_load(plan, segment, stop);
    if (!loaded) return loaded.error();
    for (std::uint64_t block = first; block < first + count;) {
      if (stop.stop_requested()) return Error(ErrorCode::Cancelled, "the node stops");
      std::uint64_t rows = plan.block_range(block).rows;
      std::uint64_t last = block + 1;
      while (last < first + count && rows + plan.block_range(last).rows <= kBatchRowsMax) {
        rows += plan.block_range(last++).rows;
      }
      WINNOW_TRY(run_batch(plan, segment, **loaded, block, last, rows, emit));
      block = last;
    }
    return {};
  }

 private:
  using Loaded = std::shared_ptr<const LoadedWindow>;

  Result<Loaded> fetch_and_load(const sweeps::Plan& plan, const sweeps::Segment& segment,
                                std::stop_token stop) {
    if (provider_ == nullptr) return load(plan, segment);
    // Between the two another fetch may drop what was just brought.
    constexpr int kTries = 3;
    for (int i = 1;; ++i) {
      WINNOW_TRY(provider_->need(plan.spec().data[segment.dataset].content_hash, stop));
      auto loaded = load(plan, segment);
      if (loaded || loaded.error().code() != ErrorCode::NotFound || i == kTries) return loaded;
    }
  }

  Result<Loaded> load(const sweeps::Plan& plan, const sweeps::Segment& segment) {
    const sweeps::ResolvedSpec& spec = plan.spec();
    const std::string& hash = spec.data[segment.dataset].content_hash;
    const std::string key =
        hash + ":" + std::to_string(spec.from.ns) + ":" + std::to_string(spec.to.ns);
    const std::lock_guard lock(mutex_);
    if (provider_ != nullptr && provider_->drops() != drops_seen_) {
      drops_seen_ = provider_->drops();
      loaded_.clear();
    }
    if (auto it = loaded_.find(key); it != loaded_.end()) return it->second;
    auto store = store::DatasetStore::open(data_dir_);
    if (!store) return store.error();
    auto dataset = store->load(hash);
    if (!dataset) return dataset.error();
    const auto times = dataset->view().time_ns;
    const auto index = [&](TimestampNs t) {
      return static_cast<std::size_t>(std::lower_bound(times.begin(), times.end(), t.ns) -
                                      times.begin());
    };
    const engine::Window window{index(spec.from), index(spec.to)};
    constexpr std::size_t kLoadedMax = 64;
    if (loaded_.size() >= kLoadedMax) loaded_.erase(loaded_.begin());
    return loaded_[key] =
               std::make_shared<const LoadedWindow>(LoadedWindow{std::move(*dataset), window});
  }

  Status run_batch(const sweeps::Plan& plan, const sweeps::Segment& segment,
                   const LoadedWindow& loaded, std::uint64_t first, std::uint64_t last,
                   std::uint64_t rows, const Emit& emit) {
    const sweeps::ResolvedSpec& spec = plan.spec();
    const std::uint64_t first_trial = plan.block_range(first).first_trial;
    const std::vector<double> params = plan.params(first_trial, rows);
    engine::BatchRequest request;
    request.market = &loaded.dataset.view();
    request.window = loaded.window;
    request.family = engine::find_family(spec.strategies[segment.strategy].family);
    request.params = params;
    request.execution = &spec.execution_by_data[segment.dataset];
    request.isa = engine::best_isa();
    const MonoNs start = system_clock().mono();
    auto result = engine::run_batch(request);
    if (!result) return result.error();
    const DurationNs spent = system_clock().mono() - start;
    for (std::uint64_t block = first; block < last; ++block) {
      ResultBlock out = slice(plan, segment, *result, params, block, first_trial);
      const DurationNs share{static_cast<std::int64_t>(static_cast<double>(spent.ns) * out.rows /
                                                       static_cast<double>(rows))};
      emit(std::move(out), share);
    }
    return {};
  }

  static ResultBlock slice(const sweeps::Plan& plan, const sweeps::Segment& segment,
                           const engine::BatchResult& result, const std::vector<double>& params,
                           std::uint64_t block, std::uint64_t batch_first_trial) {
    const auto range = plan.block_range(block);
    const std::uint64_t skip = range.first_trial - batch_first_trial;
    const std::size_t width = params.size() / result.variants;
    ResultBlock out;
    out.block = block;
    out.first_trial = range.first_trial;
    out.rows = range.rows;
    out.metric_count = static_cast<std::uint32_t>(result.metrics.size() / result.variants);
    out.periods = static_cast<std::uint32_t>(result.periods);
    out.status.assign(range.rows, TrialStatus::Ok);
    out.keys.reserve(range.rows);
    for (std::uint64_t row = skip; row < skip + range.rows; ++row) {
      out.keys.push_back(plan.key(segment, std::span(params).subspan(row * width, width)));
    }
    out.metrics.reserve(std::size_t{out.metric_count} * range.rows);
    for (std::uint32_t m = 0; m < out.metric_count; ++m) {
      const auto column =
          result.metrics.begin() + static_cast<std::ptrdiff_t>(m * result.variants + skip);
      out.metrics.insert(out.metrics.end(), column, column + range.rows);
    }
    const auto returns =
        result.returns.begin() + static_cast<std::ptrdiff_t>(skip * result.periods);
    out.returns.assign(returns, returns + static_cast<std::ptrdiff_t>(range.rows * result.periods));
    return out;
  }

  std::string data_dir_;
  std::shared_ptr<DatasetProvider> provider_;
  std::mutex mutex_;
  std::uint64_t drops_seen_ = 0;
  std::map<std::string, Loaded> loaded_;
};

}  // namespace

std::unique_ptr<TrialRunner> make_engine_runner(const std::string& data_dir,
                                                std::shared_ptr<DatasetProvider> provider) {
  return std::make_unique<EngineRunner>(data_dir, std::move(provider));
}

ResultBlock failed_block(const sweeps::Plan& plan, std::uint64_t block, const std::string& reason) {
  const auto range = plan.block_range(block);
  const sweeps::Segment& segment = plan.segment_of_block(block);
  const std::vector<double> params = plan.params(range.first_trial, range.rows);
  const std::size_t width = params.size() / range.rows;
  ResultBlock out;
  out.block = block;
  out.first_trial = range.first_trial;
  out.rows = range.rows;
  out.metric_count = static_cast<std::uint32_t>(engine::metric_decls().size());
  out.status.assign(range.rows, TrialStatus::Failed);
  out.errors.assign(range.rows, reason);
  out.metrics.assign(std::size_t{out.metric_count} * range.rows,
                     std::numeric_limits<double>::quiet_NaN());
  for (std::uint32_t row = 0; row < range.rows; ++row) {
    out.keys.push_back(plan.key(segment, std::span(params).subspan(row * width, width)));
  }
  return out;
}

}  // namespace winnow::actors
