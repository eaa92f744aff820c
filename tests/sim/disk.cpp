#include "tests/sim/disk.hpp"

#include <algorithm>
#include <cstring>

#include "actors/codec.hpp"
#include "engine/engine.hpp"

namespace winnow::sim {
namespace {

// A record: length of payload, checksum of type and payload, type, payload.
constexpr std::size_t kHeaderBytes = 4 + 8 + 1;

void put(std::string& out, std::uint64_t v) {
  out.append(reinterpret_cast<const char*>(&v), sizeof v);
}
void put(std::string& out, std::string_view text) {
  put(out, std::uint64_t{text.size()});
  out.append(text);
}
std::uint64_t take_u64(std::string_view& in) {
  std::uint64_t v = 0;
  std::memcpy(&v, in.data(), sizeof v);
  in.remove_prefix(sizeof v);
  return v;
}
std::string_view take_text(std::string_view& in) {
  const std::uint64_t size = take_u64(in);
  const std::string_view text = in.substr(0, size);
  in.remove_prefix(size);
  return text;
}

std::string encode_meta(const store::SweepMeta& m) {
  std::string out;
  put(out, m.id);
  put(out, m.name);
  put(out, m.spec_json);
  put(out, m.user);
  put(out, static_cast<std::uint64_t>(m.created.ns));
  put(out, static_cast<std::uint64_t>(m.finished.ns));
  put(out, static_cast<std::uint64_t>(m.state));
  put(out, m.trials);
  put(out, m.blocks);
  return out;
}

store::SweepMeta decode_meta(std::string_view in) {
  store::SweepMeta m;
  m.id = take_text(in);
  m.name = take_text(in);
  m.spec_json = take_text(in);
  m.user = take_text(in);
  m.created.ns = static_cast<std::int64_t>(take_u64(in));
  m.finished.ns = static_cast<std::int64_t>(take_u64(in));
  m.state = static_cast<store::SweepState>(take_u64(in));
  m.trials = take_u64(in);
  m.blocks = take_u64(in);
  return m;
}

}  // namespace

void Disk::append(char type, const std::string& payload) {
  const std::string body = type + payload;
  const auto size = static_cast<std::uint32_t>(payload.size());
  const std::uint64_t sum = hash128(body).low;
  log_.append(reinterpret_cast<const char*>(&size), sizeof size);
  log_.append(reinterpret_cast<const char*>(&sum), sizeof sum);
  log_.append(body);
}

void Disk::crash(Rng& rng) {
  if (log_.size() == synced_) return;
  const std::size_t tail = log_.size() - synced_;
  const std::uint64_t how = rng.below(3);
  if (how == 0) log_.resize(synced_);                    // lost
  if (how == 1) log_.resize(synced_ + rng.below(tail));  // cut off
  if (how == 2 && rng.below(2) == 0) {                   // a sector of it never came
    const std::size_t at = synced_ + rng.below(tail);
    for (std::size_t i = at; i < std::min(at + 512, log_.size()); ++i) log_[i] = 0;
  }
}

Status Disk::open() {
  sweeps_.clear();
  blocks_.clear();
  generations_.clear();
  checked_.clear();
  ledger_keys_.clear();
  executions_ = ledger_extra_ = rows_ = alarms_ = 0;
  reopened_ = synced_ > 0;
  std::size_t at = 0;
  while (log_.size() - at >= kHeaderBytes) {
    std::uint32_t size = 0;
    std::uint64_t sum = 0;
    std::memcpy(&size, log_.data() + at, sizeof size);
    std::memcpy(&sum, log_.data() + at + 4, sizeof sum);
    if (log_.size() - at - kHeaderBytes < size) break;
    const std::string_view body = std::string_view(log_).substr(at + 12, size + 1);
    if (hash128(body).low != sum) break;
    apply(body[0], body.substr(1));
    at += kHeaderBytes + size;
  }
  if (at < synced_) return Error(ErrorCode::Corrupt, "the log lost what was synced");
  log_.resize(at);
  synced_ = at;
  return {};
}

void Disk::apply(char type, std::string_view in) {
  if (type == 'S') {
    store::SweepMeta meta = decode_meta(in);
    sweeps_[meta.id] = std::move(meta);
    return;
  }
  if (type == 'G') {
    const std::string key(take_text(in));
    generations_[key] = take_text(in);
    return;
  }
  if (type == 'K') {
    checked_.emplace(take_text(in));
    return;
  }
  if (type == 'A') {
    ++alarms_;
    return;
  }
  const std::uint64_t count = take_u64(in);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::string_view sweep = take_text(in);
    const auto block = actors::decode_block(take_text(in));
    if (block) apply_block(sweep, *block);
  }
}

void Disk::apply_block(std::string_view sweep, const ResultBlock& block) {
  Stored stored;
  stored.content = block.content_hash();
  stored.rows = block.rows;
  stored.keys = block.keys;
  stored.failed = block.errors.size() == block.rows;
  stored.scores.assign(block.metrics.begin(), block.metrics.begin() + block.rows);
  const bool fresh = blocks_.emplace(Place(sweep, block.block), std::move(stored)).second;
  if (fresh) rows_ += block.rows;
  for (const TrialKey& key : block.keys) {
    if (!ledger_keys_.insert(key).second && !fresh) ++ledger_extra_;
  }
  executions_ += block.rows;
}

