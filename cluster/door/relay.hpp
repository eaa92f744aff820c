#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "cluster/door/basp_guard.hpp"
#include "cluster/door/limits.hpp"
#include "cluster/door/tls.hpp"

namespace winnow::cluster {

class Relay;

/// Why a relay ended.
enum class RelayEnd {
  Finished,     ///< both sides had said all, or this end closes
  Handshake,    ///< no TLS, or an older one
  Certificate,  ///< of another authority, farm or role, expired, not valid yet
  Revoked,
  Limit,    ///< of connections of one identity, or of those that have yet to say who they are
  Late,     ///< a deadline passed: handshake, greeting, silence
  Frame,    ///< not CAF's protocol, or larger than allowed
  Refused,  ///< joining: the far end did not take this identity
  Lost,     ///< the network, or the peer without a word
};

/// Purpose: what a relay asks of the end of the door it belongs to. Thread: the door's.
class RelayOwner {
 public:
  virtual ~RelayOwner() = default;
  virtual const Trust& trust() const = 0;
  virtual const DoorLimits& limits() const = 0;
  /// The relay's peer is who it should be. Fails: Refused (a limit).
  virtual Status admit(Relay& relay, const Subject& peer) = 0;
  /// The peer has said its first complete frame: it takes this end for what it is.
  virtual void greeted() {}
  /// The last call of a relay. `why` is empty if both sides had finished.
  virtual void ended(Relay& relay, RelayEnd end, const std::string& why) = 0;
  /// Serving: this loopback port, about to reach the coordinator, is the peer's.
  virtual void speaks_for(std::uint16_t /*inner_port*/, const Subject& /*peer*/) {}
};

/// Purpose: one connection: TLS outside, plain on loopback inside, a guard on each direction. Reads
/// on only when what it read is written, so that whoever is slow slows the other down and memory is
/// two buffers. Thread: the door's.
class Relay : public std::enable_shared_from_this<Relay> {
 public:
  using Tcp = boost::asio::ip::tcp;
  using Stream = boost::asio::ssl::stream<Tcp::socket>;

  Relay(RelayOwner& owner, boost::asio::io_context& io, BaspSide peer_side, std::string address);

  /// Serving: `outer` was accepted and the coordinator listens at `inner_port`.
  void serve(Tcp::socket outer, std::uint16_t inner_port);
  /// Joining: `inner` was accepted and the door is at `address` and this port.
  void join(Tcp::socket inner, std::uint16_t port);

  /// Ends it if a deadline has passed.
  void tick(MonoNs now);
  /// Ends it if its peer may not stay.
  void check_again();
  void cut(RelayEnd end, const std::string& why = "");

  const std::string& address() const { return address_; }
  const Subject& peer() const { return peer_; }
  bool authenticated() const { return state_ != State::Arriving; }
  /// It has said nothing yet.
  bool silent() const;
  bool greeted() const { return from_outer_.guard.frames() > 0; }
  std::uint16_t inner_local_port() const { return inner_local_port_; }

 private:
  enum class State { Arriving, Relaying, Ended };
  struct Direction {
    explicit Direction(BaspSide side) : guard(side) {}
    BaspGuard guard;
    std::vector<std::byte> buffer;
    bool done = false;
  };

  void start_outer(Tcp::socket socket, boost::asio::ssl::stream_base::handshake_type type);
  void on_handshake(const boost::system::error_code& failed);
  void connect_inside();
  void begin_relaying();
  void read_outer();
  void read_inner();
  void on_outer(const boost::system::error_code& failed, std::size_t size);
  void on_inner(const boost::system::error_code& failed, std::size_t size);
  void finish_if_done();
  void expect_by(DurationNs patience);

  RelayOwner& owner_;
  std::shared_ptr<boost::asio::ssl::context> context_;
  Tcp::resolver resolver_;
  Tcp::socket dialled_;  ///< joining: the outer socket until it is connected
  std::unique_ptr<Stream> outer_;
  Tcp::socket inner_;
  std::uint16_t inner_port_ = 0;
  std::uint16_t inner_local_port_ = 0;  ///< serving: by which the coordinator knows the peer
  std::string refusal_;                 ///< noted while the handshake runs
  std::string address_;
  Subject peer_;
  Direction from_outer_;
  Direction from_inner_;
  State state_ = State::Arriving;
  MonoNs deadline_;
  std::uint64_t frames_seen_ = 0;
};

}  // namespace winnow::cluster
