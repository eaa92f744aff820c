#include "actors/client.hpp"

#include <charconv>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <random>

#include "actors/codec.hpp"
#include "actors/wire.hpp"
#include "cluster/process.hpp"

namespace winnow::actors {
namespace {

using namespace std::chrono_literals;
constexpr std::chrono::milliseconds kDialDelay{100};
constexpr std::chrono::seconds kDialTimeout{2};

/// Purpose: what the client's actor and its caller share.
/// Thread: any; guarded by `mutex`.
struct Mailbox {
  std::mutex mutex;
  std::condition_variable changed;
  bool linked = false;
  std::uint64_t links = 0;  ///< how often a link came up
  std::deque<Frame> frames;
};

struct ClientState {
  // Not an aggregate: C++20 would let CAF "construct" it from the actor's own pointer.
  ClientState() = default;
  ClientState(const ClientState&) = delete;
  static inline const char* name = "client";
  caf::actor coordinator;
};

caf::behavior client_behavior(caf::stateful_actor<ClientState>* self, const std::string& host,
                              std::uint16_t port, const std::shared_ptr<Mailbox>& mailbox) {
  guard(self, "client");
  const auto set_linked = [mailbox](bool linked) {
    const std::lock_guard lock(mailbox->mutex);
    mailbox->linked = linked;
    if (linked) ++mailbox->links;
    mailbox->changed.notify_all();
  };
  const auto dial_later = [self] { self->delayed_send(self, kDialDelay, dial_atom_v); };
  self->set_down_handler([=](caf::down_msg& down) {
    if (!self->state.coordinator || down.source != self->state.coordinator.address()) return;
    self->state.coordinator = nullptr;
    set_linked(false);
    dial_later();
  });
  self->send(self, dial_atom_v);
  return {
      [=](dial_atom) {
        if (self->state.coordinator) return;
        self->request(self->system().middleman().actor_handle(), kDialTimeout, caf::connect_atom_v,
                      host, port)
            .then(
                [=](const caf::node_id&, caf::strong_actor_ptr& p, const std::set<std::string>&) {
                  if (!p) return dial_later();
                  self->state.coordinator = caf::actor_cast<caf::actor>(std::move(p));
                  self->monitor(self->state.coordinator);
                  set_linked(true);
                },
                [=](caf::error&) { dial_later(); });
      },
      [=](const Frame& frame) {
        const std::lock_guard lock(mailbox->mutex);
        mailbox->frames.push_back(frame);
        mailbox->changed.notify_all();
      },
      [=](Turn& turn) { turn.run(); },
      [=](stop_atom) {
        self->state.coordinator = nullptr;
        self->quit();
      },
  };
}

class CafClient final : public Client {
 public:
  CafClient(const std::string& host, std::uint16_t port)
      : where_(host + ":" + std::to_string(port)), system_(config_) {
    actor_ = system_.spawn(client_behavior, host, port, mailbox_);
  }

  ~CafClient() override {
    caf::anon_send(actor_, stop_atom_v);
    actor_ = nullptr;
    system_.await_all_actors_done();
  }

  Status await_link(DurationNs patience) {
    std::unique_lock lock(mailbox_->mutex);
    if (mailbox_->changed.wait_for(lock, std::chrono::nanoseconds(patience.ns),
                                   [&] { return mailbox_->linked; })) {
      return {};
    }
    return Error(ErrorCode::Unavailable, "no coordinator answers at " + where_);
  }

  Result<std::string> present(const Present& credential, DurationNs patience) override {
    WINNOW_TRY(await_link(patience));
    const std::uint64_t links = current_links();
    auto reply = ask<Reply>(credential, patience);
    if (!reply) return reply.error();
    credential_ = credential;
    presented_ = links;
    return std::move(reply->text);
  }

  Result<Submitted> submit(const Submit& request, DurationNs patience,
                           const std::function<void(const Checking&)>& on_checking) override {
    WINNOW_TRY(await_recognition(patience));
    const std::uint64_t number = send(request);
    for (;;) {
      auto frame = await_frame(number, patience);
      if (!frame) return frame.error();
      if (!is<Checking>(*frame)) return answer_of<Submitted>(*frame);
      const auto word = decode<Checking>(*frame);
      if (!word) return word.error();
      on_checking(*word);
    }
  }

  Result<std::string> control(const Control& request, DurationNs patience) override {
    WINNOW_TRY(await_recognition(patience));
    auto done = ask<Controlled>(request, patience);
    if (!done) return done.error();
    return std::move(done->sweep);
  }

  Result<std::string> query(std::string_view name, std::string_view args_json,
                            DurationNs patience) override {
    WINNOW_TRY(await_recognition(patience));
    const std::uint64_t request = send(Query{std::string(name), std::string(args_json)});
    std::string text;
    for (std::uint32_t expected = 0;; ++expected) {
      auto frame = await_frame(request, patience);
      if (!frame) {
        // The coordinator need not go on with what nobody waits for.
        send(
            Query{std::string(kTakeBackQuestion), "{\"request\":" + std::to_string(request) + "}"});
        return frame.error();
      }
      auto part = answer_of<Reply>(*frame);
      if (!part) return part.error();
      if (part->index != expected) {
        return Error(ErrorCode::Corrupt, "the answer's parts came out of order");
      }
      text += part->text;
      if (part->index + 1 >= part->count) return text;
    }
  }

