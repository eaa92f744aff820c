#include "sweeps/axis.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <numeric>

#include "base/check.hpp"
#include "base/det_math.hpp"
#include "base/names.hpp"

namespace winnow::sweeps {
namespace {

constexpr double kExactMax = 9007199254740992.0;  // 2^53: whole numbers below are exact
constexpr std::uint64_t kAxisPointsMax = 1'000'000'000;

Error bad(const ParamSpace& space, const std::string& why) {
  return Error(ErrorCode::InvalidInput, space.name + ": " + why);
}

// Digits after the point of the shortest text of v; -1 if it has too many to be meant as decimal.
int decimals(double v) {
  std::array<char, 400> buffer{};
  const auto end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), v, std::chars_format::fixed);
  if (end.ec != std::errc{}) return -1;
  const char* const point = std::find(buffer.data(), end.ptr, '.');
  const auto n = point == end.ptr ? 0 : static_cast<int>(end.ptr - point) - 1;
  return n <= 12 ? n : -1;
}

constexpr std::array<double, 13> kPowersOfTen{1e0, 1e1, 1e2, 1e3,  1e4,  1e5, 1e6,
                                              1e7, 1e8, 1e9, 1e10, 1e11, 1e12};

}  // namespace

Status Axis::set_steps(const ParamSpace& space) {
  step_ = space.step;
  if (!(step_ > 0)) return bad(space, "step " + show_number(step_) + " is not above 0");
  if (step_ > high_ - low_ && high_ > low_) {
    return bad(space, "step " + show_number(step_) + " is longer than the range from " +
                          show_number(low_) + " to " + show_number(high_));
  }
  const int digits = std::max(decimals(low_), decimals(step_));
  if (decimals(low_) >= 0 && decimals(step_) >= 0) {
    const double scale = kPowersOfTen[static_cast<std::size_t>(digits)];
    first_ = std::round(low_ * scale);
    stride_ = std::round(step_ * scale);
    const double last = std::max(std::fabs(first_), std::fabs(high_ * scale)) + stride_;
    if (last < kExactMax && stride_ >= 1) scale_ = scale;
  }
  const double steps = (high_ - low_) / step_;
  const double whole = std::round(steps);
  if (whole + 1 > static_cast<double>(kAxisPointsMax)) {
    return bad(space, "more than " + std::to_string(kAxisPointsMax) + " points");
  }
  count_ = static_cast<std::uint64_t>(whole) + 1;
  if (std::fabs(steps - whole) > 1e-9 * std::max(1.0, whole)) {
    const auto below = static_cast<std::uint64_t>(std::floor(steps));
    count_ = below + 2;  // so that value() reaches one step beyond
    return bad(space, "step " + show_number(step_) + " does not fit from " + show_number(low_) +
                          " to " + show_number(high_) + "; the range may end at " +
                          show_number(value(below)) + " or " + show_number(value(below + 1)));
  }
  return {};
}

Status Axis::set_values(const ParamSpace& space) {
  values_ = space.values;
  count_ = values_.size();
  if (count_ == 0) return bad(space, "no values");
  index_at_.resize(count_);
  std::iota(index_at_.begin(), index_at_.end(), 0u);
  std::sort(index_at_.begin(), index_at_.end(),
            [&](std::uint32_t a, std::uint32_t b) { return values_[a] < values_[b]; });
  rank_of_.resize(count_);
  for (std::uint32_t rank = 0; rank < count_; ++rank) rank_of_[index_at_[rank]] = rank;
  for (std::size_t rank = 1; rank < count_; ++rank) {
    const double v = values_[index_at_[rank]];
    if (v == values_[index_at_[rank - 1]]) {
      return bad(space, "the value " + show_number(v) + " stands twice");
    }
  }
  low_ = values_[index_at_.front()];
  high_ = values_[index_at_.back()];
  return {};
}

Result<Axis> Axis::make(const ParamSpace& space) {
  Axis axis;
  axis.kind_ = space.kind;
  axis.integer_ = space.integer;
  const auto finite = [](double v) { return std::isfinite(v); };
  if (!finite(space.low) || !finite(space.high) || !finite(space.step) ||
      !std::all_of(space.values.begin(), space.values.end(), finite)) {
    return bad(space, "a number that is not finite");
  }
  if (space.kind == ValueKind::Values) {
    WINNOW_TRY(axis.set_values(space));
    return axis;
  }
  axis.low_ = space.low;
  axis.high_ = space.high;
  if (!(space.low < space.high)) {
    return bad(space, "the range from " + show_number(space.low) + " to " +
                          show_number(space.high) + " is empty");
  }
  if (space.kind == ValueKind::LogRange) {
    if (!(space.low > 0)) {
      return bad(space, "a logarithmic range must start above 0, not at " + show_number(space.low));
    }
    axis.log_low_ = det_log(space.low);
    axis.log_span_ = det_log(space.integer ? space.high + 1 : space.high) - axis.log_low_;
  } else if (space.step != 0) {
    WINNOW_TRY(axis.set_steps(space));
  } else if (space.integer) {
    ParamSpace ones = space;
    ones.step = 1;
    WINNOW_TRY(axis.set_steps(ones));
  }
  return axis;
}

std::uint64_t Axis::distinct() const {
  if (count_ > 0) return count_;
  return integer_ ? static_cast<std::uint64_t>(high_ - low_) + 1 : 0;
}

double Axis::value(std::uint64_t index) const {
  WINNOW_REQUIRES(index < count_);
  if (!values_.empty()) return values_[index];
  const auto i = static_cast<double>(index);
  if (scale_ > 0) return (first_ + i * stride_) / scale_ + 0.0;
  return low_ + i * step_;
}

double Axis::from_unit(double u) const {
  WINNOW_REQUIRES(u >= 0 && u < 1);
  if (count_ > 0) {
    const auto index = static_cast<std::uint64_t>(u * static_cast<double>(count_));
    return value(std::min(index, count_ - 1));
  }
  if (kind_ == ValueKind::LogRange) {
    const double v = det_exp(log_low_ + u * log_span_);
    return std::clamp(integer_ ? std::floor(v) : v, low_, high_);
  }
  return std::clamp(low_ + u * (high_ - low_), low_, high_);
}

double Axis::low() const { return low_; }
double Axis::high() const { return high_; }

double Axis::to_unit(double value) const {
  if (!(high_ > low_)) return 0;
  if (kind_ == ValueKind::LogRange) return (det_log(value) - log_low_) / log_span_;
  if (!values_.empty()) {
    // By position, so that values such as 1, 10, 100 are evenly far apart.
    const auto at =
        std::lower_bound(index_at_.begin(), index_at_.end(), value,
                         [&](std::uint32_t index, double v) { return values_[index] < v; });
    return static_cast<double>(at - index_at_.begin()) / static_cast<double>(count_ - 1);
  }
  return (value - low_) / (high_ - low_);
}

ParamSpace default_space(const engine::ParamDecl& decl) {
  ParamSpace space;
  space.name = std::string(decl.name);
  space.integer = decl.type == engine::ParamType::Int;
  space.low = space.high = decl.default_value;
  space.values = {decl.default_value};
  return space;
}

}  // namespace winnow::sweeps
