#include <rocksdb/iostats_context.h>
#include <rocksdb/perf_level.h>
#include <rocksdb/transaction_log.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <cstring>
#include <mutex>

#include "base/check.hpp"
#include "store/store_rocks.hpp"

namespace winnow::store {
namespace {

// Meta's keys: one letter, then the name.
constexpr std::string_view kFormatKey = "format";
// The layout of families and keys as a whole; single values carry their own version.
constexpr std::string_view kStoreFormat = "winnow-store 1";
constexpr std::size_t kSweepIdMax = 200;

std::string sweep_key(std::string_view id) { return std::string(kSweepPrefix).append(id); }
SweepInfo info_of(const codec::SweepRecord& record) {
  return {record.meta.state == SweepState::Deleted, record.number, record.meta.trials,
          record.meta.blocks, static_cast<std::uint32_t>(record.meta.metric_names.size())};
}

/// Purpose: how long one write takes, and how much of it is the sync. Thread: the writing one,
/// whose level of measuring RocksDB keeps.
class WriteClock {
 public:
  WriteClock() : level_(rocksdb::GetPerfLevel()), start_(system_clock().mono()) {
    rocksdb::SetPerfLevel(rocksdb::PerfLevel::kEnableTimeExceptForMutex);
    sync_before_ = rocksdb::get_iostats_context()->fsync_nanos;
  }
  ~WriteClock() { rocksdb::SetPerfLevel(level_); }
  WriteClock(const WriteClock&) = delete;
  WriteClock& operator=(const WriteClock&) = delete;

  WriteTimes times() const {
    const std::uint64_t sync = rocksdb::get_iostats_context()->fsync_nanos - sync_before_;
    return {system_clock().mono() - start_, DurationNs{static_cast<std::int64_t>(sync)}};
  }

