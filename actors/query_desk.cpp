#include "actors/query_desk.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <exception>
#include <utility>

namespace winnow::actors {
namespace {

// Heavy work gives way to whoever waits for a short answer, and not as far as the workers of a node
// on the same machine do. Threads that it starts have the same.
constexpr int kHeavyNice = 4;

std::size_t lane_of(QuestionCost cost) { return static_cast<std::size_t>(cost); }

}  // namespace

std::size_t QueryDesk::Counts::waiting() const {
  std::size_t sum = 0;
  for (const LaneCounts& lane : lanes) sum += lane.waiting;
  return sum;
}

std::uint64_t QueryDesk::Counts::turned_away() const {
  std::uint64_t sum = 0;
  for (const LaneCounts& lane : lanes) sum += lane.turned_away;
  return sum;
}

// Whoever joined the question that is being answered waits as well, and takes as much room.
std::size_t QueryDesk::Lane::askers_waiting() const {
  std::size_t sum = 0;
  for (const FlightPtr& flight : waiting) sum += flight->askers.size();
  if (running && running->askers.size() > 1) sum += running->askers.size() - 1;
  return sum;
}

QueryDesk::QueryDesk(Kinds kinds, Handler handler)
    : kinds_(std::move(kinds)), handler_(std::move(handler)) {
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    threads_[i] = std::jthread([this, i](const std::stop_token& stop) { loop(lanes_[i], stop); });
  }
}

QueryDesk::~QueryDesk() {
  {
    const std::lock_guard lock(mutex_);
    for (Lane& lane : lanes_) {
      std::erase_if(lane.waiting,
                    [](const FlightPtr& f) { return f->effect == QuestionEffect::Reads; });
      if (lane.running && lane.running->effect == QuestionEffect::Reads) {
        lane.running->stop.request_stop();
      }
    }
  }
  // All are told before one is waited for.
  for (std::jthread& thread : threads_) thread.request_stop();
}

void QueryDesk::ask(AskedQuestion question, Answer answer) {
  const QuestionKind kind = kinds_(question.name);
  Asker asker{question.peer, question.request, question.asked, std::move(answer)};
  {
    const std::lock_guard lock(mutex_);
    Lane& lane = lanes_[lane_of(kind.cost)];
    if (lane.askers_waiting() < kWaitingMax) {
      if (kind.effect == QuestionEffect::Reads) {
        if (const FlightPtr same = joinable(lane, question)) {
          same->askers.push_back(std::move(asker));
          same->store_state = std::max(same->store_state, question.store_state);
          ++shared_;
          return;
        }
      }
      auto flight = std::make_shared<Flight>();
      flight->name = std::move(question.name);
      flight->args_json = std::move(question.args_json);
      flight->asker = std::move(question.asker);
      flight->effect = kind.effect;
      flight->store_state = question.store_state;
      flight->askers.push_back(std::move(asker));
      lane.waiting.push_back(std::move(flight));
      lane.wake.notify_one();
      return;
    }
    ++lane.turned_away;
  }
  asker.answer(Error(ErrorCode::Unavailable,
                     std::to_string(kWaitingMax) + " questions are waiting; ask again later"));
}

// One that waits reads all that there is when it begins. One under way may have read before the
// asker's own change: it is shared only while nothing is known to have changed since it began.
// (What another process does to the datasets meanwhile is not known here.)
QueryDesk::FlightPtr QueryDesk::joinable(const Lane& lane, const AskedQuestion& question) const {
  const auto same = [&](const FlightPtr& f) {
    return f->effect == QuestionEffect::Reads && f->name == question.name &&
           f->args_json == question.args_json && f->asker == question.asker;
  };
  if (lane.running && same(lane.running) && !lane.running->stop.stop_requested() &&
      lane.running->store_state == question.store_state && lane.running->recorded == recorded_) {
    return lane.running;
  }
  const auto found = std::find_if(lane.waiting.begin(), lane.waiting.end(), same);
  return found == lane.waiting.end() ? nullptr : *found;
}

