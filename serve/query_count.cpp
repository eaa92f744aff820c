// What comes to the ledger beside sweeps: backtests, and the ledgers of other homes.
#include <algorithm>

#include "base/names.hpp"
#include "base/text.hpp"
#include "serve/opening.hpp"
#include "serve/query_parts.hpp"
#include "store/ledger_head.hpp"
#include "sweeps/level/account_text.hpp"
#include "sweeps/level/day_book.hpp"
#include "sweeps/user_budget.hpp"

namespace winnow::serve::parts {
namespace {

namespace level = sweeps::level;

// Days from 1970 that a time of 64 bits in nanoseconds can name.
constexpr std::uint64_t kDaysMax = 106'752;
// Of a ledger's id, in the name of an account that came from there.
constexpr std::size_t kFromDigits = 8;

Error not_writable() {
  return Error(ErrorCode::Refused, "the ledger is counted where the store can be written");
}

Result<std::string> needed_text(const Json& args, const char* name) {
  auto text = text_arg(args, name, "");
  if (text.ok() && text->empty()) {
    return Error(ErrorCode::InvalidInput, std::string(name) + " must not be empty");
  }
  return text;
}

struct BacktestCount {
  store::CountedTrial trial;
  std::uint64_t from_day = 0, to_day = 0;
  std::string what;
  bool unseal = false;
};

Result<BacktestCount> backtest_args(const Json& args) {
  BacktestCount out;
  const auto key = needed_text(args, "key");
  if (!key.ok()) return key.error();
  const auto parsed = parse_hash128(*key);
  if (!parsed.ok()) return parsed.error().within("key");
  out.trial.key = *parsed;
  for (const auto& [name, into] : {std::pair{"dataset_hash", &out.trial.dataset_hash},
                                   {"family", &out.trial.family},
                                   {"what", &out.what}}) {
    auto text = needed_text(args, name);
    if (!text.ok()) return text.error();
    *into = std::move(*text);
  }
  out.unseal = args.value("unseal", Json()) == Json(true);
  if (args.value("failed", Json()) == Json(true)) out.trial.status = TrialStatus::Failed;
  const auto from = count_arg(args, "from_day", 0);
  const auto to = count_arg(args, "to_day", 0);
  if (!from.ok()) return from.error();
  if (!to.ok()) return to.error();
  if (*from >= *to || *to > kDaysMax) {
    return Error(ErrorCode::InvalidInput,
                 "from_day " + std::to_string(*from) + " must come before to_day " +
                     std::to_string(*to) + ", which is " + std::to_string(kDaysMax) + " at most");
  }
  out.from_day = *from;
  out.to_day = *to;
  return out;
}

/// A budget counts trials that nobody had evaluated, however they are made.
Status within_budgets(const Sources& sources, const store::CountedTrial& trial) {
  const auto budgets = budgets_of(sources, trial.user);
  if (!budgets.ok()) return budgets.error();
  if (budgets->empty()) return {};
  const auto fresh = sources.store->count_new({&trial.key, 1});
  if (!fresh.ok()) return fresh.error();
  for (const answer::Budget& line : *budgets) {
    if (line.dataset_hash.value_or(trial.dataset_hash) != trial.dataset_hash) continue;
    sweeps::TrialLimit limit;
    limit.trials = line.trials;
    limit.dataset_hash = line.dataset_hash.value_or("");
    limit.data = line.data.value_or("");
    WINNOW_TRY(sweeps::check_limit(limit, {.spent = line.spent, .asked = *fresh}, trial.user));
  }
  return {};
}

/// Whether it shows days that are sealed. Fails: Refused (it would, and may not), Corrupt, Io.
Result<bool> may_show(const Sources& sources, const level::Showing& shown, bool unseal) {
  const auto market = market_days(sources, shown.dataset_hash);
  if (!market.ok()) return market.error();
  const auto days = level::DayBook::read(documents_of(sources), *market);
  if (!days.ok()) return days.error();
  for (const level::DayRange& r : days->sealed()) {
    const level::DayRange inside{std::max(r.start, shown.days.start),
                                 std::min(r.end, shown.days.end)};
    if (inside.start >= inside.end) continue;
    if (unseal) return true;
    return Error(
        ErrorCode::Refused,
        "the window reaches into sealed days, " + level::days_text({&inside, 1}) +
            ": nobody saw them yet, and a number of theirs would keep them from judging "
            "what it is a number of. " +
            (inside.start > shown.days.start ? "With `--to " + format_day(inside.start) +
                                                   "` it is a backtest of the days before; "
                                             : std::string()) +
            "`winnow open` has an idea judged by them, in words; --unseal shows them, on "
            "record");
  }
  return false;
}

/// Entries as `winnow ledger import` sends them: the text of a head.
Result<store::LedgerHead> head_arg(const Json& args) {
  const auto text = needed_text(args, "head");
  if (!text.ok()) return text.error();
  auto head = store::parse_ledger_head(*text);
  if (!head.ok()) return head.error().within("head");
  return head;
}

/// What another home's record says of days and accounts, as `winnow ledger import` sends it: lists
/// of kind, key and text. How many are new here. Its accounts stay accounts of their own, so that
/// levels that were given stay as they are and the year's alpha is the sum.
/// Fails: InvalidInput, Corrupt (an account), Io.
Result<std::uint64_t> join_documents(const Sources& sources, const Json& documents,
                                     const std::string& from_id) {
  const auto own = sources.verdicts->ledger_stamp();
  if (!own.ok()) return own.error();
  const std::string home = "@" + own->birth.id.substr(0, kFromDigits);
  std::uint64_t joined = 0;
  for (const Json& line : documents) {
    if (!line.is_array() || line.size() != 3 || !line[0].is_string() || !line[1].is_string() ||
        !line[2].is_string()) {
      return Error(ErrorCode::InvalidInput, "documents: each is a list of kind, key and text");
    }
    const std::string kind = line[0];
    std::string key = line[1];
    const std::string text = line[2];
    if (kind == level::kAccountKind) {
      const auto account = level::AccountText::read(key, text);
      if (!account.ok()) return account.error();
      if (key.find('@') == std::string::npos) key += "@" + from_id.substr(0, kFromDigits);
      if (key.ends_with(home)) continue;  // our own, come back
    } else if (kind == level::kShownKind ? !level::parse_showing(key).has_value()
                                         : kind != level::kSealKind) {
      continue;  // a note of that store's own
    }
    bool is_new = false;
    WINNOW_TRY(sources.verdicts->update_document(
        kind, key, [&](const std::optional<std::string>& there) -> Result<std::string> {
          // An account only grows; of a showing and a seal the first time counts.
          const bool more = kind == level::kAccountKind && there && text.size() > there->size();
          is_new = !there || more;
          return is_new ? text : *there;
        }));
    joined += is_new ? 1 : 0;
  }
  return joined;
}

}  // namespace

Result<Json> backtest_count(const Sources& sources, const Json& args) {
  if (sources.verdicts == nullptr) return not_writable();
  auto asked = backtest_args(args);
  if (!asked.ok()) return asked.error();
  // Sealed days are shown to people: an agent would read what is to judge it.
  if (asked->unseal) {
    WINNOW_TRY(cluster::check_rights(sources.asker, cluster::Rights::Researcher, "unseal days"));
  }
  asked->trial.user = sources.asker.name;
  const store::CountedTrial& trial = asked->trial;
  // Each variant is a showing of its own: several of the same days come to a broad one.
  const level::Showing shown{
      trial.dataset_hash,
      {static_cast<std::int64_t>(asked->from_day), static_cast<std::int64_t>(asked->to_day)},
      level::Breadth::Narrow,
      "backtest " + trial.key.hex()};
  const auto unsealed = may_show(sources, shown, asked->unseal);
  if (!unsealed.ok()) return unsealed.error();
  WINNOW_TRY(within_budgets(sources, trial));
  const TimestampNs now = system_clock().now();
  const auto fresh = sources.verdicts->count_backtest(trial, now);
  if (!fresh.ok()) return fresh.error();
  auto documents = documents_of(sources);
  WINNOW_TRY(level::record_showing(documents, shown, trial.user, now, trial.family,
                                   *unsealed ? level::SealBroken::Yes : level::SealBroken::No));
  const auto trials = ledger_trials(sources, trial.dataset_hash);
  if (!trials.ok()) return trials.error();
  return to_json(answer::BacktestCounted{*fresh, *trials});
}

Result<Json> ledger_import(const Sources& sources, const Json& args) {
  if (sources.verdicts == nullptr) return not_writable();
  const auto head = head_arg(args);
  if (!head.ok()) return head.error();
  const auto from = text_arg(args, "from", "");
  if (!from.ok()) return from.error();
  const auto joined = sources.verdicts->join_ledger(
      head->birth, head->entries, "imported from " + *from + " by " + sources.asker.name,
      system_clock().now());
  if (!joined.ok()) return joined.error();
  const auto documents =
      join_documents(sources, args.value("documents", Json::array()), head->birth.id);
  if (!documents.ok()) return documents.error();
  const auto stamp = sources.verdicts->ledger_stamp();
  if (!stamp.ok()) return stamp.error();
  return to_json(answer::LedgerImported{.entries_new = joined->entries_new,
                                        .entries_raised = joined->entries_raised,
                                        .trials = joined->trials,
                                        .executions = joined->executions,
                                        .documents_new = *documents,
                                        .trials_total = stamp->trials,
                                        .head = stamp->head});
}

Result<Json> ledger_joins(const Sources& sources) {
  const auto keys = sources.store->document_keys(store::Store::kJoinKind);
  if (!keys.ok()) return keys.error();
  Json out = Json::array();
  for (const std::string& key : *keys) {
    const auto text = sources.store->document(store::Store::kJoinKind, key);
    if (!text.ok()) return text.error();
    const Json record = *text ? parse_ordered_json(**text) : Json();
    if (!record.is_object()) continue;
    Json line{{"time", format_timestamp({record.value("time_ns", std::int64_t{0})})}};
    for (const char* field :
         {"why", "from_id", "entries_new", "entries_raised", "trials", "executions", "documents"}) {
      if (record.contains(field)) line[field] = record[field];
    }
    out.push_back(std::move(line));
  }
  return out;
}

}  // namespace winnow::serve::parts
