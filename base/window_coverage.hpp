#pragma once

#include <string>

#include "base/time.hpp"

namespace winnow {

/// What to say of a window that reaches beyond the data by more than a fiftieth; empty: nothing.
std::string window_coverage(TimestampNs from, TimestampNs to, TimestampNs data_first,
                            TimestampNs data_end);

}  // namespace winnow
