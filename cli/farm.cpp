#include "cli/farm.hpp"

#include <thread>

#include "base/text.hpp"
#include "cli/asker.hpp"
#include "cli/catalog.hpp"
#include "cli/door.hpp"
#include "cli/long_work.hpp"
#include "cli/stop_signals.hpp"

namespace winnow::cli {
namespace {

namespace fs = std::filesystem;

constexpr DurationNs kConnectPatience = seconds(10);
constexpr DurationNs kConnectTry = seconds(2);
constexpr DurationNs kSubmitPatience = seconds(30);
constexpr DurationNs kSubmitTry = seconds(3);
// A local coordinator is restarted within a second; a remote one may be down for maintenance.
constexpr DurationNs kWatchPatience = seconds(60);

/// Without a door: what the endpoint is known to be by its own advertisement.
Result<std::unique_ptr<actors::Client>> connect_local(const std::string& endpoint,
                                                      DurationNs patience = kConnectPatience) {
  const auto parsed = actors::parse_endpoint(endpoint);
  if (!parsed) return parsed.error();
  return actors::Client::connect(parsed->host, parsed->port, patience);
}

/// A farm of one's own: a coordinator that dies before it was reached is started anew.
Result<std::unique_ptr<actors::Client>> connect_own(cluster::LocalFarm& farm,
                                                    const std::string& endpoint) {
  const MonoNs give_up = system_clock().mono() + kConnectPatience;
  for (;;) {
    auto client = connect_local(endpoint, kConnectTry);
    if (client || client.error().code() != ErrorCode::Unavailable ||
        system_clock().mono() > give_up) {
      return client;
    }
    if (stop_requested()) return Error(ErrorCode::Cancelled, "interrupted");
    WINNOW_TRY(farm.supervise());
  }
}

Result<std::unique_ptr<actors::Client>> reach(const Context& context) {
  const auto parsed = actors::parse_endpoint(context.connect);
  if (!parsed) return parsed.error().within("--connect");
  const std::string identity = identity_file(context, parsed->host);
  if (!identity.empty()) return connect_through_door(*parsed, identity, kConnectPatience);
  // A door without an identity would be dialled in vain until the patience ends.
  auto client = connect_local(context.connect, kConnectTry);
  if (client || client.error().code() != ErrorCode::Unavailable) return client;
  if (listener_at(parsed->host, parsed->port) == Listener::AlertsTls) {
    return Error(ErrorCode::Refused,
                 context.connect +
                     " is a door, which asks for a certificate: name the file of `winnow cluster "
                     "invite` with --identity (or $WINNOW_IDENTITY)");
  }
  const LongWork work(context, "waiting for a coordinator at " + context.connect);
  return connect_local(context.connect, kConnectPatience - kConnectTry);
}

}  // namespace

Result<std::unique_ptr<actors::Client>> connect_client(const Context& context) {
  auto client = reach(context);
  if (!client) return client;
  WINNOW_TRY(introduce(context, **client));
  return client;
}

Result<std::unique_ptr<actors::Client>> running_coordinator(const Context& context) {
  if (!context.connect.empty()) return connect_client(context);
  auto found = advertised_coordinator(context.home());
  if (!found) {
    return Error(ErrorCode::Unavailable,
                 "no coordinator serves " + context.home().string() +
                     "; start one with `winnow up` or name one with --connect");
  }
  WINNOW_TRY(introduce(context, *found->client));
  return std::move(found->client);
}

Result<std::unique_ptr<FarmSession>> FarmSession::open(const Context& context,
                                                       const RunOptions& options,
                                                       const actors::Submit& first) {
  const StopGuard guard;
  auto session = std::make_unique<FarmSession>();
  session->endpoint_ = context.connect;
  session->quiet_ = context.quiet;
  if (session->endpoint_.empty()) {
    if (auto found = advertised_coordinator(context.home())) {
      WINNOW_TRY(introduce(context, *found->client));
      session->endpoint_ = found->endpoint;
      session->client_ = std::move(found->client);
      session->note_ = coordinator_note(context.home());
      if (!context.quiet) {
        std::fprintf(stderr, "a coordinator already serves %s at %s; using it\n",
                     context.home().c_str(), found->endpoint.c_str());
      }
    }
  }
  if (session->endpoint_.empty()) {
    const auto who = asker(context);
    if (!who) return who.error();
    const auto would = check_submission(first, who->name, context.home());
    if (!would) return would.error();
    WINNOW_TRY(session->start_own(context, options));
  }
  if (session->client_ != nullptr) return session;
  auto client = session->farm_ != nullptr ? connect_own(*session->farm_, session->endpoint_)
                                          : connect_client(context);
  if (!client) return client.error();
  if (session->farm_ != nullptr) WINNOW_TRY(introduce(context, **client));
  session->client_ = std::move(*client);
  return session;
}

Status FarmSession::start_own(const Context& context, const RunOptions& options) {
  const std::uint32_t cores = std::max(1u, std::thread::hardware_concurrency());
  const std::uint32_t nodes = std::max(1u, options.nodes);
  auto farm = cluster::LocalFarm::start(
      {.binary = cluster::own_binary(),
       .home = fs::absolute(context.home()),
       .nodes = nodes,
       .workers = options.workers > 0 ? options.workers : std::max(1u, cores / nodes),
       .stop = stop_requested});
  if (!farm) return farm.error();
  farm_ = std::move(*farm);
  endpoint_ = "127.0.0.1:" + std::to_string(farm_->port());
  return {};
}

Result<std::unique_ptr<FarmSession>> FarmSession::open_own(const Context& context,
                                                           const RunOptions& options) {
  const StopGuard guard;
  auto session = std::make_unique<FarmSession>();
  if (const auto who = asker(context); !who) return who.error();
  WINNOW_TRY(session->start_own(context, options));
  auto client = connect_own(*session->farm_, session->endpoint_);
  if (!client) return client.error();
  WINNOW_TRY(introduce(context, **client));
  session->client_ = std::move(*client);
  return session;
}

Result<actors::Submitted> FarmSession::submit_until_answered(const actors::Submit& submit) {
  // Submitting twice is submitting once, so a coordinator that dies over it is simply asked again.
  const MonoNs give_up = system_clock().mono() + kSubmitPatience;
  bool said = false;
  std::string waited_for;
  const auto say = [&](const actors::Checking& word) {
    if (word.waits_for != waited_for) {
      waited_for = word.waits_for;
      if (!waited_for.empty()) {
        std::fprintf(stderr, "waiting for %s\n", terminal_text(waited_for).c_str());
      }
    }
    if (said || quiet_ || !waited_for.empty()) return;
    said = true;
    std::fprintf(stderr, "looking for look-ahead in %u strateg%s before anything is run\n",
                 word.segments, word.segments == 1 ? "y on its data" : "ies on their data");
  };
  for (;;) {
    auto submitted = client_->submit(submit, kSubmitTry, say);
    if (submitted || submitted.error().code() != ErrorCode::Unavailable ||
        system_clock().mono() > give_up) {
      return submitted;
    }
    if (stop_requested()) return Error(ErrorCode::Cancelled, "interrupted");
    if (farm_ != nullptr) WINNOW_TRY(farm_->supervise());
  }
}

Result<RunSummary> FarmSession::run(
    const actors::Submit& submit, Wait wait,
    const std::function<void(const actors::Progress&)>& on_progress) {
  if (wait == Wait::No && local()) {
    return Error(ErrorCode::InvalidInput,
                 "--detach needs a coordinator that stays: start one with `winnow up` and pass its "
                 "address as --connect");
  }
  RunSummary summary;
  const StopGuard guard;
  auto submitted = submit_until_answered(submit);
  if (!submitted) return submitted.error();
  summary.submitted = *submitted;
  if (wait == Wait::No) return summary;
  return watch(std::move(summary), submit, on_progress);
}

Result<RunSummary> FarmSession::follow(
    const std::string& sweep, const std::function<void(const actors::Progress&)>& on_progress) {
  const StopGuard guard;
  RunSummary summary;
  summary.submitted.sweep = sweep;
  return watch(std::move(summary), {}, on_progress);
}

Result<RunSummary> FarmSession::watch(
    RunSummary summary, const actors::Submit& again,
    const std::function<void(const actors::Progress&)>& on_progress) {
  const MonoNs start = system_clock().mono();
  Status farm_status;
  auto last = client_->watch(
      summary.submitted.sweep, again, on_progress,
      [&] {
        if (farm_ != nullptr && farm_status.ok()) farm_status = farm_->supervise();
        std::error_code ec;
        was_left_ = !note_.empty() && !fs::exists(note_, ec);
        return stop_requested() || !farm_status.ok() || was_left_;
      },
      kWatchPatience);
  if (!farm_status) return farm_status.error();
  if (!last && !note_.empty() && last.error().code() == ErrorCode::Unavailable) was_left_ = true;
  was_left_ = was_left_ && !last && !stop_requested();
  if (was_left_) {
    return Error(ErrorCode::Unavailable, "the farm at " + endpoint_ + " has ended");
  }
  if (!last) return last.error();
  summary.last = *last;
  summary.wall_s = (system_clock().mono() - start).seconds();
  return summary;
}

}  // namespace winnow::cli
