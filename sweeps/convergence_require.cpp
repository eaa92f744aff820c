#include "sweeps/convergence_require.hpp"

#include <array>
#include <cmath>
#include <cstdio>

#include "base/names.hpp"
#include "base/numbers.hpp"
#include "sweeps/filter.hpp"

namespace winnow::sweeps {
namespace {

struct ScoreNumber {
  const char* name;
  double (*of)(const Convergence&);
};
constexpr std::array<ScoreNumber, 10> kScoreNumbers{{
    {"c", [](const Convergence& s) { return s.c; }},
    {"evidence", [](const Convergence& s) { return s.evidence; }},
    {"coverage", [](const Convergence& s) { return s.coverage; }},
    {"block_sign_frac", [](const Convergence& s) { return s.block_sign_frac; }},
    {"variant_sign_frac", [](const Convergence& s) { return s.variant_sign_frac; }},
    {"mu_sharpe_ann", [](const Convergence& s) { return s.mu_sharpe_ann; }},
    {"tau", [](const Convergence& s) { return s.tau; }},
    {"mean_correlation", [](const Convergence& s) { return s.mean_correlation; }},
    {"c_stress", [](const Convergence& s) { return s.c_stress; }},
    {"distinct", [](const Convergence& s) { return static_cast<double>(s.distinct); }},
}};

std::span<const ValidationNumber> declared_numbers(std::string_view validation_json) {
  if (validation_json.empty()) return {};
  const auto protocol = declared_validation(validation_json);
  if (!protocol.ok()) return {};
  return validation_numbers(protocol->kind);
}

/// As people read numbers; six digits tell it from any limit that they write.
std::string short_text(double v) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", v);
  return text;
}

/// In the order of requirement_names.
std::vector<double> values_of(std::string_view validation_json, const Convergence& score,
                              const FamilyValidation* validation) {
  std::vector<double> out;
  for (const ValidationNumber& number : declared_numbers(validation_json)) {
    out.push_back(validation == nullptr ? kNaN : number.of(*validation));
  }
  for (const ScoreNumber& number : kScoreNumbers) {
    out.push_back(score.scored ? number.of(score) : kNaN);
  }
  return out;
}

}  // namespace

std::vector<std::string> requirement_names(std::string_view validation_json) {
  std::vector<std::string> out;
  for (const ValidationNumber& n : declared_numbers(validation_json)) out.emplace_back(n.name);
  for (const ScoreNumber& n : kScoreNumbers) out.emplace_back(n.name);
  return out;
}

Status check_requirement(std::string_view text, std::span<const std::string> names) {
  const auto filter = Filter::parse(text, names);
  if (!filter.ok()) {
    std::string why(filter.error().text());
    constexpr std::string_view kOption = "--where, ";
    if (why.starts_with(kOption)) why.erase(0, kOption.size());
    return Error(ErrorCode::InvalidInput, show_text(text) + ": " + why);
  }
  if (filter->columns().empty()) {
    return Error(ErrorCode::InvalidInput, show_text(text) + " requires nothing");
  }
  return {};
}

std::vector<std::string> failed_requirements(std::span<const std::string> require,
                                             std::string_view validation_json,
                                             const Convergence& score,
                                             const FamilyValidation* validation,
                                             std::string_view reason) {
  const std::vector<std::string> names = requirement_names(validation_json);
  const std::vector<double> values = values_of(validation_json, score, validation);
  std::vector<std::string> out;
  for (const std::string& text : require) {
    const auto filter = Filter::parse(text, names);
    if (!filter.ok()) {
      out.push_back("required: " + text + ", which cannot be read: " + filter.error().text());
      continue;
    }
    std::vector<std::span<const double>> columns;
    std::string shown;
    bool missing = false;
    for (const std::uint32_t column : filter->columns()) {
      columns.push_back(std::span(values).subspan(column, 1));
      const bool there = std::isfinite(values[column]);
      missing = missing || !there;
      shown += (shown.empty() ? "" : ", ") + names[column] + " is " +
               (there ? short_text(values[column]) : "not measurable");
    }
    if (!missing && !filter->select(columns, 1).empty()) continue;
    if (missing && !reason.empty()) shown += " (" + std::string(reason) + ")";
    out.push_back("required: " + text + ", but " + shown);
  }
  return out;
}

void apply_requirements(std::span<const std::string> failed, Convergence& score) {
  if (failed.empty()) return;
  if (score.verdict == Verdict::Converged) score.verdict = Verdict::Insufficient;
  score.reasons.insert(score.reasons.end(), failed.begin(), failed.end());
}

}  // namespace winnow::sweeps
