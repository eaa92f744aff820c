#include "tests/e2e/killing.hpp"

#include <gtest/gtest.h>
#include <signal.h>

#include <random>

#include "base/rng.hpp"
#include "tests/e2e/farm.hpp"
#include "tests/e2e/process.hpp"

namespace winnow::e2e {
namespace {

enum class Victim { Nobody, Child, Command };

Victim kill_one(const Process& run, Rng& rng) {
  const std::vector<pid_t> children = descendants(run.pid());
  if (children.empty()) return Victim::Nobody;
  const std::uint64_t victim = rng.below(children.size() + 1);
  if (victim == children.size()) {
    run.send(SIGKILL);
    return Victim::Command;
  }
  ::kill(children[victim], SIGKILL);
  return Victim::Child;
}

/// Until something runs and `bytes` have come or gone in the store, or the command is over.
void await_the_moment(const std::filesystem::path& home, Process& run, std::uint64_t bytes) {
  constexpr int kStuck_s = 120;
  std::uint64_t last = bytes_below(home / "store");
  std::uint64_t moved = 0;
  const bool came = eventually(kStuck_s, [&] {
    const std::uint64_t now = bytes_below(home / "store");
    moved += now > last ? now - last : last - now;
    last = now;
    return !run.running() || (moved >= bytes && !descendants(run.pid()).empty());
  });
  EXPECT_TRUE(came) << moved << " of " << bytes << " bytes were written: " << run.errors();
}

void run_lives(const std::filesystem::path& home, const Killing& killing, Rng& rng, int& kills) {
  constexpr int kSpared = 54;
  for (int life = 0;; ++life) {
    ASSERT_LT(life, killing.lives + kSpared) << "the sweep makes no progress";
    Process run(home, winnow_argv(home, {"sweep", "run", (home / "sweep.yaml").string(), "--nodes",
                                         "2", "--workers", "1", "--json"}));
    const int kills_in_this_life = life < killing.lives ? killing.kills_a_life : 0;
    bool command_died = false;
    for (int killed = 0; killed < kills_in_this_life && run.running() && !command_died;) {
      await_the_moment(home, run, rng.below(4) == 0 ? 0 : rng.below(killing.written_bytes_max));
      const Victim victim = kill_one(run, rng);
      if (victim == Victim::Nobody) continue;  // they are gone meanwhile
      ++killed;
      ++kills;
      command_died = victim == Victim::Command;
    }
    const int status = run.wait(240);
    ASSERT_NE(status, -1) << "stuck: " << run.errors();
    if (status == 0) return;
    ASSERT_TRUE(command_died) << "status " << status << ": " << run.errors();
  }
}

}  // namespace

int run_under_kills(const std::filesystem::path& home, const Killing& killing) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Rng rng(seed);
  int kills = 0;
  run_lives(home, killing, rng, kills);
  ::testing::Test::RecordProperty("kills", kills);
  return kills;
}

}  // namespace winnow::e2e
