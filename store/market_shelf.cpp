#include "store/market_shelf.hpp"

#include <algorithm>
#include <numeric>

#include "base/check.hpp"
#include "base/instrument.hpp"
#include "store/dataset_columns.hpp"
#include "store/dataset_files.hpp"

namespace winnow::store {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kRecordEnding = ".json";
constexpr std::string_view kPrintEnding = ".print";

/// Whether prints could have anything in common: a lag reaches a day to both sides.
bool days_meet(const MarketRecord& a, const MarketRecord& b) {
  return a.first_day <= b.last_day + 1 && b.first_day <= a.last_day + 1;
}

MarketLikeness by_name(const MarketRecord& a, const MarketRecord& b) {
  MarketLikeness out;
  out.same = same_instrument(a.instrument, b.instrument);
  return out;
}

/// Joins numbers into groups.
class Groups {
 public:
  explicit Groups(std::size_t count) : parent_(count) {
    std::iota(parent_.begin(), parent_.end(), std::size_t{0});
  }
  std::size_t root(std::size_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  void join(std::size_t a, std::size_t b) {
    const std::size_t ra = root(a);
    const std::size_t rb = root(b);
    parent_[std::max(ra, rb)] = std::min(ra, rb);
  }

 private:
  std::vector<std::size_t> parent_;
};

Groups groups_of(const std::vector<MarketRecord>& records,
                 const std::map<std::string, std::size_t, std::less<>>& places) {
  Groups out(records.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    for (const MarketLink& link : records[i].links) {
      const auto other = places.find(link.content_hash);
      if (other != places.end()) out.join(i, other->second);
    }
  }
  return out;
}

}  // namespace

fs::path MarketShelf::path_of(std::string_view content_hash, std::string_view ending) const {
  return folder_ / (std::string(content_hash) + std::string(ending));
}

Result<MarketShelf> MarketShelf::read(const DatasetFolder& datasets) {
  MarketShelf out(datasets.folder() / "markets");
  WINNOW_TRY(out.read_records());
  out.read_names(datasets);
  WINNOW_TRY(out.adopt_others(datasets));
  return out;
}

Result<MarketRecord> MarketShelf::read_record(const fs::path& file) const {
  const auto text = read_whole_file(file);
  if (!text.ok()) return text.error();
  auto record = MarketRecord::from_text(*text);
  if (record.ok()) return record;
  return Error(ErrorCode::Corrupt,
               file.string() + ": " + record.error().text() +
                   "; what it says of a seal cannot be guessed, so put the file back from a copy, "
                   "or remove it to give up what it says");
}

Status MarketShelf::verify(const DatasetFolder& datasets, std::string_view content_hash) {
  const MarketShelf shelf(datasets.folder() / "markets");
  const auto record = shelf.read_record(shelf.path_of(content_hash, kRecordEnding));
  if (!record.ok() && record.error().code() != ErrorCode::NotFound) return record.error();
  if (record.ok() && record->content_hash != content_hash) {
    return Error(ErrorCode::Corrupt, shelf.path_of(content_hash, kRecordEnding).string() +
                                         ": this is the record of " + record->content_hash);
  }
  const auto print = shelf.print_of(content_hash);
  return print.ok() ? Status() : Status(print.error());
}

Status MarketShelf::read_records() {
  std::error_code error;
  for (fs::directory_iterator it(folder_, error), end; !error && it != end; it.increment(error)) {
    if (it->path().extension() != kRecordEnding) continue;
    auto record = read_record(it->path());
    if (!record.ok()) return record.error();
    records_.push_back(*std::move(record));
  }
  std::sort(records_.begin(), records_.end(), [](const MarketRecord& a, const MarketRecord& b) {
    return std::tie(a.number, a.content_hash) < std::tie(b.number, b.content_hash);
  });
  for (std::size_t i = 0; i < records_.size(); ++i) places_[records_[i].content_hash] = i;
  return {};
}

void MarketShelf::read_names(const DatasetFolder& datasets) {
  for (const std::string& name : datasets.names()) {
    std::error_code error;
    for (fs::directory_iterator it(datasets.folder() / "names" / name, error), end;
         !error && it != end; it.increment(error)) {
      const fs::path& file = it->path();
      if (file.extension() != ".json") continue;
      const std::string hash = file.stem().string();
      if (is_content_hash(hash)) names_[hash].push_back(name);
    }
  }
}

Status MarketShelf::adopt_others(const DatasetFolder& datasets) {
  std::vector<Manifest> found;
  for (const auto& [hash, names] : names_) {
    if (places_.contains(hash)) continue;
    const auto text =
        read_whole_file(datasets.folder() / "names" / names.front() / (hash + ".json"));
    // A manifest that cannot be read is a dataset that cannot be used: it goes by its hash alone.
    if (!text.ok()) continue;
    if (auto manifest = Manifest::from_json(*text); manifest.ok()) found.push_back(*manifest);
  }
  std::sort(found.begin(), found.end(), [](const Manifest& a, const Manifest& b) {
    return std::tie(a.created, a.content_hash) < std::tie(b.created, b.content_hash);
  });
  for (const Manifest& m : found) {
    MarketRecord record = MarketRecord::of(m);
    record.found = true;
    const auto columns = MappedColumns::open(datasets.columns_file(m.content_hash));
    if (columns.ok()) {
      WINNOW_TRY(place(std::move(record), (*columns)->view()));
      continue;
    }
    // Damaged or on its way: known by its name now, and by its prices once it is whole.
    WINNOW_TRY(add(std::move(record), nullptr));
  }
  return {};
}

std::span<const std::string> MarketShelf::names_of(std::string_view content_hash) const {
  const auto found = names_.find(content_hash);
  if (found == names_.end()) return {};
  return found->second;
}

const MarketRecord* MarketShelf::find(std::string_view content_hash) const {
  const auto found = places_.find(content_hash);
  return found == places_.end() ? nullptr : &records_[found->second];
}

std::vector<std::vector<std::size_t>> MarketShelf::markets() const {
  Groups groups = groups_of(records_, places_);
  std::map<std::size_t, std::vector<std::size_t>> by_root;  // the root is the first of its group
  for (std::size_t i = 0; i < records_.size(); ++i) by_root[groups.root(i)].push_back(i);
  std::vector<std::vector<std::size_t>> out;
  for (auto& [root, members] : by_root) out.push_back(std::move(members));
  return out;
}

Result<std::optional<MarketPrint>> MarketShelf::print_of(std::string_view content_hash) const {
  if (const auto fresh = fresh_prints_.find(content_hash); fresh != fresh_prints_.end()) {
    return std::optional<MarketPrint>(fresh->second);
  }
  const fs::path file = path_of(content_hash, kPrintEnding);
  const auto bytes = read_whole_file(file);
  if (!bytes.ok() && bytes.error().code() == ErrorCode::NotFound) {
    return std::optional<MarketPrint>();
  }
  if (!bytes.ok()) return bytes.error();
  auto print = unpack_print(*bytes, content_hash);
  if (!print.ok()) {
    return Error(ErrorCode::Corrupt, file.string() + ": " + print.error().text() +
                                         "; put it back from a copy, or remove it to have that "
                                         "dataset known by its instrument's name alone");
  }
  return std::optional<MarketPrint>(*std::move(print));
}

Status MarketShelf::place(MarketRecord newcomer, const MarketView& view) {
  MarketPrint print = print_market(view);
  const std::string hash = newcomer.content_hash;
  WINNOW_TRY(add(std::move(newcomer), &print));
  to_write_[hash] = true;
  fresh_prints_[hash] = std::move(print);
  return {};
}

Status MarketShelf::add(MarketRecord newcomer, const MarketPrint* print) {
  newcomer.number = records_.empty() ? 1 : records_.back().number + 1;
  Groups groups = groups_of(records_, places_);
  std::map<std::size_t, bool> joined;
  // The latest first: most newcomers are the next version of what came last.
  for (std::size_t i = records_.size(); i-- > 0;) {
    const MarketRecord& other = records_[i];
    const std::size_t root = groups.root(i);
    if (joined.contains(root)) continue;
    MarketLikeness like = by_name(newcomer, other);
    if (print != nullptr && days_meet(newcomer, other)) {
      const auto theirs = print_of(other.content_hash);
      if (!theirs.ok()) return theirs.error();
      if (*theirs) {
        like = compare_markets({*print, newcomer.instrument}, {**theirs, other.instrument});
      }
    }
    if (!like.same) continue;
    joined[root] = true;
    newcomer.links.push_back({other.content_hash, like});
  }
  places_[newcomer.content_hash] = records_.size();
  records_.push_back(std::move(newcomer));
  return {};
}

void MarketShelf::add_seal(std::string_view content_hash, SealEntry seal) {
  WINNOW_REQUIRES(places_.contains(content_hash));
  MarketRecord& record = records_[places_.find(content_hash)->second];
  record.seals.push_back(std::move(seal));
  to_write_[record.content_hash] = true;
}

Status MarketShelf::write(FileTransaction& files) const {
  if (to_write_.empty()) return {};
  WINNOW_TRY(make_folder(folder_));
  // The print first: a record without one would be known by its name alone.
  for (const auto& [hash, print] : fresh_prints_) {
    WINNOW_TRY(files.write(path_of(hash, kPrintEnding), pack_print(print, hash)));
  }
  for (const auto& [hash, wanted] : to_write_) {
    WINNOW_TRY(files.write(path_of(hash, kRecordEnding), find(hash)->to_text()));
  }
  return {};
}

Result<std::optional<MarketLikeness>> MarketShelf::likeness(const MarketRecord& a,
                                                            const MarketRecord& b) const {
  const auto print_a = print_of(a.content_hash);
  if (!print_a.ok()) return print_a.error();
  const auto print_b = print_of(b.content_hash);
  if (!print_b.ok()) return print_b.error();
  if (!*print_a || !*print_b) return std::optional<MarketLikeness>();
  return std::optional<MarketLikeness>(
      compare_markets({**print_a, a.instrument}, {**print_b, b.instrument}));
}

}  // namespace winnow::store
