#include "tests/e2e/hostile.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "cluster/certificate.hpp"
#include "cluster/identity.hpp"
#include "tests/e2e/door_farm.hpp"

namespace winnow::e2e {

struct RawPeer::Tls {
  SSL_CTX* context = nullptr;
  SSL* ssl = nullptr;
  ~Tls() {
    SSL_free(ssl);
    SSL_CTX_free(context);
  }
};

RawPeer::RawPeer(int port, const Options& options) : fd_(connect_to(port)) {
  ::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
  if (fd_ < 0) return;
  const timeval patience{.tv_sec = 5, .tv_usec = 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  connected_ = true;
  if (options.identity.empty() && !options.no_certificate) return;
  tls_ = std::make_unique<Tls>();
  tls_->context = SSL_CTX_new(TLS_client_method());
  if (options.tls_version_max != 0) {
    SSL_CTX_set_max_proto_version(tls_->context, options.tls_version_max);
  }
  if (!options.no_certificate) {
    const auto identity = cluster::read_identity(options.identity);
    connected_ = identity.ok();
    if (!connected_) return;
    const auto key = cluster::read_key(identity->key);
    const auto certificate = cluster::read_certificate(identity->chain);
    SSL_CTX_use_certificate(tls_->context, certificate->get());
    SSL_CTX_use_PrivateKey(tls_->context, key->get());
  }
  tls_->ssl = SSL_new(tls_->context);
  SSL_set_fd(tls_->ssl, fd_);
  ERR_clear_error();
  connected_ = SSL_connect(tls_->ssl) == 1;
}

RawPeer::~RawPeer() {
  tls_.reset();
  if (fd_ >= 0) ::close(fd_);
}

bool RawPeer::send(const std::string& bytes) const {
  if (!connected_ || bytes.empty()) return connected_;
  if (!tls_) {
    return ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(bytes.size());
  }
  return SSL_write(tls_->ssl, bytes.data(), static_cast<int>(bytes.size())) > 0;
}

std::string RawPeer::receive(int milliseconds) const {
  std::array<char, 65536> some;
  if (!connected_) return "";
  pollfd ready{fd_, POLLIN, 0};
  if ((!tls_ || SSL_pending(tls_->ssl) == 0) && ::poll(&ready, 1, milliseconds) != 1) return "";
  const auto n = tls_ ? SSL_read(tls_->ssl, some.data(), static_cast<int>(some.size()))
                      : ::recv(fd_, some.data(), some.size(), 0);
  return n > 0 ? std::string(some.data(), static_cast<std::size_t>(n)) : "";
}

bool RawPeer::closed_within(int seconds) const {
  return eventually(seconds, [this] { return closed(); });
}

bool RawPeer::closed() const {
  pollfd ready{fd_, POLLIN, 0};
  if (::poll(&ready, 1, 0) != 1) return false;
  std::array<char, 65536> some;
  if (!tls_) {
    const ssize_t n = ::recv(fd_, some.data(), some.size(), MSG_DONTWAIT);
    return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
  }
  // What is there may be a part of a record, or nothing for us: no end of the stream.
  const int flags = ::fcntl(fd_, F_GETFL);
  ::fcntl(fd_, F_SETFL, flags | O_NONBLOCK);
  ERR_clear_error();
  const int n = SSL_read(tls_->ssl, some.data(), static_cast<int>(some.size()));
  const bool ended = n <= 0 && SSL_get_error(tls_->ssl, n) != SSL_ERROR_WANT_READ;
  ::fcntl(fd_, F_SETFL, flags);
  return ended;
}

std::string RawPeer::complaint() const {
  receive(2000);
  const unsigned long last = ERR_peek_last_error();
  const char* const text = ERR_reason_error_string(last);
  return text != nullptr ? text : "";
}

Recorder::Recorder(int farm_port) : farm_port_(farm_port) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof where;
  ::bind(listener_, reinterpret_cast<sockaddr*>(&where), size);
  ::listen(listener_, 1);
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&where), &size);
  port_ = ntohs(where.sin_port);
  if (::pipe(stop_) != 0) return;
  thread_ = std::thread([this] { run(); });
}

Recorder::~Recorder() { stop(); }

std::string Recorder::stop() {
  if (thread_.joinable()) {
    ::close(stop_[1]);
    thread_.join();
    ::close(stop_[0]);
    ::close(listener_);
  }
  return said_;
}

void Recorder::run() {
  const int node = ::accept(listener_, nullptr, nullptr);
  const int farm = connect_to(farm_port_);
  std::array<pollfd, 3> ready{{{node, POLLIN, 0}, {farm, POLLIN, 0}, {stop_[0], POLLIN, 0}}};
  std::array<char, 65536> some;
  for (;;) {
    if (::poll(ready.data(), ready.size(), -1) < 1 || ready[2].revents != 0) break;
    bool ended = false;
    for (const int from : {0, 1}) {
      if (ready[static_cast<std::size_t>(from)].revents == 0) continue;
      const ssize_t n = ::recv(from == 0 ? node : farm, some.data(), some.size(), 0);
      ended = ended || n <= 0;
      if (n <= 0) continue;
      if (from == 0) said_.append(some.data(), static_cast<std::size_t>(n));
      ::send(from == 0 ? farm : node, some.data(), static_cast<std::size_t>(n), MSG_NOSIGNAL);
    }
    if (ended) break;
  }
  ::close(node);
  ::close(farm);
}

}  // namespace winnow::e2e
