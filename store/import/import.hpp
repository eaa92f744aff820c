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

/// What becomes of bars that a name already has.
enum class ExistingBars {
  Keep,     ///< all must be among the new ones, else the import is refused
  Append,   ///< they stay, and the new ones are added
  Replace,  ///< the new ones take their place; the earlier version loads by hash
};

/// `winnow data import`.
struct ImportRequest {
  std::vector<std::filesystem::path> files;  ///< merged in time order
  const FormatDecl* format = &layout_format();
  Layout layout;  ///< of a format that takes one
  std::string instrument;
  std::string name;
  std::optional<DurationNs> interval;
  OnFault on_fault = OnFault::Refuse;
  LastBar last_bar = LastBar::Auto;
  TimeColumn time;
  VolumeMeaning volume;
  std::string time_zone;  ///< of times that name none; empty: the layout's, else UTC with a note
  ExistingBars existing = ExistingBars::Keep;
  SealRequest seal{.rule = SealRule::Usual, .asked = {}, .by = {}};
  TimestampNs now;
};

/// Imports bars as a new dataset or a new version of one, or, with a format of funding, attaches
/// payments to the bars that `name` has. Bars imported under a name whose current version has
/// funding keep the payments that fall into them. All or nothing. Fails: InvalidInput (the files,
/// as `file:line: ...`; faults; a wrong interval; bars that would be lost), NotFound (a file; a
/// time zone; the dataset that funding is for), Io.
Result<PutOutcome> import_dataset(const DatasetStore& store, const ImportRequest& request);

/// What an import would read, without a store: the bars in order and what is said of them. Fails as
/// import_dataset, for whatever is wrong with the files.
Result<CleanBars> preview_bars(const ImportRequest& request);

}  // namespace winnow::store
