#include "sweeps/checked_rows.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "sweeps/design.hpp"
#include "sweeps/search/sampler.hpp"

namespace winnow::sweeps {
namespace {

constexpr std::size_t kDraws = 8;
constexpr std::uint64_t kTriesMax = 256;  // of a draw that the rules accept
// Apart from the draws of samplers, which count segments from 0.
constexpr std::uint64_t kCheckStream = 0x6368'6563'6b00'0000;

double at_end(const Axis& axis, bool greatest) { return greatest ? axis.high() : axis.low(); }

}  // namespace

std::vector<double> rows_to_check(const Plan& plan, const Segment& segment) {
  const Design& design = plan.design(segment);
  const engine::FamilyDecl& family = plan.family(segment);
  const std::size_t width = design.parameters();
  std::set<std::vector<double>> seen;
  std::vector<double> rows;
  const auto take = [&](const std::vector<double>& row) {
    if (!seen.insert(row).second) return;
    rows.insert(rows.end(), row.begin(), row.end());
  };

  std::vector<double> row(width);
  for (std::size_t p = 0; p < width; ++p) row[p] = family.params[p].default_value;
  if (engine::check_params(family, row).ok()) take(row);

  // Bit 0 says which end even parameters take, bit 1 odd ones.
  for (unsigned corner = 0; corner < 4; ++corner) {
    for (std::size_t p = 0; p < width; ++p) {
      row[p] = at_end(design.axis(p), (corner >> (p % 2) & 1u) != 0);
    }
    design.rules().settle(row);
    if (design.valid(row)) take(row);
  }

  std::size_t drawn = 0;
  for (std::uint64_t i = 0; i < kDraws * kTriesMax && drawn < kDraws; ++i) {
    for (std::size_t p = 0; p < width; ++p) {
      row[p] = design.axis(p).from_unit(
          uniform_at(plan.spec().seed, kCheckStream + segment.index, i, p));
    }
    design.rules().settle(row);
    if (!design.valid(row)) continue;
    take(row);
    ++drawn;
  }
  // Where draws hardly ever meet the rules, a point of the plan does.
  if (rows.empty()) rows = plan.params(segment.first_trial, 1);
  return rows;
}

Hash128 check_key(const Plan& plan, const Segment& segment) {
  const engine::FamilyDecl& family = plan.family(segment);
  return KeyHasher("check-1")
      .add(family.name)
      .add(std::uint64_t{family.code_version})
      .add(plan.spec().data[segment.dataset].content_hash)
      .add(plan.execution(segment).key())
      .add(std::uint64_t{engine::kEngineVersion})
      .finish();
}

}  // namespace winnow::sweeps
