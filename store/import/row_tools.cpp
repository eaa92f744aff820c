#include "store/import/row_tools.hpp"

#include <algorithm>
#include <cmath>

namespace winnow::store::rows {

namespace {
constexpr std::int64_t kSecondNs = 1'000'000'000;

std::int64_t floor_seconds(std::int64_t ns) {
  return ns >= 0 ? ns / kSecondNs : -((-ns + kSecondNs - 1) / kSecondNs);
}

std::string count_of(std::size_t n, const char* one, const char* many) {
  return std::to_string(n) + " " + (n == 1 ? one : many);
}
}  // namespace

Error bad_value(const CsvReader& csv, std::string_view column, std::string_view value,
                std::string_view allowed) {
  return csv.error("column " + std::string(column) + ": value " + in_quotes(value) +
                   " is not valid; " + std::string(allowed));
}

Status need_fields(const CsvReader& csv, std::size_t expected) {
  const auto fields = csv.fields();
  const bool rest_empty = fields.size() > expected &&
                          std::all_of(fields.begin() + static_cast<std::ptrdiff_t>(expected),
                                      fields.end(), [](std::string_view f) { return f.empty(); });
  if (fields.size() == expected || rest_empty) return {};
  std::string text = "has " + std::to_string(fields.size()) + " columns; " +
                     std::to_string(expected) + " are expected";
  if (fields.size() > expected) text += " (numbers with separators inside need quotes)";
  return csv.error(text);
}

Status append_prices(const CsvReader& csv, const PriceColumns& at, BarRows& rows) {
  const auto fields = csv.fields();
  std::vector<double>* const targets[] = {&rows.columns.open, &rows.columns.high, &rows.columns.low,
                                          &rows.columns.close, &rows.columns.volume};
  for (std::size_t c = 0; c < at.size(); ++c) {
    double value = 0;
    if (!parse_number(fields[at[c]], value)) {
      return bad_value(csv, kPriceNames[c], fields[at[c]], kNumberAllowed);
    }
    targets[c]->push_back(value);
  }
  return {};
}

std::uint32_t add_file(std::vector<std::string>& files, const std::string& name) {
  files.push_back(name);
  return static_cast<std::uint32_t>(files.size() - 1);
}

void reserve(BarRows& rows, std::size_t bytes) {
  constexpr std::size_t kBytesPerRow = 40;  // of the narrowest layout; a guess costs only memory
  const std::size_t n = rows.size() + bytes / kBytesPerRow;
  rows.columns.time_ns.reserve(n);
  for (auto* column : {&rows.columns.open, &rows.columns.high, &rows.columns.low,
                       &rows.columns.close, &rows.columns.volume}) {
    column->reserve(n);
  }
  rows.origin.reserve(n);
}

bool is_integer(std::string_view field) {
  return !field.empty() &&
         std::all_of(field.begin(), field.end(), [](char c) { return c >= '0' && c <= '9'; });
}

void resolve_local(std::vector<ParsedTime>& times, const TimeZone* zone, const std::string& table,
                   std::vector<std::size_t>& skipped, std::vector<std::string>& notes) {
  const auto naive = static_cast<std::size_t>(
      std::count_if(times.begin(), times.end(), [](const ParsedTime& t) { return t.naive; }));
  if (naive == 0) {
    if (zone != nullptr && !times.empty()) {
      notes.push_back(table + ": its times say their own place in UTC; the zone " + zone->name() +
                      " is not used");
    }
    return;
  }
  if (zone == nullptr) {
    notes.push_back(table + ": " + count_of(naive, "time names", "times name") + " no zone and " +
                    (naive == 1 ? "is" : "are") + " taken as UTC; --time-zone says otherwise");
    return;
  }
  // Files come oldest or newest first; the hour that came twice comes in that order, too.
  const bool falling = times.size() > 1 && times.back().ns < times.front().ns;
  std::size_t twice = 0;
  const ParsedTime* before = nullptr;
  for (std::size_t i = 0; i < times.size(); ++i) {
    ParsedTime& t = times[i];
    if (t.naive) {
      const std::int64_t local_s = floor_seconds(t.ns);
      const auto meaning = zone->meaning(local_s);
      std::int64_t utc_s = falling ? meaning.second_s : meaning.first_s;
      if (meaning.count == 0) {
        skipped.push_back(i);
        utc_s = local_s - zone->offset_s(local_s - 86'400);
      } else if (meaning.count == 2) {
        ++twice;
        const std::int64_t ns = utc_s * kSecondNs;
        if (before != nullptr && !falling && ns <= before->ns) utc_s = meaning.second_s;
        if (before != nullptr && falling && ns >= before->ns) utc_s = meaning.first_s;
      }
      t.offset_ns = (local_s - utc_s) * kSecondNs;
      t.ns -= t.offset_ns;
    }
    before = &t;
  }
  std::string note =
      table + ": " + count_of(naive, "time is", "times are") + " of the zone " + zone->name();
  if (twice > 0) {
    note += "; " + count_of(twice, "of them came", "of them came") +
            " twice when clocks were set back, and the order of the rows tells which is which";
  }
  notes.push_back(note);
}

VolumeEvidence volume_evidence(const BarRows& rows, std::size_t first,
                               const std::vector<double>& value) {
  constexpr std::size_t kRowsLeast = 3;
  constexpr double kShare = 0.9;
  const MarketColumns& c = rows.columns;
  // Rows whose ratio lies within a tenth of the median's, as a share.
  const auto agreed = [](std::vector<double>& ratios, double& median) {
    if (ratios.size() < kRowsLeast) return 0.0;
    const auto middle = ratios.begin() + static_cast<std::ptrdiff_t>(ratios.size() / 2);
    std::nth_element(ratios.begin(), middle, ratios.end());
    median = *middle;
    const auto near = std::count_if(ratios.begin(), ratios.end(),
                                    [&](double r) { return std::abs(r / median - 1) < 0.1; });
    return static_cast<double>(near) / static_cast<double>(ratios.size());
  };
  double least = 0;
  double most = 0;
  std::vector<double> straight;  // value / (volume * price)
  std::vector<double> turned;    // value * price / volume
  for (std::size_t i = first; i < rows.size(); ++i) {
    const double v = c.volume[i];
    const double px = mean_px(c, i);
    const double worth = value[i - first];
    if (!(v > 0 && px > 0 && worth > 0) || !std::isfinite(worth / (v * px))) continue;
    least = straight.empty() ? v : std::min(least, v);
    most = std::max(most, v);
    straight.push_back(worth / (v * px));
    turned.push_back(worth * px / v);
  }
  // Where volume does not move, whatever stands beside it agrees with it.
  if (!(most > 1.2 * least)) return {};
  double size = 1;
  double size_turned = 1;
  const double share = agreed(straight, size);
  const double share_turned = agreed(turned, size_turned);
  if (share >= kShare && std::abs(size - 1) < 0.2) return {VolumeSeems::Base, 1};
  if (share_turned >= kShare && std::abs(size_turned - 1) < 0.2) return {VolumeSeems::Quote, 1};
  if (share >= kShare) return {VolumeSeems::Contracts, size};
  return {};
}

void scale_volume(BarRows& rows, std::size_t first, VolumeMeaning meaning) {
  MarketColumns& c = rows.columns;
  for (std::size_t i = first; i < rows.size(); ++i) {
    double& v = c.volume[i];
    if (meaning.unit == VolumeUnit::Quote) v /= mean_px(c, i);
    if (meaning.unit == VolumeUnit::Contracts) v *= meaning.contract_size;
    if (meaning.unit == VolumeUnit::None) v = 0;
  }
}

Error not_a_header(const CsvReader& csv, std::string_view expected) {
  return csv.error("the first line is no header with " + std::string(expected) + "; it is " +
                   listed(csv.fields()) + " (other layouts: --layout)");
}

void take_other(BarRows& rows, std::size_t first, const std::vector<double>& other,
                const std::string& note) {
  std::copy(other.begin(), other.end(),
            rows.columns.volume.begin() + static_cast<std::ptrdiff_t>(first));
  rows.notes.push_back(note);
}

}  // namespace winnow::store::rows
