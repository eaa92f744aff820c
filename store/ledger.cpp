#include "store/ledger.hpp"

#include <algorithm>
#include <functional>

#include "base/check.hpp"
#include "store/codec.hpp"

namespace winnow::store {
namespace {

std::string name_of(const LedgerEntry& e) {
  return codec::pair_key(codec::pair_key(e.dataset_hash, e.family),
                         codec::pair_key(e.sweep_id, e.user));
}

}  // namespace

Status LedgerBook::load(std::vector<std::pair<std::uint32_t, LedgerEntry>> entries) {
  std::sort(entries.begin(), entries.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  for (auto& [number, entry] : entries) {
    if (number != entries_.size()) {
      return Error(ErrorCode::Corrupt, "ledger: entry " + std::to_string(entries_.size()) +
                                           " is missing before entry " + std::to_string(number));
    }
    numbers_.emplace(name_of(entry), number);
    entries_.push_back(std::move(entry));
  }
  return {};
}

std::uint32_t LedgerBook::stage_entry(const BlockCommit& commit) {
  LedgerEntry entry;
  entry.dataset_hash = commit.dataset_hash;
  entry.family = commit.family;
  entry.sweep_id = commit.sweep_id;
  entry.user = commit.user;
  return stage_entry(std::move(entry));
}

std::uint32_t LedgerBook::stage_entry(LedgerEntry entry) {
  const std::string name = name_of(entry);
  const auto next = static_cast<std::uint32_t>(entries_.size() + staged_names_.size());
  const auto [it, made] = numbers_.emplace(name, next);
  if (made) {
    staged_names_.push_back(name);
    entry.trials = entry.executions = entry.failed = 0;
    entry.first = entry.last = {};
    entry.unbacked = {};
    staged_.emplace(next, std::move(entry));
  } else if (it->second < entries_.size()) {
    staged_.try_emplace(it->second, entries_[it->second]);
  }
  return it->second;
}

void LedgerBook::stage_rows(std::uint32_t number, std::uint64_t rows, std::uint64_t failed,
                            TimestampNs now) {
  WINNOW_REQUIRES(staged_.contains(number) && failed <= rows);
  LedgerEntry& entry = staged_.at(number);
  if (entry.executions == 0) entry.first = now;
  entry.last = now;
  entry.executions += rows;
  entry.failed += failed;
}

std::uint64_t& LedgerBook::sweep_trials(std::string_view sweep_id) {
  const auto known = sweep_trials_.find(sweep_id);
  if (known != sweep_trials_.end()) return known->second;
  std::uint64_t sum = 0;
  for (std::uint32_t i = 0; i < entries_.size(); ++i) {
    if (entries_[i].sweep_id == sweep_id) sum += entry(i).trials;
  }
  for (const auto& [number, staged] : staged_) {
    if (number >= entries_.size() && staged.sweep_id == sweep_id) sum += staged.trials;
  }
  return sweep_trials_.emplace(sweep_id, sum).first->second;
}

void LedgerBook::stage_new_trial(std::uint32_t number, std::uint64_t plan_trials) {
  WINNOW_REQUIRES(staged_.contains(number));
  LedgerEntry& entry = staged_.at(number);
  if (entry.unbacked.trials > 0 && plan_trials > 0 && sweep_trials(entry.sweep_id) >= plan_trials) {
    --entry.unbacked.trials;
    // Its row was counted when it was staged, and is one that was lost.
    if (entry.unbacked.executions > 0) {
      --entry.unbacked.executions;
      --entry.executions;
    }
    if (entry.unbacked.failed > entry.unbacked.executions) {
      --entry.unbacked.failed;
      --entry.failed;
    }
    return;
  }
  ++entry.trials;
  if (sweep_trials_.empty()) return;
  const auto summed = sweep_trials_.find(entry.sweep_id);
  if (summed != sweep_trials_.end()) ++summed->second;
}

void LedgerBook::stage_backtest(std::uint32_t number, SeenBefore seen, TrialStatus status,
                                TimestampNs now) {
  WINNOW_REQUIRES(staged_.contains(number));
  LedgerEntry& entry = staged_.at(number);
  const std::uint64_t failed = has_failed(status) ? 1 : 0;
  stage_rows(number, 1, failed, now);
  entry.trials += seen == SeenBefore::No ? 1 : 0;
  ++entry.unbacked.executions;
  entry.unbacked.failed += failed;
}

std::optional<UnbackedCounts> LedgerBook::stage_union(std::uint32_t number,
                                                      const LedgerEntry& other) {
  WINNOW_REQUIRES(staged_.contains(number));
  LedgerEntry& entry = staged_.at(number);
  const auto more = [](std::uint64_t theirs, std::uint64_t ours) {
    return theirs > ours ? theirs - ours : 0;
  };
  const UnbackedCounts gained{more(other.trials, entry.trials),
                              more(other.executions, entry.executions),
                              more(other.failed, entry.failed)};
  const bool empty = entry.executions == 0;
  const TimestampNs first = empty ? other.first : std::min(entry.first, other.first);
  const TimestampNs last = empty ? other.last : std::max(entry.last, other.last);
  if (gained == UnbackedCounts{} && first == entry.first && last == entry.last) {
    return std::nullopt;
  }
  entry.trials += gained.trials;
  entry.executions += gained.executions;
  entry.failed += gained.failed;
  entry.unbacked.trials += gained.trials;
  entry.unbacked.executions += gained.executions;
  entry.unbacked.failed += gained.failed;
  entry.first = first;
  entry.last = last;
  WINNOW_ENSURES(!says_more(other, entry));
  return gained;
}

const LedgerEntry* LedgerBook::find(const LedgerEntry& name) const {
  const auto it = numbers_.find(name_of(name));
  return it == numbers_.end() || it->second >= entries_.size() ? nullptr : &entries_[it->second];
}

void LedgerBook::keep() {
  for (auto& [number, entry] : staged_) {
    if (number < entries_.size()) {
      entries_[number] = std::move(entry);
    } else {
      WINNOW_INVARIANT(number == entries_.size());
      entries_.push_back(std::move(entry));
    }
  }
  WINNOW_INVARIANT(numbers_.size() == entries_.size());
  staged_.clear();
  staged_names_.clear();
  sweep_trials_.clear();
}

void LedgerBook::drop() {
  for (const std::string& name : staged_names_) numbers_.erase(name);
  WINNOW_INVARIANT(numbers_.size() == entries_.size());
  staged_.clear();
  staged_names_.clear();
  sweep_trials_.clear();
}

const LedgerEntry& LedgerBook::entry(std::uint32_t number) const {
  const auto it = staged_.find(number);
  return it != staged_.end() ? it->second : entries_.at(number);
}

bool says_more(const LedgerEntry& other, const LedgerEntry& ours) {
  if (other.trials > ours.trials || other.executions > ours.executions ||
      other.failed > ours.failed) {
    return true;
  }
  return other.executions > 0 && ours.executions > 0 &&
         (other.first < ours.first || other.last > ours.last);
}

std::vector<LedgerCount> sum_ledger(const std::vector<LedgerEntry>& entries) {
  std::map<std::pair<std::string, std::string>, LedgerCount> sums;
  for (const LedgerEntry& entry : entries) {
    LedgerCount& sum = sums[{entry.dataset_hash, entry.family}];
    sum.dataset_hash = entry.dataset_hash;
    sum.family = entry.family;
    sum.trials += entry.trials;
    sum.executions += entry.executions;
  }
  std::vector<LedgerCount> out;
  for (auto& [name, sum] : sums) out.push_back(std::move(sum));
  return out;
}

}  // namespace winnow::store
