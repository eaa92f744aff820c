#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "actors/store_documents.hpp"
#include "store/store.hpp"
#include "sweeps/generation.hpp"
#include "sweeps/spec_warnings.hpp"
#include "sweeps/user_budget.hpp"

namespace winnow::actors {

/// Purpose: what the coordinator itself asks of the store: which sweeps there are, which of their
/// blocks are committed, and what searches that learn were told and chose. As narrow as that, so
/// that the simulation can put a disk with faults behind it. Every write is on disk when it
/// returns.
class SweepBook {
 public:
  virtual ~SweepBook() = default;
  virtual Status put_sweep(const store::SweepMeta& meta) = 0;
  virtual Result<std::optional<store::SweepMeta>> sweep(std::string_view id) const = 0;
  virtual Result<std::vector<store::SweepMeta>> sweeps() const = 0;
  /// Takes its results away; see Store::delete_sweep.
  virtual Status delete_sweep(std::string_view id, const std::string& /*user*/,
                              TimestampNs /*now*/) {
    return Error(ErrorCode::Refused, "sweep " + std::string(id) + " cannot be deleted here");
  }
  virtual Result<std::vector<bool>> committed(std::string_view sweep_id,
                                              std::uint64_t blocks) const = 0;
  /// Status and metrics of a committed block: what a search learns from.
  virtual Result<ResultBlock> outcomes(std::string_view sweep_id, std::uint64_t block) const = 0;
  /// What was set as the budget of a user (sweeps::limits_from_json), if anything was.
  virtual Result<std::optional<std::string>> user_budget(const std::string& /*user*/) const {
    return std::optional<std::string>();
  }
  virtual Result<std::vector<store::LedgerEntry>> ledger_entries() const {
    return std::vector<store::LedgerEntry>();
  }
  /// How many of the keys no sweep ever brought to the ledger.
  virtual Result<std::uint64_t> new_trials(std::span<const LedgerKey> keys) const {
    return keys.size();
  }
  /// Whether the detectors passed what sweeps::check_key names, and that they did.
  virtual Result<bool> checked(const Hash128& key) const = 0;
  virtual Status put_checked(const Hash128& key) = 0;
  /// What is to be said of a sweep's specification (sweeps::warnings_to_json), and that it is the
  /// one that was run last.
  virtual Status put_warnings(const std::string& /*sweep_id*/, const std::string& /*json*/) {
    return {};
  }
  virtual Status put_last_run(const std::string& /*sweep_id*/) { return {}; }
  /// Accounts, openings, and who saw which days. Null: none are kept here, nothing can be opened.
  virtual sweeps::level::Documents* documents() { return nullptr; }
  /// A generation of a search under generation_key(), and what was put down so.
  virtual Status put_generation(const std::string& key, const std::string& bytes) = 0;
  virtual Result<std::optional<std::string>> generation(const std::string& key) const = 0;
};

/// Kinds of documents that are results of a sweep. Others are what was seen of it, and stay:
/// correlations, neighbourhoods and looks count in every later verdict.
inline std::vector<std::string> deleted_with_a_sweep() {
  return {std::string(sweeps::kGenerationKind), std::string(sweeps::kSpecWarningsKind), "evidence",
          "convergence", "plateau"};
}

/// The store's own. Requires: the store outlives it. Thread: one.
class StoreSweepBook final : public SweepBook {
 public:
  explicit StoreSweepBook(store::Store& store) : store_(store), documents_(store) {}
  /// Grows with every write, and whenever somebody is about to write documents.
  std::uint64_t changes() const { return changes_; }

  Status put_sweep(const store::SweepMeta& meta) override {
    ++changes_;
    return store_.put_sweep(meta);
  }
  Result<std::optional<store::SweepMeta>> sweep(std::string_view id) const override {
    return store_.sweep(id);
  }
  Result<std::vector<store::SweepMeta>> sweeps() const override { return store_.sweeps(); }
  Status delete_sweep(std::string_view id, const std::string& user, TimestampNs now) override {
    ++changes_;
    return store_.delete_sweep(id, {user, now, deleted_with_a_sweep()});
  }
  Result<std::optional<std::string>> user_budget(const std::string& user) const override {
    return store_.document(sweeps::kUserBudgetKind, user);
  }
  Result<std::vector<store::LedgerEntry>> ledger_entries() const override {
    return store_.ledger_entries();
  }
  Result<std::uint64_t> new_trials(std::span<const LedgerKey> keys) const override {
    return store_.count_new(keys);
  }
  Result<std::vector<bool>> committed(std::string_view sweep_id,
                                      std::uint64_t blocks) const override {
    return store_.committed(sweep_id, blocks);
  }
  Result<ResultBlock> outcomes(std::string_view sweep_id, std::uint64_t block) const override {
    return store_.read_block(sweep_id, block, {.metrics = true});
  }
  Result<bool> checked(const Hash128& key) const override {
    const auto found = store_.document(kCheckedKind, key.hex());
    if (!found) return found.error();
    return found->has_value();
  }
  Status put_checked(const Hash128& key) override {
    ++changes_;
    return store_.put_document(kCheckedKind, key.hex(), "passed");
  }
  Status put_warnings(const std::string& sweep_id, const std::string& json) override {
    ++changes_;
    return store_.put_document(sweeps::kSpecWarningsKind, sweep_id, json);
  }
  Status put_last_run(const std::string& sweep_id) override {
    ++changes_;
    return store_.put_document(sweeps::kLastRunKind, sweeps::kLastRunKey, sweep_id);
  }
  sweeps::level::Documents* documents() override {
    ++changes_;
    return &documents_;
  }
  Status put_generation(const std::string& key, const std::string& bytes) override {
    ++changes_;
    return store_.put_document(sweeps::kGenerationKind, key, bytes);
  }
  Result<std::optional<std::string>> generation(const std::string& key) const override {
    return store_.document(sweeps::kGenerationKind, key);
  }

 private:
  static constexpr std::string_view kCheckedKind = "detectors";
  store::Store& store_;
  StoreDocuments documents_;
  std::uint64_t changes_ = 0;
};

}  // namespace winnow::actors
