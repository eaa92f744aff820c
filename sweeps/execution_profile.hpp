#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "engine/execution.hpp"

namespace winnow::sweeps {

/// No larger maker rebate is taken from a profile: the largest that a large venue has paid to all
/// its makers, or to those of its highest tier, is 2.5 bps. What earns only with a larger one earns
/// nowhere.
inline constexpr double kMakerRebateBpsMax = 2.5;

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

/// What trading costs and a profile does not charge: "no taker fee, no spread and no impact, and it
/// pays makers 1 bps". Empty: it charges all of it, or it is `none`, which says so.
std::string uncharged_text(const engine::ExecutionModel& model);

/// First 12 digits of the SHA-256 of all that a profile says but its name and description: who
/// trades by the same costs and rules has the same, however the file is written or called.
std::string profile_hash(const ExecutionProfile& profile);

/// Names of shipped profiles are reserved: whoever reads one knows what it costs.
struct ReservedName {
  std::string_view name;          ///< that the profile has or is asked for by
  std::string_view shipped_yaml;  ///< the shipped profile's text
};
/// Fails: InvalidInput where the profile says something else than the shipped one.
Status check_reserved(const ExecutionProfile& profile, const ReservedName& reserved);

}  // namespace winnow::sweeps
