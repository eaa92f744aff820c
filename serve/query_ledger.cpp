// The ledger: how many trials there ever were, and how that number came about.
#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "base/names.hpp"
#include "serve/ledger_account.hpp"
#include "serve/ledger_stamp.hpp"
#include "serve/query_parts.hpp"

namespace winnow::serve::parts {
namespace {

constexpr std::array<const char*, 4> kGroupings = {"family", "sweep", "hypothesis", "user"};

/// Which entries are asked for; empty: all.
struct Filter {
  std::string data, family, user, sweep, hypothesis;
  std::set<std::string> markets = {};  ///< of the datasets that `data` names

  bool names(const AccountEntry& line) const {
    return data == line.data || (data.size() >= 8 && line.entry.dataset_hash.starts_with(data));
  }
  bool holds(const AccountEntry& line) const {
    const auto fits = [](const std::string& wanted, const std::string& value) {
      return wanted.empty() || wanted == value;
    };
    const bool dataset = data.empty() || markets.contains(line.market);
    return dataset && fits(family, line.entry.family) && fits(user, line.entry.user) &&
           (fits(sweep, line.entry.sweep_id) || fits(sweep, line.sweep_name)) &&
           (hypothesis.empty() ||
            (!line.hypothesis.empty() && line.hypothesis.starts_with(hypothesis)));
  }
};

Result<Filter> filter_of(const Json& args) {
  Filter out;
  for (const auto& [name, value] : {std::pair{"data", &out.data},
                                    {"family", &out.family},
                                    {"user", &out.user},
                                    {"sweep", &out.sweep},
                                    {"hypothesis", &out.hypothesis}}) {
    auto text = text_arg(args, name, "");
    if (!text.ok()) return text.error();
    *value = std::move(*text);
  }
  return out;
}

/// Sums of entries.
struct Line {
  const AccountEntry* first = nullptr;
  std::uint64_t trials = 0, executions = 0, failed = 0, measured = 0;
  double effective = 0;
  std::set<std::string> sweeps, users;
  std::map<std::string, std::uint64_t> datasets;  ///< trials by content hash
  std::map<std::string, std::string> names;       ///< of them, as their sweeps knew them

