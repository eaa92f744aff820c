#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "cluster/principal.hpp"

namespace winnow::cluster {

inline constexpr std::int64_t kTokenDays = 90;
inline constexpr std::int64_t kTokenDaysMax = 3650;
inline constexpr std::size_t kTokensMax = 1024;

/// A credential that was given out, without its secret.
struct Token {
  std::string id;  ///< 8 hexadecimal digits
  Rights rights = Rights::Viewer;
  std::string name;
  TimestampNs created;
  TimestampNs valid_until;
  std::string secret_sha256;
  TimestampNs revoked = {};    ///< 0: it is not
  TimestampNs last_used = {};  ///< 0: never, at a coordinator; up to a minute old

  bool stands(TimestampNs now) const { return revoked.ns == 0 && now < valid_until; }
};

/// Purpose: the tokens of a home: HOME/cluster/tokens, a line each, readable by its owner alone.
/// What it keeps of a secret is its SHA-256. Thread: one. Several processes may change it: each
/// change holds the folder's lock.
class TokenBook {
 public:
  explicit TokenBook(const std::filesystem::path& home);

  struct Wish {
    Rights rights = Rights::Viewer;
    std::string name;  ///< empty: the role and the id
    DurationNs valid_for = days(kTokenDays);
  };
  struct Made {
    Token token;
    std::string text;  ///< `wn_ROLE_ID_SECRET`: the only time that it is there
  };
  /// Fails: InvalidInput (name, span), Refused (kTokensMax of them stand), Io, Corrupt.
  Result<Made> create(const Wish& wish, TimestampNs now);
  /// All of them, oldest first. Fails: Io, Corrupt.
  Result<std::vector<Token>> list() const;
  /// By id, or by name (then all of that name that stand). Returns the ids. Fails: NotFound.
  Result<std::vector<std::string>> revoke(const std::string& which, TimestampNs now);

 private:
  Status write(const std::vector<Token>& tokens) const;

  std::filesystem::path folder_;
};

/// Purpose: tells principals by their tokens, for a process that stays: a change of the file counts
/// from its next question on. Thread: one.
class TokenReader {
 public:
  explicit TokenReader(const std::filesystem::path& home);

  /// Fails: Refused (not one of this home's, expired, revoked); Io, Corrupt (the file).
  Result<Principal> find(std::string_view text, TimestampNs now);
  /// Whether a token that was found still stands. Fails: as find().
  Status check(const std::string& id, TimestampNs now);
  /// The same, where its holder makes use of it.
  Status use(const std::string& id, TimestampNs now);
  /// Puts down when tokens were last used, at most once a minute. To be called now and then.
  void keep_uses(TimestampNs now);

 private:
  Result<const Token*> standing(const std::string& id, TimestampNs now);
  Status refresh();

  std::filesystem::path home_;
  std::map<std::string, Token> tokens_;
  std::string seen_;  ///< what the file was when it was read: size, time, inode
  std::map<std::string, TimestampNs> uses_;
  TimestampNs kept_;
  bool used_since_ = false;
};

}  // namespace winnow::cluster
