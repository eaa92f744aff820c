#include "cluster/door/relay.hpp"

#include <netinet/tcp.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/write.hpp>
#include <utility>

namespace winnow::cluster {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::size_t kBufferBytes = 64 << 10;

void set_option(Relay::Tcp::socket& socket, int level, int name, unsigned value) {
  // A socket without the option still works; the tick ends it then.
  static_cast<void>(::setsockopt(socket.native_handle(), level, name, &value, sizeof value));
}

/// A peer that vanished or stopped reading shows within the limit.
void watch_over(Relay::Tcp::socket& socket, unsigned user_timeout_ms) {
  set_option(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(socket, IPPROTO_TCP, TCP_KEEPIDLE, 10);
  set_option(socket, IPPROTO_TCP, TCP_KEEPINTVL, 3);
  set_option(socket, IPPROTO_TCP, TCP_KEEPCNT, 3);
  set_option(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, user_timeout_ms);
}

void no_delay(Relay::Tcp::socket& socket) { set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1); }

void close(Relay::Tcp::socket& socket) {
  error_code ignored;
  socket.close(ignored);
}

BaspSide other(BaspSide side) {
  return side == BaspSide::Joining ? BaspSide::Serving : BaspSide::Joining;
}

}  // namespace

Relay::Relay(RelayOwner& owner, asio::io_context& io, BaspSide peer_side, std::string address)
    : owner_(owner),
      context_(owner.trust().context),
      resolver_(io),
      dialled_(io),
      inner_(io),
      address_(std::move(address)),
      from_outer_(peer_side),
      from_inner_(other(peer_side)) {
  expect_by(owner.limits().handshake);
}

void Relay::expect_by(DurationNs patience) { deadline_ = system_clock().mono() + patience; }

void Relay::serve(Tcp::socket outer, std::uint16_t inner_port) {
  inner_port_ = inner_port;
  start_outer(std::move(outer), asio::ssl::stream_base::server);
}

void Relay::join(Tcp::socket inner, std::uint16_t port) {
  inner_ = std::move(inner);
  const auto self = shared_from_this();
  resolver_.async_resolve(
      address_, std::to_string(port), Tcp::resolver::numeric_service,
      [this, self](const error_code& failed, const Tcp::resolver::results_type& found) {
        if (state_ == State::Ended) return;
        if (failed)
          return cut(RelayEnd::Lost, "cannot resolve " + address_ + ": " + failed.message());
        asio::async_connect(
            dialled_, found, [this, self](const error_code& unreached, const Tcp::endpoint&) {
              if (state_ == State::Ended) return;
              if (unreached)
                return cut(RelayEnd::Lost, "cannot reach " + address_ + ": " + unreached.message());
              start_outer(std::move(dialled_), asio::ssl::stream_base::client);
            });
      });
}

void Relay::start_outer(Tcp::socket socket, asio::ssl::stream_base::handshake_type type) {
  watch_over(socket, owner_.limits().user_timeout_ms);
  no_delay(socket);
  outer_ = std::make_unique<Stream>(std::move(socket), *context_);
  note_refusal_in(outer_->native_handle(), refusal_);
  outer_->async_handshake(
      type, [self = shared_from_this()](const error_code& failed) { self->on_handshake(failed); });
}

bool Relay::silent() const {
  return outer_ == nullptr || BIO_number_read(SSL_get_rbio(outer_->native_handle())) == 0;
}

void Relay::on_handshake(const error_code& failed) {
  if (state_ == State::Ended) return;
  if (failed) {
    SSL* const connection = outer_->native_handle();
    const bool judged = SSL_get_verify_result(connection) != X509_V_OK;
    const bool revoked = SSL_get_verify_result(connection) == X509_V_ERR_CERT_REVOKED;
    return cut(revoked  ? RelayEnd::Revoked
               : judged ? RelayEnd::Certificate
                        : RelayEnd::Handshake,
               refusal_text(connection, failed.message()));
  }
  const auto peer = check_peer(owner_.trust(), outer_->native_handle());
  if (!peer) return cut(RelayEnd::Certificate, peer.error().text());
  peer_ = *peer;
  if (const Status admitted = owner_.admit(*this, peer_); !admitted) {
    return cut(RelayEnd::Limit, admitted.error().text());
  }
  state_ = State::Relaying;
  expect_by(owner_.limits().greeting);
  inner_.is_open() ? begin_relaying() : connect_inside();
}

