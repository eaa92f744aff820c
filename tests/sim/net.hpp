#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "actors/coordinator_core.hpp"
#include "actors/protocol.hpp"
#include "tests/sim/world.hpp"

namespace winnow::sim {

using actors::Frame;
using actors::PeerId;

class Remote;

/// A connection of a process to the coordinator. Each end learns of its end at its own time.
struct Link {
  PeerId peer;
  Remote* remote = nullptr;
  std::string network;    ///< of the remote process, as CAF would name it
  bool near_open = true;  ///< as the coordinator sees it
  bool far_open = true;
  std::int64_t near_last_ns = 0;  ///< when the last frame in order arrives there
  std::int64_t far_last_ns = 0;
};
using LinkPtr = std::shared_ptr<Link>;

/// A process that connects to the coordinator: a node or a client.
class Remote {
 public:
  virtual ~Remote() = default;
  virtual void on_connected(const LinkPtr& link) = 0;
  virtual void on_dial_failed() = 0;
  virtual void on_disconnected(const LinkPtr& link) = 0;
  virtual void on_frame(const Frame& frame) = 0;

  Process process;
  std::int64_t cut_off_until_ns = 0;  ///< no byte passes between it and the coordinator
};

/// The coordinator's side of all connections.
class Server {
 public:
  virtual ~Server() = default;
  virtual void on_frame(const LinkPtr& link, const Frame& frame) = 0;
  virtual void on_disconnected(const LinkPtr& link) = 0;
  Process process;
};

/// Purpose: connections in order and reliable while they last, as TCP is; and, while faults last,
/// frames that are lost, doubled, late past all others or past the connection itself.
class Net {
 public:
  Net(World& world, const Workload& workload, Server& server)
      : world_(world), workload_(workload), server_(server) {}

  void set_faults(bool on) { faults_ = on; }
  void dial(Remote& remote);
  void to_server(const LinkPtr& link, Frame frame);
  void to_remote(const LinkPtr& link, Frame frame);
  /// Each end notices within `within_ns`.
  void break_link(const LinkPtr& link, std::int64_t within_ns);
  void break_links_of(const Remote& remote, std::int64_t within_ns);
  void server_died();
  void remote_died(Remote& remote);
  std::vector<LinkPtr> links() const { return links_; }
  std::uint64_t frames() const { return traffic_.frames_in + traffic_.frames_out; }
  /// Of the coordinator; bytes are those of the frames' bodies.
  struct Traffic {
    std::uint64_t frames_in = 0;
    std::uint64_t frames_out = 0;
    std::uint64_t bytes_in = 0;
    std::uint64_t bytes_out = 0;
    std::uint64_t result_bytes = 0;  ///< of bytes_in, BlockResult
  };
  const Traffic& traffic() const { return traffic_; }

 private:
  void send(const LinkPtr& link, Frame frame, bool to_server);
  void arrive(const LinkPtr& link, const std::shared_ptr<Frame>& frame, bool to_server,
              std::int64_t after_ns, bool outlives_link);
  void notice_near(const LinkPtr& link, std::int64_t after_ns);
  void notice_far(const LinkPtr& link, std::int64_t after_ns);
  void forget_closed();

  World& world_;
  const Workload& workload_;
  Server& server_;
  bool faults_ = true;
  std::uint64_t next_peer_ = 1;
  Traffic traffic_;
  std::vector<LinkPtr> links_;
};

}  // namespace winnow::sim
