#include "serve/exporter.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "actors/farm_metrics.hpp"

namespace winnow::serve {
namespace {

/// What one request gets, whole.
std::string fetch(std::uint16_t port, const std::string& request) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string out;
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0 &&
      ::send(fd, request.data(), request.size(), MSG_NOSIGNAL) >= 0) {
    char buffer[4096];
    for (ssize_t n; (n = ::recv(fd, buffer, sizeof buffer, 0)) > 0;) {
      out.append(buffer, static_cast<std::size_t>(n));
    }
  }
  ::close(fd);
  return out;
}

std::string metrics_of(std::uint16_t port) {
  return fetch(port, "GET /metrics HTTP/1.0\r\nHost: x\r\n\r\n");
}

TEST(Exporter, ServesWhatTheBookSays) {
  const auto book = std::make_shared<actors::MetricsBook>();
  actors::add_process_metrics(*book);
  book->counter("winnow_test_things_total", "Things.", {{"kind", "a\"b"}}).add(7);
  actors::Histogram& h =
      book->histogram("winnow_test_wait_seconds", "Waits.", actors::latency_bounds_s());
  for (const double v : {0.0002, 0.3, 0.3, 99.0}) h.observe(v);
  actors::Gauge& refreshed = book->gauge("winnow_test_level_bytes", "Level.");
  book->before_reading([&] { refreshed.set(refreshed.value() + 1); });
  const auto exporter = Exporter::start("127.0.0.1", 0, book);
  ASSERT_TRUE(exporter.ok()) << exporter.error().text();
  ASSERT_NE((*exporter)->port(), 0);
  const std::string text = metrics_of((*exporter)->port());
  for (const char* line :
       {"winnow_test_things_total{kind=\"a\\\"b\"} 7\n",
        "# TYPE winnow_test_things_total counter\n",
        "winnow_test_wait_seconds_bucket{le=\"0.00025\"} 1\n",
        "winnow_test_wait_seconds_bucket{le=\"0.5\"} 3\n",
        "winnow_test_wait_seconds_bucket{le=\"+Inf\"} 4\n", "winnow_test_wait_seconds_count 4\n",
        "winnow_test_level_bytes 1\n", "process_resident_memory_bytes "}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << "not in\n" << text;
  }
}

TEST(Exporter, GarbageAndManyReadersDoNotHurtIt) {
  const auto book = std::make_shared<actors::MetricsBook>();
  actors::Counter& counter = book->counter("winnow_test_things_total", "Things.");
  const auto exporter = Exporter::start("127.0.0.1", 0, book);
  ASSERT_TRUE(exporter.ok()) << exporter.error().text();
  const std::uint16_t port = (*exporter)->port();
  for (const std::string& bad :
       {std::string("\0\0\0\r\n\r\n", 7), std::string("GET /other HTTP/1.0\r\n\r\n"),
        std::string("PUT /metrics HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n"),
        "GET /" + std::string(100'000, 'x') + " HTTP/1.0\r\n\r\n"}) {
    EXPECT_EQ(fetch(port, bad).find("winnow_test_things_total "), std::string::npos);
  }
  std::vector<std::jthread> readers;
  for (int i = 0; i < 8; ++i) {
    readers.emplace_back([&] {
      for (int k = 0; k < 10; ++k) {
        counter.add();
        EXPECT_NE(metrics_of(port).find("winnow_test_things_total "), std::string::npos);
      }
    });
  }
  readers.clear();
  EXPECT_NE(metrics_of(port).find("winnow_test_things_total 80\n"), std::string::npos);
}

/// A connection that says `some` of a request, and no more.
int half_open(std::uint16_t port, const std::string& some) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
  EXPECT_GE(::send(fd, some.data(), some.size(), MSG_NOSIGNAL), 0);
  return fd;
}

TEST(Exporter, F7HalfOpenConnectionsKeepNobodyOut) {
  const auto book = std::make_shared<actors::MetricsBook>();
  book->counter("winnow_test_things_total", "Things.").add(3);
  const auto exporter = Exporter::start("127.0.0.1", 0, book);
  ASSERT_TRUE(exporter.ok()) << exporter.error().text();
  std::vector<int> held;
  for (int i = 0; i < 600; ++i) {
    held.push_back(half_open((*exporter)->port(), i % 2 == 0 ? "" : "GET /metrics HTTP/1.1\r\n"));
    if (i % 100 != 99) continue;
    EXPECT_NE(metrics_of((*exporter)->port()).find("winnow_test_things_total 3\n"),
              std::string::npos)
        << i;
  }
  for (const int fd : held) ::close(fd);
}

TEST(Exporter, SaysWhatItDoesNotHave) {
  const auto book = std::make_shared<actors::MetricsBook>();
  const auto exporter = Exporter::start("127.0.0.1", 0, book);
  ASSERT_TRUE(exporter.ok()) << exporter.error().text();
  const std::uint16_t port = (*exporter)->port();
  EXPECT_TRUE(fetch(port, "GET /other HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404 "));
  EXPECT_TRUE(fetch(port, "POST /metrics HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 405 "));
  EXPECT_TRUE(fetch(port, "what\r\n\r\n").starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(fetch(port, "GET /metrics?x=1 HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 200 "));
}

TEST(Exporter, ATakenPortIsAClearFailure) {
  const auto book = std::make_shared<actors::MetricsBook>();
  const auto first = Exporter::start("127.0.0.1", 0, book);
  ASSERT_TRUE(first.ok());
  const auto second = Exporter::start("127.0.0.1", (*first)->port(), book);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code(), ErrorCode::Unavailable);
  EXPECT_NE(second.error().text().find(std::to_string((*first)->port())), std::string::npos);
}

}  // namespace
}  // namespace winnow::serve
