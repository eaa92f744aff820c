#include "store/market_book.hpp"

#include <algorithm>

#include "store/market_shelf.hpp"

namespace winnow::store {
namespace {

MarketMember member_of(const MarketRecord& record, const MarketShelf& shelf) {
  const auto names = shelf.names_of(record.content_hash);
  return {.content_hash = record.content_hash,
          .name = names.empty() ? record.name : names.front(),
          .names = {names.begin(), names.end()},
          .instrument = record.instrument,
          .interval = record.interval,
          .first_day = record.first_day,
          .last_day = record.last_day,
          .number = record.number,
          .created = record.created,
          .gone = names.empty(),
          .found = record.found,
          .links = record.links,
          .seals = record.seals};
}

Market market_of(const MarketShelf& shelf, const std::vector<std::size_t>& members) {
  Market out;
  for (const std::size_t i : members) {
    out.members.push_back(member_of(shelf.records()[i], shelf));
    const MarketMember& m = out.members.back();
    out.first_day = out.members.size() == 1 ? m.first_day : std::min(out.first_day, m.first_day);
    out.last_day = out.members.size() == 1 ? m.last_day : std::max(out.last_day, m.last_day);
    for (const SealEntry& seal : m.seals) {
      if (!seal.from_day || (out.sealed_from_day && *out.sealed_from_day <= *seal.from_day)) {
        continue;
      }
      out.sealed_from_day = seal.from_day;
      out.seal = seal;
    }
  }
  out.id = out.members.front().content_hash;
  return out;
}

}  // namespace

const MarketMember* Market::member(std::string_view content_hash) const {
  for (const MarketMember& m : members) {
    if (m.content_hash == content_hash) return &m;
  }
  return nullptr;
}

Result<MarketBook> MarketBook::read(const DatasetStore& datasets) {
  const auto shelf = MarketShelf::read(datasets.files());
  if (!shelf.ok()) return shelf.error();
  MarketBook out;
  for (const std::vector<std::size_t>& members : shelf->markets()) {
    for (const std::size_t i : members) {
      out.market_of_[shelf->records()[i].content_hash] = out.markets_.size();
    }
    out.markets_.push_back(market_of(*shelf, members));
  }
  return out;
}

const Market* MarketBook::of(std::string_view content_hash) const {
  const auto found = market_of_.find(content_hash);
  return found == market_of_.end() ? nullptr : &markets_[found->second];
}

std::string MarketBook::id_of(std::string_view content_hash) const {
  const Market* market = of(content_hash);
  return market == nullptr ? std::string(content_hash) : market->id;
}

Result<std::vector<MemberLikeness>> likenesses(const DatasetStore& datasets,
                                               std::string_view content_hash) {
  const auto shelf = MarketShelf::read(datasets.files());
  if (!shelf.ok()) return shelf.error();
  const MarketRecord* own = shelf->find(content_hash);
  if (own == nullptr) {
    return Error(ErrorCode::NotFound, "no market is known of dataset " + std::string(content_hash));
  }
  std::vector<MemberLikeness> out;
  for (const std::vector<std::size_t>& members : shelf->markets()) {
    const auto is_own = [&](std::size_t i) { return &shelf->records()[i] == own; };
    if (std::none_of(members.begin(), members.end(), is_own)) continue;
    for (const std::size_t i : members) {
      if (is_own(i)) continue;
      const MarketRecord& other = shelf->records()[i];
      auto like = shelf->likeness(*own, other);
      if (!like.ok()) return like.error();
      out.push_back({other.content_hash, *like});
    }
  }
  return out;
}

}  // namespace winnow::store
