#include "cli/progress.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <vector>

#include "cli/table.hpp"

namespace winnow::cli {
namespace {

constexpr double kSmoothingSeconds = 10;
constexpr std::size_t kBarMin = 10;
constexpr std::size_t kBarMax = 40;

double fraction(const ProgressState& s) {
  if (s.total == 0) return 0;
  return std::min(1.0, static_cast<double>(s.done) / static_cast<double>(s.total));
}

std::string bar(double frac, std::size_t width, bool unicode) {
  const double cells = frac * static_cast<double>(width);
  const auto full = std::min(width, static_cast<std::size_t>(cells));
  std::string out;
  if (!unicode) {
    out = "[" + std::string(full, '#') + std::string(width - full, '.') + "]";
    return out;
  }
  static constexpr std::array<const char*, 8> kEighths = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  for (std::size_t i = 0; i < full; ++i) out += "█";
  std::size_t used = full;
  const auto part = static_cast<std::size_t>((cells - static_cast<double>(full)) * 8);
  if (used < width && part > 0) {
    out += kEighths[std::min<std::size_t>(part, 7)];
    ++used;
  }
  for (; used < width; ++used) out += "░";
  return out;
}

// Rounded down, so that 100% means all of it.
std::string whole_percent(double frac) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%3d%%", static_cast<int>(frac * 100));
  return text.data();
}

std::string rate_text(double rate) {
  if (rate >= 100) return group_digits(static_cast<std::uint64_t>(std::llround(rate))) + "/s";
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), rate >= 10 ? "%.1f/s" : "%.2f/s", rate);
  return text.data();
}

std::string count_text(const ProgressState& s) {
  return s.total == 0 ? group_digits(s.done) : group_digits(s.done) + "/" + group_digits(s.total);
}

std::string plural(std::uint64_t n, const std::string& word) {
  return group_digits(n) + " " + word + (n == 1 ? "" : "s");
}

std::string crew_text(const ProgressState& s) {
  if (s.workers == 0) return "";
  std::string out = plural(s.workers, "worker");
  if (s.nodes > 0) out += " on " + plural(s.nodes, "node");
  return out;
}

std::string best_text(const ProgressState& s) {
  if (s.best_name.empty() || std::isnan(s.best)) return "";
  return "best " + s.best_name + " " + short_number(s.best);
}

std::string join_line(const std::vector<std::string>& parts) {
  std::string out;
  for (const std::string& part : parts) {
    if (part.empty()) continue;
    if (!out.empty()) out += "  ";
    out += part;
  }
  return out;
}

}  // namespace

void ProgressMeter::update(std::uint64_t done, std::uint64_t total, MonoNs now) {
  total_ = total;
  if (!started_) {
    started_ = true;
    first_ = last_ = now;
    first_done_ = done_ = done;
    return;
  }
  const double dt = (now - last_).seconds();
  // Counts may fall when results are taken back; that is no negative speed.
  const double fresh = done > done_ ? static_cast<double>(done - done_) : 0.0;
  const double decay = dt > 0 ? std::exp(-dt / kSmoothingSeconds) : 1.0;
  done_weighted_ = done_weighted_ * decay + fresh;
  seconds_weighted_ = seconds_weighted_ * decay + std::max(dt, 0.0);
  done_ = done;
  last_ = std::max(last_, now);
}

double ProgressMeter::rate_per_s() const {
  return seconds_weighted_ > 0 ? done_weighted_ / seconds_weighted_ : 0.0;
}

DurationNs ProgressMeter::elapsed() const { return last_ - first_; }

double ProgressMeter::rate_per_s_mean() const {
  const double seconds = elapsed().seconds();
  return seconds > 0 && done_ > first_done_ ? static_cast<double>(done_ - first_done_) / seconds
                                            : 0.0;
}

std::optional<DurationNs> ProgressMeter::left() const {
  constexpr double kSecondsMax = 1e9;  // thirty years: as good as never
  const double rate = rate_per_s();
  if (total_ == 0) return std::nullopt;
  if (done_ >= total_) return DurationNs{0};
  if (rate <= 0) return std::nullopt;
  const double seconds_left = static_cast<double>(total_ - done_) / rate;
  if (seconds_left > kSecondsMax) return std::nullopt;
  return DurationNs{static_cast<std::int64_t>(seconds_left * 1e9)};
}

