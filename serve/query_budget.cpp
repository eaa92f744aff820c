// Budgets of users: how many trials each may still bring to the ledger.
#include <algorithm>
#include <iterator>

#include "base/names.hpp"
#include "base/text.hpp"
#include "serve/query_parts.hpp"
#include "sweeps/user_budget.hpp"

namespace winnow::serve::parts {
namespace {

constexpr std::size_t kUserNameMax = 200;
constexpr std::size_t kHashPrefixMin = 8;

Result<std::vector<sweeps::TrialLimit>> read_limits(const Sources& sources,
                                                    const std::string& user) {
  const auto text = sources.store->document(sweeps::kUserBudgetKind, user);
  if (!text.ok()) return text.error();
  if (!*text) return std::vector<sweeps::TrialLimit>();
  return sweeps::limits_from_json(**text, user);
}

struct DatasetName {
  std::string hash, name;
};

/// A dataset of the ledger or of a sweep, by its name or the start of its hash; the latest of a
/// name.
Result<DatasetName> find_dataset(const Sources& sources, const std::string& wanted) {
  DatasetName out;
  std::vector<std::string> names;
  const auto look_at = [&](const std::string& hash, const std::string& name) {
    names.push_back(name);
    const bool by_hash = wanted.size() >= kHashPrefixMin && hash.starts_with(wanted);
    if (wanted == name || by_hash) out = {hash, name};
  };
  const auto metas = sources.store->sweeps();
  if (!metas.ok()) return metas.error();
  for (const store::SweepMeta& meta : *metas) {
    const Json spec = parse_ordered_json(meta.spec_json);
    if (!spec.is_object() || !spec.contains("data") || !spec["data"].is_array()) continue;
    for (const Json& data : spec["data"]) {
      look_at(data.value("content_hash", ""), data.value("name", ""));
    }
  }
  if (sources.datasets != nullptr) {
    const auto known = sources.datasets->list();
    if (!known.ok()) return known.error();
    for (const auto& manifest : *known) look_at(manifest.content_hash, manifest.name);
  }
  if (!out.hash.empty()) return out;
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return Error(
      ErrorCode::NotFound,
      "there is no dataset " + show_text(wanted) + did_you_mean(wanted, names) +
          "; a name or the start of a hash is allowed; there are: " + join_names(names, 10));
}

Status check_user(const std::string& user) {
  if (!user.empty() && user.size() <= kUserNameMax) return {};
  return Error(ErrorCode::InvalidInput, "user " + show_text(user) + " has " +
                                            std::to_string(user.size()) + " bytes; 1 to " +
                                            std::to_string(kUserNameMax) + " are allowed");
}

}  // namespace

Result<std::vector<answer::Budget>> budgets_of(const Sources& sources, const std::string& user) {
  const auto limits = read_limits(sources, user);
  if (!limits.ok()) return limits.error();
  std::vector<answer::Budget> out;
  if (limits->empty()) return out;
  const auto entries = sources.store->ledger_entries();
  if (!entries.ok()) return entries.error();
  for (const sweeps::TrialLimit& limit : *limits) {
    answer::Budget line;
    for (const store::LedgerEntry& e : *entries) {
      const bool counts = limit.dataset_hash.empty() || limit.dataset_hash == e.dataset_hash;
      if (e.user == user && counts) line.spent += e.trials;
    }
    line.user = user;
    if (!limit.data.empty()) line.data = limit.data;
    if (!limit.dataset_hash.empty()) line.dataset_hash = limit.dataset_hash;
    line.trials = limit.trials;
    line.left = limit.trials - std::min(line.spent, limit.trials);
    line.set_by = limit.set_by;
    line.set_at = format_timestamp(limit.set_at);
    out.push_back(std::move(line));
  }
  return out;
}

Result<Json> budgets(const Sources& sources, const Json& args) {
  const auto wanted = text_arg(args, "user", "");
  if (!wanted.ok()) return wanted.error();
  const auto users = sources.store->document_keys(sweeps::kUserBudgetKind);
  if (!users.ok()) return users.error();
  answer::Budgets out;
  for (const std::string& user : *users) {
    if (!wanted->empty() && user != *wanted) continue;
    auto lines = budgets_of(sources, user);
    if (!lines.ok()) return lines.error();
    std::move(lines->begin(), lines->end(), std::back_inserter(out.budgets));
  }
  return to_json(out);
}

Result<Json> budget_set(const Sources& sources, const Json& args) {
  const auto user = text_arg(args, "user", "");
  const auto data = text_arg(args, "data", "");
  const auto trials = count_arg(args, "trials", 0);
  for (const auto* text : {&user, &data}) {
    if (!text->ok()) return text->error();
  }
  if (!trials.ok()) return trials.error();
  WINNOW_TRY(check_user(*user));
  const bool unlimited = args.value("unlimited", Json()) == Json(true);
  if (!unlimited && !args.contains("trials")) {
    return Error(ErrorCode::InvalidInput, "how many trials may user " + show_text(*user) +
                                              " make? Give a number, or say unlimited");
  }
  if (sources.verdicts == nullptr) {
    return Error(ErrorCode::Refused, "budgets are set where the store can be written");
  }
  DatasetName dataset;
  if (!data->empty()) {
    auto found = find_dataset(sources, *data);
    if (!found.ok()) return found.error();
    dataset = std::move(*found);
  }
  // Read and written as one: somebody else may set another of the user's budgets just then.
  const auto with_this = [&](const std::optional<std::string>& there) -> Result<std::string> {
    std::vector<sweeps::TrialLimit> kept;
    // What cannot be read is replaced.
    if (auto limits = there ? sweeps::limits_from_json(*there, *user) : kept; limits.ok()) {
      kept = std::move(*limits);
    }
    std::erase_if(kept, [&](const auto& limit) { return limit.dataset_hash == dataset.hash; });
    if (!unlimited) {
      kept.push_back(
          {dataset.hash, dataset.name, *trials, sources.asker.name, system_clock().now()});
    }
    return sweeps::limits_to_json(kept);
  };
  WINNOW_TRY(sources.verdicts->update_document(sweeps::kUserBudgetKind, *user, with_this));
  return budgets(sources, Json{{"user", *user}});
}

}  // namespace winnow::serve::parts
