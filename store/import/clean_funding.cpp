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

/// Purpose: one history of payments on its way to being clean. Owner: clean_funding.
class FundingCleaner {
 public:
  FundingCleaner(FundingRows rows, const CleanOptions& options)
      : rows_(std::move(rows)), options_(options) {
    out_.faults.rows_read = rows_.events.size();
    out_.notes = rows_.notes;
  }

  Result<CleanFunding> run() {
    if (rows_.events.empty()) {
      return Error(ErrorCode::InvalidInput, "there is no payment below the header");
    }
    keep_once(in_order());
    WINNOW_TRY(check_what_is_left());
    if (unusual_ > 0) {
      out_.notes.push_back("funding: " + std::to_string(unusual_) +
                           " rates are beyond 5% a payment; a rate is a fraction, 0.0001 is 1 bp");
    }
    note_missing_payments(out_.events, out_.notes);
    return std::move(out_);
  }

 private:
  void fault(FaultKind kind, std::size_t i, const std::string& text) {
    const std::int64_t time = rows_.events[i].time_ns;
    out_.faults.add(kind, [&] { return FaultSample{time, rows_.where(i), text}; });
    if (kind == FaultKind::Overlap || kind == FaultKind::NonMonotoneTime) return;
    if (++repaired_ <= kRepairsListed) {
      out_.repairs.push_back({"removed", time, rows_.where(i), text});
    }
  }

  /// The rows with a value and a time of the past, by time.
  std::vector<std::size_t> in_order() {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < rows_.events.size(); ++i) {
      const FundingEvent& event = rows_.events[i];
      if (!std::isfinite(event.rate_frac)) {
        fault(FaultKind::BadRate, i, "the funding rate is missing or not finite");
        continue;
      }
      if (event.time_ns > options_.now.ns) {
        fault(FaultKind::FutureTime, i,
              "is after the time of import, " + format_timestamp(options_.now));
        continue;
      }
      if (std::abs(event.rate_frac) > kRateUsualMax) ++unusual_;
      if (!order.empty() && event.time_ns < rows_.events[order.back()].time_ns &&
          rows_.origin[i].file == rows_.origin[order.back()].file) {
        fault(FaultKind::NonMonotoneTime, i,
              "comes after " + format_time_ns(rows_.events[order.back()].time_ns));
      }
      order.push_back(i);
    }
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return rows_.events[a].time_ns < rows_.events[b].time_ns;
    });
    return order;
  }

  void keep_once(const std::vector<std::size_t>& order) {
    std::size_t last = 0;
    for (const std::size_t i : order) {
      const FundingEvent& event = rows_.events[i];
      if (!out_.events.empty() && out_.events.back().time_ns == event.time_ns) {
        const bool same = out_.events.back().rate_frac == event.rate_frac;
        const bool overlap = same && rows_.origin[last].file != rows_.origin[i].file;
        fault(overlap ? FaultKind::Overlap
              : same  ? FaultKind::DuplicateIdentical
                      : FaultKind::DuplicateConflicting,
              i, "is the same time as " + rows_.where(last));
        continue;
      }
      out_.events.push_back(event);
      last = i;
    }
  }

  Status check_what_is_left() const {
    if (out_.faults.refusing() > 0 && options_.on_fault == OnFault::Refuse) {
      return Error(ErrorCode::InvalidInput,
                   describe_faults(out_.faults, FaultScope::Refusing) +
                       "; nothing was imported. --on-fault repair removes or mends such rows and "
                       "lists each repair");
    }
    const bool most =
        repaired_ > kRepairsFew && static_cast<double>(repaired_) >
                                       kRepairedMaxFrac * static_cast<double>(rows_.events.size());
    if (!most && !out_.events.empty()) return {};
    return Error(ErrorCode::InvalidInput, describe_faults(out_.faults, FaultScope::Refusing) +
                                              "; too little is left to be a funding history");
  }

  FundingRows rows_;
  const CleanOptions& options_;
  CleanFunding out_;
  std::uint64_t repaired_ = 0;
  std::uint64_t unusual_ = 0;
};

}  // namespace

Result<CleanFunding> clean_funding(FundingRows rows, const CleanOptions& options) {
  return FundingCleaner(std::move(rows), options).run();
}

}  // namespace winnow::store
