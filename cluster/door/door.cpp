#include "cluster/door/door.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "base/address.hpp"
#include "cluster/door/line_quota.hpp"
#include "cluster/door/relay.hpp"

namespace winnow::cluster {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using boost::system::error_code;
using Tcp = asio::ip::tcp;

constexpr std::chrono::milliseconds kTick{100};
// When descriptors run out, accepting at once again would spin.
constexpr std::chrono::milliseconds kAcceptPause{100};
constexpr DurationNs kDialPauseMin = milliseconds(50);
constexpr DurationNs kDialPauseMax = seconds(2);

/// What tells that a file was replaced.
struct FileStamp {
  fs::file_time_type time;
  std::uintmax_t size = 0;
  bool operator==(const FileStamp&) const = default;
};
FileStamp stamp_of(const fs::path& file) {
  std::error_code ec;
  FileStamp stamp;
  if (file.empty()) return stamp;
  stamp.time = fs::last_write_time(file, ec);
  stamp.size = fs::file_size(file, ec);
  return stamp;
}

/// What counts as one address: whoever has an IPv6 network has 2^64 of them.
std::string share_of(const asio::ip::address& address) {
  if (address.is_v4()) return address.to_string();
  const auto v6 = address.to_v6();
  if (v6.is_v4_mapped()) return asio::ip::make_address_v4(asio::ip::v4_mapped, v6).to_string();
  if (v6.is_loopback() || v6.is_link_local()) return address.to_string();
  auto bytes = v6.to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
  return asio::ip::address_v6(bytes).to_string() + "/64";
}

struct Counters {
  std::atomic<std::uint64_t> accepted{0};
  std::atomic<std::uint64_t> authenticated{0};
  std::atomic<std::uint64_t> turned_away{0};
  std::atomic<std::uint64_t> refused{0};
  std::atomic<std::uint64_t> cut{0};
  std::atomic<std::uint32_t> open{0};
  std::array<std::atomic<std::uint64_t>, 9> ends{};  // by RelayEnd
  std::uint64_t of(RelayEnd end) const { return ends[static_cast<std::size_t>(end)]; }
};

/// Purpose: what both ends have in common: a listening socket, relays, trust that is read again,
/// deadlines. Thread: start() and the destructor one; the rest its own.
class Gate : public RelayOwner {
 public:
  Gate(const fs::path& identity, const fs::path& revoked, const DoorLimits& limits)
      : identity_file_(identity),
        revoked_file_(revoked),
        limits_(limits),
        acceptor_(io_),
        ticker_(io_),
        pause_(io_) {}
  ~Gate() override { stop(); }

  Status start(const std::string& host, std::uint16_t port, Role needed) {
    WINNOW_TRY(load(needed));
    error_code failed;
    const auto address = asio::ip::make_address(host == "localhost" ? "127.0.0.1" : host, failed);
    if (failed) {
      return Error(ErrorCode::InvalidInput, "'" + host +
                                                "' is no address of this machine, such as "
                                                "0.0.0.0, :: or 192.168.0.5");
    }
    const Tcp::endpoint where(address, port);
    acceptor_.open(where.protocol(), failed);
    if (!failed) acceptor_.set_option(Tcp::acceptor::reuse_address(true), failed);
    if (!failed) acceptor_.bind(where, failed);
    if (!failed) acceptor_.listen(asio::socket_base::max_listen_connections, failed);
    if (failed) {
      acceptor_.close();
      const std::string words = why_not_listening(host, port);
      return Error(ErrorCode::Unavailable, "cannot listen on " + host + ":" + std::to_string(port) +
                                               ": " + (words.empty() ? failed.message() : words));
    }
    port_ = acceptor_.local_endpoint(failed).port();
    accept();
    schedule_tick();
    thread_ = std::thread([this] { io_.run(); });
    return {};
  }

