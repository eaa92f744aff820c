#include "actors/query_desk.hpp"

#include <exception>

namespace winnow::actors {

QueryDesk::QueryDesk(Handler handler)
    : handler_(std::move(handler)), thread_([this](std::stop_token stop) { loop(stop); }) {}

QueryDesk::~QueryDesk() { thread_.request_stop(); }

void QueryDesk::ask(std::string name, std::string args_json, Answer answer) {
  Question question{std::move(name), std::move(args_json), std::move(answer)};
  if (waiting_.push(question)) return;
  ++turned_away_;
  question.answer(Error(ErrorCode::Unavailable,
                        std::to_string(kWaitingMax) + " questions are waiting; ask again later"));
}

void QueryDesk::loop(const std::stop_token& stop) {
  while (auto question = waiting_.pop(stop)) {
    try {
      question->answer(handler_(question->name, question->args_json));
    } catch (const std::exception& e) {
      question->answer(Error(ErrorCode::Internal, question->name + ": " + e.what()));
    }
  }
}

}  // namespace winnow::actors
