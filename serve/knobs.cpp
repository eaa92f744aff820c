#include "serve/knobs.hpp"

#include <cmath>

#include "base/names.hpp"
#include "base/text.hpp"
#include "sweeps/convergence_declared.hpp"
#include "sweeps/stops.hpp"

namespace winnow::serve {
namespace {

constexpr double kHurdleMax = 100;

Json knob(const char* name, Json value, Json otherwise) {
  return {{"knob", name}, {"value", std::move(value)}, {"default", std::move(otherwise)}};
}

std::string shown(const Json& v) {
  if (v.is_number_float()) return show_number(v.get<double>());
  if (v.is_string()) return v.get<std::string>();
  if (!v.is_array()) return json_text(v);
  std::string out;
  for (const Json& part : v) out += (out.empty() ? "" : " and ") + shown(part);
  return out.empty() ? "none" : out;
}

/// Why hard stops are declared and not granted; empty: they are.
std::string hard_stops_lack(const sweeps::ResolvedSpec& spec) {
  for (const sweeps::StrategySpace& space : spec.strategies) {
    std::string lack = sweeps::hard_stop_lack(space);
    if (!lack.empty()) return lack;
  }
  return {};
}

}  // namespace

Json knobs_json(const SweepView& view, const ScoreOptions& options) {
  const sweeps::ConvergenceOptions usual;
  const sweeps::ResolvedSpec& spec = view.plan.spec();
  Json out = Json::array();
  if (options.hurdle_sharpe_ann != usual.hurdle_sharpe_ann) {
    out.push_back(knob("hurdle_sharpe_ann", options.hurdle_sharpe_ann, usual.hurdle_sharpe_ann));
  }
  const auto declared = sweeps::declared_convergence(spec.convergence_json);
  if (!declared.ok()) return out;
  if (declared->looks != usual.looks) {
    out.push_back(knob("looks", sweeps::look_plan_name(declared->looks),
                       sweeps::look_plan_name(usual.looks)));
  }
  const Json said = parse_ordered_json(spec.convergence_json);
  const double loss =
      said.is_object() ? said.value("worst_loss_sd", usual.stress_sd) : usual.stress_sd;
  if (loss != usual.stress_sd) {
    out.push_back(knob("worst_loss_sd", loss, usual.stress_sd));
    if (loss != declared->stress_sd) {
      out.back()["effect"] = "less than the default: judged by " + show_number(declared->stress_sd);
    }
  }
  if (declared->hard_stops) {
    out.push_back(knob("hard_stops", true, false));
    const std::string lack = hard_stops_lack(spec);
    if (!lack.empty()) out.back()["effect"] = "not granted: " + lack;
  }
  if (sweeps::judged_on_later_days(spec.convergence_json)) {
    out.push_back(knob("survivors", "later_days", "every_launched"));
  }
  const auto requirements = sweeps::declared_requirements(spec.convergence_json);
  if (!requirements.empty()) out.push_back(knob("require", requirements, Json::array()));
  return out;
}

std::string knobs_text(const Json& knobs) {
  std::string out;
  for (const Json& k : knobs) {
    out += (out.empty() ? "" : ", ") + shown(k["knob"]) + " " + shown(k["value"]) + " (default " +
           shown(k["default"]) + (k.contains("effect") ? "; " + shown(k["effect"]) : "") + ")";
  }
  return out;
}

Status check_hurdle(double hurdle_sharpe_ann) {
  if (hurdle_sharpe_ann >= 0 && hurdle_sharpe_ann <= kHurdleMax) return {};
  return Error(ErrorCode::InvalidInput,
               "hurdle_sharpe_ann " + show_number(hurdle_sharpe_ann) + " is not from 0 to " +
                   show_number(kHurdleMax) +
                   ": a hurdle may only ask for more than no loss, and below 0 a family that "
                   "loses would pass");
}

}  // namespace winnow::serve
