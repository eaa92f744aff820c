#include <algorithm>
#include <map>
#include <set>

#include "store/codec_columns.hpp"
#include "store/log_files.hpp"
#include "store/store_rocks.hpp"

namespace winnow::store {
namespace {

constexpr std::uint64_t kProgressEvery = 1'000'000;

rocksdb::ReadOptions whole_options(const rocksdb::Snapshot* snapshot) {
  rocksdb::ReadOptions o;
  o.snapshot = snapshot;
  o.fill_cache = false;
  o.readahead_size = std::size_t{2} << 20;
  return o;
}

std::string plural(std::uint64_t n, std::string_view noun) {
  return std::to_string(n) + " " + std::string(noun) + (n == 1 ? "" : "s");
}

}  // namespace

/// Purpose: one pass over everything the store holds. Thread: one; no commit beside it, as the keys
/// in memory are counted too.
class Verifier {
 public:
  Verifier(const RocksStore& store, const std::function<void(std::string_view)>& progress)
      : store_(store), progress_(progress), snapshot_(store.db().GetSnapshot()) {}
  ~Verifier() { store_.db().ReleaseSnapshot(snapshot_); }

  Status run();

 private:
  Status steps();
  struct Tally {
    std::uint64_t trials = 0;
    std::uint64_t executions = 0;
    std::uint64_t failed = 0;
  };
  Status files();
  Status records();
  Status blocks();
  Status block(std::uint32_t sweep, std::uint64_t number, const codec::BlockHeader& header);
  Status panels();
  Status count_values(Family family, std::uint64_t expected, std::string_view what);
  Status key_index();
  Status key_entry(const codec::KeyEntry& entry);
  Status deletions();
  Status ledger();
  Status ledger_entry(std::string_view where, const LedgerEntry& entry, const Tally& counted) const;
  Status ledger_head() const;
  Status record() const;
  std::unique_ptr<rocksdb::Iterator> iterate(Family family) const {
    return std::unique_ptr<rocksdb::Iterator>(
        store_.db().NewIterator(whole_options(snapshot_), store_.rocks_->family(family)));
  }
  Error corrupt(std::string_view text) const {
    return Error(ErrorCode::Corrupt,
                 "store " + store_.rocks_->dir().string() + ": " + std::string(text));
  }
  std::string place(std::uint32_t sweep, std::uint64_t block) const {
    return "sweep " + store_.sweep_name(sweep).value_or("number " + std::to_string(sweep)) +
           ", block " + std::to_string(block);
  }
  Status scan_error(const rocksdb::Iterator& it, std::string_view what) const {
    if (it.status().ok()) return {};
    return store_.rocks_failure(it.status(), "verifying " + std::string(what));
  }

