#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "serve/answer/fields.hpp"

// What is said of sweeps: the head of every answer about one, `sweep_list` and `sweep_show`.
namespace winnow::serve::answer {

// Fields that several answers have.
inline constexpr Field kSweepId{"sweep_id", "", "id of the sweep"};
inline constexpr Field kSweepName{"sweep_name", "", "name in its specification"};
inline constexpr Field kSweepState{"state", "", "what the coordinator does with it"};
inline constexpr Field kTrialsPlanned{"trials", "trials", "variants that the sweep plans"};
inline constexpr Field kTrialsCommitted{"trials_committed", "trials", "that have a result"};
inline constexpr Field kTrialsFailed{"trials_failed", "trials", "of those, that ended in an error"};
inline constexpr Field kEngineVersion{"engine_version", "",
                                      "that computed its results; those of two are never compared"};
inline constexpr Field kWarnings{"warnings", "",
                                 "what of the specification does not do what it seems to"};
inline constexpr Field kFamily{"family", "", "name of the family"};
inline constexpr Field kData{"data", "", "name of the dataset"};
inline constexpr Field kDatasetHash{"dataset_hash", "", "SHA-256 of the dataset's columns"};
inline constexpr Field kPeriodsPerYear{"periods_per_year", "days",
                                       "by which annual figures are scaled"};
inline constexpr Field kCalendar{"calendar", "", "how many days a year it trades, by name"};

struct Execution {
  std::string name;
  std::optional<std::string> hash;

  void fields(Fields& f) const {
    f({"execution", "", "name of the execution profile that the sweep trades by"}, name);
    f({"execution_hash", "", "of the whole profile; null of results from before there was one"},
      hash);
  }
};

/// What every answer about one sweep begins with.
struct SweepHead {
  std::string id;
  std::string name;
  std::string state;
  std::uint64_t trials = 0;
  std::uint64_t engine_version = 0;
  Execution execution;
  std::vector<std::string> warnings;

  void fields(Fields& f) const {
    f(kSweepId, id);
    f(kSweepName, name);
    f(kSweepState, state);
    f(kTrialsPlanned, trials);
    f(kEngineVersion, engine_version);
    f.all_of(execution);
    f.if_any(kWarnings, warnings);
  }
};

/// What the store says of a sweep without its plan.
struct SweepFacts {
  std::string id;
  std::string name;
  std::string state;
  std::string user;
  std::optional<std::string> created;
  std::optional<std::string> finished;
  std::optional<double> wall_s;
  std::optional<double> trials_per_s;
  std::uint64_t trials = 0;
  std::uint64_t engine_version = 0;
  std::string engine_note;
  std::uint64_t blocks = 0;
  std::uint64_t blocks_committed = 0;

  void fields(Fields& f) const {
    f(kSweepId, id);
    f(kSweepName, name);
    f(kSweepState, state);
    f({"user", "", "who submitted it"}, user);
    f({"created", "UTC", "when it was submitted"}, created);
    f({"finished", "UTC", "when it ended; null: it has not"}, finished);
    f.if_any({"wall_s", "s", "from its submission to its end"}, wall_s);
    f.if_any({"trials_per_s", "1/s", "trials by that time"}, trials_per_s);
    f(kTrialsPlanned, trials);
    f(kEngineVersion, engine_version);
    f.if_any({"engine_note", "", "what it means that this is not the version of now"}, engine_note);
    f({"blocks", "blocks", "parts that trials are computed and stored in"}, blocks);
    f({"blocks_committed", "blocks", "of which have their results"}, blocks_committed);
  }
};

struct SweepLine {
  SweepFacts facts;
  std::uint64_t trials_committed = 0;
  std::uint64_t trials_failed = 0;

  void fields(Fields& f) const {
    f.all_of(facts);
    f(kTrialsCommitted, trials_committed);
    f(kTrialsFailed, trials_failed);
  }
};

/// `sweep_list`, the last one first.
struct SweepList {
  std::uint64_t total = 0;
  std::uint64_t deleted = 0;
  std::vector<SweepLine> sweeps;

  void fields(Fields& f) const {
    f({"sweeps_total", "sweeps", "that there are, listed or not"}, total);
    f({"sweeps_deleted", "sweeps", "that were deleted; their trials stay in the ledger"}, deleted);
    f({"sweeps", "", "the last ones, the latest first"}, sweeps);
  }
};

/// What opening a segment bought.
struct Opening {
  std::optional<std::string> hypothesis;
  bool repeat = false;
  std::optional<double> level;
  std::optional<double> stake;
  std::optional<std::string> refusal;
  std::string text;

  void fields(Fields& f) const {
    f({"hypothesis", "", "id of the hypothesis; null: it was refused"}, hypothesis);
    f({"repeat", "", "an earlier sweep opened it, so it cost nothing"}, repeat);
    f({"level", "probability", "level that it is tested at"}, level);
    f({"stake", "probability", "what it took from the year's account"}, stake);
    f({"refusal", "", "why it was not opened"}, refusal);
    f({"text", "", "the same as a sentence"}, text);
  }
};

/// One family on one dataset.
struct Segment {
  std::string family;
  std::uint64_t code_version = 0;
  std::string data;
  std::string instrument;
  std::string dataset_hash;
  std::uint64_t trial_first = 0;
  std::uint64_t trials = 0;
  std::uint64_t trials_committed = 0;
  std::uint64_t trials_failed = 0;
  std::uint64_t periods_max = 0;
  double periods_per_year = 0;
  std::string calendar;
  std::optional<Opening> opening;

  void fields(Fields& f) const {
    f(kFamily, family);
    f({"code_version", "", "of the family; another one makes other trials"}, code_version);
    f(kData, data);
    f({"instrument", "", "that the dataset is of"}, instrument);
    f(kDatasetHash, dataset_hash);
    f({"trial_first", "", "number of its first trial; its others follow"}, trial_first);
    f({"trials", "trials", "that it plans"}, trials);
    f(kTrialsCommitted, trials_committed);
    f(kTrialsFailed, trials_failed);
    f({"periods_max", "days", "returns that a trial of the whole window has"}, periods_max);
    f(kPeriodsPerYear, periods_per_year);
    f(kCalendar, calendar);
    f({"opening", "", "what opening it bought; null of a sweep that explores"}, opening);
  }
};

struct TrialError {
  std::uint64_t trial = 0;
  std::string error;

  void fields(Fields& f) const {
    f({"trial", "", "number of the trial"}, trial);
    f({"error", "", "what it ended in"}, error);
  }
};

/// `sweep_show`.
struct SweepShow {
  SweepFacts facts;
  Execution execution;
  std::vector<std::string> warnings;
  std::uint64_t trials_committed = 0;
  std::uint64_t trials_failed = 0;
  std::string code_version;
  std::vector<Segment> segments;
  std::vector<std::string> why;
  std::vector<TrialError> errors;
  Json spec;

  void fields(Fields& f) const {
    f.all_of(facts);
    f.all_of(execution);
    f.if_any(kWarnings, warnings);
    f(kTrialsCommitted, trials_committed);
    f(kTrialsFailed, trials_failed);
    f({"code_version", "", "of the program that planned it"}, code_version);
    f({"segments", "", "one family on one dataset each"}, segments);
    f({"why", "", "what is missing or wrong, a sentence each"}, why);
    f.if_any({"errors", "", "the first few trials that failed"}, errors);
    f({"spec", "", "the specification, resolved"}, spec);
  }
};

}  // namespace winnow::serve::answer
