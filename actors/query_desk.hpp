#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <thread>

#include "actors/bounded_queue.hpp"
#include "base/result.hpp"

namespace winnow::actors {

/// Purpose: answers questions to the store beside the farm's work: a long one delays no lease.
/// Owner: the coordinator. Thread: any may ask(); answers come on the desk's thread, in order.
class QueryDesk {
 public:
  using Handler =
      std::function<Result<std::string>(std::string_view name, std::string_view args_json)>;
  using Answer = std::function<void(Result<std::string>)>;
  static constexpr std::size_t kWaitingMax = 256;

  explicit QueryDesk(Handler handler);
  ~QueryDesk();

  void ask(std::string name, std::string args_json, Answer answer);
  std::size_t waiting() const { return waiting_.size(); }
  /// Questions refused so far because kWaitingMax were waiting.
  std::uint64_t turned_away() const { return turned_away_; }

 private:
  struct Question {
    std::string name;
    std::string args_json;
    Answer answer;
  };
  void loop(const std::stop_token& stop);

  Handler handler_;
  BoundedQueue<Question> waiting_{kWaitingMax};
  std::atomic<std::uint64_t> turned_away_ = 0;
  std::jthread thread_;
};

}  // namespace winnow::actors
