#include "sweeps/convergence_declared.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/check.hpp"
#include "base/names.hpp"
#include "base/text.hpp"
#include "sweeps/convergence_require.hpp"
#include "sweeps/spec_params.hpp"
#include "sweeps/stops.hpp"

namespace winnow::sweeps {
namespace {

using nlohmann::json;
using yaml::Cursor;

const std::string kEveryLaunched = "every_launched";
const std::string kLaterDays = "later_days";
constexpr LookPlan kPlans[] = {LookPlan::OneLook, LookPlan::EqualLooks, LookPlan::SpendingLooks};

std::vector<std::string> plan_names() {
  std::vector<std::string> out;
  for (const LookPlan plan : kPlans) out.emplace_back(look_plan_name(plan));
  return out;
}

/// A hard stop must stop every variant: one without it can lose anything in a day.
void check_hard_stops(const Cursor& at, const std::vector<StrategySpace>& strategies) {
  for (const StrategySpace& s : strategies) {
    const std::string lack = hard_stop_lack(s);
    if (!lack.empty()) at.refuse(lack + "; leave hard_stops out or narrow the range");
  }
}

/// Later days exist only where shorter windows chose, and nothing else did.
void check_later_days(const Cursor& at, const ResolvedSpec& spec, bool several_looks) {
  const bool learns_more = spec.method.decl().learns;
  if (!spec.learns() || spec.adaptive.fidelity == FidelityMethod::None || learns_more) {
    at.refuse(std::string(kLaterDays) +
              " needs fidelity beside search.method random, sobol or lhs: there the shorter "
              "windows choose the variants and no later day does");
  }
  if (several_looks) {
    at.refuse(std::string(kLaterDays) +
              " needs looks: one; the days of the other looks count from the window's start");
  }
}

json read_requirements(const Cursor& at, const ResolvedSpec& spec) {
  constexpr std::string_view kHelp =
      "a list of what must hold, as in [degradation_frac < 0.3, oos_sharpe_ann > 1]";
  const std::vector<std::string> names = requirement_names(spec.validation_json);
  json out = json::array();
  for (const Cursor& entry : at.list(kHelp)) {
    const std::string text = entry.text(kHelp);
    if (const Status read = check_requirement(text, names); !read.ok()) {
      const bool no_protocol = spec.validation_json.empty();
      entry.refuse(read.error().text() +
                   (no_protocol ? "; out-of-sample numbers need `validation`" : ""));
    }
    out.push_back(text);
  }
  if (out.empty()) at.refuse("the list is empty; leave it out");
  if (out.size() > kRequirementsMax) {
    at.refuse(std::to_string(out.size()) + " requirements; at most " +
              std::to_string(kRequirementsMax) + " are allowed");
  }
  return out;
}

}  // namespace

std::string read_convergence(const Cursor& at, const ResolvedSpec& spec) {
  WINNOW_REQUIRES(!spec.strategies.empty());
  at.expect_map("how families are scored, as in {looks: equal, worst_loss_sd: 8}",
                {"looks", "worst_loss_sd", "hard_stops", "survivors", "require"});
  json out = json::object();
  if (const auto looks = at.find("looks")) {
    if (!looks->is(yaml::Node::Kind::Scalar)) {
      looks->refuse(
          "a word belongs here: one (all days at once), equal or spending (days 90, 180, "
          "365 and 730); other days have no known error rate");
    }
    out["looks"] = looks->choice(plan_names());
  }
  if (const auto loss = at.find("worst_loss_sd")) {
    const double sd = loss->number("daily standard deviations, from 8 to 100");
    if (sd < kWorstLossSdMin || sd > kWorstLossSdMax) {
      loss->refuse(show_number(sd) +
                   " is not from 8 to 100 daily standard deviations; a smaller loss than the "
                   "default of 8 would let through what it is there to stop");
    }
    out["worst_loss_sd"] = sd;
  }
  if (const auto stops = at.find("hard_stops")) {
    const bool on = stops->boolean();
    if (on) check_hard_stops(*stops, spec.strategies);
    if (on) out["hard_stops"] = true;
  }
  if (const auto survivors = at.find("survivors")) {
    if (survivors->choice({kEveryLaunched, kLaterDays}) == kLaterDays) {
      const bool several = out.contains("looks") && out["looks"] != look_plan_name(kPlans[0]);
      check_later_days(*survivors, spec, several);
      out["survivors"] = kLaterDays;
    }
  }
  if (const auto require = at.find("require")) out["require"] = read_requirements(*require, spec);
  return out.empty() ? std::string() : json_text(out);
}

Result<ConvergenceOptions> declared_convergence(std::string_view canonical_json) {
  ConvergenceOptions out;
  if (canonical_json.empty()) return out;
  const auto bad = [](const std::string& why) {
    return Error(ErrorCode::InvalidInput, "convergence: " + why);
  };
  const json j = parse_json(canonical_json);
  if (!j.is_object()) return bad("not a JSON object");
  for (const auto& [key, value] : j.items()) {
    if (key == "looks") {
      const auto* const plan = std::find_if(std::begin(kPlans), std::end(kPlans),
                                            [&](LookPlan p) { return value == look_plan_name(p); });
      if (plan == std::end(kPlans)) {
        return bad("looks " + json_text(value) + "; allowed: " + join_names(plan_names()));
      }
      out.looks = *plan;
    } else if (key == "worst_loss_sd") {
      if (!value.is_number() || value < 1 || value > kWorstLossSdMax) {
        return bad("worst_loss_sd " + json_text(value) + "; a number from 1 to 100 is allowed");
      }
      // What was declared when less was allowed is judged as if it were the least.
      out.stress_sd = std::max(value.get<double>(), kWorstLossSdMin);
    } else if (key == "hard_stops") {
      if (!value.is_boolean()) return bad("hard_stops " + json_text(value) + "; true or false");
      out.hard_stops = value;
    } else if (key == "survivors") {
      if (value != kLaterDays) {
        return bad("survivors " + json_text(value) + "; allowed: later_days");
      }
    } else if (key == "require") {
      const bool texts =
          value.is_array() &&
          std::all_of(value.begin(), value.end(), [](const json& v) { return v.is_string(); });
      if (!texts) return bad("require " + json_text(value) + "; a list of texts is allowed");
    } else {
      return bad("unknown key '" + key + "'");
    }
  }
  return out;
}

std::vector<std::string> declared_requirements(std::string_view canonical_json) {
  const json j = parse_json(canonical_json);
  std::vector<std::string> out;
  if (!j.is_object() || !j.contains("require")) return out;
  for (const json& v : j["require"]) {
    if (v.is_string()) out.push_back(v);
  }
  return out;
}

bool judged_on_later_days(std::string_view canonical_json) {
  const json j = parse_json(canonical_json);
  return j.is_object() && j.value("survivors", json()) == kLaterDays;
}

}  // namespace winnow::sweeps
