#include <cmath>
#include <cstdio>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/app.hpp"
#include "cli/output.hpp"
#include "cli/read_file.hpp"
#include "sweeps/verify/runner.hpp"

namespace winnow::cli {
namespace {

using sweeps::verify::CaseReport;
using sweeps::verify::FileReport;

constexpr ReadLimits kCases{.bytes_max = std::size_t{256} << 20};

Result<FileReport> verify_file(const std::filesystem::path& path) {
  Result<std::string> text = read_file(path, kCases);
  if (!text.ok()) return text.error();
  const std::filesystem::path folder = path.parent_path();
  Result<FileReport> report = sweeps::verify::verify_statistics(
      *text, [&](const std::string& name) { return read_file(folder / name, kCases); });
  if (!report.ok()) return report.error().within(path.string());
  return report;
}

nlohmann::json to_json(const CaseReport& c) {
  nlohmann::json j{{"name", c.name},
                   {"passed", c.passed},
                   {"compared", c.compared},
                   {"field", c.field},
                   {"message", c.message}};
  // JSON has no infinity: a miss without a tolerance to relate it to is null.
  j["error_to_tolerance"] = nullptr;
  j["error"] = nullptr;
  if (std::isfinite(c.error_to_tolerance)) j["error_to_tolerance"] = c.error_to_tolerance;
  if (std::isfinite(c.error)) j["error"] = c.error;
  return j;
}

void print_case(const CaseReport& c) {
  std::printf("  %s  %-44s %4zu values  error/tolerance %.3g%s%s\n", c.passed ? "pass" : "FAIL",
              c.name.c_str(), c.compared, c.error_to_tolerance, c.field.empty() ? "" : " at ",
              c.field.c_str());
  if (!c.message.empty()) std::printf("        %s\n", c.message.c_str());
}

int verify_stats(const Context& context, const std::vector<std::string>& files) {
  nlohmann::json out{{"files", nlohmann::json::array()}};
  std::size_t cases = 0;
  std::size_t failed = 0;
  for (const std::string& file : files) {
    const Result<FileReport> report = verify_file(file);
    if (!report.ok()) return fail(context, report.error());
    nlohmann::json list = nlohmann::json::array();
    if (!context.json) std::printf("%s (%s)\n", file.c_str(), report->id.c_str());
    for (const CaseReport& c : report->cases) {
      ++cases;
      failed += c.passed ? 0 : 1;
      list.push_back(to_json(c));
      if (!context.json) print_case(c);
    }
    out["files"].push_back({{"file", file},
                            {"id", report->id},
                            {"passed", report->passed()},
                            {"cases", std::move(list)}});
  }
  out["cases"] = cases;
  out["failed"] = failed;
  out["passed"] = failed == 0;
  if (context.json) {
    print_json(out);
  } else {
    std::printf("%zu cases, %zu failed\n", cases, failed);
  }
  return failed == 0 ? kDone : kFailed;
}

}  // namespace

void add_verify_commands(Command& app, Context& context) {
  Command* verify = app.add_subcommand("verify", "check what Winnow computes");
  verify->require_subcommand();
  add_truth_command(*verify, context);
  Command* stats = add_command(*verify, context, "stats",
                               "run statistic cases and compare with their expected values");
  auto files = std::make_shared<std::vector<std::string>>();
  stats->add_option("files", *files, "case files (JSON); data they name is beside them")
      ->required()
      ->existing_file();
  stats->callback([&context, files] {
    context.run = [&context, files] { return verify_stats(context, *files); };
  });
}

}  // namespace winnow::cli
