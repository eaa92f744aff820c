// What variants may lose: the question `risk`.
#include <algorithm>

#include "base/names.hpp"
#include "serve/query_parts.hpp"
#include "serve/risk.hpp"
#include "serve/scoring.hpp"

namespace winnow::serve::parts {
namespace {

constexpr std::size_t kVariantsMax = 20;
constexpr std::size_t kPoliciesMax = 20;

Result<std::uint64_t> ranged_arg(const Json& args, std::string_view name, std::uint64_t fallback,
                                 std::uint64_t least, std::uint64_t most) {
  const auto value = count_arg(args, name, fallback);
  if (!value.ok()) return value.error();
  if (*value >= least && *value <= most) return *value;
  return Error(ErrorCode::InvalidInput, std::string(name) + " must be " + std::to_string(least) +
                                            " to " + std::to_string(most) + ", not " +
                                            std::to_string(*value));
}

Result<RiskOptions> options_arg(const Json& args) {
  RiskOptions out;
  const auto horizon =
      ranged_arg(args, "horizon_days", out.horizon_days, 1, sweeps::risk::kHorizonMax);
  if (!horizon.ok()) return horizon.error();
  const auto paths = ranged_arg(args, "paths", out.paths, kRiskPathsMin, kRiskPathsMax);
  if (!paths.ok()) return paths.error();
  const auto seed = count_arg(args, "seed", out.seed);
  if (!seed.ok()) return seed.error();
  out.horizon_days = *horizon;
  out.paths = *paths;
  out.seed = *seed;
  const auto policies = args.find("policies");
  if (policies == args.end() || policies->is_null()) return out;
  if (!policies->is_array() || policies->empty() || policies->size() > kPoliciesMax) {
    return Error(ErrorCode::InvalidInput,
                 "policies must be a list of 1 to " + std::to_string(kPoliciesMax) + " texts");
  }
  out.policies.clear();
  for (const Json& text : *policies) {
    if (!text.is_string()) return Error(ErrorCode::InvalidInput, "policies must be texts");
    auto policy = sweeps::risk::parse_policy(text.get_ref<const std::string&>());
    if (!policy.ok()) return policy.error();
    out.policies.push_back(std::move(*policy));
  }
  return out;
}

Result<std::vector<std::uint64_t>> trials_arg(const SweepView& view, const Json& args) {
  std::vector<std::uint64_t> out;
  const auto found = args.find("variants");
  if (found == args.end() || found->is_null()) return out;
  if (!found->is_array() || found->size() > kVariantsMax) {
    return Error(ErrorCode::InvalidInput, "variants must be a list of at most " +
                                              std::to_string(kVariantsMax) + " trial numbers");
  }
  for (const Json& v : *found) {
    const auto trial = count_arg(Json{{"variants", v}}, "variants", 0);
    if (!trial.ok()) return trial.error();
    const auto known = view.check_trial(*trial);
    if (!known.ok()) return known.error();
    out.push_back(*trial);
  }
  return out;
}

// Nobody named a variant: each family's plateau centre, and what policies do to all its variants.
Status add_families(const Sources& sources, const SweepView& view, const RiskOptions& options,
                    Json& out, std::vector<std::uint64_t>& trials) {
  const auto scoring = score_families(sources, view);
  if (!scoring.ok()) return scoring.error();
  out["families"] = Json::array();
  for (const FamilyScore& family : scoring->families) {
    if (out["families"].size() >= kVariantsMax) break;
    auto row = policies_over_family(sources, view, view.plan.segments()[family.segment], options);
    if (!row.ok()) return row.error();
    (*row)["trial"] = Json();
    if (family.plateau) (*row)["trial"] = family.plateau->trial;
    if (family.plateau) trials.push_back(family.plateau->trial);
    if (!family.plateau) {
      (*row)["verdict"] = "NO_RESULT";
      (*row)["reasons"] = {"no variant of it has a Sharpe to choose a plateau centre by"};
    }
    out["families"].push_back(std::move(*row));
  }
  return {};
}

}  // namespace

Result<Json> risk(const Sources& sources, const Json& args) {
  const auto selector = sweep_arg(args);
  if (!selector.ok()) return selector.error();
  const auto options = options_arg(args);
  if (!options.ok()) return options.error();
  const auto view = SweepView::open(sources, *selector);
  if (!view.ok()) return view.error();
  auto trials = trials_arg(*view, args);
  if (!trials.ok()) return trials.error();
  Json out = sweep_head(*view);
  out["horizon_days"] = options->horizon_days;
  out["paths"] = options->paths;
  out["seed"] = options->seed;
  out["chosen_by"] = trials->empty() ? "plateau centre of each family" : "the caller";
  if (trials->empty()) WINNOW_TRY(add_families(sources, *view, *options, out, *trials));
  out["variants"] = Json::array();
  for (const std::uint64_t trial : *trials) {
    auto variant = assess_variant(sources, *view, trial, *options);
    if (!variant.ok()) return variant.error();
    out["variants"].push_back(std::move(*variant));
  }
  return out;
}

}  // namespace winnow::serve::parts