  /// Waits at most `patience` for open relays, then cuts them.
  void stop(DurationNs patience = {}) {
    if (!thread_.joinable()) return;
    asio::post(io_, [this] {
      error_code ignored;
      acceptor_.close(ignored);
    });
    const MonoNs until = system_clock().mono() + patience;
    while (counters_.open.load() > 0 && system_clock().mono() < until) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    asio::post(io_, [this] {
      const auto all = relays_;
      for (const auto& relay : all) relay->cut(RelayEnd::Finished);
      io_.stop();
    });
    thread_.join();
  }

  std::uint16_t port() const { return port_; }
  DoorCounts counts() const {
    const Counters& c = counters_;
    return {.accepted = c.accepted,
            .authenticated = c.authenticated,
            .turned_away = c.turned_away,
            .refused = c.refused,
            .cut = c.cut,
            .open = c.open,
            .by_handshake = c.of(RelayEnd::Handshake),
            .by_certificate = c.of(RelayEnd::Certificate),
            .by_revocation = c.of(RelayEnd::Revoked),
            .by_limit = c.of(RelayEnd::Limit),
            .by_deadline = c.of(RelayEnd::Late),
            .by_frame = c.of(RelayEnd::Frame),
            .by_loss = c.of(RelayEnd::Lost)};
  }

  const Trust& trust() const override { return *trust_; }
  const DoorLimits& limits() const override { return limits_; }

  Status admit(Relay& relay, const Subject& peer) override {
    if (identities_[peer.serial] >= limits_.per_identity_max) {
      return Error(ErrorCode::Refused, "'" + peer.name + "' has " +
                                           std::to_string(limits_.per_identity_max) +
                                           " connections, which is the limit");
    }
    ++identities_[peer.serial];
    has_arrived(relay);
    ++counters_.authenticated;
    return {};
  }

  void ended(Relay& relay, RelayEnd end, const std::string& why) override {
    ++counters_.ends[static_cast<std::size_t>(end)];
    const auto less = [](auto& counts, const std::string& key) {
      const auto found = counts.find(key);
      if (found != counts.end() && --found->second == 0) counts.erase(found);
    };
    less(addresses_, relay.address());
    if (relay.authenticated()) {
      less(identities_, relay.peer().serial);
      if (!why.empty()) ++counters_.cut;
    } else {
      has_arrived(relay);
      if (!why.empty()) ++counters_.refused;
    }
    if (!why.empty()) note(relay, why);
    on_ended(relay, why);
    relays_.erase(relay.shared_from_this());
    counters_.open = static_cast<std::uint32_t>(relays_.size());
  }

 protected:
  virtual void on_accepted(Tcp::socket socket) = 0;
  virtual void on_ended(const Relay&, const std::string&) {}

  asio::io_context& io() { return io_; }

  /// A place for one more from `address`, if the limits allow it. Those that have yet to say who
  /// they are share their places by address: where there is none left, whoever has most of them
  /// loses one, the longest silent first, so that nobody keeps others out.
  std::shared_ptr<Relay> make_relay(const std::string& address, BaspSide peer_side) {
    const auto known = addresses_.find(address);
    const bool its_own = known != addresses_.end() && known->second >= limits_.per_address_max;
    const bool all = relays_.size() >= limits_.connections_max;
    if ((its_own || all || handshaking_ >= limits_.handshaking_max) &&
        !make_room(its_own ? address : address_with_most(address))) {
      ++counters_.turned_away;
      return nullptr;
    }
    auto relay = std::make_shared<Relay>(*this, io_, peer_side, address);
    ++addresses_[address];
    ++handshaking_;
    arriving_[address].push_back(relay.get());
    relays_.insert(relay);
    counters_.open = static_cast<std::uint32_t>(relays_.size());
    return relay;
  }

