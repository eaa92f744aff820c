#include "base/address.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace winnow {
namespace {

std::string without_brackets(const std::string& host) {
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  return bracketed ? host.substr(1, host.size() - 2) : host;
}

std::string words_of(int number, const std::string& host, std::uint16_t port) {
  switch (number) {
    case EADDRINUSE:
      return "port " + std::to_string(port) + " is in use: another process listens there";
    case EADDRNOTAVAIL:
      return host + " is no address of this machine";
    case EACCES:
      return "port " + std::to_string(port) + " may not be taken by this user";
    default:
      return std::strerror(number);
  }
}

constexpr int kGreetingMs = 700;
constexpr unsigned char kTlsAlert = 0x15;

/// A socket that is connected within a second, or -1.
int connected(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const std::string plain = without_brackets(host);
  if (::getaddrinfo(plain.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) return -1;
  const int fd = ::socket(found->ai_family, found->ai_socktype | SOCK_CLOEXEC, 0);
  const timeval second{1, 0};
  if (fd >= 0) ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &second, sizeof second);
  const bool there = fd >= 0 && ::connect(fd, found->ai_addr, found->ai_addrlen) == 0;
  ::freeaddrinfo(found);
  if (there) return fd;
  if (fd >= 0) ::close(fd);
  return -1;
}

/// Whether bytes, or the end, came in time.
bool comes(int fd) {
  pollfd waiting{fd, POLLIN, 0};
  return ::poll(&waiting, 1, kGreetingMs) == 1;
}

}  // namespace

bool is_loopback(const std::string& host) {
  const std::string plain = without_brackets(host);
  if (plain == "localhost") return true;
  in_addr v4{};
  if (::inet_pton(AF_INET, plain.c_str(), &v4) == 1) return ntohl(v4.s_addr) >> 24 == 127;
  in6_addr v6{};
  if (::inet_pton(AF_INET6, plain.c_str(), &v6) != 1) return false;
  if (IN6_IS_ADDR_LOOPBACK(&v6)) return true;
  return IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == 127;
}

std::string why_not_listening(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const std::string plain = without_brackets(host);
  if (const int failed = ::getaddrinfo(plain.c_str(), std::to_string(port).c_str(), &hints, &found);
      failed != 0) {
    return host + ": " + ::gai_strerror(failed);
  }
  std::string why;
  const int fd = ::socket(found->ai_family, found->ai_socktype | SOCK_CLOEXEC, 0);
  if (fd >= 0) {
    const int on = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const bool taken = ::bind(fd, found->ai_addr, found->ai_addrlen) != 0 || ::listen(fd, 1) != 0;
    if (taken) why = words_of(errno, host, port);
    ::close(fd);
  }
  ::freeaddrinfo(found);
  return why;
}

Listener listener_at(const std::string& host, std::uint16_t port) {
  const int fd = connected(host, port);
  if (fd < 0) return Listener::None;
  std::array<unsigned char, 64> bytes{};
  Listener found = Listener::Other;
  if (comes(fd)) {
    found = ::recv(fd, bytes.data(), bytes.size(), 0) > 0 ? Listener::SpeaksFirst : found;
  } else {
    // A client that knows TLS 1.0 and nothing later: a server of today says so in an alert before
    // it closes. Record, handshake, version, 32 random bytes, one cipher, no compression.
    std::array<unsigned char, 50> old{0x16, 3, 1, 0, 45, 1, 0, 0, 41, 3, 1};
    std::fill(old.begin() + 11, old.begin() + 43, static_cast<unsigned char>('?'));
    constexpr std::array<unsigned char, 7> kTail = {0, 0, 2, 0, 0x2f, 1, 0};
    std::copy(kTail.begin(), kTail.end(), old.begin() + 43);
    const bool sent = ::send(fd, old.data(), old.size(), MSG_NOSIGNAL) > 0;
    const bool alerted =
        sent && comes(fd) && ::recv(fd, bytes.data(), bytes.size(), 0) > 0 && bytes[0] == kTlsAlert;
    if (alerted) found = Listener::AlertsTls;
  }
  ::close(fd);
  return found;
}

}  // namespace winnow
