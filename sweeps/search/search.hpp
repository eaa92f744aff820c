#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "sweeps/search/outcome.hpp"
#include "sweeps/search/space.hpp"

namespace winnow::sweeps::search {

class Method;

/// Purpose: ask and tell in generations. The rows of a generation are a function of (space,
/// options, sizes of the generations, outcomes of the generations before it in trial order):
/// outcomes may be told in any order, and nothing is learned before the last one is there.
/// Owner: whoever asks. Thread: one.
/// Limits: kGenerationMax rows at once.
class Search {
 public:
  static constexpr std::size_t kGenerationMax = 1'000'000;
  /// Draws for one row before its constraints are called contradictory.
  static constexpr std::size_t kTriesMax = 1000;

  /// Fails: InvalidInput naming the option and what is allowed.
  static Result<Search> make(Space space, const SearchOptions& options);
  Search(Search&&) noexcept;
  Search& operator=(Search&&) noexcept;
  ~Search();

  const Space& space() const { return *space_; }
  const SearchOptions& options() const { return options_; }
  /// Number of the open generation's first trial, or of the next generation's.
  std::uint64_t first_trial() const { return first_trial_; }
  std::uint64_t generation() const { return generation_; }
  /// Rows of the open generation; empty if none is.
  const Rows& rows() const { return rows_; }
  const OutcomeCounts& counts() const { return counts_; }

  /// Opens a generation of `rows` rows. Fails: InvalidInput if one is open or the size is not
  /// allowed; Refused if the constraints refuse every draw, naming them.
  Status open(std::size_t rows);
  /// The outcome of a trial of the open generation. The last one closes the generation.
  /// Fails: InvalidInput if there is no such open trial, it was told before, or the number of
  /// losses is not that of objectives.
  Status tell(std::uint64_t trial, Outcome outcome);

  /// Learns from trials of an earlier search on the same space. Before the first generation only.
  /// Fails: InvalidInput, naming the dimension that differs or the row that does not fit.
  Status warm_start(const std::vector<std::string>& signature,
                    const std::vector<PriorTrial>& trials);

  /// The whole state, an open generation and what was told of it included.
  std::string checkpoint() const;
  /// Continues exactly as the saved search would have. Fails: Corrupt if the bytes are damaged or
  /// of a later version; InvalidInput if they are of another space.
  static Result<Search> restore(Space space, std::string_view bytes);

 private:
  Search() = default;
  Status make_row(std::uint64_t trial, std::vector<double>& row);
  Status check(const Outcome& outcome) const;
  void count(const Outcome& outcome);
  void absorb(const std::vector<const Outcome*>& outcomes, Origin origin);
  void close();

  std::unique_ptr<const Space> space_;  // methods hold a reference
  SearchOptions options_;
  std::unique_ptr<Method> method_;
  std::uint64_t first_trial_ = 0;
  std::uint64_t generation_ = 0;
  Rows rows_;
  std::vector<Outcome> outcomes_;
  std::vector<std::uint8_t> told_;
  std::size_t left_ = 0;
  OutcomeCounts counts_;
};

}  // namespace winnow::sweeps::search
