#include "sweeps/verify/runner.hpp"

#include <algorithm>
#include <exception>

#include "sweeps/verify/case.hpp"
#include "sweeps/verify/compare.hpp"

namespace winnow::sweeps::verify {
namespace {

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> kKinds = [] {
    std::vector<Kind> k;
    add_convergence_kinds(k);
    add_search_kinds(k);
    add_regime_kinds(k);
    add_sizing_kinds(k);
    add_validation_kinds(k);
    add_snooping_kinds(k);
    add_pbo_kinds(k);
    add_metrics_kinds(k);
    add_sharpe_kinds(k);
    return k;
  }();
  return kKinds;
}

CaseReport run_case(const Json& node, const ReadFile& read) {
  CaseReport report;
  const Case one(node, read);
  report.name = one.name();
  const auto kind =
      std::find_if(kinds().begin(), kinds().end(), [&](const Kind& k) { return k.matches(one); });
  if (kind == kinds().end()) {
    report.message = "unknown kind of case: no statistic takes these inputs for these outputs";
    return report;
  }
  // The libraries below report bad input by exceptions; here every one is a failed case.
  try {
    const Json computed = kind->compute(one);
    compare(one.expected(), computed, node.value("tolerance", Json()), report);
  } catch (const CaseFault& fault) {
    report.passed = false;
    report.message = std::string(kind->title) + ": " + fault.text;
  } catch (const std::exception& e) {
    report.passed = false;
    report.message = std::string(kind->title) + ": " + e.what();
  }
  return report;
}

}  // namespace

bool FileReport::passed() const {
  return std::all_of(cases.begin(), cases.end(), [](const CaseReport& c) { return c.passed; });
}

Result<FileReport> verify_statistics(std::string_view json_text, const ReadFile& read) {
  const Json file = Json::parse(json_text, nullptr, false);
  if (file.is_discarded()) return Error(ErrorCode::InvalidInput, "not a JSON document");
  const Json& cases = file.is_object() && file.contains("cases") ? file["cases"] : file;
  if (!cases.is_array() || cases.empty()) {
    return Error(ErrorCode::InvalidInput, "no list of cases under \"cases\"");
  }
  FileReport report;
  if (file.is_object()) report.id = file.value("id", std::string());
  for (const Json& node : cases) {
    if (!node.is_object()) return Error(ErrorCode::InvalidInput, "a case is not an object");
    report.cases.push_back(run_case(node, read));
  }
  return report;
}

}  // namespace winnow::sweeps::verify
