#include <rocksdb/write_batch.h>
#include <xxhash.h>

#include <algorithm>
#include <cstring>

#include "base/check.hpp"
#include "store/codec_columns.hpp"
#include "store/store_rocks.hpp"

namespace winnow::store {
namespace {

// Alarms name the first difference and count the rest.
constexpr std::size_t kAlarmTextMax = 2000;

// The hash of a row that was cut off at a limit: it contradicts no other result of its trial.
constexpr std::uint64_t kNoResult = 0;

std::uint64_t failed_rows(const ResultBlock& block) {
  return static_cast<std::uint64_t>(
      std::count_if(block.status.begin(), block.status.end(), has_failed));
}

Status check_block(const BlockCommit& commit, const SweepInfo& sweep) {
  const ResultBlock& b = *commit.block;
  if (sweep.deleted) {
    return Error(ErrorCode::NotFound, "sweep " + commit.sweep_id + " was deleted");
  }
  const auto bad = [&](const std::string& text) {
    return Error(ErrorCode::InvalidInput,
                 "block " + std::to_string(b.block) + " of sweep " + commit.sweep_id + ": " + text);
  };
  const std::size_t rows = b.rows;
  if (rows == 0) return bad("it has no rows; at least one is needed");
  if (b.keys.size() != rows || b.status.size() != rows ||
      b.metrics.size() != rows * b.metric_count || b.returns.size() != rows * b.periods ||
      (!b.exposures.empty() && b.exposures.size() != b.returns.size()) ||
      b.points.size() != rows * b.point_metrics * b.point_steps) {
    return bad("its columns do not have " + std::to_string(rows) + " rows, " +
               std::to_string(b.metric_count) + " metrics, " + std::to_string(b.periods) +
               " periods and " + std::to_string(b.point_steps) + " points of " +
               std::to_string(b.point_metrics) + " metrics");
  }
  if (b.errors.size() != failed_rows(b)) {
    return bad(std::to_string(b.errors.size()) + " error texts for " +
               std::to_string(failed_rows(b)) + " failed rows; one each is needed");
  }
  if (b.metric_count >= codec::kMetricsMax) {
    return bad(std::to_string(b.metric_count) + " metrics; fewer than 65280 are allowed");
  }
  if (sweep.metric_count != 0 && sweep.metric_count != b.metric_count) {
    return bad(std::to_string(b.metric_count) + " metrics; its sweep names " +
               std::to_string(sweep.metric_count));
  }
  if (sweep.blocks != 0 && b.block >= sweep.blocks) {
    return bad("its sweep has " + std::to_string(sweep.blocks) + " blocks");
  }
  return {};
}

}  // namespace

/// Purpose: one group commit on its way: what is fresh, what the index and the ledger gain, and the
/// batch that makes all of it visible at once. Thread: the committing one.
class CommitBuilder {
 public:
  CommitBuilder(RocksStore& store, std::span<const BlockCommit> blocks, TimestampNs now)
      : store_(store),
        commits_(blocks),
        now_(now),
        next_alarm_(store.next_alarm_),
        batch_(store.batch_) {
    batch_.Clear();
  }

  Result<std::vector<CommitOutcome>> run();

 private:
  struct Fresh {
    std::size_t commit = 0;  ///< index in commits_
    std::uint32_t sweep = 0;
    std::uint32_t entry = 0;
    std::uint64_t plan_trials = 0;
    Hash128 content;
    std::vector<LedgerKey> keys;
    std::vector<std::uint64_t> row_hashes;
    std::vector<std::uint32_t> repeated_rows;
    std::uint64_t odd_rows = 0;  ///< rows whose TrialKey has another result elsewhere
    std::string first_odd;
  };
  struct KeyRef {
    LedgerKey key;
    std::uint32_t fresh = 0;
    std::uint32_t row = 0;
  };

