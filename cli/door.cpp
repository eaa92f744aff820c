#include "cli/door.hpp"

#include <cstdlib>
#include <utility>

#include "cluster/authority.hpp"

namespace winnow::cli {
namespace {

using actors::Client;

/// Purpose: a client and the way it speaks through, which must live as long.
class ClientThroughDoor final : public Client {
 public:
  ClientThroughDoor(std::string door, std::unique_ptr<cluster::DoorPath> path,
                    std::unique_ptr<Client> client)
      : door_(std::move(door)), path_(std::move(path)), client_(std::move(client)) {}

  Result<std::string> present(const actors::Present& credential, DurationNs patience) override {
    return with_cause(client_->present(credential, patience));
  }
  Result<actors::Submitted> submit(
      const actors::Submit& request, DurationNs patience,
      const std::function<void(const actors::Checking&)>& on_checking) override {
    return with_cause(client_->submit(request, patience, on_checking));
  }
  Result<actors::Progress> watch(const std::string& sweep, const actors::Submit& again,
                                 const std::function<void(const actors::Progress&)>& on_progress,
                                 const std::function<bool()>& stop, DurationNs patience) override {
    return with_cause(client_->watch(sweep, again, on_progress, stop, patience));
  }
  Result<std::string> control(const actors::Control& request, DurationNs patience) override {
    return with_cause(client_->control(request, patience));
  }
  Result<std::string> query(std::string_view name, std::string_view args_json,
                            DurationNs patience) override {
    return with_cause(client_->query(name, args_json, patience));
  }

 private:
  /// The inner address and its silence mean nothing to whoever asked: what the door said does.
  template <class T>
  Result<T> with_cause(Result<T> answer) const {
    if (answer.ok() || answer.error().code() != ErrorCode::Unavailable) return answer;
    const std::string failure = path_->last_failure();
    return Error(ErrorCode::Unavailable,
                 "the door at " + door_ + ": " +
                     (failure.empty() ? "the coordinator behind it does not answer" : failure));
  }

  std::string door_;
  std::unique_ptr<cluster::DoorPath> path_;
  std::unique_ptr<Client> client_;  // ends before its way does
};

}  // namespace

Status check_may_listen(const Context& context, const std::string& host) {
  if (cluster::Authority::exists(context.home())) return {};
  return Error(ErrorCode::Refused,
               "listening on " + host + " asks every peer for a certificate, and " +
                   context.home().string() +
                   " has no authority that makes them: `winnow cluster init` makes one, `winnow "
                   "cluster invite NODE --out FILE` an identity for each node; without one, listen "
                   "on 127.0.0.1");
}

Result<std::unique_ptr<cluster::Door>> open_door(const Context& context,
                                                 const actors::Endpoint& where,
                                                 std::uint16_t inner_port,
                                                 std::shared_ptr<cluster::DoorPeers> peers) {
  auto authority = cluster::Authority::open(context.home());
  if (!authority) return authority.error();
  const auto own = authority->coordinator(system_clock().now());  // renews it in time
  if (!own) return own.error();
  const auto folder = cluster::Authority::folder_of(context.home());
  return cluster::Door::open({.host = where.host,
                              .port = where.port,
                              .inner_port = inner_port,
                              .identity = folder / "coordinator",
                              .revoked = folder / "revoked",
                              .peers = std::move(peers),
                              .limits = {}});
}

Result<std::unique_ptr<cluster::DoorPath>> open_path(const actors::Endpoint& where,
                                                     const std::string& identity) {
  return cluster::DoorPath::open(
      {.host = where.host, .port = where.port, .identity = identity, .limits = {}});
}

Status check_role(const std::string& identity, cluster::Role needed) {
  const auto own = cluster::read_identity(identity);
  if (!own) return own.error();
  if (own->role == needed) return {};
  const std::string wanted(cluster::role_name(needed));
  return Error(ErrorCode::Refused, identity + " is the identity of a " +
                                       std::string(cluster::role_name(own->role)) +
                                       ", and only that of a " + wanted +
                                       " may do this; `winnow cluster invite NAME --role " +
                                       wanted + " --out FILE` makes one");
}

Result<std::unique_ptr<Client>> connect_through_door(const actors::Endpoint& where,
                                                     const std::string& identity,
                                                     DurationNs patience) {
  auto path = open_path(where, identity);
  if (!path) return path.error();
  auto client = Client::connect("127.0.0.1", (*path)->port(), patience);
  if (!client) {
    const std::string failure = (*path)->last_failure();
    return Error(client.error().code(), "no coordinator behind the door at " + where.host + ":" +
                                            std::to_string(where.port) +
                                            (failure.empty() ? "" : ": " + failure));
  }
  return std::unique_ptr<Client>(std::make_unique<ClientThroughDoor>(
      where.host + ":" + std::to_string(where.port), std::move(*path), std::move(*client)));
}

std::string identity_file(const Context& context, const std::string& host) {
  if (!context.identity.empty() || is_loopback(host)) return context.identity;
  const char* const named = std::getenv("WINNOW_IDENTITY");
  return named != nullptr ? named : "";
}

Result<std::string> join_address(const Context& context, const std::string& join) {
  if (!join.empty()) return join;
  const std::string file = identity_file(context, "");
  if (file.empty()) {
    return Error(ErrorCode::InvalidInput,
                 "--join HOST:PORT is required, or --identity with a file that names the door");
  }
  const auto identity = cluster::read_identity(file);
  if (!identity) return identity.error();
  if (!identity->door.empty()) return identity->door;
  return Error(ErrorCode::InvalidInput, file +
                                            " names no door: give --join HOST:PORT, or invite "
                                            "with `winnow cluster invite --door HOST:PORT`");
}

void add_identity_option(Command& command, Context& context) {
  command.add_option("--identity", context.identity,
                     "file of `winnow cluster invite`, for a coordinator behind a door (default: "
                     "$WINNOW_IDENTITY, but not for addresses of this machine)");
}

}  // namespace winnow::cli
