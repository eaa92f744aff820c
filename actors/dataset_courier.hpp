#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "actors/protocol.hpp"
#include "actors/runner.hpp"
#include "store/dataset_shipment.hpp"

namespace winnow::actors {

struct CourierOptions {
  std::filesystem::path data_dir;
  std::uint64_t limit_bytes = 0;  ///< of shipped copies; 0: none
};

/// Purpose: brings datasets to a node by hash, when the coordinator wants them there or a worker
/// needs them, and tells of them: asks the coordinator for the manifest and then for
/// chunks, verifies all, keeps the copies below a limit by dropping the least recently used. A cut
/// connection, a killed node or a damaged chunk costs what was in flight, not what is here.
/// Owner: the node; workers wait in need(). Thread: any; disk and hashing on the courier's own.
/// Limits: kFetchesMax datasets at once, kChunksAsked chunks in flight of each.
class DatasetCourier final : public DatasetProvider {
 public:
  static constexpr std::size_t kFetchesMax = 2;
  static constexpr std::size_t kChunksAsked = 4;
  static constexpr std::uint32_t kBadChunksMax = 3;

  /// What leaves for the coordinator; called on the courier's thread.
  struct Link {
    std::function<void(const DatasetAsk&)> ask;
    std::function<void(const ChunkAsk&)> ask_chunk;
    std::function<void(const DatasetState&)> state = {};  ///< may be empty
  };

  explicit DatasetCourier(CourierOptions options);
  ~DatasetCourier() override;

  /// Once, before anything else; without it only what is here is found.
  void attach(Link link);
  /// The link is not called again.
  void detach();

  /// Fails: what the coordinator says against it (NotFound, Corrupt), Refused (larger than the
  /// limit), Corrupt (what arrives is damaged again and again), Io, Cancelled (stop).
  Status need(const std::string& content_hash, std::stop_token stop) override;
  /// A copy that is damaged is replaced by the next fetch, whoever asks for it.
  void reject(const std::string& content_hash, const Error& why) override;
  std::uint64_t drops() const override;

  /// Content hashes of everything in the data folder; at most kHeldMax.
  std::vector<std::string> held() const;
  static constexpr std::size_t kHeldMax = 4096;

  /// A session began: what was asked in the last one is asked again.
  void joined();
  /// DatasetWanted, DatasetOffer, DatasetChunk, DatasetDenied; others are ignored.
  void on_frame(const Frame& frame);

  struct Load {
    std::uint64_t chunks_total = 0;
    std::uint64_t bytes_total = 0;
    std::uint64_t datasets_total = 0;
    std::uint64_t failed_total = 0;
    std::uint64_t drops_total = 0;
    std::uint64_t fetching = 0;
  };
  Load load() const;

 private:
  struct Fetch {
    std::optional<store::PartialDataset> partial;
    std::set<std::uint32_t> asked;
    std::uint64_t bytes = 0;
    std::uint32_t bad_chunks = 0;
    bool offered = false;
    MonoNs progress;
  };
  struct Order {
    std::string want;  ///< empty: the frame
    Frame frame;
    bool joined = false;
    std::string gone = {};  ///< a hash to tell of, in place of the others
  };

  void loop(std::stop_token stop);
  void carry_out(const Order& order);
  void on_link_frame(const Frame& frame);
  void on(const DatasetWanted& wanted);
  void queue(const std::string& hash);
  void tell(const std::string& hash, DatasetState::Is is, const std::string& reason = "");
  void tell_progress();
  bool is_on_disk(const std::string& hash) const;
  void begin_waiting();
  void on(const DatasetOffer& offer);
  void on(const DatasetChunk& chunk);
  void on(const DatasetDenied& denial);
  void ask_more(const std::string& hash, Fetch& fetch);
  void complete(const std::string& hash, Fetch& fetch);
  void over(const std::string& hash, const Status& status);
  void look_after();
  Status make_room(std::uint64_t bytes);
  void refresh_held();

  CourierOptions options_;
  store::DatasetStore store_;
  Link link_;
  std::deque<std::string> queued_;  // the courier's thread's, as are the next two
  std::map<std::string, Fetch> fetches_;
  MonoNs told_;                                // of what is on its way
  std::map<std::string, std::string> logged_;  // failures by hash: one that goes on is one line
  mutable std::mutex mutex_;
  std::condition_variable_any wake_;     // the courier
  std::condition_variable_any settled_;  // those who need()
  std::deque<Order> orders_;
  std::map<std::string, std::uint32_t> waiting_;  // hash to workers that wait
  std::map<std::string, Status> failures_;        // for those who wait
  std::set<std::string> held_;
  std::set<std::string> rejected_;  // of what is on disk, what is damaged there
  Load load_;
  std::jthread thread_;
};

}  // namespace winnow::actors
