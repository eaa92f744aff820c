#include "cluster/door/door.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "cluster/authority.hpp"
#include "cluster/certificate.hpp"
#include "cluster/door/basp_guard.hpp"
#include "tests/cluster/folder.hpp"
#include "tests/support/eventually.hpp"

namespace winnow::cluster {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

bool eventually(const std::function<bool()>& holds) { return tests::eventually(30s, holds); }

std::string frame(unsigned op, std::string_view payload) {
  std::string bytes(kBaspHeaderBytes, '\0');
  bytes[0] = static_cast<char>(op);
  for (int i = 0; i < 4; ++i) {
    bytes[4 + i] = static_cast<char>(payload.size() >> (24 - 8 * i) & 0xff);
  }
  return bytes + std::string(payload);
}
const std::string kServerHello = frame(0, "server");
const std::string kClientHello = frame(1, "client");

/// Purpose: a TCP socket, closed with its owner.
class Socket {
 public:
  explicit Socket(int fd = -1) : fd_(fd) {}
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  Socket(Socket&& o) noexcept : fd_(std::exchange(o.fd_, -1)) {}
  Socket& operator=(Socket&& o) noexcept {
    std::swap(fd_, o.fd_);
    return *this;
  }
  /// From `address`, if one is given: every one in 127.0.0.0/8 is ours.
  static Socket to(std::uint16_t port, const char* address = nullptr) {
    Socket s(::socket(AF_INET, SOCK_STREAM, 0));
    if (address != nullptr) {
      sockaddr_in from{};
      from.sin_family = AF_INET;
      EXPECT_EQ(::inet_pton(AF_INET, address, &from.sin_addr), 1);
      EXPECT_EQ(::bind(s.fd_, reinterpret_cast<sockaddr*>(&from), sizeof from), 0);
    }
    timeval patience{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(s.fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(port);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(s.fd_, reinterpret_cast<sockaddr*>(&where), sizeof where), 0);
    return s;
  }
  int fd() const { return fd_; }
  bool send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }
  /// At most `size` bytes, fewer at the end of the stream.
  std::string receive(std::size_t size) const {
    std::string all(size, '\0');
    std::size_t got = 0;
    while (got < size) {
      const ssize_t n = ::recv(fd_, all.data() + got, size - got, 0);
      if (n <= 0) break;
      got += static_cast<std::size_t>(n);
    }
    all.resize(got);
    return all;
  }

 private:
  int fd_;
};

/// Purpose: stands where the coordinator's loopback port is: greets, then sends back what it gets.
class Echo {
 public:
  Echo() : listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof where;
    ::bind(listener_.fd(), reinterpret_cast<sockaddr*>(&where), size);
    ::listen(listener_.fd(), 64);
    ::getsockname(listener_.fd(), reinterpret_cast<sockaddr*>(&where), &size);
    port_ = ntohs(where.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~Echo() {
    ::shutdown(listener_.fd(), SHUT_RDWR);
    thread_.join();
  }
  std::uint16_t port() const { return port_; }
  int connections() const { return connections_; }
  std::size_t bytes() const { return bytes_; }

 private:
  void run() {
    std::vector<std::thread> each;
    for (;;) {
      const int fd = ::accept(listener_.fd(), nullptr, nullptr);
      if (fd < 0) break;
      ++connections_;
      each.emplace_back([this, fd] {
        const Socket peer(fd);
        if (!peer.send(kServerHello)) return;
        const std::string hello = peer.receive(kClientHello.size());
        bytes_ += hello.size();
        for (std::string some = "x"; !some.empty();) {
          some.resize(1 << 16);
          const ssize_t n = ::recv(fd, some.data(), some.size(), 0);
          some.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
          bytes_ += some.size();
          if (!peer.send(some)) return;
        }
        ::shutdown(fd, SHUT_WR);
      });
    }
    for (auto& thread : each) thread.join();
  }

  Socket listener_;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_{0};
  std::atomic<std::size_t> bytes_{0};
  std::thread thread_;
};

/// A farm's home with its door, in front of an echo.
struct DoorTest : testing::Test {
  DoorTest() {
    const TimestampNs now = system_clock().now();
    EXPECT_TRUE(Authority::init(home.path, "north", "", now));
    authority = std::make_unique<Authority>(std::move(*Authority::open(home.path)));
    // So long that no busy machine drops whom a test wants to keep.
    limits.handshake = seconds(60);
    limits.greeting = seconds(60);
    limits.reload = milliseconds(20);
  }
  void open_door() {
    const fs::path folder = Authority::folder_of(home.path);
    auto opened = Door::open({.inner_port = echo.port(),
                              .identity = folder / "coordinator",
                              .revoked = folder / "revoked",
                              .limits = limits});
    ASSERT_TRUE(opened) << opened.error().text();
    door = std::move(*opened);
  }
  fs::path invite(const std::string& name, Role role = Role::Node, DurationNs valid = days(1),
                  DurationNs ago = {}) {
    const auto made = authority->issue({.role = role, .name = name, .valid_for = valid, .door = ""},
                                       system_clock().now() - ago);
    EXPECT_TRUE(made);
    const fs::path file = home.path / (name + "-" + made->serial);
    EXPECT_TRUE(write_secret(file, identity_text(*made)));
    return file;
  }
  std::unique_ptr<DoorPath> path(const fs::path& identity) {
    auto opened = DoorPath::open(
        {.host = "127.0.0.1", .port = door->port(), .identity = identity, .limits = limits});
    EXPECT_TRUE(opened) << opened.error().text();
    return std::move(*opened);
  }
  /// Whether a conversation through the door takes place.
  bool speaks(const DoorPath& way) {
    const Socket s = Socket::to(way.port());
    if (s.receive(kServerHello.size()) != kServerHello) return false;
    const std::string said = frame(2, "hello");
    return s.send(kClientHello + said) && s.receive(said.size()) == said;
  }
  /// Closed by the door, whatever was sent.
  static bool is_closed(const Socket& s) {
    char byte = 0;
    for (ssize_t n = 1; n != 0;) {
      n = ::recv(s.fd(), &byte, 1, 0);
      if (n < 0) return errno == ECONNRESET;
    }
    return true;
  }
  bool all_gone() {
    return eventually([&] { return door->counts().open == 0; });
  }

