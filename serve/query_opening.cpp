// Opened hypotheses and the accounts that they are paid from.
#include <algorithm>
#include <chrono>

#include "base/names.hpp"
#include "base/text.hpp"
#include "serve/display.hpp"
#include "serve/opening.hpp"
#include "serve/query_parts.hpp"
#include "sweeps/level/day_book.hpp"

namespace winnow::serve::parts {
namespace {

namespace level = sweeps::level;

constexpr double kShareShown = 0.25;
constexpr std::size_t kAccountNameMax = 60;
// Days from 1970 that a time of 64 bits in nanoseconds can name.
constexpr std::int64_t kLastDayNamed = 106'752;

/// Why a question that writes cannot be answered here.
Status check_writer(const Sources& sources, std::string_view what) {
  if (sources.verdicts != nullptr) return {};
  return Error(ErrorCode::Refused, std::string(what) +
                                       " goes on record, and this store is open for reading only: "
                                       "ask the coordinator that holds it");
}

/// What one more opening would get, in words.
std::string offer_text(const level::Account& account, const level::Offer& offer,
                       const level::Offer& with_share, double share) {
  const auto level_of = [](double v) { return fixed(v, 5); };
  const std::string shared = "with share " + fixed(share, 2) + ": " + fixed(with_share.level, 4);
  if (offer.level > 0) {
    return "level available now: " + level_of(offer.level) + " (stake " + level_of(offer.stake) +
           " of " + fixed(account.left(), 4) + " left; " + shared + ")";
  }
  if (with_share.level == 0) return "the account is spent until 1 January";
  return "at the declared pace the account is spent until 1 January: its level would be below " +
         fixed(account.parameters().level_min, 4) + "; a larger share of the " +
         fixed(account.left(), 4) + " left still buys one (" + shared + ")";
}

std::string account_line(const level::AccountState& state, const std::string& offered,
                         double expected_false) {
  const level::Account& account = state.account;
  const std::uint64_t promoted = account.promotions();
  const std::uint64_t opened = account.hypotheses().size();
  const std::uint64_t declared = account.parameters().openings;
  std::string out = offered + "; ";
  out += opened <= declared ? std::to_string(opened) + " of " + std::to_string(declared) + " opened"
                            : std::to_string(opened) + " opened where " + std::to_string(declared) +
                                  " were declared, so each level is smaller than the one before";
  return out + ", " + (promoted == 0 ? std::string("none") : std::to_string(promoted)) +
         " CONVERGED; false ones to expect so far: at most " + fixed(expected_false, 3);
}

answer::Account account_of(const level::AccountState& state) {
  const level::Account& account = state.account;
  const level::AccountParameters& p = account.parameters();
  const level::Offer offer = account.available();
  // Where a quarter buys nothing any more, the most that may be staked at once.
  double share = std::min(kShareShown, p.share_max);
  if (account.available(share).level == 0) share = p.share_max;
  const level::Offer shared = account.available(share);
  answer::Account out;
  out.key = state.key;
  out.alpha = p.alpha;
  out.openings_declared = p.openings;
  out.level_max = p.level_max;
  out.level_min = p.level_min;
  out.share_max = p.share_max;
  out.opened = account.hypotheses().size();
  out.converged = account.promotions();
  out.left = account.left();
  out.next = {offer.stake, offer.level, {}};
  out.next_with_share = {shared.stake, shared.level, share};
  for (const level::Hypothesis& h : account.hypotheses()) out.false_expected_max += h.level;
  out.text = account_line(state, offer_text(account, offer, shared, share), out.false_expected_max);
  for (const level::OpenedHypothesis& h : state.hypotheses) {
    out.hypotheses.push_back(hypothesis_of(h));
  }
  return out;
}

Json hypothesis_answer(const level::OpenedHypothesis& h) {
  answer::Hypothesis out = hypothesis_of(h);
  out.fixed = parse_ordered_json(h.claim.fixed);
  out.numbers = h.numbers_shown() ? "shown" : "hidden";
  return to_json(out);
}

}  // namespace

Result<Json> openings(const Sources& sources, const Json& args) {
  const auto user = text_arg(args, "user", "");
  if (!user.ok()) return user.error();
  const auto all = level::all_hypotheses(documents_of(sources));
  if (!all.ok()) return all.error();
  answer::Openings out;
  for (const level::OpenedHypothesis& h : *all) {
    if (!user->empty() && h.claim.user != *user) continue;
    out.hypotheses.push_back(hypothesis_of(h));
  }
  return to_json(out);
}

Result<Json> opening_show(const Sources& sources, const Json& args) {
  const auto id = text_arg(args, "hypothesis", "");
  if (!id.ok()) return id.error();
  const auto h = level::find_hypothesis(documents_of(sources), *id);
  if (!h.ok()) return h.error();
  return hypothesis_answer(*h);
}

Result<Json> days_show(const Sources& sources, const Json& args) {
  const auto hash = text_arg(args, "dataset_hash", "");
  if (!hash.ok()) return hash.error();
  const auto market = market_days(sources, *hash);
  if (!market.ok()) return market.error();
  const auto book = level::DayBook::read(documents_of(sources), *market);
  if (!book.ok()) return book.error();
  const auto ranges = [](const std::vector<level::DayRange>& days) {
    std::vector<Json> out;
    for (const level::DayRange& r : days) {
      // A seal of an import has no end: days still to come are of it.
      const bool ends = r.end < kLastDayNamed;
      out.push_back({format_day(r.start), ends ? Json(format_day(r.end)) : Json()});
    }
    return out;
  };
  return to_json(answer::Days{market->id, ranges(book->sealed()), ranges(book->shown_broadly()),
                              book->seen_by({0, kLastDayNamed})});
}

Result<Json> account_show(const Sources& sources, const Json& args) {
  const auto user = text_arg(args, "user", "");
  if (!user.ok()) return user.error();
  const auto documents = documents_of(sources);
  const TimestampNs now = system_clock().now();
  const auto own = level::account_of_user(documents, now, *user);
  if (!own.ok()) return own.error();
  auto keys = documents.keys(level::kAccountKind, {});
  if (!keys.ok()) return keys.error();
  // One that nobody opened anything in is as good as any other.
  if (std::find(keys->begin(), keys->end(), *own) == keys->end()) keys->push_back(*own);
  const std::string year = own->substr(0, own->find('/') + 1);
  answer::Accounts out;
  for (const std::string& key : *keys) {
    if (!key.starts_with(year)) continue;
    const auto state = level::read_account_state(documents, key);
    if (!state.ok()) return state.error();
    out.alpha_year += state->account.parameters().alpha;
    if (!user->empty() && key != *own) continue;
    out.accounts.push_back(account_of(*state));
  }
  out.alpha_year_max = level::kAlphaYearMax;
  return to_json(out);
}

Result<Json> account_declare(const Sources& sources, const Json& args) {
  WINNOW_TRY(check_writer(sources, "an account"));
  const auto name = text_arg(args, "account", level::kAccountName);
  if (!name.ok()) return name.error();
  const bool plain =
      !name->empty() && name->size() <= kAccountNameMax && name->find('/') == std::string::npos;
  if (!plain) {
    return Error(ErrorCode::InvalidInput, "account " + show_text(*name) + " is no name: 1 to " +
                                              std::to_string(kAccountNameMax) +
                                              " characters without a slash are allowed");
  }
  const TimestampNs now = system_clock().now();
  std::string key = level::account_key(now, *name);
  const auto year = count_arg(args, "year", 0);
  if (!year.ok()) return year.error();
  if (*year != 0) key = std::to_string(*year) + key.substr(key.find('/'));
  level::AccountParameters p;
  for (const auto& [field, value] : {std::pair{"alpha", &p.alpha},
                                     {"level_max", &p.level_max},
                                     {"level_min", &p.level_min},
                                     {"share_max", &p.share_max}}) {
    const auto number = number_arg(args, field, *value);
    if (!number.ok()) return number.error();
    *value = *number;
  }
  const auto openings = count_arg(args, "openings", p.openings);
  if (!openings.ok()) return openings.error();
  p.openings = *openings;
  std::vector<std::string> users;
  if (const auto found = args.find("users"); found != args.end() && found->is_array()) {
    for (const Json& user : *found) {
      if (!user.is_string()) {
        return Error(ErrorCode::InvalidInput, "users must be a list of names");
      }
      users.push_back(user);
    }
  }
  auto documents = documents_of(sources);
  WINNOW_TRY(level::declare_account(documents, key, p, users));
  const auto state = level::read_account_state(documents, key);
  if (!state.ok()) return state.error();
  return to_json(account_of(*state));
}

Result<Json> reveal(const Sources& sources, const Json& args) {
  WINNOW_TRY(check_writer(sources, "what is revealed"));
  const auto id = text_arg(args, "hypothesis", "");
  if (!id.ok()) return id.error();
  const std::string& user = sources.asker.name;
  auto documents = documents_of(sources);
  const TimestampNs now = system_clock().now();
  const auto which = level::find_hypothesis(documents, *id);
  if (!which.ok()) return which.error();
  // The showing first: a number that is seen is on record.
  if (!which->numbers_shown() && which->in_account.state != level::HypothesisState::Open) {
    for (const level::DayRange& r : which->judged_so_far()) {
      const level::Showing showing{which->claim.dataset_hash, r, level::Breadth::Narrow,
                                   "reveal " + which->claim.id};
      WINNOW_TRY(level::record_showing(documents, showing, user, now, which->claim.family,
                                       level::SealBroken::No));
    }
  }
  const auto after = level::reveal(documents, *id, user, now);
  if (!after.ok()) return after.error();
  return hypothesis_answer(*after);
}

Result<Json> void_promotion(const Sources& sources, const Json& args) {
  WINNOW_TRY(check_writer(sources, "a promotion that is voided"));
  const auto id = text_arg(args, "hypothesis", "");
  if (!id.ok()) return id.error();
  const auto reason = text_arg(args, "reason", "");
  if (!reason.ok()) return reason.error();
  auto documents = documents_of(sources);
  const auto after =
      level::void_hypothesis(documents, *id, *reason, sources.asker.name, system_clock().now());
  if (!after.ok()) return after.error();
  return hypothesis_answer(*after);
}

}  // namespace winnow::serve::parts

namespace winnow::serve {

Json account_of_nobody(TimestampNs now) {
  sweeps::level::AccountState state;
  state.key = sweeps::level::account_key(now);
  return to_json(answer::Accounts{
      {parts::account_of(state)}, state.account.parameters().alpha, sweeps::level::kAlphaYearMax});
}

}  // namespace winnow::serve
