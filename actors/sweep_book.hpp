#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "store/store.hpp"
#include "sweeps/generation.hpp"

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
  virtual Result<std::vector<bool>> committed(std::string_view sweep_id,
                                              std::uint64_t blocks) const = 0;
  /// Status and metrics of a committed block: what a search learns from.
  virtual Result<ResultBlock> outcomes(std::string_view sweep_id, std::uint64_t block) const = 0;
  /// A generation of a search under generation_key(), and what was put down so.
  virtual Status put_generation(const std::string& key, const std::string& bytes) = 0;
  virtual Result<std::optional<std::string>> generation(const std::string& key) const = 0;
};

/// The store's own. Requires: the store outlives it.
class StoreSweepBook final : public SweepBook {
 public:
  explicit StoreSweepBook(store::Store& store) : store_(store) {}
  Status put_sweep(const store::SweepMeta& meta) override { return store_.put_sweep(meta); }
  Result<std::optional<store::SweepMeta>> sweep(std::string_view id) const override {
    return store_.sweep(id);
  }
  Result<std::vector<store::SweepMeta>> sweeps() const override { return store_.sweeps(); }
  Result<std::vector<bool>> committed(std::string_view sweep_id,
                                      std::uint64_t blocks) const override {
    return store_.committed(sweep_id, blocks);
  }
  Result<ResultBlock> outcomes(std::string_view sweep_id, std::uint64_t block) const override {
    return store_.read_block(sweep_id, block, {.metrics = true});
  }
  Status put_generation(const std::string& key, const std::string& bytes) override {
    return store_.put_document(sweeps::kGenerationKind, key, bytes);
  }
  Result<std::optional<std::string>> generation(const std::string& key) const override {
    return store_.document(sweeps::kGenerationKind, key);
  }

 private:
  store::Store& store_;
};

}  // namespace winnow::actors
