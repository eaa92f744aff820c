#include "sweeps/adaptive_spec.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/numbers.hpp"
#include "engine/engine.hpp"
#include "sweeps/stats/halving.hpp"

namespace winnow::sweeps {
namespace {

constexpr std::size_t kRungsMax = 16;

std::uint64_t power(std::uint64_t base, std::size_t exponent) {
  std::uint64_t out = 1;
  for (std::size_t i = 0; i < exponent; ++i) out *= base;
  return out;
}

// Sizes of the generations of one round of rungs.
std::vector<std::uint64_t> round_of(const ResolvedSpec& spec) {
  const std::size_t rungs = rung_lengths(spec).size();
  const std::uint64_t eta = spec.adaptive.eta;
  std::vector<std::uint64_t> out;
  if (spec.adaptive.fidelity == FidelityMethod::Halving) {
    for (std::size_t k = 0; k < rungs; ++k) {
      out.push_back(halving_rows(spec) / power(eta, k));
    }
  } else if (spec.adaptive.fidelity == FidelityMethod::Hyperband) {
    for (const auto& bracket :
         stats::hyperband(power(eta, rungs - 1), eta, stats::HyperbandRule::Table)) {
      for (const auto& rung : bracket.rungs) out.push_back(rung.configs * kAdaptiveBlockRows);
    }
  } else {
    out.push_back(spec.adaptive.generation);
  }
  return out;
}

}  // namespace

Error bad_search(const std::string& why) {
  return Error(ErrorCode::InvalidInput, "search: " + why);
}

std::uint64_t halving_rows(const ResolvedSpec& spec) {
  return round_up(spec.adaptive.generation,
                  kAdaptiveBlockRows * power(spec.adaptive.eta, rung_lengths(spec).size() - 1));
}

std::uint64_t whole_window_resource(const ResolvedSpec& spec) {
  return power(spec.adaptive.eta, rung_lengths(spec).size() - 1);
}

std::vector<DurationNs> rung_lengths(const ResolvedSpec& spec) {
  const DurationNs whole = spec.to - spec.from;
  std::vector<DurationNs> out;
  if (spec.learns() && spec.adaptive.fidelity != FidelityMethod::None) {
    const auto eta = static_cast<std::int64_t>(spec.adaptive.eta);
    for (DurationNs d = spec.adaptive.shortest; d < whole && out.size() < kRungsMax;) {
      out.push_back(d);
      if (d.ns > whole.ns / eta) break;
      d.ns *= eta;
    }
  }
  out.push_back(whole);
  return out;
}

std::uint64_t search_unit(const ResolvedSpec& spec) {
  std::uint64_t sum = 0;
  for (const std::uint64_t rows : round_of(spec)) sum += rows;
  return sum;
}

std::uint64_t generation_rows_max(const ResolvedSpec& spec) {
  const std::vector<std::uint64_t> all = round_of(spec);
  return *std::max_element(all.begin(), all.end());
}

Status check_adaptive(const ResolvedSpec& spec) {
  const AdaptiveSpec& a = spec.adaptive;
  const SamplerDecl& sampler = spec.method.decl();
  if (!spec.learns()) {
    if (!sampler.learns) return {};
    return bad_search("a method that learns needs a generation");
  }
  if (!sampler.learns && (a.fidelity == FidelityMethod::None || sampler.enumerates)) {
    return bad_search("a grid, and random points of one fidelity, do not learn");
  }
  if (a.generation % kAdaptiveBlockRows != 0 || a.generation > kGenerationRowsMax) {
    return bad_search("generation " + std::to_string(a.generation) + " is not a multiple of " +
                      std::to_string(kAdaptiveBlockRows) + " up to " +
                      std::to_string(kGenerationRowsMax));
  }
  const bool several = sampler.objectives_max > 1;
  if (a.objectives.size() < sampler.objectives_min ||
      a.objectives.size() > sampler.objectives_max) {
    const auto takes_several = [](const SamplerDecl& s) { return s.objectives_max > 1; };
    return bad_search(std::to_string(a.objectives.size()) + " objectives; " +
                      samplers_that(takes_several, " and ") +
                      " takes 2 to 16, the others take one");
  }
  for (const std::string& name : a.objectives) {
    if (engine::find_metric(name) < 0) return bad_search("no metric is named '" + name + "'");
  }
  if (a.fidelity != FidelityMethod::None) {
    if (several) {
      return bad_search("fidelity ranks by one objective, " + std::string(sampler.name) +
                        " has several");
    }
    if (a.eta < 2 || a.eta > 16)
      return bad_search("eta " + std::to_string(a.eta) + " is not 2 to 16");
    const std::size_t rungs = rung_lengths(spec).size();
    if (a.shortest.ns <= 0 || rungs < 2 || rungs > kRungsMax ||
        static_cast<double>(rungs - 1) * std::log2(static_cast<double>(a.eta)) > 20) {
      return bad_search("the shortest window of " + format_duration(a.shortest) + " makes " +
                        std::to_string(rungs) + " rungs below the whole of " +
                        format_duration(spec.to - spec.from) + "; take one that makes 2 to " +
                        std::to_string(kRungsMax));
    }
  }
  std::size_t width = 1;
  for (const StrategySpace& s : spec.strategies) width = std::max(width, s.params.size());
  const std::uint64_t bytes = generation_rows_max(spec) * width * sizeof(double);
  if (bytes > kGenerationBytesMax) {
    return bad_search("a generation of " + std::to_string(generation_rows_max(spec)) + " rows of " +
                      std::to_string(width) + " parameters is more than " +
                      std::to_string(kGenerationBytesMax >> 10) +
                      " KiB; take a smaller one, fewer rungs or a smaller eta");
  }
  if (spec.samples == 0 || spec.samples % search_unit(spec) != 0) {
    return bad_search(std::to_string(spec.samples) + " trials are not a multiple of " +
                      std::to_string(search_unit(spec)));
  }
  return {};
}

}  // namespace winnow::sweeps
