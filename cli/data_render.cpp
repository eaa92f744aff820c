#include "cli/data_render.hpp"

#include <algorithm>
#include <cstdio>

#include "base/instrument.hpp"
#include "base/text.hpp"
#include "cli/output.hpp"

namespace winnow::cli {

using Json = nlohmann::ordered_json;

Result<store::DatasetStore> open_datasets(const Context& context) {
  return store::DatasetStore::open(context.home() / "data");
}

void print_document(const Json& json) { print_json(json); }

TimestampNs import_time() {
  const TimestampNs now = system_clock().now();
  return {now.ns - now.ns % 1'000'000};
}

Json manifest_json(const store::Manifest& m) {
  Json out = parse_ordered_json(m.to_json());
  out["instrument_canonical"] = canonical_instrument(m.instrument);
  return out;
}

std::string_view kind_text(store::PutKind kind) {
  switch (kind) {
    case store::PutKind::Created:
      return "created";
    case store::PutKind::NewVersion:
      return "new_version";
    case store::PutKind::Unchanged:
      return "unchanged";
  }
  return "";
}

namespace {

void print_faults(const store::Manifest& m) {
  for (std::size_t k = 0; k < store::kFaultKinds; ++k) {
    const auto kind = static_cast<store::FaultKind>(k);
    const auto& entry = m.faults[kind];
    if (entry.count == 0) continue;
    std::printf("  %-22s %llu%s\n", std::string(store::fault_name(kind)).c_str(),
                static_cast<unsigned long long>(entry.count),
                store::fault_refuses(kind) ? "  (repaired)" : "");
    constexpr std::size_t kShown = 3;
    for (std::size_t i = 0; i < std::min(kShown, entry.first.size()); ++i) {
      const auto& s = entry.first[i];
      std::printf("    %s  %s: %s\n", format_timestamp({s.time_ns}).c_str(), s.where.c_str(),
                  s.text.c_str());
    }
  }
}

}  // namespace

void print_manifest(const store::Manifest& m) {
  const std::string canonical = canonical_instrument(m.instrument);
  const std::string alias = canonical == m.instrument ? "" : " (" + canonical + ")";
  std::printf("%s: %s%s, %s bars, %s\n", m.name.c_str(), m.instrument.c_str(), alias.c_str(),
              format_duration(m.interval).c_str(), m.format.c_str());
  std::printf("  bars           %llu, %s to %s\n", static_cast<unsigned long long>(m.bars),
              format_timestamp(m.first).c_str(), format_timestamp(m.last).c_str());
  std::printf("  funding        %llu payments\n",
              static_cast<unsigned long long>(m.funding_events));
  std::printf("  content hash   %s\n", m.content_hash.c_str());
  std::printf("  created        %s\n", format_timestamp(m.created).c_str());
  if (!m.parent.empty()) std::printf("  replaces       %s\n", m.parent.c_str());
  for (const auto& f : m.raw_files) {
    std::printf("  file           %s (%s, %llu bytes, sha256 %s)\n", f.name.c_str(), f.role.c_str(),
                static_cast<unsigned long long>(f.bytes), f.sha256.c_str());
  }
  std::printf("faults of %llu rows read: %llu (missing bars: %llu)\n",
              static_cast<unsigned long long>(m.faults.rows_read),
              static_cast<unsigned long long>(m.faults.total()),
              static_cast<unsigned long long>(m.faults.bars_missing));
  print_faults(m);
  if (!m.repairs.empty()) {
    std::printf("repairs: %zu\n", m.repairs.size());
    constexpr std::size_t kShown = 10;
    for (std::size_t i = 0; i < std::min(kShown, m.repairs.size()); ++i) {
      const auto& r = m.repairs[i];
      std::printf("  %s  %s %s: %s\n", format_timestamp({r.time_ns}).c_str(), r.action.c_str(),
                  r.where.c_str(), r.text.c_str());
    }
    if (m.repairs.size() > kShown) std::printf("  ... (--json lists all)\n");
  }
  for (const std::string& note : m.notes) std::printf("note: %s\n", note.c_str());
}

namespace {

Json gap_json(const store::Gap& gap) {
  return {{"from", format_timestamp(gap.from)},
          {"to", format_timestamp(gap.to)},
          {"bars_missing", gap.bars}};
}

std::string_view calendar_text(std::string_view calendar) {
  if (calendar == "every_day") return "trades every day";
  if (calendar == "business_days") return "trades on business days";
  return "has bars on some days only";
}

}  // namespace

Json report_json(const store::DataReport& r) {
  Json found = Json::object();
  for (std::size_t k = 0; k < store::kOddityKinds; ++k) {
    Json list = Json::array();
    for (const store::Oddity& o : r.oddities) {
      if (static_cast<std::size_t>(o.kind) != k) continue;
      list.push_back({{"from", format_timestamp(o.from)},
                      {"to", format_timestamp(o.to)},
                      {"bars", o.bars},
                      {"text", o.text}});
    }
    found[std::string(store::oddity_name(static_cast<store::OddityKind>(k)))] = {
        {"count", r.counts[k]}, {"bars", r.bars_of[k]}, {"longest", std::move(list)}};
  }
  Json out{
      {"bars", r.bars}, {"bars_possible", r.bars_possible},   {"coverage_frac", r.coverage_frac()},
      {"days", r.days}, {"days_with_bars", r.days_with_bars}, {"calendar", r.calendar},
      {"gaps", r.gaps}};
  if (r.gaps > 0) out["longest_gap"] = gap_json(r.longest_gap);
  out["found"] = std::move(found);
  return out;
}

void print_report(const store::DataReport& r) {
  std::printf(
      "coverage: %llu of %llu bars (%.2f%%), %llu of %llu days; it %s\n",
      static_cast<unsigned long long>(r.bars), static_cast<unsigned long long>(r.bars_possible),
      100 * r.coverage_frac(), static_cast<unsigned long long>(r.days_with_bars),
      static_cast<unsigned long long>(r.days), std::string(calendar_text(r.calendar)).c_str());
  if (r.gaps > 0) {
    std::printf("gaps: %llu, the longest of %llu bars before %s (`winnow data gaps` writes all)\n",
                static_cast<unsigned long long>(r.gaps),
                static_cast<unsigned long long>(r.longest_gap.bars),
                format_timestamp(r.longest_gap.to).c_str());
  }
  for (std::size_t k = 0; k < store::kOddityKinds; ++k) {
    if (r.counts[k] == 0) continue;
    const auto kind = static_cast<store::OddityKind>(k);
    std::printf("%s: %llu, %llu bars\n", std::string(store::oddity_name(kind)).c_str(),
                static_cast<unsigned long long>(r.counts[k]),
                static_cast<unsigned long long>(r.bars_of[k]));
    constexpr int kShown = 3;
    int shown = 0;
    for (const store::Oddity& o : r.oddities) {
      if (o.kind != kind || shown++ >= kShown) continue;
      std::printf("  %s to %s: %s\n", format_timestamp(o.from).c_str(),
                  format_timestamp(o.to).c_str(), o.text.c_str());
    }
  }
}

namespace {

constexpr std::size_t kBarsShown = 5;

/// Indices of the first few and the last bar.
std::vector<std::size_t> shown_bars(const MarketView& m) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < std::min(m.size(), kBarsShown); ++i) out.push_back(i);
  if (m.size() > kBarsShown) out.push_back(m.size() - 1);
  return out;
}

}  // namespace

void print_bars(const MarketView& m) {
  std::printf("%-24s %14s %14s %14s %14s %16s\n", "TIME (UTC)", "OPEN", "HIGH", "LOW", "CLOSE",
              "VOLUME (BASE)");
  for (const std::size_t i : shown_bars(m)) {
    if (i >= kBarsShown && m.size() > kBarsShown + 1) std::printf("...\n");
    std::printf("%-24s %14.10g %14.10g %14.10g %14.10g %16.10g\n",
                format_timestamp({m.time_ns[i]}).c_str(), m.open[i], m.high[i], m.low[i],
                m.close[i], m.volume[i]);
  }
}

Json bars_json(const MarketView& m) {
  Json out = Json::array();
  for (const std::size_t i : shown_bars(m)) {
    out.push_back({{"time", format_timestamp({m.time_ns[i]})},
                   {"time_ns", m.time_ns[i]},
                   {"open", m.open[i]},
                   {"high", m.high[i]},
                   {"low", m.low[i]},
                   {"close", m.close[i]},
                   {"volume", m.volume[i]}});
  }
  return out;
}

}  // namespace winnow::cli
