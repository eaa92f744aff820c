#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "sweeps/verify/case_report.hpp"

namespace winnow::sweeps::verify {

struct FileReport {
  std::string id;
  std::vector<CaseReport> cases;
  bool passed() const;
};

/// Purpose: runs every case of a statistics vector file: {"id", "cases": [{"name", "inputs",
/// "expected", "tolerance"}]}. What a case asks for is told from the keys of its inputs and
/// expected values (the name decides only between cases of one shape); everything is computed from
/// the inputs. A case fails and says so if it is of an unknown shape, expects a value that is not
/// computed, holds an input that its kind does not read, a value of another type, a key that stands
/// twice, or a tolerance that names no field or lets nearly anything pass. Fails: InvalidInput if
/// the text is not such a file.
Result<FileReport> verify_statistics(std::string_view json_text, const ReadFile& read);

}  // namespace winnow::sweeps::verify
