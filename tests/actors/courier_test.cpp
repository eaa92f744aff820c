#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <fstream>
#include <latch>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "actors/codec.hpp"
#include "actors/dataset_courier.hpp"
#include "actors/dataset_desk.hpp"
#include "base/rng.hpp"
#include "store/dataset_files.hpp"

namespace winnow::actors {
namespace {

namespace fs = std::filesystem;

/// A market of random bars; its column file has about 56 bytes a bar.
struct Bars {
  explicit Bars(std::uint64_t seed, std::size_t n) {
    Rng rng(seed, 1);
    for (std::size_t i = 0; i < n; ++i) {
      time.push_back(static_cast<std::int64_t>(i) * 60'000'000'000);
      const double px = 100 + rng.uniform();
      open.push_back(px);
      close.push_back(px + 0.1);
      high.push_back(px + 0.2);
      low.push_back(px - 0.2);
      volume.push_back(rng.uniform());
    }
  }
  MarketView view() const {
    MarketView market;
    market.interval_ns = 60'000'000'000;
    market.time_ns = time;
    market.open = open;
    market.high = high;
    market.low = low;
    market.close = close;
    market.volume = volume;
    return market;
  }
  std::vector<std::int64_t> time;
  std::vector<double> open, high, low, close, volume;
};

class CourierTest : public testing::Test {
 protected:
  CourierTest() {
    std::string name = (fs::temp_directory_path() / "winnow-courier-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~CourierTest() override {
    std::error_code ec;
    fs::remove_all(folder_, ec);
  }
  fs::path origin() const { return folder_ / "origin"; }
  fs::path node(int i) const { return folder_ / ("node-" + std::to_string(i)); }
  static store::DatasetStore store_at(const fs::path& folder) {
    return *store::DatasetStore::open(folder);
  }
  std::string make(const std::string& name, std::uint64_t seed, std::size_t bars) const {
    const Bars market(seed, bars);
    store::NewDataset meta;
    meta.name = name;
    meta.instrument = "T";
    meta.format = "synth";
    const auto put = store_at(origin()).put(market.view(), meta);
    EXPECT_TRUE(put.ok()) << put.error().text();
    return put->manifest.content_hash;
  }
  /// What a link does to frames on their way to the node; false loses one.
  using Fate = std::function<bool(Frame&)>;
  /// A courier and a desk joined as the actors join them, without a network between.
  struct Joined {
    Joined(const fs::path& origin, const CourierOptions& options, Fate fate = nullptr)
        : fate_(std::move(fate)), courier(options), desk(origin) {
      courier.attach({.ask = [this](const DatasetAsk& m) { post(encode(m, 7)); },
                      .ask_chunk = [this](const ChunkAsk& m) { post(encode(m, 7)); },
                      .state = [this](const DatasetState& m) { heard(m); }});
    }
    ~Joined() { courier.detach(); }
    void post(const Frame& frame) {
      desk.ask(frame, [this](Frame answer) {
        EXPECT_EQ(answer.session, 7u);
        EXPECT_LE(answer.body.size(), kFrameBytesMax);
        if (!fate_ || fate_(answer)) courier.on_frame(answer);
      });
    }
    void heard(const DatasetState& state) {
      const std::lock_guard lock(mutex_);
      states_.push_back(state);
      spoke_.notify_all();
    }
    void want(const std::string& hash) { courier.on_frame(encode(DatasetWanted{hash}, 7)); }
    /// Waits until the courier says this of the dataset, from the `n`-th word on.
    DatasetState wait_for(const std::string& hash, DatasetState::Is is, std::size_t n = 0) {
      std::unique_lock lock(mutex_);
      std::size_t at = n;
      const auto said = [&] {
        for (; at < states_.size(); ++at) {
          if (states_[at].dataset != hash) continue;
          if (states_[at].is == static_cast<std::uint8_t>(is)) return true;
        }
        return false;
      };
      constexpr std::chrono::seconds kStuck{60};
      if (!spoke_.wait_for(lock, kStuck, said)) {
        throw std::runtime_error("the courier did not say so of " + hash);
      }
      return states_[at];
    }
    std::size_t words() {
      const std::lock_guard lock(mutex_);
      return states_.size();
    }
    Fate fate_;
    std::mutex mutex_;
    std::condition_variable spoke_;
    std::vector<DatasetState> states_;
    DatasetCourier courier;
    DatasetDesk desk;  // goes first: its thread calls the courier
  };
  void expect_same_dataset(int i, const std::string& hash) const {
    const auto store = store_at(node(i));
    const Status good = store.verify(hash);
    EXPECT_TRUE(good.ok()) << good.error().text();
    EXPECT_EQ(*store::read_whole_file(store.columns_file(hash)),
              *store::read_whole_file(store_at(origin()).columns_file(hash)));
    EXPECT_FALSE(fs::exists(node(i) / "partial" / (hash + ".cols")));
  }
  fs::path folder_;
};

constexpr std::size_t kBars = 60'000;  // 6 chunks

TEST_F(CourierTest, BringsADatasetByHashAndFindsItAgain) {
  const std::string hash = make("market", 1, kBars);
  Joined link(origin(), {.data_dir = node(0)});
  const Status got = link.courier.need(hash, {});
  ASSERT_TRUE(got.ok()) << got.error().text();
  expect_same_dataset(0, hash);
  const auto manifest = store_at(node(0)).manifest("market");
  ASSERT_TRUE(manifest.ok());
  EXPECT_EQ(manifest->content_hash, hash);
  const auto before = link.courier.load();
  EXPECT_EQ(before.chunks_total, 6u);
  ASSERT_TRUE(link.courier.need(hash, {}).ok());
  EXPECT_EQ(link.courier.load().chunks_total, before.chunks_total) << "fetched twice";
  EXPECT_EQ(link.courier.held(), std::vector<std::string>{hash});
  EXPECT_EQ(DatasetCourier({.data_dir = node(0)}).held(), std::vector<std::string>{hash});
}

TEST_F(CourierTest, FetchesWhatIsWantedWithoutAWorkerAndTellsOfIt) {
  const std::string hash = make("market", 1, kBars);
  std::atomic<bool> down = true;
  std::atomic<int> chunks = 0;
  Joined link(origin(), {.data_dir = node(0)}, [&](Frame& frame) {
    if (!is<DatasetChunk>(frame)) return true;
    return !down || ++chunks <= 2;
  });
  link.want(hash);
  const DatasetState first = link.wait_for(hash, DatasetState::Is::Coming);
  EXPECT_EQ(first.bytes_total, 0u) << "nothing is known of it yet";
  // Two chunks are here, the others are lost: it says so again and again.
  DatasetState some = first;
  for (std::size_t n = 1; some.bytes_here < 2 * store::kChunkBytes; ++n) {
    some = link.wait_for(hash, DatasetState::Is::Coming, n);
  }
  EXPECT_EQ(some.bytes_total, fs::file_size(store_at(origin()).columns_file(hash)));
  EXPECT_LT(some.bytes_here, some.bytes_total);
  down = false;
  link.courier.joined();
  (void)link.wait_for(hash, DatasetState::Is::Here);
  expect_same_dataset(0, hash);
  // Of what is here it says so at once, and fetches nothing.
  const auto before = link.courier.load();
  const std::size_t words = link.words();
  link.want(hash);
  (void)link.wait_for(hash, DatasetState::Is::Here, words);
  EXPECT_EQ(link.courier.load().chunks_total, before.chunks_total);
}

TEST_F(CourierTest, TellsWhatFailedAndWhatMadeRoom) {
  const std::string a = make("a", 1, 10'000), b = make("b", 2, 10'000);
  const std::uint64_t each = fs::file_size(store_at(origin()).columns_file(a));
  Joined link(origin(), {.data_dir = node(0), .limit_bytes = each + 100});
  const std::string unknown(64, 'a');
  link.want(unknown);
  EXPECT_NE(link.wait_for(unknown, DatasetState::Is::Failed).reason.find("cannot send dataset"),
            std::string::npos);
  link.want("../../etc/passwd");
  (void)link.wait_for("../../etc/passwd", DatasetState::Is::Failed);
  link.want(a);
  (void)link.wait_for(a, DatasetState::Is::Here);
  link.want(b);
  (void)link.wait_for(b, DatasetState::Is::Here);
  (void)link.wait_for(a, DatasetState::Is::Gone);
  EXPECT_EQ(link.courier.held(), std::vector<std::string>{b});
}

/// Changes one byte in the middle of a file.
void damage(const fs::path& file) {
  std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
  const auto middle = static_cast<std::streamoff>(fs::file_size(file) / 2);
  bytes.seekg(middle);
  const char byte = static_cast<char>(bytes.get());
  bytes.seekp(middle);
  bytes.put(static_cast<char>(byte ^ 0x10));
}

TEST_F(CourierTest, F2ADamagedCopyIsToldOfAndFetchedAnew) {
  const std::string hash = make("market", 1, kBars);
  Joined link(origin(), {.data_dir = node(0)});
  ASSERT_TRUE(link.courier.need(hash, {}).ok());
  damage(store_at(node(0)).columns_file(hash));
  const std::uint64_t drops = link.courier.drops();
  const std::uint64_t chunks = link.courier.load().chunks_total;
  link.courier.reject(hash, Error(ErrorCode::Corrupt, "its closes are damaged"));
  (void)link.wait_for(hash, DatasetState::Is::Gone);
  EXPECT_TRUE(link.courier.held().empty());
  EXPECT_GT(link.courier.drops(), drops) << "what is mapped of it would be used on";
  ASSERT_TRUE(link.courier.need(hash, {}).ok());
  EXPECT_GT(link.courier.load().chunks_total, chunks);
  EXPECT_EQ(link.courier.held(), std::vector<std::string>{hash});
  expect_same_dataset(0, hash);
}

TEST_F(CourierTest, F3WhatIsDamagedWhereItComesFromIsNamedAndTakenWhenItIsWhole) {
  const std::string hash = make("market", 1, kBars);
  const fs::path file = store_at(origin()).columns_file(hash);
  const fs::path kept = file.string() + ".kept";
  fs::copy_file(file, kept);
  damage(file);
  Joined link(origin(), {.data_dir = node(0)});
  const Status refused = link.courier.need(hash, {});
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().text().find(file.string()), std::string::npos)
      << refused.error().text();
  fs::rename(kept, file);
  EXPECT_TRUE(link.courier.need(hash, {}).ok());
  expect_same_dataset(0, hash);
}

TEST_F(CourierTest, F2AnOriginalThatWasDamagedIsRepairedAndStaysAnOriginal) {
  const std::string hash = make("market", 1, kBars);
  fs::copy(origin(), node(0), fs::copy_options::recursive);
  damage(store_at(node(0)).columns_file(hash));
  Joined link(origin(), {.data_dir = node(0)});
  link.courier.reject(hash, Error(ErrorCode::Corrupt, "its closes are damaged"));
  ASSERT_TRUE(link.courier.need(hash, {}).ok());
  EXPECT_TRUE(store_at(node(0)).verify(hash).ok());
  EXPECT_TRUE(store::ShippedCopies(store_at(node(0))).list().empty()) << "it might be dropped";
}

TEST_F(CourierTest, FindsWhatAnotherProcessBroughtHere) {
  fs::create_directories(node(0));
  Joined link(origin(), {.data_dir = node(0)});
  const Bars market(5, 1'000);
  store::NewDataset meta;
  meta.name = "late";
  meta.instrument = "T";
  const auto put = store_at(node(0)).put(market.view(), meta);
  ASSERT_TRUE(put.ok());
  link.want(put->manifest.content_hash);
  (void)link.wait_for(put->manifest.content_hash, DatasetState::Is::Here);
  EXPECT_EQ(link.courier.load().chunks_total, 0u);
}

TEST_F(CourierTest, SeveralNodesAndManyWorkersFetchAtOnce) {
  const std::vector<std::string> hashes{make("a", 1, kBars), make("b", 2, kBars / 2),
                                        make("c", 3, 100)};
  std::vector<std::unique_ptr<Joined>> nodes;
  std::vector<std::jthread> workers;
  for (int i = 0; i < 3; ++i) {
    nodes.push_back(std::make_unique<Joined>(origin(), CourierOptions{.data_dir = node(i)}));
  }
  for (int i = 0; i < 3; ++i) {
    for (int w = 0; w < 4; ++w) {
      workers.emplace_back([&, i, w] {
        for (std::size_t k = 0; k < hashes.size(); ++k) {
          const Status got = nodes[i]->courier.need(hashes[(k + w) % hashes.size()], {});
          EXPECT_TRUE(got.ok()) << got.error().text();
        }
      });
    }
  }
  workers.clear();
  for (int i = 0; i < 3; ++i) {
    for (const auto& hash : hashes) expect_same_dataset(i, hash);
    EXPECT_EQ(nodes[i]->courier.load().datasets_total, 3u) << "each once a node";
  }
}

TEST_F(CourierTest, GoesOnWhereACutLeftItEvenInAnotherProcess) {
  const std::string hash = make("market", 1, kBars);
  {
    std::latch cut(1);
    std::atomic<int> chunks = 0;
    Joined link(origin(), {.data_dir = node(0)}, [&](Frame& frame) {
      if (!is<DatasetChunk>(frame)) return true;
      const int n = ++chunks;
      if (n == 6) cut.count_down();  // the last two are asked for when two others are stored
      return n <= 3;
    });
    std::stop_source stop;
    std::jthread worker([&] {
      const Status got = link.courier.need(hash, stop.get_token());
      EXPECT_FALSE(got.ok());
      EXPECT_EQ(got.error().code(), ErrorCode::Cancelled);
    });
    cut.wait();
    stop.request_stop();
  }
  EXPECT_FALSE(store_at(node(0)).load(hash).ok()) << "half a dataset is visible";
  Joined link(origin(), {.data_dir = node(0)});
  ASSERT_TRUE(link.courier.need(hash, {}).ok());
  EXPECT_LE(link.courier.load().chunks_total, 6u - 2u) << "what was here was fetched again";
  expect_same_dataset(0, hash);
}

TEST_F(CourierTest, ANewSessionAsksAgainForWhatTheLastOneLost) {
  const std::string hash = make("market", 1, kBars);
  std::atomic<bool> down = true;
  std::latch asked(1);
  std::atomic<bool> counted = false;
  Joined link(origin(), {.data_dir = node(0)}, [&](Frame& frame) {
    if (!down || !is<DatasetChunk>(frame)) return true;
    if (!counted.exchange(true)) asked.count_down();
    return false;
  });
  std::jthread worker([&] { EXPECT_TRUE(link.courier.need(hash, {}).ok()); });
  asked.wait();
  down = false;
  link.courier.joined();
  worker.join();
  expect_same_dataset(0, hash);
}

TEST_F(CourierTest, DamageOnTheWayIsNoticedAndRepaired) {
  const std::string hash = make("market", 1, kBars);
  std::atomic<int> damaged = 0;
  Joined link(origin(), {.data_dir = node(0)}, [&](Frame& frame) {
    if (!is<DatasetChunk>(frame)) return true;
    if (damaged < 2) {
      frame.body[frame.body.size() / 2] ^= 1;
      ++damaged;
    }
    return true;
  });
  const Status got = link.courier.need(hash, {});
  ASSERT_TRUE(got.ok()) << got.error().text();
  EXPECT_EQ(damaged, 2);
  expect_same_dataset(0, hash);
}

TEST_F(CourierTest, MissingAndDamagedAtTheCoordinatorAreClearFailures) {
  Joined link(origin(), {.data_dir = node(0)});
  const std::string unknown(64, 'a');
  Status got = link.courier.need(unknown, {});
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().code(), ErrorCode::NotFound);
  EXPECT_NE(got.error().text().find(unknown), std::string::npos) << got.error().text();

  const std::string hash = make("market", 1, kBars);
  const fs::path columns = store_at(origin()).columns_file(hash);
  std::string bytes = *store::read_whole_file(columns);
  bytes[bytes.size() / 2] ^= 4;
  std::ofstream(columns, std::ios::binary) << bytes;
  got = link.courier.need(hash, {});
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().code(), ErrorCode::Corrupt);
  EXPECT_NE(got.error().text().find("the copy of dataset market here"), std::string::npos)
      << got.error().text();
  EXPECT_FALSE(store_at(node(0)).load(hash).ok());

