// Families side by side on the same data: the question `bakeoff`.
#include "serve/bakeoff.hpp"
#include "serve/query_parts.hpp"

namespace winnow::serve::parts {
namespace {

constexpr std::size_t kSweepsMax = 10;
constexpr std::uint64_t kWindowDaysMax = 3650;

Result<std::vector<std::string>> texts_arg(const Json& args, const char* name) {
  std::vector<std::string> out;
  const auto found = args.find(name);
  if (found == args.end() || found->is_null()) return out;
  const Error wrong(ErrorCode::InvalidInput, std::string(name) + " must be a list of texts");
  if (!found->is_array()) return wrong;
  for (const Json& text : *found) {
    if (!text.is_string()) return wrong;
    out.push_back(text.get<std::string>());
  }
  return out;
}

Result<std::optional<std::uint64_t>> window_arg(const Json& args, const char* name) {
  const auto value = count_arg(args, name, 0);
  if (!value.ok()) return value.error();
  const auto found = args.find(name);
  if (found == args.end() || found->is_null()) return std::optional<std::uint64_t>{};
  const bool test = std::string_view(name) == "test_days";
  if (*value < (test ? 1u : 2u) || *value > kWindowDaysMax) {
    return Error(ErrorCode::InvalidInput, std::string(name) + " must be " + (test ? "1" : "2") +
                                              " to " + std::to_string(kWindowDaysMax) + ", not " +
                                              std::to_string(*value));
  }
  return std::optional<std::uint64_t>{*value};
}

}  // namespace

Result<Json> bakeoff(const Sources& sources, const Json& args) {
  auto selectors = texts_arg(args, "sweeps");
  if (!selectors.ok()) return selectors.error();
  if (selectors->empty()) selectors->push_back("last");
  if (selectors->size() > kSweepsMax) {
    return Error(ErrorCode::InvalidInput,
                 "at most " + std::to_string(kSweepsMax) + " sweeps are compared at once");
  }
  auto families = texts_arg(args, "families");
  if (!families.ok()) return families.error();
  const auto train = window_arg(args, "train_days");
  if (!train.ok()) return train.error();
  const auto test = window_arg(args, "test_days");
  if (!test.ok()) return test.error();
  const auto seed = count_arg(args, "seed", 1);
  if (!seed.ok()) return seed.error();
  std::vector<SweepView> views;
  for (const std::string& selector : *selectors) {
    auto view = SweepView::open(sources, selector);
    if (!view.ok()) return view.error();
    views.push_back(std::move(*view));
  }
  auto comparisons = bake_off_sweeps(
      sources, views,
      {.families = std::move(*families), .train_days = *train, .test_days = *test, .seed = *seed});
  if (!comparisons.ok()) return comparisons.error();
  Json out;
  out["sweeps"] = Json::array();
  for (const SweepView& view : views) out["sweeps"].push_back(sweep_head(view));
  out["seed"] = *seed;
  out["comparisons"] = std::move(*comparisons);
  return out;
}

}  // namespace winnow::serve::parts
