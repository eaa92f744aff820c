#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "actors/question.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "cluster/principal.hpp"

namespace winnow::actors {

/// A question as it comes to the desk.
struct AskedQuestion {
  std::string name;
  std::string args_json;
  cluster::Principal asker = {};  ///< answers are shared within one
  std::uint64_t peer = 0;         ///< by which it can be dropped...
  std::uint64_t request = 0;      ///< ...with this number
  /// Of the store, as the asker may know it: grows with whatever changes answers.
  std::uint64_t store_state = 0;
  MonoNs asked = {};
};

/// Purpose: answers questions to the store beside the farm's work, in a lane (a queue and a thread)
/// for each cost: a long one delays no lease and no cheaper question. A question that reads and is
/// asked again by the same principal before its answer is there is computed once, as long as the
/// later asker cannot know of anything that the answer may have missed. One whose askers have all
/// gone is dropped, or told to stop. Owner: the coordinator. Thread: any may call; answers come on
/// the lanes' threads, in each lane in order, and on the caller's where nothing is computed.
/// Invariants: what each ask puts on record is carried out in order, one at a time in its lane,
/// whoever went away meanwhile. Limits: kWaitingMax askers a lane beside the one that is answered;
/// kPatience for an answer.
class QueryDesk {
 public:
  using Kinds = std::function<QuestionKind(std::string_view name)>;
  /// May be called on all lanes' threads at once. When it is told to stop, what it returns is not
  /// looked at.
  using Handler = std::function<Result<std::string>(
      std::string_view name, std::string_view args_json, const cluster::Principal& asker,
      const std::stop_token& stop)>;
  using Answer = std::function<void(Result<std::string>)>;
  static constexpr std::size_t kWaitingMax = 256;
  static constexpr DurationNs kPatience = seconds(600);
  static constexpr std::uint32_t kThreads = kQuestionCosts.size();

  QueryDesk(Kinds kinds, Handler handler);
  /// What reads is dropped or told to stop; what goes on record is carried out first.
  ~QueryDesk();

  void ask(AskedQuestion question, Answer answer);
  /// Whoever asked is gone, or does not want this answer any more: it gets none.
  void forget(std::uint64_t peer);
  void forget(std::uint64_t peer, std::uint64_t request);
  /// Answers with a refusal whoever has waited for kPatience. To be called now and then.
  void expire(MonoNs now);

  struct LaneCounts {
    std::size_t waiting = 0;
    std::uint64_t turned_away = 0;  ///< so far, because kWaitingMax were waiting
  };
  struct Counts {
    std::array<LaneCounts, kQuestionCosts.size()> lanes;  ///< as kQuestionCosts
    std::uint64_t shared = 0;     ///< askers who got an answer that was computed for another
    std::uint64_t forgotten = 0;  ///< askers who had gone
    std::uint64_t late = 0;       ///< askers who were told that it takes too long
    std::size_t waiting() const;
    std::uint64_t turned_away() const;
  };
  Counts counts() const;

 private:
  struct Asker {
    std::uint64_t peer = 0;
    std::uint64_t request = 0;
    MonoNs asked;
    Answer answer;
  };
  /// A question on its way to its answer, with everybody who waits for it.
  struct Flight {
    std::string name, args_json;
    cluster::Principal asker;
    QuestionEffect effect = QuestionEffect::Records;
    std::uint64_t store_state = 0;  ///< of its latest asker before it began
    std::uint64_t recorded = 0;     ///< recorded_ when it began
    std::vector<Asker> askers;
    std::stop_source stop = {};
  };
  using FlightPtr = std::shared_ptr<Flight>;
  struct Lane {
    std::deque<FlightPtr> waiting;
    FlightPtr running;
    std::condition_variable_any wake;
    std::uint64_t turned_away = 0;
    std::size_t askers_waiting() const;
  };
  using Wanted = std::function<bool(const Asker&)>;

  void loop(Lane& lane, const std::stop_token& stop);
  FlightPtr next(Lane& lane, const std::stop_token& stop);
  Result<std::string> answer_of(const Flight& flight) const;
  std::vector<Asker> land(Lane& lane);
  FlightPtr joinable(const Lane& lane, const AskedQuestion& question) const;
  std::vector<Answer> drop(const Wanted& wanted);

  Kinds kinds_;
  Handler handler_;
  /// Guards all that follows but the threads. Held for moments: never while a question is answered.
  mutable std::mutex mutex_;
  std::array<Lane, kQuestionCosts.size()> lanes_;
  /// Grows when something may have been put on record by an answer.
  std::uint64_t recorded_ = 0;
  std::uint64_t shared_ = 0;
  std::uint64_t forgotten_ = 0;
  std::uint64_t late_ = 0;
  std::array<std::jthread, kQuestionCosts.size()> threads_;
};

}  // namespace winnow::actors
