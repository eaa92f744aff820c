#include "serve/exporter.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <exception>
#include <limits>
#include <list>
#include <map>
#include <string_view>
#include <system_error>
#include <thread>

#include "base/address.hpp"

namespace winnow::serve {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Tcp = asio::ip::tcp;

constexpr std::size_t kConnectionsMax = 256;
constexpr std::size_t kRequestBytesMax = 8192;
constexpr std::chrono::seconds kRequestPatience{1};
constexpr std::chrono::seconds kAnswerPatience{5};
constexpr std::chrono::milliseconds kAcceptPause{100};  // when descriptors run out

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

std::string text_of(const actors::MetricsBook& book) {
  std::vector<prometheus::MetricFamily> out;
  for (const actors::MetricFamily& family : book.read()) {
    prometheus::MetricFamily& to = out.emplace_back();
    to.name = family.name;
    to.help = family.help;
    to.type = type_of(family.kind);
    for (const actors::MetricPoint& point : family.points) {
      to.metric.push_back(metric_of(point, family.kind));
    }
  }
  return prometheus::TextSerializer().Serialize(out);
}

std::string response(std::string_view status, std::string_view body) {
  std::string out = "HTTP/1.1 ";
  out.append(status).append("\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8");
  out.append("\r\nConnection: close\r\nContent-Length: ").append(std::to_string(body.size()));
  return out.append("\r\n\r\n").append(body);
}

/// What a request of this first line gets.
std::string answer_to(std::string_view line, const actors::MetricsBook& book) {
  const std::size_t method_end = line.find(' ');
  const std::size_t target_end = line.find(' ', method_end + 1);
  if (method_end == line.npos || target_end == line.npos ||
      !line.substr(target_end + 1).starts_with("HTTP/1.")) {
    return response("400 Bad Request", "this is no HTTP/1 request\n");
  }
  std::string_view target = line.substr(method_end + 1, target_end - method_end - 1);
  target = target.substr(0, target.find('?'));
  if (target != "/metrics") return response("404 Not Found", "only /metrics is here\n");
  if (line.substr(0, method_end) != "GET") {
    return response("405 Method Not Allowed", "GET is all that is answered\n");
  }
  return response("200 OK", text_of(book));
}

/// Purpose: one connection: a request within a second and 8 KiB, its answer, the end.
struct Visit {
  Visit(Tcp::socket connected, std::string from)
      : socket(std::move(connected)), timer(socket.get_executor()), address(std::move(from)) {}
  Tcp::socket socket;
  asio::steady_timer timer;
  std::string address;
  std::array<char, 1024> buffer{};
  std::string request;
  std::string answer;
  bool answering = false;
  bool over = false;
};
using VisitPtr = std::shared_ptr<Visit>;

/// Purpose: listens and answers on a thread of its own. A visit that has asked keeps its place; of
/// the others there are at most kConnectionsMax, shared by address: whoever has most of them loses
/// the oldest when another comes, so that nobody keeps Prometheus out.
class AsioExporter final : public Exporter {
 public:
  explicit AsioExporter(std::shared_ptr<const actors::MetricsBook> book)
      : book_(std::move(book)), acceptor_(io_), pause_(io_) {}
  ~AsioExporter() override {
    io_.stop();
    if (thread_.joinable()) thread_.join();
  }

  /// Throws boost::system::system_error, std::system_error.
  void start(const std::string& host, std::uint16_t port) {
    const Tcp::endpoint where(asio::ip::make_address(host == "localhost" ? "127.0.0.1" : host),
                              port);
    acceptor_.open(where.protocol());
    acceptor_.set_option(Tcp::acceptor::reuse_address(true));
    acceptor_.bind(where);
    acceptor_.listen();
    port_ = acceptor_.local_endpoint().port();
    accept();
    thread_ = std::thread([this] { io_.run(); });
  }
  std::uint16_t port() const override { return port_; }

