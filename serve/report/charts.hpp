#pragma once

#include <string>

#include "serve/report/input.hpp"

namespace winnow::serve::report {

// Each gives one <figure> with a title, an inline SVG and a caption; colours are the page's CSS
// variables. `id` is unique on the page.
std::string equity_chart(const Family& family, const std::string& id);
std::string drawdown_chart(const Family& family, const std::string& id);
std::string sharpe_chart(const Family& family, const std::string& id);
std::string heat_map(const HeatMap& map, const std::string& id);
std::string influence_chart(const Family& family, const std::string& id);

/// Colours of heat map cells from the lowest (0) to the highest class.
inline constexpr int kHeatClasses = 21;

}  // namespace winnow::serve::report