 private:
  /// The address with most connections that have yet to say who they are; of equals `newcomer`.
  std::string address_with_most(const std::string& newcomer) const {
    const auto of_newcomer = arriving_.find(newcomer);
    std::size_t most = of_newcomer == arriving_.end() ? 0 : of_newcomer->second.size();
    std::string out = newcomer;
    for (const auto& [address, relays] : arriving_) {
      if (relays.size() <= most) continue;
      most = relays.size();
      out = address;
    }
    return out;
  }

  bool make_room(const std::string& address) {
    const auto found = arriving_.find(address);
    if (found == arriving_.end()) return false;
    const auto& relays = found->second;
    const auto silent = std::find_if(relays.begin(), relays.end(),
                                     [](const Relay* relay) { return relay->silent(); });
    Relay& one = silent != relays.end() ? **silent : *relays.front();
    one.cut(RelayEnd::Limit, "too many connections that have not said who they are");
    return true;
  }

  void has_arrived(Relay& relay) {
    --handshaking_;
    const auto found = arriving_.find(relay.address());
    if (found == arriving_.end()) return;
    std::erase(found->second, &relay);
    if (found->second.empty()) arriving_.erase(found);
  }

  Status load(Role needed) {
    const FileStamp identity = stamp_of(identity_file_);
    const FileStamp revoked = stamp_of(revoked_file_);
    auto trust = read_trust(identity_file_, revoked_file_);
    if (!trust) return trust.error();
    if ((trust->own.role == Role::Coordinator) != (needed == Role::Coordinator)) {
      return Error(ErrorCode::InvalidInput, identity_file_.string() + " is the identity of a " +
                                                std::string(role_name(trust->own.role)) +
                                                ", which cannot be used here");
    }
    needed_ = needed;
    trust_ = std::make_unique<Trust>(std::move(*trust));
    identity_stamp_ = identity;
    revoked_stamp_ = revoked;
    return {};
  }

  /// A file that is gone or broken changes nothing: what was trusted stays, and the log says so.
  void load_if_changed() {
    if (stamp_of(identity_file_) == identity_stamp_ && stamp_of(revoked_file_) == revoked_stamp_) {
      return;
    }
    const Status loaded = load(needed_);
    if (!loaded) {
      spdlog::error("door: {}; what was read before stays in force", loaded.error().text());
      identity_stamp_ = stamp_of(identity_file_);
      revoked_stamp_ = stamp_of(revoked_file_);
      return;
    }
    spdlog::info("door: identity or revocations read again");
    const auto all = relays_;
    for (const auto& relay : all) relay->check_again();
  }

  void accept() {
    acceptor_.async_accept([this](const error_code& failed, Tcp::socket socket) {
      if (failed == asio::error::operation_aborted || !acceptor_.is_open()) return;
      if (failed) {
        pause_.expires_after(kAcceptPause);
        pause_.async_wait([this](const error_code& stopped) {
          if (!stopped) accept();
        });
        return;
      }
      ++counters_.accepted;
      on_accepted(std::move(socket));
      accept();
    });
  }

  void schedule_tick() {
    ticker_.expires_after(kTick);
    ticker_.async_wait([this](const error_code& stopped) {
      if (stopped) return;
      const MonoNs now = system_clock().mono();
      const auto all = relays_;
      for (const auto& relay : all) relay->tick(now);
      if (const auto missed = lines_.take_missed(now)) {
        spdlog::warn("door: {} more lines like these", missed);
      }
      if (now >= reload_at_) {
        reload_at_ = now + limits_.reload;
        load_if_changed();
      }
      schedule_tick();
    });
  }

  void note(const Relay& relay, const std::string& why) {
    if (!lines_.take(system_clock().mono())) return;
    const std::string& name = relay.peer().name;
    spdlog::warn("door: {}{}{}: {}", relay.address(), name.empty() ? "" : " ", name, why);
  }

