#include "serve/stopping.hpp"

#include <thread>
#include <utility>

namespace winnow::serve {

void end_of_stage(const Sources& sources) {
  if (sources.stop.stop_requested()) throw AnswerStopped();
}

sweeps::ParallelFor stoppable(sweeps::ParallelFor parallel, std::stop_token stop) {
  if (!stop.stop_possible()) return parallel;
  return
      [parallel = std::move(parallel), stop = std::move(stop), owner = std::this_thread::get_id()](
          std::size_t n, const std::function<void(std::size_t)>& body) {
        const auto stop_here = [&] {
          if (stop.stop_requested() && std::this_thread::get_id() == owner) throw AnswerStopped();
        };
        stop_here();
        parallel(n, [&](std::size_t i) {
          if (!stop.stop_requested()) body(i);
        });
        stop_here();
      };
}

}  // namespace winnow::serve
