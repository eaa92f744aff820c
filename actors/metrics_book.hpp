#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace winnow::actors {

/// Purpose: something that only grows. Thread: any.
class Counter {
 public:
  void add(std::uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  /// For a count that is kept elsewhere; never lets it fall.
  void raise_to(std::uint64_t total) {
    std::uint64_t now = value_.load(std::memory_order_relaxed);
    while (now < total && !value_.compare_exchange_weak(now, total, std::memory_order_relaxed)) {
    }
  }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// Purpose: something that goes up and down. Thread: any.
class Gauge {
 public:
  void set(double v) { value_.store(v, std::memory_order_relaxed); }
  template <class N>
  void set_count(N n) {
    set(static_cast<double>(n));
  }
  double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

/// Purpose: how often something was how large. Thread: any; a reader may see an observation in one
/// part and not yet in another.
class Histogram {
 public:
  static constexpr std::size_t kBoundsMax = 24;
  /// Ascending upper bounds; at most kBoundsMax are used.
  explicit Histogram(std::span<const double> bounds);
  void observe(double v);

  std::span<const double> bounds() const { return {bounds_.data(), count_}; }
  /// Observations up to bounds()[i], those below included.
  std::vector<std::uint64_t> cumulative() const;
  std::uint64_t observations() const { return total_.load(std::memory_order_relaxed); }
  double sum() const { return sum_.load(std::memory_order_relaxed); }

 private:
  std::size_t count_ = 0;
  std::array<double, kBoundsMax> bounds_{};
  std::array<std::atomic<std::uint64_t>, kBoundsMax> buckets_{};
  std::atomic<std::uint64_t> total_{0};
  std::atomic<double> sum_{0};
};

/// From 0.1 ms to 30 s: messages, syncs and leases.
std::span<const double> latency_bounds_s();
/// Powers of four up to a million.
std::span<const double> size_bounds();

enum class MetricKind { Counter, Gauge, Histogram };
using MetricLabels = std::vector<std::pair<std::string, std::string>>;

/// One series at one moment.
struct MetricPoint {
  MetricLabels labels;
  double value = 0;  ///< of a counter or gauge
  const Histogram* histogram = nullptr;
};
struct MetricFamily {
  std::string name;  ///< winnow_<room>_<thing>_<unit>[_total]
  std::string help;
  MetricKind kind = MetricKind::Gauge;
  std::vector<MetricPoint> points;
};

/// Purpose: all metrics of a process. Owner: the command. Thread: registration by one, before the
/// book is read; reading any.
/// Invariants: a family keeps its place and its series their labels for ever; what is not known
/// yet is 0, so that a rate has a beginning.
class MetricsBook {
 public:
  Counter& counter(const std::string& name, const std::string& help, MetricLabels labels = {});
  Gauge& gauge(const std::string& name, const std::string& help, MetricLabels labels = {});
  /// A count with a fraction, read elsewhere: set() it, and never lower.
  Gauge& measured_counter(const std::string& name, const std::string& help,
                          MetricLabels labels = {});
  Histogram& histogram(const std::string& name, const std::string& help,
                       std::span<const double> bounds);
  /// Called before each reading, on the reader's thread: sets what is only worth knowing then.
  void before_reading(std::function<void()> refresh);
  /// No refresher registered so far is called again; waits for one that runs.
  void forget_refreshers();

  std::vector<MetricFamily> read() const;

 private:
  struct Series {
    std::size_t family = 0;
    MetricLabels labels;
    std::unique_ptr<Counter> counter;
    std::unique_ptr<Gauge> gauge;
    std::unique_ptr<Histogram> histogram;
  };
  Series& add(const std::string& name, const std::string& help, MetricKind kind,
              MetricLabels labels);

  std::vector<MetricFamily> families_;  // without points
  std::deque<Series> series_;
  mutable std::mutex refresh_mutex_;
  std::vector<std::function<void()>> refreshers_;
};

/// A metric with one label, declared beside its series; the label's values are a closed set.
struct LabelledMetric {
  const char* name;
  const char* label;
  const char* help;
  Counter& counter(MetricsBook& book, const std::string& value) const {
    return book.counter(name, help, {{label, value}});
  }
  Gauge& gauge(MetricsBook& book, const std::string& value) const {
    return book.gauge(name, help, {{label, value}});
  }
};

/// Registers memory, files, processor time and start of this process, under the names that
/// Prometheus' own libraries use, and winnow_build_info.
void add_process_metrics(MetricsBook& book);

}  // namespace winnow::actors
