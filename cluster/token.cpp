#include "cluster/token.hpp"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>

#include "base/hash.hpp"
#include "cluster/authority.hpp"
#include "cluster/folder_lock.hpp"

namespace winnow::cluster {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kIdDigits = 8;
constexpr std::size_t kSecretDigits = 64;
constexpr std::string_view kTokenPrefix = "wn_";
constexpr DurationNs kUsesKeptEvery = seconds(60);

fs::path tokens_file(const fs::path& folder) { return folder / "tokens"; }
fs::path uses_file(const fs::path& folder) { return folder / "tokens.used"; }

Result<std::string> random_digits(std::size_t digits) {
  std::array<unsigned char, kSecretDigits / 2> bytes{};
  if (::RAND_bytes(bytes.data(), static_cast<int>(digits / 2)) != 1) {
    return Error(ErrorCode::Internal, "the system gives no random numbers");
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < digits / 2; ++i) {
    text += kDigits[bytes[i] >> 4];
    text += kDigits[bytes[i] & 15u];
  }
  return text;
}

std::string line_of(const Token& token) {
  return token.id + " " + std::string(rights_name(token.rights)) + " " + token.name + " " +
         std::to_string(token.created.ns) + " " + std::to_string(token.valid_until.ns) + " " +
         token.secret_sha256 + " " + std::to_string(token.revoked.ns) + "\n";
}

Result<std::vector<Token>> read_tokens(const fs::path& folder) {
  const fs::path file = tokens_file(folder);
  std::error_code ec;
  if (!fs::exists(file, ec)) return std::vector<Token>();
  std::ifstream in(file);
  if (!in) return Error(ErrorCode::Io, "cannot read " + file.string());
  std::vector<Token> tokens;
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    Token token;
    std::string role;
    const bool whole =
        static_cast<bool>(words >> token.id >> role >> token.name >> token.created.ns >>
                          token.valid_until.ns >> token.secret_sha256 >> token.revoked.ns);
    const auto rights = parse_rights(role);
    if (!whole || !rights || token.id.size() != kIdDigits ||
        token.secret_sha256.size() != kSecretDigits) {
      return Error(
          ErrorCode::Corrupt,
          file.string() + ": line " + std::to_string(tokens.size() + 1) + " is no token's record");
    }
    token.rights = *rights;
    tokens.push_back(std::move(token));
  }
  return tokens;
}

std::map<std::string, TimestampNs> read_uses(const fs::path& folder) {
  std::map<std::string, TimestampNs> uses;
  std::ifstream in(uses_file(folder));
  std::string id;
  TimestampNs at;
  while (in >> id >> at.ns) uses[id] = at;
  return uses;
}

/// The parts of `wn_ROLE_ID_SECRET` that matter. Empty: it is no token.
struct Parts {
  std::string_view id, secret;
};
Parts parts_of(std::string_view text) {
  const auto last = text.rfind('_');
  if (!text.starts_with(kTokenPrefix) || last == std::string_view::npos || last < kIdDigits + 1) {
    return {};
  }
  Parts parts{text.substr(last - kIdDigits, kIdDigits), text.substr(last + 1)};
  if (parts.secret.size() != kSecretDigits || text[last - kIdDigits - 1] != '_') return {};
  return parts;
}

}  // namespace

TokenBook::TokenBook(const fs::path& home) : folder_(Authority::folder_of(home)) {}

Status TokenBook::write(const std::vector<Token>& tokens) const {
  std::string text;
  for (const Token& token : tokens) text += line_of(token);
  return write_secret(tokens_file(folder_), text);
}

Result<TokenBook::Made> TokenBook::create(const Wish& wish, TimestampNs now) {
  if (!wish.name.empty()) WINNOW_TRY(check_name("--name", wish.name));
  if (wish.valid_for < seconds(1) || wish.valid_for > days(kTokenDaysMax)) {
    return Error(ErrorCode::InvalidInput,
                 "a token is valid for 1 to " + std::to_string(kTokenDaysMax) + " days");
  }
  std::error_code ec;
  fs::create_directories(folder_, ec);
  if (ec || ::chmod(folder_.c_str(), 0700) != 0) {
    return Error(ErrorCode::Io, "cannot make " + folder_.string());
  }
  const FolderLock lock(folder_);
  auto tokens = read_tokens(folder_);
  if (!tokens) return tokens.error();
  // Whoever goes on making new ones needs room, not the records of those that ended.
  const auto standing = [&](const Token& token) { return token.stands(now); };
  if (tokens->size() >= kTokensMax) {
    std::erase_if(*tokens, [&](const Token& token) { return !standing(token); });
  }
  if (tokens->size() >= kTokensMax) {
    return Error(ErrorCode::Refused, std::to_string(kTokensMax) +
                                         " tokens stand already; `winnow token revoke` ends some");
  }
  auto id = random_digits(kIdDigits);
  if (!id) return id.error();
  const auto secret = random_digits(kSecretDigits);
  if (!secret) return secret.error();
  const std::string role(rights_name(wish.rights));
  Made made;
  made.token = {.id = *id,
                .rights = wish.rights,
                .name = wish.name.empty() ? role + "-" + *id : wish.name,
                .created = now,
                .valid_until = now + wish.valid_for,
                .secret_sha256 = sha256_hex(*secret)};
  made.text = std::string(kTokenPrefix) + role + "_" + *id + "_" + *secret;
  tokens->push_back(made.token);
  WINNOW_TRY(write(*tokens));
  return made;
}

