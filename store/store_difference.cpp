#include <algorithm>
#include <cmath>
#include <cstring>

#include "store/store_rocks.hpp"

namespace winnow::store {
namespace {

// Bits, not values: two NaNs of one pattern agree, 0 and -0 do not.
template <class T>
bool same_bits(const T& a, const T& b) {
  return std::memcmp(&a, &b, sizeof(T)) == 0;
}

std::string in_words(double v) {
  char text[40];
  std::snprintf(text, sizeof text, "%.17g", v);
  return text;
}

bool all_cut(const ResultBlock& block) {
  return std::all_of(block.status.begin(), block.status.end(),
                     [](TrialStatus s) { return s == TrialStatus::Cut; });
}

// Error texts of the rows that failed by themselves, but for rows that are cut in the other block.
std::vector<std::string> own_errors(const ResultBlock& block, const ResultBlock& other) {
  std::vector<std::string> out;
  std::size_t at = 0;
  for (std::size_t row = 0; row < block.rows; ++row) {
    if (!has_failed(block.status[row])) continue;
    const std::string& text = block.errors[at++];
    if (block.status[row] == TrialStatus::Cut || other.status[row] == TrialStatus::Cut) continue;
    out.push_back(text);
  }
  return out;
}

/// Where two panels differ in a row; empty where they do not.
std::string panel_difference(const ResultBlock& shape, const std::vector<float>& first,
                             const std::vector<float>& second, std::size_t row,
                             const std::string& what) {
  if (first.size() != second.size()) return what + "s are there once and not twice";
  if (first.empty()) return {};
  for (std::size_t p = 0; p < shape.periods; ++p) {
    const float a = first[row * shape.periods + p];
    const float b = second[row * shape.periods + p];
    if (same_bits(a, b)) continue;
    return what + " of period " + std::to_string(p) + " is " + in_words(double{a}) + ", then " +
           in_words(double{b});
  }
  return {};
}

}  // namespace

// A row that either of them cut off at a limit says nothing.
std::string describe_difference(const ResultBlock& first, const ResultBlock& second) {
  const auto shape = [](const ResultBlock& b) {
    return std::to_string(b.rows) + " rows, " + std::to_string(b.metric_count) + " metrics, " +
           std::to_string(b.periods) + " periods, " + std::to_string(b.point_steps) +
           " points of " + std::to_string(b.point_metrics) + " metrics";
  };
  if (first.keys == second.keys && (all_cut(first) || all_cut(second))) return {};
  if (first.rows != second.rows || first.metric_count != second.metric_count ||
      first.periods != second.periods || first.point_metrics != second.point_metrics ||
      first.point_steps != second.point_steps) {
    return "the first has " + shape(first) + ", the second " + shape(second);
  }
  const auto trial = [&](std::size_t row) {
    return "trial " + std::to_string(first.first_trial + row);
  };
  for (std::size_t row = 0; row < first.rows; ++row) {
    if (first.keys[row] != second.keys[row]) {
      return trial(row) + " has key " + first.keys[row].hex() + ", then " + second.keys[row].hex();
    }
    if (first.status[row] == TrialStatus::Cut || second.status[row] == TrialStatus::Cut) continue;
    if (first.status[row] != second.status[row]) {
      const auto word = [](TrialStatus s) { return s == TrialStatus::Ok ? "ok" : "failed"; };
      return trial(row) + " is " + word(first.status[row]) + ", then " + word(second.status[row]);
    }
    for (std::size_t m = 0; m < first.metric_count; ++m) {
      const double a = first.metrics[m * first.rows + row];
      const double b = second.metrics[m * first.rows + row];
      if (same_bits(a, b)) continue;
      return trial(row) + ", metric " + std::to_string(m) + " is " + in_words(a) + ", then " +
             in_words(b);
    }
    std::string where = panel_difference(first, first.returns, second.returns, row, "return");
    if (where.empty()) {
      where = panel_difference(first, first.exposures, second.exposures, row, "exposure");
    }
    if (!where.empty()) return trial(row) + ", " + where;
  }
  for (std::size_t i = 0; i < first.points.size(); ++i) {
    const std::size_t row = i % first.rows;
    if (first.status[row] == TrialStatus::Cut || second.status[row] == TrialStatus::Cut) continue;
    if (same_bits(first.points[i], second.points[i])) continue;
    return trial(row) + ", point " + std::to_string(i / first.rows % first.point_steps) + " is " +
           in_words(first.points[i]) + ", then " + in_words(second.points[i]);
  }
  if (own_errors(first, second) != own_errors(second, first)) return "the error texts differ";
  return {};
}

}  // namespace winnow::store
