#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "engine/execution.hpp"

namespace winnow::sweeps {

/// Rules of one instrument; `default` for those without their own.
struct ProfileRules {
  std::string instrument;
  std::vector<engine::InstrumentRules> rules;
};

/// Purpose: a whole profile file: the costs, and the rules of every instrument it names.
struct ExecutionProfile {
  engine::ExecutionModel costs;     ///< without rules
  std::vector<ProfileRules> rules;  ///< in the file's order
  /// The model for an instrument: its own rules, else those of `default`, else none. Any alias of a
  /// name will do (base/instrument.hpp): `BTC/USDT:USDT` is `BTC-USDT-SWAP`.
  engine::ExecutionModel model(std::string_view instrument) const;
  bool names(std::string_view instrument) const;
  /// What to tell whoever trades an instrument that has no rules of its own here; empty: it has.
  std::string fallback_note(std::string_view instrument) const;
};

/// Fails: InvalidInput as parse_spec.
Result<ExecutionProfile> parse_profile(std::string_view yaml, std::string_view file_name);

}  // namespace winnow::sweeps
