#include "sweeps/level/account_book.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/numbers.hpp"
#include "base/text.hpp"
#include "sweeps/level/account_text.hpp"

namespace winnow::sweeps::level {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kIdPrefixMin = 4;
// Of the shorter hypothesis' judged days: from here on two of one market may be the same luck.
constexpr double kRelatedOverlap = 0.2;

std::int64_t common_days(std::span<const DayRange> a, std::span<const DayRange> b) {
  std::int64_t days = 0;
  for (const DayRange& x : a) {
    for (const DayRange& y : b) {
      days += std::max<std::int64_t>(0, std::min(x.end, y.end) - std::max(x.start, y.start));
    }
  }
  return days;
}

// Where somebody opened the same, or what goes on as it: the account and the id.
struct OnRecord {
  std::string account, id;
};
Result<std::optional<OnRecord>> on_record(const std::vector<OpenedHypothesis>& all,
                                          const Claim& claim) {
  std::optional<OnRecord> goes_on;
  for (const OpenedHypothesis& h : all) {
    if (h.claim.id == claim.id) return std::optional<OnRecord>({h.account, h.claim.id});
    const bool grows = h.claim.key == claim.key && h.claim.window.start == claim.window.start &&
                       h.claim.window.end <= claim.window.end;
    if (grows && h.in_account.state == HypothesisState::Open) goes_on = {h.account, h.claim.id};
  }
  return goes_on;
}

// What it earns is not known when it is opened, so that promoted ones of the same market and days
// count as related without a look at their correlation: that can only lower the level.
std::vector<std::string> related_to(const Claim& claim, const AccountState& state) {
  std::vector<std::string> out;
  for (const OpenedHypothesis& h : state.hypotheses) {
    if (h.claim.market != claim.market) continue;
    const auto shorter =
        static_cast<double>(std::min(day_count(h.claim.judged), day_count(claim.judged)));
    const auto common = static_cast<double>(common_days(h.claim.judged, claim.judged));
    if (common > kRelatedOverlap * shorter) out.push_back(h.claim.id);
  }
  return out;
}

std::string too_few_days(const Claim& claim, std::int64_t days) {
  const std::int64_t window = claim.window.end - claim.window.start;
  std::string out = "only " + std::to_string(days) + " of the " + std::to_string(window) +
                    " days may judge it, fewer than " + std::to_string(kJudgedDaysMin);
  if (days < window) out += ": these days were seen by " + claim.seen_by;
  return out + "; nothing was charged";
}

Result<double> alpha_of_others(const Documents& documents, const std::string& key) {
  const auto keys = documents.keys(kAccountKind);
  if (!keys) return keys.error();
  const std::string year = key.substr(0, key.find('/') + 1);
  double sum = 0;
  for (const std::string& other : *keys) {
    if (other == key || !other.starts_with(year)) continue;
    const auto state = read_account_state(documents, other);
    if (!state) return state.error();
    sum += state->account.parameters().alpha;
  }
  return sum;
}

Result<OpenedHypothesis> change_hypothesis(Documents& documents, const OpenedHypothesis& which,
                                           const std::function<Status(AccountText&)>& change) {
  std::optional<OpenedHypothesis> after;
  const auto changed = [&](const std::optional<std::string>& text) -> Result<std::string> {
    auto account = AccountText::read(which.account, text);
    if (!account) return account.error();
    WINNOW_TRY(change(*account));
    if (const OpenedHypothesis* h = account->state().find(which.claim.id)) after = *h;
    return account->text();
  };
  WINNOW_TRY(documents.update(kAccountKind, which.account, changed));
  if (!after) return Error(ErrorCode::NotFound, "no hypothesis '" + which.claim.id + "'");
  return *std::move(after);
}

}  // namespace

std::string account_key(TimestampNs now, std::string_view name) {
  const std::string day = format_day(utc_day(now));
  return day.substr(0, day.find('-')) + "/" + std::string(name);
}

Result<AccountState> read_account_state(const Documents& documents, const std::string& key) {
  const auto text = documents.read(kAccountKind, key);
  if (!text) return text.error();
  auto account = AccountText::read(key, *text);
  if (!account) return account.error();
  return std::move(*account).take_state();
}

