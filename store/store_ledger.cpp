// The ledger beside its blocks: what backtests, restored stores and other homes bring to it.
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <system_error>

#include "base/text.hpp"
#include "store/store_rocks.hpp"

namespace winnow::store {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::string_view kBirthKind = "ledger";
constexpr std::string_view kBirthKey = "birth";
constexpr std::size_t kIdShown = 8;

TimestampNs earliest_commit(const std::vector<LedgerEntry>& entries) {
  TimestampNs out;
  for (const LedgerEntry& e : entries) {
    if (out.ns == 0 || e.first < out) out = e.first;
  }
  return out;
}

/// A name that sorts by time.
std::string join_key(const LedgerBirth& from, TimestampNs now) {
  char time[32];
  std::snprintf(time, sizeof time, "%020lld", static_cast<long long>(now.ns));
  return std::string(time) + "-" + from.id.substr(0, kIdShown);
}

}  // namespace

Result<std::optional<LedgerBirth>> RocksStore::ledger_birth() const {
  const auto text = document(kBirthKind, kBirthKey);
  if (!text.ok()) return text.error();
  if (!*text) return std::optional<LedgerBirth>();
  const Json json = parse_ordered_json(**text);
  if (!json.is_object() || !json.contains("id") || !json["id"].is_string() ||
      !json.contains("born_ns") || !json["born_ns"].is_number_integer()) {
    return Error(ErrorCode::Corrupt,
                 "store " + rocks_->dir().string() +
                     ": the birth of its ledger is not what this binary writes");
  }
  return std::optional(
      LedgerBirth{json["id"].get<std::string>(), {json["born_ns"].get<std::int64_t>()}});
}

HeadBeside read_head_beside(const fs::path& store) {
  HeadBeside out;
  const auto text = read_ledger_file(ledger_head_file(store));
  if (!text.ok()) {
    out.trouble = text.error().text();
  } else if (*text) {
    out.text = **text;
    auto head = parse_ledger_head(**text);
    if (head.ok()) {
      out.head = std::move(*head);
    } else {
      out.trouble = head.error().text();
    }
  }
  return out;
}

Status RocksStore::take_up_ledger(TimestampNs now) {
  const fs::path file = ledger_head_file(rocks_->dir());
  const std::optional<LedgerHead>& head = beside_.head;
  auto known = ledger_birth();
  if (!known.ok()) return known.error();
  LedgerBirth birth;
  if (*known) {
    birth = **known;
  } else {
    const TimestampNs first = earliest_commit(book_.entries());
    birth = head ? head->birth : new_ledger_birth(first.ns > 0 ? first : now);
    const Json json{{"id", birth.id}, {"born_ns", birth.born.ns}};
    // An old store on a full disk opens without; the next opening gives it one.
    if (!put_document(kBirthKind, kBirthKey, json_text(json)).ok()) return {};
  }
  keeper_ = std::make_unique<LedgerKeeper>(file, birth,
                                           options_.sync ? HeadSync::Yes : HeadSync::No, [this] {
                                             const std::scoped_lock lock(book_mutex_);
                                             return book_.entries();
                                           });
  std::error_code ec;
  if (head) {
    const bool other = head->birth.id != birth.id;
    const std::string why =
        other ? "the head beside the store was that of another ledger"
              : "the head beside the store said more than the store: an older copy was put there";
    const auto joined = join_ledger(head->birth, head->entries, why, now);
    if (!joined.ok()) return joined.error().within("taking back what " + file.string() + " says");
    if (other) {
      fs::rename(file, file.string() + ".of-" + head->birth.id.substr(0, kIdShown), ec);
    }
  }
  if (!beside_.trouble.empty()) {
    fs::rename(file, file.string() + ".damaged", ec);
    const Json record{{"time_ns", now.ns},
                      {"why", "the head beside the store was damaged: " + beside_.trouble}};
    WINNOW_TRY(note_join(birth, now, json_text(record)));
  }
  if (ledger_head_text(birth, book_.entries()) != beside_.text) keeper_->write();
  beside_ = {};
  return {};
}

Status RocksStore::note_join(const LedgerBirth& from, TimestampNs now, std::string_view text) {
  const std::string key = join_key(from, now);
  const auto there = document(kJoinKind, key);
  if (!there.ok()) return there.error();
  Json record = parse_ordered_json(text);
  if (*there) {
    // The same opening found both: one note, with the reason that came first.
    Json known = parse_ordered_json(**there);
    for (const auto& [name, value] : record.items()) {
      if (!known.contains(name)) known[name] = value;
    }
    record = std::move(known);
  }
  return put_document(kJoinKind, key, json_text(record));
}

void RocksStore::keep_ledger() {
  {
    const std::scoped_lock lock(book_mutex_);
    book_.keep();
  }
  if (keeper_ != nullptr) keeper_->changed();
}

