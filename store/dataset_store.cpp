#include "store/dataset_store.hpp"

#include <algorithm>
#include <map>

#include "base/edit_distance.hpp"
#include "base/hash.hpp"
#include "base/instrument.hpp"
#include "store/dataset_files.hpp"
#include "store/market_shelf.hpp"

namespace winnow::store {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kNameMax = 100;
constexpr std::size_t kHashPrefixMin = 8;
constexpr std::size_t kSha256Digits = 64;

bool is_hash_prefix(std::string_view text) {
  return text.size() >= kHashPrefixMin && text.size() <= kSha256Digits &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

// The market of a content hash as the shelf has it.
std::vector<const MarketRecord*> members_of(const MarketShelf& shelf,
                                            std::string_view content_hash) {
  std::vector<const MarketRecord*> out;
  for (const std::vector<std::size_t>& members : shelf.markets()) {
    out.clear();
    bool found = false;
    for (const std::size_t i : members) {
      out.push_back(&shelf.records()[i]);
      found |= out.back()->content_hash == content_hash;
    }
    if (found) break;
  }
  return out;
}

// Days of [first, last] that some of the records reach over.
std::int64_t days_known(std::span<const MarketRecord* const> records, std::int64_t first,
                        std::int64_t last) {
  std::vector<std::pair<std::int64_t, std::int64_t>> ranges;
  for (const MarketRecord* r : records) ranges.emplace_back(r->first_day, r->last_day);
  std::sort(ranges.begin(), ranges.end());
  std::int64_t days = 0;
  std::int64_t next = first;
  for (const auto& [from, to] : ranges) {
    const std::int64_t begin = std::max(from, next);
    const std::int64_t end = std::min(to, last) + 1;
    if (begin >= end) continue;
    days += end - begin;
    next = end;
  }
  return days;
}

// Finds the market of columns that are to be stored, or are, and seals what is to be sealed.
// Requires: the writer's lock. Nothing is written but by shelf.write(). Fails: Refused, Corrupt,
// Io.
Result<MarketNote> admit(MarketShelf& shelf, const MarketView& columns, const Manifest& m,
                         const SealRequest& request, TimestampNs now) {
  const bool recorded = shelf.find(m.content_hash) != nullptr;
  if (!recorded) WINNOW_TRY(shelf.place(MarketRecord::of(m), columns));
  auto members = members_of(shelf, m.content_hash);
  MarketNote note{.id = members.front()->content_hash, .members = {}, .sealed_from_day = {}};
  SealCase facts{.first_day = utc_day(m.first),
                 .last_day = utc_day(m.last),
                 .sealed_from_day = {},
                 .now = now};
  for (const MarketRecord* record : members) {
    facts.decided |= record->found || !record->seals.empty();
    for (const SealEntry& seal : record->seals) {
      if (!seal.from_day) continue;
      facts.sealed_from_day =
          std::min(facts.sealed_from_day.value_or(*seal.from_day), *seal.from_day);
    }
    if (record->content_hash == m.content_hash) continue;
    const auto names = shelf.names_of(record->content_hash);
    note.members.push_back(names.empty() ? record->content_hash : names.front());
  }
  if (!recorded) {
    std::erase_if(members, [&](const auto* r) { return r->content_hash == m.content_hash; });
  }
  note.known = !members.empty();
  facts.days_known = days_known(members, facts.first_day, facts.last_day);
  auto seal = decide_seal(request, facts);
  if (!seal.ok()) return seal.error().within("dataset " + m.name);
  note.sealed_from_day = facts.sealed_from_day;
  if (*seal) {
    note.sealed_now = (*seal)->from_day.has_value();
    if (note.sealed_now) note.sealed_from_day = (*seal)->from_day;
    shelf.add_seal(m.content_hash, **std::move(seal));
  }
  return note;
}

// Without what only its name's history tells.
Manifest manifest_of(const MarketView& columns, const NewDataset& meta) {
  return {.name = meta.name,
          .content_hash = market_content_hash(columns),
          .instrument = meta.instrument,
          .interval = {columns.interval_ns},
          .format = meta.format,
          .bars = columns.size(),
          .funding_events = columns.funding.size(),
          .first = {columns.time_ns.front()},
          .last = {columns.time_ns.back()},
          .created = meta.created,
          .parent = {},
          .on_fault = meta.on_fault,
          .raw_files = meta.raw_stored,
          .faults = meta.faults,
          .repairs = meta.repairs,
          .notes = meta.notes,
          .truth_json = meta.truth_json,
          .sealed_from_day = {}};
}

}  // namespace

Result<DatasetStore> DatasetStore::open(const fs::path& folder) {
  std::error_code ignored;
  if (fs::exists(folder, ignored) && !fs::is_directory(folder, ignored)) {
    return Error(ErrorCode::Io, folder.string() + " is not a folder");
  }
  return DatasetStore(folder);
}

Status DatasetStore::check_name(std::string_view name) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  const bool ok = !name.empty() && name.size() <= kNameMax && plain(name[0]) &&
                  std::all_of(name.begin(), name.end(),
                              [&](char c) { return plain(c) || c == '.' || c == '_' || c == '-'; });
  if (ok) return {};
  return Error(ErrorCode::InvalidInput,
               "dataset name '" + std::string(name) +
                   "': 1 to 100 letters, digits, '.', '_' and '-' are allowed, the first a letter "
                   "or digit");
}

