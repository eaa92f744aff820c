#include "store/import/import.hpp"

#include <algorithm>
#include <map>
#include <span>

#include "base/instrument.hpp"
#include "store/import/source_file.hpp"

namespace winnow::store {
namespace {

bool is_funding(const ImportRequest& request) { return request.format->read_funding != nullptr; }

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
    // Taken along by a pattern; each is compared when its file is read.
    if (path.extension() == ".CHECKSUM") continue;
    auto file = read_source_file(path);
    if (!file.ok()) return file.error();
    out.push_back(*std::move(file));
  }
  if (out.empty()) return Error(ErrorCode::InvalidInput, "only checksums are named, no file");
  return out;
}

CleanOptions clean_options(const ImportRequest& request) {
  return {.on_fault = request.on_fault,
          .last_bar = request.last_bar,
          .interval = request.interval,
          .now = request.now,
          .whole_days = request.format->whole_days};
}

NewDataset new_dataset(const ImportRequest& request, const std::vector<SourceFile>& files) {
  NewDataset meta;
  meta.name = request.name;
  meta.instrument = request.instrument;
  meta.format = std::string(request.format->name);
  if (request.format->takes_layout && !request.layout.name.empty()) {
    meta.format = request.layout.name;
  }
  meta.created = request.now;
  meta.seal = request.seal;
  meta.on_fault = request.on_fault == OnFault::Repair ? "repair" : "refuse";
  meta.raw = raw_sources(files, is_funding(request) ? "funding" : "bars");
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
  if (!same_instrument(dataset->manifest().instrument, request.instrument)) {
    return Error(ErrorCode::InvalidInput, "dataset " + request.name + " holds instrument " +
                                              dataset->manifest().instrument + ", not " +
                                              request.instrument);
  }
  return std::optional<Dataset>(*std::move(dataset));
}

Result<ReadContext> read_context(const ImportRequest& request) {
  ReadContext context{request.layout, request.time, request.volume, {}, request.instrument};
  if (request.time_zone.empty()) return context;
  auto zone = TimeZone::load(request.time_zone);
  if (!zone.ok()) return zone.error().within("--time-zone");
  context.zone = *std::move(zone);
  return context;
}

Result<BarRows> read_rows(const ImportRequest& request, const std::vector<SourceFile>& files) {
  const auto read = read_context(request);
  if (!read.ok()) return read.error();
  const ReadContext& context = *read;
  BarRows rows;
  for (const SourceFile& file : files) {
    if (file.checksum_matched) {
      rows.notes.push_back(file.name + ": matches the checksum beside it");
    }
    for (const SourceText& table : file.tables) {
      WINNOW_TRY(request.format->read_bars(table, context, rows));
    }
  }
  return rows;
}

/// Makers that stamp a bar with its end say so; here a bar is named by its beginning.
Status stamp_at_open(const ImportRequest& request, BarRows& rows) {
  if (!request.format->takes_layout || !request.layout.stamped_at_close) return {};
  if (!request.interval) {
    return Error(ErrorCode::InvalidInput,
                 "the layout says that times are the ends of bars: their length is needed, for "
                 "example --interval 5m");
  }
  for (std::int64_t& t : rows.columns.time_ns) t -= request.interval->ns;
  return {};
}

/// The bars of a dataset as rows of one more file, before the new ones.
void put_before(const Dataset& old, BarRows& rows) {
  const MarketView& m = old.view();
  const std::size_t n = m.size();
  const auto prepend = [&](auto& target, const auto& source) {
    target.insert(target.begin(), source.begin(), source.end());
  };
  prepend(rows.columns.time_ns, m.time_ns);
  prepend(rows.columns.open, m.open);
  prepend(rows.columns.high, m.high);
  prepend(rows.columns.low, m.low);
  prepend(rows.columns.close, m.close);
  prepend(rows.columns.volume, m.volume);
  const auto file = static_cast<std::uint32_t>(rows.files.size());
  rows.files.push_back("dataset " + old.manifest().name);
  std::vector<RowOrigin> origin(n);
  for (std::size_t i = 0; i < n; ++i) origin[i] = {file, static_cast<std::uint32_t>(i + 1)};
  prepend(rows.origin, origin);
  if (!rows.end.empty()) prepend(rows.end, std::vector<BarEnd>(n, BarEnd::Finished));
  if (!rows.close_time_ns.empty()) prepend(rows.close_time_ns, std::vector<std::int64_t>(n, 0));
  if (!rows.wall_ahead_ns.empty()) prepend(rows.wall_ahead_ns, std::vector<std::int64_t>(n, 0));
  for (std::size_t& i : rows.skipped_hours) i += n;
}

/// The last bar of an earlier import may have been open then: a later file knows it better.
void forget_open_bar(const Manifest& old, BarRows& rows) {
  if (old.faults[FaultKind::UnfinishedLastBar].count == 0) return;
  const std::int64_t last = old.last.ns;
  const auto& times = rows.columns.time_ns;
  const std::size_t kept = static_cast<std::size_t>(old.bars) - 1;
  if (kept >= times.size() || times[kept] != last) return;
  const auto again =
      std::find(times.begin() + static_cast<std::ptrdiff_t>(kept) + 1, times.end(), last);
  if (again == times.end()) return;
  const auto from = static_cast<std::size_t>(again - times.begin());
  MarketColumns& c = rows.columns;
  for (auto* column : {&c.open, &c.high, &c.low, &c.close, &c.volume}) {
    (*column)[kept] = (*column)[from];
  }
}

