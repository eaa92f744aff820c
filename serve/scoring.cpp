#include "serve/scoring.hpp"

#include <algorithm>
#include <cmath>

#include "base/numbers.hpp"
#include "base/text.hpp"
#include "serve/gap_part.hpp"
#include "serve/judged_panel.hpp"
#include "serve/kept_verdict.hpp"
#include "serve/kin_days.hpp"
#include "serve/ledger_account.hpp"
#include "serve/market_part.hpp"
#include "serve/opening.hpp"
#include "serve/score_opened.hpp"
#include "serve/score_rows.hpp"
#include "serve/stopping.hpp"
#include "serve/validation.hpp"
#include "serve/why.hpp"
#include "sweeps/convergence_declared.hpp"
#include "sweeps/convergence_require.hpp"
#include "sweeps/diversity.hpp"
#include "sweeps/judged.hpp"
#include "sweeps/neighbourhood.hpp"
#include "sweeps/results.hpp"
#include "sweeps/stops.hpp"

namespace winnow::serve {
namespace {

constexpr const char* kPlateauKind = "plateau";

// Sharpe of every trial of a segment: NaN where it failed or is not there yet.
struct SharpeColumn {
  std::vector<double> all;  // by trial of the plan
  std::vector<bool> committed;
  std::vector<bool> failed;
};

Result<SharpeColumn> read_sharpe(const Sources& sources, const SweepView& view) {
  const auto metric = sweeps::metric_index("sharpe_ann", view.meta.metric_names);
  if (!metric.ok()) return metric.error();
  const std::uint32_t index = *metric;
  const auto table = sources.store->read_metrics(view.meta.id, {&index, 1});
  if (!table.ok()) return table.error();
  SharpeColumn out;
  out.all.assign(view.plan.trials(), kNaN);
  out.committed.assign(view.plan.trials(), false);
  out.failed.assign(view.plan.trials(), false);
  for (std::size_t r = 0; r < table->trial.size(); ++r) {
    const std::uint64_t trial = table->trial[r];
    if (trial >= out.all.size()) continue;
    out.committed[trial] = true;
    out.failed[trial] = table->status[r] != TrialStatus::Ok;
    if (!out.failed[trial] && sweeps::ranked_alike(view.plan, trial)) {
      out.all[trial] = table->columns[0][r];
    }
  }
  return out;
}

double median_of(std::vector<double> values) {
  std::erase_if(values, [](double v) { return std::isnan(v); });
  if (values.empty()) return kNaN;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

// As sweeps::plateau_centre, but neighbours are never listed all at once.
std::optional<Plateau> find_plateau(const Sources& sources, const sweeps::Neighbourhoods& near,
                                    const sweeps::Segment& segment,
                                    const std::vector<double>& sharpe) {
  const auto first = sharpe.begin() + static_cast<std::ptrdiff_t>(segment.first_trial);
  std::vector<double> values(first, first + static_cast<std::ptrdiff_t>(segment.trials));
  double lowest = std::numeric_limits<double>::infinity();
  for (const double v : values) {
    if (std::isfinite(v)) lowest = std::min(lowest, v);
  }
  if (std::isinf(lowest)) return std::nullopt;
  for (double& v : values) v = std::isfinite(v) ? v : lowest;
  const sweeps::Neighbourhoods::Sums around = near.sums(values, sources.parallel);
  Plateau best{.mean_sharpe_ann = -std::numeric_limits<double>::infinity()};
  for (std::uint64_t i = 0; i < segment.trials; ++i) {
    const double mean = around.sum[i] / around.members[i];
    if (mean <= best.mean_sharpe_ann) continue;
    best = {segment.first_trial + i, mean, static_cast<std::uint64_t>(around.members[i])};
  }
  return best;
}

/// The plateau centre of a family, kept once the family is complete: to list the neighbours of a
/// million variants takes seconds. A family whose neighbours cannot be listed has none, and a
/// warning.
void add_plateau(const Sources& sources, const SweepView& view, const sweeps::Segment& segment,
                 const SharpeColumn& sharpe, FamilyScore& family,
                 std::vector<std::string>& warnings) {
  const std::string key = verdict_key(view, segment.index);
  const bool complete = family.committed == family.trials;
  if (const auto text = sources.store->document(kPlateauKind, key);
      complete && text.ok() && *text) {
    const Json kept = parse_ordered_json(**text);
    if (kept.is_object() && kept.value("trials", Json()) == segment.trials &&
        kept.value("engine_version", Json()) == view.meta.engine_version &&
        kept.value("trial", Json()).is_number_unsigned() &&
        kept.value("members", Json()).is_number_unsigned() &&
        kept.value("mean_sharpe_ann", Json()).is_number()) {
      family.plateau = Plateau{kept["trial"], kept["mean_sharpe_ann"], kept["members"]};
      return;
    }
  }
  const auto near = sweeps::Neighbourhoods::make(view.plan, segment);
  if (!near.ok()) {
    warnings.push_back(near.error().text());
    return;
  }
  family.plateau = find_plateau(sources, *near, segment, sharpe.all);
  if (!complete || !family.plateau) return;
  keep(sources, {kPlateauKind, key,
                 json_text(Json{{"engine_version", view.meta.engine_version},
                                {"trials", segment.trials},
                                {"trial", family.plateau->trial},
                                {"mean_sharpe_ann", family.plateau->mean_sharpe_ann},
                                {"members", family.plateau->members}})});
}

// Hypotheses scored elsewhere enter as p = 1, which can only make ours larger.
template <class Scored>
void correct(std::vector<Scored>& scored, std::uint64_t hypotheses) {
  std::vector<double> p;
  for (const Scored& s : scored) p.push_back(s.score.p_value());
  p.resize(std::max<std::size_t>(p.size(), hypotheses), 1.0);
  const auto decisions = sweeps::correct_families(p);
  for (std::size_t i = 0; i < scored.size(); ++i) {
    scored[i].p_holm = decisions[i].p_holm;
    scored[i].p_bh = decisions[i].p_bh;
  }
}

/// The periods that the look covers.
sweeps::PanelView looked_at(const FamilyPanel& panel, const std::optional<Look>& look) {
  const auto all = sweeps::PanelView::of(panel.returns, panel.trial.size(), panel.periods);
  return look && look->periods > 0 ? all.window(0, look->periods) : all;
}

void warn_of(const SweepView& view, const sweeps::Segment& segment,
             std::vector<std::string>& warnings) {
  const std::string note = sweeps::judged_variants(view.plan, segment).note;
  if (note.empty()) return;
  warnings.push_back(view.family(segment) + " on " + view.dataset(segment).name + ": " + note);
}

/// Whether the returns of all families may stay in memory at once.
bool shares_panels(const SweepView& view) {
  std::uint64_t bytes = 0;
  for (const sweeps::Segment& s : view.plan.segments()) bytes += s.trials * s.periods * 4;
  return bytes <= kPanelBytesShared;
}

void describe_days(const Judging& judging, FamilyScore& out) {
  out.judged_days = static_cast<std::int64_t>(judging.days.size());
  if (judging.days.empty()) return;
  out.judged_from = judging.days.front();
  out.judged_to = judging.days.back() + 1;
}

/// Requires: `out` is described.
Status score_family(const Sources& sources, const SweepView& view, const sweeps::Segment& segment,
                    const ScoreOptions& options, FamilyScore& out) {
  end_of_stage(sources);
  if (view.openings && segment.index < view.openings->by_segment.size()) {
    out.opened = view.openings->by_segment[segment.index];
    out.not_opened = view.openings->refusals[segment.index];
  }
  if (out.opened) WINNOW_TRY(settle_kin_days(sources, view, segment, out));
  const auto known = read_verdict(sources, view, segment, options, out);
  if (!known.ok()) return known.error();
  std::shared_ptr<const FamilyPanel> panel;
  std::uint32_t periods = segment.periods;
  if (!*known) {
    auto read = read_panel(sources, view, segment);
    if (!read.ok()) return read.error();
    panel = std::make_shared<const FamilyPanel>(std::move(*read));
    periods = panel->periods;
  } else if (const auto shape = sources.store->returns_shape(view.meta.id, segment.first_block, 1);
             shape.ok()) {
    periods = shape->periods;
  }
  const Judging judging =
      judging_of(sources, view, segment, periods, out.opened ? &*out.opened : nullptr);
  if (!*known) {
    auto look =
        take_look(sources, view, segment, panel->periods, family_state(out.committed, out.trials));
    if (!look.ok()) return look.error();
    out.look = std::move(*look);
    const auto how = score_options(view, segment, options);
    if (!how.ok()) return how.error();
    const auto gaps = read_gap_part(sources, view, segment, *panel);
    if (!gaps.ok()) return gaps.error();
    if (out.opened) {
      WINNOW_TRY(score_opened(sources, view, segment, {*panel, *gaps}, judging, *how, out));
    } else {
      const sweeps::Judged judged = sweeps::judged_variants(view.plan, segment);
      const sweeps::PanelView all = looked_at(*panel, out.look);
      const PeriodRange scored{std::min(how->chosen_by_periods, all.periods()), all.periods()};
      const auto market = read_market_part(sources, view, segment, *panel, {&scored, 1});
      const std::vector<std::uint32_t> rows = judged_rows(view, segment, judged, *panel);
      set_rows_score(score_rows({all, judged.note.empty() ? nullptr : &rows, *gaps}, market, *how,
                                sources.parallel),
                     out);
    }
    keep_verdict(sources, view, out, options, panel->periods);
    if (options.panels == Panels::Share && shares_panels(view)) out.panel = panel;
  }
  describe_days(judging, out);
  if (out.look) apply_look(*out.look, out.score);
  auto validated = validate_family(sources, view, segment, panel.get());
  if (!validated.ok()) return validated.error();
  out.validation = std::move(*validated);
  sweeps::apply_requirements(unmet_requirements(view, out.score, out.validation.get()), out.score);
  out.p = look_p(out);
  WINNOW_TRY(look_at(sources, judging, out));
  add_level_reason(out);
  out.word = verdict_word(out);
  out.sentence = verdict_sentence(view, out);
  if (const std::string why = why_in_words(out); !why.empty()) out.sentence += " (" + why + ")";
  out.would_change = what_would_change(out);
  return {};
}

void describe(FamilyScore& out, const SharpeColumn& sharpe, const sweeps::Segment& segment) {
  const auto first = static_cast<std::ptrdiff_t>(segment.first_trial);
  const auto last = first + static_cast<std::ptrdiff_t>(segment.trials);
  out.segment = segment.index;
  out.trials = segment.trials;
  out.committed = static_cast<std::uint64_t>(
      std::count(sharpe.committed.begin() + first, sharpe.committed.begin() + last, true));
  out.failed = static_cast<std::uint64_t>(
      std::count(sharpe.failed.begin() + first, sharpe.failed.begin() + last, true));
  for (std::ptrdiff_t t = first; t < last; ++t) {
    const double v = sharpe.all[static_cast<std::size_t>(t)];
    if (std::isnan(v) || v <= out.best_sharpe_ann) continue;
    out.best_sharpe_ann = v;
    out.best_trial = static_cast<std::uint64_t>(t);
  }
  out.median_sharpe_ann = median_of({sharpe.all.begin() + first, sharpe.all.begin() + last});
}

}  // namespace

Result<sweeps::ConvergenceOptions> score_options(const SweepView& view,
                                                 const sweeps::Segment& segment,
                                                 const ScoreOptions& options) {
  auto out = sweeps::declared_convergence(view.plan.spec().convergence_json);
  if (!out.ok()) return out.error();
  out->hurdle_sharpe_ann = options.hurdle_sharpe_ann;
  out->periods_per_year = view.periods_per_year(segment);
  // Granted only where every variant has one (serve/knobs.hpp names the others).
  const auto& space = view.plan.spec().strategies[segment.strategy];
  out->hard_stops = out->hard_stops && sweeps::hard_stop_lack(space).empty();
  const sweeps::Judged judged = sweeps::judged_variants(view.plan, segment);
  out->launched = judged.variants(view.plan, segment);
  out->chosen_by_periods = judged.chosen_by_periods;
  out->chosen = out->launched;
  out->spread = judged.note.empty()
                    ? sweeps::parameter_spread(view.plan, segment)
                    : sweeps::parameter_spread(view.plan.design(segment),
                                               sweeps::judged_params(view.plan, segment, judged));
  return out;
}

Result<Scoring> score_families(const Sources& sources, const SweepView& view,
                               const ScoreOptions& options) {
  Scoring out;
  const auto sharpe = read_sharpe(sources, view);
  if (!sharpe.ok()) return sharpe.error();
  const auto hypotheses = count_hypotheses(sources, &view);
  if (!hypotheses.ok()) return hypotheses.error();
  out.hypotheses = *hypotheses;
  for (const sweeps::Segment& segment : view.plan.segments()) {
    FamilyScore family;
    describe(family, *sharpe, segment);
    WINNOW_TRY(score_family(sources, view, segment, options, family));
    warn_of(view, segment, out.warnings);
    const auto trials = ledger_trials(sources, view.dataset(segment).content_hash);
    if (!trials.ok()) return trials.error();
    family.ledger_trials = *trials;
    family.noise = noise_expectation(*trials, family.score.periods, view.periods_per_year(segment));
    add_plateau(sources, view, segment, *sharpe, family, out.warnings);
    out.families.push_back(std::move(family));
  }
  correct(out.families, out.hypotheses.sum());
  return out;
}

namespace {

/// Purpose: the tiles of one family's space, each scored as a family of its own. Owner:
/// score_neighbourhoods.
class TileScorer {
 public:
  TileScorer(const Sources& sources, const SweepView& view, const sweeps::Segment& segment,
             const SharpeColumn& sharpe)
      : sources_(sources), view_(view), segment_(segment), sharpe_(sharpe) {}

