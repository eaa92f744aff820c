#include "cli/asker.hpp"

#include <cstdlib>

#include "cli/door.hpp"
#include "cli/read_file.hpp"
#include "cluster/token.hpp"

namespace winnow::cli {
namespace {

constexpr std::size_t kTokenBytesMax = 4096;
constexpr DurationNs kIntroductionPatience = seconds(10);

std::string from_environment(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr ? value : "";
}

std::string claimed_user(const Context& context) {
  return context.user.empty() ? from_environment("WINNOW_USER") : context.user;
}

}  // namespace

Result<std::string> token_text(const Context& context) {
  std::string text;
  if (context.token_file.empty()) {
    text = from_environment("WINNOW_TOKEN");
  } else {
    auto read = read_file(context.token_file, {.bytes_max = kTokenBytesMax});
    if (!read) return read.error().within("--token-file");
    text = *std::move(read);
    if (text.find_first_not_of(" \t\r\n") == std::string::npos) {
      return Error(ErrorCode::InvalidInput, "--token-file " + context.token_file + " is empty");
    }
  }
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return std::string();
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

Result<actors::Present> credential(const Context& context) {
  auto token = token_text(context);
  if (!token) return token.error();
  return actors::Present{*std::move(token), claimed_user(context)};
}

Status introduce(const Context& context, actors::Client& client) {
  const auto shown = credential(context);
  if (!shown) return shown.error();
  if (shown->token.empty() && shown->claimed.empty()) return {};
  const auto known = client.present(*shown, kIntroductionPatience);
  return known ? Status() : known.error();
}

Result<cluster::Principal> asker(const Context& context) {
  const auto shown = credential(context);
  if (!shown) return shown.error();
  cluster::Principal who = cluster::own_account();
  if (!shown->token.empty()) {
    auto found = cluster::TokenReader(context.home()).find(shown->token, system_clock().now());
    if (!found) return found.error();
    who = *std::move(found);
  }
  WINNOW_TRY(cluster::check_claim(who, shown->claimed));
  return who;
}

Status check_asker(const Context& context, cluster::Rights least, std::string_view what) {
  const auto who = asker(context);
  if (!who) return who.error();
  return cluster::check_rights(*who, least, what);
}

void add_user_option(Command& command, Context& context) {
  command.add_option("--user", context.user,
                     "a check of who asks: refused unless the credential is of that name "
                     "(default: $WINNOW_USER, else no check)");
}

void add_credential_options(Command& command, Context& context) {
  add_identity_option(command, context);
  command.add_option("--token-file", context.token_file,
                     "file of a token of `winnow token create`: asks as its holder (default: "
                     "$WINNOW_TOKEN, else as this account)");
}

}  // namespace winnow::cli
