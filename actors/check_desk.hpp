#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "actors/bounded_queue.hpp"
#include "base/hash.hpp"
#include "sweeps/plan.hpp"

namespace winnow::actors {

/// A plan whose strategies are to be put to the test before anything of it is leased.
struct CheckOrder {
  std::uint64_t ticket = 0;
  std::shared_ptr<const sweeps::Plan> plan;
  std::vector<std::uint32_t> segments;
  /// Set where nobody waits for the answer any more.
  std::shared_ptr<std::atomic<bool>> vain = std::make_shared<std::atomic<bool>>(false);
};

/// What came of it.
struct CheckResult {
  std::uint64_t ticket = 0;
  std::vector<Hash128> passed;  ///< sweeps::check_key of the segments that did
  /// Refused, with the strategy, its parameters and the two fills that differ.
  Status status;
  /// A dataset that cannot be read just now, and why: no fault of a strategy. Then nothing else
  /// counts but what passed.
  std::string waits_for;
};

/// Looks for look-ahead and for a dependence on more history than the indicators need, in every
/// segment of an order (engine::detect_faults on sweeps::rows_to_check). A dataset beyond
/// kCheckedBarsMax bars is looked at on its latest ones.
/// Cost: at most about two seconds of processor time a segment of 150,000 bars. Reads the datasets
/// from `data_dir`. Thread: any.
CheckResult check_order(const CheckOrder& order, const std::filesystem::path& data_dir,
                        const std::function<bool()>& stop);
inline constexpr std::size_t kCheckedBarsMax = 200'000;

/// Purpose: tests strategies beside the farm's work: a long search delays no lease.
/// Owner: the coordinator. Thread: any may ask(); answers come on the desk's thread, in order.
class CheckDesk {
 public:
  using Answer = std::function<void(CheckResult)>;
  static constexpr std::size_t kWaitingMax = 64;

  explicit CheckDesk(std::filesystem::path data_dir);
  ~CheckDesk();

  void ask(CheckOrder order, Answer answer);

 private:
  struct Question {
    CheckOrder order;
    Answer answer;
  };
  void loop(const std::stop_token& stop);

  std::filesystem::path data_dir_;
  BoundedQueue<Question> waiting_{kWaitingMax};
  std::jthread thread_;
};

}  // namespace winnow::actors
