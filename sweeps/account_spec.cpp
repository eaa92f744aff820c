#include "sweeps/account_spec.hpp"

#include "base/names.hpp"
#include "sweeps/yaml/yaml_tree.hpp"

namespace winnow::sweeps {
namespace {

using yaml::Cursor;

// A promise that holds less often than in nine of ten years is none.
constexpr double kAlphaMax = 0.10;
constexpr std::uint64_t kOpeningsMin = 4, kOpeningsMax = 10'000;
constexpr std::uint64_t kYearMin = 2020, kYearMax = 2200;

void read_fraction(const Cursor& root, std::string_view key, double most, double& out) {
  const auto at = root.find(key);
  if (!at) return;
  out = at->number("a number above 0 and at most " + show_number(most));
  if (!(out > 0 && out <= most)) {
    at->refuse(show_number(out) + " is not above 0 and at most " + show_number(most));
  }
}

AccountSpec read_account(const Cursor& root) {
  root.expect_map(
      "an account, as in {account: agents, users: [scout], alpha: 0.02, openings: 40}",
      {"account", "year", "users", "alpha", "openings", "level_max", "level_min", "share_max"});
  AccountSpec out;
  if (const auto at = root.find("account")) out.name = at->name("the account's name");
  if (const auto at = root.find("year")) out.year = at->count("a year", kYearMin, kYearMax);
  if (const auto at = root.find("users")) {
    for (const Cursor& user : at->list("a list of users, as in [scout]")) {
      out.users.push_back(user.text("a user's name"));
    }
  }
  read_fraction(root, "alpha", kAlphaMax, out.parameters.alpha);
  read_fraction(root, "level_max", kAlphaMax, out.parameters.level_max);
  read_fraction(root, "level_min", out.parameters.level_max, out.parameters.level_min);
  read_fraction(root, "share_max", 1, out.parameters.share_max);
  if (const auto at = root.find("openings")) {
    out.parameters.openings = at->count("openings a year", kOpeningsMin, kOpeningsMax);
  }
  return out;
}

}  // namespace

Result<AccountSpec> parse_account(std::string_view yaml, std::string_view file_name) {
  const Result<yaml::Node> root = yaml::load(yaml, file_name);
  if (!root) return root.error();
  try {
    return read_account(Cursor(file_name, *root, ""));
  } catch (const yaml::Refusal& refusal) {
    return refusal.error;
  }
}

}  // namespace winnow::sweeps
