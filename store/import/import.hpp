#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "store/dataset_store.hpp"
#include "store/import/clean.hpp"
#include "store/import/formats.hpp"

namespace winnow::store {

/// `winnow data import`.
struct ImportRequest {
  std::vector<std::filesystem::path> files;  ///< merged in time order
  Format format = Format::Ohlcv;
  std::string instrument;
  std::string name;
  std::optional<DurationNs> interval;
  OnFault on_fault = OnFault::Refuse;
  LastBar last_bar = LastBar::Auto;
  TimeColumn time;
  TimestampNs now;
};

/// Imports bars as a new dataset or a new version of one, or, with Format::Funding, attaches
/// payments to the bars that `name` has. Bars imported under a name whose current version has
/// funding keep the payments that fall into them. All or nothing. Fails: InvalidInput (the files,
/// as `file:line: ...`; faults; a wrong interval), NotFound (a file; the dataset that funding is
/// for), Io.
Result<PutOutcome> import_dataset(const DatasetStore& store, const ImportRequest& request);

}  // namespace winnow::store
