#include "store/ledger.hpp"

#include <algorithm>

#include "store/codec.hpp"

namespace winnow::store {
namespace {

std::string name_of(std::string_view dataset, std::string_view family, std::string_view sweep,
                    std::string_view user) {
  return codec::pair_key(codec::pair_key(dataset, family), codec::pair_key(sweep, user));
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
    numbers_.emplace(name_of(entry.dataset_hash, entry.family, entry.sweep_id, entry.user), number);
    entries_.push_back(std::move(entry));
  }
  return {};
}

std::uint32_t LedgerBook::stage_entry(const BlockCommit& commit) {
  const std::string name =
      name_of(commit.dataset_hash, commit.family, commit.sweep_id, commit.user);
  const auto next = static_cast<std::uint32_t>(entries_.size() + staged_names_.size());
  const auto [it, made] = numbers_.emplace(name, next);
  if (made) {
    staged_names_.push_back(name);
    LedgerEntry entry;
    entry.dataset_hash = commit.dataset_hash;
    entry.family = commit.family;
    entry.sweep_id = commit.sweep_id;
    entry.user = commit.user;
    staged_.emplace(next, std::move(entry));
  } else if (it->second < entries_.size()) {
    staged_.try_emplace(it->second, entries_[it->second]);
  }
  return it->second;
}

void LedgerBook::stage_rows(std::uint32_t number, std::uint64_t rows, std::uint64_t failed,
                            TimestampNs now) {
  LedgerEntry& entry = staged_.at(number);
  if (entry.executions == 0) entry.first = now;
  entry.last = now;
  entry.executions += rows;
  entry.failed += failed;
}

void LedgerBook::keep() {
  for (auto& [number, entry] : staged_) {
    if (number < entries_.size()) {
      entries_[number] = std::move(entry);
    } else {
      entries_.push_back(std::move(entry));
    }
  }
  staged_.clear();
  staged_names_.clear();
}

void LedgerBook::drop() {
  for (const std::string& name : staged_names_) numbers_.erase(name);
  staged_.clear();
  staged_names_.clear();
}

const LedgerEntry& LedgerBook::entry(std::uint32_t number) const {
  const auto it = staged_.find(number);
  return it != staged_.end() ? it->second : entries_.at(number);
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
