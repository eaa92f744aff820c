#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/check.hpp"

namespace winnow::sweeps {

/// Purpose: the period returns of many variants over one calendar, as rows of T numbers, without
/// copying them. Fractions per period, oldest first.
/// Owner: the caller keeps the rows alive. Thread: const, so any.
class PanelView {
 public:
  PanelView() = default;

  /// Rows [variant][period] one after the other. Requires: returns.size() == variants * periods.
  static PanelView of(std::span<const float> returns, std::size_t variants, std::size_t periods) {
    return contiguous(returns, variants, periods);
  }
  static PanelView of(std::span<const double> returns, std::size_t variants, std::size_t periods) {
    return contiguous(returns, variants, periods);
  }
  /// Rows anywhere in memory, each of `periods` numbers.
  static PanelView of_rows(std::vector<const float*> rows, std::size_t periods) {
    PanelView v;
    v.f32_ = std::move(rows);
    v.periods_ = periods;
    return v;
  }
  static PanelView of_rows(std::vector<const double*> rows, std::size_t periods) {
    PanelView v;
    v.f64_ = std::move(rows);
    v.periods_ = periods;
    return v;
  }

  /// The chosen variants only. Requires: every index < variants().
  PanelView subset(std::span<const std::uint32_t> indices) const {
    PanelView v;
    v.periods_ = periods_;
    for (std::uint32_t i : indices) {
      WINNOW_REQUIRES(i < variants());
      if (is_double()) {
        v.f64_.push_back(f64_[i]);
      } else {
        v.f32_.push_back(f32_[i]);
      }
    }
    return v;
  }
  /// The periods [first, last) only. Requires: first <= last <= periods().
  PanelView window(std::size_t first, std::size_t last) const {
    WINNOW_REQUIRES(first <= last && last <= periods());
    PanelView v = *this;
    v.periods_ = last - first;
    for (auto& row : v.f32_) row += first;
    for (auto& row : v.f64_) row += first;
    return v;
  }

  std::size_t variants() const { return is_double() ? f64_.size() : f32_.size(); }
  std::size_t periods() const { return periods_; }
  bool is_double() const { return !f64_.empty(); }

  /// Requires: Real is the panel's own type.
  template <class Real>
  const Real* row(std::size_t variant) const {
    WINNOW_REQUIRES((std::is_same_v<Real, double>) == is_double());
    if constexpr (std::is_same_v<Real, double>) {
      return f64_[variant];
    } else {
      return f32_[variant];
    }
  }
  double at(std::size_t variant, std::size_t period) const {
    return is_double() ? f64_[variant][period] : static_cast<double>(f32_[variant][period]);
  }

 private:
  template <class Real>
  static PanelView contiguous(std::span<const Real> returns, std::size_t variants,
                              std::size_t periods) {
    WINNOW_REQUIRES(returns.size() == variants * periods);
    std::vector<const Real*> rows(variants);
    for (std::size_t i = 0; i < variants; ++i) rows[i] = returns.data() + i * periods;
    return of_rows(std::move(rows), periods);
  }

  std::vector<const float*> f32_;
  std::vector<const double*> f64_;
  std::size_t periods_ = 0;
};

}  // namespace winnow::sweeps
