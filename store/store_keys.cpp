#include "store/store_keys.hpp"

#include <rocksdb/sst_file_writer.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <bit>
#include <system_error>

#include "base/check.hpp"
#include "store/codec_columns.hpp"
#include "store/rocks_options.hpp"

namespace winnow::store {
namespace {

constexpr std::size_t kSlotsMin = 1024;
// Index look-ups in one call: RocksDB works in steps of 32; more only saves call overhead.
constexpr std::size_t kLookupKeys = 512;
// How far a run may grow while readers open the store: 48 MB of it.
constexpr std::size_t kGrownRun = std::size_t{1} << 20;
constexpr std::uint32_t kEntriesPerBatch = 8192;

std::string_view bytes_of(const std::array<char, 16>& key) { return {key.data(), key.size()}; }

}  // namespace

void KeyRun::add(IndexedBlock block) {
  const std::size_t need = 2 * (size_ + block.keys.size());
  if (slots_.size() < need) {
    std::vector<Slot> old(std::bit_ceil(std::max(need, kSlotsMin)));
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.block != 0) insert(slot.key, slot.block, slot.row);
    }
  }
  const auto number = static_cast<std::uint32_t>(blocks_.size() + 1);
  auto repeat = block.place.repeated_rows.begin();
  for (std::uint32_t row = 0; row < block.keys.size(); ++row) {
    if (repeat != block.place.repeated_rows.end() && *repeat == row) {
      ++repeat;
      continue;
    }
    insert(block.keys[row], number, row);
    ++size_;
  }
  WINNOW_INVARIANT(2 * size_ <= slots_.size());
  WINNOW_INVARIANT(blocks_.empty() || blocks_.back().sequence < block.sequence);
  blocks_.push_back({block.sequence, std::move(block.place), std::move(block.row_hashes)});
}

void KeyRun::insert(const TrialKey& key, std::uint32_t block, std::uint32_t row) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = key.low & mask;
  while (slots_[at].block != 0) at = (at + 1) & mask;
  slots_[at] = {key, block, row};
}

codec::KeyEntry KeyRun::entry(const Slot& slot) const {
  const Block& block = blocks_[slot.block - 1];
  return {block.place.ledger_entry, block.place.sweep, block.place.block, slot.row,
          block.row_hashes[slot.row]};
}

std::optional<codec::KeyEntry> KeyRun::find(const TrialKey& key) const {
  if (slots_.empty()) return std::nullopt;
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = key.low & mask; slots_[at].block != 0; at = (at + 1) & mask) {
    if (slots_[at].key == key) return entry(slots_[at]);
  }
  return std::nullopt;
}