  fs::path identity_file_;
  fs::path revoked_file_;
  DoorLimits limits_;
  Role needed_ = Role::Node;
  asio::io_context io_{1};
  Tcp::acceptor acceptor_;
  asio::steady_timer ticker_;
  asio::steady_timer pause_;
  std::unique_ptr<Trust> trust_;
  FileStamp identity_stamp_;
  FileStamp revoked_stamp_;
  std::set<std::shared_ptr<Relay>> relays_;
  std::map<std::string, std::uint32_t> addresses_;
  std::map<std::string, std::uint32_t> identities_;
  std::uint32_t handshaking_ = 0;
  std::map<std::string, std::vector<Relay*>> arriving_;  // of relays_, by address, oldest first
  Counters counters_;
  MonoNs reload_at_;
  LineQuota lines_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

class ServingDoor final : public Door, private Gate {
 public:
  explicit ServingDoor(const Options& options)
      : Gate(options.identity, options.revoked, options.limits),
        inner_port_(options.inner_port),
        peers_(options.peers) {}
  ~ServingDoor() override { stop(); }

  Status begin(const Options& options) {
    return start(options.host, options.port, Role::Coordinator);
  }
  std::uint16_t port() const override { return Gate::port(); }
  DoorCounts counts() const override { return Gate::counts(); }

 private:
  void on_accepted(Tcp::socket socket) override {
    error_code failed;
    const auto from = socket.remote_endpoint(failed);
    if (failed) return;
    const auto relay = make_relay(share_of(from.address()), BaspSide::Joining);
    if (relay != nullptr) relay->serve(std::move(socket), inner_port_);
  }

  void speaks_for(std::uint16_t inner_port, const Subject& peer) override {
    if (peers_) peers_->add(inner_port, {peer.role, peer.name});
  }
  void on_ended(const Relay& relay, const std::string&) override {
    if (peers_) peers_->remove(relay.inner_local_port());
  }

  std::uint16_t inner_port_;
  std::shared_ptr<DoorPeers> peers_;
};

class JoiningPath final : public DoorPath, private Gate {
 public:
  explicit JoiningPath(const Options& options)
      : Gate(options.identity, {}, options.limits), host_(options.host), door_port_(options.port) {}
  ~JoiningPath() override { stop(limits().linger); }

  Status begin() { return start("127.0.0.1", 0, Role::Node); }
  std::uint16_t port() const override { return Gate::port(); }
  DoorCounts counts() const override { return Gate::counts(); }
  std::string last_failure() const override {
    const std::lock_guard lock(mutex_);
    return last_failure_;
  }

 private:
  void on_accepted(Tcp::socket socket) override {
    if (system_clock().mono() < dial_at_) return;  // closes it
    const auto relay = make_relay(host_, BaspSide::Serving);
    if (relay != nullptr) relay->join(std::move(socket), door_port_);
  }

  void greeted() override {
    dial_pause_ = kDialPauseMin;
    dial_at_ = {};
    const std::lock_guard lock(mutex_);
    last_failure_.clear();
  }

  void on_ended(const Relay& relay, const std::string& why) override {
    if (why.empty()) return;
    const std::lock_guard lock(mutex_);
    last_failure_ = why;
    if (relay.greeted()) return;  // else it was let in by nobody
    dial_at_ = system_clock().mono() + dial_pause_;
    dial_pause_ = std::min(dial_pause_ * 2, kDialPauseMax);
  }

  std::string host_;
  std::uint16_t door_port_;
  MonoNs dial_at_;
  DurationNs dial_pause_ = kDialPauseMin;
  mutable std::mutex mutex_;
  std::string last_failure_;
};

}  // namespace

Result<std::unique_ptr<Door>> Door::open(const Options& options) {
  auto door = std::make_unique<ServingDoor>(options);
  WINNOW_TRY(door->begin(options));
  return std::unique_ptr<Door>(std::move(door));
}

Result<std::unique_ptr<DoorPath>> DoorPath::open(const Options& options) {
  auto path = std::make_unique<JoiningPath>(options);
  WINNOW_TRY(path->begin());
  return std::unique_ptr<DoorPath>(std::move(path));
}

}  // namespace winnow::cluster
