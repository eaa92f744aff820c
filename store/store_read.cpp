#include <algorithm>
#include <cstring>

#include "store/codec_columns.hpp"
#include "store/store_rocks.hpp"

namespace winnow::store {
namespace {

// Sequential scans ask the disk for this much ahead.
constexpr std::size_t kReadaheadBytes = std::size_t{1} << 20;

rocksdb::ReadOptions scan_options() {
  rocksdb::ReadOptions o;
  o.readahead_size = kReadaheadBytes;
  return o;
}

}  // namespace

Error RocksStore::named(const Error& error, std::string_view sweep_id, std::uint64_t block) const {
  return error.within("store " + rocks_->dir().string() + ", sweep " + std::string(sweep_id) +
                      ", block " + std::to_string(block));
}

Result<std::optional<codec::BlockHeader>> RocksStore::header(std::uint32_t sweep,
                                                             std::uint64_t block) const {
  const std::string key = codec::block_key(sweep, block);
  rocksdb::PinnableSlice value;
  const rocksdb::Status status = db().Get({}, rocks_->family(Family::Blocks), slice(key), &value);
  if (status.IsNotFound()) return std::optional<codec::BlockHeader>();
  if (!status.ok()) return rocks_failure(status, "reading block headers");
  auto out = codec::decode_header(key, view(value));
  if (!out.ok()) {
    return named(out.error(), sweep_name(sweep).value_or(std::to_string(sweep)), block);
  }
  return std::optional<codec::BlockHeader>(std::move(*out));
}

Result<std::vector<RocksStore::NumberedHeader>> RocksStore::headers(std::uint32_t sweep,
                                                                    std::uint64_t first,
                                                                    std::uint64_t count) const {
  std::vector<NumberedHeader> out;
  const std::string from = codec::block_key(sweep, first);
  const std::string sweep_bytes = from.substr(0, 4);
  std::unique_ptr<rocksdb::Iterator> it(
      db().NewIterator(scan_options(), rocks_->family(Family::Blocks)));
  for (it->Seek(slice(from)); it->Valid() && it->key().starts_with(sweep_bytes); it->Next()) {
    const std::uint64_t block = codec::block_of_key(view(it->key()));
    if (block - first >= count) break;
    auto decoded = codec::decode_header(view(it->key()), view(it->value()));
    if (!decoded.ok()) {
      return named(decoded.error(), sweep_name(sweep).value_or(std::to_string(sweep)), block);
    }
    out.push_back({block, std::move(*decoded)});
  }
  if (!it->status().ok()) return rocks_failure(it->status(), "reading block headers");
  return out;
}

Result<std::vector<bool>> RocksStore::committed(std::string_view sweep_id,
                                                std::uint64_t blocks) const {
  auto sweep = known_sweep(sweep_id);
  if (!sweep.ok()) return sweep.error();
  std::vector<bool> out(blocks, false);
  auto found = headers(sweep->number, 0, blocks);
  if (!found.ok()) return found.error();
  for (const NumberedHeader& h : *found) out[h.block] = true;
  return out;
}

/// Purpose: one block on its way out of the store, part by part. Fails: Corrupt, naming sweep and
/// block, Io.
class RocksStore::BlockReader {
 public:
  BlockReader(const RocksStore& store, std::string_view sweep_id, std::uint32_t sweep,
              const codec::BlockHeader& header, ResultBlock& out)
      : store_(store), sweep_id_(sweep_id), sweep_(sweep), header_(header), out_(out) {}

  Status keys() {
    const std::string key = codec::column_key(sweep_, codec::kTrialKeysColumn, out_.block);
    WINNOW_TRY(fetch(Family::Metrics, key, "the column of trial keys"));
    std::vector<std::uint64_t> row_hashes;
    WINNOW_TRY(known_as("trial keys", codec::decode_trial_column(key, view(value_), out_.rows,
                                                                 out_.keys, row_hashes)));
    for (TrialKey& k : out_.keys) k = with_edition(k, header_.edition);
    return {};
  }

