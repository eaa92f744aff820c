#pragma once

#include <exception>
#include <stop_token>

#include "serve/sweep_view.hpp"
#include "sweeps/stats/parallel.hpp"

namespace winnow::serve {

/// How an answer that nobody waits for ends: thrown on the thread that answers, between two writes,
/// never inside one; `query` turns it into an error.
class AnswerStopped final : public std::exception {
 public:
  const char* what() const noexcept override { return "nobody waits for the answer"; }
};

/// The end of a stage of an answer. Throws: AnswerStopped, if the answer was told to stop.
void end_of_stage(const Sources& sources);

/// `parallel`, which throws AnswerStopped on the thread that made it once `stop` is requested,
/// before it begins or after it has left out what was still to do: so nothing is ever made of parts
/// that were left out. On other threads, inside another call, it only leaves out.
sweeps::ParallelFor stoppable(sweeps::ParallelFor parallel, std::stop_token stop);

}  // namespace winnow::serve
