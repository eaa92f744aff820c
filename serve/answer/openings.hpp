#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "serve/answer/sweeps.hpp"

// What is said of opened hypotheses, of the accounts they are paid from and of the days that judge
// them: `openings`, `opening_show`, `reveal`, `void`, `days`, `account`, `account_declare`.
namespace winnow::serve::answer {

struct Look {
  std::uint64_t number = 0;
  std::int64_t judged_days = 0;
  std::string time;
  std::optional<double> p;
  double bound = 0;

  void fields(Fields& f) const {
    f({"number", "", "which look, from 1"}, number);
    f({"judged_days", "days", "that it judged by"}, judged_days);
    f({"time", "UTC", "when it was taken"}, time);
    f({"p", "probability", "p-value of the look; null: its numbers are hidden"}, p);
    f({"bound", "probability", "at or below which it promotes"}, bound);
  }
};

struct PlannedLook {
  std::optional<std::int64_t> judged_days;
  double weight = 0;

  void fields(Fields& f) const {
    f({"judged_days", "days", "that it needs; null: those there are at its opening"}, judged_days);
    f({"weight", "fraction", "of the level that it may spend"}, weight);
  }
};

struct Kin {
  std::string hypothesis;
  std::string days;

  void fields(Fields& f) const {
    f({"hypothesis", "", "id of an earlier one that its results are like"}, hypothesis);
    f({"days", "", "that it saw, by which this one is not judged"}, days);
  }
};

struct Hypothesis {
  std::string id;
  std::string state;
  std::string mode;
  std::string family;
  std::string data;
  std::string market;
  std::string sweep;
  std::string user;
  std::string opened;
  std::string account;
  std::uint64_t index = 0;
  double stake = 0;
  double level = 0;
  double left_before = 0;
  std::uint64_t promotions_before = 0;
  std::vector<std::string> related;
  std::int64_t judged_days_at_opening = 0;
  std::vector<Json> judged;
  std::string seen_by;
  std::optional<std::vector<Kin>> kin;
  std::vector<PlannedLook> looks_planned;
  std::vector<Look> looks;
  std::optional<std::int64_t> next_look_days;
  std::optional<std::string> revealed_by;
  std::optional<std::string> void_reason;
  std::optional<Json> fixed;
  std::string numbers;

  void fields(Fields& f) const {
    f({"hypothesis", "", "id of the hypothesis"}, id);
    f({"state", "", "OPEN, CONVERGED, NOT_PROMOTED or VOID"}, state);
    f({"mode", "", "now, search or confirm"}, mode);
    f(kFamily, family);
    f(kData, data);
    f({"market", "", "the first digits of its market's id"}, market);
    f({"sweep_id", "", "sweep that opened it"}, sweep);
    f({"user", "", "who opened it"}, user);
    f({"opened", "UTC", "when"}, opened);
    f({"account", "", "year and name of the account that paid"}, account);
    f({"index", "", "which opening of the account, from 1"}, index);
    f({"stake", "probability", "what it took from the account"}, stake);
    f({"level", "probability", "level that it is tested at"}, level);
    f({"left_before", "probability", "what the account had before"}, left_before);
    f({"promotions_before", "hypotheses", "that were promoted before and count for its level"},
      promotions_before);
    f({"related", "", "earlier ones whose promotion does not count for it"}, related);
    f({"judged_days_at_opening", "days", "that nobody had seen when it was opened"},
      judged_days_at_opening);
    f({"judged", "days", "these days, as pairs: the first, and the one after the last"}, judged);
    f({"seen_by", "", "who had seen the other days of its window, in words"}, seen_by);
    f({"kin", "", "whose seen days do not judge it; null: its results are not there yet"}, kin);
    f({"looks_planned", "", "when it may be looked at"}, looks_planned);
    f({"looks", "", "that were taken"}, looks);
    f({"next_look_days", "days", "that the next look needs; null: there is none"}, next_look_days);
    f({"revealed_by", "", "who had its numbers shown"}, revealed_by);
    f({"void_reason", "", "why its promotion was taken back"}, void_reason);
    f.if_any({"fixed", "", "what was fixed when it was opened"}, fixed);
    f.if_any({"numbers", "", "shown or hidden"}, numbers);
  }
};

/// `openings`.
struct Openings {
  std::vector<Hypothesis> hypotheses;
  void fields(Fields& f) const {
    f({"hypotheses", "", "that were ever opened, the oldest first"}, hypotheses);
  }
};

/// `days`.
struct Days {
  std::string market;
  std::vector<Json> sealed;
  std::vector<Json> shown;
  std::string seen_by;

  void fields(Fields& f) const {
    f({"market", "", "id of the market"}, market);
    f({"sealed", "days",
       "that nobody saw, as pairs: the first, and the one after the last (null: all to come)"},
      sealed);
    f({"shown", "days", "that were shown broadly, as pairs"}, shown);
    f({"seen_by", "", "who saw some, in words"}, seen_by);
  }
};

struct Offer {
  double stake = 0;
  double level = 0;
  std::optional<double> share;

  void fields(Fields& f) const {
    f({"stake", "probability", "what it would take"}, stake);
    f({"level", "probability", "what it would be tested at; 0: nothing"}, level);
    f.if_any({"share", "fraction", "of what is left that it asks for"}, share);
  }
};

struct Account {
  std::string key;
  double alpha = 0;
  std::uint64_t openings_declared = 0;
  double level_max = 0;
  double level_min = 0;
  double share_max = 0;
  std::uint64_t opened = 0;
  std::uint64_t converged = 0;
  double left = 0;
  Offer next;
  Offer next_with_share;
  double false_expected_max = 0;
  std::string text;
  std::vector<Hypothesis> hypotheses;

  void fields(Fields& f) const {
    f({"account", "", "year and name"}, key);
    f({"alpha", "probability", "what it had on 1 January"}, alpha);
    f({"openings_declared", "hypotheses", "that it is paced for"}, openings_declared);
    f({"level_max", "probability", "largest level it gives"}, level_max);
    f({"level_min", "probability", "below which it gives none: it is spent"}, level_min);
    f({"share_max", "fraction", "of what is left that one opening may ask for"}, share_max);
    f({"opened", "hypotheses", "so far"}, opened);
    f({"converged", "hypotheses", "of those, that were promoted"}, converged);
    f({"left", "probability", "what it has"}, left);
    f({"next", "", "what the next opening would get"}, next);
    f({"next_with_share", "", "what it would get that asks for a share of what is left"},
      next_with_share);
    f({"false_expected_max", "hypotheses", "false promotions to expect so far, at most"},
      false_expected_max);
    f({"text", "", "the same as a sentence"}, text);
    f({"hypotheses", "", "that it paid for"}, hypotheses);
  }
};

/// `account`.
struct Accounts {
  std::vector<Account> accounts;
  double alpha_year = 0;
  double alpha_year_max = 0;

  void fields(Fields& f) const {
    f({"accounts", "", "of this year"}, accounts);
    f({"alpha_year", "probability", "of all accounts of the year together"}, alpha_year);
    f({"alpha_year_max", "probability", "what that may be"}, alpha_year_max);
  }
};

}  // namespace winnow::serve::answer