 private:
  rocksdb::PerfLevel level_;
  MonoNs start_;
  std::uint64_t sync_before_ = 0;
};

// Calls `each(key, value)` for every value whose key starts with `prefix`, in order.
template <class Each>
Status scan(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* family, std::string_view prefix,
            const std::filesystem::path& dir, std::string_view doing, const Each& each) {
  std::unique_ptr<rocksdb::Iterator> it(db.NewIterator({}, family));
  for (it->Seek(slice(prefix)); it->Valid() && it->key().starts_with(slice(prefix)); it->Next()) {
    WINNOW_TRY(each(view(it->key()), view(it->value())));
  }
  if (!it->status().ok()) return rocks_error(it->status(), dir, doing);
  return {};
}

}  // namespace

std::string_view sweep_state_name(SweepState state) {
  switch (state) {
    case SweepState::Running:
      return "running";
    case SweepState::Paused:
      return "paused";
    case SweepState::Done:
      return "done";
    case SweepState::Cancelled:
      return "cancelled";
    case SweepState::BudgetSpent:
      return "budget_spent";
    case SweepState::Deleted:
      return "deleted";
  }
  return "unknown";
}

Result<std::unique_ptr<Store>> Store::open(const std::filesystem::path& dir,
                                           const StoreOptions& options) {
  HeadBeside beside = read_head_beside(dir);
  auto rocks = RocksDb::open(dir, options);
  if (!rocks.ok()) return rocks.error();
  auto store = std::make_unique<RocksStore>(std::move(*rocks), options);
  store->set_head_beside(std::move(beside));
  if (!options.read_only && options.sync) store->watch_high_water();
  WINNOW_TRY(store->load());
  if (!options.read_only) {
    WINNOW_TRY(store->add_missing_families());
    const TimestampNs now = system_clock().now();
    WINNOW_TRY(store->take_up_ledger(now));
    WINNOW_TRY(store->take_up_record(now));
  } else {
    WINNOW_TRY(store->look_beside());
  }
  return std::unique_ptr<Store>(std::move(store));
}

Status RocksStore::load() {
  auto format = get(Family::Meta, kFormatKey);
  if (!format.ok()) return format.error();
  if (!format->has_value()) {
    if (options_.read_only) {
      return Error(ErrorCode::NotFound,
                   "no store in " + rocks_->dir().string() + ": it has not been set up yet");
    }
    rocksdb::WriteBatch batch;
    batch.Put(rocks_->family(Family::Meta), slice(kFormatKey), slice(kStoreFormat));
    WINNOW_TRY(write(batch, "setting it up"));
  } else if (**format != kStoreFormat) {
    return Error(ErrorCode::Refused, "store " + rocks_->dir().string() + " has format '" +
                                         **format + "'; this binary reads '" +
                                         std::string(kStoreFormat) + "'");
  }
  WINNOW_TRY(scan(db(), rocks_->family(Family::Meta), kSweepPrefix, rocks_->dir(), "reading sweeps",
                  [&](std::string_view key, std::string_view value) -> Status {
                    auto record = codec::decode_sweep(key, value);
                    if (!record.ok())
                      return record.error().within("sweep record " + std::string(key));
                    sweeps_[record->meta.id] = info_of(*record);
                    if (sweep_names_.size() <= record->number) {
                      sweep_names_.resize(record->number + std::size_t{1});
                    }
                    sweep_names_[record->number] = record->meta.id;
                    return {};
                  }));
  const auto deleted = document_keys(kDeletedKind, {});
  if (!deleted.ok()) return deleted.error();
  ever_deleted_.insert(deleted->begin(), deleted->end());
  std::vector<std::pair<std::uint32_t, LedgerEntry>> entries;
  WINNOW_TRY(scan(db(), rocks_->family(Family::Ledger), "", rocks_->dir(), "reading the ledger",
                  [&](std::string_view key, std::string_view value) -> Status {
                    auto record = codec::decode_ledger(key, value);
                    if (!record.ok()) {
                      return record.error().within("ledger entry " +
                                                   std::to_string(codec::block_of_key(key)));
                    }
                    entries.emplace_back(record->number, std::move(record->entry));
                    return {};
                  }));
  WINNOW_TRY(book_.load(std::move(entries)));
  if (!options_.read_only) {
    if (auto loaded = index(); !loaded.ok()) return loaded.error();
  }
  std::unique_ptr<rocksdb::Iterator> last(db().NewIterator({}, rocks_->family(Family::Alarms)));
  last->SeekToLast();
  if (last->Valid()) next_alarm_ = codec::block_of_key(view(last->key())) + 1;
  if (!last->status().ok()) return rocks_failure(last->status(), "reading alarms");
  return {};
}

Result<KeyIndex*> RocksStore::index() const {
  std::call_once(index_loaded_, [this] { index_status_ = index_.load(); });
  if (!index_status_.ok()) {
    return index_status_.error().within("store " + rocks_->dir().string());
  }
  return &index_;
}

Status RocksStore::check_writable() const {
  if (!options_.read_only) return {};
  return Error(ErrorCode::Refused,
               "store " + rocks_->dir().string() + " is open read-only; nothing can be written");
}

// Of this batch, not of the database: another thread may have written without a sync since.
HighWater::Mark RocksStore::end_of(const rocksdb::WriteBatch& batch) const {
  HighWater::Mark mark;
  std::memcpy(&mark.sequence, batch.Data().data(), sizeof mark.sequence);
  WINNOW_REQUIRES(mark.sequence > 0);
  mark.sequence += static_cast<std::uint64_t>(batch.Count()) - 1;
  std::unique_ptr<rocksdb::LogFile> log;
  if (db().GetCurrentWalFile(&log).ok()) mark.log = {log->LogNumber(), log->SizeFileBytes()};
  return mark;
}

Status RocksStore::write(rocksdb::WriteBatch& batch, std::string_view doing,
                         std::span<const NamedBlock> blocks) {
  rocksdb::WriteOptions write_options;
  write_options.sync = options_.sync;
  const std::scoped_lock lock(rocks_->gate());
  const WriteClock clock;
  rocksdb::Status status = db().Write(write_options, &batch);
  // The disk may have room again by now: once more, if RocksDB can be revived.
  if (!status.ok() && rocks_->stopped() && rocks_->revive().ok()) {
    status = db().Write(write_options, &batch);
  }
  if (!status.ok()) return rocks_failure(status, doing);
  if (high_water_ != nullptr) high_water_->note(end_of(batch), blocks);
  if (write_observer_) write_observer_(clock.times());
  return {};
}

Status RocksStore::write_record(rocksdb::WriteBatch& batch, std::string_view doing) {
  Status written = write(batch, doing);
  if (!written.ok()) ++records_refused_;
  return written;
}

Result<std::optional<std::string>> RocksStore::get(Family family, std::string_view key) const {
  std::string value;
  const rocksdb::Status status = db().Get({}, rocks_->family(family), slice(key), &value);
  if (status.ok()) return std::optional<std::string>(std::move(value));
  if (status.IsNotFound()) return std::optional<std::string>();
  return rocks_failure(status,
                       "reading " + std::string(kFamilyNames[static_cast<std::size_t>(family)]));
}

Status RocksStore::put_sweep(const SweepMeta& meta) {
  WINNOW_TRY(check_writable());
  if (meta.id.empty() || meta.id.size() > kSweepIdMax) {
    return Error(ErrorCode::InvalidInput, "sweep id '" + meta.id.substr(0, kSweepIdMax) + "' has " +
                                              std::to_string(meta.id.size()) +
                                              " bytes; 1 to 200 are allowed");
  }
  const std::unique_lock lock(sweeps_mutex_);
  codec::SweepRecord record;
  record.meta = meta;
  const auto known = sweeps_.find(meta.id);
  record.number = known != sweeps_.end() ? known->second.number
                                         : static_cast<std::uint32_t>(sweep_names_.size());
  const std::string key = sweep_key(meta.id);
  rocksdb::WriteBatch batch;
  batch.Put(rocks_->family(Family::Meta), slice(key), codec::encode_sweep(key, record));
  WINNOW_TRY(write_record(batch, "writing sweep " + meta.id));
  if (known == sweeps_.end()) sweep_names_.push_back(meta.id);
  sweeps_[meta.id] = info_of(record);
  return {};
}

Result<std::optional<SweepMeta>> RocksStore::sweep(std::string_view id) const {
  const std::string key = sweep_key(id);
  auto value = get(Family::Meta, key);
  if (!value.ok()) return value.error();
  if (!value->has_value()) return std::optional<SweepMeta>();
  auto record = codec::decode_sweep(key, **value);
  if (!record.ok()) return record.error().within("sweep " + std::string(id));
  return std::optional<SweepMeta>(std::move(record->meta));
}

Result<std::vector<SweepMeta>> RocksStore::sweeps() const {
  std::vector<SweepMeta> out;
  WINNOW_TRY(scan(db(), rocks_->family(Family::Meta), kSweepPrefix, rocks_->dir(), "reading sweeps",
                  [&](std::string_view key, std::string_view value) -> Status {
                    auto record = codec::decode_sweep(key, value);
                    if (!record.ok())
                      return record.error().within("sweep record " + std::string(key));
                    out.push_back(std::move(record->meta));
                    return {};
                  }));
  std::stable_sort(out.begin(), out.end(),
                   [](const SweepMeta& a, const SweepMeta& b) { return a.created < b.created; });
  return out;
}

std::optional<SweepInfo> RocksStore::sweep_info(std::string_view id) const {
  const std::shared_lock lock(sweeps_mutex_);
  const auto it = sweeps_.find(std::string(id));
  return it == sweeps_.end() ? std::nullopt : std::optional(it->second);
}

Result<SweepInfo> RocksStore::known_sweep(std::string_view id) const {
  if (const auto info = sweep_info(id)) return *info;
  return Error(ErrorCode::NotFound,
               "no sweep '" + std::string(id) + "' in store " + rocks_->dir().string());
}

std::optional<std::string> RocksStore::sweep_name(std::uint32_t number) const {
  const std::shared_lock lock(sweeps_mutex_);
  if (number >= sweep_names_.size()) return std::nullopt;
  return sweep_names_[number];
}

Result<std::vector<LedgerEntry>> RocksStore::ledger_entries() const {
  std::vector<LedgerEntry> out;
  WINNOW_TRY(scan(db(), rocks_->family(Family::Ledger), "", rocks_->dir(), "reading the ledger",
                  [&](std::string_view key, std::string_view value) -> Status {
                    auto record = codec::decode_ledger(key, value);
                    if (!record.ok()) {
                      return record.error().within("ledger entry " +
                                                   std::to_string(codec::block_of_key(key)));
                    }
                    out.push_back(std::move(record->entry));
                    return {};
                  }));
  return with_head(std::move(out));
}

Result<std::vector<LedgerCount>> RocksStore::ledger() const {
  auto entries = ledger_entries();
  if (!entries.ok()) return entries.error();
  return sum_ledger(*entries);
}

Result<std::vector<Alarm>> RocksStore::alarms() const {
  std::vector<Alarm> out;
  WINNOW_TRY(scan(db(), rocks_->family(Family::Alarms), "", rocks_->dir(), "reading alarms",
                  [&](std::string_view key, std::string_view value) -> Status {
                    auto alarm = codec::decode_alarm(key, value);
                    if (!alarm.ok()) {
                      return alarm.error().within("alarm " +
                                                  std::to_string(codec::block_of_key(key)));
                    }
                    out.push_back(std::move(*alarm));
                    return {};
                  }));
  return out;
}

Status RocksStore::put_document(std::string_view kind, std::string_view key,
                                std::string_view json) {
  WINNOW_TRY(check_writable());
  rocksdb::WriteBatch batch;
  stage_document(kind, key, json, batch);
  return write_record(batch, "writing document " + std::string(kind) + "/" + std::string(key));
}

Result<std::optional<std::string>> RocksStore::document(std::string_view kind,
                                                        std::string_view key) const {
  if (const auto told = on_record_.find({std::string(kind), std::string(key)});
      told != on_record_.end()) {
    return std::optional<std::string>(told->second);
  }
  const std::string db_key = document_key(kind, key);
  auto value = get(Family::Meta, db_key);
  if (!value.ok()) return value.error();
  if (!value->has_value()) return std::optional<std::string>();
  const std::string name = "document " + std::string(kind) + "/" + std::string(key);
  auto texts = codec::decode_texts(db_key, **value);
  if (!texts.ok()) return texts.error().within(name);
  if (texts->size() != 1) return Error(ErrorCode::Corrupt, name + " has not exactly one text");
  return std::optional<std::string>(std::move(texts->front()));
}

Status RocksStore::update_document(std::string_view kind, std::string_view key,
                                   const DocumentChange& change) {
  const std::lock_guard lock(documents_mutex_);
  WINNOW_TRY(check_writable());
  const auto there = document(kind, key);
  if (!there.ok()) return there.error();
  const auto made = change(*there);
  if (!made.ok()) return made.error();
  if (*there && **there == *made) return {};
  return is_record_kind(kind) ? put_on_record(kind, key, *made) : put_document(kind, key, *made);
}

Result<std::vector<std::string>> RocksStore::document_keys(std::string_view kind,
                                                           std::string_view prefix) const {
  const std::string all = document_key(kind, "");
  std::vector<std::string> out;
  WINNOW_TRY(scan(db(), rocks_->family(Family::Meta), document_key(kind, prefix), rocks_->dir(),
                  "reading documents", [&](std::string_view key, std::string_view) -> Status {
                    out.emplace_back(key.substr(all.size()));
                    return {};
                  }));
  for (const auto& [at, text] : on_record_) {
    if (at.first == kind && at.second.starts_with(prefix)) out.push_back(at.second);
  }
  if (!on_record_.empty()) {
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
  }
  return out;
}

}  // namespace winnow::store
