#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

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
  std::size_t waiting() const;

 private:
  struct Question {
    std::string name;
    std::string args_json;
    Answer answer;
  };
  void loop(std::stop_token stop);

  Handler handler_;
  mutable std::mutex mutex_;
  std::condition_variable_any wake_;
  std::deque<Question> waiting_;
  std::jthread thread_;
};

}  // namespace winnow::actors