  Status sort_out();
  Status judge_repeat(std::size_t i, const Hash128& content, const codec::BlockHeader& stored,
                      const ResultBlock* first);
  Status index_keys();
  Status judge_repeated_key(const KeyRef& ref, const codec::KeyEntry& first);
  void put_block(const Fresh& fresh, std::uint64_t nth);
  void put_trials(const Fresh& fresh);
  codec::PendingBlock pending(const Fresh& fresh) const;
  void put_value(Family family, std::string_view key, const codec::ColumnValue& value);
  void put(Family family, std::string_view key, std::string_view value);
  void alarm(std::string text);
  std::vector<std::uint64_t> row_hashes(const ResultBlock& block);
  /// Every row of it is a trial new to the ledger or a repeat, and is indexed once.
  bool is_sound(const Fresh& fresh) const {
    const std::size_t rows = block_of(fresh).rows;
    return fresh.keys.size() == rows && fresh.row_hashes.size() == rows &&
           fresh.odd_rows <= fresh.repeated_rows.size() &&
           outcomes_[fresh.commit].kind == CommitKind::Fresh &&
           outcomes_[fresh.commit].trials_new_to_ledger + fresh.repeated_rows.size() == rows;
  }
  const ResultBlock& block_of(const Fresh& fresh) const { return *commits_[fresh.commit].block; }
  const Edition& edition_of(const Fresh& fresh) const { return commits_[fresh.commit].edition; }

