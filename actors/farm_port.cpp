#include "actors/farm_port.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <caf/io/basp_broker.hpp>
#include <caf/io/network/default_multiplexer.hpp>
#include <caf/io/network/doorman_impl.hpp>
#include <caf/io/network/scribe_impl.hpp>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <typeinfo>

#include "actors/basp_rules.hpp"
#include "actors/wire.hpp"
#include "base/address.hpp"
#include "cluster/door/line_quota.hpp"

namespace winnow::actors {
namespace {

namespace net = caf::io::network;

constexpr std::chrono::milliseconds kPauseMax{500};
/// As the door's: a peer that vanished or does not read shows within it.
constexpr unsigned kUserTimeoutMs = 20'000;

void set_option(int fd, int level, int name, unsigned value) {
  // A socket without the option still works; its deadline ends it then.
  static_cast<void>(::setsockopt(fd, level, name, &value, sizeof value));
}

std::uint32_t connections_of(std::uint32_t wanted) {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return wanted;
  return static_cast<std::uint32_t>(
      std::min<rlim_t>(wanted, std::max<rlim_t>(8, files.rlim_cur / 2)));
}

/// What a connection shows to the port's deadlines.
struct Connection {
  int fd = -1;
  MonoNs deadline;
  std::string node;  ///< the peer's CAF node id, once it has said it
  std::optional<cluster::Principal> asker;
};

/// What a connection is known by from its first moment on.
struct Newcomer {
  std::string who;  ///< for the log
  PeerRole role = PeerRole::Client;
  std::optional<cluster::Principal> asker = {};
};

/// Purpose: what the port and its connections share. Thread: any; guarded by its mutex.
class Shared {
 public:
  Shared(const FarmPort::Options& options, BaspHome home)
      : options_(options),
        connections_max_(connections_of(options.limits.connections_max)),
        home_(std::move(home)) {
    // A copy: connections may outlive the coordinator's own.
    if (options.metrics != nullptr) metrics_.emplace(*options.metrics);
  }

  const BaspHome& home() const { return home_; }
  const FarmPortLimits& limits() const { return options_.limits; }

  bool has_room() const {
    const std::lock_guard lock(mutex_);
    return connections_.size() < connections_max_;
  }
  void turned_away() {
    if (metrics_) metrics_->turned_away.add();
    note("more connections than " + std::to_string(connections_max_) + " are turned away");
  }
  /// By its certificate where it came through the door, else by the account of its process.
  Result<Newcomer> recognise(int fd, std::uint16_t port) const {
    const auto known = options_.peers ? options_.peers->find(port) : std::nullopt;
    if (known) {
      Newcomer out{.who = std::string(cluster::role_name(known->role)) + " '" + known->name + "'"};
      const auto rights = cluster::rights_of(known->role);
      if (!rights) {
        out.role = PeerRole::Node;
      } else {
        out.asker = cluster::Principal{
            .name = known->name, .rights = *rights, .credential = cluster::Credential::Certificate};
      }
      return out;
    }
    const auto uid = cluster::uid_of_peer(fd);
    if (!uid) return uid.error();
    cluster::Principal asker = cluster::account_principal(*uid);
    // Nodes are believed in what they computed: another account's need a certificate.
    const bool own = asker.rights == cluster::Rights::Operator;
    return Newcomer{.who = "a process of account '" + asker.name + "'",
                    .role = own ? PeerRole::Local : PeerRole::Client,
                    .asker = std::move(asker)};
  }

  void opened(const void* key, int fd, std::optional<cluster::Principal> asker) {
    const std::lock_guard lock(mutex_);
    connections_[key] = {fd, system_clock().mono() + limits().greeting, {}, std::move(asker)};
    count();
  }
  std::optional<cluster::Principal> who(const std::string& node) const {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, connection] : connections_) {
      if (!node.empty() && connection.node == node) return connection.asker;
    }
    return std::nullopt;
  }
  void closed(const void* key) {
    const std::lock_guard lock(mutex_);
    connections_.erase(key);
    count();
  }
  /// The peer has said a complete frame. False: another connection has its node id.
  bool heard(const void* key, const std::string& node) {
    const std::lock_guard lock(mutex_);
    const auto found = connections_.find(key);
    if (found == connections_.end()) return true;
    Connection& own = found->second;
    if (own.node.empty() && !node.empty()) {
      for (const auto& [other, connection] : connections_) {
        if (connection.node == node) return false;
      }
      own.node = node;
    }
    own.deadline = system_clock().mono() + limits().silence;
    return true;
  }
  void tick(MonoNs now) {
    if (metrics_) metrics_->unhandled_bytes.set_count(unhandled_.load());
    std::string late;
    {
      const std::lock_guard lock(mutex_);
      for (auto& [key, connection] : connections_) {
        if (now < connection.deadline) continue;
        late = connection.node.empty() ? "a connection without a handshake in time is ended"
                                       : "a connection that is silent is ended";
        ::shutdown(connection.fd, SHUT_RDWR);
        connection.deadline = now + limits().silence;
        if (metrics_) metrics_->late.add();
      }
    }
    if (!late.empty()) note(late);
    const std::lock_guard lock(log_mutex_);
    if (const auto missed = lines_.take_missed(now)) {
      spdlog::warn("farm port: {} more lines like these", missed);
    }
  }

