#pragma once

#include <vector>

#include "serve/opening.hpp"

namespace winnow::serve {

/// What skill is judged against: holding the market over the days of a family's panel.
struct MarketPart {
  std::vector<double> returns;        ///< of each period, with funding where the profile pays it
  std::vector<double> mean_exposure;  ///< of each row of the panel, over the periods asked for
};

/// The market's own, of the days of a segment's results. Fails: NotFound (the data are not here, or
/// have other days), Corrupt, Io.
Result<std::vector<double>> read_market_returns(const Sources& sources, const SweepView& view,
                                                const sweeps::Segment& segment,
                                                std::size_t periods);

/// Fails: NotFound (the data are not here, or the results are of an engine that recorded no
/// positions), Corrupt, Io.
Result<MarketPart> read_market_part(const Sources& sources, const SweepView& view,
                                    const sweeps::Segment& segment, const FamilyPanel& panel,
                                    std::span<const PeriodRange> periods);

}  // namespace winnow::serve