std::vector<std::pair<TrialKey, codec::KeyEntry>> KeyRun::sorted() const {
  std::vector<std::pair<TrialKey, codec::KeyEntry>> out;
  out.reserve(size_);
  for (const Slot& slot : slots_) {
    if (slot.block != 0) out.emplace_back(slot.key, entry(slot));
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  return out;
}

KeyIndex::~KeyIndex() {
  if (writing_.valid()) writing_.wait();
}

Status KeyIndex::load() {
  const auto failed = [&](const rocksdb::Status& status) {
    return rocks_error(status, rocks_.dir(), "reading the pending key index");
  };
  std::unique_ptr<rocksdb::Iterator> it(
      rocks_.db().NewIterator({}, rocks_.family(Family::Pending)));
  for (it->SeekToFirst(); it->Valid(); it->Next()) {
    IndexedBlock block;
    block.sequence = codec::block_of_key(view(it->key()));
    const std::string where = "pending key index, commit " + std::to_string(block.sequence);
    auto place = codec::decode_pending(view(it->key()), view(it->value()));
    if (!place.ok()) return place.error().within(where);
    block.place = std::move(*place);
    const std::string key =
        codec::column_key(block.place.sweep, codec::kTrialKeysColumn, block.place.block);
    rocksdb::PinnableSlice value;
    const rocksdb::Status got =
        rocks_.db().Get({}, rocks_.family(Family::Metrics), slice(key), &value);
    if (got.IsNotFound()) return Error(ErrorCode::Corrupt, where + ": its trial keys are missing");
    if (!got.ok()) return failed(got);
    const Status decoded = codec::decode_trial_column(key, view(value), block.place.rows,
                                                      block.keys, block.row_hashes);
    if (!decoded.ok()) return decoded.error().within(where);
    next_sequence_ = block.sequence + 1;
    const std::unique_lock lock(mutex_);
    active_->add(std::move(block));
  }
  if (!it->status().ok()) return failed(it->status());
  return {};
}

Status KeyIndex::look_up(std::span<const TrialKey> keys,
                         std::vector<std::optional<codec::KeyEntry>>& out) const {
  out.assign(keys.size(), std::nullopt);
  std::vector<std::array<char, 16>> bytes;
  std::vector<std::size_t> asked;  // indices of the keys that memory does not have
  {
    // Memory first: a run leaves memory only after its file can be seen.
    const std::shared_lock lock(mutex_);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      out[i] = active_->find(keys[i]);
      if (!out[i] && sealed_) out[i] = sealed_->find(keys[i]);
      if (out[i]) continue;
      asked.push_back(i);
      bytes.push_back(keys[i].bytes());
    }
  }
  std::vector<rocksdb::Slice> slices;
  for (const auto& b : bytes) slices.emplace_back(b.data(), b.size());
  const std::size_t chunk = std::min(kLookupKeys, slices.size());
  std::vector<rocksdb::PinnableSlice> values(chunk);
  std::vector<rocksdb::Status> statuses(chunk);
  for (std::size_t at = 0; at < slices.size(); at += kLookupKeys) {
    const std::size_t n = std::min(kLookupKeys, slices.size() - at);
    rocks_.db().MultiGet({}, rocks_.family(Family::Keys), n, slices.data() + at, values.data(),
                         statuses.data(), /*sorted_input=*/true);
    for (std::size_t i = 0; i < n; ++i) {
      if (statuses[i].IsNotFound()) continue;
      if (!statuses[i].ok()) return rocks_error(statuses[i], rocks_.dir(), "reading the key index");
      auto entry = codec::decode_key_entry(bytes_of(bytes[at + i]), view(values[i]));
      if (!entry.ok()) {
        return entry.error().within("key index, " + keys[asked[at + i]].hex());
      }
      out[asked[at + i]] = *entry;
      values[i].Reset();
    }
  }
  return {};
}

void KeyIndex::add(IndexedBlock block) {
  WINNOW_REQUIRES(block.sequence == next_sequence_);
  next_sequence_ = block.sequence + 1;
  const std::unique_lock lock(mutex_);
  active_->add(std::move(block));
}

Status KeyIndex::finish_sealed() {
  if (!writing_.valid()) return {};
  Status done = writing_.get();
  // The disk may have been full when the file was due, and have room by now.
  if (!done.ok()) done = write_run(*sealed_);
  if (!done.ok()) {
    std::promise<Status> kept;
    kept.set_value(done);
    writing_ = kept.get_future();
    return done;
  }
  const std::unique_lock lock(mutex_);
  sealed_.reset();
  return {};
}

Status KeyIndex::make_room() {
  if (active_->size() < run_keys_) return {};
  // A file would spoil the open of whoever is opening the store to read it; the run can grow.
  if (active_->size() < std::max(kGrownRun, run_keys_) && rocks_.readers().requested()) return {};
  WINNOW_TRY(finish_sealed());
  {
    const std::unique_lock lock(mutex_);
    sealed_ = active_;
    active_ = std::make_shared<KeyRun>();
  }
  const auto write = [this, run = sealed_] { return write_run(*run); };
  try {
    writing_ = std::async(std::launch::async, write);
  } catch (const std::system_error&) {  // no thread to be had: whoever waits for it does it
    writing_ = std::async(std::launch::deferred, write);
  }
  return {};
}

Status KeyIndex::flush() {
  WINNOW_TRY(finish_sealed());
  if (active_->empty()) return {};
  WINNOW_TRY(write_run(*active_));
  const std::unique_lock lock(mutex_);
  active_ = std::make_shared<KeyRun>();
  return {};
}

