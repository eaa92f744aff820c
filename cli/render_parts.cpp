#include "cli/render_parts.hpp"

#include <cmath>
#include <cstdio>
#include <limits>

#include "base/names.hpp"
#include "base/text.hpp"
#include "cli/table.hpp"

namespace winnow::cli::render {
namespace {

std::string haircut_text(const Json& luck) {
  if (luck["haircut_sharpe_ann"].is_null()) {
    return "no haircut (" + text_of(luck, "haircut_reason") + ")";
  }
  return "Sharpe after haircut " + short_number(number_of(luck, "haircut_sharpe_ann")) + "/year (" +
         short_number(100 * number_of(luck, "haircut_frac")) + "% cut)";
}

}  // namespace

double number(const Json& value) {
  return value.is_number() ? value.get<double>() : std::numeric_limits<double>::quiet_NaN();
}

double number_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() ? std::numeric_limits<double>::quiet_NaN() : number(*found);
}

std::string text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return "";
  return found->is_string() ? printable(found->get<std::string>()) : json_text(*found);
}

std::string count_of(const Json& object, const char* key) {
  const double v = number_of(object, key);
  return std::isnan(v) || v < 0 ? "-" : group_digits(static_cast<std::uint64_t>(v));
}

std::string metric_text(const Json& value) {
  if (value.is_number_integer()) return json_text(value);
  const double v = number(value);
  if (std::isfinite(v) && v == std::floor(v) && std::fabs(v) >= 10 && std::fabs(v) < 1e12) {
    return (v < 0 ? "-" : "") + group_digits(static_cast<std::uint64_t>(std::fabs(v)));
  }
  return short_number(v);
}

std::string time_of(const Json& object, const char* key) {
  std::string text = text_of(object, key);
  const std::size_t point = text.find('.');
  if (point != std::string::npos && text.ends_with('Z'))
    text.replace(point, std::string::npos, "Z");
  return text;
}

std::string param_text(const Json& value) {
  return value.is_number_float() ? show_rounded(value.get<double>()) : json_text(value);
}

std::string heading(const Json& answer) {
  return "sweep " + text_of(answer, "sweep_name") + " (" + text_of(answer, "sweep_id") + "), " +
         text_of(answer, "state");
}

std::string execution_of(const Json& answer) {
  if (!answer.contains("execution")) return "";  // an earlier coordinator's answer
  const std::string name = text_of(answer, "execution");
  return answer["execution_hash"].is_null() ? name
                                            : name + " (" + text_of(answer, "execution_hash") + ")";
}

std::string costs_heading(const Json& answer) {
  const std::string by = execution_of(answer);
  return heading(answer) + (by.empty() ? "" : ", execution " + by);
}

std::string warnings_of(const Json& answer) {
  std::string out;
  for (const char* key : {"warnings", "notes"}) {
    if (!answer.contains(key)) continue;
    for (const Json& w : answer[key]) out += "note: " + printable(w.get<std::string>()) + "\n";
  }
  return out;
}

std::string params_of(const Json& variant) {
  std::string out;
  if (!variant.contains("params")) return out;
  for (const auto& [name, value] : variant["params"].items()) {
    if (!out.empty()) out += ' ';
    out += printable(name) + "=" + param_text(value);
  }
  return out;
}

std::string field(const std::string& label, const std::string& text) {
  constexpr std::size_t kLabel = 18;
  std::string out = "  " + label;
  out += std::string(kLabel > text_columns(label) ? kLabel - text_columns(label) : 1, ' ');
  return out + text + "\n";
}

std::string percent(double frac) {
  if (!std::isfinite(frac)) return "-";
  const double shown = frac * 100;
  char text[40];
  const int decimals = std::fabs(shown) < 0.1 ? 3 : std::fabs(shown) < 1000 ? 1 : 0;
  std::snprintf(text, sizeof text, "%.*f%%", shown == 0 ? 0 : decimals, shown);
  return text;
}

std::string luck_text(const Json& luck) {
  if (!luck.is_object()) return "no track record to judge";
  return "PSR " + short_number(number_of(luck, "psr")) + ", DSR " +
         short_number(number_of(luck, "dsr")) + " after " + count_of(luck, "trials") + " trials (" +
         short_number(number_of(luck, "dsr_effective")) + " after an effective " +
         short_number(number_of(luck, "trials_effective")) + "), " + haircut_text(luck);
}

}  // namespace winnow::cli::render