void QueryDesk::forget(std::uint64_t peer) {
  const auto dropped = drop([&](const Asker& a) { return a.peer == peer; });
  const std::lock_guard lock(mutex_);
  forgotten_ += dropped.size();
}

void QueryDesk::forget(std::uint64_t peer, std::uint64_t request) {
  const auto dropped = drop([&](const Asker& a) { return a.peer == peer && a.request == request; });
  const std::lock_guard lock(mutex_);
  forgotten_ += dropped.size();
}

void QueryDesk::expire(MonoNs now) {
  const auto late = drop([&](const Asker& a) { return now - a.asked >= kPatience; });
  {
    const std::lock_guard lock(mutex_);
    late_ += late.size();
  }
  for (const Answer& answer : late) {
    answer(Error(ErrorCode::Unavailable, "there is no answer after " +
                                             std::to_string(kPatience.ns / 1'000'000'000) +
                                             " s; ask again later"));
  }
}

/// Takes askers away from questions that read, and what nobody waits for any more with them.
std::vector<QueryDesk::Answer> QueryDesk::drop(const Wanted& wanted) {
  std::vector<Answer> out;
  const auto leave = [&](Flight& flight) {
    if (flight.effect == QuestionEffect::Records) return;
    const auto gone = std::stable_partition(flight.askers.begin(), flight.askers.end(),
                                            [&](const Asker& a) { return !wanted(a); });
    for (auto asker = gone; asker != flight.askers.end(); ++asker) {
      out.push_back(std::move(asker->answer));
    }
    flight.askers.erase(gone, flight.askers.end());
  };
  const std::lock_guard lock(mutex_);
  for (Lane& lane : lanes_) {
    for (const FlightPtr& flight : lane.waiting) leave(*flight);
    std::erase_if(lane.waiting, [](const FlightPtr& f) { return f->askers.empty(); });
    if (!lane.running) continue;
    leave(*lane.running);
    if (lane.running->askers.empty()) lane.running->stop.request_stop();
  }
  return out;
}

QueryDesk::Counts QueryDesk::counts() const {
  Counts out;
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    out.lanes[i] = {lanes_[i].askers_waiting(), lanes_[i].turned_away};
  }
  out.shared = shared_;
  out.forgotten = forgotten_;
  out.late = late_;
  return out;
}

void QueryDesk::loop(Lane& lane, const std::stop_token& stop) {
  if (&lane == &lanes_[lane_of(QuestionCost::Heavy)]) {
    (void)::setpriority(PRIO_PROCESS, 0, kHeavyNice);
  }
  while (const FlightPtr flight = next(lane, stop)) {
    const Result<std::string> answer = answer_of(*flight);
    for (const Asker& asker : land(lane)) asker.answer(answer);
  }
}

/// Waits for a question; null once a stop is requested and nothing waits.
QueryDesk::FlightPtr QueryDesk::next(Lane& lane, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  if (!lane.wake.wait(lock, stop, [&] { return !lane.waiting.empty(); })) return nullptr;
  lane.running = std::move(lane.waiting.front());
  lane.waiting.pop_front();
  lane.running->recorded = recorded_;
  return lane.running;
}

Result<std::string> QueryDesk::answer_of(const Flight& flight) const {
  try {
    return handler_(flight.name, flight.args_json, flight.asker, flight.stop.get_token());
  } catch (const std::exception& e) {
    return Error(ErrorCode::Internal, flight.name + ": " + e.what());
  }
}

/// Ends the question under way; whoever waited for it.
std::vector<QueryDesk::Asker> QueryDesk::land(Lane& lane) {
  const std::lock_guard lock(mutex_);
  const FlightPtr flight = std::exchange(lane.running, nullptr);
  // Verdicts put looks and neighbourhoods on record, too.
  const bool heavy = &lane == &lanes_[lane_of(QuestionCost::Heavy)];
  if (heavy || flight->effect == QuestionEffect::Records) ++recorded_;
  return std::move(flight->askers);
}

}  // namespace winnow::actors
