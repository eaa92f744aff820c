#include "serve/scoring.hpp"

#include <algorithm>
#include <cmath>

#include "base/hash.hpp"
#include "base/numbers.hpp"
#include "base/text.hpp"
#include "serve/account.hpp"
#include "serve/gap_part.hpp"
#include "serve/judged_panel.hpp"
#include "serve/market_part.hpp"
#include "serve/opening.hpp"
#include "serve/report/fields.hpp"
#include "serve/validation.hpp"
#include "sweeps/convergence_declared.hpp"
#include "sweeps/convergence_require.hpp"
#include "sweeps/diversity.hpp"
#include "sweeps/judged.hpp"
#include "sweeps/level/skill.hpp"
#include "sweeps/level/tile_search.hpp"
#include "sweeps/neighbourhood.hpp"
#include "sweeps/results.hpp"
#include "sweeps/stops.hpp"

namespace winnow::serve {
namespace {

constexpr const char* kScoreDocument = "convergence";
constexpr const char* kPlateauKind = "plateau";
// Grows with every change of what a verdict means: kept ones are then scored again.
constexpr int kScoreRules = 5;

std::string fixed_digits(double v) { return report::fixed(v, 4); }

std::optional<SkillScore> skill_from_json(const Json& json) {
  SkillScore out;
  try {
    json.at("c_cash").get_to(out.c_cash);
    json.at("c_ols").get_to(out.c_ols);
    json.at("c_exposure").get_to(out.c_exposure);
    json.at("alpha_ann_frac").get_to(out.alpha_ann_frac);
    json.at("beta_mean").get_to(out.beta_mean);
    json.at("exposure_mean").get_to(out.exposure_mean);
    json.at("market_text").get_to(out.text);
  } catch (const Json::exception&) {
    return std::nullopt;
  }
  return out;
}

Json tile_json(const std::optional<ZoomedTile>& tile) {
  if (!tile) return {};
  return {{"text", tile->text},   {"variants", tile->variants}, {"tiles", tile->tiles},
          {"flips", tile->flips}, {"p_ols", tile->p_ols},       {"p_exposure", tile->p_exposure}};
}

std::optional<ZoomedTile> tile_from_json(const Json& json) {
  if (!json.is_object()) return std::nullopt;
  try {
    return ZoomedTile{json.at("text"),  json.at("variants"), json.at("tiles"),
                      json.at("flips"), json.at("p_ols"),    json.at("p_exposure")};
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

std::optional<GapScore> gaps_from_json(const Json& json) {
  GapScore out;
  try {
    json.at("c_gaps").get_to(out.c_gaps);
    json.at("gap_frac").get_to(out.frac);
    json.at("gap_rate_year").get_to(out.rate_year);
    const Json& days = json.at("gap_days_of_profit");
    if (!days.is_null()) out.days_of_profit = days;
    json.at("gap_text").get_to(out.text);
  } catch (const Json::exception&) {
    return std::nullopt;
  }
  return out;
}

/// Everything that a kept verdict depends on beside the trials themselves.
Json options_json(const SweepView& view, const sweeps::Segment& segment,
                  const ScoreOptions& options, const std::optional<Look>& look) {
  Json judged;
  if (view.openings && view.openings->by_segment[segment.index]) {
    const sweeps::level::Claim& claim = view.openings->by_segment[segment.index]->claim;
    judged = {claim.id, sweeps::level::days_text(claim.judged)};
  }
  const sweeps::level::Gap segment_gap = view.dataset(segment).gap_or_unrecorded();
  return {{"rules", kScoreRules},
          {"engine_version", view.meta.engine_version},
          {"hurdle_sharpe_ann", options.hurdle_sharpe_ann},
          {"gap_years", segment_gap.years},
          {"gap_frac", segment_gap.frac},
          {"gap_seen", segment_gap.seen},
          {"declared", view.plan.spec().convergence_json},
          {"judged", std::move(judged)},
          {"look", look ? Json(look->number) : Json()},
          {"look_periods", look ? Json(look->periods) : Json()}};
}

std::string document_key(const SweepView& view, std::uint32_t segment) {
  return view.meta.id + "/" + std::to_string(segment);
}

/// A kept verdict of this family under these options, with its look. False: there is none.
Result<bool> read_verdict(const Sources& sources, const SweepView& view,
                          const sweeps::Segment& segment, const ScoreOptions& options,
                          FamilyScore& out) {
  const auto text = sources.store->document(kScoreDocument, document_key(view, segment.index));
  if (!text.ok() || !*text || out.committed != out.trials) return false;
  const Json json = parse_ordered_json(**text);
  if (json.is_discarded() || !json.is_object()) return false;
  if (!json.value("panel_periods", Json()).is_number_unsigned()) return false;
  // A search that was extended since has other variants. Verdicts of old have no such number.
  if (json.value("trials", segment.trials) != segment.trials) return false;
  const auto look = take_look(sources, view, segment, json["panel_periods"], FamilyState::Complete);
  if (!look.ok()) return look.error();
  if (json.value("options", Json()) != options_json(view, segment, options, *look)) return false;
  auto score = convergence_from_json(json.value("score", Json()));
  auto skill = skill_from_json(json.value("skill", Json()));
  auto gaps = gaps_from_json(json.value("gaps", Json()));
  if (!score || !skill || !gaps) return false;
  out.score = std::move(*score);
  out.skill = std::move(*skill);
  out.tile = tile_from_json(json.value("tile", Json()));
  out.gaps = std::move(*gaps);
  out.look = *look;
  out.cached = true;
  return true;
}

void keep_verdict(const Sources& sources, const SweepView& view, const FamilyScore& family,
                  const ScoreOptions& options, std::uint64_t panel_periods) {
  // What is not known today may be tomorrow: a dataset comes back.
  if (family.committed != family.trials || !family.skill.missing.empty()) return;
  const Json json{
      {"options", options_json(view, view.plan.segments()[family.segment], options, family.look)},
      {"panel_periods", panel_periods},
      {"trials", family.trials},
      {"score", convergence_json(family.score)},
      {"skill", skill_json(family.skill)},
      {"gaps", gap_json(family.gaps)},
      {"tile", tile_json(family.tile)}};
  keep(sources, {kScoreDocument, document_key(view, family.segment), json_text(json)});
}

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

// As sweeps::plateau_centre, but neighbours are listed in parallel and never all at once.
std::optional<Plateau> find_plateau(const Sources& sources, const sweeps::Neighbourhoods& near,
                                    const sweeps::Segment& segment,
                                    const std::vector<double>& sharpe) {
  const auto at = [&](std::uint64_t trial) { return sharpe[trial]; };
  double lowest = std::numeric_limits<double>::infinity();
  for (std::uint64_t t = 0; t < segment.trials; ++t) {
    const double v = at(segment.first_trial + t);
    if (std::isfinite(v)) lowest = std::min(lowest, v);
  }
  if (std::isinf(lowest)) return std::nullopt;
  constexpr std::uint64_t kChunk = 512;
  const std::uint64_t chunks = (segment.trials + kChunk - 1) / kChunk;
  std::vector<Plateau> best(chunks);
  sources.parallel(chunks, [&](std::size_t c) {
    best[c].mean_sharpe_ann = -std::numeric_limits<double>::infinity();
    const std::uint64_t end = std::min(segment.trials, (c + 1) * kChunk);
    for (std::uint64_t t = c * kChunk; t < end; ++t) {
      const auto members = near.around(segment.first_trial + t);
      double sum = 0;
      for (const std::uint64_t m : members) sum += std::isfinite(at(m)) ? at(m) : lowest;
      const double mean = sum / static_cast<double>(members.size());
      if (mean > best[c].mean_sharpe_ann) {
        best[c] = {segment.first_trial + t, mean, members.size()};
      }
    }
  });
  return *std::max_element(best.begin(), best.end(), [](const Plateau& a, const Plateau& b) {
    return a.mean_sharpe_ann < b.mean_sharpe_ann;
  });
}

/// The plateau centre of a family, kept once the family is complete: to list the neighbours of a
/// million variants takes seconds. A family whose neighbours cannot be listed has none, and a
/// warning.
void add_plateau(const Sources& sources, const SweepView& view, const sweeps::Segment& segment,
                 const SharpeColumn& sharpe, FamilyScore& family,
                 std::vector<std::string>& warnings) {
  const std::string key = document_key(view, segment.index);
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

/// The rows and periods of a panel that judge: all rows for none.
struct JudgedPart {
  const sweeps::PanelView& all;
  const std::vector<std::uint32_t>* rows;
  const GapPart& gaps;

  /// The values of these rows, of one for each row of the panel.
  std::vector<double> of_rows(std::span<const double> values) const {
    std::vector<double> out;
    if (rows == nullptr) return {values.begin(), values.end()};
    for (const std::uint32_t row : *rows) out.push_back(values[row]);
    return out;
  }
};

/// Scores some rows of a panel against cash and the market, and charges gaps. Without a market it
/// is scored against cash, and says why that promotes nothing.
template <class Scored>
void score_rows(const JudgedPart& part, const Result<MarketPart>& market,
                const sweeps::ConvergenceOptions& declared, const sweeps::ParallelFor& parallel,
                Scored& out) {
  const sweeps::PanelView returns = part.rows == nullptr ? part.all : part.all.subset(*part.rows);
  const std::vector<double> losses = part.of_rows(part.gaps.loss);
  sweeps::ConvergenceOptions how = declared;
  how.gap_loss = losses;
  how.gap_rate_year = part.gaps.gap.rate_year();
  if (!market.ok()) {
    out.score = sweeps::score_convergence(returns, how, parallel);
    out.skill.missing = market.error().text();
    if (out.score.verdict == sweeps::Verdict::Converged) {
      out.score.verdict = sweeps::Verdict::Insufficient;
    }
    apply_gaps(part.gaps, out.score.return_mean, out.score, out.gaps);
    out.score.reasons.push_back("skill: " + out.skill.missing);
    return;
  }
  const auto skill =
      sweeps::level::score_skill(returns, std::span(market->returns).first(returns.periods()),
                                 part.of_rows(market->mean_exposure), how, parallel);
  out.score = skill.gate();
  out.skill = {.c_cash = skill.cash.c,
               .c_ols = skill.ols.c,
               .c_exposure = skill.exposure.c,
               .alpha_ann_frac = skill.alpha_mean * how.periods_per_year,
               .beta_mean = skill.beta_mean,
               .exposure_mean = skill.exposure_mean,
               .text = sweeps::level::market_share_text(skill.market_share()),
               .missing = {}};
  const bool stood = out.score.verdict == sweeps::Verdict::Converged;
  apply_gaps(part.gaps, skill.cash.return_mean, out.score, out.gaps);
  if (out.skill.text.empty() || stood) return;
  out.score.reasons.insert(out.score.reasons.begin(),
                           "skill: C = " + fixed_digits(out.skill.c_cash) + " against cash, " +
                               fixed_digits(out.skill.c_ols) + " less beta times the market, " +
                               fixed_digits(out.skill.c_exposure) +
                               " less the market at the mean exposure: " + out.skill.text);
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

/// The seed of a claim's sign flips: of everything that it fixed.
std::uint64_t flip_seed(const sweeps::level::Claim& claim) { return hash128(claim.id).low; }

/// Finds the best tile of a declared search on the judged panel, and the rows in it.
std::vector<std::uint32_t> zoom(const Sources& sources, const SweepView& view,
                                const sweeps::Segment& segment, const FamilyPanel& panel,
                                const sweeps::PanelView& judged, const MarketPart& market,
                                const sweeps::level::Claim& claim, ZoomedTile& out) {
  namespace level = sweeps::level;
  const std::size_t blocks = level::tile_blocks(judged.periods());
  const std::vector<double> betas = level::market_betas(judged, market.returns, sources.parallel);
  const auto means = [&](std::span<const double> shares) {
    const level::LessMarket rest(judged, shares, market.returns, sources.parallel);
    return level::scaled_block_means(rest.view(), blocks, sources.parallel);
  };
  const std::vector<double> ols = means(betas);
  const std::vector<double> exposure = means(market.mean_exposure);
  std::vector<std::string> names;
  for (const auto& p : view.plan.spec().strategies[segment.strategy].params)
    names.push_back(p.name);
  std::vector<double> params;
  for (const std::uint64_t trial : panel.trial) {
    const std::vector<double> row = view.plan.params(trial, 1);
    params.insert(params.end(), row.begin(), row.end());
  }
  const std::vector<level::SpaceTile> tiles = level::space_tiles(params, names);
  const level::BestTile best =
      level::search_space(ols, exposure, blocks, tiles, flip_seed(claim), sources.parallel);
  out = {.text = tiles[best.tile].text,
         .variants = tiles[best.tile].rows.size(),
         .tiles = best.tiles,
         .flips = best.flips,
         .p_ols = best.p_ols,
         .p_exposure = best.p_exposure};
  return tiles[best.tile].rows;
}

/// The score of a family that was opened, on the days that judge it.
struct OpenedPart {
  const FamilyPanel& panel;
  const GapPart& gaps;
};
Status score_opened(const Sources& sources, const SweepView& view, const sweeps::Segment& segment,
                    const OpenedPart& part, const Judging& judging, sweeps::ConvergenceOptions how,
                    FamilyScore& out) {
  const FamilyPanel& panel = part.panel;
  FamilyPanel cut;
  if (!judging.all) cut = judged_panel(panel, judging);
  const FamilyPanel& judged = judging.all ? panel : cut;
  const auto all = sweeps::PanelView::of(judged.returns, judged.trial.size(), judged.periods);
  auto market = read_market_part(sources, view, segment, panel, judging.periods);
  if (market.ok()) market->returns = judged_values(market->returns, judging);
  const bool searches = out.opened->claim.mode == sweeps::level::OpenMode::Search;
  const bool enough = sweeps::level::tile_blocks(judged.periods) > 1;
  if (!searches || !market.ok() || !enough || judged.trial.empty()) {
    score_rows({all, nullptr, part.gaps}, market, how, sources.parallel, out);
    return {};
  }
  ZoomedTile tile;
  const std::vector<std::uint32_t> rows =
      zoom(sources, view, segment, judged, all, *market, out.opened->claim, tile);
  how.launched = how.chosen = rows.size();
  if (rows.size() < judged.trial.size()) how.spread = {};  // a part of the space by construction
  score_rows({all, &rows, part.gaps}, market, how, sources.parallel, out);
  out.tile = std::move(tile);
  return {};
}

/// What a look finds: of a declared search the largest of its panels' and its tile's own.
double look_p(const FamilyScore& family) {
  double p = family.score.p_value();
  if (family.tile) p = std::max({p, family.tile->p_ols, family.tile->p_exposure});
  return p;
}

/// Puts the look down that is due, where that may be done.
Status look_at(const Sources& sources, const Judging& judging, FamilyScore& family) {
  if (!family.opened || judging.look == 0 || family.committed != family.trials) return {};
  family.look_recordable = sources.verdicts == nullptr;
  if (family.look_recordable) return {};
  const sweeps::level::LookRecord look{.judged_days = family.judged_days,
                                       .p = look_p(family),
                                       .gates = family.score.verdict == sweeps::Verdict::Converged,
                                       .bound = 0,
                                       .time = system_clock().now(),
                                       .number = judging.look};
  auto documents = documents_of(sources);
  auto after =
      sweeps::level::take_look(documents, family.opened->account, family.opened->claim.id, look);
  if (!after.ok()) return after.error();
  family.opened = std::move(*after);
  return {};
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
  if (view.openings && segment.index < view.openings->by_segment.size()) {
    out.opened = view.openings->by_segment[segment.index];
    out.not_opened = view.openings->refusals[segment.index];
  }
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
  const Judging judging = judging_of(sources, view, segment, periods);
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
      score_rows({all, judged.note.empty() ? nullptr : &rows, *gaps}, market, *how,
                 sources.parallel, out);
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
  out.word = verdict_word(out);
  out.sentence = verdict_sentence(view, out);
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
      score_rows({all, &rows, *gaps}, market, own, sweeps::serial_for(), scored);
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
