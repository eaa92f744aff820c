#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "sweeps/level/account_state.hpp"

namespace winnow::sweeps::level {

/// Purpose: the document of one account between its text and what its events make of it.
class AccountText {
 public:
  /// A new account without a text. Fails: Corrupt.
  static Result<AccountText> read(const std::string& key, const std::optional<std::string>& text);

  /// Adds an event: `open` (with `related`), or one of a hypothesis by its id: `look`, `kin`,
  /// `reveal`, `void`. Fails: Corrupt, Refused (the account is spent), InvalidInput.
  Status add(nlohmann::ordered_json event);
  const AccountState& state() const { return state_; }
  AccountState take_state() && { return std::move(state_); }
  std::string text() const;
  /// Before the first event.
  void declare(const AccountParameters& parameters, const std::vector<std::string>& users);

 private:
  AccountText() = default;

  OpenedHypothesis* find_own(const std::string& id);
  // The account's own view of a hypothesis, after each event.
  void follow(OpenedHypothesis& h);
  Status apply(const nlohmann::ordered_json& event);
  Status apply_open(const nlohmann::ordered_json& event);
  Status apply_look(const nlohmann::ordered_json& event, OpenedHypothesis& h);
  Status apply_kin(const nlohmann::ordered_json& event, OpenedHypothesis& h);

  nlohmann::ordered_json json_;
  AccountState state_;
};

Error corrupt_account(const std::string& key, const std::string& why);

}  // namespace winnow::sweeps::level