  void refused(const std::string& who, const std::string& why) {
    if (metrics_) metrics_->refused.add();
    note(who + " is cut off: " + why);
  }
  void out_of_role(const std::string& who, Kind kind) {
    if (metrics_) metrics_->out_of_role.add();
    note(who + " may not send messages of kind " + std::to_string(static_cast<unsigned>(kind)) +
         "; they are refused");
  }

  /// Waits while too much is unhandled: the kernel's buffers fill, and senders wait too.
  void arrived(std::size_t bytes) {
    const auto before = unhandled_.fetch_add(bytes);
    if (metrics_) {
      metrics_->received_bytes.add(bytes);
      metrics_->unhandled_bytes.set_count(before + bytes);
    }
    if (before + bytes <= limits().unhandled_bytes_max) return;
    if (metrics_) metrics_->pauses.add();
    std::unique_lock lock(pause_mutex_);
    resumed_.wait_for(lock, kPauseMax, [&] {
      return closed_.load() || unhandled_.load() <= limits().unhandled_bytes_max;
    });
  }
  void handled(std::size_t bytes) {
    std::size_t now = unhandled_.load();
    while (!unhandled_.compare_exchange_weak(now, now - std::min(now, bytes))) {
    }
    const std::size_t most = limits().unhandled_bytes_max;
    if (now > most && now - std::min(now, bytes) <= most) resumed_.notify_all();
  }
  void close() {
    closed_.store(true);
    resumed_.notify_all();
  }

 private:
  void count() {
    if (metrics_) metrics_->connections.set_count(connections_.size());
  }
  void note(const std::string& text) {
    const std::lock_guard lock(log_mutex_);
    if (lines_.take(system_clock().mono())) spdlog::warn("farm port: {}", text);
  }

  FarmPort::Options options_;
  std::uint32_t connections_max_;
  BaspHome home_;
  std::optional<FarmPortMetrics> metrics_;
  mutable std::mutex mutex_;
  std::map<const void*, Connection> connections_;
  std::atomic<std::size_t> unhandled_{0};
  std::atomic<bool> closed_{false};
  std::mutex pause_mutex_;
  std::condition_variable resumed_;
  std::mutex log_mutex_;
  cluster::LineQuota lines_;
};

/// Purpose: one connection as CAF sees it, with the rules in front. Thread: CAF's network thread.
class GuardedScribe final : public net::scribe_impl {
 public:
  GuardedScribe(net::default_multiplexer& backend, int fd, std::shared_ptr<Shared> shared,
                Newcomer newcomer)
      : scribe_impl(backend, fd),
        shared_(std::move(shared)),
        fd_(fd),
        who_(std::move(newcomer.who)),
        rules_(shared_->home(), newcomer.role) {
    shared_->opened(this, fd_, std::move(newcomer.asker));
  }
  ~GuardedScribe() override { shared_->closed(this); }

  bool consume(caf::execution_unit* unit, const void* data, std::size_t size) override {
    if (cut_) return true;  // what the kernel still had
    const auto before = rules_.frames();
    const Status fit = rules_.feed(std::as_writable_bytes(std::span(rd_buf())).first(size));
    if (!fit) return cut(fit.error().text());
    if (rules_.frames() != before && !shared_->heard(this, rules_.peer_node())) {
      return cut("its node id is in use by another connection");
    }
    if (rules_.out_of_role()) shared_->out_of_role(who_, rules_.frame_kind());
    if (rules_.frame_bytes() > 0) shared_->arrived(rules_.frame_bytes());
    return scribe_impl::consume(unit, data, size);
  }

  void flush() override {
    if (wr_buf().size() > shared_->limits().unsent_bytes_max) {
      cut(std::to_string(wr_buf().size()) + " bytes wait for it to read them");
    }
    if (cut_) return wr_buf().clear();
    scribe_impl::flush();
  }

 protected:
  /// The connection broke. Its peer may be back before CAF has let go of this object.
  caf::message detach_message() override {
    shared_->closed(this);
    return scribe_impl::detach_message();
  }