std::string short_duration(DurationNs d) {
  const std::int64_t ms = std::max<std::int64_t>(d.ns, 0) / 1'000'000;
  std::array<char, 48> text{};
  const auto two = [&](std::int64_t a, const char* format, std::int64_t b) {
    std::snprintf(text.data(), text.size(), format, static_cast<long long>(a),
                  static_cast<long long>(b));
    return std::string(text.data());
  };
  if (ms < 1000) return std::to_string(ms) + "ms";
  const std::int64_t s = ms / 1000;
  if (s < 10) return two(s, "%lld.%llds", ms % 1000 / 100);
  if (s < 60) return std::to_string(s) + "s";
  if (s < 3600) return two(s / 60, "%lldm %02llds", s % 60);
  if (s < 86'400) return two(s / 3600, "%lldh %02lldm", s % 3600 / 60);
  return two(s / 86'400, "%lldd %02lldh", s % 86'400 / 3600);
}

std::string progress_line(const ProgressState& state, const ProgressMeter& meter,
                          const LineStyle& style) {
  const double frac = fraction(state);
  const std::string rate = meter.rate_per_s() > 0 ? rate_text(meter.rate_per_s()) : "";
  const auto left = meter.left();
  const std::string eta = left && state.done < state.total ? short_duration(*left) + " left" : "";
  const std::string failed = state.failed > 0 ? group_digits(state.failed) + " failed" : "";
  const std::string known = state.total > 0 ? whole_percent(frac) : "";
  // In the order of importance; `place` is the order on the line.
  struct Part {
    std::size_t place;
    std::string text;
  };
  const std::array<Part, 8> parts = {{{2, count_text(state)},
                                      {1, known},
                                      {5, eta},
                                      {4, rate},
                                      {3, failed},
                                      {7, best_text(state)},
                                      {6, crew_text(state)},
                                      {8, state.note}}};
  std::vector<std::string> line(9);
  const auto columns_of = [&] { return text_columns(join_line(line)); };
  const auto try_place = [&](std::size_t place, const std::string& text) {
    line[place] = printable(text);
    if (columns_of() > style.columns) line[place].clear();
  };
  for (std::size_t i = 0; i < 4; ++i) try_place(parts[i].place, parts[i].text);
  // A bar is worth more than the crew, but not more than the numbers.
  const std::size_t frame = style.unicode ? 0 : 2;
  std::string label = cut_text(printable(state.label), 24);
  const std::size_t lead = text_columns(label) + 2;
  const std::size_t room = style.columns - std::min(style.columns, columns_of() + 2 + frame);
  const bool bar_fits = state.total > 0 && room >= kBarMin;
  const bool label_fits = !label.empty() && room >= (bar_fits ? kBarMin : 0) + lead;
  std::size_t reserved = bar_fits ? kBarMin + 2 + frame : 0;
  if (label_fits) reserved += lead;
  for (std::size_t i = 4; i < parts.size(); ++i) {
    line[parts[i].place] = printable(parts[i].text);
    if (columns_of() + reserved > style.columns) line[parts[i].place].clear();
  }
  if (bar_fits) {
    const std::size_t taken = columns_of() + 2 + frame + (label_fits ? lead : 0);
    line[0] = bar(frac, std::min(kBarMax, style.columns - taken), style.unicode);
  }
  return join_line({label_fits ? label : "", join_line(line)});
}

std::string progress_sentence(const ProgressState& state, const ProgressMeter& meter) {
  std::string out = state.label.empty() ? "" : printable(state.label) + ": ";
  out += group_digits(state.done);
  if (state.total > 0) {
    std::array<char, 16> text{};
    // Rounded down, as in the bar.
    std::snprintf(text.data(), text.size(), "%.1f%%", std::floor(fraction(state) * 1000) / 10);
    out += " of " + group_digits(state.total) + " " + state.unit + " (" + text.data() + ")";
  } else {
    out += " " + state.unit;
  }
  if (meter.rate_per_s() > 0) out += ", " + rate_text(meter.rate_per_s());
  const auto left = meter.left();
  if (left && state.done < state.total) out += ", " + short_duration(*left) + " left";
  if (state.failed > 0) out += ", " + group_digits(state.failed) + " failed";
  for (const std::string& part : {crew_text(state), best_text(state), printable(state.note)}) {
    if (!part.empty()) out += ", " + part;
  }
  return out;
}

std::string progress_summary(const ProgressState& state, const ProgressMeter& meter) {
  std::string out = state.label.empty() ? "" : printable(state.label) + ": ";
  out += count_text(state) + " " + state.unit + " in " + short_duration(meter.elapsed());
  if (meter.rate_per_s_mean() > 0) out += " (" + rate_text(meter.rate_per_s_mean()) + ")";
  if (state.failed > 0) out += ", " + group_digits(state.failed) + " failed";
  const std::string best = best_text(state);
  if (!best.empty()) out += ", " + best;
  return out;
}

}  // namespace winnow::cli
