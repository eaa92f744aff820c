#pragma once

#include <cmath>
#include <string>

#include "serve/report/html.hpp"
#include "serve/sweep_view.hpp"

// What an answer in JSON holds, as the report shows it.

namespace winnow::serve::report {

/// NaN where there is no number.
inline double number_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number() ? found->get<double>() : std::nan("");
}

inline std::string text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

inline std::string percent(const Json& object, const char* key) {
  return display(number_of(object, key), "frac");
}

inline std::string two(const Json& object, const char* key) {
  return fixed(number_of(object, key), 2);
}

}  // namespace winnow::serve::report
