#include "store/dataset_manifest.hpp"

#include <nlohmann/json.hpp>

#include "base/hash.hpp"
#include "base/text.hpp"

namespace winnow::store {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kManifestVersion = 1;
constexpr char kChecksumKey[] = "manifest_hash";

struct KindFacts {
  std::string_view name;
  bool refuses;
};
constexpr std::array<KindFacts, kFaultKinds> kKinds{{
    {"gap", false},
    {"outlier", false},
    {"overlap", false},
    {"unfinished_last_bar", false},
    {"duplicate_identical", true},
    {"duplicate_conflicting", true},
    {"non_monotone_time", false},
    {"off_grid_time", true},
    {"future_time", true},
    {"ohlc_violation", true},
    {"bad_price", true},
    {"bad_volume", true},
    {"bad_rate", true},
    {"partial_bar", false},
    {"skipped_hour", true},
}};

Json faults_to_json(const FaultReport& report) {
  Json kinds = Json::object();
  for (std::size_t k = 0; k < kFaultKinds; ++k) {
    const FaultReport::Entry& entry = report[static_cast<FaultKind>(k)];
    if (entry.count == 0) continue;
    Json first = Json::array();
    for (const FaultSample& s : entry.first) {
      first.push_back({{"time", format_time_ns(s.time_ns)},
                       {"time_ns", s.time_ns},
                       {"where", s.where},
                       {"text", s.text}});
    }
    kinds[std::string(kKinds[k].name)] = {
        {"count", entry.count}, {"refuses", kKinds[k].refuses}, {"first", std::move(first)}};
  }
  return {{"rows_read", report.rows_read},
          {"bars_missing", report.bars_missing},
          {"kinds", std::move(kinds)}};
}

FaultReport faults_from_json(const Json& json) {
  FaultReport report;
  report.rows_read = json.at("rows_read").get<std::uint64_t>();
  report.bars_missing = json.at("bars_missing").get<std::uint64_t>();
  for (std::size_t k = 0; k < kFaultKinds; ++k) {
    const auto it = json.at("kinds").find(std::string(kKinds[k].name));
    if (it == json.at("kinds").end()) continue;
    FaultReport::Entry& entry = report[static_cast<FaultKind>(k)];
    entry.count = it->at("count").get<std::uint64_t>();
    for (const Json& s : it->at("first")) {
      entry.first.push_back({s.at("time_ns").get<std::int64_t>(), s.at("where").get<std::string>(),
                             s.at("text").get<std::string>()});
    }
  }
  return report;
}

Json to_document(const Manifest& m) {
  Json raw = Json::array();
  for (const RawFile& f : m.raw_files) {
    raw.push_back({{"name", f.name}, {"role", f.role}, {"sha256", f.sha256}, {"bytes", f.bytes}});
  }
  Json repairs = Json::array();
  for (const Repair& r : m.repairs) {
    repairs.push_back({{"action", r.action},
                       {"time", format_time_ns(r.time_ns)},
                       {"time_ns", r.time_ns},
                       {"where", r.where},
                       {"text", r.text}});
  }
  Json out;
  out["manifest_version"] = kManifestVersion;
  out["name"] = m.name;
  out["instrument"] = m.instrument;
  out["format"] = m.format;
  out["interval"] = format_duration(m.interval);
  out["interval_ns"] = m.interval.ns;
  out["bars"] = m.bars;
  out["first"] = format_time_ns(m.first.ns);
  out["first_ns"] = m.first.ns;
  out["last"] = format_time_ns(m.last.ns);
  out["last_ns"] = m.last.ns;
  out["funding_events"] = m.funding_events;
  out["content_hash"] = m.content_hash;
  out["parent"] = m.parent;
  out["created"] = format_time_ns(m.created.ns);
  out["created_ns"] = m.created.ns;
  out["on_fault"] = m.on_fault;
  out["raw_files"] = std::move(raw);
  out["faults"] = faults_to_json(m.faults);
  out["repairs"] = std::move(repairs);
  out["notes"] = m.notes;
  // A truth that is not JSON would be our own mistake; it is kept as text rather than lost.
  if (!m.truth_json.empty()) {
    Json truth = parse_ordered_json(m.truth_json);
    out["truth"] = truth.is_discarded() ? Json(m.truth_json) : std::move(truth);
  }
  if (m.sealed_from_day) out["sealed_from_day"] = *m.sealed_from_day;
  return out;
}

Manifest from_document(const Json& json) {
  Manifest m;
  m.name = json.at("name").get<std::string>();
  m.instrument = json.at("instrument").get<std::string>();
  m.format = json.at("format").get<std::string>();
  m.interval.ns = json.at("interval_ns").get<std::int64_t>();
  m.bars = json.at("bars").get<std::uint64_t>();
  m.first.ns = json.at("first_ns").get<std::int64_t>();
  m.last.ns = json.at("last_ns").get<std::int64_t>();
  m.funding_events = json.at("funding_events").get<std::uint64_t>();
  m.content_hash = json.at("content_hash").get<std::string>();
  m.parent = json.at("parent").get<std::string>();
  m.created.ns = json.at("created_ns").get<std::int64_t>();
  m.on_fault = json.at("on_fault").get<std::string>();
  for (const Json& f : json.at("raw_files")) {
    m.raw_files.push_back({f.at("name").get<std::string>(), f.at("role").get<std::string>(),
                           f.at("sha256").get<std::string>(), f.at("bytes").get<std::uint64_t>()});
  }
  m.faults = faults_from_json(json.at("faults"));
  for (const Json& r : json.at("repairs")) {
    m.repairs.push_back({r.at("action").get<std::string>(), r.at("time_ns").get<std::int64_t>(),
                         r.at("where").get<std::string>(), r.at("text").get<std::string>()});
  }
  m.notes = json.at("notes").get<std::vector<std::string>>();
  if (const auto truth = json.find("truth"); truth != json.end()) m.truth_json = json_text(*truth);
  if (const auto seal = json.find("sealed_from_day"); seal != json.end()) {
    m.sealed_from_day = seal->get<std::int64_t>();
  }
  return m;
}

}  // namespace