Result<LedgerJoin> RocksStore::join_ledger(const LedgerBirth& from,
                                           std::span<const LedgerEntry> entries,
                                           std::string_view why, TimestampNs now) {
  WINNOW_TRY(check_writable());
  const std::scoped_lock writing(writing_mutex_);
  const auto own = ledger_birth();
  if (!own.ok()) return own.error();
  const LedgerBirth birth = own->value_or(LedgerBirth{});
  LedgerJoin out;
  for (const LedgerEntry& theirs : entries) {
    const LedgerEntry entry = entry_in_ledger(theirs, from, birth);
    const LedgerEntry* ours = book_.find(entry);
    // What is staged is written: nothing that stays as it was.
    if (!says_more(entry, ours != nullptr ? *ours : LedgerEntry{})) continue;
    const bool is_new = ours == nullptr;
    const auto gained = book_.stage_union(book_.stage_entry(entry), entry);
    if (!gained) continue;
    (is_new ? out.entries_new : out.entries_raised) += 1;
    out.trials += gained->trials;
    out.executions += gained->executions;
  }
  if (!out.changed()) {
    book_.drop();
    return out;
  }
  rocksdb::WriteBatch batch;
  for (const auto& [number, entry] : book_.staged()) {
    const std::string key = codec::number_key(number);
    batch.Put(rocks_->family(Family::Ledger), key, codec::encode_ledger(key, number, entry));
  }
  const Json record{{"time_ns", now.ns},
                    {"why", why},
                    {"from_id", from.id},
                    {"from_born_ns", from.born.ns},
                    {"entries_new", out.entries_new},
                    {"entries_raised", out.entries_raised},
                    {"trials", out.trials},
                    {"executions", out.executions}};
  const std::string note = document_key(kJoinKind, join_key(from, now));
  const std::string text = json_text(record);
  batch.Put(rocks_->family(Family::Meta), slice(note), codec::encode_texts(note, {&text, 1}));
  if (Status written = write_record(batch, "joining a ledger"); !written.ok()) {
    book_.drop();
    return written.error();
  }
  keep_ledger();
  return out;
}

Result<bool> RocksStore::count_backtest(const CountedTrial& trial, TimestampNs now) {
  WINNOW_TRY(check_writable());
  const std::scoped_lock writing(writing_mutex_);
  std::vector<std::optional<codec::KeyEntry>> known;
  WINNOW_TRY(index_.look_up({&trial.key, 1}, known));
  const bool fresh = !known.front();
  LedgerEntry name;
  name.dataset_hash = trial.dataset_hash;
  name.family = trial.family;
  name.sweep_id = kBacktestSweep;
  name.user = trial.user;
  const std::uint32_t number = book_.stage_entry(std::move(name));
  book_.stage_backtest(number, fresh ? LedgerBook::SeenBefore::No : LedgerBook::SeenBefore::Yes,
                       trial.status, now);
  rocksdb::WriteBatch batch;
  if (fresh) {
    const auto bytes = trial.key.bytes();
    const std::string_view key(bytes.data(), bytes.size());
    std::string value;
    codec::encode_key_entry(key, {.ledger_entry = number, .sweep = codec::kNoSweep}, value);
    batch.Put(rocks_->family(Family::Keys), slice(key), value);
  }
  const std::string key = codec::number_key(number);
  batch.Put(rocks_->family(Family::Ledger), key,
            codec::encode_ledger(key, number, book_.entry(number)));
  if (Status written = write_record(batch, "counting a backtest"); !written.ok()) {
    book_.drop();
    return written.error();
  }
  keep_ledger();
  return fresh;
}

// A reader cannot write back what the head knows and the store lost, but says it.
std::vector<LedgerEntry> RocksStore::with_head(std::vector<LedgerEntry> entries) const {
  const std::optional<LedgerHead>& head = beside_.head;
  if (!head) return entries;
  const auto birth = ledger_birth();
  if (!birth.ok()) return entries;
  LedgerBook book;
  std::vector<std::pair<std::uint32_t, LedgerEntry>> numbered;
  for (LedgerEntry& entry : entries) {
    numbered.emplace_back(static_cast<std::uint32_t>(numbered.size()), std::move(entry));
  }
  // Dense numbers are never refused.
  if (!book.load(std::move(numbered)).ok()) return entries;
  for (const LedgerEntry& theirs : head->entries) {
    const LedgerEntry entry = entry_in_ledger(theirs, head->birth, birth->value_or(head->birth));
    (void)book.stage_union(book.stage_entry(entry), entry);
  }
  book.keep();
  return book.entries();
}

Result<LedgerStamp> RocksStore::ledger_stamp() const {
  const auto entries = ledger_entries();
  if (!entries.ok()) return entries.error();
  const auto birth = ledger_birth();
  if (!birth.ok()) return birth.error();
  LedgerStamp out;
  if (*birth) {
    out.birth = **birth;
  } else {
    out.birth.born = earliest_commit(*entries);
  }
  for (const LedgerEntry& e : *entries) out.trials += e.trials;
  out.entries = entries->size();
  out.head = ledger_head_hash(out.birth, *entries);
  return out;
}

}  // namespace winnow::store
