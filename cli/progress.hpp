#pragma once

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "base/time.hpp"

namespace winnow::cli {

/// What long work has done so far; the caller's snapshot.
struct ProgressState {
  std::string label = {};         ///< `eth-mean-reversion`
  std::string unit = "variants";  ///< what is counted, plural
  std::uint64_t done = 0;
  std::uint64_t total = 0;  ///< 0: not known
  std::uint64_t failed = 0;
  std::uint32_t workers = 0;  ///< 0: not worth a word
  std::uint32_t nodes = 0;
  std::string best_name = {};  ///< metric of `best`; empty: none yet
  double best = std::numeric_limits<double>::quiet_NaN();
  std::string note = {};  ///< shown last, such as `waiting for a node`
};

/// Purpose: speed and time left, smoothed over the last ten seconds or so. What was done before the
/// first update (a resumed sweep) does not count as speed. Pure: time is an argument. Thread: one.
class ProgressMeter {
 public:
  void update(std::uint64_t done, std::uint64_t total, MonoNs now);
  /// Per second; 0 before there is anything to measure.
  double rate_per_s() const;
  /// Since the first update.
  DurationNs elapsed() const;
  /// Over all of the time since the first update.
  double rate_per_s_mean() const;
  /// None while it cannot be known.
  std::optional<DurationNs> left() const;

 private:
  bool started_ = false;
  MonoNs first_;
  MonoNs last_;
  std::uint64_t first_done_ = 0;
  std::uint64_t done_ = 0;
  std::uint64_t total_ = 0;
  double done_weighted_ = 0;
  double seconds_weighted_ = 0;
};

struct LineStyle {
  std::size_t columns = 80;
  bool unicode = true;
};

/// One line of at most `columns` characters, no newline: bar, count, rate, time left, workers,
/// best. What does not fit is left out, the least important first.
std::string progress_line(const ProgressState& state, const ProgressMeter& meter,
                          const LineStyle& style);
/// The same as a sentence for logs and pipes, no newline.
std::string progress_sentence(const ProgressState& state, const ProgressMeter& meter);
/// What is left to say when the work has ended.
std::string progress_summary(const ProgressState& state, const ProgressMeter& meter);

/// `850ms`, `42s`, `3m 05s`, `2h 04m`, `3d 04h`.
std::string short_duration(DurationNs d);

enum class ProgressMode { Silent, Terminal, Lines };

struct ProgressOptions {
  bool quiet = false;
  int fd = 2;                             ///< never stdout: --json owns it
  DurationNs redraw = milliseconds(100);  ///< on a terminal
  DurationNs line_every = seconds(5);     ///< in a pipe
};

/// Silent with quiet, Terminal if `fd` is one, Lines otherwise.
ProgressMode progress_mode(const ProgressOptions& options);

/// Purpose: shows a ProgressState on stderr while work goes on. On a terminal the cursor is hidden
/// and one line is redrawn; the cursor comes back on destruction and on signals, whose earlier
/// handlers still run. Thread: one. Limits: one at a time in a process.
class Progress {
 public:
  explicit Progress(const ProgressOptions& options = {}, const Clock& clock = system_clock());
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Cheap to call often: draws only when it is time to.
  void update(const ProgressState& state);
  /// Removes the line and prints a summary of the last state; later calls do nothing.
  void finish();
  /// Prints a line of text above the bar (as it is, in a pipe); nothing when silent.
  void say(const std::string& text);

  const ProgressMeter& meter() const { return meter_; }

 private:
  void draw();
  void write_text(const std::string& text) const;
  void clear_line();

  ProgressOptions options_;
  const Clock& clock_;
  ProgressMode mode_;
  ProgressMeter meter_;
  ProgressState state_;
  bool updated_ = false;
  bool finished_ = false;
  bool drawn_ = false;
  std::optional<MonoNs> last_output_;
};

}  // namespace winnow::cli