fs::path DatasetStore::raw_path(std::string_view sha256) const {
  return folder() / "raw" / (std::string(sha256) + ".zst");
}
fs::path DatasetStore::name_path(std::string_view name) const { return folder() / "names" / name; }

Error DatasetStore::not_found(std::string_view name) const {
  std::vector<std::pair<std::size_t, std::string>> near;
  for (std::string& known : names())
    near.emplace_back(edit_distance(name, known), std::move(known));
  std::sort(near.begin(), near.end());
  std::string text = "there is no dataset '" + std::string(name) + "'";
  if (near.empty()) {
    text += " (there is none yet); make one with `winnow data import` or `winnow data synth`";
  } else {
    text += near.size() == 1 ? "; there is " : "; nearest of " + std::to_string(near.size()) + ": ";
    for (std::size_t i = 0; i < std::min<std::size_t>(3, near.size()); ++i) {
      text += (i > 0 ? ", " : "") + near[i].second;
    }
  }
  return Error(ErrorCode::NotFound, text);
}

Result<Manifest> DatasetStore::read_manifest(const fs::path& file) const {
  auto text = read_whole_file(file);
  if (!text.ok()) return text.error();
  auto manifest = Manifest::from_json(*text);
  if (!manifest.ok()) return manifest.error().within(file.string());
  return manifest;
}

Result<Manifest> DatasetStore::current_manifest(std::string_view name) const {
  auto pointer = read_whole_file(name_path(name) / "current");
  if (!pointer.ok()) return pointer.error();
  std::string hash = *pointer;
  while (!hash.empty() && hash.back() == '\n') hash.pop_back();
  if (hash.size() != kSha256Digits || !is_hash_prefix(hash)) {
    return Error(ErrorCode::Corrupt,
                 (name_path(name) / "current").string() + ": not a content hash");
  }
  return read_manifest(name_path(name) / (hash + ".json"));
}

Result<Manifest> DatasetStore::manifest_by_hash(std::string_view prefix) const {
  std::map<std::string, fs::path> found;  // by content hash; equal columns under two names are one
  for (const std::string& name : names()) {
    std::error_code error;
    for (fs::directory_iterator it(name_path(name), error), end; !error && it != end;
         it.increment(error)) {
      const std::string stem = it->path().stem().string();
      if (it->path().extension() == ".json" && stem.starts_with(prefix)) found[stem] = it->path();
    }
  }
  if (found.empty()) return not_found(prefix);
  if (found.size() > 1) {
    return Error(ErrorCode::InvalidInput, "'" + std::string(prefix) + "' begins " +
                                              std::to_string(found.size()) +
                                              " content hashes; give more digits");
  }
  return read_manifest(found.begin()->second);
}

