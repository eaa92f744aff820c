#include "store/market_record.hpp"

#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/hash.hpp"
#include "base/text.hpp"
#include "store/dataset_files.hpp"

namespace winnow::store {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kRecordHead = "winnow-market-1 ";
constexpr std::string_view kPrintHead = "winnow-print-1 ";

Json link_json(const MarketLink& link) {
  const MarketLikeness& like = link.likeness;
  return {{"content_hash", link.content_hash},
          {"by", likeness_name(like.by)},
          {"days", like.days},
          {"days_agreed", like.days_agreed},
          {"steps", like.steps},
          {"correlation", like.correlation ? Json(*like.correlation) : Json()},
          {"lag_hours", like.lag_hours}};
}

MarketLink link_from(const Json& json) {
  MarketLink out;
  json.at("content_hash").get_to(out.content_hash);
  out.likeness.same = true;
  const auto by = json.at("by").get<std::string>();
  for (const LikenessBy each :
       {LikenessBy::Days, LikenessBy::Correlation, LikenessBy::Name, LikenessBy::Bytes}) {
    if (by == likeness_name(each)) out.likeness.by = each;
  }
  json.at("days").get_to(out.likeness.days);
  json.at("days_agreed").get_to(out.likeness.days_agreed);
  json.at("steps").get_to(out.likeness.steps);
  const Json& correlation = json.at("correlation");
  if (correlation.is_number()) out.likeness.correlation = correlation.get<double>();
  json.at("lag_hours").get_to(out.likeness.lag_hours);
  return out;
}

Json seal_entry_json(const SealEntry& seal) {
  return {{"from_day", seal.from_day ? Json(*seal.from_day) : Json()},
          {"asked", seal.asked},
          {"by", seal.by},
          {"at_ns", seal.at.ns}};
}

SealEntry seal_entry_from(const Json& json) {
  SealEntry out;
  const Json& from = json.at("from_day");
  if (from.is_number()) out.from_day = from.get<std::int64_t>();
  json.at("asked").get_to(out.asked);
  json.at("by").get_to(out.by);
  json.at("at_ns").get_to(out.at.ns);
  return out;
}

// One line of what the bytes are and their checksum, then the bytes.
std::string checked(std::string_view head, std::string_view body) {
  return std::string(head) + hash128(body).hex() + "\n" + std::string(body);
}

// Nothing if that is not what they are.
std::optional<std::string_view> check(std::string_view head, std::string_view bytes) {
  const std::size_t line = bytes.find('\n');
  if (!bytes.starts_with(head) || line == std::string_view::npos) return std::nullopt;
  const std::string_view body = bytes.substr(line + 1);
  if (bytes.substr(head.size(), line - head.size()) != hash128(body).hex()) return std::nullopt;
  return body;
}

template <class T>
void append_raw(const std::vector<T>& from, std::string& out) {
  const std::uint64_t count = from.size();
  out.append(reinterpret_cast<const char*>(&count), sizeof count);
  out.append(reinterpret_cast<const char*>(from.data()), count * sizeof(T));
}

template <class T>
bool take_raw(std::string_view& from, std::vector<T>& out) {
  std::uint64_t count = 0;
  if (from.size() < sizeof count) return false;
  std::memcpy(&count, from.data(), sizeof count);
  from.remove_prefix(sizeof count);
  if (count > from.size() / sizeof(T)) return false;
  out.resize(count);
  if (count > 0) std::memcpy(out.data(), from.data(), count * sizeof(T));
  from.remove_prefix(count * sizeof(T));
  return true;
}

}  // namespace

MarketRecord MarketRecord::of(const Manifest& m) {
  return {.content_hash = m.content_hash,
          .name = m.name,
          .instrument = m.instrument,
          .interval = m.interval,
          .first_day = utc_day(m.first),
          .last_day = utc_day(m.last),
          .created = m.created,
          .links = {},
          .seals = {}};
}

std::string MarketRecord::to_text() const {
  Json json{{"number", number},         {"content_hash", content_hash}, {"name", name},
            {"instrument", instrument}, {"interval_ns", interval.ns},   {"first_day", first_day},
            {"last_day", last_day},     {"created_ns", created.ns},     {"found", found},
            {"links", Json::array()},   {"seals", Json::array()}};
  for (const MarketLink& link : links) json["links"].push_back(link_json(link));
  for (const SealEntry& seal : seals) json["seals"].push_back(seal_entry_json(seal));
  return checked(kRecordHead, json_text(json) + "\n");
}

Result<MarketRecord> MarketRecord::from_text(std::string_view text) {
  const auto body = check(kRecordHead, text);
  if (!body) return Error(ErrorCode::Corrupt, "the record's checksum is not the recorded one");
  const Json json = parse_ordered_json(*body);
  MarketRecord out;
  try {
    json.at("number").get_to(out.number);
    json.at("content_hash").get_to(out.content_hash);
    json.at("name").get_to(out.name);
    json.at("instrument").get_to(out.instrument);
    json.at("interval_ns").get_to(out.interval.ns);
    json.at("first_day").get_to(out.first_day);
    json.at("last_day").get_to(out.last_day);
    json.at("created_ns").get_to(out.created.ns);
    json.at("found").get_to(out.found);
    for (const Json& link : json.at("links")) out.links.push_back(link_from(link));
    for (const Json& seal : json.at("seals")) out.seals.push_back(seal_entry_from(seal));
  } catch (const Json::exception& e) {
    return Error(ErrorCode::Corrupt, std::string("the record lacks a field: ") + e.what());
  }
  return out;
}

std::string pack_print(const MarketPrint& print, std::string_view content_hash) {
  std::string plain(content_hash);
  plain += '\n';
  plain.append(reinterpret_cast<const char*>(&print.interval_ns), sizeof print.interval_ns);
  append_raw(print.days, plain);
  append_raw(print.closes, plain);
  return checked(kPrintHead, compress_bytes(plain));
}

Result<MarketPrint> unpack_print(std::string_view bytes, std::string_view content_hash) {
  const auto packed = check(kPrintHead, bytes);
  if (!packed) return Error(ErrorCode::Corrupt, "the print's checksum is not the recorded one");
  const auto plain = decompress_bytes(*packed);
  if (!plain.ok()) return plain.error();
  const std::string head = std::string(content_hash) + "\n";
  if (!plain->starts_with(head)) {
    return Error(ErrorCode::Corrupt, "this is no print of dataset " + std::string(content_hash));
  }
  std::string_view rest = std::string_view(*plain).substr(head.size());
  MarketPrint out;
  if (rest.size() >= sizeof out.interval_ns) {
    std::memcpy(&out.interval_ns, rest.data(), sizeof out.interval_ns);
    rest.remove_prefix(sizeof out.interval_ns);
    if (take_raw(rest, out.days) && take_raw(rest, out.closes) && rest.empty()) return out;
  }
  return Error(ErrorCode::Corrupt, "the print is not of the length it says");
}

}  // namespace winnow::store