  // All columns are asked for at once, in order: that takes half as long as one after another.
  Status metrics() {
    const std::size_t count = out_.metric_count;
    std::vector<std::string> keys;
    for (std::size_t m = 0; m < count; ++m) {
      keys.push_back(codec::column_key(sweep_, static_cast<std::uint16_t>(m), out_.block));
    }
    const std::vector<rocksdb::Slice> slices(keys.begin(), keys.end());
    std::vector<rocksdb::PinnableSlice> values(count);
    std::vector<rocksdb::Status> found(count);
    store_.db().MultiGet({}, store_.rocks_->family(Family::Metrics), count, slices.data(),
                         values.data(), found.data(), true);
    out_.metrics.resize(count * out_.rows);
    for (std::size_t m = 0; m < count; ++m) {
      const std::string what = "metric " + std::to_string(m);
      WINNOW_TRY(is_there(found[m], what));
      const auto bytes = codec::decode_column(keys[m], view(values[m]), out_.rows, sizeof(double));
      if (!bytes.ok()) return known_as(what, bytes.error());
      std::memcpy(out_.metrics.data() + m * out_.rows, bytes->data(), bytes->size());
    }
    return {};
  }

  Status returns() {
    if (out_.periods == 0) return {};
    const std::string key = codec::block_key(sweep_, out_.block);
    WINNOW_TRY(fetch(Family::Returns, key, "the panel of returns"));
    out_.returns.resize(std::size_t{out_.rows} * out_.periods);
    return known_as("returns",
                    codec::decode_panel(key, view(value_), out_.rows, out_.periods, out_.returns));
  }

  /// Where every trial went well there are none.
  Status errors() {
    if (header_.status.empty()) return {};
    const std::string key = codec::column_key(sweep_, codec::kErrorsColumn, out_.block);
    WINNOW_TRY(fetch(Family::Metrics, key, "the error texts"));
    auto texts = codec::decode_texts(key, view(value_));
    if (!texts.ok()) return known_as("error texts", texts.error());
    out_.errors = std::move(*texts);
    return {};
  }

 private:
  Status fetch(Family family, const std::string& key, std::string_view what) {
    value_.Reset();
    return is_there(store_.db().Get({}, store_.rocks_->family(family), slice(key), &value_), what);
  }
  Status is_there(const rocksdb::Status& status, std::string_view what) const {
    if (status.ok()) return {};
    if (!status.IsNotFound()) return store_.rocks_failure(status, "reading results");
    return store_.named(Error(ErrorCode::Corrupt, std::string(what) + " is missing"), sweep_id_,
                        out_.block);
  }
  Status known_as(std::string_view what, const Status& status) const {
    if (status.ok()) return {};
    return store_.named(status.error().within(what), sweep_id_, out_.block);
  }