 private:
  /// The socket's end brings CAF to forget the connection by its usual way.
  bool cut(const std::string& why) {
    if (cut_) return true;
    cut_ = true;
    ::shutdown(fd_, SHUT_RDWR);
    shared_->refused(who_, why);
    return true;
  }

  std::shared_ptr<Shared> shared_;
  int fd_;
  std::string who_;
  BaspRules rules_;
  bool cut_ = false;
};

/// Purpose: accepts for CAF. Thread: CAF's network thread.
class GuardedDoorman final : public net::doorman_impl {
 public:
  GuardedDoorman(net::default_multiplexer& backend, int fd, std::shared_ptr<Shared> shared)
      : doorman_impl(backend, fd), shared_(std::move(shared)) {}

  bool new_connection() override {
    if (detached()) return false;
    auto& backend = acceptor_.backend();
    const int fd = acceptor_.accepted_socket();
    const auto peer_port = net::remote_port_of_fd(fd);
    if (!peer_port || !shared_->has_room()) {
      ::close(fd);
      if (peer_port) shared_->turned_away();
      return true;
    }
    auto newcomer = shared_->recognise(fd, *peer_port);
    if (!newcomer) {
      // Whoever only looked whether the port answers is gone already, and nothing to speak of.
      char byte = 0;
      const bool gone = ::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
      ::close(fd);
      if (!gone) shared_->refused("a connection", newcomer.error().text());
      return true;
    }
    set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, kUserTimeoutMs);
    caf::io::scribe_ptr scribe =
        caf::make_counted<GuardedScribe>(backend, fd, shared_, std::move(*newcomer));
    const auto handle = scribe->hdl();
    parent()->add_scribe(std::move(scribe));
    return doorman::new_connection(&backend, handle);
  }

 private:
  std::shared_ptr<Shared> shared_;
};

class CafFarmPort final : public FarmPort {
 public:
  Status start(caf::actor_system& system, const caf::actor& actor, const Options& options) {
    const auto taken = [&](const caf::error& why) {
      const std::string words = why_not_listening(options.host, options.port);
      return Error(ErrorCode::Unavailable, "cannot listen on " + options.host + ":" +
                                               std::to_string(options.port) + ": " +
                                               (words.empty() ? system.render(why) : words));
    };
    system_ = &system;
    auto& backend = dynamic_cast<net::default_multiplexer&>(system.middleman().backend());
    const char* const host = options.host.c_str();
    const auto fd = net::new_tcp_acceptor_impl(options.port, host, true);
    if (!fd) return taken(fd.error());
    const auto port = net::local_port_of_fd(*fd);
    if (!port) return taken(port.error());
    port_ = *port;

    BaspHome home;
    std::vector<char> node;
    caf::binary_serializer sink(system, node);
    caf::node_id own = system.node();
    if (const auto failed = sink(own)) return taken(failed);
    home.node.assign(node.begin(), node.end());
    home.published = actor.id();
    home.frame_type = "@<>+" + system.types().portable_name(0, &typeid(Frame));
    shared_ = std::make_shared<Shared>(options, std::move(home));

    caf::io::doorman_ptr doorman = caf::make_counted<GuardedDoorman>(backend, *fd, shared_);
    const caf::actor broker =
        system.middleman().named_broker<caf::io::basp_broker>(caf::atom("BASP"));
    caf::anon_send(broker, caf::publish_atom_v, std::move(doorman), port_,
                   caf::actor_cast<caf::strong_actor_ptr>(actor), std::set<std::string>{});
    return {};
  }

  std::uint16_t port() const override { return port_; }
  std::optional<cluster::Principal> who(const caf::node_id& node) const override {
    std::vector<char> bytes;
    caf::binary_serializer sink(*system_, bytes);
    caf::node_id id = node;
    if (sink(id)) return std::nullopt;
    return shared_->who({bytes.begin(), bytes.end()});
  }
  void handled(std::size_t body_bytes) override {
    shared_->handled(body_bytes + BaspRules::kFrameCostBytes);
  }
  void tick(MonoNs now) override { shared_->tick(now); }
  void close() override { shared_->close(); }

 private:
  caf::actor_system* system_ = nullptr;
  std::shared_ptr<Shared> shared_;
  std::uint16_t port_ = 0;
};

}  // namespace

Result<std::shared_ptr<FarmPort>> FarmPort::open(caf::actor_system& system, const caf::actor& actor,
                                                 const Options& options) {
  auto port = std::make_shared<CafFarmPort>();
  WINNOW_TRY(port->start(system, actor, options));
  return std::shared_ptr<FarmPort>(std::move(port));
}

}  // namespace winnow::actors