  Result<Progress> watch(const std::string& sweep, const Submit& again,
                         const std::function<void(const Progress&)>& on_progress,
                         const std::function<bool()>& stop, DurationNs patience) override {
    std::uint64_t links = current_links();
    std::uint64_t request = send(Watch{sweep});
    MonoNs heard = system_clock().mono();
    for (;;) {
      if (stop()) return Error(ErrorCode::Cancelled, "interrupted");
      if (system_clock().mono() - heard > patience) {
        return Error(ErrorCode::Unavailable,
                     "the coordinator at " + where_ + " has been silent for " +
                         std::to_string(patience.ns / 1'000'000'000) + " s");
      }
      if (const std::uint64_t now = current_links(); now != links && linked()) {
        links = now;
        auto submitted = submit(again, seconds(5), [](const Checking&) {});
        if (!submitted) {
          if (submitted.error().code() != ErrorCode::Unavailable) return submitted.error();
          continue;
        }
        request = send(Watch{sweep});
      }
      auto frame = await_frame(request, milliseconds(100));
      if (!frame) continue;
      auto progress = answer_of<Progress>(*frame);
      if (!progress) return progress.error();
      heard = system_clock().mono();
      on_progress(*progress);
      if (has_ended(*progress)) return *progress;
    }
  }

 private:
  /// Linked, and known there as at first.
  Status await_recognition(DurationNs patience) {
    WINNOW_TRY(await_link(patience));
    if (!credential_ || presented_ == current_links()) return {};
    const auto again = present(*credential_, patience);
    return again ? Status() : again.error();
  }
  std::uint64_t current_links() {
    const std::lock_guard lock(mailbox_->mutex);
    return mailbox_->links;
  }
  bool linked() {
    const std::lock_guard lock(mailbox_->mutex);
    return mailbox_->linked;
  }

  template <class T>
  std::uint64_t send(const T& message) {
    const std::uint64_t request = next_request_++;
    auto frame = std::make_shared<Frame>(encode(message, request));
    auto self = caf::actor_cast<caf::stateful_actor<ClientState>*>(actor_);
    caf::anon_send(actor_, Turn{[self, frame] {
                     if (self->state.coordinator) self->send(self->state.coordinator, *frame);
                   }});
    return request;
  }

  /// The next frame that answers `request`; answers to older requests are thrown away.
  Result<Frame> await_frame(std::uint64_t request, DurationNs patience) {
    std::unique_lock lock(mailbox_->mutex);
    std::optional<Frame> found;
    mailbox_->changed.wait_for(lock, std::chrono::nanoseconds(patience.ns), [&] {
      while (!mailbox_->frames.empty() && !found) {
        if (mailbox_->frames.front().session == request) found = mailbox_->frames.front();
        mailbox_->frames.pop_front();
      }
      return found.has_value();
    });
    if (found) return std::move(*found);
    return Error(ErrorCode::Unavailable, "the coordinator at " + where_ + " does not answer");
  }

  template <class T>
  static Result<T> answer_of(const Frame& frame) {
    if (is<Refusal>(frame)) {
      auto refusal = decode<Refusal>(frame);
      if (!refusal) return refusal.error();
      const auto code = refusal->code <= static_cast<std::uint32_t>(ErrorCode::Internal)
                            ? static_cast<ErrorCode>(refusal->code)
                            : ErrorCode::Internal;
      return Error(code, refusal->text);
    }
    return decode<T>(frame);
  }

  template <class Answer, class T>
  Result<Answer> ask(const T& message, DurationNs patience) {
    WINNOW_TRY(await_link(patience));
    const std::uint64_t request = send(message);
    auto frame = await_frame(request, patience);
    if (!frame) return frame.error();
    return answer_of<Answer>(*frame);
  }

  std::string where_;
  SystemConfig config_;
  std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>();
  caf::actor_system system_;
  caf::actor actor_;
  std::uint64_t next_request_ = std::random_device{}() | 1u;
  std::optional<Present> credential_;
  std::uint64_t presented_ = 0;  ///< links_ when it was shown
};

}  // namespace

Result<std::unique_ptr<Client>> Client::connect(const std::string& host, std::uint16_t port,
                                                DurationNs patience) {
  constexpr std::uint32_t kThreads = 6;  // the actor library's
  WINNOW_TRY(cluster::can_start_threads(kThreads));
  auto client = std::make_unique<CafClient>(host, port);
  WINNOW_TRY(client->await_link(patience));
  return std::unique_ptr<Client>(std::move(client));
}

bool has_ended(const Progress& progress) {
  const store::SweepState state = state_of(progress);
  return state == store::SweepState::Done || state == store::SweepState::Cancelled ||
         state == store::SweepState::BudgetSpent;
}

Result<Endpoint> parse_endpoint(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  unsigned port = 0;
  if (colon != std::string_view::npos && colon > 0) {
    const char* const last = text.data() + text.size();
    const auto [end, ec] = std::from_chars(text.data() + colon + 1, last, port);
    if (ec == std::errc{} && end == last && port <= 65535) {
      std::string_view host = text.substr(0, colon);
      const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
      if (bracketed) host = host.substr(1, host.size() - 2);
      return Endpoint{std::string(host), static_cast<std::uint16_t>(port)};
    }
  }
  return Error(ErrorCode::InvalidInput,
               "'" + std::string(text) + "' is not HOST:PORT with a port from 0 to 65535");
}

}  // namespace winnow::actors