Result<std::vector<Opened>> open_claims(Documents& documents, const std::string& account,
                                        std::vector<Claim> claims) {
  if (claims.empty()) return std::vector<Opened>();
  const auto all = all_hypotheses(documents);
  if (!all) return all.error();
  const auto others = alpha_of_others(documents, account);
  if (!others) return others.error();
  std::vector<Opened> out;
  std::vector<std::string> accounts;
  const auto change = [&](const std::optional<std::string>& text) -> Result<std::string> {
    out.clear();
    accounts.clear();
    auto book = AccountText::read(account, text);
    if (!book) return book.error();
    if (book->state().account.parameters().alpha + *others > kAlphaYearMax) {
      return Error(ErrorCode::Refused,
                   "account " + account + ": the accounts of this year would have more than " +
                       shortest_text(kAlphaYearMax) + " together; use one that was declared");
    }
    for (const Claim& claim : claims) {
      const auto there = on_record(*all, claim);
      if (!there) return there.error();
      if (*there) {
        out.push_back({.id = (*there)->id, .repeat = true, .refusal = {}});
        accounts.push_back((*there)->account);
        continue;
      }
      accounts.push_back(account);
      const std::int64_t days = day_count(claim.judged);
      if (days < kJudgedDaysMin) {
        out.push_back({.id = {}, .repeat = false, .refusal = too_few_days(claim, days)});
        continue;
      }
      const Json event{{"open", claim_json(claim)}, {"related", related_to(claim, book->state())}};
      if (const Status opened = book->add(event); !opened) {
        return opened.error().within(claim.family + " on " + claim.data);
      }
      out.push_back({.id = claim.id, .repeat = false, .refusal = {}});
    }
    return book->text();
  };
  WINNOW_TRY(documents.update(kAccountKind, account, change));
  Json hypotheses = Json::array();
  for (std::size_t i = 0; i < out.size(); ++i) {
    hypotheses.push_back({{"segment", claims[i].segment},
                          {"account", accounts[i]},
                          {"id", out[i].id},
                          {"refusal", out[i].refusal}});
  }
  const std::string text = json_text(
      Json{{"mode", open_mode_name(claims[0].mode)}, {"hypotheses", std::move(hypotheses)}});
  WINNOW_TRY(documents.update(kOpenedKind, claims[0].sweep,
                              [&](const auto&) -> Result<std::string> { return text; }));
  return out;
}

Result<Offer> offer_for(const AccountState& state, double share,
                        std::span<const std::string> related) {
  const double most = state.account.parameters().share_max;
  if (!(share >= 0 && share <= most)) {
    return bad_input("share " + shortest_text(share) + " is outside (0, " + shortest_text(most) +
                     "]");
  }
  return state.account.available(share, related);
}

bool SweepOpenings::words_only() const {
  return std::any_of(by_segment.begin(), by_segment.end(),
                     [](const auto& h) { return h && !h->numbers_shown(); });
}

Result<std::optional<SweepOpenings>> openings_of(const Documents& documents,
                                                 std::string_view sweep) {
  const auto text = documents.read(kOpenedKind, sweep);
  if (!text) return text.error();
  if (!*text) return std::optional<SweepOpenings>();
  const Json json = parse_ordered_json(**text);
  SweepOpenings out;
  try {
    for (const Json& entry : json.at("hypotheses")) {
      out.refusals.push_back(entry.at("refusal"));
      out.by_segment.emplace_back();
      const std::string id = entry.at("id");
      if (id.empty()) continue;
      const auto account = read_account_state(documents, entry.at("account"));
      if (!account) return account.error();
      const OpenedHypothesis* h = account->find(id);
      if (h == nullptr) return corrupt_account(account->key, "hypothesis " + id + " is missing");
      out.by_segment.back() = *h;
    }
  } catch (const Json::exception& e) {
    return Error(ErrorCode::Corrupt, "what sweep " + std::string(sweep) + " opened: " + e.what());
  }
  return std::optional<SweepOpenings>(std::move(out));
}

Result<OpenedHypothesis> take_look(Documents& documents, const std::string& account,
                                   const std::string& id, const LookRecord& look) {
  OpenedHypothesis which;
  which.account = account;
  which.claim.id = id;
  return change_hypothesis(documents, which, [&](AccountText& book) -> Status {
    const OpenedHypothesis* h = book.state().find(id);
    if (h == nullptr) return Error(ErrorCode::NotFound, "no hypothesis '" + id + "'");
    // Somebody else may have taken it since it was read.
    if (h->in_account.state != HypothesisState::Open || look.number <= h->in_account.looks) {
      return {};
    }
    return book.add({{"look", id},
                     {"number", look.number},
                     {"judged_days", look.judged_days},
                     {"p", look.p},
                     {"gates", look.gates},
                     {"time_ns", look.time.ns},
                     {"to_day", look.to_day}});
  });
}

Result<OpenedHypothesis> settle_kin(Documents& documents, const std::string& account,
                                    const std::string& id, const std::vector<KinDays>& kin,
                                    TimestampNs now) {
  OpenedHypothesis which;
  which.account = account;
  which.claim.id = id;
  return change_hypothesis(documents, which, [&](AccountText& book) -> Status {
    const OpenedHypothesis* h = book.state().find(id);
    if (h == nullptr) return Error(ErrorCode::NotFound, "no hypothesis '" + id + "'");
    // What its looks were taken on stays; and somebody else may have asked meanwhile.
    if (h->kin || h->in_account.looks > 0 || h->in_account.state != HypothesisState::Open)
      return {};
    Json of = Json::array();
    for (const KinDays& k : kin) {
      of.push_back({{"id", k.hypothesis}, {"days", day_ranges_json(k.days)}});
    }
    return book.add({{"kin", id}, {"of", std::move(of)}, {"time_ns", now.ns}});
  });
}

