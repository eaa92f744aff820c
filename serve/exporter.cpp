#include "serve/exporter.hpp"

#include <prometheus/collectable.h>
#include <prometheus/exposer.h>
#include <prometheus/metric_family.h>

#include <exception>
#include <limits>

#include "base/address.hpp"

namespace winnow::serve {
namespace {

prometheus::MetricType type_of(actors::MetricKind kind) {
  switch (kind) {
    case actors::MetricKind::Counter:
      return prometheus::MetricType::Counter;
    case actors::MetricKind::Histogram:
      return prometheus::MetricType::Histogram;
    case actors::MetricKind::Gauge:
      break;
  }
  return prometheus::MetricType::Gauge;
}

prometheus::ClientMetric metric_of(const actors::MetricPoint& point, actors::MetricKind kind) {
  prometheus::ClientMetric out;
  for (const auto& [name, value] : point.labels) out.label.push_back({name, value});
  out.counter.value = kind == actors::MetricKind::Counter ? point.value : 0;
  out.gauge.value = kind == actors::MetricKind::Gauge ? point.value : 0;
  if (point.histogram != nullptr) {
    const auto cumulative = point.histogram->cumulative();
    // Read after the buckets, so that it is never below them.
    out.histogram.sample_count = point.histogram->observations();
    out.histogram.sample_sum = point.histogram->sum();
    const auto bounds = point.histogram->bounds();
    for (std::size_t i = 0; i < bounds.size(); ++i) {
      out.histogram.bucket.push_back({cumulative[i], bounds[i]});
    }
    out.histogram.bucket.push_back(
        {out.histogram.sample_count, std::numeric_limits<double>::infinity()});
  }
  return out;
}

class BookCollectable final : public prometheus::Collectable {
 public:
  explicit BookCollectable(std::shared_ptr<const actors::MetricsBook> book)
      : book_(std::move(book)) {}

  std::vector<prometheus::MetricFamily> Collect() const override {
    std::vector<prometheus::MetricFamily> out;
    for (const actors::MetricFamily& family : book_->read()) {
      prometheus::MetricFamily& to = out.emplace_back();
      to.name = family.name;
      to.help = family.help;
      to.type = type_of(family.kind);
      for (const actors::MetricPoint& point : family.points) {
        to.metric.push_back(metric_of(point, family.kind));
      }
    }
    return out;
  }

 private:
  std::shared_ptr<const actors::MetricsBook> book_;
};

class CivetExporter final : public Exporter {
 public:
  CivetExporter(const std::string& address, std::shared_ptr<const actors::MetricsBook> book)
      : collectable_(std::make_shared<BookCollectable>(std::move(book))),
        // Whoever connects and says nothing is let go; more connections than threads wait.
        exposer_({"listening_ports", address, "num_threads", "4", "request_timeout_ms", "1000",
                  "connection_queue", "16", "max_request_size", "8192"}) {
    exposer_.RegisterCollectable(collectable_);
  }
  std::uint16_t port() const override {
    const auto ports = exposer_.GetListeningPorts();
    return ports.empty() ? std::uint16_t{0} : static_cast<std::uint16_t>(ports.front());
  }

 private:
  std::shared_ptr<BookCollectable> collectable_;
  prometheus::Exposer exposer_;
};

}  // namespace

Result<std::unique_ptr<Exporter>> Exporter::start(const std::string& host, std::uint16_t port,
                                                  std::shared_ptr<const actors::MetricsBook> book) {
  const bool v6 = host.find(':') != std::string::npos;
  std::string address = v6 ? "[" : "";
  address += host == "localhost" ? "127.0.0.1" : host;
  address += v6 ? "]:" : ":";
  address += std::to_string(port);
  try {
    return std::unique_ptr<Exporter>(std::make_unique<CivetExporter>(address, std::move(book)));
  } catch (const std::exception& e) {
    const std::string words = why_not_listening(host, port);
    return Error(ErrorCode::Unavailable,
                 "cannot serve metrics on " + address + ": " + (words.empty() ? e.what() : words));
  }
}

}  // namespace winnow::serve