void Relay::connect_inside() {
  const asio::ip::address_v4 here = asio::ip::address_v4::loopback();
  error_code failed;
  inner_.open(Tcp::v4(), failed);
  if (!failed) inner_.bind({here, 0}, failed);
  if (!failed) inner_local_port_ = inner_.local_endpoint(failed).port();
  if (failed) return cut(RelayEnd::Lost, "no port to the coordinator: " + failed.message());
  owner_.speaks_for(inner_local_port_, peer_);
  inner_.async_connect({here, inner_port_},
                       [self = shared_from_this()](const error_code& unreached) {
                         if (self->state_ == State::Ended) return;
                         if (unreached)
                           return self->cut(RelayEnd::Lost, "the coordinator is not there");
                         self->begin_relaying();
                       });
}

void Relay::begin_relaying() {
  no_delay(inner_);
  from_outer_.buffer.resize(kBufferBytes);
  from_inner_.buffer.resize(kBufferBytes);
  read_outer();
  read_inner();
}

void Relay::read_outer() {
  outer_->async_read_some(asio::buffer(from_outer_.buffer),
                          [self = shared_from_this()](const error_code& failed, std::size_t size) {
                            self->on_outer(failed, size);
                          });
}

void Relay::on_outer(const error_code& failed, std::size_t size) {
  if (state_ == State::Ended) return;
  if (failed == asio::error::eof) {
    // The peer has said all; what it is still to hear goes on.
    error_code ignored;
    inner_.shutdown(Tcp::socket::shutdown_send, ignored);
    from_outer_.done = true;
    expect_by(owner_.limits().linger);
    return finish_if_done();
  }
  if (failed) {
    const std::string alert = alert_of(failed);
    if (alert.empty()) return cut(RelayEnd::Lost, "lost: " + failed.message());
    return cut(RelayEnd::Refused, "the door refuses this identity: " + alert);
  }
  const Status fit = from_outer_.guard.feed(std::span(from_outer_.buffer).first(size));
  if (!fit) return cut(RelayEnd::Frame, fit.error().text());
  if (frames_seen_ == 0 && greeted()) owner_.greeted();
  if (from_outer_.guard.frames() != std::exchange(frames_seen_, from_outer_.guard.frames())) {
    expect_by(owner_.limits().silence);
  }
  asio::async_write(inner_, asio::buffer(from_outer_.buffer.data(), size),
                    [self = shared_from_this()](const error_code& unwritten, std::size_t) {
                      if (self->state_ == State::Ended) return;
                      if (unwritten) return self->cut(RelayEnd::Finished);
                      self->read_outer();
                    });
}

void Relay::read_inner() {
  inner_.async_read_some(asio::buffer(from_inner_.buffer),
                         [self = shared_from_this()](const error_code& failed, std::size_t size) {
                           self->on_inner(failed, size);
                         });
}

void Relay::on_inner(const error_code& failed, std::size_t size) {
  if (state_ == State::Ended) return;
  if (failed) {
    // All that was read is written by now. Nobody listens inside any more: a BASP end that has
    // finished has closed.
    from_inner_.done = true;
    expect_by(owner_.limits().linger);
    outer_->async_shutdown([self = shared_from_this()](const error_code&) {
      if (self->state_ == State::Ended) return;
      self->from_outer_.done = true;
      self->finish_if_done();
    });
    return;
  }
  const Status fit = from_inner_.guard.feed(std::span(from_inner_.buffer).first(size));
  if (!fit) return cut(RelayEnd::Frame, fit.error().text());
  asio::async_write(*outer_, asio::buffer(from_inner_.buffer.data(), size),
                    [self = shared_from_this()](const error_code& unwritten, std::size_t) {
                      if (self->state_ == State::Ended) return;
                      if (unwritten)
                        return self->cut(RelayEnd::Lost, "lost: " + unwritten.message());
                      self->read_inner();
                    });
}

void Relay::finish_if_done() {
  if (from_outer_.done && from_inner_.done) cut(RelayEnd::Finished);
}

void Relay::tick(MonoNs now) {
  if (state_ == State::Ended || now < deadline_) return;
  if (state_ == State::Arriving) return cut(RelayEnd::Late, "no handshake in time");
  if (from_outer_.done || from_inner_.done) return cut(RelayEnd::Finished);
  cut(RelayEnd::Late, frames_seen_ == 0 ? "no greeting in time" : "silent");
}

void Relay::check_again() {
  if (state_ != State::Relaying) return;
  const auto peer = check_peer(owner_.trust(), outer_->native_handle());
  if (peer) return;
  const bool revoked = owner_.trust().revoked.contains(peer_.serial);
  cut(revoked ? RelayEnd::Revoked : RelayEnd::Certificate, peer.error().text());
}

void Relay::cut(RelayEnd end, const std::string& why) {
  if (state_ == State::Ended) return;
  const auto self = shared_from_this();
  owner_.ended(*this, end, why);
  state_ = State::Ended;
  resolver_.cancel();
  close(dialled_);
  if (outer_ != nullptr) close(outer_->next_layer());
  close(inner_);
}

}  // namespace winnow::cluster