  Folder home;
  std::unique_ptr<Authority> authority;
  Echo echo;
  DoorLimits limits;
  std::unique_ptr<Door> door;
};

TEST_F(DoorTest, BytesComeOutAsTheyWentInBothWays) {
  // Made before the door waits for a greeting, which it does not for long.
  std::string said;
  for (unsigned seed = 1; said.size() < (8u << 20); ++seed) {
    std::mt19937 rng(seed);
    std::string payload(1 + rng() % kBaspPayloadMax, '\0');
    for (char& c : payload) c = static_cast<char>(rng());
    said += frame(2, payload);
  }
  open_door();
  const auto way = path(invite("node-1"));
  const Socket s = Socket::to(way->port());
  ASSERT_EQ(s.receive(kServerHello.size()), kServerHello);
  std::thread sender([&] { EXPECT_TRUE(s.send(kClientHello + said)); });
  const std::string heard = s.receive(said.size());
  sender.join();
  ::shutdown(s.fd(), SHUT_WR);
  EXPECT_EQ(s.receive(1), "");
  EXPECT_TRUE(heard == said) << heard.size() << " of " << said.size();
  EXPECT_TRUE(all_gone());
  EXPECT_EQ(door->counts().cut, 0u);
}

TEST_F(DoorTest, AReaderThatStopsSlowsTheOtherSideDown) {
  open_door();
  const auto way = path(invite("node-1"));
  const Socket s = Socket::to(way->port());
  ASSERT_TRUE(s.send(kClientHello));
  const std::string said = frame(2, std::string(1 << 20, 'x'));
  // The echo never gets to read on: its own answers wait for this end to read.
  std::size_t sent = 0;
  timeval patience{.tv_sec = 0, .tv_usec = 300'000};
  ::setsockopt(s.fd(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  while (sent < 256 && s.send(said)) ++sent;
  EXPECT_LT(sent, 256u) << "something between kept 256 MiB";
}

TEST_F(DoorTest, StrangersNeverReachTheCoordinator) {
  open_door();
  const Folder elsewhere;
  ASSERT_TRUE(Authority::init(elsewhere.path, "north", "", system_clock().now()));
  auto foreign = Authority::open(elsewhere.path);
  const auto stranger =
      foreign->issue({.role = Role::Node, .name = "node-1", .door = ""}, system_clock().now());
  ASSERT_TRUE(stranger);
  Identity mixed = *stranger;  // trusts the farm, is not trusted by it
  mixed.authorities = authority->coordinator(system_clock().now())->authorities;
  const fs::path foreign_file = home.path / "foreign";
  ASSERT_TRUE(write_secret(foreign_file, identity_text(mixed)));
  const fs::path revoked = invite("gone");
  ASSERT_TRUE(authority->revoke("gone", system_clock().now()));
  const fs::path expired = invite("old", Role::Node, seconds(60), days(2));
  for (const fs::path& file : {foreign_file, revoked, expired}) {
    // The list is looked at once in a while; what counts is the state after that.
    ASSERT_TRUE(eventually([&] {
      const auto way = path(file);
      return !speaks(*way);
    })) << file;
  }
  EXPECT_TRUE(all_gone());
  const int before = echo.connections();
  for (const fs::path& file : {foreign_file, revoked, expired}) EXPECT_FALSE(speaks(*path(file)));
  EXPECT_EQ(echo.connections(), before);
}

TEST_F(DoorTest, ACoordinatorsCertificateIsNoNodes) {
  open_door();
  const auto opened = DoorPath::open({.host = "127.0.0.1",
                                      .port = door->port(),
                                      .identity = Authority::folder_of(home.path) / "coordinator",
                                      .limits = limits});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), ErrorCode::InvalidInput);
}

TEST_F(DoorTest, ANodeDoesNotAnswerForACoordinator) {
  const fs::path node = invite("node-1");
  const auto opened = Door::open({.inner_port = echo.port(),
                                  .identity = node,
                                  .revoked = Authority::folder_of(home.path) / "revoked",
                                  .limits = limits});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), ErrorCode::InvalidInput);
}

TEST_F(DoorTest, PlainBytesAndSilenceEndAtTheDoor) {
  limits.handshake = milliseconds(300);
  open_door();
  std::vector<Socket> sockets;
  for (const std::string& said :
       {std::string(), kClientHello, std::string(1, '\x16'), std::string("GET / HTTP/1.1\r\n\r\n"),
        std::string(4096, '\xff')}) {
    sockets.push_back(Socket::to(door->port()));
    sockets.back().send(said);
  }
  for (const Socket& s : sockets) EXPECT_TRUE(is_closed(s)) << &s - sockets.data();
  EXPECT_TRUE(all_gone());
  EXPECT_EQ(echo.connections(), 0);
  EXPECT_EQ(door->counts().refused, sockets.size());
}

TEST_F(DoorTest, F5OneAddressThatHoldsAllPlacesKeepsNobodyOut) {
  limits.handshake = seconds(600);  // only making room lets anybody in
  limits.handshaking_max = 32;
  open_door();
  // Another address, that waits as well and has one place of them all.
  const Socket patient = Socket::to(door->port(), "127.0.0.3");
  ASSERT_TRUE(eventually([&] { return door->counts().open == 1; }));
  std::vector<Socket> hog;
  for (int i = 0; i < 100; ++i) hog.push_back(Socket::to(door->port(), "127.0.0.2"));
  ASSERT_TRUE(eventually([&] { return door->counts().accepted == 101; }));
  EXPECT_EQ(door->counts().open, 32u);
  for (const Socket& s : hog) {  // and whoever lost a place says something
    s.send(std::string("\x16\x03\x01", 3));
  }
  const auto way = path(invite("node-1"));
  for (int i = 0; i < 8; ++i) {
    EXPECT_TRUE(speaks(*way)) << i;
    hog.push_back(Socket::to(door->port(), "127.0.0.2"));
  }
  char byte = 0;
  EXPECT_LT(::recv(patient.fd(), &byte, 1, MSG_DONTWAIT), 0) << "it had no more than its share";
}

TEST_F(DoorTest, F5AClientOfTheSameAddressGetsInToo) {
  limits.handshake = seconds(600);
  limits.handshaking_max = 32;
  open_door();
  std::vector<Socket> hog;
  for (int i = 0; i < 100; ++i) hog.push_back(Socket::to(door->port()));
  const auto way = path(invite("node-1"));
  for (int i = 0; i < 8; ++i) EXPECT_TRUE(speaks(*way)) << i;
  EXPECT_TRUE(is_closed(hog.front())) << "the oldest goes first";
}

TEST_F(DoorTest, ThousandsOfMalformedHellosChangeNothing) {
  open_door();
  const auto way = path(invite("node-1"));
  for (unsigned seed = 1; seed <= 2000; ++seed) {
    std::mt19937 rng(seed);
    // Half of them begin as a TLS record does.
    std::string bytes(rng() % 600, '\0');
    for (char& c : bytes) c = static_cast<char>(rng());
    if (seed % 2 == 0) {
      bytes.insert(0, std::string("\x16\x03\x01", 3) + static_cast<char>(rng() % 3) +
                          static_cast<char>(rng()) + "\x01");
    }
    Socket::to(door->port()).send(bytes);
    if (seed % 500 == 0) {
      EXPECT_TRUE(speaks(*way)) << "seed " << seed;
    }
  }
  EXPECT_TRUE(speaks(*way));
  EXPECT_TRUE(all_gone());
}

TEST_F(DoorTest, OlderTlsIsRefused) {
  open_door();
  const auto identity = read_identity(invite("node-1"));
  ASSERT_TRUE(identity);
  for (const auto& [version, fits] : {std::pair{TLS1_2_VERSION, false}, {TLS1_3_VERSION, true}}) {
    SSL_CTX* context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_max_proto_version(context, version);
    const auto key = read_key(identity->key);
    const auto certificate = read_certificate(identity->chain);
    SSL_CTX_use_certificate(context, certificate->get());
    SSL_CTX_use_PrivateKey(context, key->get());
    const Socket s = Socket::to(door->port());
    SSL* ssl = SSL_new(context);
    SSL_set_fd(ssl, s.fd());
    EXPECT_EQ(SSL_connect(ssl) == 1, fits) << version;
    SSL_free(ssl);
    SSL_CTX_free(context);
  }
}

TEST_F(DoorTest, AnAuthenticatedPeersBadFrameIsNotPassedOn) {
  open_door();
  const auto way = path(invite("node-1"));
  const Socket s = Socket::to(way->port());
  ASSERT_EQ(s.receive(kServerHello.size()), kServerHello);
  // What kills CAF: a handshake without payload.
  ASSERT_TRUE(s.send(frame(1, "")));
  EXPECT_TRUE(is_closed(s));
  EXPECT_TRUE(all_gone());
  EXPECT_EQ(echo.bytes(), 0u);
}

TEST_F(DoorTest, AnAuthenticatedPeerThatSaysNothingIsDropped) {
  limits.greeting = milliseconds(300);
  open_door();
  const auto way = path(invite("node-1"));
  const Socket s = Socket::to(way->port());
  (void)s.receive(kServerHello.size());
  EXPECT_TRUE(is_closed(s));
  EXPECT_TRUE(all_gone());
}

TEST_F(DoorTest, ARevokedIdentitysOpenConnectionIsCut) {
  open_door();
  const auto kept = path(invite("kept"));
  const auto gone = path(invite("gone"));
  const Socket a = Socket::to(kept->port());
  const Socket b = Socket::to(gone->port());
  for (const Socket* s : {&a, &b}) {
    ASSERT_EQ(s->receive(kServerHello.size()), kServerHello);
    ASSERT_TRUE(s->send(kClientHello + frame(6, "")));
    ASSERT_EQ(s->receive(kBaspHeaderBytes), frame(6, ""));
  }
  ASSERT_TRUE(authority->revoke("gone", system_clock().now()));
  EXPECT_TRUE(is_closed(b));
  ASSERT_TRUE(a.send(frame(6, "")));
  EXPECT_EQ(a.receive(kBaspHeaderBytes), frame(6, ""));
}

TEST_F(DoorTest, ARotationCutsOnlyThoseWhoWereNotRenewed) {
  open_door();
  const fs::path before = invite("before");
  ASSERT_TRUE(speaks(*path(before)));
  const auto now = system_clock().now();
  ASSERT_TRUE(authority->rotate(now));
  const fs::path renewed = invite("renewed");
  EXPECT_TRUE(eventually([&] { return speaks(*path(before)) && speaks(*path(renewed)); }));
  ASSERT_TRUE(authority->finish_rotation(now));
  EXPECT_TRUE(eventually([&] { return !speaks(*path(before)); }));
  EXPECT_TRUE(speaks(*path(renewed)));
  EXPECT_FALSE(speaks(*path(before)));
}

TEST_F(DoorTest, LimitsTurnAwayBeforeAnythingIsRead) {
  limits.handshake = seconds(30);
  limits.greeting = seconds(30);
  limits.connections_max = 1;
  open_door();
  const auto way = path(invite("node-1"));
  {
    // Who has said who they are keeps the place.
    const Socket inside = Socket::to(way->port());
    ASSERT_EQ(inside.receive(kServerHello.size()), kServerHello);
    EXPECT_TRUE(is_closed(Socket::to(door->port())));
    EXPECT_EQ(door->counts().turned_away, 1u);
  }
  EXPECT_TRUE(all_gone());
  EXPECT_TRUE(speaks(*path(invite("node-2"))));
}

TEST_F(DoorTest, TheOldestThatHasSaidNothingMakesRoom) {
  limits.handshake = seconds(30);
  limits.handshaking_max = 3;
  open_door();
  std::vector<Socket> silent;
  for (int i = 0; i < 4; ++i) silent.push_back(Socket::to(door->port()));
  EXPECT_TRUE(is_closed(silent.front()));
  EXPECT_TRUE(
      tests::eventually(std::chrono::seconds(30), [&] { return door->counts().open == 3; }));
  silent.clear();
  EXPECT_TRUE(all_gone());
  EXPECT_TRUE(speaks(*path(invite("node-1"))));
}

TEST_F(DoorTest, AnIdentityHasAShareOnly) {
  limits.per_identity_max = 1;
  open_door();
  const auto way = path(invite("node-1"));
  const Socket first = Socket::to(way->port());
  ASSERT_EQ(first.receive(kServerHello.size()), kServerHello);
  ASSERT_TRUE(first.send(kClientHello));
  EXPECT_FALSE(speaks(*way));
  EXPECT_TRUE(speaks(*path(invite("node-2"))));
}

}  // namespace
}  // namespace winnow::cluster
