#pragma once

#include <cmath>
#include <nlohmann/json.hpp>

namespace winnow::serve {

/// Keys keep the order in which they are said.
using Json = nlohmann::ordered_json;

/// Null where there is no finite number.
inline Json number_json(double v) { return std::isfinite(v) ? Json(v) : Json(); }

}  // namespace winnow::serve
