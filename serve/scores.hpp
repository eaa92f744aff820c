#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>

#include "serve/family_panel.hpp"
#include "serve/looks.hpp"
#include "serve/sweep_view.hpp"
#include "sweeps/convergence/convergence.hpp"
#include "sweeps/level/account_state.hpp"

namespace winnow::serve {

/// A variant among its neighbours in parameters.
struct Plateau {
  std::uint64_t trial = 0;
  double mean_sharpe_ann = 0;  ///< over the variant and its neighbours
  std::uint64_t members = 0;   ///< the variant included
};

struct ValidatedFamily;  // serve/validation.hpp

/// What the market explains of a family (sweeps/level/skill.hpp): C against cash, less beta times
/// the market, less the market at the mean exposure; the smaller of the last two is the score.
struct SkillScore {
  double c_cash = 0;
  double c_ols = 0;
  double c_exposure = 0;
  double alpha_ann_frac = 0;  ///< mean over variants of what beta does not explain, a year
  double beta_mean = 0;
  double exposure_mean = 0;
  std::string text;     ///< what the market explains, in a sentence; empty: little
  std::string missing;  ///< why it is not known; then all the rest is 0
};
Json skill_json(const SkillScore& skill);
std::optional<SkillScore> skill_from_json(const Json& json);

/// Where a declared search found the best part of the space (sweeps/level/tile_search.hpp).
struct ZoomedTile {
  std::string text;            ///< the box, in parameters
  std::uint64_t variants = 0;  ///< in it
  std::uint64_t tiles = 0;     ///< that were tried and paid for
  std::uint64_t flips = 0;
  double p_ols = 1;
  double p_exposure = 1;
};
/// Null for none.
Json tile_json(const std::optional<ZoomedTile>& tile);
std::optional<ZoomedTile> tile_from_json(const Json& json);

/// Losses that were not seen (sweeps/level/gaps.hpp): C of the returns less what a gap of the
/// instrument is charged.
struct GapScore {
  double c_gaps = 0;
  double frac = 0;                                                   ///< of the notional
  double rate_year = 0;                                              ///< charged
  double days_of_profit = std::numeric_limits<double>::quiet_NaN();  ///< that one gap costs
  std::string text;                                                  ///< all of it in words
};
Json gap_json(const GapScore& gaps);
std::optional<GapScore> gaps_from_json(const Json& json);

/// Purpose: what is known of one family on one dataset.
struct FamilyScore {
  std::uint32_t segment = 0;
  std::uint64_t trials = 0;  ///< launched
  std::uint64_t committed = 0;
  std::uint64_t failed = 0;
  sweeps::Convergence score;
  SkillScore skill;
  GapScore gaps;
  std::optional<Look> look;  ///< where the specification declares several
  /// As it stands after this look; nothing for a family that explores or could not be opened.
  std::optional<sweeps::level::OpenedHypothesis> opened;
  std::string not_opened;        ///< why `open` bought nothing; empty: it did, or nothing was asked
  bool look_recordable = false;  ///< a look would be put down, had the store been open for writing
  std::optional<ZoomedTile> tile;               ///< the best one, where the program zoomed
  std::int64_t judged_from = 0, judged_to = 0;  ///< UTC days [from, to) that were scored
  std::int64_t judged_days = 0;
  std::string word;          ///< the verdict
  std::string sentence;      ///< it, for a person who has read no page
  std::string would_change;  ///< what would make it another, in a sentence
  double p = 1;
  double p_holm = 1;  ///< over all hypotheses ever scored
  double p_bh = 1;
  std::uint64_t ledger_trials = 0;  ///< on the dataset, by anyone
  NoiseExpectation noise;
  std::optional<Plateau> plateau;
  std::optional<std::uint64_t> best_trial;
  double best_sharpe_ann = std::numeric_limits<double>::quiet_NaN();
  double median_sharpe_ann = std::numeric_limits<double>::quiet_NaN();
  bool cached = false;
  /// What the sweep's `validation` says of it; null without one.
  std::shared_ptr<const ValidatedFamily> validation;
  /// What it was scored by, if that was asked for. Null all the same if the verdict was kept, or
  /// all families of the sweep have more than kPanelBytesShared.
  std::shared_ptr<const FamilyPanel> panel;
};
inline constexpr std::uint64_t kPanelBytesShared = std::uint64_t{2} << 30;

/// Hypotheses ever scored, on all datasets and by everybody.
struct HypothesisCount {
  std::uint64_t families = 0;        ///< one a sweep, dataset and family
  std::uint64_t neighbourhoods = 0;  ///< as many as each sweep had scored
  std::uint64_t sum() const { return families + neighbourhoods; }
};

enum class Panels : std::uint8_t {
  Drop,
  Share,  ///< FamilyScore::panel stays, for whoever reads the same returns next
};

struct ScoreOptions {
  double hurdle_sharpe_ann = 0;
  Panels panels = Panels::Drop;
};

/// One box of a family's parameter grid, scored as a family of its own.
struct NeighbourhoodScore {
  std::uint32_t segment = 0;
  std::uint64_t centre = 0;
  std::uint64_t members = 0;
  double mean_sharpe_ann = 0;
  sweeps::Convergence score;
  SkillScore skill;
  GapScore gaps;
  double p_holm = 1;
  double p_bh = 1;
};
/// All parts of a score by name.
Json convergence_json(const sweeps::Convergence& score);
std::optional<sweeps::Convergence> convergence_from_json(const Json& json);

}  // namespace winnow::serve
