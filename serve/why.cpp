#include "serve/why.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/formatted.hpp"

namespace winnow::serve {
namespace {

using sweeps::level::HypothesisState;

constexpr std::size_t kWordsMax = 3;

struct GateWords {
  std::string_view reason;  // what a reason of the score begins with
  std::string_view words;
};
// In the order in which they are said. Of a score that is too low the sentence speaks already.
constexpr std::array<GateWords, 10> kGateWords{{
    {"level: ", "luck alone does as well more often than its level allows"},
    {"gaps: ", "a gap that these days do not hold would cost too much of what it earns"},
    {"recency: ", "the edge is not there in the last third of the days"},
    {"stress: ", "one bad day that these days do not hold would take the edge"},
    {"heterogeneous: ", "only some of its variants have an edge"},
    {"survivorship: ", "variants that were launched have no result"},
    {"breadth: ", "it has too few different variants"},
    {"diversity: ", "its variants are too alike"},
    {"parameters: ", "its variants crowd in a part of the space"},
    {"required: ", "what the specification requires does not hold"},
}};

bool has_reason(const FamilyScore& family, std::string_view start) {
  return std::any_of(family.score.reasons.begin(), family.score.reasons.end(),
                     [&](const std::string& r) { return r.starts_with(start); });
}

bool in_words_only(const FamilyScore& family) {
  return family.opened && !family.opened->numbers_shown();
}

}  // namespace

void add_level_reason(FamilyScore& family) {
  if (!family.opened || in_words_only(family) || family.opened->looks.empty()) return;
  const sweeps::level::OpenedHypothesis& h = *family.opened;
  const HypothesisState state = h.in_account.state;
  if (state != HypothesisState::NotPromoted && state != HypothesisState::Open) return;
  const sweeps::level::LookRecord& look = h.looks.back();
  std::string text;
  if (look.p > look.bound) {
    text = formatted("level: p = %.4f at look %zu of %zu, at most %.4f needed", look.p, look.number,
                     h.claim.looks.size(), look.bound);
  } else if (!look.gates && family.score.reasons.empty()) {
    text = formatted("gates: one of them did not hold at look %zu of %zu", look.number,
                     h.claim.looks.size());
  } else {
    return;
  }
  family.score.reasons.insert(family.score.reasons.begin(), std::move(text));
}

std::string why_in_words(const FamilyScore& family) {
  if (in_words_only(family) || !family.not_opened.empty() || !family.score.scored) return {};
  const bool decided =
      !family.opened || family.opened->in_account.state == HypothesisState::NotPromoted;
  if (!decided) return {};
  if (has_reason(family, "skill: ")) {
    return family.skill.missing.empty() ? family.skill.text
                                        : "what the market did on these days is not known";
  }
  if (has_reason(family, "score: ")) {
    if (family.opened) return "its variants do not agree on an edge";
    const bool dying =
        family.score.verdict == sweeps::Verdict::Insufficient && has_reason(family, "recency: ");
    return dying ? "what there was is not there in the last third of the days" : "";
  }
  std::string out;
  std::size_t said = 0;
  for (const GateWords& gate : kGateWords) {
    if (said == kWordsMax || !has_reason(family, gate.reason)) continue;
    out += (out.empty() ? "" : "; ") + std::string(gate.words);
    ++said;
  }
  return out;
}

}  // namespace winnow::serve
