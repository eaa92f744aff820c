#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "serve/gap_part.hpp"
#include "serve/market_part.hpp"
#include "serve/scores.hpp"

namespace winnow::serve {

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

/// What is known of some rows of a panel.
struct RowsScore {
  sweeps::Convergence score;
  SkillScore skill;
  GapScore gaps;
};

/// Scores some rows of a panel against cash and the market, and charges gaps. Without a market it
/// is scored against cash, and says why that promotes nothing.
RowsScore score_rows(const JudgedPart& part, const Result<MarketPart>& market,
                     const sweeps::ConvergenceOptions& declared,
                     const sweeps::ParallelFor& parallel);

/// Into a family's or a neighbourhood's score.
template <class Scored>
void set_rows_score(RowsScore&& rows, Scored& out) {
  out.score = std::move(rows.score);
  out.skill = std::move(rows.skill);
  out.gaps = std::move(rows.gaps);
}

}  // namespace winnow::serve
