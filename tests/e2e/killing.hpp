#pragma once

#include <cstdint>
#include <filesystem>

namespace winnow::e2e {

/// A sweep under SIGKILL: `lives` of its command, in each of which so many processes are killed;
/// after them it is left in peace until it is done. When one is killed follows from what the farm
/// has done and not from a clock: one in four dies as soon as there is one, the others when up to
/// `written_bytes_max` more have come or gone in the store.
struct Killing {
  int lives = 6;
  int kills_a_life = 6;
  std::uint64_t written_bytes_max = 500'000;
};

/// Runs `sweep.yaml` of `home` with two nodes and kills at random: a node, the coordinator or the
/// command with all that it started, which is then run again. The seed is drawn and is said with a
/// failure. Returns the kills. Fails the test if the sweep is not done at the end, or if a
/// command that nobody killed ends with an error.
int run_under_kills(const std::filesystem::path& home, const Killing& killing);

}  // namespace winnow::e2e
