#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/market_book.hpp"
#include "store/store.hpp"
#include "sweeps/level/account_book.hpp"

namespace winnow::actors {

/// Purpose: accounts and days on record, in the store. Thread: any. Owner: the store outlives it.
class StoreDocuments final : public sweeps::level::Documents {
 public:
  explicit StoreDocuments(store::Store& store) : reader_(store), writer_(&store) {}
  /// `writer` null: for reading only.
  StoreDocuments(const store::Store& reader, store::Store* writer)
      : reader_(reader), writer_(writer) {}

  Result<std::optional<std::string>> read(std::string_view kind,
                                          std::string_view key) const override {
    return reader_.document(kind, key);
  }
  Result<std::vector<std::string>> keys(std::string_view kind,
                                        std::string_view prefix) const override {
    return reader_.document_keys(kind, prefix);
  }
  Status update(std::string_view kind, std::string_view key, const Change& change) override {
    if (writer_ != nullptr) return writer_->update_document(kind, key, change);
    return Error(ErrorCode::Refused,
                 "this store is open for reading only: ask the coordinator that holds it, with "
                 "--connect HOST:PORT");
  }

 private:
  const store::Store& reader_;
  store::Store* writer_;
};

/// The market behind a dataset, as accounts and days know it.
inline sweeps::level::MarketDays market_days(const store::MarketBook& book,
                                             std::string_view content_hash) {
  sweeps::level::MarketDays out{.id = std::string(content_hash),
                                .hashes = {std::string(content_hash)},
                                .sealed_from = std::nullopt};
  const store::Market* market = book.of(content_hash);
  if (market == nullptr) return out;
  out.id = market->id;
  out.hashes.clear();
  for (const store::MarketMember& member : market->members) {
    out.hashes.push_back(member.content_hash);
  }
  out.sealed_from = market->sealed_from_day;
  return out;
}

}  // namespace winnow::actors
