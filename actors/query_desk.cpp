#include "actors/query_desk.hpp"

#include <exception>

namespace winnow::actors {

QueryDesk::QueryDesk(Handler handler)
    : handler_(std::move(handler)), thread_([this](std::stop_token stop) { loop(stop); }) {}

QueryDesk::~QueryDesk() { thread_.request_stop(); }

void QueryDesk::ask(std::string name, std::string args_json, Answer answer) {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() < kWaitingMax) {
      waiting_.push_back({std::move(name), std::move(args_json), std::move(answer)});
      wake_.notify_one();
      return;
    }
  }
  answer(Error(ErrorCode::Unavailable,
               std::to_string(kWaitingMax) + " questions are waiting; ask again later"));
}

std::size_t QueryDesk::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size();
}

void QueryDesk::loop(std::stop_token stop) {
  for (;;) {
    Question question;
    {
      std::unique_lock lock(mutex_);
      if (!wake_.wait(lock, stop, [&] { return !waiting_.empty(); })) return;
      question = std::move(waiting_.front());
      waiting_.pop_front();
    }
    try {
      question.answer(handler_(question.name, question.args_json));
    } catch (const std::exception& e) {
      question.answer(Error(ErrorCode::Internal, question.name + ": " + e.what()));
    }
  }
}

}  // namespace winnow::actors