Result<Manifest> DatasetStore::manifest(std::string_view name_or_hash) const {
  std::error_code ignored;
  if (check_name(name_or_hash).ok() && fs::exists(name_path(name_or_hash) / "current", ignored)) {
    return current_manifest(name_or_hash);
  }
  if (is_hash_prefix(name_or_hash)) return manifest_by_hash(name_or_hash);
  return not_found(name_or_hash);
}

Result<std::vector<Manifest>> DatasetStore::list() const {
  std::vector<Manifest> out;
  for (const std::string& name : names()) {
    auto manifest = current_manifest(name);
    if (!manifest.ok()) return manifest.error();
    out.push_back(*std::move(manifest));
  }
  return out;
}

Result<std::vector<Manifest>> DatasetStore::versions(std::string_view name) const {
  if (auto current = manifest(name); !current.ok()) return current.error();
  std::vector<Manifest> out;
  std::error_code error;
  for (fs::directory_iterator it(name_path(name), error), end; !error && it != end;
       it.increment(error)) {
    if (it->path().extension() != ".json") continue;
    auto version = read_manifest(it->path());
    if (!version.ok()) return version.error();
    out.push_back(*std::move(version));
  }
  std::sort(out.begin(), out.end(), [](const Manifest& a, const Manifest& b) {
    return std::tie(a.created, a.content_hash) < std::tie(b.created, b.content_hash);
  });
  return out;
}

Result<Dataset> DatasetStore::load(std::string_view name_or_hash) const {
  auto found = manifest(name_or_hash);
  if (!found.ok()) return found.error();
  auto columns = MappedColumns::open(columns_file(found->content_hash));
  if (!columns.ok()) {
    return Error(ErrorCode::Corrupt, "dataset " + found->name + ": " + columns.error().text());
  }
  const MarketView& view = (*columns)->view();
  if (view.size() != found->bars || view.size() == 0 || view.time_ns.front() != found->first.ns ||
      view.time_ns.back() != found->last.ns || view.interval_ns != found->interval.ns ||
      view.funding.size() != found->funding_events) {
    return Error(ErrorCode::Corrupt, "dataset " + found->name + ": columns " + found->content_hash +
                                         " are not those of its manifest");
  }
  return Dataset(*std::move(found), *std::move(columns));
}

Result<PutOutcome> DatasetStore::put(const MarketView& columns, const NewDataset& meta) const {
  WINNOW_TRY(check_name(meta.name));
  if (meta.instrument.empty()) {
    return Error(ErrorCode::InvalidInput, "dataset " + meta.name + " needs an instrument");
  }
  if (Status status = check_market(columns); !status.ok()) {
    return status.error().within("dataset " + meta.name);
  }
  Manifest m = manifest_of(columns, meta);
  for (const fs::path& part : {fs::path("raw"), fs::path("columns"), fs::path("tmp")}) {
    WINNOW_TRY(make_folder(folder() / part));
  }
  auto lock = WriterLock::acquire(folder() / "writer.lock");
  if (!lock.ok()) return lock.error();
  if (!fs::exists(name_path(m.name) / "current")) {
    return put_version(columns, meta, std::move(m), PutKind::Created);
  }
  auto current = current_manifest(m.name);
  if (!current.ok()) return current.error();
  if (!same_instrument(current->instrument, m.instrument)) {
    return Error(ErrorCode::InvalidInput, "dataset " + m.name + " holds instrument " +
                                              current->instrument + ", not " + m.instrument +
                                              "; choose another name");
  }
  if (current->content_hash == m.content_hash) return put_again(columns, meta, *current);
  m.parent = current->content_hash;
  return put_version(columns, meta, std::move(m), PutKind::NewVersion);
}

// What is there already may have another seal from now on.
Result<PutOutcome> DatasetStore::put_again(const MarketView& columns, const NewDataset& meta,
                                           const Manifest& current) const {
  auto shelf = MarketShelf::read(files_);
  if (!shelf.ok()) return shelf.error();
  auto note = admit(*shelf, columns, current, meta.seal, meta.created);
  if (!note.ok()) return note.error();
  FileTransaction files(folder() / "tmp");
  WINNOW_TRY(shelf->write(files));
  files.keep();
  return PutOutcome{PutKind::Unchanged, current, *std::move(note)};
}