Result<std::vector<Token>> TokenBook::list() const {
  auto tokens = read_tokens(folder_);
  if (!tokens) return tokens.error();
  const auto uses = read_uses(folder_);
  for (Token& token : *tokens) {
    if (const auto use = uses.find(token.id); use != uses.end()) token.last_used = use->second;
  }
  return tokens;
}

Result<std::vector<std::string>> TokenBook::revoke(const std::string& which, TimestampNs now) {
  const Error none(ErrorCode::NotFound,
                   "no token '" + which.substr(0, 80) + "' stands; `winnow token list` shows all");
  std::error_code ec;
  if (!fs::exists(folder_, ec)) return none;
  const FolderLock lock(folder_);
  auto tokens = read_tokens(folder_);
  if (!tokens) return tokens.error();
  std::vector<std::string> ended;
  for (Token& token : *tokens) {
    if ((token.id != which && token.name != which) || !token.stands(now)) continue;
    token.revoked = now;
    ended.push_back(token.id);
  }
  if (ended.empty()) return none;
  WINNOW_TRY(write(*tokens));
  return ended;
}

TokenReader::TokenReader(const fs::path& home) : home_(home) {}

Status TokenReader::refresh() {
  const fs::path folder = Authority::folder_of(home_);
  struct stat now {};
  std::string seen = "none";
  if (::stat(tokens_file(folder).c_str(), &now) == 0) {
    seen = std::to_string(now.st_size) + " " + std::to_string(now.st_ino) + " " +
           std::to_string(now.st_mtim.tv_sec) + "." + std::to_string(now.st_mtim.tv_nsec);
  }
  if (seen == seen_) return {};
  auto tokens = read_tokens(folder);
  // What cannot be read lets nobody in.
  tokens_.clear();
  seen_.clear();
  if (!tokens) return tokens.error();
  for (Token& token : *tokens) tokens_.insert_or_assign(token.id, std::move(token));
  seen_ = std::move(seen);
  return {};
}

Result<const Token*> TokenReader::standing(const std::string& id, TimestampNs now) {
  WINNOW_TRY(refresh());
  const auto found = tokens_.find(id);
  if (found == tokens_.end()) {
    return Error(ErrorCode::Refused, "the token is none that this home gave out");
  }
  const Token& token = found->second;
  if (token.revoked.ns != 0) return Error(ErrorCode::Refused, "the token " + id + " was revoked");
  if (now >= token.valid_until) {
    return Error(ErrorCode::Refused,
                 "the token " + id + " expired on " + format_timestamp(token.valid_until));
  }
  return &token;
}

Result<Principal> TokenReader::find(std::string_view text, TimestampNs now) {
  const Parts parts = parts_of(text);
  const Error none(ErrorCode::Refused, "the token is none that this home gave out");
  WINNOW_TRY(refresh());
  const auto found = tokens_.find(std::string(parts.id));
  const std::string secret = sha256_hex(parts.secret);
  // Of one that is not there the comparison takes as long.
  const std::string& kept = found == tokens_.end() ? secret : found->second.secret_sha256;
  const bool fits = kept.size() == secret.size() &&
                    ::CRYPTO_memcmp(kept.data(), secret.data(), secret.size()) == 0;
  if (parts.id.empty() || found == tokens_.end() || !fits) return none;
  const auto token = standing(found->first, now);
  if (!token) return token.error();
  uses_[(*token)->id] = now;
  used_since_ = true;
  return Principal{.name = (*token)->name,
                   .rights = (*token)->rights,
                   .credential = Credential::Token,
                   .token_id = (*token)->id};
}

Status TokenReader::check(const std::string& id, TimestampNs now) {
  const auto token = standing(id, now);
  return token ? Status() : token.error();
}

Status TokenReader::use(const std::string& id, TimestampNs now) {
  WINNOW_TRY(check(id, now));
  uses_[id] = now;
  used_since_ = true;
  return {};
}

void TokenReader::keep_uses(TimestampNs now) {
  if (!used_since_ || now - kept_ < kUsesKeptEvery) return;
  const fs::path folder = Authority::folder_of(home_);
  auto uses = read_uses(folder);
  for (const auto& [id, at] : uses_) uses[id] = at;
  std::string text;
  for (const auto& [id, at] : uses) {
    if (tokens_.contains(id)) text += id + " " + std::to_string(at.ns) + "\n";
  }
  kept_ = now;
  used_since_ = false;
  // Nothing rests on it: a full disk costs the note, not the farm.
  static_cast<void>(write_secret(uses_file(folder), text));
}

}  // namespace winnow::cluster
