#include "sweeps/stats/halving.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "base/check.hpp"

namespace winnow::sweeps::stats {
namespace {

/// The `keep` best of `ids` by loss, ties to the lower id, best first.
std::vector<std::size_t> best_of(std::vector<std::size_t> ids, std::size_t keep,
                                 const std::function<double(std::size_t)>& loss) {
  std::stable_sort(ids.begin(), ids.end(), [&](std::size_t a, std::size_t b) {
    const double x = loss(a);
    const double y = loss(b);
    return x != y ? x < y : a < b;
  });
  ids.resize(std::min(keep, ids.size()));
  return ids;
}

}  // namespace

std::vector<Bracket> hyperband(std::uint64_t resource_max, std::uint64_t eta, HyperbandRule rule) {
  WINNOW_REQUIRES(eta >= 2 && resource_max >= 1);
  std::uint64_t s_max = 0;
  std::uint64_t power = 1;
  while (power <= resource_max / eta) {
    power *= eta;
    ++s_max;
  }
  std::vector<Bracket> out;
  for (std::uint64_t s = s_max + 1; s-- > 0; power /= eta) {
    const std::uint64_t n = rule == HyperbandRule::Table ? (s_max + 1) / (s + 1) * power
                                                         : ((s_max + 1) * power + s) / (s + 1);
    Bracket b{s, {}};
    std::uint64_t shrink = 1;
    for (std::uint64_t i = 0; i <= s; ++i, shrink *= eta) {
      b.rungs.push_back({n / shrink, static_cast<double>(resource_max) *
                                         static_cast<double>(shrink) / static_cast<double>(power)});
    }
    out.push_back(std::move(b));
  }
  return out;
}

std::vector<HalvingStep> successive_halving(const HalvingOptions& o, const Loss& loss) {
  std::vector<HalvingStep> trace;
  std::vector<std::size_t> alive(o.configs);
  std::iota(alive.begin(), alive.end(), std::size_t{0});
  double resource = o.resource_min;
  while (!alive.empty()) {
    trace.push_back({resource, alive});
    const double next = resource * static_cast<double>(o.eta);
    if (next > o.resource_max * (1 + 1e-12)) break;
    alive = best_of(alive, alive.size() / o.eta, [&](std::size_t c) { return loss(c, resource); });
    std::sort(alive.begin(), alive.end());
    resource = next;
  }
  return trace;
}

std::vector<AshaJob> asha(const HalvingOptions& o, std::size_t jobs, const Loss& loss) {
  std::vector<double> resource = {o.resource_min};
  while (resource.back() * static_cast<double>(o.eta) <= o.resource_max * (1 + 1e-12)) {
    resource.push_back(resource.back() * static_cast<double>(o.eta));
  }
  std::vector<std::vector<std::size_t>> done(resource.size());
  std::vector<std::vector<std::uint8_t>> promoted(resource.size(),
                                                  std::vector<std::uint8_t>(o.configs, 0));
  std::vector<AshaJob> trace;
  std::size_t fresh = 0;
  while (trace.size() < jobs) {
    std::optional<AshaJob> job;
    for (std::size_t rung = resource.size() - 1; rung-- > 0 && !job;) {
      const auto top = best_of(done[rung], done[rung].size() / o.eta,
                               [&](std::size_t c) { return loss(c, resource[rung]); });
      for (std::size_t c : top) {
        if (job || promoted[rung][c] != 0) continue;
        promoted[rung][c] = 1;
        job = AshaJob{c, rung + 1};
      }
    }
    if (!job) {
      if (fresh >= o.configs) break;
      job = AshaJob{fresh++, 0};
    }
    done[job->rung].push_back(job->config);
    trace.push_back(*job);
  }
  return trace;
}

}  // namespace winnow::sweeps::stats
