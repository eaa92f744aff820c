#include "sweeps/verify/runner.hpp"

#include <algorithm>
#include <array>
#include <exception>
#include <set>
#include <utility>

#include "sweeps/verify/case.hpp"
#include "sweeps/verify/compare.hpp"

namespace winnow::sweeps::verify {
namespace {

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> kKinds = [] {
    std::vector<Kind> k;
    add_convergence_kinds(k);
    add_search_kinds(k);
    add_optimiser_kinds(k);
    add_regime_kinds(k);
    add_sizing_kinds(k);
    add_bayes_kinds(k);
    add_validation_kinds(k);
    add_snooping_kinds(k);
    add_pbo_kinds(k);
    add_metrics_kinds(k);
    add_sharpe_kinds(k);
    add_multiplicity_kinds(k);
    add_level_kinds(k);
    return k;
  }();
  return kKinds;
}

/// What may stand beside inputs and expected values: where they come from, never what is computed.
bool is_remark(const std::string& key) {
  constexpr std::array kRemarks = {"provenance", "published", "source",      "note", "notes",
                                   "crosscheck", "title",     "arch_agrees", "must", "why"};
  return std::find(kRemarks.begin(), kRemarks.end(), key) != kRemarks.end() ||
         key.starts_with("oracle") || key.starts_with("expected_R");
}

void check_shape(const Json& node) {
  for (const auto& [key, value] : node.items()) {
    const bool part = key == "name" || key == "inputs" || key == "expected" || key == "tolerance";
    if (!part && !is_remark(key)) throw CaseFault{key + " is not known in a case"};
  }
  if (!node.contains("name") || !node["name"].is_string()) throw CaseFault{"name is no text"};
  for (const char* part : {"inputs", "expected"}) {
    if (!node.contains(part) || !node[part].is_object()) {
      throw CaseFault{std::string(part) + " is not an object"};
    }
  }
}

void run_kind(const Kind& kind, const Case& one, const Json& node, CaseReport& report) {
  // The libraries below report bad input by exceptions; here every one is a failed case.
  try {
    const Json computed = kind.compute(one);
    if (const std::string key = one.unread(); !key.empty()) {
      throw CaseFault{"inputs." + key + " is not known to this kind of case"};
    }
    const auto tolerance = node.find("tolerance");
    compare(one.expected(), computed,
            tolerance == node.end() ? Json(Json::value_t::discarded) : *tolerance, report,
            kind.nature);
  } catch (const CaseFault& fault) {
    report.passed = false;
    report.message = std::string(kind.title) + ": " + fault.text;
  } catch (const std::exception& e) {
    report.passed = false;
    report.message = std::string(kind.title) + ": " + e.what();
  }
}

CaseReport run_case(const Json& node, const ReadFile& read) {
  CaseReport report;
  const Case one(node, read);
  report.name = one.name();
  try {
    check_shape(node);
  } catch (const CaseFault& fault) {
    report.message = fault.text;
    return report;
  }
  const auto kind =
      std::find_if(kinds().begin(), kinds().end(), [&](const Kind& k) { return k.matches(one); });
  if (kind == kinds().end()) {
    report.message = "unknown kind of case: no statistic takes these inputs for these outputs";
    return report;
  }
  run_kind(*kind, one, node, report);
  return report;
}

/// Purpose: a JSON document, and which of its cases have an object that names a key twice: only one
/// of the two would be read. Thread: one.
class Document {
 public:
  explicit Document(std::string_view text) {
    json_ = Json::parse(
        text, [this](int, Json::parse_event_t event, Json& j) { return see(event, j); }, false);
  }
  const Json& json() const { return json_; }
  /// Keys that stand twice, with the number of the case (from 0) they stand in; -1: in none.
  const std::vector<std::pair<std::ptrdiff_t, std::string>>& doubled() const { return doubled_; }

 private:
  using Event = Json::parse_event_t;

  bool see(Event event, Json& j) {
    if (event == Event::object_start) {
      if (objects_.size() == 1 && arrays_ == 1) ++at_;
      objects_.emplace_back();
    } else if (event == Event::object_end) {
      objects_.pop_back();
    } else if (event == Event::array_start) {
      if (objects_.size() == 1 && arrays_ == 0) at_ = key_ == "cases" ? -1 : kElsewhere;
      ++arrays_;
    } else if (event == Event::array_end) {
      --arrays_;
      if (objects_.size() == 1 && arrays_ == 0) at_ = kElsewhere;
    } else if (event == Event::key) {
      key_ = j.get<std::string>();
      if (!objects_.back().insert(key_).second) {
        doubled_.emplace_back(std::max<std::ptrdiff_t>(at_, -1), key_);
      }
    }
    return true;
  }

  static constexpr std::ptrdiff_t kElsewhere = -1'000'000'000;
  std::vector<std::set<std::string>> objects_;
  int arrays_ = 0;
  std::ptrdiff_t at_ = kElsewhere;
  std::string key_;
  std::vector<std::pair<std::ptrdiff_t, std::string>> doubled_;
  Json json_;
};

Status check_file(const Json& file) {
  constexpr std::array kKnown = {"id",         "topic", "title", "cases",
                                 "provenance", "notes", "note",  "source"};
  for (const auto& [key, value] : file.items()) {
    if (std::find(kKnown.begin(), kKnown.end(), key) == kKnown.end()) {
      return Error(ErrorCode::InvalidInput, "'" + key + "' is not known at the top of a file");
    }
  }
  return {};
}

}  // namespace

bool FileReport::passed() const {
  return std::all_of(cases.begin(), cases.end(), [](const CaseReport& c) { return c.passed; });
}

Result<FileReport> verify_statistics(std::string_view json_text, const ReadFile& read) {
  const Document document(json_text);
  const Json& file = document.json();
  if (file.is_discarded()) return Error(ErrorCode::InvalidInput, "not a JSON document");
  if (!file.is_object()) {
    return Error(ErrorCode::InvalidInput, "no object with a list of cases under \"cases\"");
  }
  WINNOW_TRY(check_file(file));
  const Json cases = file.value("cases", Json());
  if (!cases.is_array() || cases.empty()) {
    return Error(ErrorCode::InvalidInput, "no list of cases under \"cases\"");
  }
  FileReport report;
  if (file.contains("id") && file["id"].is_string()) report.id = file["id"].get<std::string>();
  for (const Json& node : cases) {
    if (!node.is_object()) return Error(ErrorCode::InvalidInput, "a case is not an object");
    report.cases.push_back(run_case(node, read));
  }
  for (const auto& [at, key] : document.doubled()) {
    if (at < 0 || static_cast<std::size_t>(at) >= report.cases.size()) {
      return Error(ErrorCode::InvalidInput, "the key '" + key + "' stands twice in one object");
    }
    CaseReport& one = report.cases[static_cast<std::size_t>(at)];
    one.passed = false;
    one.message = "the key '" + key + "' stands twice in one object";
  }
  return report;
}

}  // namespace winnow::sweeps::verify