  RocksStore& store_;
  std::span<const BlockCommit> commits_;
  TimestampNs now_;
  std::uint64_t next_alarm_;
  std::vector<CommitOutcome> outcomes_;
  std::vector<Fresh> fresh_;
  rocksdb::WriteBatch& batch_;
  std::vector<char> row_bytes_;
  std::string scratch_;
};

Result<std::vector<CommitOutcome>> CommitBuilder::run() {
  outcomes_.resize(commits_.size());
  Status status = store_.index_.make_room();
  if (status.ok()) status = sort_out();
  if (status.ok()) status = index_keys();
  if (status.ok()) {
    // In every build: what is written now stays, and costs far more than a look at its sums.
    for (const Fresh& fresh : fresh_) WINNOW_CHECK(is_sound(fresh));
    for (std::size_t i = 0; i < fresh_.size(); ++i) put_block(fresh_[i], i);
    for (const auto& [number, entry] : store_.book_.staged()) {
      const std::string key = codec::number_key(number);
      WINNOW_CHECK(entry.failed <= entry.executions && entry.trials <= entry.executions);
      put(Family::Ledger, key, codec::encode_ledger(key, number, entry));
    }
    std::vector<NamedBlock> blocks;
    for (const Fresh& fresh : fresh_) {
      blocks.push_back({commits_[fresh.commit].sweep_id, block_of(fresh).block});
    }
    if (batch_.Count() > 0) status = store_.write(batch_, "committing results", blocks);
  }
  if (!status.ok()) {
    store_.book_.drop();
    return status.error();
  }
  store_.keep_ledger();
  WINNOW_INVARIANT(next_alarm_ >= store_.next_alarm_);
  store_.next_alarm_ = next_alarm_;
  [[maybe_unused]] const std::uint64_t first_sequence = store_.index_.next_sequence();
  for (Fresh& fresh : fresh_) {
    store_.index_.add({store_.index_.next_sequence(), pending(fresh), std::move(fresh.keys),
                       std::move(fresh.row_hashes)});
  }
  WINNOW_INVARIANT(store_.index_.next_sequence() == first_sequence + fresh_.size());
  WINNOW_ENSURES(outcomes_.size() == commits_.size());
  return std::move(outcomes_);
}

// Tells fresh blocks from repeats, against the store and within the group.
Status CommitBuilder::sort_out() {
  std::map<std::pair<std::uint32_t, std::uint64_t>, std::size_t> in_group;
  for (std::size_t i = 0; i < commits_.size(); ++i) {
    const BlockCommit& commit = commits_[i];
    auto sweep = store_.known_sweep(commit.sweep_id);
    if (!sweep.ok()) return sweep.error();
    WINNOW_TRY(check_block(commit, *sweep));
    const Hash128 content = commit.block->content_hash();
    const auto twin = in_group.find({sweep->number, commit.block->block});
    if (twin != in_group.end()) {
      const Fresh& first = fresh_[twin->second];
      codec::BlockHeader header;
      header.content = first.content;
      header.committed = now_;
      WINNOW_TRY(judge_repeat(i, content, header, &block_of(first)));
      continue;
    }
    auto stored = store_.header(sweep->number, commit.block->block);
    if (!stored.ok()) return stored.error();
    if (stored->has_value()) {
      WINNOW_TRY(judge_repeat(i, content, **stored, nullptr));
      continue;
    }
    in_group.emplace(std::pair{sweep->number, commit.block->block}, fresh_.size());
    Fresh fresh;
    fresh.commit = i;
    fresh.sweep = sweep->number;
    fresh.plan_trials = sweep->trials;
    fresh.entry = store_.book_.stage_entry(commit);
    store_.book_.stage_rows(fresh.entry, commit.block->rows, failed_rows(*commit.block), now_);
    fresh.content = content;
    fresh.keys = commit.block->keys;
    for (LedgerKey& key : fresh.keys) key = with_edition(key, commit.edition);
    fresh.row_hashes = row_hashes(*commit.block);
    fresh_.push_back(std::move(fresh));
  }
  return {};
}

Status CommitBuilder::judge_repeat(std::size_t i, const Hash128& content,
                                   const codec::BlockHeader& stored, const ResultBlock* first) {
  if (content == stored.content) {
    outcomes_[i].kind = CommitKind::Duplicate;
    return {};
  }
  const BlockCommit& commit = commits_[i];
  std::string where;
  if (first != nullptr) {
    where = describe_difference(*first, *commit.block);
  } else {
    auto block = store_.read_block(commit.sweep_id, commit.block->block, Store::kAllParts);
    where = block.ok() ? describe_difference(*block, *commit.block) : block.error().text();
  }
  // They differ in nothing but rows that one of them cut off at a limit.
  outcomes_[i].kind = where.empty() ? CommitKind::Duplicate : CommitKind::Mismatch;
  if (where.empty()) return {};
  alarm("block " + std::to_string(commit.block->block) + " of sweep " + commit.sweep_id +
        " came again with another content (law 2); the first, committed " +
        format_timestamp(stored.committed) + " with content " + stored.content.hex() +
        ", stays; the second has " + content.hex() + ": " + where);
  return {};
}

// Tells new keys from known ones; sorted, so that look-ups walk through the files in one direction.
Status CommitBuilder::index_keys() {
  std::vector<KeyRef> refs;
  for (std::size_t f = 0; f < fresh_.size(); ++f) {
    const std::vector<LedgerKey>& keys = fresh_[f].keys;
    for (std::uint32_t row = 0; row < keys.size(); ++row) {
      refs.push_back({keys[row], static_cast<std::uint32_t>(f), row});
    }
  }
  std::sort(refs.begin(), refs.end(), [](const KeyRef& a, const KeyRef& b) {
    return std::tie(a.key, a.fresh, a.row) < std::tie(b.key, b.fresh, b.row);
  });
  std::vector<LedgerKey> distinct;
  distinct.reserve(refs.size());
  for (const KeyRef& ref : refs) {
    if (distinct.empty() || distinct.back() != ref.key) distinct.push_back(ref.key);
  }
  std::vector<std::optional<codec::KeyEntry>> known;
  WINNOW_TRY(store_.index_.look_up(distinct, known));
  std::size_t at = 0;
  for (std::size_t k = 0; k < distinct.size(); ++k) {
    if (!known[k]) {
      const KeyRef& ref = refs[at++];
      Fresh& fresh = fresh_[ref.fresh];
      store_.book_.stage_new_trial(fresh.entry, fresh.plan_trials);
      ++outcomes_[fresh.commit].trials_new_to_ledger;
      known[k] = codec::KeyEntry{fresh.entry, fresh.sweep, block_of(fresh).block, ref.row,
                                 fresh.row_hashes[ref.row]};
    }
    for (; at < refs.size() && refs[at].key == distinct[k]; ++at) {
      WINNOW_TRY(judge_repeated_key(refs[at], *known[k]));
    }
  }
  for (Fresh& fresh : fresh_) {
    std::sort(fresh.repeated_rows.begin(), fresh.repeated_rows.end());
    if (fresh.odd_rows == 0) continue;
    alarm(fresh.first_odd + (fresh.odd_rows > 1 ? "; and " + std::to_string(fresh.odd_rows - 1) +
                                                      " more trials of this block"
                                                : ""));
  }
  return {};
}

// A key that another block (or row) brought first: the results must be the same bits, if the two
// are of one edition (else they are one trial, but not one computation) and keep the same columns.
Status CommitBuilder::judge_repeated_key(const KeyRef& ref, const codec::KeyEntry& first) {
  Fresh& fresh = fresh_[ref.fresh];
  const ResultBlock& block = block_of(fresh);
  fresh.repeated_rows.push_back(ref.row);
  if (fresh.row_hashes[ref.row] == first.row_hash) return {};
  if (fresh.row_hashes[ref.row] == kNoResult || first.row_hash == kNoResult) return {};
  std::uint32_t metric_count = 0;
  std::uint32_t periods = 0;
  std::uint64_t first_trial = 0;
  Edition edition;
  bool found = false;
  for (const Fresh& other : fresh_) {
    const ResultBlock& b = block_of(other);
    if (other.sweep != first.sweep || b.block != first.block) continue;
    metric_count = b.metric_count;
    periods = b.periods;
    first_trial = b.first_trial;
    edition = edition_of(other);
    found = true;
  }
  if (!found) {
    auto header = store_.header(first.sweep, first.block);
    if (!header.ok()) return header.error();
    if (!header->has_value()) {
      if (store_.ever_deleted(first.sweep)) return {};  // what it said is gone with its sweep
      return Error(ErrorCode::Corrupt, "key index: " + ref.key.hex() + " names block " +
                                           std::to_string(first.block) + " of sweep number " +
                                           std::to_string(first.sweep) + ", which is not there");
    }
    metric_count = (*header)->metric_count;
    periods = (*header)->periods;
    first_trial = (*header)->first_trial;
    edition = (*header)->edition;
  }
  if (edition != edition_of(fresh)) return {};
  if (metric_count != block.metric_count || periods != block.periods) return {};
  if (fresh.odd_rows++ == 0) {
    fresh.first_odd =
        "trial key " + with_edition(ref.key, edition).hex() +
        " has two results (law 1): the first is trial " + std::to_string(first_trial + first.row) +
        " of sweep " +
        store_.sweep_name(first.sweep).value_or("number " + std::to_string(first.sweep)) +
        ", the other trial " + std::to_string(block.first_trial + ref.row) + " of sweep " +
        commits_[fresh.commit].sweep_id;
  }
  return {};
}

void CommitBuilder::put_block(const Fresh& fresh, std::uint64_t nth) {
  const ResultBlock& block = block_of(fresh);
  codec::BlockHeader header;
  header.first_trial = block.first_trial;
  header.rows = block.rows;
  header.metric_count = block.metric_count;
  header.periods = block.periods;
  header.ledger_entry = fresh.entry;
  header.content = fresh.content;
  header.committed = now_;
  if (!block.errors.empty()) header.status = block.status;
  header.edition = edition_of(fresh);
  const std::string header_key = codec::block_key(fresh.sweep, block.block);
  put(Family::Blocks, header_key, codec::encode_header(header_key, header));

  const auto put_column = [&](std::uint16_t column, const void* data, std::size_t bytes) {
    const std::string key = codec::column_key(fresh.sweep, column, block.block);
    put_value(Family::Metrics, key,
              codec::encode_column(key, {static_cast<const char*>(data), bytes}));
  };
  for (std::uint32_t m = 0; m < block.metric_count; ++m) {
    put_column(static_cast<std::uint16_t>(m), block.metrics.data() + std::size_t{m} * block.rows,
               block.rows * sizeof(double));
  }
  put_trials(fresh);
  const std::string pending_key = codec::number_key(store_.index_.next_sequence() + nth);
  put(Family::Pending, pending_key, codec::encode_pending(pending_key, pending(fresh)));
  if (!block.errors.empty()) {
    const std::string key = codec::column_key(fresh.sweep, codec::kErrorsColumn, block.block);
    put(Family::Metrics, key, codec::encode_texts(key, block.errors));
  }
  if (block.periods > 0) {
    put_value(Family::Returns, header_key,
              codec::encode_panel(header_key, block.returns, block.rows, block.periods, scratch_));
  }
  if (!block.exposures.empty()) {
    put_value(
        Family::Exposures, header_key,
        codec::encode_panel(header_key, block.exposures, block.rows, block.periods, scratch_));
  }
  if (!block.points.empty()) {
    put_value(Family::Points, header_key,
              codec::encode_points(header_key, block.points,
                                   {block.rows, block.point_metrics, block.point_steps}, scratch_));
  }
}

void CommitBuilder::put_trials(const Fresh& fresh) {
  const ResultBlock& block = block_of(fresh);
  const std::string key = codec::column_key(fresh.sweep, codec::kTrialKeysColumn, block.block);
  const auto value = codec::encode_trial_column(key, fresh.keys, fresh.row_hashes);
  const rocksdb::Slice key_slice = slice(key);
  const rocksdb::Slice parts[] = {
      slice(value.head), slice(value.keys), slice(value.row_hashes), {value.sum, sizeof value.sum}};
  batch_.Put(store_.rocks_->family(Family::Metrics), rocksdb::SliceParts(&key_slice, 1),
             rocksdb::SliceParts(parts, 4));
}

codec::PendingBlock CommitBuilder::pending(const Fresh& fresh) const {
  const ResultBlock& block = block_of(fresh);
  return {fresh.sweep, block.block, block.rows, fresh.entry, fresh.repeated_rows};
}

void CommitBuilder::put_value(Family family, std::string_view key,
                              const codec::ColumnValue& value) {
  const rocksdb::Slice key_slice = slice(key);
  const rocksdb::Slice parts[] = {
      slice(value.head), slice(value.data), {value.sum, sizeof value.sum}};
  batch_.Put(store_.rocks_->family(family), rocksdb::SliceParts(&key_slice, 1),
             rocksdb::SliceParts(parts, 3));
}

void CommitBuilder::put(Family family, std::string_view key, std::string_view value) {
  batch_.Put(store_.rocks_->family(family), slice(key), slice(value));
}

void CommitBuilder::alarm(std::string text) {
  if (text.size() > kAlarmTextMax) text.resize(kAlarmTextMax);
  const std::string key = codec::number_key(next_alarm_++);
  put(Family::Alarms, key, codec::encode_alarm(key, {now_, std::move(text)}));
}

// Each row is gathered from its columns. Eight at a time: the columns lie a power of two apart, so
// that the lines of one row push each other out of the cache before the next row needs them.
std::vector<std::uint64_t> CommitBuilder::row_hashes(const ResultBlock& block) {
  constexpr std::uint32_t kTile = 8;
  const std::size_t row_bytes = 1 + block.metric_count * sizeof(double);
  row_bytes_.resize(kTile * row_bytes);
  std::vector<std::uint64_t> out(block.rows, kNoResult);
  for (std::uint32_t first = 0; first < block.rows; first += kTile) {
    const std::uint32_t rows = std::min(kTile, block.rows - first);
    for (std::uint32_t r = 0; r < rows; ++r) {
      row_bytes_[r * row_bytes] = static_cast<char>(block.status[first + r]);
    }
    for (std::size_t m = 0; m < block.metric_count; ++m) {
      const double* column = &block.metrics[m * block.rows + first];
      for (std::uint32_t r = 0; r < rows; ++r) {
        std::memcpy(&row_bytes_[r * row_bytes + 1 + m * sizeof(double)], column + r,
                    sizeof(double));
      }
    }
    for (std::uint32_t r = 0; r < rows; ++r) {
      const std::uint32_t row = first + r;
      if (block.status[row] == TrialStatus::Cut) continue;
      const XXH64_hash_t numbers = XXH3_64bits(&row_bytes_[r * row_bytes], row_bytes);
      out[row] = numbers;
      for (const std::vector<float>* panel : {&block.returns, &block.exposures}) {
        if (panel->empty()) continue;
        out[row] = XXH3_64bits_withSeed(panel->data() + std::size_t{row} * block.periods,
                                        block.periods * sizeof(float), out[row]);
      }
    }
  }
  return out;
}

Result<std::vector<CommitOutcome>> RocksStore::commit(std::span<const BlockCommit> blocks,
                                                      TimestampNs now) {
  WINNOW_TRY(check_writable());
  const std::scoped_lock writing(writing_mutex_);
  {
    const std::scoped_lock lock(rocks_->gate());
    if (const rocksdb::Status revived = rocks_->revive(); !revived.ok()) {
      ++results_refused_;
      return rocks_failure(revived, "taking up writing again");
    }
  }
  auto outcomes = CommitBuilder(*this, blocks, now).run();
  // Of no use to count: what the group itself was refused for.
  if (!outcomes.ok() && outcomes.error().code() != ErrorCode::InvalidInput &&
      outcomes.error().code() != ErrorCode::NotFound) {
    ++results_refused_;
  }
  return outcomes;
}

}  // namespace winnow::store
