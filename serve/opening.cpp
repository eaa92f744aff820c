#include "serve/opening.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "base/text.hpp"
#include "serve/display.hpp"
#include "serve/period_days.hpp"

namespace winnow::serve {
namespace {

namespace level = sweeps::level;
using sweeps::Verdict;

/// The look that so many judged days make due, from 1; 0: none, or it was taken.
std::size_t due_look(const level::OpenedHypothesis& h, std::int64_t judged_days) {
  if (h.in_account.state != level::HypothesisState::Open) return 0;
  std::size_t due = 0;
  for (std::size_t i = 0; i < h.claim.looks.size(); ++i) {
    const std::int64_t needs =
        h.claim.looks[i].judged_days > 0 ? h.claim.looks[i].judged_days : level::kJudgedDaysMin;
    if (judged_days >= needs) due = i + 1;
  }
  return due > h.in_account.looks ? due : 0;
}

std::string span_of_days(const FamilyScore& family) {
  if (family.judged_days == 0) return "no days";
  return std::to_string(family.judged_days) + " days, " + format_day(family.judged_from) + " to " +
         format_day(family.judged_to - 1);
}

/// Whether it is an earlier idea by its returns, and so few days are left that nothing can be said.
bool is_seen_idea(const FamilyScore& family) {
  return family.opened->kin && !family.opened->kin->empty() &&
         family.judged_days < level::kJudgedDaysMin;
}

/// To the second: people read it.
std::string time_text(TimestampNs t) { return format_timestamp({t.ns - t.ns % seconds(1).ns}); }

std::string level_text(double level) { return fixed(100 * level, 2) + "%"; }

std::string opened_sentence(const FamilyScore& family, const std::string& who) {
  const level::OpenedHypothesis& h = *family.opened;
  const std::string by =
      " by " + std::to_string(family.judged_days) + " days that nobody had seen when it was opened";
  const std::string price = "at its level of " + level_text(h.in_account.level);
  switch (h.in_account.state) {
    case level::HypothesisState::Converged:
      return who + " has an edge" + by + ", " + price + ": " +
             (family.tile ? "the variants with " + family.tile->text
                          : std::string("its variants")) +
             " agree on it, and the market does not explain it";
    case level::HypothesisState::NotPromoted:
      return who + " was judged" + by + " and not promoted " + price + ": it stays an idea";
    case level::HypothesisState::Void:
      return who + " was CONVERGED until it was voided: " + h.void_reason;
    case level::HypothesisState::Open:
      break;
  }
  if (is_seen_idea(family)) {
    return who + " earns what hypothesis " + h.kin->front().hypothesis +
           " did, whose days were seen before it was opened: only " +
           std::to_string(family.judged_days) + " of its days may judge it, fewer than " +
           std::to_string(level::kJudgedDaysMin);
  }
  if (!family.skill.missing.empty()) {
    return who + " is opened and cannot be judged here: " + family.skill.missing;
  }
  if (family.look_recordable) {
    return who + " waits for its look to be put on record; ask where the store can be written";
  }
  if (family.committed != family.trials) return who + " is opened and still being computed";
  return who + " is opened and has " + std::to_string(family.judged_days) + " of " +
         std::to_string(h.next_look_days()) + " judged days for its next look";
}

}  // namespace

Judging judging_of(const Sources& sources, const SweepView& view, const sweeps::Segment& segment,
                   std::uint32_t periods, const level::OpenedHypothesis* h) {
  Judging out;
  const PeriodDays calendar = period_days(sources, view, segment, periods);
  for (std::size_t t = 0; t < periods; ++t) {
    if (h != nullptr && !level::judges(h->claim, calendar.days[t])) continue;
    out.days.push_back(calendar.days[t]);
    if (out.periods.empty() || out.periods.back().last != t) out.periods.push_back({t, t});
    out.periods.back().last = t + 1;
  }
  out.all = out.days.size() == periods;
  if (h != nullptr) out.look = due_look(*h, static_cast<std::int64_t>(out.days.size()));
  return out;
}

FamilyPanel judged_panel(const FamilyPanel& panel, const Judging& judging) {
  WINNOW_REQUIRES(!judging.all);
  FamilyPanel out;
  out.trial = panel.trial;
  out.skipped = panel.skipped;
  out.periods = static_cast<std::uint32_t>(judging.days.size());
  out.returns.resize(panel.trial.size() * out.periods);
  auto to = out.returns.begin();
  for (std::size_t r = 0; r < panel.trial.size(); ++r) {
    const auto row = panel.returns.begin() + static_cast<std::ptrdiff_t>(r * panel.periods);
    for (const PeriodRange& p : judging.periods) {
      to = std::copy(row + static_cast<std::ptrdiff_t>(p.first),
                     row + static_cast<std::ptrdiff_t>(p.last), to);
    }
  }
  return out;
}

std::vector<double> judged_values(std::span<const double> values, const Judging& judging) {
  std::vector<double> out;
  for (const PeriodRange& p : judging.periods) {
    for (std::size_t t = p.first; t < p.last; ++t) out.push_back(values[t]);
  }
  return out;
}

actors::StoreDocuments documents_of(const Sources& sources) {
  return {*sources.store, sources.verdicts};
}

Result<level::MarketDays> market_days(const Sources& sources, std::string_view content_hash) {
  const auto book = market_book(sources);
  if (!book.ok()) return book.error();
  return actors::market_days(**book, content_hash);
}

std::string exploring_word(const sweeps::Convergence& score) {
  return score.verdict == Verdict::Converged ? "PROMISING"
                                             : std::string(sweeps::verdict_name(score.verdict));
}

std::string verdict_word(const FamilyScore& family) {
  if (!family.not_opened.empty()) return sweeps::verdict_name(Verdict::Insufficient);
  if (!family.opened) return exploring_word(family.score);
  switch (family.opened->in_account.state) {
    case level::HypothesisState::Converged:
      return "CONVERGED";
    case level::HypothesisState::Open:
      return is_seen_idea(family) ? std::string(sweeps::verdict_name(Verdict::Insufficient))
                                  : "OPEN";
    case level::HypothesisState::NotPromoted:
      // What cannot carry a score was not judged, though the look is gone.
      return family.score.scored ? "NOT_PROMOTED" : sweeps::verdict_name(Verdict::Insufficient);
    case level::HypothesisState::Void:
      return "NOT_PROMOTED";
  }
  return "OPEN";
}

std::string verdict_sentence(const SweepView& view, const FamilyScore& family) {
  const sweeps::Segment& segment = view.plan.segments()[family.segment];
  const std::string who = view.family(segment) + " on " + view.dataset(segment).name;
  if (!family.not_opened.empty()) return who + " could not be opened: " + family.not_opened;
  if (family.opened) return opened_sentence(family, who);
  if (family.score.verdict == Verdict::Converged) {
    return who + " looks like an edge on " + span_of_days(family) +
           ", days that were there to explore: open it (`open: confirm`) to have it judged by days "
           "that did not suggest it";
  }
  if (family.score.verdict == Verdict::Insufficient && family.score.scored) {
    return who + " may have an edge, and does not show it yet on " + span_of_days(family);
  }
  if (family.score.verdict == Verdict::Insufficient) {
    return who + " cannot be judged: " +
           (family.score.reasons.empty() ? std::string("too little is known")
                                         : family.score.reasons.front());
  }
  return who + " shows no edge that its variants share on " + span_of_days(family);
}

std::string what_would_change(const FamilyScore& family) {
  if (!family.not_opened.empty()) {
    return "days that nobody has seen: new ones, or another market";
  }
  if (!family.opened) {
    if (family.score.verdict == Verdict::Converged) {
      return "opening it: only days that did not suggest the idea can say that it is real";
    }
    return family.score.verdict == Verdict::Insufficient
               ? "what is missing: more days, more variants, or the rest of the results"
               : "an edge that more of its variants share, on these days or on others";
  }
  switch (family.opened->in_account.state) {
    case level::HypothesisState::Converged:
      return "only a mistake in the data or the code, put on record by `winnow void`";
    case level::HypothesisState::Open:
      return "its next look, at " + std::to_string(family.opened->next_look_days()) +
             " judged days" +
             (is_seen_idea(family) ? ": days that are still to come" : std::string());
    case level::HypothesisState::NotPromoted:
    case level::HypothesisState::Void:
      break;
  }
  return "nothing on these days; later days, for another stake";
}

answer::Hypothesis hypothesis_of(const level::OpenedHypothesis& h) {
  answer::Hypothesis out;
  out.id = h.claim.id;
  out.state = level::state_name(h.in_account.state);
  out.mode = level::open_mode_name(h.claim.mode);
  out.family = h.claim.family;
  out.data = h.claim.data;
  out.market = h.claim.market.substr(0, 12);
  out.sweep = h.claim.sweep;
  out.user = h.claim.user;
  out.opened = time_text(h.claim.opened);
  out.account = h.account;
  out.index = h.in_account.index;
  out.stake = h.in_account.stake;
  out.level = h.in_account.level;
  out.left_before = h.in_account.left_before;
  out.promotions_before = h.in_account.promotions_before;
  out.related = h.in_account.related;
  out.judged_days_at_opening = static_cast<std::int64_t>(level::day_count(h.claim.judged));
  for (const level::DayRange& r : h.claim.judged) {
    out.judged.push_back({format_day(r.start), format_day(r.end)});
  }
  out.seen_by = h.claim.seen_by;
  if (h.kin) {
    out.kin.emplace();
    for (const level::KinDays& k : *h.kin) {
      out.kin->push_back({k.hypothesis, level::days_text(k.days)});
    }
  }
  for (const level::LookDay& look : h.claim.looks) {
    answer::PlannedLook& planned = out.looks_planned.emplace_back();
    if (look.judged_days > 0) planned.judged_days = look.judged_days;
    planned.weight = look.weight;
  }
  for (const level::LookRecord& look : h.looks) {
    answer::Look& taken = out.looks.emplace_back();
    taken.number = look.number;
    taken.judged_days = look.judged_days;
    taken.time = time_text(look.time);
    // Of one that is judged in words not even how near it came.
    if (h.numbers_shown()) taken.p = look.p;
    taken.bound = look.bound;
  }
  if (const std::int64_t next = h.next_look_days(); next > 0) out.next_look_days = next;
  if (!h.revealed_by.empty()) out.revealed_by = h.revealed_by;
  if (!h.void_reason.empty()) out.void_reason = h.void_reason;
  return out;
}

Json opened_json(const FamilyScore& family) {
  return family.opened ? to_json(hypothesis_of(*family.opened)) : Json();
}

}  // namespace winnow::serve
