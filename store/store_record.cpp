// Documents on record: they outlive an older copy of the store.
#include <nlohmann/json.hpp>
#include <system_error>

#include "base/text.hpp"
#include "store/store_rocks.hpp"

namespace winnow::store {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

// How far the record beside the store is in the store.
constexpr std::string_view kMarkKind = "record";
constexpr std::string_view kMarkKey = "mark";

/// A document on record only grows.
bool says_more_than(const std::string& text, const std::optional<std::string>& there) {
  return !there || text.size() > there->size();
}

}  // namespace

std::uint64_t RocksStore::record_mark() const {
  const auto text = document(kMarkKind, kMarkKey);
  if (!text.ok() || !*text) return 0;
  const Json json = parse_ordered_json(**text);
  if (!json.is_object() || !json.value("bytes", Json()).is_number_unsigned()) return 0;
  return json["bytes"];
}

Status RocksStore::put_on_record(std::string_view kind, std::string_view key,
                                 std::string_view text) {
  // The record first: what is not in the store yet is taken from there at the next opening.
  if (record_ != nullptr) {
    WINNOW_TRY(record_->add({std::string(kind), std::string(key), std::string(text)}));
  }
  if (record_ == nullptr) return put_document(kind, key, text);
  rocksdb::WriteBatch batch;
  stage_document(kind, key, text, batch);
  stage_document(kMarkKind, kMarkKey, mark_text(), batch);
  return write_record(batch, "writing document " + std::string(kind) + "/" + std::string(key));
}

std::string RocksStore::mark_text() const { return json_text(Json{{"bytes", record_->end()}}); }

void RocksStore::stage_document(std::string_view kind, std::string_view key, std::string_view text,
                                rocksdb::WriteBatch& batch) const {
  const std::string at = document_key(kind, key);
  const std::string one(text);
  batch.Put(rocks_->family(Family::Meta), slice(at), codec::encode_texts(at, {&one, 1}));
}

Status RocksStore::look_beside() {
  const auto tail = read_record(record_file(rocks_->dir()), record_mark());
  if (!tail.ok()) return tail.error();
  const auto birth = ledger_birth();
  if (!birth.ok()) return birth.error();
  if (!*birth || tail->birth_id != (*birth)->id) return {};
  for (const RecordLine& line : tail->lines) {
    if (!is_record_kind(line.kind)) continue;
    const auto there = document(line.kind, line.key);
    if (!there.ok()) return there.error();
    if (says_more_than(line.text, *there)) on_record_[{line.kind, line.key}] = line.text;
  }
  return {};
}

Status RocksStore::take_up_record(TimestampNs now) {
  const fs::path file = record_file(rocks_->dir());
  const auto birth = ledger_birth();
  if (!birth.ok()) return birth.error();
  if (!*birth) return {};  // an old store on a full disk: the next opening gives it one
  const std::uint64_t mark = record_mark();
  auto tail = read_record(file, mark);
  if (tail.ok() && tail->birth_id != (*birth)->id) tail = read_record(file, 0);
  if (!tail.ok()) return tail.error();
  const bool other = !tail->birth_id.empty() && tail->birth_id != (*birth)->id;
  const bool lost = tail->end < mark;
  std::uint64_t taken = 0;
  for (const RecordLine& line : tail->lines) {
    // Of another ledger's record days alone mean the same here.
    const bool days = line.kind == "shown" || line.kind == "seal";
    if (!is_record_kind(line.kind) || (other && !days)) continue;
    const auto there = document(line.kind, line.key);
    if (!there.ok()) return there.error();
    if (!says_more_than(line.text, *there)) continue;
    WINNOW_TRY(put_document(line.kind, line.key, line.text));
    ++taken;
  }
  std::error_code ec;
  if (other || lost || tail->damaged > 0) {
    const std::string how = other ? ".of-" + tail->birth_id.substr(0, 8) : ".damaged";
    fs::rename(file, file.string() + how, ec);
    tail->end = 0;
  }
  record_ = std::make_unique<RecordWriter>(file, (*birth)->id, tail->end,
                                           options_.sync ? HeadSync::Yes : HeadSync::No);
  if (tail->end == 0) WINNOW_TRY(write_whole_record());
  if (taken > 0 || other || lost || tail->damaged > 0) {
    const std::string why =
        other               ? "the record beside the store was that of another ledger"
        : tail->damaged > 0 ? "the record beside the store was damaged"
        : lost ? "the record beside the store said less than the store: it was made again"
               : "the record beside the store said more than the store: an older copy was put "
                 "there";
    WINNOW_TRY(note_join(**birth, now,
                         json_text(Json{{"time_ns", now.ns},
                                        {"why", why},
                                        {"documents", taken},
                                        {"lines_damaged", tail->damaged}})));
  }
  return record_->end() == mark ? Status() : put_document(kMarkKind, kMarkKey, mark_text());
}

Status RocksStore::write_whole_record() {
  for (const std::string_view kind : kRecordKinds) {
    const auto keys = document_keys(kind, {});
    if (!keys.ok()) return keys.error();
    for (const std::string& key : *keys) {
      const auto text = document(kind, key);
      if (!text.ok()) return text.error();
      if (*text) WINNOW_TRY(record_->add({std::string(kind), key, **text}));
    }
  }
  return {};
}

}  // namespace winnow::store
