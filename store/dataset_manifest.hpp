#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"

namespace winnow::store {

/// What can be wrong with imported rows. The first group is only reported; the second makes an
/// import refuse unless it is told to repair.
enum class FaultKind : std::uint8_t {
  Gap,                ///< bars missing between two bars; never filled
  Outlier,            ///< a move beyond a stated multiple of the usual one that reverts; kept
  Overlap,            ///< the same bar, bit for bit, in two files; kept once
  UnfinishedLastBar,  ///< the last bar was (or may have been) still open when it was recorded
  DuplicateIdentical,
  DuplicateConflicting,
  NonMonotoneTime,  ///< rows not in order of time; sorted, which loses nothing
  OffGridTime,
  FutureTime,
  OhlcViolation,
  BadPrice,     ///< missing, not finite, or not above zero
  BadVolume,    ///< missing, not finite, or negative
  BadRate,      ///< a funding rate that is missing or not finite
  PartialBar,   ///< one that the file says was cut short, not the last; kept
  SkippedHour,  ///< a local time that never was, since clocks were set forward
};
inline constexpr std::size_t kFaultKinds = 15;
std::string_view fault_name(FaultKind kind);
/// Whether one such fault refuses an import that may not repair.
bool fault_refuses(FaultKind kind);

/// Where one fault was seen.
struct FaultSample {
  std::int64_t time_ns = 0;
  std::string where;  ///< `file:line`
  std::string text;   ///< values and what was expected
};

/// Purpose: everything an import found wrong: exact counts, and the first few of each kind.
/// Limits: kSamplesMax samples a kind.
class FaultReport {
 public:
  static constexpr std::size_t kSamplesMax = 10;

  struct Entry {
    std::uint64_t count = 0;
    std::vector<FaultSample> first;
  };

  Entry& operator[](FaultKind kind) { return entries_[static_cast<std::size_t>(kind)]; }
  const Entry& operator[](FaultKind kind) const { return entries_[static_cast<std::size_t>(kind)]; }

  /// Counts one fault; `make_sample` is called only while samples are still kept.
  template <class MakeSample>
  void add(FaultKind kind, MakeSample make_sample) {
    Entry& entry = (*this)[kind];
    if (entry.count++ < kSamplesMax) entry.first.push_back(make_sample());
  }

  std::uint64_t refusing() const;  ///< faults of the kinds that refuse
  std::uint64_t total() const;

  std::uint64_t rows_read = 0;
  std::uint64_t bars_missing = 0;  ///< over all gaps

 private:
  std::array<Entry, kFaultKinds> entries_{};
};

/// One change made to the rows on import.
struct Repair {
  std::string action;  ///< `removed`, `widened`, `moved`, `sorted`
  std::int64_t time_ns = 0;
  std::string where;  ///< `file:line`
  std::string text;   ///< why, with old and new values
};

/// One file as it was imported; its bytes are kept.
struct RawFile {
  std::string name;
  std::string role;  ///< `bars`, `funding` or `spec`
  std::string sha256;
  std::uint64_t bytes = 0;
};

/// Purpose: all that is known of one version of a dataset.
/// Invariants: never changes once written; `content_hash` names the columns and is the SHA-256 of
/// their canonical bytes (see dataset_columns.hpp).
struct Manifest {
  std::string name;
  std::string content_hash;
  std::string instrument;
  DurationNs interval;
  std::string format;  ///< importer, or `synth`
  std::uint64_t bars = 0;
  std::uint64_t funding_events = 0;
  TimestampNs first;  ///< open time of the first bar
  TimestampNs last;   ///< open time of the last bar
  TimestampNs created;
  std::string parent;    ///< content hash of the version this one replaced; empty: none
  std::string on_fault;  ///< `refuse` or `repair`
  std::vector<RawFile> raw_files;
  FaultReport faults;
  std::vector<Repair> repairs;
  std::vector<std::string> notes;  ///< what a reader should know, in sentences
  std::string truth_json;          ///< of a simulated market; empty: none
  /// In a copy on its way: the seal of its market where it comes from, a UTC day from 1970.
  std::optional<std::int64_t> sealed_from_day;

  bool has_funding() const { return funding_events > 0; }
  /// JSON with stable keys and a checksum of itself.
  std::string to_json() const;
  /// Fails: Corrupt if the checksum or a field is not what to_json() writes.
  static Result<Manifest> from_json(std::string_view text);
};

}  // namespace winnow::store
