// What the door costs: frames from one loopback socket to another, plain and through both ends of
// the door. Reports MB/s and frames/s; every byte is counted at the far end.
#include <arpa/inet.h>
#include <benchmark/benchmark.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <thread>

#include "cluster/authority.hpp"
#include "cluster/door/basp_guard.hpp"
#include "cluster/door/door.hpp"

namespace {

using namespace winnow;
using namespace winnow::cluster;

std::string frame(unsigned op, std::size_t size) {
  std::string bytes(kBaspHeaderBytes + size, 'x');
  std::fill_n(bytes.begin(), kBaspHeaderBytes, '\0');
  bytes[0] = static_cast<char>(op);
  for (int i = 0; i < 4; ++i) bytes[4 + i] = static_cast<char>(size >> (24 - 8 * i) & 0xff);
  return bytes;
}

bool send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

bool receive(int fd, std::size_t size) {
  static thread_local std::string buffer(256 << 10, '\0');
  while (size > 0) {
    const ssize_t n = ::recv(fd, buffer.data(), std::min(size, buffer.size()), 0);
    if (n <= 0) return false;
    size -= static_cast<std::size_t>(n);
  }
  return true;
}

/// Two connected ends, `near_end` and `far_end`, with or without the door between them.
struct Line {
  explicit Line(const std::string& home) {
    const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof where;
    if (::bind(listener, reinterpret_cast<sockaddr*>(&where), size) != 0) std::abort();
    ::listen(listener, 4);
    ::getsockname(listener, reinterpret_cast<sockaddr*>(&where), &size);
    if (!home.empty()) where.sin_port = htons(open_door(home, ntohs(where.sin_port)));
    near_end = ::socket(AF_INET, SOCK_STREAM, 0);
    ok = ::connect(near_end, reinterpret_cast<sockaddr*>(&where), size) == 0;
    far_end = ::accept(listener, nullptr, nullptr);
    ::close(listener);
    const std::string server = frame(0, 8);
    const std::string client = frame(1, 8);
    ok = ok && send_all(far_end, server) && receive(near_end, server.size()) &&
         send_all(near_end, client) && receive(far_end, client.size());
  }
  ~Line() {
    ::close(near_end);
    ::close(far_end);
  }
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  std::uint16_t open_door(const std::string& home, std::uint16_t inner) {
    const auto now = system_clock().now();
    auto authority = Authority::open(home);
    const auto identity = authority->issue(
        {.role = Role::Node, .name = "bench", .valid_for = days(1), .door = ""}, now);
    const std::string file = home + "/node";
    if (!write_secret(file, identity_text(*identity))) return 0;
    const auto folder = Authority::folder_of(home);
    auto opened = Door::open({.inner_port = inner,
                              .identity = folder / "coordinator",
                              .revoked = folder / "revoked",
                              .limits = {}});
    door = std::move(*opened);
    auto way =
        DoorPath::open({.host = "127.0.0.1", .port = door->port(), .identity = file, .limits = {}});
    path = std::move(*way);
    return path->port();
  }

  bool ok = false;
  int near_end = -1;
  int far_end = -1;
  std::unique_ptr<Door> door;
  std::unique_ptr<DoorPath> path;
};

void frames(benchmark::State& state, const std::string& home) {
  const Line line(home);
  if (!line.ok) return state.SkipWithError("no connection");
  const std::string one = frame(2, static_cast<std::size_t>(state.range(0)));
  const std::size_t count = std::max<std::size_t>(1, (4u << 20) / one.size());
  std::size_t done = 0;
  for (auto _ : state) {
    std::thread sender([&] {
      for (std::size_t i = 0; i < count; ++i) send_all(line.near_end, one);
    });
    const bool came = receive(line.far_end, count * one.size());
    sender.join();
    if (!came) return state.SkipWithError("bytes were lost");
    done += count;
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(done));
  state.SetBytesProcessed(static_cast<std::int64_t>(done * one.size()));
}

}  // namespace

int main(int argc, char** argv) {
  std::string home = (std::filesystem::temp_directory_path() / "winnow-bench-door-XXXXXX").string();
  if (::mkdtemp(home.data()) == nullptr) return 1;
  if (!Authority::init(home, "bench", "", system_clock().now())) return 1;
  for (const bool door : {false, true}) {
    benchmark::RegisterBenchmark(
        door ? "door" : "plain",
        [where = door ? home : std::string()](benchmark::State& state) { frames(state, where); })
        ->Arg(256)
        ->Arg(16 << 10)
        ->Arg(1 << 20)
        ->UseRealTime();
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  std::error_code ec;
  std::filesystem::remove_all(home, ec);
  return 0;
}