  const RocksStore& store_;
  std::string_view sweep_id_;
  std::uint32_t sweep_;
  const codec::BlockHeader& header_;
  ResultBlock& out_;
  rocksdb::PinnableSlice value_;
};

Result<ResultBlock> RocksStore::read_block(std::string_view sweep_id, std::uint64_t block,
                                           Parts parts) const {
  const std::shared_lock lock(deletion_mutex_);
  auto sweep = known_sweep(sweep_id);
  if (!sweep.ok()) return sweep.error();
  auto found = header(sweep->number, block);
  if (!found.ok()) return found.error();
  if (!found->has_value()) {
    return Error(ErrorCode::NotFound, "block " + std::to_string(block) + " of sweep " +
                                          std::string(sweep_id) + " is not committed");
  }
  const codec::BlockHeader& h = **found;
  ResultBlock out;
  out.block = block;
  out.first_trial = h.first_trial;
  out.rows = h.rows;
  out.metric_count = h.metric_count;
  out.periods = h.periods;
  out.status = h.status.empty() ? std::vector<TrialStatus>(h.rows, TrialStatus::Ok) : h.status;

  BlockReader reader(*this, sweep_id, sweep->number, h, out);
  if (parts.keys) WINNOW_TRY(reader.keys());
  if (parts.metrics) WINNOW_TRY(reader.metrics());
  if (parts.returns) WINNOW_TRY(reader.returns());
  if (parts.exposures && h.periods > 0 && rocks_->has(Family::Exposures)) {
    WINNOW_TRY(read_exposures(sweep_id, sweep->number, out));
  }
  if (parts.points && rocks_->has(Family::Points)) {
    WINNOW_TRY(read_points(sweep_id, sweep->number, out));
  }
  WINNOW_TRY(reader.errors());
  return out;
}

// Those of engine version 1 have none, which their content hash confirms.
Status RocksStore::read_exposures(std::string_view sweep_id, std::uint32_t sweep,
                                  ResultBlock& block) const {
  const std::string key = codec::block_key(sweep, block.block);
  rocksdb::PinnableSlice value;
  const rocksdb::Status status =
      db().Get({}, rocks_->family(Family::Exposures), slice(key), &value);
  if (status.IsNotFound()) return {};
  if (!status.ok()) return rocks_failure(status, "reading exposures");
  block.exposures.resize(std::size_t{block.rows} * block.periods);
  const Status decoded =
      codec::decode_panel(key, view(value), block.rows, block.periods, block.exposures);
  if (!decoded.ok()) return named(decoded.error().within("exposures"), sweep_id, block.block);
  return {};
}

// Most blocks have none, which their content hash confirms.
Status RocksStore::read_points(std::string_view sweep_id, std::uint32_t sweep,
                               ResultBlock& block) const {
  const std::string key = codec::block_key(sweep, block.block);
  rocksdb::PinnableSlice value;
  const rocksdb::Status status = db().Get({}, rocks_->family(Family::Points), slice(key), &value);
  if (status.IsNotFound()) return {};
  if (!status.ok()) return rocks_failure(status, "reading points");
  const auto shape = codec::decode_points(key, view(value), block.rows, block.points);
  if (!shape.ok()) return named(shape.error().within("points"), sweep_id, block.block);
  block.point_metrics = shape->metrics;
  block.point_steps = shape->steps;
  return {};
}

Status RocksStore::read_column(std::uint32_t sweep, std::uint16_t column,
                               const std::vector<NumberedHeader>& headers,
                               std::vector<double>& out) const {
  std::unique_ptr<rocksdb::Iterator> it(
      db().NewIterator(scan_options(), rocks_->family(Family::Metrics)));
  const std::string sweep_id = sweep_name(sweep).value_or(std::to_string(sweep));
  if (!headers.empty()) it->Seek(codec::column_key(sweep, column, headers.front().block));
  std::size_t at = 0;
  for (const NumberedHeader& h : headers) {
    const std::string key = codec::column_key(sweep, column, h.block);
    // Blocks committed since the headers were read stand in between and are passed over.
    while (it->Valid() && view(it->key()) < key) it->Next();
    if (!it->status().ok()) return rocks_failure(it->status(), "reading metrics");
    const std::string what = "metric " + std::to_string(column);
    if (!it->Valid() || view(it->key()) != key) {
      return named(Error(ErrorCode::Corrupt, what + " is missing"), sweep_id, h.block);
    }
    auto bytes = codec::decode_column(key, view(it->value()), h.header.rows, sizeof(double));
    if (!bytes.ok()) return named(bytes.error().within(what), sweep_id, h.block);
    std::memcpy(out.data() + at, bytes->data(), bytes->size());
    at += h.header.rows;
  }
  return {};
}

Result<Store::MetricTable> RocksStore::read_metrics(std::string_view sweep_id,
                                                    std::span<const std::uint32_t> metrics) const {
  const std::shared_lock lock(deletion_mutex_);
  auto sweep = known_sweep(sweep_id);
  if (!sweep.ok()) return sweep.error();
  auto found = headers(sweep->number, 0, ~std::uint64_t{0});
  if (!found.ok()) return found.error();
  std::size_t rows = 0;
  for (const NumberedHeader& h : *found) {
    for (std::uint32_t metric : metrics) {
      if (metric < h.header.metric_count) continue;
      return Error(ErrorCode::InvalidInput, "metric number " + std::to_string(metric) +
                                                " of sweep " + std::string(sweep_id) + "; it has " +
                                                std::to_string(h.header.metric_count));
    }
    rows += h.header.rows;
  }
  MetricTable table;
  table.trial.reserve(rows);
  table.status.reserve(rows);
  for (const NumberedHeader& h : *found) {
    for (std::uint32_t row = 0; row < h.header.rows; ++row) {
      table.trial.push_back(h.header.first_trial + row);
    }
    if (h.header.status.empty()) {
      table.status.insert(table.status.end(), h.header.rows, TrialStatus::Ok);
    } else {
      table.status.insert(table.status.end(), h.header.status.begin(), h.header.status.end());
    }
  }
  table.columns.resize(metrics.size());
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    table.columns[i].resize(rows);
    WINNOW_TRY(read_column(sweep->number, static_cast<std::uint16_t>(metrics[i]), *found,
                           table.columns[i]));
  }
  return table;
}