  void add(const AccountEntry& line) {
    datasets[line.entry.dataset_hash] += line.entry.trials;
    if (!line.data.empty()) names[line.entry.dataset_hash] = line.data;
    if (first == nullptr) first = &line;
    trials += line.entry.trials;
    executions += line.entry.executions;
    failed += line.entry.failed;
    effective += line.effective_trials();
    measured += line.mean_correlation ? 1 : 0;
    if (!store::counts_backtests(line.entry.sweep_id)) sweeps.insert(line.entry.sweep_id);
    users.insert(line.entry.user);
  }
};

std::vector<std::string> group_of(const AccountEntry& line, std::string_view by) {
  if (by == "user") return {line.entry.user};
  if (by == "hypothesis") return {line.hypothesis, line.entry.dataset_hash, line.entry.family};
  if (by == "sweep") {
    return {line.entry.sweep_id, line.entry.dataset_hash, line.entry.family, line.entry.user};
  }
  return {line.market, line.entry.family};
}

Json text_or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

Json counts_json(const Line& line) {
  return {{"trials", line.trials},         {"trials_effective", line.effective},
          {"executions", line.executions}, {"repeats", line.executions - line.trials},
          {"failed", line.failed},         {"sweeps", line.sweeps.size()}};
}

// The datasets of a line's market that trials were made on, and why they are one market.
Json datasets_json(const Line& line, const store::MarketBook& book) {
  Json out = Json::array();
  for (const auto& [hash, trials] : line.datasets) {
    const auto name = line.names.find(hash);
    Json entry{{"data", name == line.names.end() ? Json() : Json(name->second)},
               {"dataset_hash", hash},
               {"trials", trials},
               {"overlap", Json()}};
    const store::Market* market = book.of(hash);
    const store::MarketMember* member = market == nullptr ? nullptr : market->member(hash);
    if (member != nullptr && !member->links.empty()) {
      entry["overlap"] = likeness_text(member->links.front().likeness);
    }
    out.push_back(std::move(entry));
  }
  return out;
}

Json line_json(const Line& line, std::string_view by, const store::MarketBook& book) {
  const AccountEntry& first = *line.first;
  Json out;
  if (by == "user") {
    out["user"] = first.entry.user;
  } else {
    out["data"] = text_or_null(first.data);
    out["dataset_hash"] = first.entry.dataset_hash;
    out["market"] = first.market;
    out["family"] = first.entry.family;
  }
  if (by == "hypothesis") out["hypothesis"] = text_or_null(first.hypothesis);
  if (by == "family") out["datasets"] = datasets_json(line, book);
  out.update(counts_json(line));
  if (by == "sweep") {
    out["sweep_id"] = first.entry.sweep_id;
    out["sweep_name"] = store::counts_backtests(first.entry.sweep_id)
                            ? Json(first.entry.sweep_id)
                            : text_or_null(first.sweep_name);
    out["state"] = text_or_null(first.state);
    out["user"] = first.entry.user;
    out["hypothesis"] = text_or_null(first.hypothesis);
    out["mean_correlation"] = first.mean_correlation ? Json(*first.mean_correlation) : Json();
    out["first_commit"] = format_timestamp(first.entry.first);
    out["last_commit"] = format_timestamp(first.entry.last);
  } else {
    out["users"] = line.users;
  }
  return out;
}

// How N came about, in sentences.
Json how(const Line& all, std::uint64_t entries, std::size_t markets,
         const HypothesisCount& hypotheses) {
  Json out = Json::array();
  out.push_back(
      "N = " + std::to_string(all.trials) +
      " distinct trials: a key of strategy code, parameters, data, window and execution "
      "counts when its first result is committed, whoever ran it and whatever became of the "
      "sweep since; a backtest counts before its numbers are shown");
  if (all.datasets.size() > markets) {
    out.push_back(
        "these are " + std::to_string(all.datasets.size()) + " datasets of " +
        std::to_string(markets) + (markets == 1 ? " market" : " markets") +
        ": N of a result counts what was tried on its market, in whatever interval, cut or "
        "name it was imported (`winnow data show` says by what figure)");
  }
  out.push_back(std::to_string(all.executions) + " results were committed; " +
                std::to_string(all.executions - all.trials) +
                " repeat a key that was there (in another sweep, or by another engine version), "
                "and count once; attempts that were "
                "never committed (retries, killed nodes) are no results");
  out.push_back(std::to_string(all.failed) +
                " of the results are failures; they count, as do pruned trials and those of "
                "cancelled and deleted sweeps");
  out.push_back("effective N = sum of r + (1 - r) N over the entries (one a sweep and family, " +
                std::to_string(entries) +
                " here), r the mean correlation of the family's variants; " +
                std::to_string(all.measured) +
                " are measured (a complete family is, when a coordinator scores it), the others "
                "count in full");
  out.push_back(std::to_string(hypotheses.sum()) +
                " hypotheses count, on any data: " + std::to_string(hypotheses.families) +
                " families of sweeps, scored or not (a sweep made again under another engine "
                "version is no other hypothesis), and " +
                std::to_string(hypotheses.neighbourhoods) + " neighbourhoods inside them");
  return out;
}

}  // namespace

Result<Json> ledger(const Sources& sources, const Json& args) {
  const auto by = text_arg(args, "by", "family");
  if (!by.ok()) return by.error();
  const std::vector<std::string> allowed(kGroupings.begin(), kGroupings.end());
  if (std::find(allowed.begin(), allowed.end(), *by) == allowed.end()) {
    return Error(ErrorCode::InvalidInput, "the ledger is not shown by " + show_text(*by) +
                                              did_you_mean(*by, allowed) +
                                              "; allowed: " + join_names(allowed));
  }
  auto filter = filter_of(args);
  if (!filter.ok()) return filter.error();
  const auto book = market_book(sources);
  if (!book.ok()) return book.error();
  const auto account = read_account(sources);
  if (!account.ok()) return account.error();
  const auto hypotheses = count_hypotheses(sources, nullptr);
  if (!hypotheses.ok()) return hypotheses.error();
  for (const AccountEntry& line : *account) {
    if (filter->names(line)) filter->markets.insert(line.market);
  }
  Line all;
  std::uint64_t entries = 0;
  std::set<std::string> markets;
  std::map<std::vector<std::string>, Line> lines;
  for (const AccountEntry& line : *account) {
    if (!filter->holds(line)) continue;
    all.add(line);
    markets.insert(line.market);
    ++entries;
    lines[group_of(line, *by)].add(line);
  }
  Json out;
  out["by"] = *by;
  out["trials_total"] = all.trials;
  out["trials_effective_total"] = all.effective;
  out["trials_effective_basis"] = TrialCount{.entries = entries, .measured = all.measured}.basis();
  out["executions_total"] = all.executions;
  out["repeats_total"] = all.executions - all.trials;
  out["failed_total"] = all.failed;
  out["hypotheses"] = hypotheses->sum();
  out["hypotheses_families"] = hypotheses->families;
  out["hypotheses_neighbourhoods"] = hypotheses->neighbourhoods;
  auto stamp = ledger_json(sources, hypotheses->sum());
  if (!stamp.ok()) return stamp.error();
  out["ledger"] = std::move(*stamp);
  auto joins = ledger_joins(sources);
  if (!joins.ok()) return joins.error();
  out["joins"] = std::move(*joins);
  out["lines"] = Json::array();
  for (const auto& [group, line] : lines) {
    Json shown = line_json(line, *by, **book);
    if (*by == "user") {
      const auto budgets = budgets_of(sources, group.front());
      if (!budgets.ok()) return budgets.error();
      shown["budgets"] = Json::array();
      for (const answer::Budget& budget : *budgets) shown["budgets"].push_back(to_json(budget));
    }
    out["lines"].push_back(std::move(shown));
  }
  out["how"] = how(all, entries, markets.size(), *hypotheses);
  return out;
}

}  // namespace winnow::serve::parts
