#include "actors/dataset_courier.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>

#include "actors/codec.hpp"

namespace winnow::actors {
namespace {

// Longer than any chunk takes on a link that is worth a node; an answer that was lost is rare.
constexpr DurationNs kPatience = seconds(10);
constexpr std::chrono::milliseconds kLookAfter{500};
constexpr DurationNs kTellEvery = milliseconds(500);

store::DatasetStore open_store(const std::filesystem::path& folder) {
  auto store = store::DatasetStore::open(folder);
  if (store) return std::move(*store);
  // Not a folder: everything below will say so by its path.
  return std::move(*store::DatasetStore::open(folder / "data"));
}

Result<std::vector<Hash128>> unpack(const std::string& packed) {
  if (packed.size() % 16 != 0) {
    return Error(ErrorCode::Corrupt, "a list of chunk hashes of " + std::to_string(packed.size()) +
                                         " bytes; a multiple of 16 is needed");
  }
  std::vector<Hash128> out;
  for (std::size_t i = 0; i < packed.size(); i += 16) {
    out.push_back(Hash128::from_bytes(packed.data() + i));
  }
  return out;
}

}  // namespace

DatasetCourier::DatasetCourier(CourierOptions options)
    : options_(std::move(options)), store_(open_store(options_.data_dir)) {
  refresh_held();
}

DatasetCourier::~DatasetCourier() { detach(); }

void DatasetCourier::detach() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
  link_ = {};
}

void DatasetCourier::attach(Link link) {
  link_ = std::move(link);
  thread_ = std::jthread([this](std::stop_token stop) { loop(stop); });
}

Status DatasetCourier::need(const std::string& hash, std::stop_token stop) {
  std::unique_lock lock(mutex_);
  if (held_.contains(hash)) {
    lock.unlock();
    store::ShippedCopies(store_).touch(hash);
    return {};
  }
  if (!thread_.joinable()) {
    return Error(ErrorCode::NotFound, "dataset " + hash + " is not in " + store_.folder().string());
  }
  if (waiting_[hash]++ == 0) {
    failures_.erase(hash);
    orders_.push_back({hash, {}, false});
    wake_.notify_one();
  }
  const bool over =
      settled_.wait(lock, stop, [&] { return held_.contains(hash) || failures_.contains(hash); });
  Status status;
  if (!over) status = Error(ErrorCode::Cancelled, "the node stops while it fetches " + hash);
  if (const auto failed = failures_.find(hash); failed != failures_.end()) status = failed->second;
  if (--waiting_[hash] == 0) {
    waiting_.erase(hash);
    failures_.erase(hash);
  }
  return status;
}

void DatasetCourier::reject(const std::string& hash, const Error& why) {
  const std::lock_guard lock(mutex_);
  if (!rejected_.insert(hash).second) return;
  spdlog::error("dataset {} cannot be used here and is fetched anew: {}", hash, why.text());
  held_.erase(hash);
  ++load_.drops_total;  // what is mapped of it is not to be trusted
  orders_.push_back({"", {}, false, hash});
  wake_.notify_one();
}

std::uint64_t DatasetCourier::drops() const { return load().drops_total; }

DatasetCourier::Load DatasetCourier::load() const {
  const std::lock_guard lock(mutex_);
  return load_;
}

std::vector<std::string> DatasetCourier::held() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> out(held_.begin(), held_.end());
  if (out.size() > kHeldMax) out.resize(kHeldMax);
  return out;
}

void DatasetCourier::joined() {
  const std::lock_guard lock(mutex_);
  orders_.push_back({"", {}, true});
  wake_.notify_one();
}

void DatasetCourier::on_frame(const Frame& frame) {
  const std::lock_guard lock(mutex_);
  // Nobody sends more than was asked for; whoever does is not listened to.
  constexpr std::size_t kOrdersMax = 1024;
  if (orders_.size() >= kOrdersMax) return;
  orders_.push_back({"", frame, false});
  wake_.notify_one();
}

void DatasetCourier::loop(std::stop_token stop) {
  while (!stop.stop_requested()) {
    std::deque<Order> orders;
    {
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, stop, kLookAfter, [&] { return !orders_.empty(); });
      orders.swap(orders_);
    }
    for (const Order& order : orders) carry_out(order);
    begin_waiting();
    look_after();
    tell_progress();
    const std::lock_guard lock(mutex_);
    load_.fetching = fetches_.size() + queued_.size();
  }
}

void DatasetCourier::carry_out(const Order& order) {
  if (!order.want.empty()) return queue(order.want);
  if (!order.gone.empty()) return tell(order.gone, DatasetState::Is::Gone);
  if (!order.joined) return on_link_frame(order.frame);
  for (auto& [hash, fetch] : fetches_) {
    fetch.asked.clear();
    fetch.progress = system_clock().mono();
    fetch.offered ? ask_more(hash, fetch) : link_.ask({hash});
  }
}