/// Fails if bars of the version before are not among the rows read.
Status nothing_lost(const Dataset& old, const std::vector<std::int64_t>& read) {
  std::uint64_t lost = 0;
  std::int64_t first = 0;
  std::int64_t last = 0;
  for (const std::int64_t t : old.view().time_ns) {
    if (std::binary_search(read.begin(), read.end(), t)) continue;
    if (lost++ == 0) first = t;
    last = t;
  }
  if (lost == 0) return {};
  const std::string& name = old.manifest().name;
  return Error(ErrorCode::InvalidInput,
               "dataset " + name + " has " + std::to_string(lost) + " of its " +
                   std::to_string(old.view().size()) + " bars, " +
                   format_timestamp(TimestampNs{first}) + " to " +
                   format_timestamp(TimestampNs{last}) +
                   ", that these files do not have: they would be lost. --append adds to it; "
                   "--replace takes their place; or choose another --name");
}

std::vector<std::int64_t> sorted_times(const BarRows& rows) {
  std::vector<std::int64_t> out = rows.columns.time_ns;
  std::sort(out.begin(), out.end());
  return out;
}

/// What the version before had removed or mended stays on record beside what is found now.
void add_faults(const FaultReport& from, FaultReport& to);
void keep_record(const Manifest& old, NewDataset& meta) {
  FaultReport before;
  for (std::size_t k = 0; k < kFaultKinds; ++k) {
    const auto kind = static_cast<FaultKind>(k);
    if (fault_refuses(kind) || kind == FaultKind::PartialBar) before[kind] = old.faults[kind];
  }
  add_faults(before, meta.faults);
  meta.repairs.insert(meta.repairs.begin(), old.repairs.begin(), old.repairs.end());
  for (const RawFile& raw : old.raw_files) {
    if (raw.role == "bars") meta.raw_stored.push_back(raw);
  }
}

Result<PutOutcome> import_bars(const DatasetStore& store, const ImportRequest& request) {
  auto current = current_version(store, request);
  if (!current.ok()) return current.error();
  auto files = read_files(request);
  if (!files.ok()) return files.error();
  auto rows = read_rows(request, *files);
  if (!rows.ok()) return rows.error();
  WINNOW_TRY(stamp_at_open(request, *rows));
  const Dataset* old = current->has_value() ? &**current : nullptr;
  CleanOptions options = clean_options(request);
  const bool append = old != nullptr && request.existing == ExistingBars::Append;
  if (old != nullptr && request.existing == ExistingBars::Keep) {
    WINNOW_TRY(nothing_lost(*old, sorted_times(*rows)));
  }
  if (append) {
    const DurationNs interval = old->manifest().interval;
    if (request.interval && *request.interval != interval) {
      return Error(ErrorCode::InvalidInput,
                   "dataset " + request.name + " has bars of " + format_duration(interval) +
                       ", not the --interval " + format_duration(*request.interval));
    }
    options.interval = interval;
    put_before(*old, *rows);
    forget_open_bar(old->manifest(), *rows);
  }
  auto bars = clean_bars(*std::move(rows), options);
  if (!bars.ok()) return bars.error().within(files->front().name);

  NewDataset meta = new_dataset(request, *files);
  if (old != nullptr && old->manifest().has_funding()) {
    const auto& paid = old->view().funding;
    bars->columns.funding = within_bars({paid.begin(), paid.end()}, bars->columns.view());
    bars->notes.push_back("funding: " + std::to_string(bars->columns.funding.size()) +
                          " payments kept from the version before");
    for (const RawFile& raw : old->manifest().raw_files) {
      if (raw.role == "funding") meta.raw_stored.push_back(raw);
    }
  }
  meta.faults = std::move(bars->faults);
  meta.repairs = std::move(bars->repairs);
  meta.notes = std::move(bars->notes);
  if (append) {
    keep_record(old->manifest(), meta);
    meta.instrument = old->manifest().instrument;
    meta.notes.push_back("appended to version " + old->manifest().content_hash.substr(0, 12) +
                         " of " + std::to_string(old->view().size()) + " bars");
  }
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
  const auto context = read_context(request);
  if (!context.ok()) return context.error();
  FundingRows rows;
  for (const SourceFile& file : *files) {
    for (const SourceText& table : file.tables) {
      WINNOW_TRY(request.format->read_funding(table, *context, rows));
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

Result<CleanBars> preview_bars(const ImportRequest& request) {
  if (is_funding(request)) {
    return Error(ErrorCode::InvalidInput, "a dry run shows bars, and funding has none");
  }
  auto files = read_files(request);
  if (!files.ok()) return files.error();
  auto rows = read_rows(request, *files);
  if (!rows.ok()) return rows.error();
  WINNOW_TRY(stamp_at_open(request, *rows));
  auto bars = clean_bars(*std::move(rows), clean_options(request));
  if (!bars.ok()) return bars.error().within(files->front().name);
  return bars;
}

Result<PutOutcome> import_dataset(const DatasetStore& store, const ImportRequest& request) {
  WINNOW_TRY(DatasetStore::check_name(request.name));
  if (request.instrument.empty()) {
    return Error(ErrorCode::InvalidInput, "an instrument is needed, for example BTCUSDT");
  }
  if (request.interval && request.interval->ns <= 0) {
    return Error(ErrorCode::InvalidInput, "the interval must be above 0");
  }
  return is_funding(request) ? attach_funding(store, request) : import_bars(store, request);
}

}  // namespace winnow::store
