#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "base/market.hpp"
#include "cli/app.hpp"
#include "store/data_report.hpp"
#include "store/dataset_store.hpp"

namespace winnow::cli {

/// The catalogue of datasets under the home.
Result<store::DatasetStore> open_datasets(const Context& context);

/// `created`, `new_version`, `unchanged`.
std::string_view kind_text(store::PutKind kind);

nlohmann::ordered_json manifest_json(const store::Manifest& manifest);
nlohmann::ordered_json report_json(const store::DataReport& report);
void print_manifest(const store::Manifest& manifest);
void print_report(const store::DataReport& report);
/// The first and last bars as a table, times in UTC.
void print_bars(const MarketView& market);
nlohmann::ordered_json bars_json(const MarketView& market);

void print_document(const nlohmann::ordered_json& json);

/// Now, no finer than a person reads it.
TimestampNs import_time();

/// `data import`, in a file of its own.
void add_import_command(Command& data, Context& context);

}  // namespace winnow::cli
