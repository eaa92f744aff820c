#pragma once

#include <string_view>

#include "actors/protocol.hpp"
#include "cluster/principal.hpp"

namespace winnow::actors {

/// What an asker needs for a wish.
struct NeededRights {
  cluster::Rights least;
  std::string_view what;  ///< for a refusal: they may not `run sweeps`
};

// The wishes of clients that are met in their asker's name. Questions have theirs in the table of
// serve/query.cpp.

/// Sealed days are shown to people: an agent would read what is to judge it.
inline NeededRights rights_of(const Submit& m) {
  return m.unseal != 0 ? NeededRights{cluster::Rights::Researcher, "unseal days"}
                       : NeededRights{cluster::Rights::Agent, "run sweeps"};
}
/// One's own sweeps; an operator steers everybody's.
inline NeededRights rights_of(SweepAction action) {
  return action == SweepAction::Delete ? NeededRights{cluster::Rights::Researcher, "delete sweeps"}
                                       : NeededRights{cluster::Rights::Agent, "steer sweeps"};
}
inline NeededRights rights_of(const Control& m) { return rights_of(m.action); }
inline NeededRights rights_of(const Watch&) { return {cluster::Rights::Viewer, "ask"}; }

}  // namespace winnow::actors
