#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.hpp"
#include "base/result.hpp"
#include "sweeps/search/search.hpp"

namespace winnow::sweeps::search {

enum class FidelityKind : std::uint8_t { Halving, Hyperband, Asha };

struct FidelityOptions {
  FidelityKind kind = FidelityKind::Halving;
  double resource_min = 1;
  double resource_max = 1;
  std::uint64_t eta = 3;
  std::uint64_t configs = 0;     ///< Halving: at the first rung; Asha: in all; Hyperband: its own
  std::uint64_t generation = 0;  ///< Asha: jobs between two decisions
  /// Jobs of a rung come in multiples of it: Hyperband's rungs are so many times as wide, Asha
  /// promotes so many at once, and failed rows go on where too few others are left, so that the
  /// number of jobs does not depend on what came out. Halving: configs must fit.
  std::uint64_t batch = 1;
};

/// One evaluation, a trial of its own to the ledger: a row of the search at a resource.
struct Job {
  std::uint64_t trial = 0;
  std::uint64_t config = 0;
  std::uint64_t rung = 0;
  double resource = 0;
  bool operator==(const Job&) const = default;
};

/// Purpose: many rows at little resource, few at much. Who goes on is decided when the whole
/// generation of jobs is told, so the jobs do not depend on the farm; ASHA too decides only there.
/// The sampler learns of a row once: by Halving and Hyperband at the bracket's end from its last
/// rung (pruned, unless it is the top one), by Asha from the first rung.
/// Owner: whoever asks. Thread: one. Limits: kConfigsMax rows.
class FidelitySearch {
 public:
  static constexpr std::uint64_t kConfigsMax = 1'000'000;

  /// Fails: InvalidInput, naming the option and what is allowed; the search must have no open
  /// generation.
  static Result<FidelitySearch> make(Search search, const FidelityOptions& options);

  /// Opens the next generation; without jobs afterwards: finished. Fails: as Search::open.
  Status open();
  const std::vector<Job>& jobs() const { return jobs_; }
  bool finished() const { return finished_; }
  const std::vector<double>& row(std::uint64_t config) const { return configs_[config].row; }
  std::uint64_t configs() const { return configs_.size(); }
  /// Fails: as Search::tell.
  Status tell(std::uint64_t trial, Outcome outcome);

  /// Jobs told so far, and rows that were stopped below the highest rung.
  std::uint64_t jobs_told() const { return log_.size() - left_; }
  std::uint64_t rows_pruned() const { return pruned_; }
  const Search& search() const { return search_; }
  /// The search with all it was told. Requires: finished().
  Search take_search() && {
    WINNOW_REQUIRES(finished());
    return std::move(search_);
  }

  /// What was told; a restored search replays it and continues exactly.
  std::string checkpoint() const;
  static Result<FidelitySearch> restore(Space space, std::string_view bytes);

 private:
  struct Config {
    std::vector<double> row;
    std::vector<Outcome> outcomes;  // by rung
    std::uint64_t rung_promoted = 0;
  };

  explicit FidelitySearch(Search search) : search_(std::move(search)) {}
  void plan_rungs();
  Status open_bracket();
  Status open_asha();
  Status start_configs(std::uint64_t wanted, std::uint64_t first_config);
  void add_job(std::uint64_t config, std::uint64_t rung);
  std::vector<std::uint64_t> ranked(const std::vector<std::uint64_t>& configs,
                                    std::uint64_t rung) const;
  bool promote_batch();
  Status close();
  Status close_bracket();
  Status close_asha();

  Search search_;
  FidelityOptions options_;
  std::string start_;  // the search before the first generation
  std::vector<Config> configs_;
  // Rungs of each bracket: rows and resource. Asha: one bracket, rows unused.
  struct Step {
    std::uint64_t rows;
    double resource;
  };
  std::vector<std::vector<Step>> brackets_;
  std::size_t bracket_ = 0;
  std::size_t rung_ = 0;
  std::vector<std::uint64_t> alive_;
  std::vector<Job> jobs_;
  std::vector<Outcome> log_;  // by trial, the open generation's at the end
  std::vector<std::uint8_t> told_;
  std::uint64_t left_ = 0;
  std::uint64_t pruned_ = 0;
  bool finished_ = false;
};

}  // namespace winnow::sweeps::search
