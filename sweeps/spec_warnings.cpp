#include "sweeps/spec_warnings.hpp"

#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "sweeps/execution_profile.hpp"
#include "sweeps/first_generation.hpp"

namespace winnow::sweeps {

Result<std::vector<std::string>> spec_warnings(const Plan& plan) {
  std::vector<std::string> all = plan.spec().warnings;
  const auto first = first_generation_warnings(plan);
  if (!first) return first.error();
  all.insert(all.end(), first->begin(), first->end());
  const engine::ExecutionModel& execution = plan.spec().execution;
  if (execution.impact_bps > 0 && !execution.expected_volume) {
    all.push_back("execution '" + execution.name +
                  "': impact_bps without expected_volume prices an order by the volume of the bar "
                  "that it fills in, which nobody knows when it is sent; add `expected_volume: "
                  "true`, or use impact_y");
  }
  if (const std::string missing = uncharged_text(execution); !missing.empty()) {
    all.push_back("execution '" + execution.name + "' leaves costs out (" + missing +
                  "): what trading really costs comes off what is earned here");
  }
  return all;
}

std::string warnings_to_json(const std::vector<std::string>& warnings) {
  return json_text(nlohmann::json(warnings));
}

std::vector<std::string> warnings_from_json(std::string_view json) {
  std::vector<std::string> out;
  const auto list = parse_json(json);
  if (!list.is_array()) return out;
  for (const auto& text : list) {
    if (text.is_string()) out.push_back(text.get<std::string>());
  }
  return out;
}

}  // namespace winnow::sweeps