Result<Store::PanelShape> RocksStore::returns_shape(std::string_view sweep_id,
                                                    std::uint64_t first_block,
                                                    std::uint64_t block_count) const {
  auto sweep = known_sweep(sweep_id);
  if (!sweep.ok()) return sweep.error();
  auto found = headers(sweep->number, first_block, block_count);
  if (!found.ok()) return found.error();
  PanelShape shape;
  for (std::size_t i = 0; i < found->size(); ++i) {
    const NumberedHeader& h = (*found)[i];
    if (i == 0) shape.periods = h.header.periods;
    if (h.header.periods != shape.periods) {
      return Error(ErrorCode::InvalidInput,
                   "sweep " + std::string(sweep_id) + ": block " + std::to_string(h.block) +
                       " has " + std::to_string(h.header.periods) + " periods, block " +
                       std::to_string(first_block) + " has " + std::to_string(shape.periods) +
                       "; a panel needs one number of periods");
    }
    shape.rows += h.header.rows;
  }
  if (found->size() != block_count) {
    std::uint64_t missing = first_block;
    for (const NumberedHeader& h : *found) missing += h.block == missing ? 1 : 0;
    return Error(ErrorCode::NotFound, "block " + std::to_string(missing) + " of sweep " +
                                          std::string(sweep_id) + " is not committed");
  }
  return shape;
}

Result<Store::PanelShape> RocksStore::read_returns(std::string_view sweep_id,
                                                   std::uint64_t first_block,
                                                   std::uint64_t block_count,
                                                   std::span<float> out) const {
  auto shape = returns_shape(sweep_id, first_block, block_count);
  if (!shape.ok()) return shape;
  if (out.size() != shape->rows * shape->periods) {
    return Error(ErrorCode::InvalidInput, "a buffer of " + std::to_string(out.size()) +
                                              " floats for " + std::to_string(shape->rows) + " x " +
                                              std::to_string(shape->periods));
  }
  if (shape->periods == 0) return shape;
  const std::shared_lock lock(deletion_mutex_);
  const std::uint32_t number = sweep_info(sweep_id)->number;
  auto found = headers(number, first_block, block_count);
  if (!found.ok()) return found.error();
  if (found->size() != block_count) {
    return Error(ErrorCode::NotFound, "sweep " + std::string(sweep_id) + " was deleted meanwhile");
  }
  std::size_t at = 0;
  rocksdb::ReadOptions options;
  options.fill_cache = false;  // panels are large and read once; they must not push out metrics
  for (const NumberedHeader& h : *found) {
    const std::string key = codec::block_key(number, h.block);
    rocksdb::PinnableSlice value;
    const rocksdb::Status status =
        db().Get(options, rocks_->family(Family::Returns), slice(key), &value);
    if (status.IsNotFound()) {
      return named(Error(ErrorCode::Corrupt, "the panel of returns is missing"), sweep_id, h.block);
    }
    if (!status.ok()) return rocks_failure(status, "reading returns");
    const std::size_t numbers = std::size_t{h.header.rows} * h.header.periods;
    const Status decoded = codec::decode_panel(key, view(value), h.header.rows, h.header.periods,
                                               out.subspan(at, numbers));
    if (!decoded.ok()) return named(decoded.error().within("returns"), sweep_id, h.block);
    at += numbers;
  }
  return shape;
}

Result<std::vector<std::optional<TrialPlace>>> RocksStore::find(
    std::span<const LedgerKey> keys) const {
  auto index = this->index();
  if (!index.ok()) return index.error();
  std::vector<LedgerKey> sorted(keys.begin(), keys.end());
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  std::vector<std::optional<codec::KeyEntry>> entries;
  WINNOW_TRY((*index)->look_up(sorted, entries));
  std::vector<std::optional<TrialPlace>> out(keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto at = std::lower_bound(sorted.begin(), sorted.end(), keys[i]) - sorted.begin();
    const auto& entry = entries[static_cast<std::size_t>(at)];
    if (!entry || entry->sweep == codec::kNoSweep) continue;
    auto name = sweep_name(entry->sweep);
    auto place = header(entry->sweep, entry->block);
    if (!place.ok()) return place.error();
    if (name && !place->has_value() && ever_deleted(entry->sweep)) continue;
    if (!name || !place->has_value()) {
      return Error(ErrorCode::Corrupt,
                   "key index: " + keys[i].hex() + " names a block that is not there");
    }
    out[i] = TrialPlace{*name, (*place)->first_trial + entry->row};
  }
  return out;
}

}  // namespace winnow::store