Status Disk::put_sweep(const store::SweepMeta& meta) {
  if (full_) return Error(ErrorCode::Io, "no space left on the simulated disk");
  append_synced('S', encode_meta(meta));
  sweeps_[meta.id] = meta;
  return {};
}

// Written in front of what waits to be synced: the tail stays the tail.
void Disk::append_synced(char type, const std::string& payload) {
  const std::string tail = log_.substr(synced_);
  log_.resize(synced_);
  append(type, payload);
  synced_ = log_.size();
  log_ += tail;
}

Result<bool> Disk::checked(const Hash128& key) const { return checked_.contains(key.hex()); }

Status Disk::put_checked(const Hash128& key) {
  if (full_) return Error(ErrorCode::Io, "no space left on the simulated disk");
  std::string record;
  put(record, key.hex());
  append_synced('K', record);
  checked_.insert(key.hex());
  return {};
}

Status Disk::put_generation(const std::string& key, const std::string& bytes) {
  if (full_) return Error(ErrorCode::Io, "no space left on the simulated disk");
  std::string record;
  put(record, key);
  put(record, bytes);
  append_synced('G', record);
  generations_[key] = bytes;
  return {};
}

Result<std::optional<std::string>> Disk::generation(const std::string& key) const {
  const auto found = generations_.find(key);
  if (found == generations_.end()) return std::optional<std::string>();
  return std::optional(found->second);
}

Result<ResultBlock> Disk::outcomes(std::string_view sweep_id, std::uint64_t block) const {
  const auto found = blocks_.find(Place(sweep_id, block));
  if (found == blocks_.end()) return Error(ErrorCode::NotFound, "the block is not committed");
  const Stored& stored = found->second;
  ResultBlock out;
  out.block = block;
  out.rows = stored.rows;
  out.metric_count = static_cast<std::uint32_t>(engine::metric_decls().size());
  out.status.assign(stored.rows, stored.failed ? TrialStatus::Failed : TrialStatus::Ok);
  for (std::uint32_t m = 0; m < out.metric_count; ++m) {
    out.metrics.insert(out.metrics.end(), stored.scores.begin(), stored.scores.end());
  }
  return out;
}

Result<std::optional<store::SweepMeta>> Disk::sweep(std::string_view id) const {
  const auto found = sweeps_.find(std::string(id));
  if (found == sweeps_.end()) return std::optional<store::SweepMeta>();
  return std::optional(found->second);
}

Result<std::vector<store::SweepMeta>> Disk::sweeps() const {
  std::vector<store::SweepMeta> out;
  for (const auto& [id, meta] : sweeps_) out.push_back(meta);
  return out;
}

Result<std::vector<bool>> Disk::committed(std::string_view sweep_id, std::uint64_t blocks) const {
  std::vector<bool> out(blocks, false);
  if (broken_.forgets_committed && reopened_) return out;
  for (std::uint64_t b = 0; b < blocks; ++b) out[b] = durable(Place(sweep_id, b));
  return out;
}

Result<std::vector<store::CommitOutcome>> Disk::write(std::span<const store::BlockCommit> blocks) {
  if (full_) return Error(ErrorCode::Io, "no space left on the simulated disk");
  std::vector<store::CommitOutcome> outcomes;
  std::map<Place, Hash128> in_group;
  std::string payload;
  std::uint64_t fresh = 0;
  std::uint64_t alarms = 0;
  for (const store::BlockCommit& commit : blocks) {
    const Place place(commit.sweep_id, commit.block->block);
    const Hash128 content = commit.block->content_hash();
    std::optional<Hash128> before;
    if (const auto stored = blocks_.find(place); stored != blocks_.end()) {
      before = stored->second.content;
    } else if (const auto twin = in_group.find(place); twin != in_group.end()) {
      before = twin->second;
    }
    store::CommitOutcome outcome;
    if (before) {
      const bool same = *before == content || broken_.compares_nothing;
      outcome.kind = same ? store::CommitKind::Duplicate : store::CommitKind::Mismatch;
      alarms += !same;
    }
    if (!before || broken_.counts_repeats) {
      ++fresh;
      in_group.emplace(place, content);
      put(payload, commit.sweep_id);
      put(payload, actors::encode_block(*commit.block));
    }
    outcomes.push_back(outcome);
  }
  for (; alarms > 0; --alarms) append('A', "");
  if (fresh > 0) {
    std::string record;
    put(record, fresh);
    append('C', record + payload);
  }
  return outcomes;
}

void Disk::sync() {
  std::size_t at = synced_;
  while (at < log_.size()) {
    std::uint32_t size = 0;
    std::memcpy(&size, log_.data() + at, sizeof size);
    const std::string_view body = std::string_view(log_).substr(at + 12, size + 1);
    apply(body[0], body.substr(1));
    at += kHeaderBytes + size;
  }
  synced_ = at;
}

}  // namespace winnow::sim