Result<OpenedHypothesis> reveal(Documents& documents, std::string_view id, const std::string& user,
                                TimestampNs now) {
  const auto which = find_hypothesis(documents, id);
  if (!which) return which.error();
  if (which->numbers_shown()) {
    return bad_input(
        "hypothesis " + which->claim.id + " hides no numbers" +
        (which->revealed_by.empty() ? std::string() : ": " + which->revealed_by + " revealed it"));
  }
  if (which->in_account.state == HypothesisState::Open) {
    return Error(ErrorCode::Refused,
                 "hypothesis " + which->claim.id +
                     " is OPEN: its days go on judging, and a number of theirs would end that; ask "
                     "`winnow converge` first");
  }
  return change_hypothesis(documents, *which, [&](AccountText& book) {
    return book.add({{"reveal", which->claim.id}, {"user", user}, {"time_ns", now.ns}});
  });
}

Result<OpenedHypothesis> void_hypothesis(Documents& documents, std::string_view id,
                                         const std::string& reason, const std::string& user,
                                         TimestampNs now) {
  const auto which = find_hypothesis(documents, id);
  if (!which) return which.error();
  if (reason.empty()) return bad_input("say --reason: why the promotion was wrong");
  return change_hypothesis(documents, *which, [&](AccountText& book) {
    return book.add(
        {{"void", which->claim.id}, {"reason", reason}, {"user", user}, {"time_ns", now.ns}});
  });
}

Result<std::vector<OpenedHypothesis>> all_hypotheses(const Documents& documents) {
  const auto keys = documents.keys(kAccountKind);
  if (!keys) return keys.error();
  std::vector<OpenedHypothesis> out;
  for (const std::string& key : *keys) {
    auto state = read_account_state(documents, key);
    if (!state) return state.error();
    for (OpenedHypothesis& h : state->hypotheses) out.push_back(std::move(h));
  }
  return out;
}

Result<OpenedHypothesis> find_hypothesis(const Documents& documents, std::string_view id) {
  auto all = all_hypotheses(documents);
  if (!all) return all.error();
  std::vector<OpenedHypothesis*> found;
  for (OpenedHypothesis& h : *all) {
    if (h.claim.id == id) return std::move(h);
    if (id.size() >= kIdPrefixMin && h.claim.id.starts_with(id)) found.push_back(&h);
  }
  if (found.size() > 1) {
    return bad_input("'" + std::string(id) + "' begins " + std::to_string(found.size()) +
                     " hypotheses; give more digits");
  }
  if (found.empty()) {
    return Error(ErrorCode::NotFound, "no hypothesis '" + std::string(id) +
                                          "' was opened; `winnow open list` shows all");
  }
  return std::move(*found[0]);
}

Status declare_account(Documents& documents, const std::string& key,
                       const AccountParameters& parameters, const std::vector<std::string>& users) {
  WINNOW_TRY(check_account(parameters));
  const auto others = alpha_of_others(documents, key);
  if (!others) return others.error();
  if (*others + parameters.alpha > kAlphaYearMax) {
    return bad_input("alpha " + shortest_text(parameters.alpha) +
                     ": the year's other accounts have " + shortest_text(*others) +
                     ", and together at most " + shortest_text(kAlphaYearMax) + " are allowed");
  }
  return documents.update(
      kAccountKind, key, [&](const std::optional<std::string>& text) -> Result<std::string> {
        auto account = AccountText::read(key, text);
        if (!account) return account.error();
        if (!account->state().hypotheses.empty()) {
          return Error(ErrorCode::Refused,
                       "account " + key + " has " +
                           std::to_string(account->state().hypotheses.size()) +
                           " openings; its parameters are declared before the first one");
        }
        account->declare(parameters, users);
        return account->text();
      });
}

Result<std::string> account_of_user(const Documents& documents, TimestampNs now,
                                    const std::string& user) {
  const std::string own = account_key(now);
  const auto keys = documents.keys(kAccountKind);
  if (!keys) return keys.error();
  const std::string year = own.substr(0, own.find('/') + 1);
  for (const std::string& key : *keys) {
    if (!key.starts_with(year)) continue;
    const auto text = documents.read(kAccountKind, key);
    if (!text) return text.error();
    const Json json = *text ? parse_ordered_json(**text) : Json();
    if (!json.is_object() || !json.contains("users")) continue;
    for (const Json& name : json["users"]) {
      if (name == user) return key;
    }
  }
  return own;
}

}  // namespace winnow::sweeps::level