// One sorted file into Keys, durable when the call returns.
rocksdb::Status KeyIndex::write_file(const KeyRun& run) {
  const auto folder = rocks_.dir() / kIngestFolder;
  const std::string path = (folder / ("keys-" + std::to_string(run.first_sequence()))).string();
  std::error_code ec;
  std::filesystem::create_directories(folder, ec);
  std::filesystem::remove(path, ec);
  const rocksdb::Options options(rocks_.db().GetDBOptions(),
                                 rocks_.db().GetOptions(rocks_.family(Family::Keys)));
  // Its pages stay cached: every look-up of the next commits reads its index and filter, and by
  // default they would come back from the disk each (a quarter of a committing thread's time).
  rocksdb::SstFileWriter file(rocksdb::EnvOptions(), options, rocks_.family(Family::Keys),
                              /*invalidate_page_cache=*/false);
  rocksdb::Status status = file.Open(path);
  std::string value;
  for (const auto& [key, entry] : run.sorted()) {
    if (!status.ok()) break;
    const auto bytes = key.bytes();
    value.clear();
    codec::encode_key_entry(bytes_of(bytes), entry, value);
    status = file.Put(slice(bytes_of(bytes)), value);
  }
  if (status.ok()) status = file.Finish();
  if (status.ok()) {
    rocksdb::IngestExternalFileOptions ingest;
    ingest.move_files = true;
    ingest.write_global_seqno = false;
    const std::scoped_lock lock(rocks_.gate());
    status = rocks_.ever_stopped()
                 ? rocksdb::Status::TryAgain("writes were refused meanwhile")
                 : rocks_.db().IngestExternalFile(rocks_.family(Family::Keys), {path}, ingest);
  }
  std::filesystem::remove(path, ec);
  return status;
}

// The same entries through the log, where they come before the deletion of their notes.
rocksdb::Status KeyIndex::write_entries(const KeyRun& run) {
  rocksdb::WriteBatch batch;
  std::string value;
  for (const auto& [key, entry] : run.sorted()) {
    const auto bytes = key.bytes();
    value.clear();
    codec::encode_key_entry(bytes_of(bytes), entry, value);
    batch.Put(rocks_.family(Family::Keys), slice(bytes_of(bytes)), value);
    if (batch.Count() < kEntriesPerBatch) continue;
    if (auto status = rocks_.db().Write({}, &batch); !status.ok()) return status;
    batch.Clear();
  }
  return rocks_.db().Write({}, &batch);
}

// Entries into Keys; then the notes that they make superfluous go. Deleting those is not synced: a
// note that comes back after a crash brings the same entries again.
Status KeyIndex::write_run(const KeyRun& run) {
  rocksdb::Status status;
  if (run.size() > 0) {
    status = rocks_.ever_stopped() ? write_entries(run) : write_file(run);
  }
  if (status.ok()) {
    const auto lock = hold_notes();
    rocksdb::WriteBatch notes;
    for (std::uint64_t s = run.first_sequence(); s <= run.last_sequence(); ++s) {
      notes.Delete(rocks_.family(Family::Pending), codec::number_key(s));
    }
    status = rocks_.db().Write({}, &notes);
  }
  if (!status.ok()) return rocks_error(status, rocks_.dir(), "writing the key index");
  return {};
}

std::size_t KeyIndex::pending() const {
  const std::shared_lock lock(mutex_);
  return active_->size() + (sealed_ ? sealed_->size() : 0);
}

Status KeyIndex::each_pending(
    const std::function<Status(const TrialKey&, const codec::KeyEntry&)>& each) const {
  std::vector<std::shared_ptr<const KeyRun>> runs;
  {
    const std::shared_lock lock(mutex_);
    runs = {active_, sealed_};
  }
  for (const auto& run : runs) {
    if (!run) continue;
    for (const auto& [key, entry] : run->sorted()) {
      const auto bytes = key.bytes();
      std::string value;
      const rocksdb::Status got =
          rocks_.db().Get({}, rocks_.family(Family::Keys), slice(bytes_of(bytes)), &value);
      if (got.ok()) continue;
      if (!got.IsNotFound()) return rocks_error(got, rocks_.dir(), "reading the key index");
      WINNOW_TRY(each(key, entry));
    }
  }
  return {};
}

}  // namespace winnow::store