void DatasetCourier::on_link_frame(const Frame& frame) {
  dispatch(CourierHears{}, static_cast<Kind>(frame.kind), [&]<class T>(std::type_identity<T>) {
    const auto message = decode<T>(frame);
    if (message) return on(*message);
    spdlog::error("courier: {}", message.error().text());
  });
}

void DatasetCourier::on(const DatasetWanted& wanted) { queue(wanted.dataset); }

/// What is here, or on its way, is not fetched again; whoever wants it hears so at once.
void DatasetCourier::queue(const std::string& hash) {
  constexpr std::size_t kQueuedMax = 256;
  {
    const std::lock_guard lock(mutex_);
    if (held_.contains(hash)) {
      settled_.notify_all();
      return tell(hash, DatasetState::Is::Here);
    }
  }
  if (fetches_.contains(hash) || std::find(queued_.begin(), queued_.end(), hash) != queued_.end()) {
    return tell(hash, DatasetState::Is::Coming);
  }
  if (queued_.size() >= kQueuedMax) {
    return over(hash, Error(ErrorCode::Unavailable,
                            std::to_string(kQueuedMax) + " other datasets are waited for"));
  }
  if (is_on_disk(hash)) return over(hash, {});
  queued_.push_back(hash);
  tell(hash, DatasetState::Is::Coming);
}

/// Another process of this place, or a person, may have brought it.
bool DatasetCourier::is_on_disk(const std::string& hash) const {
  std::error_code ignored;
  if (!store::is_content_hash(hash) ||
      !std::filesystem::exists(store_.columns_file(hash), ignored)) {
    return false;
  }
  std::unique_lock lock(mutex_);
  const bool rejected = rejected_.contains(hash);
  lock.unlock();
  return rejected ? store_.verify(hash).ok() : store_.load(hash).ok();
}

void DatasetCourier::tell(const std::string& hash, DatasetState::Is is, const std::string& reason) {
  if (!link_.state) return;
  DatasetState state{hash, static_cast<std::uint8_t>(is), 0, 0, reason};
  if (const auto fetch = fetches_.find(hash); fetch != fetches_.end() && fetch->second.offered) {
    const std::uint64_t total = fetch->second.bytes;
    std::uint64_t missing = 0;  // the last chunk is shorter
    for (const std::uint32_t chunk : fetch->second.partial->missing()) {
      const std::uint64_t first = std::uint64_t{chunk} * store::kChunkBytes;
      missing += std::min<std::uint64_t>(store::kChunkBytes, total - first);
    }
    state.bytes_total = total;
    state.bytes_here = total - missing;
  }
  link_.state(state);
}

void DatasetCourier::tell_progress() {
  const MonoNs now = system_clock().mono();
  if (now - told_ < kTellEvery) return;
  told_ = now;
  for (const auto& [hash, fetch] : fetches_) tell(hash, DatasetState::Is::Coming);
  for (const std::string& hash : queued_) tell(hash, DatasetState::Is::Coming);
}

void DatasetCourier::begin_waiting() {
  while (!queued_.empty() && fetches_.size() < kFetchesMax) {
    const std::string hash = std::move(queued_.front());
    queued_.pop_front();
    Fetch& fetch = fetches_[hash];
    fetch.progress = system_clock().mono();
    link_.ask({hash});
  }
}

void DatasetCourier::on(const DatasetOffer& offer) {
  const auto found = fetches_.find(offer.dataset);
  if (found == fetches_.end() || found->second.offered) return;
  Fetch& fetch = found->second;
  auto chunks = unpack(offer.chunk_hashes);
  if (!chunks) return over(offer.dataset, chunks.error());
  const store::Shipment shipment{offer.dataset, offer.manifest_json, offer.bytes,
                                 std::move(*chunks)};
  if (options_.limit_bytes > 0 && offer.bytes > options_.limit_bytes) {
    return over(
        offer.dataset,
        Error(ErrorCode::Refused,
              "dataset " + offer.dataset + " has " + std::to_string(offer.bytes) +
                  " bytes; this node's --data-limit is " + std::to_string(options_.limit_bytes)));
  }
  auto partial = store::PartialDataset::open(store_, shipment);
  if (!partial && partial.error().code() == ErrorCode::Unavailable) return;  // look_after() asks
  if (!partial) return over(offer.dataset, partial.error());
  if (const Status room = make_room(offer.bytes); !room) return over(offer.dataset, room.error());
  const std::size_t missing = partial->missing().size();
  spdlog::info("fetching dataset {}: {} of {} chunks", offer.dataset, missing,
               shipment.chunks.size());
  fetch.partial.emplace(std::move(*partial));
  fetch.offered = true;
  fetch.bytes = offer.bytes;
  fetch.progress = system_clock().mono();
  if (fetch.partial->complete()) return complete(offer.dataset, fetch);
  ask_more(offer.dataset, fetch);
}

