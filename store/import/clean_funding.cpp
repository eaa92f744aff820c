#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_map>

#include "store/import/clean.hpp"

namespace winnow::store {
namespace {

constexpr double kRateUsualMax =
    0.05;  // venues cap a payment near 3%; beyond, it may be in percent

/// Venues stamp payments a few milliseconds late, so spacing is compared in whole minutes.
void note_missing_payments(const std::vector<FundingEvent>& events,
                           std::vector<std::string>& notes) {
  constexpr std::int64_t kMinute = 60'000'000'000;
  const auto minutes = [&](std::size_t i) {
    return (events[i].time_ns - events[i - 1].time_ns + kMinute / 2) / kMinute;
  };
  std::unordered_map<std::int64_t, std::size_t> counts;
  std::int64_t usual = 0;
  for (std::size_t i = 1; i < events.size(); ++i) {
    if (++counts[minutes(i)] > counts[usual] || usual == 0) usual = minutes(i);
  }
  if (usual <= 0) return;
  std::uint64_t gaps = 0;
  std::string first;
  for (std::size_t i = 1; i < events.size(); ++i) {
    if (minutes(i) * 2 <= usual * 3) continue;
    if (gaps++ == 0) first = format_time_ns(events[i - 1].time_ns);
  }
  if (gaps == 0) return;
  notes.push_back("funding: " + std::to_string(gaps) + " gaps in payments every " +
                  format_duration(DurationNs{usual * kMinute}) + ", the first after " + first);
}

}  // namespace

Result<CleanFunding> clean_funding(FundingRows rows, const CleanOptions& options) {
  CleanFunding out;
  out.faults.rows_read = rows.events.size();
  if (rows.events.empty()) {
    return Error(ErrorCode::InvalidInput, "there is no payment below the header");
  }
  out.notes = rows.notes;
  std::uint64_t repaired = 0;
  const auto fault = [&](FaultKind kind, std::size_t i, const std::string& text) {
    const std::int64_t time = rows.events[i].time_ns;
    out.faults.add(kind, [&] { return FaultSample{time, rows.where(i), text}; });
    if (kind == FaultKind::Overlap || kind == FaultKind::NonMonotoneTime) return;
    if (++repaired <= kRepairsListed) out.repairs.push_back({"removed", time, rows.where(i), text});
  };
  std::vector<std::size_t> order;
  std::uint64_t unusual = 0;
  for (std::size_t i = 0; i < rows.events.size(); ++i) {
    const FundingEvent& event = rows.events[i];
    if (!std::isfinite(event.rate_frac)) {
      fault(FaultKind::BadRate, i, "the funding rate is missing or not finite");
      continue;
    }
    if (event.time_ns > options.now.ns) {
      fault(FaultKind::FutureTime, i,
            "is after the time of import, " + format_timestamp(options.now));
      continue;
    }
    if (std::abs(event.rate_frac) > kRateUsualMax) ++unusual;
    if (!order.empty() && event.time_ns < rows.events[order.back()].time_ns &&
        rows.origin[i].file == rows.origin[order.back()].file) {
      fault(FaultKind::NonMonotoneTime, i,
            "comes after " + format_time_ns(rows.events[order.back()].time_ns));
    }
    order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return rows.events[a].time_ns < rows.events[b].time_ns;
  });
  std::size_t last = 0;
  for (const std::size_t i : order) {
    const FundingEvent& event = rows.events[i];
    if (!out.events.empty() && out.events.back().time_ns == event.time_ns) {
      const bool same = out.events.back().rate_frac == event.rate_frac;
      const bool overlap = same && rows.origin[last].file != rows.origin[i].file;
      fault(overlap ? FaultKind::Overlap
            : same  ? FaultKind::DuplicateIdentical
                    : FaultKind::DuplicateConflicting,
            i, "is the same time as " + rows.where(last));
      continue;
    }
    out.events.push_back(event);
    last = i;
  }
  if (out.faults.refusing() > 0 && options.on_fault == OnFault::Refuse) {
    return Error(ErrorCode::InvalidInput,
                 describe_faults(out.faults, FaultScope::Refusing) +
                     "; nothing was imported. --on-fault repair removes or mends such rows and "
                     "lists each repair");
  }
  const bool most =
      repaired > kRepairsFew &&
      static_cast<double>(repaired) > kRepairedMaxFrac * static_cast<double>(rows.events.size());
  if (most || out.events.empty()) {
    return Error(ErrorCode::InvalidInput, describe_faults(out.faults, FaultScope::Refusing) +
                                              "; too little is left to be a funding history");
  }
  if (unusual > 0) {
    out.notes.push_back("funding: " + std::to_string(unusual) +
                        " rates are beyond 5% a payment; a rate is a fraction, 0.0001 is 1 bp");
  }
  note_missing_payments(out.events, out.notes);
  return out;
}

}  // namespace winnow::store
