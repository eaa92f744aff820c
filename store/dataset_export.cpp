// Datasets as CSV, so that what the engine sees can be read by anything else.
#include <charconv>

#include "base/write_file.hpp"
#include "store/data_report.hpp"
#include "store/dataset_files.hpp"
#include "store/dataset_store.hpp"

namespace winnow::store {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kNsPerMs = 1'000'000;

template <class T>
void append_number(std::string& out, T value) {
  char text[32];
  // Shortest text that reads back to the same double.
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  out.append(text, end);
}

void append_row(std::string& out, std::int64_t time, std::span<const double> values) {
  append_number(out, time);
  for (const double v : values) {
    out.push_back(',');
    append_number(out, v);
  }
  out.push_back('\n');
}

}  // namespace

Result<std::uint64_t> DatasetStore::export_csv(std::string_view name_or_hash,
                                               const fs::path& file) const {
  auto dataset = load(name_or_hash);
  if (!dataset.ok()) return dataset.error();
  const MarketView& m = dataset->view();
  bool whole_ms = true;
  for (const std::int64_t t : m.time_ns) whole_ms = whole_ms && t % kNsPerMs == 0;
  std::string text = std::string(whole_ms ? "ts_ms" : "ts_ns") + ",open,high,low,close,volume\n";
  text.reserve(m.size() * 64);
  for (std::size_t i = 0; i < m.size(); ++i) {
    const double values[] = {m.open[i], m.high[i], m.low[i], m.close[i], m.volume[i]};
    append_row(text, m.time_ns[i] / (whole_ms ? kNsPerMs : 1), values);
  }
  WINNOW_TRY(write_whole_file(file, text));
  return static_cast<std::uint64_t>(m.size());
}

Result<std::uint64_t> DatasetStore::export_funding_csv(std::string_view name_or_hash,
                                                       const fs::path& file) const {
  auto dataset = load(name_or_hash);
  if (!dataset.ok()) return dataset.error();
  const MarketView& m = dataset->view();
  bool whole_ms = true;
  for (const FundingEvent& e : m.funding) whole_ms = whole_ms && e.time_ns % kNsPerMs == 0;
  std::string text = std::string(whole_ms ? "ts_ms" : "ts_ns") + ",funding_rate\n";
  for (const FundingEvent& e : m.funding) {
    const double values[] = {e.rate_frac};
    append_row(text, e.time_ns / (whole_ms ? kNsPerMs : 1), values);
  }
  WINNOW_TRY(write_whole_file(file, text));
  return static_cast<std::uint64_t>(m.funding.size());
}

Result<std::uint64_t> DatasetStore::export_gaps_csv(std::string_view name_or_hash,
                                                    const fs::path& file) const {
  auto dataset = load(name_or_hash);
  if (!dataset.ok()) return dataset.error();
  const auto gaps = find_gaps(dataset->view());
  std::string text = "from,to,bars_missing,from_ns,to_ns\n";
  for (const Gap& gap : gaps) {
    text += format_timestamp(gap.from) + "," + format_timestamp(gap.to) + ",";
    append_number(text, gap.bars);
    text.push_back(',');
    append_number(text, gap.from.ns);
    text.push_back(',');
    append_number(text, gap.to.ns);
    text.push_back('\n');
  }
  WINNOW_TRY(write_whole_file(file, text));
  return static_cast<std::uint64_t>(gaps.size());
}

}  // namespace winnow::store
