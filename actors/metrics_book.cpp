#include "actors/metrics_book.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/version.hpp"
#include "engine/engine.hpp"

namespace winnow::actors {
namespace {

constexpr std::array kLatencyBounds{1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2,
                                    0.1,  0.25,   0.5,  1.0,  2.5,    5.0,  10.0, 30.0};
constexpr std::array kSizeBounds{1.0,    4.0,     16.0,    64.0,     256.0,    1024.0,
                                 4096.0, 16384.0, 65536.0, 262144.0, 1048576.0};

/// The fields of /proc/self/stat after the name, which may hold spaces: [0] is the state.
std::vector<std::string> own_stat() {
  std::ifstream in("/proc/self/stat");
  std::string line;
  std::getline(in, line);
  std::istringstream rest(line.substr(std::min(line.size(), line.rfind(')') + 1)));
  std::vector<std::string> fields;
  for (std::string field; rest >> field;) fields.push_back(field);
  return fields;
}

double number(const std::vector<std::string>& fields, std::size_t i) {
  return i < fields.size() ? std::strtod(fields[i].c_str(), nullptr) : 0;
}

double boot_time_s() {
  std::ifstream in("/proc/stat");
  for (std::string word; in >> word;) {
    double seconds = 0;
    if (word == "btime" && in >> seconds) return seconds;
  }
  return 0;
}

}  // namespace

Histogram::Histogram(std::span<const double> bounds) : count_(std::min(bounds.size(), kBoundsMax)) {
  std::copy_n(bounds.begin(), count_, bounds_.begin());
}

void Histogram::observe(double v) {
  const auto at = std::lower_bound(bounds_.begin(), bounds_.begin() + count_, v);
  if (at != bounds_.begin() + count_) {
    buckets_[static_cast<std::size_t>(at - bounds_.begin())].fetch_add(1,
                                                                       std::memory_order_relaxed);
  }
  total_.fetch_add(1, std::memory_order_relaxed);
  double sum = sum_.load(std::memory_order_relaxed);
  while (!sum_.compare_exchange_weak(sum, sum + v, std::memory_order_relaxed)) {
  }
}

std::vector<std::uint64_t> Histogram::cumulative() const {
  std::vector<std::uint64_t> out(count_);
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < count_; ++i) {
    out[i] = sum += buckets_[i].load(std::memory_order_relaxed);
  }
  return out;
}

std::span<const double> latency_bounds_s() { return kLatencyBounds; }
std::span<const double> size_bounds() { return kSizeBounds; }

MetricsBook::Series& MetricsBook::add(const std::string& name, const std::string& help,
                                      MetricKind kind, MetricLabels labels) {
  auto family = std::find_if(families_.begin(), families_.end(),
                             [&](const MetricFamily& f) { return f.name == name; });
  if (family == families_.end()) {
    families_.push_back({name, help, kind, {}});
    family = std::prev(families_.end());
  }
  Series& series = series_.emplace_back();
  series.family = static_cast<std::size_t>(family - families_.begin());
  series.labels = std::move(labels);
  return series;
}

Counter& MetricsBook::counter(const std::string& name, const std::string& help,
                              MetricLabels labels) {
  Series& series = add(name, help, MetricKind::Counter, std::move(labels));
  series.counter = std::make_unique<Counter>();
  return *series.counter;
}

Gauge& MetricsBook::gauge(const std::string& name, const std::string& help, MetricLabels labels) {
  Series& series = add(name, help, MetricKind::Gauge, std::move(labels));
  series.gauge = std::make_unique<Gauge>();
  return *series.gauge;
}

Gauge& MetricsBook::measured_counter(const std::string& name, const std::string& help,
                                     MetricLabels labels) {
  Series& series = add(name, help, MetricKind::Counter, std::move(labels));
  series.gauge = std::make_unique<Gauge>();
  return *series.gauge;
}

Histogram& MetricsBook::histogram(const std::string& name, const std::string& help,
                                  std::span<const double> bounds) {
  Series& series = add(name, help, MetricKind::Histogram, {});
  series.histogram = std::make_unique<Histogram>(bounds);
  return *series.histogram;
}

void MetricsBook::before_reading(std::function<void()> refresh) {
  const std::lock_guard lock(refresh_mutex_);
  refreshers_.push_back(std::move(refresh));
}

void MetricsBook::forget_refreshers() {
  const std::lock_guard lock(refresh_mutex_);
  refreshers_.clear();
}

std::vector<MetricFamily> MetricsBook::read() const {
  {
    const std::lock_guard lock(refresh_mutex_);
    for (const auto& refresh : refreshers_) refresh();
  }
  std::vector<MetricFamily> out = families_;
  for (const Series& series : series_) {
    MetricPoint point{series.labels, 0, series.histogram.get()};
    if (series.counter) point.value = static_cast<double>(series.counter->value());
    if (series.gauge) point.value = series.gauge->value();
    out[series.family].points.push_back(std::move(point));
  }
  return out;
}

void add_process_metrics(MetricsBook& book) {
  book.gauge(
          "winnow_build_info", "1; the labels say which build this is.",
          {{"version", std::string(version())}, {"engine", std::to_string(engine::kEngineVersion)}})
      .set(1);
  Gauge& resident = book.gauge("process_resident_memory_bytes", "Resident memory.");
  Gauge& fds = book.gauge("process_open_fds", "Open file descriptors.");
  Gauge& threads = book.gauge("process_threads", "Threads.");
  Gauge& cpu =
      book.measured_counter("process_cpu_seconds_total", "Processor time, user and system.");
  Gauge& start = book.gauge("process_start_time_seconds", "Start, seconds since 1970.");
  const double ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  start.set(boot_time_s() + number(own_stat(), 19) / ticks);
  book.before_reading([&resident, &fds, &threads, &cpu, ticks] {
    const auto stat = own_stat();
    cpu.set((number(stat, 11) + number(stat, 12)) / ticks);
    threads.set(number(stat, 17));
    resident.set(number(stat, 21) * static_cast<double>(::sysconf(_SC_PAGESIZE)));
    std::error_code error;
    std::filesystem::directory_iterator open("/proc/self/fd", error);
    if (!error) fds.set_count(std::distance(begin(open), end(open)));
  });
}

}  // namespace winnow::actors
