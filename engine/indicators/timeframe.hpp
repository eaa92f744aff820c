#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "engine/indicators/column.hpp"

namespace winnow::engine {

/// Purpose: bars of a longer timeframe made of an instrument's own, as they become complete. One is
/// complete at the close of the bar that ends with it or, where that is missing, of the first later
/// one. They begin at multiples of their length; where the data begins within one, that one is left
/// out, since its values would depend on it. Owner: one kernel call, or one stepper. Thread: one.
class HigherBars {
 public:
  HigherBars(const Bars& base, std::int32_t timeframe) : base_(base), length_(timeframe) {
    for (auto& f : fields_) f.reserve(base.size / static_cast<std::size_t>(timeframe) + 2);
  }

  /// Takes base bars up to `end` in.
  void extend(std::size_t end) {
    for (std::size_t t = complete_.size(); t < end; ++t) take(t);
  }
  /// How many bars are complete at the close of base bar t. Requires: t was taken in.
  std::size_t complete(std::size_t t) const { return complete_[t]; }
  const Bars& bars() const { return bars_; }

 private:
  std::int64_t ordinal(std::size_t t) const {
    if (base_.interval_ns > 0) return base_.time_ns[t] / base_.interval_ns;
    return base_.ordinal_first + static_cast<std::int64_t>(t);
  }

  void take(std::size_t t) {
    const std::int64_t at = ordinal(t);
    const std::int64_t bar = at / length_;
    if (t == 0) {
      skipped_ = at % length_ == 0 ? bar - 1 : bar;
      bars_.ordinal_first = skipped_ + 1;
    }
    if (open_ && bar != now_) finish();
    if (bar != skipped_) add(t, bar);
    if (open_ && (at + 1) % length_ == 0) finish();
    complete_.push_back(static_cast<std::uint32_t>(bars_.size));
  }

  void add(std::size_t t, std::int64_t bar) {
    const double high = base_[Field::High][t];
    const double low = base_[Field::Low][t];
    const double volume = base_[Field::Volume][t];
    if (!open_) {
      open_ = true;
      now_ = bar;
      next_ = {base_[Field::Open][t], high, low, 0, 0};
    }
    next_[1] = std::max(next_[1], high);
    next_[2] = std::min(next_[2], low);
    next_[3] = base_[Field::Close][t];
    next_[4] += volume;
  }

  void finish() {
    open_ = false;
    for (std::size_t f = 0; f < kFields; ++f) {
      fields_[f].push_back(next_[f]);
      bars_.field[f] = fields_[f].data();
    }
    ++bars_.size;
  }

  const Bars& base_;
  std::int64_t length_;
  std::int64_t skipped_ = 0;  // the bar within which the data began
  std::int64_t now_ = 0;      // the bar that is being made
  bool open_ = false;
  std::array<double, kFields> next_{};
  std::array<std::vector<double>, kFields> fields_;
  std::vector<std::uint32_t> complete_;
  Bars bars_;
};

/// Purpose: an indicator of a longer timeframe at the closes of the market's own bars: its value at
/// the last complete bar.
class HigherColumn final : public Column {
 public:
  HigherColumn(std::shared_ptr<HigherBars> higher, std::unique_ptr<Column> inner)
      : higher_(std::move(higher)), inner_(std::move(inner)) {}

  double empty() const override { return inner_->empty(); }

  void fill(std::size_t begin, std::size_t end, double* out) override {
    higher_->extend(end);
    const std::size_t known = values_.size();
    const std::size_t complete = higher_->complete(end - 1);
    values_.resize(complete);
    if (complete > known) inner_->fill(known, complete, values_.data() + known);
    for (std::size_t t = begin; t < end; ++t) {
      const std::size_t n = higher_->complete(t);
      out[t - begin] = n == 0 ? inner_->empty() : values_[n - 1];
    }
  }

 private:
  std::shared_ptr<HigherBars> higher_;
  std::unique_ptr<Column> inner_;
  std::vector<double> values_;
};

}  // namespace winnow::engine
