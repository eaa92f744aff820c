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

namespace {

/// Fills the rows of a segment that is complete, in parallel: to take memory from the system and to
/// unpack is most of the work.
Status read_rows(const Sources& sources, const SweepView& view, const sweeps::Segment& segment,
                 FamilyPanel& panel) {
  constexpr std::uint64_t kBlocks = 32;
  const std::uint64_t tasks = (segment.blocks + kBlocks - 1) / kBlocks;
  std::vector<std::optional<Error>> errors(tasks);
  sources.parallel(tasks, [&](std::size_t task) {
    const std::uint64_t first = segment.first_block + task * kBlocks;
    const std::uint64_t last = std::min(first + kBlocks, segment.first_block + segment.blocks);
    const std::uint64_t begin = view.plan.block_range(first).first_trial - segment.first_trial;
    const auto end_block = view.plan.block_range(last - 1);
    const std::uint64_t end = end_block.first_trial + end_block.rows - segment.first_trial;
    const std::span<float> all(panel.returns);
    const auto read = sources.store->read_returns(
        view.meta.id, first, last - first,
        all.subspan(begin * panel.periods, (end - begin) * panel.periods));
    if (!read.ok()) errors[task] = read.error();
  });
  for (const auto& error : errors) {
    if (error) return *error;
  }
  return {};
}

}  // namespace

Result<FamilyPanel> read_panel(const Sources& sources, const SweepView& view,
                               const sweeps::Segment& segment) {
  const std::uint64_t bytes = segment.trials * segment.periods * sizeof(float);
  if (bytes > kPanelBytesMax) {
    return Error(ErrorCode::Refused,
                 view.family(segment) + " on " + view.dataset(segment).name + " has " +
                     std::to_string(bytes >> 20) + " MiB of period returns; at most " +
                     std::to_string(kPanelBytesMax >> 20) + " MiB are scored at once");
  }
  FamilyPanel panel;
  const auto shape =
      sources.store->returns_shape(view.meta.id, segment.first_block, segment.blocks);
  if (shape.ok() && shape->rows == segment.trials) {
    panel.periods = shape->periods;
    panel.returns.resize(shape->rows * shape->periods);
    WINNOW_TRY(read_rows(sources, view, segment, panel));
    panel.trial.resize(shape->rows);
    for (std::uint64_t t = 0; t < shape->rows; ++t) panel.trial[t] = segment.first_trial + t;
    return panel;
  }
  // Not complete, or some block has no periods: what there is, block by block.
  for (std::uint64_t b = segment.first_block; b < segment.first_block + segment.blocks; ++b) {
    if (!view.plan.whole_window(b)) continue;
    end_of_stage(sources);
    const auto block = sources.store->read_block(view.meta.id, b, {.returns = true});
    if (!block.ok() && block.error().code() == ErrorCode::NotFound) continue;
    if (!block.ok()) return block.error();
    if (panel.periods == 0) panel.periods = block->periods;
    if (block->periods != panel.periods) {
      panel.skipped += block->rows;
      continue;
    }
    panel.returns.insert(panel.returns.end(), block->returns.begin(), block->returns.end());
    for (std::uint64_t r = 0; r < block->rows; ++r) panel.trial.push_back(block->first_trial + r);
  }
  return panel;
}

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

Result<NeighbourhoodScoring> score_neighbourhoods(const Sources& sources, const SweepView& view,
                                                  const ScoreOptions& options) {
  NeighbourhoodScoring out;
  const auto sharpe = read_sharpe(sources, view);
  if (!sharpe.ok()) return sharpe.error();
  for (const sweeps::Segment& segment : view.plan.segments()) {
    const auto panel = read_panel(sources, view, segment);
    if (!panel.ok()) return panel.error();
    const auto near =
        sweeps::Neighbourhoods::make(view.plan, segment, {.cover = sweeps::Cover::Tiles});
    if (!near.ok()) {
      out.warnings.push_back(near.error().text());
      continue;
    }
    std::vector<std::uint32_t> row_of(segment.trials, ~std::uint32_t{0});
    for (std::size_t r = 0; r < panel->trial.size(); ++r) {
      row_of[panel->trial[r] - segment.first_trial] = static_cast<std::uint32_t>(r);
    }
    const auto look = take_look(sources, view, segment, panel->periods,
                                family_state(panel->trial.size(), segment.trials));
    if (!look.ok()) return look.error();
    auto how = score_options(view, segment, options);
    if (!how.ok()) return how.error();
    how->spread = {};  // a tile is a part of the space by construction
    const sweeps::PanelView all = looked_at(*panel, *look);
    const sweeps::Judged judged = sweeps::judged_variants(view.plan, segment);
    warn_of(view, segment, out.warnings);
    const auto validated = validate_family(sources, view, segment, &*panel);
    if (!validated.ok()) return validated.error();
    const PeriodRange scored_periods{std::min(how->chosen_by_periods, all.periods()),
                                     all.periods()};
    const auto market = read_market_part(sources, view, segment, *panel, {&scored_periods, 1});
    const auto gaps = read_gap_part(sources, view, segment, *panel);
    if (!gaps.ok()) return gaps.error();
    std::vector<std::optional<NeighbourhoodScore>> tiles(near->candidates());
    sources.parallel(tiles.size(), [&](std::size_t i) {
      const auto tile = near->at(i);
      if (!tile) return;
      std::vector<std::uint32_t> rows;
      std::uint64_t members = 0;
      double sum = 0;
      for (const std::uint64_t t : tile->members) {
        if (!judged.counts(view.plan, segment, t)) continue;
        ++members;
        const std::uint32_t row = row_of[t - segment.first_trial];
        if (row == ~std::uint32_t{0}) continue;
        rows.push_back(row);
        sum += std::isfinite(sharpe->all[t]) ? sharpe->all[t] : 0;
      }
      if (rows.empty()) return;
      NeighbourhoodScore scored;
      scored.segment = segment.index;
      scored.centre = tile->centre;
      scored.members = members;
      scored.mean_sharpe_ann = sum / static_cast<double>(rows.size());
      sweeps::ConvergenceOptions own = *how;
      own.launched = own.chosen = members;
      set_rows_score(score_rows({all, &rows, *gaps}, market, own, sweeps::serial_for()), scored);
      if (*look) apply_look(**look, scored.score);
      sweeps::apply_requirements(unmet_requirements(view, scored.score, validated->get()),
                                 scored.score);
      tiles[i] = std::move(scored);
    });
    for (auto& tile : tiles) {
      if (tile) out.tiles.push_back(std::move(*tile));
    }
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