  /// Adds the tiles that hold a result. Fails: as read_panel.
  Status run(const ScoreOptions& options, NeighbourhoodScoring& out) {
    auto panel = read_panel(sources_, view_, segment_);
    if (!panel.ok()) return panel.error();
    panel_ = *std::move(panel);
    const auto near =
        sweeps::Neighbourhoods::make(view_.plan, segment_, {.cover = sweeps::Cover::Tiles});
    if (!near.ok()) {
      out.warnings.push_back(near.error().text());
      return {};
    }
    WINNOW_TRY(prepare(options));
    warn_of(view_, segment_, out.warnings);
    std::vector<std::optional<NeighbourhoodScore>> tiles(near->candidates());
    sources_.parallel(tiles.size(), [&](std::size_t i) {
      if (const auto tile = near->at(i)) tiles[i] = score(*tile);
    });
    for (auto& tile : tiles) {
      if (tile) out.tiles.push_back(std::move(*tile));
    }
    return {};
  }

 private:
  static constexpr std::uint32_t kNoRow = ~std::uint32_t{0};

  Status prepare(const ScoreOptions& options) {
    row_of_.assign(segment_.trials, kNoRow);
    for (std::size_t r = 0; r < panel_.trial.size(); ++r) {
      row_of_[panel_.trial[r] - segment_.first_trial] = static_cast<std::uint32_t>(r);
    }
    auto look = take_look(sources_, view_, segment_, panel_.periods,
                          family_state(panel_.trial.size(), segment_.trials));
    if (!look.ok()) return look.error();
    look_ = *std::move(look);
    auto how = score_options(view_, segment_, options);
    if (!how.ok()) return how.error();
    how_ = *std::move(how);
    how_.spread = {};  // a tile is a part of the space by construction
    all_ = looked_at(panel_, look_);
    judged_ = sweeps::judged_variants(view_.plan, segment_);
    auto validated = validate_family(sources_, view_, segment_, &panel_);
    if (!validated.ok()) return validated.error();
    validated_ = *std::move(validated);
    const PeriodRange scored{std::min(how_.chosen_by_periods, all_.periods()), all_.periods()};
    market_ = read_market_part(sources_, view_, segment_, panel_, {&scored, 1});
    auto gaps = read_gap_part(sources_, view_, segment_, panel_);
    if (!gaps.ok()) return gaps.error();
    gaps_ = *std::move(gaps);
    return {};
  }

