#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <thread>

#include "actors/bounded_queue.hpp"
#include "actors/protocol.hpp"
#include "store/dataset_shipment.hpp"

namespace winnow::actors {

/// Purpose: the coordinator's side of shipping: answers DatasetAsk and ChunkAsk frames from the
/// disk, one after another, so that chunks never crowd out leases and acknowledgements.
/// Owner: the coordinator. Thread: any may ask(); answers come on the desk's thread, in order.
/// Limits: kWaitingMax questions, kOriginsMax datasets kept open; a node asks for few chunks at a
/// time, which bounds what is on the wire.
class DatasetDesk {
 public:
  /// The answer's session is the question's.
  using Answer = std::function<void(Frame)>;
  static constexpr std::size_t kWaitingMax = 4096;
  static constexpr std::size_t kOriginsMax = 16;

  explicit DatasetDesk(std::filesystem::path data_dir);
  ~DatasetDesk();

  void ask(const Frame& frame, Answer answer);
  std::size_t waiting() const { return waiting_.size(); }
  /// Questions refused so far because kWaitingMax were waiting.
  std::uint64_t turned_away() const { return turned_away_; }

 private:
  struct Question {
    Frame frame;
    Answer answer;
  };
  void loop(const std::stop_token& stop);
  Frame reply(const Frame& question);
  Result<const store::DatasetOrigin*> origin(const std::string& hash);

  std::filesystem::path data_dir_;
  std::map<std::string, store::DatasetOrigin> origins_;  // the desk's thread's
  BoundedQueue<Question> waiting_{kWaitingMax};
  std::atomic<std::uint64_t> turned_away_ = 0;
  std::jthread thread_;
};

}  // namespace winnow::actors
