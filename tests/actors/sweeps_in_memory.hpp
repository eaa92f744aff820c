#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "actors/sweep_book.hpp"
#include "sweeps/plan.hpp"

namespace winnow::actors {

/// The sweeps of a book in memory. What else the store would know is a test's own.
class SweepsInMemory : public SweepBook {
 public:
  Status put_sweep(const store::SweepMeta& meta) override {
    sweeps_[meta.id] = meta;
    return {};
  }
  Result<std::optional<store::SweepMeta>> sweep(std::string_view id) const override {
    const auto found = sweeps_.find(std::string(id));
    if (found == sweeps_.end()) return std::optional<store::SweepMeta>();
    return std::optional(found->second);
  }
  Result<std::vector<store::SweepMeta>> sweeps() const override {
    std::vector<store::SweepMeta> all;
    for (const auto& [id, meta] : sweeps_) all.push_back(meta);
    return all;
  }

 protected:
  std::map<std::string, store::SweepMeta> sweeps_;
};

inline constexpr const char* kSimHash = "content of sim";

/// One dataset of a day, `sim`, and an execution without costs.
inline sweeps::Catalog catalog_of_sim() {
  sweeps::DatasetInfo data;
  data.name = "sim";
  data.content_hash = kSimHash;
  data.instrument = "SIM";
  data.interval = seconds(300);
  data.first = TimestampNs{} + days(19'000);
  data.bars = 288;
  data.last = data.first + DurationNs{data.interval.ns * 287};
  sweeps::Catalog out;
  out.dataset_names = {"sim"};
  out.dataset = [data](std::string_view name) -> std::optional<sweeps::DatasetInfo> {
    return name == "sim" ? std::optional(data) : std::nullopt;
  };
  out.execution_names = {"none"};
  out.execution = [](std::string_view) -> Result<std::string> {
    return std::string("name: none\nsizing: all_in\ninitial_cash: 100000\n");
  };
  return out;
}

}  // namespace winnow::actors
