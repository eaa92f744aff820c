#include "store/import/import.hpp"

#include <algorithm>
#include <map>
#include <span>

#include "store/import/source_file.hpp"

namespace winnow::store {
namespace {

std::vector<RawSource> raw_sources(const std::vector<SourceFile>& files, std::string_view role) {
  std::vector<RawSource> out;
  for (const SourceFile& f : files) out.push_back({f.name, std::string(role), f.bytes});
  return out;
}

Result<std::vector<SourceFile>> read_files(const ImportRequest& request) {
  if (request.files.empty()) {
    return Error(ErrorCode::InvalidInput, "no file is named; at least one is needed");
  }
  std::vector<SourceFile> out;
  for (const auto& path : request.files) {
    auto file = read_source_file(path);
    if (!file.ok()) return file.error();
    out.push_back(*std::move(file));
  }
  return out;
}

CleanOptions clean_options(const ImportRequest& request) {
  return {.on_fault = request.on_fault,
          .last_bar = request.last_bar,
          .interval = request.interval,
          .now = request.now,
          .newest_first = request.format == Format::OkxCandles,
          .whole_days = request.format == Format::BinanceKlines};
}

NewDataset new_dataset(const ImportRequest& request, const std::vector<SourceFile>& files) {
  NewDataset meta;
  meta.name = request.name;
  meta.instrument = request.instrument;
  meta.format = std::string(format_name(request.format));
  meta.created = request.now;
  meta.on_fault = request.on_fault == OnFault::Repair ? "repair" : "refuse";
  meta.raw = raw_sources(files, request.format == Format::Funding ? "funding" : "bars");
  return meta;
}

/// Payments from `events` that a position held over these bars would meet.
std::vector<FundingEvent> within_bars(const std::vector<FundingEvent>& events,
                                      const MarketView& bars) {
  std::vector<FundingEvent> out;
  const std::int64_t end = bars.time_ns.back() + bars.interval_ns;
  for (const FundingEvent& e : events) {
    if (e.time_ns >= bars.time_ns.front() && e.time_ns < end) out.push_back(e);
  }
  return out;
}

/// The dataset that `request` renews, if there is one. Fails: InvalidInput if it holds another
/// instrument.
Result<std::optional<Dataset>> current_version(const DatasetStore& store,
                                               const ImportRequest& request) {
  const auto known = store.names();
  if (std::find(known.begin(), known.end(), request.name) == known.end()) {
    return std::optional<Dataset>();
  }
  auto dataset = store.load(request.name);
  if (!dataset.ok()) return dataset.error();
  if (dataset->manifest().instrument != request.instrument) {
    return Error(ErrorCode::InvalidInput, "dataset " + request.name + " holds instrument " +
                                              dataset->manifest().instrument + ", not " +
                                              request.instrument);
  }
  return std::optional<Dataset>(*std::move(dataset));
}

Result<PutOutcome> import_bars(const DatasetStore& store, const ImportRequest& request) {
  auto current = current_version(store, request);
  if (!current.ok()) return current.error();
  auto files = read_files(request);
  if (!files.ok()) return files.error();
  BarRows rows;
  for (const SourceFile& file : *files) {
    for (const SourceText& table : file.tables) {
      switch (request.format) {
        case Format::BinanceKlines:
          WINNOW_TRY(read_binance_klines(table, rows));
          break;
        case Format::OkxCandles:
          WINNOW_TRY(read_okx_candles(table, rows));
          break;
        default:
          WINNOW_TRY(read_ohlcv(table, request.time, rows));
          break;
      }
    }
  }
  auto bars = clean_bars(std::move(rows), clean_options(request));
  if (!bars.ok()) return bars.error().within(files->front().name);

  NewDataset meta = new_dataset(request, *files);
  if (current->has_value() && (*current)->manifest().has_funding()) {
    const auto& old = (*current)->view().funding;
    bars->columns.funding = within_bars({old.begin(), old.end()}, bars->columns.view());
    bars->notes.push_back("funding: " + std::to_string(bars->columns.funding.size()) +
                          " payments kept from the version before");
    for (const RawFile& raw : (*current)->manifest().raw_files) {
      if (raw.role == "funding") meta.raw_stored.push_back(raw);
    }
  }
  meta.faults = std::move(bars->faults);
  meta.repairs = std::move(bars->repairs);
  meta.notes = std::move(bars->notes);
  return store.put(bars->columns.view(), meta);
}

/// Payments known before and new ones by time; where both have one, the new one counts.
std::vector<FundingEvent> merge(std::span<const FundingEvent> old,
                                const std::vector<FundingEvent>& fresh,
                                std::vector<std::string>& notes) {
  std::map<std::int64_t, double> by_time;
  for (const FundingEvent& e : old) by_time[e.time_ns] = e.rate_frac;
  std::size_t replaced = 0;
  for (const FundingEvent& e : fresh) {
    const auto [it, added] = by_time.emplace(e.time_ns, e.rate_frac);
    if (added || it->second == e.rate_frac) continue;
    it->second = e.rate_frac;
    ++replaced;
  }
  if (replaced > 0) {
    notes.push_back("funding: " + std::to_string(replaced) + " payments replaced");
  }
  std::vector<FundingEvent> out;
  for (const auto& [time_ns, rate_frac] : by_time) out.push_back({time_ns, rate_frac});
  return out;
}

void add_faults(const FaultReport& from, FaultReport& to) {
  to.rows_read += from.rows_read;
  for (std::size_t k = 0; k < kFaultKinds; ++k) {
    const auto kind = static_cast<FaultKind>(k);
    FaultReport::Entry& entry = to[kind];
    entry.count += from[kind].count;
    for (const FaultSample& s : from[kind].first) {
      if (entry.first.size() < FaultReport::kSamplesMax) entry.first.push_back(s);
    }
  }
}

Result<PutOutcome> attach_funding(const DatasetStore& store, const ImportRequest& request) {
  auto current = current_version(store, request);
  if (!current.ok()) return current.error();
  if (!current->has_value()) {
    auto missing = store.manifest(request.name);
    const std::string hint = ": funding is attached to the bars of a dataset; import those first";
    if (!missing.ok()) return Error(missing.error().code(), missing.error().text() + hint);
    return Error(ErrorCode::NotFound, "there is no dataset named '" + request.name + "'" + hint);
  }
  auto files = read_files(request);
  if (!files.ok()) return files.error();
  FundingRows rows;
  for (const SourceFile& file : *files) {
    for (const SourceText& table : file.tables) {
      WINNOW_TRY(read_funding(table, request.time, rows));
    }
  }
  auto funding = clean_funding(std::move(rows), clean_options(request));
  if (!funding.ok()) return funding.error().within(files->front().name);

  const Manifest& base = (*current)->manifest();
  const MarketView& bars = (*current)->view();
  const auto inside = within_bars(funding->events, bars);
  if (inside.empty()) {
    return Error(ErrorCode::InvalidInput, files->front().name +
                                              ": no payment falls into the bars of " +
                                              request.name + " (" + format_timestamp(base.first) +
                                              " to " + format_timestamp(base.last) + ")");
  }
  NewDataset meta = new_dataset(request, *files);
  meta.format = base.format;
  meta.on_fault = base.on_fault;
  meta.raw_stored = base.raw_files;
  meta.faults = base.faults;
  add_faults(funding->faults, meta.faults);
  meta.repairs = base.repairs;
  for (Repair& r : funding->repairs) meta.repairs.push_back(std::move(r));
  meta.notes = base.notes;
  for (std::string& note : funding->notes) meta.notes.push_back(std::move(note));
  meta.notes.push_back("funding: " + std::to_string(inside.size()) + " payments of " +
                       files->front().name + " attached, " +
                       std::to_string(funding->events.size() - inside.size()) +
                       " outside the bars left out");
  meta.truth_json = base.truth_json;
  const auto merged = merge(bars.funding, inside, meta.notes);
  MarketView with_funding = bars;
  with_funding.funding = merged;
  return store.put(with_funding, meta);
}

}  // namespace

Result<PutOutcome> import_dataset(const DatasetStore& store, const ImportRequest& request) {
  WINNOW_TRY(DatasetStore::check_name(request.name));
  if (request.instrument.empty()) {
    return Error(ErrorCode::InvalidInput, "an instrument is needed, for example BTCUSDT");
  }
  if (request.interval && request.interval->ns <= 0) {
    return Error(ErrorCode::InvalidInput, "the interval must be above 0");
  }
  return request.format == Format::Funding ? attach_funding(store, request)
                                           : import_bars(store, request);
}

}  // namespace winnow::store