  const RocksStore& store_;
  const std::function<void(std::string_view)>& progress_;
  const rocksdb::Snapshot* snapshot_;
  std::map<std::uint32_t, Tally> tallies_;  ///< by ledger entry
  std::uint64_t block_count_ = 0;
  std::uint64_t column_count_ = 0;
  std::uint64_t panel_count_ = 0;
  std::uint64_t curve_count_ = 0;
  std::uint64_t exposure_count_ = 0;
  std::uint64_t key_count_ = 0;
  /// Blocks that are there, of sweeps that were deleted once.
  std::map<std::uint32_t, std::set<std::uint64_t>> run_again_;
  std::uint64_t orphan_count_ = 0;  ///< keys whose result was deleted, or only shown
  std::vector<LedgerEntry> ledger_;
};

Status Verifier::run() {
  Status found = steps();
  if (found.ok() || found.error().code() != ErrorCode::Corrupt) return found;
  // RocksDB checks blobs when it reads them, and then says neither file nor place.
  const Status blobs = check_blob_files(store_.rocks_->dir());
  if (blobs.ok()) return found;
  return Error(ErrorCode::Corrupt, found.error().text() + "; " + blobs.error().text());
}

Status Verifier::steps() {
  WINNOW_TRY(files());
  WINNOW_TRY(records());
  WINNOW_TRY(blocks());
  WINNOW_TRY(panels());
  WINNOW_TRY(key_index());
  WINNOW_TRY(deletions());
  WINNOW_TRY(ledger());
  WINNOW_TRY(ledger_head());
  WINNOW_TRY(record());
  progress_("everything is as it was written");
  return {};
}

// RocksDB's own checksums: every block of every table file, which names the file at fault.
Status Verifier::files() {
  progress_("logs and manifest");
  WINNOW_TRY(check_log_files(store_.rocks_->dir()));
  progress_("checksums of all table files");
  const rocksdb::Status status = store_.db().VerifyChecksum();
  if (!status.ok()) return store_.rocks_failure(status, "verifying its files");
  return {};
}

// Small records: each decodes, which checks its checksum.
Status Verifier::records() {
  progress_("sweeps, documents and alarms");
  auto sweeps = store_.sweeps();
  if (!sweeps.ok()) return sweeps.error();
  auto alarms = store_.alarms();
  if (!alarms.ok()) return alarms.error();
  const auto it = iterate(Family::Meta);
  for (it->Seek(slice(kDocumentPrefix));
       it->Valid() && it->key().starts_with(slice(kDocumentPrefix)); it->Next()) {
    const auto texts = codec::decode_texts(view(it->key()), view(it->value()));
    if (!texts.ok()) {
      return corrupt("document " + it->key().ToString(/*hex=*/true) + ": " + texts.error().text());
    }
  }
  return scan_error(*it, "documents");
}

// Every header's parts are there and hash to what was committed; no part is without a header.
Status Verifier::blocks() {
  progress_("blocks");
  const auto it = iterate(Family::Blocks);
  std::uint64_t rows = 0;
  for (it->SeekToFirst(); it->Valid(); it->Next()) {
    const std::uint64_t number = codec::block_of_key(view(it->key()));
    const std::uint32_t sweep = codec::sweep_of_key(view(it->key()));
    auto header = codec::decode_header(view(it->key()), view(it->value()));
    if (!header.ok()) {
      return corrupt(place(sweep, number) + ", its header: " + header.error().text());
    }
    WINNOW_TRY(block(sweep, number, *header));
    const std::uint64_t before = rows / kProgressEvery;
    rows += header->rows;
    if (rows / kProgressEvery != before) {
      progress_(plural(block_count_, "block") + ", " + plural(rows, "trial") + " verified");
    }
  }
  WINNOW_TRY(scan_error(*it, "blocks"));
  const auto columns = iterate(Family::Metrics);
  std::uint64_t found = 0;
  for (columns->SeekToFirst(); columns->Valid(); columns->Next()) ++found;
  WINNOW_TRY(scan_error(*columns, "columns"));
  if (found != column_count_) {
    return corrupt(std::to_string(found) + " columns are stored, the blocks have " +
                   std::to_string(column_count_));
  }
  progress_(plural(block_count_, "block") + ", " + plural(rows, "trial") + " verified");
  return {};
}

Status Verifier::block(std::uint32_t sweep, std::uint64_t number,
                       const codec::BlockHeader& header) {
  const auto name = store_.sweep_name(sweep);
  if (!name) return corrupt(place(sweep, number) + ": its sweep is missing");
  auto stored = store_.read_block(*name, number, Store::kAllParts);
  if (!stored.ok()) return stored.error().within(place(sweep, number));
  if (stored->content_hash() != header.content) {
    return corrupt(place(sweep, number) + ": its columns do not hash to the committed content");
  }
  ++block_count_;
  if (store_.ever_deleted(sweep)) run_again_[sweep].insert(number);
  column_count_ += header.metric_count + std::uint64_t{1} + (header.status.empty() ? 0 : 1);
  panel_count_ += header.periods > 0 ? 1 : 0;
  curve_count_ += stored->points.empty() ? 0 : 1;
  exposure_count_ += stored->exposures.empty() ? 0 : 1;
  Tally& tally = tallies_[header.ledger_entry];
  tally.executions += header.rows;
  tally.failed += static_cast<std::uint64_t>(
      std::count_if(header.status.begin(), header.status.end(), has_failed));
  // Each row's key is in the index, at this row or at an earlier one of another block.
  std::vector<LedgerKey> own = stored->keys;
  for (LedgerKey& key : own) key = with_edition(key, header.edition);
  std::vector<LedgerKey> keys = own;
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  std::vector<std::optional<codec::KeyEntry>> entries;
  WINNOW_TRY(store_.index_.look_up(keys, entries));
  for (std::size_t k = 0; k < keys.size(); ++k) {
    if (!entries[k]) {
      return corrupt(place(sweep, number) + ": trial key " + keys[k].hex() +
                     " is not in the key index");
    }
    if (entries[k]->sweep != sweep || entries[k]->block != number) continue;
    if (entries[k]->row >= header.rows || own[entries[k]->row] != keys[k]) {
      return corrupt("key index: " + keys[k].hex() + " names " + place(sweep, number) + ", row " +
                     std::to_string(entries[k]->row) + ", which has another key");
    }
    ++tallies_[entries[k]->ledger_entry].trials;
    ++key_count_;
  }
  return {};
}

Status Verifier::panels() {
  WINNOW_TRY(count_values(Family::Returns, panel_count_, "panels of returns"));
  WINNOW_TRY(count_values(Family::Exposures, exposure_count_, "panels of exposures"));
  return count_values(Family::Points, curve_count_, "blocks of points");
}

Status Verifier::count_values(Family family, std::uint64_t expected, std::string_view what) {
  if (!store_.rocks_->has(family)) return {};
  const auto it = iterate(family);
  std::uint64_t found = 0;
  for (it->SeekToFirst(); it->Valid(); it->Next()) ++found;
  WINNOW_TRY(scan_error(*it, kFamilyNames[static_cast<std::size_t>(family)]));
  if (found == expected) return {};
  return corrupt(std::to_string(found) + " " + std::string(what) + " are stored, the blocks have " +
                 std::to_string(expected));
}

// A key whose result was deleted with its sweep is still a trial that was made.
Status Verifier::key_entry(const codec::KeyEntry& entry) {
  const bool kept = entry.sweep != codec::kNoSweep;
  if (kept && !store_.ever_deleted(entry.sweep)) return {};
  const auto there = run_again_.find(entry.sweep);
  if (there != run_again_.end() && there->second.contains(entry.block)) return {};
  ++orphan_count_;
  ++tallies_[entry.ledger_entry].trials;
  return {};
}

// What deletions took away was counted, too.
Status Verifier::deletions() {
  const auto ids = store_.document_keys(kDeletedKind, {});
  if (!ids.ok()) return ids.error();
  for (const std::string& id : *ids) {
    const auto entries = store_.deleted_entries(id);
    if (!entries.ok()) return corrupt(entries.error().text());
    for (const auto& [number, counts] : *entries) {
      tallies_[number].executions += counts.executions;
      tallies_[number].failed += counts.failed;
    }
  }
  return {};
}

// The blocks led to key_count_ entries that point back at them: there must be no others but those
// of deleted results.
Status Verifier::key_index() {
  progress_("key index");
  std::uint64_t found = 0;
  const auto it = iterate(Family::Keys);
  for (it->SeekToFirst(); it->Valid(); it->Next()) {
    const auto entry = codec::decode_key_entry(view(it->key()), view(it->value()));
    if (!entry.ok()) {
      return corrupt("key index, " + it->key().ToString(/*hex=*/true) + ": " +
                     entry.error().text());
    }
    ++found;
    WINNOW_TRY(key_entry(*entry));
  }
  WINNOW_TRY(scan_error(*it, "the key index"));
  WINNOW_TRY(
      store_.index_.each_pending([&](const TrialKey&, const codec::KeyEntry& entry) -> Status {
        ++found;
        return key_entry(entry);
      }));
  if (found != key_count_ + orphan_count_) {
    return corrupt("the key index has " + std::to_string(found) + " keys, the blocks have " +
                   std::to_string(key_count_) + " distinct ones" +
                   (orphan_count_ > 0
                        ? " and deleted sweeps and backtests had " + std::to_string(orphan_count_)
                        : std::string()));
  }
  progress_(plural(found, "trial key") + " verified" +
            (orphan_count_ > 0
                 ? ", " + std::to_string(orphan_count_) + " of them of deleted results or backtests"
                 : std::string()));
  return {};
}

Status Verifier::ledger() {
  progress_("ledger");
  std::map<std::uint32_t, Tally> left = tallies_;
  const auto it = iterate(Family::Ledger);
  for (it->SeekToFirst(); it->Valid(); it->Next()) {
    const std::string where =
        "ledger entry " + std::to_string(codec::block_of_key(view(it->key())));
    const auto record = codec::decode_ledger(view(it->key()), view(it->value()));
    if (!record.ok()) return corrupt(where + ": " + record.error().text());
    const Tally counted = left[record->number];
    left.erase(record->number);
    WINNOW_TRY(ledger_entry(where, record->entry, counted));
    ledger_.push_back(record->entry);
  }
  WINNOW_TRY(scan_error(*it, "the ledger"));
  if (left.empty()) return {};
  return corrupt("ledger entry " + std::to_string(left.begin()->first) +
                 " is missing; blocks were counted under it");
}

// What no block stands for is said beside the counts: results that were lost, joined or only shown.
Status Verifier::ledger_entry(std::string_view where, const LedgerEntry& entry,
                              const Tally& counted) const {
  const UnbackedCounts& unbacked = entry.unbacked;
  if (entry.trials == counted.trials + unbacked.trials &&
      entry.executions == counted.executions + unbacked.executions &&
      entry.failed == counted.failed + unbacked.failed) {
    return {};
  }
  std::string text =
      std::string(where) + " (" + entry.family + ", sweep " + entry.sweep_id + ") says " +
      plural(entry.trials, "trial") + " in " + plural(entry.executions, "execution") + " with " +
      plural(entry.failed, "failure") + ", the blocks have " + std::to_string(counted.trials) +
      ", " + std::to_string(counted.executions) + " and " + std::to_string(counted.failed);
  if (unbacked != UnbackedCounts{}) {
    text += "; it says that " + std::to_string(unbacked.trials) + ", " +
            std::to_string(unbacked.executions) + " and " + std::to_string(unbacked.failed) +
            " have no block";
  }
  return corrupt(std::move(text));
}

// Nothing that was opened or shown is missing. A writer has taken back what was.
Status Verifier::record() const {
  progress_("the record beside the store");
  if (store_.on_record_.empty()) return {};
  const auto& [first, text] = *store_.on_record_.begin();
  return corrupt("what is on record of openings and days shrank: " +
                 record_file(store_.rocks_->dir()).string() + " says more of " +
                 plural(store_.on_record_.size(), "document") + ", the first is " + first.first +
                 " " + first.second +
                 ". An older copy of the store was put in its place; opening it for writing takes "
                 "back what the record says");
}

// The ledger has not shrunk since its head was written. A reader's head is the one that lay there
// when it opened; a writer's is the one that it wrote.
Status Verifier::ledger_head() const {
  progress_("the ledger's head beside the store");
  const auto file = ledger_head_file(store_.rocks_->dir());
  const HeadBeside beside =
      store_.options_.read_only ? store_.beside_ : read_head_beside(store_.rocks_->dir());
  const std::string name = "the ledger's head " + file.string();
  if (!beside.trouble.empty()) {
    return corrupt(name + " is damaged (" + beside.trouble +
                   "); opening the store for writing puts it aside and writes it anew");
  }
  if (!beside.head) {
    progress_("there is none: nothing says what the ledger was before");
    return {};
  }
  const auto birth = store_.ledger_birth();
  if (!birth.ok()) return birth.error();
  const auto born = [](const LedgerBirth& b) {
    return "born " + format_timestamp(b.born) + " with id " + b.id;
  };
  if (*birth && (*birth)->id != beside.head->birth.id) {
    return corrupt(name + " is that of another ledger, " + born(beside.head->birth) +
                   "; the store's is " + born(**birth) +
                   ". Opening the store for writing joins the two");
  }
  LedgerBook book;
  std::vector<std::pair<std::uint32_t, LedgerEntry>> numbered;
  for (const LedgerEntry& entry : ledger_) {
    numbered.emplace_back(static_cast<std::uint32_t>(numbered.size()), entry);
  }
  WINNOW_TRY(book.load(std::move(numbered)));
  for (const LedgerEntry& then : beside.head->entries) {
    const LedgerEntry* now = book.find(then);
    const LedgerEntry none;
    const LedgerEntry& there = now != nullptr ? *now : none;
    if (there.trials >= then.trials && there.executions >= then.executions) continue;
    return corrupt("the ledger shrank: " + then.family + " on dataset " + then.dataset_hash +
                   ", sweep " + then.sweep_id + ", user " + then.user + " has " +
                   plural(there.trials, "trial") + " in " + plural(there.executions, "execution") +
                   ", but " + file.string() + " says " + plural(then.trials, "trial") + " in " +
                   plural(then.executions, "execution") +
                   ". An older copy of the store was put in its place; opening it for writing "
                   "takes back what the head says");
  }
  return {};
}

Status RocksStore::verify(const std::function<void(std::string_view)>& progress) const {
  auto loaded = index();
  if (!loaded.ok()) return loaded.error();
  WINNOW_TRY((*loaded)->settle());
  return Verifier(*this, progress).run();
}

}  // namespace winnow::store
