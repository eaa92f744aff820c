// The farm in one process under seeded faults: winnow_sim --help.

#include <spdlog/spdlog.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>

#include "tests/sim/explore.hpp"

namespace {

constexpr const char* kHelp =
    "winnow_sim: runs the coordinator and its nodes in one process, under a seed\n"
    "  --seeds N         so many seeds (default 10000), shared among the workloads\n"
    "  --first N         the first seed (default 1)\n"
    "  --workload NAME   this workload only (a file of tests/sim/workloads, without .yaml)\n"
    "  --seed N          this seed only, of the workload named\n"
    "  --trace           with --seed: prints what happens\n"
    "  --canary N        breaks a part on purpose (1 to 9, tests/sim/hosts.hpp)\n";

bool number(const char* text, std::uint64_t& into) {
  const char* end = text + std::strlen(text);
  return std::from_chars(text, end, into).ptr == end && *text != '\0';
}

}  // namespace

int main(int argc, char** argv) {
  using namespace winnow::sim;
  spdlog::set_level(spdlog::level::off);
  Exploration what;
  what.seeds = 10'000;
  std::optional<std::uint64_t> only;
  std::uint64_t canary = 0;
  bool good = true;
  for (int i = 1; i < argc && good; ++i) {
    const std::string_view arg = argv[i];
    std::uint64_t seed = 0;
    const bool more = i + 1 < argc;
    if (arg == "--trace") {
      what.options.print = true;
    } else if (arg == "--workload" && more) {
      what.workload = argv[++i];
    } else if (arg == "--seeds" && more) {
      good = number(argv[++i], what.seeds);
    } else if (arg == "--first" && more) {
      good = number(argv[++i], what.first);
    } else if (arg == "--canary" && more) {
      good = number(argv[++i], canary) && canary <= 9;
    } else if (arg == "--seed" && more) {
      good = number(argv[++i], seed);
      only = seed;
    } else {
      good = false;
    }
  }
  if (!good || (only && what.workload.empty()) || (what.options.print && !only)) {
    std::fputs(kHelp, stderr);
    return argc == 2 && std::string_view(argv[1]) == "--help" ? 0 : 2;
  }
  what.options.canary = static_cast<Canary>(canary);
  if (only) {
    what.first = *only;
    what.seeds = 1;
  }
  const auto start = std::chrono::steady_clock::now();
  const auto found = explore(what);
  if (!found) {
    std::fprintf(stderr, "%s\n", found.error().text().c_str());
    return 2;
  }
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
  std::printf("%s in %.1f s\n", found->summary().c_str(), spent.count());
  return found->failures.empty() ? 0 : 1;
}