std::string_view fault_name(FaultKind kind) { return kKinds[static_cast<std::size_t>(kind)].name; }
bool fault_refuses(FaultKind kind) { return kKinds[static_cast<std::size_t>(kind)].refuses; }

std::uint64_t FaultReport::refusing() const {
  std::uint64_t n = 0;
  for (std::size_t k = 0; k < kFaultKinds; ++k) {
    if (kKinds[k].refuses) n += entries_[k].count;
  }
  return n;
}

std::uint64_t FaultReport::total() const {
  std::uint64_t n = 0;
  for (const Entry& entry : entries_) n += entry.count;
  return n;
}

std::string Manifest::to_json() const {
  Json document = to_document(*this);
  document[kChecksumKey] = sha256_hex(json_text(document));
  return json_text(document, 2) + "\n";
}

Result<Manifest> Manifest::from_json(std::string_view text) {
  Json document = parse_ordered_json(text);
  if (document.is_discarded() || !document.is_object()) {
    return Error(ErrorCode::Corrupt, "the manifest is not JSON");
  }
  // Parsed numbers and texts print as they were written, so the checksum covers every byte that
  // carries meaning.
  const auto checksum = document.find(kChecksumKey);
  if (checksum == document.end() || !checksum->is_string()) {
    return Error(ErrorCode::Corrupt, "the manifest has no checksum");
  }
  const auto expected = checksum->get<std::string>();
  document.erase(kChecksumKey);
  if (const auto actual = sha256_hex(json_text(document)); actual != expected) {
    return Error(ErrorCode::Corrupt,
                 "the manifest's checksum is " + actual + ", not the recorded " + expected);
  }
  try {
    if (const int version = document.at("manifest_version").get<int>();
        version != kManifestVersion) {
      return Error(ErrorCode::Corrupt, "manifest version " + std::to_string(version) +
                                           " is unknown; this program reads " +
                                           std::to_string(kManifestVersion));
    }
    return from_document(document);
  } catch (const Json::exception& e) {
    return Error(ErrorCode::Corrupt, std::string("the manifest lacks a field: ") + e.what());
  }
}

}  // namespace winnow::store
