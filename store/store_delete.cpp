// Sweeps that go: their results do, what the ledger says of them does not.
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <mutex>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "store/store_rocks.hpp"

namespace winnow::store {
namespace {

using Json = nlohmann::ordered_json;

std::string document_name(std::string_view kind, std::string_view key) {
  return std::string(kDocumentPrefix) + codec::pair_key(kind, key);
}

std::string sweep_bytes(std::uint32_t number) { return codec::block_key(number, 0).substr(0, 4); }

}  // namespace

bool RocksStore::ever_deleted(std::uint32_t sweep) const {
  const std::shared_lock lock(sweeps_mutex_);
  return sweep < sweep_names_.size() && ever_deleted_.contains(sweep_names_[sweep]);
}

Result<RocksStore::DeletedEntries> RocksStore::deleted_entries(std::string_view sweep_id) const {
  DeletedEntries out;
  const auto text = document(kDeletedKind, sweep_id);
  if (!text.ok()) return text.error();
  if (!*text) return out;
  const auto odd = [&] {
    return Error(ErrorCode::Corrupt, "the record of the deletion of sweep " +
                                         std::string(sweep_id) + " is not what this binary writes");
  };
  const Json json = parse_ordered_json(**text);
  if (!json.is_object() || !json.contains("entries") || !json["entries"].is_array()) return odd();
  for (const Json& e : json["entries"]) {
    for (const char* field : {"entry", "executions", "failed"}) {
      if (!e.is_object() || !e.contains(field) || !e[field].is_number_unsigned()) return odd();
    }
    out[e["entry"].get<std::uint32_t>()] = {e["executions"].get<std::uint64_t>(),
                                            e["failed"].get<std::uint64_t>()};
  }
  return out;
}

// Who deleted what when; sums over all deletions of the sweep.
Result<std::string> RocksStore::deletion_document(std::string_view sweep_id, std::uint32_t number,
                                                  const SweepDeletion& how) const {
  auto entries = deleted_entries(sweep_id);
  if (!entries.ok()) return entries.error();
  const auto blocks = headers(number, 0, ~std::uint64_t{0});
  if (!blocks.ok()) return blocks.error();
  for (const NumberedHeader& h : *blocks) {
    DeletedCounts& counts = (*entries)[h.header.ledger_entry];
    counts.executions += h.header.rows;
    counts.failed += static_cast<std::uint64_t>(
        std::count_if(h.header.status.begin(), h.header.status.end(), has_failed));
  }
  Json json{{"user", how.user}, {"time_ns", how.now.ns}, {"entries", Json::array()}};
  for (const auto& [entry, counts] : *entries) {
    json["entries"].push_back(
        {{"entry", entry}, {"executions", counts.executions}, {"failed", counts.failed}});
  }
  return json_text(json);
}

Result<std::vector<std::string>> RocksStore::documents_of(
    std::string_view sweep_id, const std::vector<std::string>& kinds) const {
  std::vector<std::string> out;
  const std::string below = std::string(sweep_id) + "/";
  for (const std::string& kind : kinds) {
    const auto keys = document_keys(kind, {});
    if (!keys.ok()) return keys.error();
    for (const std::string& key : *keys) {
      if (key == sweep_id || key.starts_with(below)) out.push_back(document_name(kind, key));
    }
  }
  return out;
}

Result<std::uint64_t> RocksStore::count_new(std::span<const LedgerKey> keys) const {
  auto loaded = index();
  if (!loaded.ok()) return loaded.error();
  std::vector<LedgerKey> sorted(keys.begin(), keys.end());
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  std::vector<std::optional<codec::KeyEntry>> entries;
  WINNOW_TRY((*loaded)->look_up(sorted, entries));
  return static_cast<std::uint64_t>(
      std::count_if(entries.begin(), entries.end(), [](const auto& e) { return !e; }));
}

// One batch takes everything away. Before it, the notes of blocks whose keys are in memory only go
// into the index: they would name blocks that are gone.
Status RocksStore::delete_sweep(std::string_view id, const SweepDeletion& how) {
  WINNOW_TRY(check_writable());
  const std::scoped_lock writing(writing_mutex_);
  auto known = known_sweep(id);
  if (!known.ok()) return known.error();
  if (known->deleted) {
    return Error(ErrorCode::NotFound, "sweep " + std::string(id) + " was deleted already");
  }
  auto meta = sweep(id);
  if (!meta.ok()) return meta.error();
  if (!*meta) return Error(ErrorCode::Corrupt, "sweep " + std::string(id) + " has no record");
  rocks_->readers().await_quiet();
  WINNOW_TRY(index_.flush());
  auto record = deletion_document(id, known->number, how);
  if (!record.ok()) return record.error();
  const auto documents = documents_of(id, how.document_kinds);
  if (!documents.ok()) return documents.error();

  rocksdb::WriteBatch batch;
  const std::string first = sweep_bytes(known->number);
  const std::string last = sweep_bytes(known->number + 1);
  for (const Family family :
       {Family::Blocks, Family::Metrics, Family::Returns, Family::Exposures, Family::Points}) {
    if (!rocks_->has(family)) continue;
    batch.DeleteRange(rocks_->family(family), slice(first), slice(last));
  }
  for (const std::string& key : *documents) batch.Delete(rocks_->family(Family::Meta), slice(key));
  const std::string note = document_name(kDeletedKind, id);
  batch.Put(rocks_->family(Family::Meta), slice(note), codec::encode_texts(note, {&*record, 1}));
  (*meta)->state = SweepState::Deleted;
  (*meta)->finished = how.now;
  const std::string key = std::string(kSweepPrefix).append(id);
  batch.Put(rocks_->family(Family::Meta), slice(key),
            codec::encode_sweep(key, {known->number, **meta}));

  const std::unique_lock no_readers(deletion_mutex_);
  const std::unique_lock lock(sweeps_mutex_);
  WINNOW_TRY(write_record(batch, "deleting sweep " + std::string(id)));
  sweeps_[std::string(id)].deleted = true;
  ever_deleted_.insert(std::string(id));
  return {};
}

}  // namespace winnow::store