Result<PutOutcome> DatasetStore::put_version(const MarketView& columns, const NewDataset& meta,
                                             Manifest m, PutKind kind) const {
  // Only the holder of the lock writes there, so what is left is from a writer that died.
  for (fs::directory_iterator it(folder() / "tmp"), end; it != end; ++it) {
    std::error_code ignored;
    fs::remove(it->path(), ignored);
  }
  auto shelf = MarketShelf::read(files_);
  if (!shelf.ok()) return shelf.error();
  auto note = admit(*shelf, columns, m, meta.seal, meta.created);
  if (!note.ok()) return note.error();

  FileTransaction files(folder() / "tmp");
  // Before anything that could show a day of it: a crash may leave a seal without its dataset,
  // never a dataset without its seal.
  WINNOW_TRY(shelf->write(files));
  for (const RawSource& raw : meta.raw) {
    RawFile file{raw.name, raw.role, sha256_hex(raw.bytes), raw.bytes.size()};
    const auto listed = [&](const RawFile& f) { return f.sha256 == file.sha256; };
    if (std::any_of(m.raw_files.begin(), m.raw_files.end(), listed)) continue;
    if (!fs::exists(raw_path(file.sha256))) {
      WINNOW_TRY(files.write(raw_path(file.sha256), compress_bytes(raw.bytes)));
    }
    m.raw_files.push_back(std::move(file));
  }
  if (!fs::exists(columns_file(m.content_hash))) {
    const ColumnFile layout = layout_columns(columns);
    WINNOW_TRY(files.write(columns_file(m.content_hash), layout.pieces));
  }
  WINNOW_TRY(make_folder(name_path(m.name)));
  const fs::path manifest_file = name_path(m.name) / (m.content_hash + ".json");
  // Columns that come back after a detour keep the manifest they were first given.
  if (fs::exists(manifest_file)) {
    auto earlier = read_manifest(manifest_file);
    if (!earlier.ok()) return earlier.error();
    m = *std::move(earlier);
  } else {
    WINNOW_TRY(files.write(manifest_file, m.to_json()));
  }
  WINNOW_TRY(files.write(name_path(m.name) / "current", m.content_hash + "\n"));
  files.keep();
  return PutOutcome{kind, std::move(m), *std::move(note)};
}

Result<std::string> DatasetStore::raw_file(std::string_view sha256) const {
  auto packed = read_whole_file(raw_path(sha256));
  if (!packed.ok()) return packed.error();
  auto bytes = decompress_bytes(*packed);
  if (!bytes.ok()) return bytes.error().within(raw_path(sha256).string());
  if (sha256_hex(*bytes) != sha256) {
    return Error(ErrorCode::Corrupt, raw_path(sha256).string() + ": the bytes have another hash");
  }
  return bytes;
}

Status DatasetStore::verify(std::string_view name_or_hash) const {
  auto dataset = load(name_or_hash);
  if (!dataset.ok()) return dataset.error();
  const Manifest& m = dataset->manifest();
  auto mapped = MappedColumns::open(columns_file(m.content_hash));
  if (!mapped.ok()) return mapped.error();
  if (Status status = (*mapped)->verify(); !status.ok()) {
    return status.error().within(columns_file(m.content_hash).string());
  }
  if (const std::string hash = market_content_hash(dataset->view()); hash != m.content_hash) {
    return Error(ErrorCode::Corrupt,
                 columns_file(m.content_hash).string() + ": the columns hash to " + hash);
  }
  for (const RawFile& raw : m.raw_files) {
    auto bytes = raw_file(raw.sha256);
    if (bytes.ok() && bytes->size() == raw.bytes) continue;
    const std::string text = bytes.ok() ? "its size is not the recorded one" : bytes.error().text();
    return Error(ErrorCode::Corrupt, "raw file " + raw.name + ": " + text);
  }
  return MarketShelf::verify(files_, m.content_hash);
}

}  // namespace winnow::store