void DatasetCourier::on(const DatasetChunk& chunk) {
  const auto found = fetches_.find(chunk.dataset);
  if (found == fetches_.end() || !found->second.offered) return;
  Fetch& fetch = found->second;
  fetch.asked.erase(chunk.chunk);
  if (const Status put = fetch.partial->put(chunk.chunk, chunk.bytes); !put) {
    spdlog::warn("courier: {}", put.error().text());
    const bool damaged = put.error().code() == ErrorCode::Corrupt;
    if (!damaged || ++fetch.bad_chunks > kBadChunksMax) return over(chunk.dataset, put.error());
  } else {
    fetch.progress = system_clock().mono();
    const std::lock_guard lock(mutex_);
    ++load_.chunks_total;
    load_.bytes_total += chunk.bytes.size();
  }
  if (fetch.partial->complete()) return complete(chunk.dataset, fetch);
  ask_more(chunk.dataset, fetch);
}

void DatasetCourier::on(const DatasetDenied& denial) {
  const auto code = static_cast<ErrorCode>(denial.code);
  // Busy: look_after() asks again.
  if (code == ErrorCode::Unavailable || !fetches_.contains(denial.dataset)) return;
  over(denial.dataset,
       Error(code, "the coordinator cannot send dataset " + denial.dataset + ": " + denial.text));
}

void DatasetCourier::ask_more(const std::string& hash, Fetch& fetch) {
  for (const std::uint32_t index : fetch.partial->missing()) {
    if (fetch.asked.size() >= kChunksAsked) return;
    if (fetch.asked.insert(index).second) link_.ask_chunk({hash, index});
  }
}

void DatasetCourier::complete(const std::string& hash, Fetch& fetch) {
  const auto manifest = fetch.partial->finish();
  if (!manifest) return over(hash, manifest.error());
  spdlog::info("dataset {} ({}) is here", manifest->name, hash);
  over(hash, {});
}

void DatasetCourier::over(const std::string& hash, const Status& status) {
  fetches_.erase(hash);
  if (status) {
    {
      const std::lock_guard lock(mutex_);
      rejected_.erase(hash);
    }
    refresh_held();
    logged_.erase(hash);
  } else if (std::string& said = logged_[hash]; said != status.error().text()) {
    said = status.error().text();
    spdlog::error("courier: {}", said);
  }
  constexpr std::size_t kLoggedMax = 1024;
  if (logged_.size() > kLoggedMax) logged_.clear();
  tell(hash, status ? DatasetState::Is::Here : DatasetState::Is::Failed,
       status ? "" : status.error().text());
  const std::lock_guard lock(mutex_);
  if (status) {
    ++load_.datasets_total;
  } else {
    ++load_.failed_total;
    if (waiting_.contains(hash)) failures_.insert_or_assign(hash, status);
  }
  settled_.notify_all();
}

/// What got no answer is asked again; what another process brought here is found.
void DatasetCourier::look_after() {
  const MonoNs now = system_clock().mono();
  std::vector<std::string> here;
  for (auto& [hash, fetch] : fetches_) {
    if (!fetch.offered && is_on_disk(hash)) here.push_back(hash);
    const DurationNs patience = fetch.offered ? kPatience : seconds(1);
    if (now - fetch.progress < patience) continue;
    fetch.progress = now;
    fetch.asked.clear();
    fetch.offered ? ask_more(hash, fetch) : link_.ask({hash});
  }
  for (const std::string& hash : here) over(hash, {});
}

Status DatasetCourier::make_room(std::uint64_t bytes) {
  if (options_.limit_bytes == 0) return {};
  const store::ShippedCopies copies(store_);
  auto list = copies.list();
  std::uint64_t sum = bytes;
  for (const auto& copy : list) sum += copy.bytes;
  for (const auto& [hash, fetch] : fetches_) sum += fetch.bytes;
  for (const auto& copy : list) {
    if (sum <= options_.limit_bytes) break;
    spdlog::info("dropping dataset {}, the least recently used, for room", copy.content_hash);
    {
      const std::lock_guard lock(mutex_);
      held_.erase(copy.content_hash);
      ++load_.drops_total;
    }
    tell(copy.content_hash, DatasetState::Is::Gone);
    WINNOW_TRY(copies.drop(copy.content_hash));
    sum -= copy.bytes;
  }
  return {};
}

void DatasetCourier::refresh_held() {
  std::set<std::string> found;
  for (const std::string& name : store_.names()) {
    const auto versions = store_.versions(name);
    if (!versions) continue;
    for (const auto& manifest : *versions) {
      std::error_code ignored;
      if (std::filesystem::exists(store_.columns_file(manifest.content_hash), ignored)) {
        found.insert(manifest.content_hash);
      }
    }
  }
  const std::lock_guard lock(mutex_);
  for (const std::string& hash : rejected_) found.erase(hash);
  held_ = std::move(found);
}

}  // namespace winnow::actors
