#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "actors/metrics_book.hpp"
#include "base/result.hpp"

namespace winnow::serve {

/// Purpose: GET /metrics for Prometheus on a port of its own, from a process's book. Owner: the
/// command; the book outlives it. Thread: any; requests are answered on a thread of its own.
/// Limits: 256 connections that have not asked yet, shared by address, a second and 8 KiB each.
class Exporter {
 public:
  /// Listens on `host` (an address) and `port`, 0 for any free one. Fails: Unavailable (the port).
  static Result<std::unique_ptr<Exporter>> start(const std::string& host, std::uint16_t port,
                                                 std::shared_ptr<const actors::MetricsBook> book);
  virtual std::uint16_t port() const = 0;
  virtual ~Exporter() = default;
};

}  // namespace winnow::serve
