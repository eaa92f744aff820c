// Learning curves: metrics as they stood at fixed steps of data time.
#include <algorithm>
#include <cmath>

#include "base/check.hpp"
#include "base/names.hpp"
#include "serve/query_parts.hpp"
#include "sweeps/results.hpp"

namespace winnow::serve::parts {
namespace {

constexpr std::uint64_t kVariantsDefault = 1'000'000;

Json number_json(double v) { return std::isfinite(v) ? Json(v) : Json(); }

Status check_has_points(const SweepView& view) {
  if (!view.plan.spec().points.metrics.empty()) return {};
  return Error(ErrorCode::InvalidInput,
               "sweep " + view.meta.id +
                   " keeps no learning curves; a specification asks for them with "
                   "points: {metrics: [final_equity, sharpe_ann], every: 30d}");
}

/// Rows [trial, step, time, metric...] of some of a block's rows.
void append_rows(const SweepView& view, const ResultBlock& block, std::uint64_t first,
                 std::uint64_t last, Json& rows) {
  const sweeps::Segment& segment = view.plan.segment_of_trial(block.first_trial);
  for (std::uint64_t trial = first; trial < last; ++trial) {
    const std::uint64_t row = trial - block.first_trial;
    for (std::uint32_t step = 0; step < block.point_steps; ++step) {
      Json line =
          Json::array({trial, step + 1, format_timestamp(view.plan.point_until(segment, step))});
      for (std::uint32_t m = 0; m < block.point_metrics; ++m) {
        const std::size_t at = (std::size_t{m} * block.point_steps + step) * block.rows +
                               static_cast<std::size_t>(row);
        line.push_back(number_json(block.points[at]));
      }
      rows.push_back(std::move(line));
    }
  }
}

}  // namespace

Result<Json> points_of(const Sources& sources, const SweepView& view, std::uint64_t first_trial,
                       std::uint64_t trials) {
  WINNOW_REQUIRES(!view.plan.point_metrics().empty());
  Json out = Json::array();
  const std::uint64_t end = first_trial + trials;
  for (std::uint64_t trial = first_trial; trial < end;) {
    const std::uint64_t index = sweeps::block_of_trial(view.plan, trial);
    const auto range = view.plan.block_range(index);
    const std::uint64_t last = std::min<std::uint64_t>(end, range.first_trial + range.rows);
    const auto block = sources.store->read_block(view.meta.id, index, {.points = true});
    if (block) {
      append_rows(view, *block, trial, last, out);
    } else if (block.error().code() != ErrorCode::NotFound) {
      return block.error();
    }
    trial = last;
  }
  return out;
}

Result<Json> points(const Sources& sources, const Json& args) {
  const auto selector = sweep_arg(args);
  if (!selector.ok()) return selector.error();
  const auto view = SweepView::open(sources, *selector);
  if (!view.ok()) return view.error();
  WINNOW_TRY(check_has_points(*view));
  std::uint64_t first = 0;
  std::uint64_t count = view->plan.trials();
  Json out = sweep_head(*view);
  if (args.contains("variant") && !args["variant"].is_null()) {
    const auto trial = count_arg(args, "variant", 0);
    if (!trial.ok()) return trial.error();
    const auto known = view->check_trial(*trial);
    if (!known.ok()) return known.error();
    first = *known;
    count = 1;
    out.update(variant_json(*view, first));
  } else {
    const auto limit = count_arg(args, "limit", kVariantsDefault);
    if (!limit.ok()) return limit.error();
    count = std::min(count, *limit);
  }
  out["every_days"] = view->plan.spec().points.every.ns / days(1).ns;
  Json columns = Json::array({"trial", "step", "until"});
  for (const std::string& name : view->plan.spec().points.metrics) columns.push_back(name);
  out["columns"] = std::move(columns);
  auto rows = points_of(sources, *view, first, count);
  if (!rows.ok()) return rows.error();
  out["rows"] = *std::move(rows);
  return out;
}

}  // namespace winnow::serve::parts
