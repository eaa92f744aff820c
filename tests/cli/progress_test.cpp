#include "cli/progress.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "cli/table.hpp"

namespace winnow::cli {
namespace {

class FakeClock final : public Clock {
 public:
  TimestampNs now() const override { return {mono_.ns}; }
  MonoNs mono() const override { return mono_; }
  void advance(DurationNs d) { mono_ = mono_ + d; }

 private:
  MonoNs mono_{1'000'000'000};
};

ProgressState sweep_state(std::uint64_t done) {
  return {.label = "eth-mean-reversion",
          .done = done,
          .total = 100'000,
          .workers = 4,
          .nodes = 2,
          .best_name = "sharpe_ann",
          .best = 2.3456};
}

ProgressMeter meter_at(std::uint64_t done, double per_s) {
  ProgressMeter meter;
  MonoNs now{0};
  const auto step = static_cast<std::uint64_t>(per_s);
  for (std::uint64_t d = done % step; d <= done; d += step) {
    meter.update(d, 100'000, now);
    now = now + seconds(1);
  }
  return meter;
}

// All that can be read now; the writer is this process or has ended.
std::string drain(int fd) {
  std::string out;
  std::array<char, 4096> buffer{};
  pollfd p{fd, POLLIN, 0};
  while (poll(&p, 1, 0) > 0 && (p.revents & POLLIN) != 0) {
    const ssize_t n = read(fd, buffer.data(), buffer.size());
    if (n <= 0) break;
    out.append(buffer.data(), static_cast<std::size_t>(n));
  }
  return out;
}

TEST(ProgressMeter, MeasuresASteadyRateExactly) {
  ProgressMeter meter;
  for (int i = 0; i <= 50; ++i) meter.update(1000u + i * 200u, 21'000, {i * 1'000'000'000ll});
  EXPECT_NEAR(meter.rate_per_s(), 200, 1e-9);
  ASSERT_TRUE(meter.left());
  EXPECT_NEAR(meter.left()->seconds(), 50, 1e-6);
  EXPECT_EQ(meter.elapsed(), seconds(50));
}

TEST(ProgressMeter, DoesNotCountWhatWasDoneBefore) {
  ProgressMeter meter;
  meter.update(90'000, 100'000, {0});
  EXPECT_EQ(meter.rate_per_s(), 0);
  EXPECT_FALSE(meter.left());
  meter.update(90'100, 100'000, {1'000'000'000});
  EXPECT_NEAR(meter.rate_per_s(), 100, 1e-9);
}

TEST(ProgressMeter, SmoothsABurstAndForgetsASlowStart) {
  ProgressMeter meter;
  MonoNs now{0};
  std::uint64_t done = 0;
  meter.update(done, 1'000'000, now);
  for (int i = 0; i < 30; ++i) meter.update(done += 100, 1'000'000, now = now + seconds(1));
  meter.update(done += 1000, 1'000'000, now = now + seconds(1));
  EXPECT_LT(meter.rate_per_s(), 300);
  for (int i = 0; i < 60; ++i) meter.update(done += 500, 1'000'000, now = now + seconds(1));
  EXPECT_NEAR(meter.rate_per_s(), 500, 5);
}

TEST(ProgressMeter, SurvivesTimeStandingStillAndCountsFalling) {
  ProgressMeter meter;
  meter.update(10, 100, {5});
  meter.update(20, 100, {5});
  EXPECT_EQ(meter.rate_per_s(), 0);
  meter.update(5, 100, {1'000'000'005});
  EXPECT_GE(meter.rate_per_s(), 0);
  EXPECT_GE(meter.left().value_or(seconds(0)), seconds(0));
}

TEST(ProgressLine, FitsEveryWidthAndKeepsTheCount) {
  const ProgressMeter meter = meter_at(62'144, 8000);
  for (std::size_t columns = 1; columns <= 200; ++columns) {
    for (const bool unicode : {true, false}) {
      const std::string line =
          progress_line(sweep_state(62'144), meter, {.columns = columns, .unicode = unicode});
      EXPECT_LE(text_columns(line), columns) << line;
      if (columns < 14) continue;
      EXPECT_NE(line.find("62,144/100,000"), std::string::npos) << line;
    }
  }
}

TEST(ProgressLine, SaysEverythingWhenWide) {
  const std::string line = progress_line(sweep_state(62'144), meter_at(62'144, 8000),
                                         {.columns = 160, .unicode = false});
  EXPECT_EQ(line,
            "eth-mean-reversion  [########################................]   62%  62,144/100,000"
            "  8,000/s  4.7s left  4 workers on 2 nodes  best sharpe_ann 2.346");
}

TEST(ProgressLine, LeavesOutTheLeastImportantFirst) {
  const ProgressMeter meter = meter_at(62'144, 8000);
  const std::string eighty = progress_line(sweep_state(62'144), meter, {80, false});
  EXPECT_NE(eighty.find("left"), std::string::npos);
  EXPECT_NE(eighty.find('['), std::string::npos);
  EXPECT_EQ(eighty.find("workers"), std::string::npos) << eighty;
  const std::string forty = progress_line(sweep_state(62'144), meter, {40, false});
  EXPECT_EQ(forty.find('['), std::string::npos) << forty;
  EXPECT_NE(forty.find("8,000/s"), std::string::npos);
}

TEST(ProgressLine, ShowsAHundredPercentOnlyWhenDone) {
  ProgressMeter meter;
  meter.update(99'999, 100'000, {0});
  EXPECT_NE(progress_line(sweep_state(99'999), meter, {}).find(" 99%"), std::string::npos);
  EXPECT_NE(progress_line(sweep_state(100'000), meter, {}).find("100%"), std::string::npos);
}

TEST(ProgressLine, CannotBeSteeredByNames) {
  ProgressState state = sweep_state(5);
  state.label = "evil\x1b[2J\nname";
  const std::string line = progress_line(state, meter_at(5, 1), {.columns = 200});
  EXPECT_EQ(line.find('\x1b'), std::string::npos);
  EXPECT_EQ(line.find('\n'), std::string::npos);
}

TEST(ProgressSentence, IsOnePlainLine) {
  EXPECT_EQ(progress_sentence(sweep_state(62'144), meter_at(62'144, 8000)),
            "eth-mean-reversion: 62,144 of 100,000 variants (62.1%), 8,000/s, 4.7s left, 4 workers "
            "on 2 nodes, best sharpe_ann 2.346");
  ProgressState unknown{.label = "import", .unit = "rows", .done = 1234};
  EXPECT_EQ(progress_sentence(unknown, ProgressMeter{}), "import: 1,234 rows");
}

TEST(ShortDuration, UsesTwoUnits) {
  EXPECT_EQ(short_duration(milliseconds(850)), "850ms");
  EXPECT_EQ(short_duration(milliseconds(4230)), "4.2s");
  EXPECT_EQ(short_duration(seconds(59)), "59s");
  EXPECT_EQ(short_duration(seconds(185)), "3m 05s");
  EXPECT_EQ(short_duration(seconds(7440)), "2h 04m");
  EXPECT_EQ(short_duration(hours(76)), "3d 04h");
  EXPECT_EQ(short_duration({-5}), "0ms");
}

TEST(Progress, WritesALineEveryFewSecondsIntoAPipe) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);
  FakeClock clock;
  {
    Progress progress({.fd = ends[1]}, clock);
    EXPECT_EQ(progress_mode({.fd = ends[1]}), ProgressMode::Lines);
    for (int i = 0; i <= 120; ++i) {  // 12 seconds
      progress.update(sweep_state(static_cast<std::uint64_t>(i) * 100));
      clock.advance(milliseconds(100));
    }
    const std::string out = drain(ends[0]);
    EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 2) << out;
    EXPECT_EQ(out.find('\x1b'), std::string::npos);
    EXPECT_EQ(out.find('\r'), std::string::npos);
    EXPECT_NE(out.find("5,000 of 100,000 variants (5.0%), 1,000/s"), std::string::npos) << out;
    progress.finish();
    progress.finish();
  }
  const std::string last = drain(ends[0]);
  EXPECT_EQ(std::count(last.begin(), last.end(), '\n'), 1) << last;
  EXPECT_NE(last.find("12,000/100,000 variants in 12s"), std::string::npos) << last;
  close(ends[0]);
  close(ends[1]);
}

TEST(Progress, IsSilentWhenQuiet) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);
  FakeClock clock;
  {
    Progress progress({.quiet = true, .fd = ends[1]}, clock);
    for (int i = 0; i < 100; ++i) {
      progress.update(sweep_state(5));
      clock.advance(seconds(1));
    }
    progress.say("hello");
    progress.finish();
  }
  EXPECT_EQ(drain(ends[0]), "");
  close(ends[0]);
  close(ends[1]);
}

class TerminalTest : public testing::Test {
 protected:
  void SetUp() override {
    setenv("TERM", "xterm", 1);
    control_ = posix_openpt(O_RDWR | O_NOCTTY);
    ASSERT_GE(control_, 0);
    ASSERT_EQ(grantpt(control_), 0);
    ASSERT_EQ(unlockpt(control_), 0);
    terminal_ = open(ptsname(control_), O_RDWR | O_NOCTTY);
    ASSERT_GE(terminal_, 0);
    winsize size{};
    size.ws_col = 60;
    size.ws_row = 24;
    ASSERT_EQ(ioctl(terminal_, TIOCSWINSZ, &size), 0);
  }
  void TearDown() override {
    close(terminal_);
    close(control_);
  }
  int control_ = -1;
  int terminal_ = -1;
};

TEST_F(TerminalTest, RedrawsOneLineAndRestoresTheCursor) {
  FakeClock clock;
  {
    Progress progress({.fd = terminal_}, clock);
    for (int i = 0; i < 10; ++i) {
      progress.update(sweep_state(static_cast<std::uint64_t>(i) * 1000));
      clock.advance(milliseconds(100));
    }
    const std::string out = drain(control_);
    EXPECT_EQ(out.rfind("\x1b[?25l", 0), 0u);
    EXPECT_EQ(out.find('\n'), std::string::npos);
    EXPECT_NE(out.find("9,000/100,000"), std::string::npos);
  }
  const std::string end = drain(control_);
  EXPECT_TRUE(end.ends_with("\x1b[?25h")) << end;
}

TEST_F(TerminalTest, ASignalRestoresTheCursorAndStillEndsTheProcess) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    signal(SIGINT, SIG_DFL);
    FakeClock clock;
    Progress progress({.fd = terminal_}, clock);
    progress.update(sweep_state(1));
    raise(SIGINT);
    _exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGINT);
  const std::string out = drain(control_);
  EXPECT_NE(out.find("\x1b[?25l"), std::string::npos);
  EXPECT_TRUE(out.ends_with("\x1b[?25h"));
}

int caught = 0;

TEST_F(TerminalTest, ASignalStillReachesTheEarlierHandler) {
  caught = 0;
  struct sigaction mine {};
  struct sigaction before {};
  mine.sa_handler = [](int) { ++caught; };
  ASSERT_EQ(sigaction(SIGTERM, &mine, &before), 0);
  {
    FakeClock clock;
    Progress progress({.fd = terminal_}, clock);
    raise(SIGTERM);
    EXPECT_EQ(caught, 1);
  }
  raise(SIGTERM);
  EXPECT_EQ(caught, 2);
  struct sigaction now {};
  sigaction(SIGTERM, &before, &now);
  EXPECT_EQ(now.sa_handler, mine.sa_handler);
}

}  // namespace
}  // namespace winnow::cli
