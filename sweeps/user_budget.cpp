#include "sweeps/user_budget.hpp"

#include <limits>
#include <nlohmann/json.hpp>

#include "base/text.hpp"

namespace winnow::sweeps {
namespace {

using Json = nlohmann::ordered_json;

std::uint64_t plus(std::uint64_t a, std::uint64_t b) {
  const std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
  return a > most - b ? most : a + b;
}

}  // namespace

std::string limits_to_json(const std::vector<TrialLimit>& limits) {
  Json out{{"limits", Json::array()}};
  for (const TrialLimit& limit : limits) {
    out["limits"].push_back({{"dataset_hash", limit.dataset_hash},
                             {"data", limit.data},
                             {"trials", limit.trials},
                             {"set_by", limit.set_by},
                             {"set_at_ns", limit.set_at.ns}});
  }
  return json_text(out);
}

Result<std::vector<TrialLimit>> limits_from_json(std::string_view json, std::string_view user) {
  const auto odd = [&] {
    return Error(ErrorCode::Corrupt, "the budget of user '" + std::string(user) +
                                         "' is not what this binary writes; `winnow ledger budget "
                                         "set` sets it anew");
  };
  const Json whole = parse_ordered_json(json);
  if (!whole.is_object() || !whole.contains("limits") || !whole["limits"].is_array()) return odd();
  std::vector<TrialLimit> out;
  for (const Json& one : whole["limits"]) {
    if (!one.is_object()) return odd();
    const auto text = [&](const char* field) { return one.value(field, Json()); };
    const Json hash = text("dataset_hash"), data = text("data"), by = text("set_by");
    const Json trials = text("trials"), at = text("set_at_ns");
    if (!hash.is_string() || !data.is_string() || !by.is_string() || !trials.is_number_unsigned() ||
        !at.is_number_integer()) {
      return odd();
    }
    out.push_back({hash.get<std::string>(), data.get<std::string>(), trials.get<std::uint64_t>(),
                   by.get<std::string>(), TimestampNs{at.get<std::int64_t>()}});
  }
  return out;
}

Status check_limit(const TrialLimit& limit, const TrialDemand& demand, std::string_view user) {
  if (demand.asked == 0) return {};
  const std::uint64_t total = plus(plus(demand.spent, demand.reserved), demand.asked);
  if (total <= limit.trials) return {};
  return Error(ErrorCode::Refused,
               "user '" + std::string(user) + "' has a budget of " + std::to_string(limit.trials) +
                   " trials" + (limit.dataset_hash.empty() ? "" : " on dataset " + limit.data) +
                   ": " + std::to_string(demand.spent) + " are spent, " +
                   std::to_string(demand.reserved) + " are reserved by sweeps that run, and " +
                   std::to_string(demand.asked) +
                   " are asked for; an operator raises it with `winnow ledger budget set`");
}

}  // namespace winnow::sweeps
