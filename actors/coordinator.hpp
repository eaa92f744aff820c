#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "actors/coordinator_options.hpp"
#include "actors/question.hpp"
#include "base/result.hpp"
#include "cluster/principal.hpp"
#include "scheduler/scheduler.hpp"
#include "store/store.hpp"
#include "sweeps/plan.hpp"

namespace winnow::actors {

class MetricsBook;

/// What the coordinator asks of its surroundings. All outlive it.
struct CoordinatorContext {
  store::Store* store = nullptr;
  /// Where metrics are registered; outlives it. None: nothing is counted.
  MetricsBook* metrics = nullptr;
  /// Where the datasets are that nodes may ask for; empty: they get none.
  std::filesystem::path data_dir;
  /// The world the planner sees, made anew for each submission.
  std::function<sweeps::Catalog()> catalog;
  /// Answers questions of `asker` about the store by name, in JSON. Called on threads of their own,
  /// of each cost one at a time. Nobody waits for the answer any more once it is told to stop.
  std::function<Result<std::string>(std::string_view name, std::string_view args_json,
                                    const cluster::Principal& asker, const std::stop_token& stop)>
      query;
  /// Of each question, what it costs and whether it goes on record. None: one at a time, each on
  /// its own.
  std::function<QuestionKind(std::string_view name)> question_kind;
};

/// Purpose: the farm's centre: decides through scheduler/, commits through its intake, tells
/// watchers. Thread: all functions from one thread.
class CoordinatorProcess {
 public:
  /// Fails: InvalidInput (a host that is not loopback), Unavailable (the port), Io or Corrupt (the
  /// store).
  static Result<std::unique_ptr<CoordinatorProcess>> start(const CoordinatorOptions& options,
                                                           const CoordinatorContext& context);
  virtual std::uint16_t port() const = 0;
  /// Stops; what was offered for commit is committed first.
  virtual ~CoordinatorProcess() = default;
};

}  // namespace winnow::actors
