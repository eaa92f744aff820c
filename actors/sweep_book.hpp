#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "store/store.hpp"

namespace winnow::actors {

/// Purpose: what the coordinator itself asks of the store: which sweeps there are and which of
/// their blocks are committed. As narrow as that, so that the simulation can put a disk with faults
/// behind it. Every write is on disk when it returns.
class SweepBook {
 public:
  virtual ~SweepBook() = default;
  virtual Status put_sweep(const store::SweepMeta& meta) = 0;
  virtual Result<std::optional<store::SweepMeta>> sweep(std::string_view id) const = 0;
  virtual Result<std::vector<store::SweepMeta>> sweeps() const = 0;
  virtual Result<std::vector<bool>> committed(std::string_view sweep_id,
                                              std::uint64_t blocks) const = 0;
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

 private:
  store::Store& store_;
};

}  // namespace winnow::actors
