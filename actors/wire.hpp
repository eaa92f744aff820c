#pragma once

// Everything of ours that depends on CAF's version: its type registration, configuration and the
// guards every actor wears. Included by the few .cpp files of this room only.

#include <spdlog/spdlog.h>
#include <caf/all.hpp>
#include <caf/io/all.hpp>

#include <memory>
#include <string>
#include <vector>

#include "actors/protocol.hpp"

namespace winnow::actors {

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, Frame& x) {
  return f(caf::meta::type_name("winnow.frame"), x.version, x.kind, x.session, x.body);
}

/// Inside one process only: a thread hands an actor something to run in its own turn.
struct Turn {
  std::function<void()> run;
};

}  // namespace winnow::actors

CAF_BEGIN_TYPE_ID_BLOCK(winnow, first_custom_type_id)
CAF_ADD_TYPE_ID(winnow, (winnow::actors::Frame))
CAF_ADD_ATOM(winnow, winnow::actors, tick_atom, "wtick")
CAF_ADD_ATOM(winnow, winnow::actors, dial_atom, "wdial")
CAF_ADD_ATOM(winnow, winnow::actors, stop_atom, "wstop")
CAF_END_TYPE_ID_BLOCK(winnow)

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(winnow::actors::Turn)

namespace winnow::actors {

/// CAF as measured to work: networking never waits for busy schedulers, dead links show within
/// seconds, no CPU work on CAF's threads.
struct SystemConfig : caf::actor_system_config {
  SystemConfig() {
    add_message_types<caf::id_block::winnow>();
    load<caf::io::middleman>();
    set("scheduler.max-threads", std::size_t{2});
    set("scheduler.policy", caf::atom("sharing"));
    set("middleman.workers", std::size_t{0});
    set("middleman.heartbeat-interval", caf::timespan{std::chrono::seconds(1)});
    set("middleman.connection-timeout", caf::timespan{std::chrono::seconds(10)});
  }
};

/// An exception in a handler is logged and the actor lives on; a message nobody expects is dropped.
inline void guard(caf::scheduled_actor* self, const char* name) {
  self->set_exception_handler([name](caf::scheduled_actor*, std::exception_ptr& e) -> caf::error {
    try {
      std::rethrow_exception(e);
    } catch (const std::exception& x) {
      spdlog::error("{}: {}", name, x.what());
    }
    return caf::none;
  });
  self->set_default_handler(
      [](caf::scheduled_actor*, caf::message_view&) -> caf::result<caf::message> {
        return caf::sec::unexpected_message;
      });
}

}  // namespace winnow::actors
