#include "tests/e2e/killing.hpp"

#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <thread>

#include "base/rng.hpp"
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

void run_lives(const std::filesystem::path& home, const Killing& killing, Rng& rng, int& kills) {
  constexpr int kSpared = 54;
  for (int life = 0;; ++life) {
    ASSERT_LT(life, killing.lives + kSpared) << "the sweep makes no progress";
    Process run(home, winnow_argv(home, {"sweep", "run", (home / "sweep.yaml").string(), "--nodes",
                                         "2", "--workers", "1", "--json"}));
    const int kills_in_this_life = life < killing.lives ? killing.kills_a_life : 0;
    bool command_died = false;
    for (int killed = 0; killed < kills_in_this_life && run.running() && !command_died;) {
      std::this_thread::sleep_for(std::chrono::milliseconds(30 + rng.below(killing.wait_ms_max)));
      const Victim victim = kill_one(run, rng);
      if (victim == Victim::Nobody) continue;  // nothing is started yet
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
  const auto seed =
      static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
  SCOPED_TRACE("seed " + std::to_string(seed));
  Rng rng(seed);
  int kills = 0;
  run_lives(home, killing, rng, kills);
  ::testing::Test::RecordProperty("kills", kills);
  return kills;
}

}  // namespace winnow::e2e