  bytes[bytes.size() / 2] ^= 4;  // mended
  std::ofstream(columns, std::ios::binary) << bytes;
  got = link.courier.need(hash, {});
  EXPECT_TRUE(got.ok()) << got.error().text();
}

TEST_F(CourierTest, DropsTheLeastRecentlyUsedCopyForRoomAndNothingElse) {
  const std::string a = make("a", 1, 10'000), b = make("b", 2, 10'000), c = make("c", 3, 10'000);
  const std::string large = make("large", 4, 40'000);
  const std::uint64_t each = fs::file_size(store_at(origin()).columns_file(a));
  // A dataset of the node's own is no copy and stays.
  const Bars own(9, 10'000);
  store::NewDataset meta;
  meta.name = "own";
  meta.instrument = "T";
  const auto put = store_at(node(0)).put(own.view(), meta);
  ASSERT_TRUE(put.ok());
  Joined link(origin(), {.data_dir = node(0), .limit_bytes = 2 * each + 100});
  ASSERT_TRUE(link.courier.need(a, {}).ok());
  ASSERT_TRUE(link.courier.need(b, {}).ok());
  ASSERT_TRUE(link.courier.need(a, {}).ok());  // b is now the older
  ASSERT_TRUE(link.courier.need(c, {}).ok());
  const auto here = store_at(node(0));
  EXPECT_TRUE(here.load(a).ok());
  EXPECT_FALSE(here.load(b).ok());
  EXPECT_TRUE(here.load(c).ok());
  EXPECT_TRUE(here.load(put->manifest.content_hash).ok());
  EXPECT_EQ(link.courier.drops(), 1u);
  const Status got = link.courier.need(large, {});
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().code(), ErrorCode::Refused);
  EXPECT_NE(got.error().text().find("--data-limit"), std::string::npos) << got.error().text();
  EXPECT_TRUE(here.load(a).ok());
}

TEST_F(CourierTest, OffersThatLieAreRefused) {
  const std::string hash = make("market", 1, 1000);
  const auto origin_store = store_at(origin());
  const auto opened = store::DatasetOrigin::open(origin_store, hash);
  ASSERT_TRUE(opened.ok());
  const store::Shipment good = opened->shipment();
  ASSERT_TRUE(store::check_shipment(good).ok());
  const auto refused = [&](auto change) {
    store::Shipment bad = good;
    change(bad);
    const Status status = store::check_shipment(bad);
    return !status.ok() && !store::PartialDataset::open(store_at(node(1)), bad).ok();
  };
  EXPECT_TRUE(refused([](auto& s) { s.content_hash = "../../etc/passwd"; }));
  EXPECT_TRUE(refused([](auto& s) { s.content_hash[0] ^= 1; }));
  EXPECT_TRUE(refused([](auto& s) { s.bytes = 0; }));
  EXPECT_TRUE(refused([](auto& s) { s.bytes = store::kShipmentBytesMax + 1; }));
  EXPECT_TRUE(refused([](auto& s) { s.chunks.emplace_back(); }));
  EXPECT_TRUE(refused([](auto& s) { s.manifest_json[5] ^= 1; }));
  // Chunks that are all as promised, but are not the dataset: never visible.
  store::Shipment other = good;
  std::string bytes = *store::read_whole_file(origin_store.columns_file(hash));
  bytes[bytes.size() / 2] ^= 1;
  other.chunks = {hash128(bytes)};
  auto partial = store::PartialDataset::open(store_at(node(1)), other);
  ASSERT_TRUE(partial.ok()) << partial.error().text();
  ASSERT_TRUE(partial->put(0, bytes).ok());
  const auto finished = partial->finish();
  ASSERT_FALSE(finished.ok());
  EXPECT_EQ(finished.error().code(), ErrorCode::Corrupt);
  EXPECT_FALSE(store_at(node(1)).load(hash).ok());
}

}  // namespace
}  // namespace winnow::actors