 private:
  void accept() {
    acceptor_.async_accept([this](const error_code& failed, Tcp::socket socket) {
      if (failed) {
        pause_.expires_after(kAcceptPause);
        pause_.async_wait([this](const error_code& stopped) {
          if (!stopped) accept();
        });
        return;
      }
      error_code unknown;
      const auto from = socket.remote_endpoint(unknown);
      if (!unknown) welcome(std::move(socket), from.address().to_string());
      accept();
    });
  }

  void welcome(Tcp::socket socket, const std::string& address) {
    if (waiting_.size() >= kConnectionsMax) end(oldest_of_most(address));
    const auto visit = std::make_shared<Visit>(std::move(socket), address);
    waiting_.push_back(visit);
    ++by_address_[address];
    end_after(visit, kRequestPatience);
    read(visit);
  }

  /// Requires: somebody waits.
  VisitPtr oldest_of_most(const std::string& newcomer) const {
    std::string most = newcomer;
    const auto own = by_address_.find(newcomer);
    std::size_t count = own == by_address_.end() ? 0 : own->second;
    for (const auto& [address, waiting] : by_address_) {
      if (waiting <= count) continue;
      most = address;
      count = waiting;
    }
    return *std::find_if(waiting_.begin(), waiting_.end(),
                         [&](const VisitPtr& visit) { return visit->address == most; });
  }

  void no_longer_waits(const VisitPtr& visit) {
    waiting_.remove(visit);
    const auto found = by_address_.find(visit->address);
    if (found != by_address_.end() && --found->second == 0) by_address_.erase(found);
  }

  void end_after(const VisitPtr& visit, std::chrono::seconds patience) {
    visit->timer.expires_after(patience);
    visit->timer.async_wait([this, visit](const error_code& stopped) {
      if (!stopped) end(visit);
    });
  }

  void end(const VisitPtr& visit) {
    if (std::exchange(visit->over, true)) return;
    if (!visit->answering) no_longer_waits(visit);
    visit->timer.cancel();
    error_code ignored;
    visit->socket.shutdown(Tcp::socket::shutdown_both, ignored);
    visit->socket.close(ignored);
  }

  void read(const VisitPtr& visit) {
    visit->socket.async_read_some(asio::buffer(visit->buffer),
                                  [this, visit](const error_code& failed, std::size_t size) {
                                    if (visit->over) return;
                                    if (failed) return end(visit);
                                    visit->request.append(visit->buffer.data(), size);
                                    if (visit->request.find("\r\n\r\n") != visit->request.npos)
                                      return answer(visit);
                                    if (visit->request.size() > kRequestBytesMax) return end(visit);
                                    read(visit);
                                  });
  }

  void answer(const VisitPtr& visit) {
    no_longer_waits(visit);
    visit->answering = true;
    const std::string_view request = visit->request;
    visit->answer = answer_to(request.substr(0, request.find("\r\n")), *book_);
    end_after(visit, kAnswerPatience);
    asio::async_write(visit->socket, asio::buffer(visit->answer),
                      [this, visit](const error_code&, std::size_t) { end(visit); });
  }

  std::shared_ptr<const actors::MetricsBook> book_;
  asio::io_context io_{1};
  Tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  std::list<VisitPtr> waiting_;  // for their request, oldest first
  std::map<std::string, std::size_t> by_address_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<Exporter>> Exporter::start(const std::string& host, std::uint16_t port,
                                                  std::shared_ptr<const actors::MetricsBook> book) {
  try {
    auto exporter = std::make_unique<AsioExporter>(std::move(book));
    exporter->start(host, port);
    return std::unique_ptr<Exporter>(std::move(exporter));
  } catch (const std::exception& e) {
    const std::string words = why_not_listening(host, port);
    return Error(ErrorCode::Unavailable, "cannot serve metrics on " + host + ":" +
                                             std::to_string(port) + ": " +
                                             (words.empty() ? e.what() : words));
  }
}

}  // namespace winnow::serve
