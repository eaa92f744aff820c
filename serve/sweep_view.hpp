#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "cluster/principal.hpp"
#include "serve/answer/json.hpp"
#include "store/dataset_store.hpp"
#include "store/market_book.hpp"
#include "store/store.hpp"
#include "sweeps/level/account_book.hpp"
#include "sweeps/plan.hpp"
#include "sweeps/stats/parallel.hpp"

namespace winnow::serve {

class BoardCache;

/// What an answer took long to compute and a later one may read: a function of complete results.
struct Keepsake {
  std::string kind, key, text;
};

/// What every question about results reads. Owner: the caller keeps all of it alive.
struct Sources {
  const store::Store* store = nullptr;
  const store::DatasetStore* datasets = nullptr;  ///< null: answers go without calendar dates
  store::Store* verdicts = nullptr;  ///< where verdicts may be kept; null: the store is read-only
  std::vector<Keepsake>* keepsakes =
      nullptr;  ///< without a place, they are collected here, if given
  sweeps::ParallelFor parallel = sweeps::serial_for();
  BoardCache* boards = nullptr;  ///< null: every leaderboard is read anew
  /// Which datasets are one market, as one answer sees it; null: read where it is needed.
  std::shared_ptr<const store::MarketBook> markets = nullptr;
  cluster::Principal asker =
      {};                     ///< what is put on record is theirs; what they may not ask, refused
  std::stop_token stop = {};  ///< nobody waits for the answer any more (stopping.hpp)
};

/// `sources.markets`, else as it is on disk. One that knows nothing without `sources.datasets`:
/// each content hash is then a market of its own. Fails: Corrupt, Io.
Result<std::shared_ptr<const store::MarketBook>> market_book(const Sources& sources);

/// Keeps it where that may be done. What cannot be kept is computed again: nothing is lost.
void keep(const Sources& sources, Keepsake document);

/// The sweep that is meant: an id, a unique prefix of one (4 characters or more), a name that
/// only one has, or `last`, the one that was run last. Fails: NotFound naming the nearest,
/// InvalidInput (ambiguous, with the ids).
Result<store::SweepMeta> find_sweep(const store::Store& store, std::string_view selector);

/// What an answer says of a sweep.
enum class Answers : std::uint8_t {
  Numbers,
  Words,  ///< nothing from which a result could be known
};

/// Purpose: one sweep of the store with its plan made again. Thread: const, any.
struct SweepView {
  store::SweepMeta meta;
  sweeps::Plan plan;
  std::vector<std::string> warnings;  ///< such as: planned by another engine version
  /// What it opened; nothing for a sweep that explores.
  std::optional<sweeps::level::SweepOpenings> openings = std::nullopt;

  /// Refuses a sweep that is judged in words only, unless the answer says none of its numbers.
  /// Fails: as find_sweep, Refused, Corrupt, Io.
  static Result<SweepView> open(const Sources& sources, std::string_view selector,
                                Answers answers = Answers::Numbers);

  const sweeps::DatasetInfo& dataset(const sweeps::Segment& segment) const {
    return plan.spec().data[segment.dataset];
  }
  const std::string& family(const sweeps::Segment& segment) const {
    return plan.spec().strategies[segment.strategy].family;
  }
  /// What the ledger knows the sweep by: engine version 1 called it by that id itself.
  std::string ledger_id() const {
    return meta.engine_version == sweeps::kLedgerEngineVersion ? meta.id : plan.ledger_id();
  }
  double periods_per_year(const sweeps::Segment& segment) const {
    return plan.periods_per_year(segment);
  }
  /// Fails: InvalidInput naming the range that there is.
  Result<std::uint64_t> check_trial(std::uint64_t trial) const;
};

/// What is said wherever results of another engine version are shown.
std::string old_engine_note(std::uint32_t version);

/// Parameters of a trial by name, in order of declaration.
Json params_json(const SweepView& view, std::uint64_t trial);

/// Everything the store says of a trial: a metrics row in the order of meta.metric_names.
struct TrialRow {
  TrialStatus status = TrialStatus::Ok;
  TrialKey key;
  std::vector<double> metrics;
  std::vector<float> returns;
  std::string error;
};
/// Rows of some trials, read block by block. An entry is empty where the trial is not committed.
/// Fails: Corrupt, Io.
Result<std::vector<std::optional<TrialRow>>> read_trials(const Sources& sources,
                                                         const SweepView& view,
                                                         std::span<const std::uint64_t> trials,
                                                         store::Store::Parts parts);

/// Distinct trials ever made on the market of a dataset, in whatever form it was imported, by any
/// family, sweep and user (law 3).
Result<std::uint64_t> ledger_trials(const Sources& sources, std::string_view dataset_hash);

/// Expected largest annual Sharpe of `trials` strategies without an edge, each seen for `periods`
/// periods of `periods_per_year` (False Strategy Theorem; Bailey and Lopez de Prado 2014), and the
/// spread of one of them.
struct NoiseExpectation {
  double sd_ann = 0;
  double max_ann = 0;
};
NoiseExpectation noise_expectation(std::uint64_t trials, std::uint64_t periods,
                                   double periods_per_year);

}  // namespace winnow::serve