  /// Nothing: no variant of it has a result.
  std::optional<NeighbourhoodScore> score(const sweeps::Neighbourhood& tile) const {
    std::vector<std::uint32_t> rows;
    std::uint64_t members = 0;
    double sum = 0;
    for (const std::uint64_t t : tile.members) {
      if (!judged_.counts(view_.plan, segment_, t)) continue;
      ++members;
      const std::uint32_t row = row_of_[t - segment_.first_trial];
      if (row == kNoRow) continue;
      rows.push_back(row);
      sum += std::isfinite(sharpe_.all[t]) ? sharpe_.all[t] : 0;
    }
    if (rows.empty()) return std::nullopt;
    NeighbourhoodScore scored;
    scored.segment = segment_.index;
    scored.centre = tile.centre;
    scored.members = members;
    scored.mean_sharpe_ann = sum / static_cast<double>(rows.size());
    sweeps::ConvergenceOptions own = how_;
    own.launched = own.chosen = members;
    set_rows_score(score_rows({all_, &rows, gaps_}, market_, own, sweeps::serial_for()), scored);
    if (look_) apply_look(*look_, scored.score);
    sweeps::apply_requirements(unmet_requirements(view_, scored.score, validated_.get()),
                               scored.score);
    return scored;
  }

  const Sources& sources_;
  const SweepView& view_;
  const sweeps::Segment& segment_;
  const SharpeColumn& sharpe_;
  FamilyPanel panel_;
  std::vector<std::uint32_t> row_of_;
  std::optional<Look> look_;
  sweeps::ConvergenceOptions how_;
  sweeps::PanelView all_;
  sweeps::Judged judged_;
  std::shared_ptr<const ValidatedFamily> validated_;
  Result<MarketPart> market_ = Error(ErrorCode::Internal, "not read yet");
  GapPart gaps_;
};

}  // namespace

Result<NeighbourhoodScoring> score_neighbourhoods(const Sources& sources, const SweepView& view,
                                                  const ScoreOptions& options) {
  NeighbourhoodScoring out;
  const auto sharpe = read_sharpe(sources, view);
  if (!sharpe.ok()) return sharpe.error();
  for (const sweeps::Segment& segment : view.plan.segments()) {
    WINNOW_TRY(TileScorer(sources, view, segment, *sharpe).run(options, out));
  }
  WINNOW_TRY(record_neighbourhoods(sources, view, out.tiles.size()));
  const auto hypotheses = count_hypotheses(sources, &view);
  if (!hypotheses.ok()) return hypotheses.error();
  out.hypotheses = *hypotheses;
  correct(out.tiles, out.hypotheses.sum());
  std::stable_sort(out.tiles.begin(), out.tiles.end(),
                   [](const auto& a, const auto& b) { return a.score.c > b.score.c; });
  return out;
}

}  // namespace winnow::serve
