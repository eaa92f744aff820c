#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "cluster/identity.hpp"

namespace winnow::cluster {

inline constexpr std::int64_t kAuthorityDays = 3650;
inline constexpr std::int64_t kCoordinatorDays = 365;
inline constexpr std::int64_t kInviteDays = 90;

/// A certificate the farm's authority made.
struct Issued {
  std::string serial;
  Role role = Role::Node;
  std::string name;
  TimestampNs valid_from;  ///< 0: of a record that does not say it
  TimestampNs valid_until;
  int authority = 1;  ///< which of the farm's authorities signed it
  bool revoked = false;
};

/// Purpose: the farm's own certificate authority, a folder of plain files that only its owner can
/// read: `farm` (its name and numbers), `authority-N.pem`, `authority-N.key`, `link-N.pem` (N
/// signed by N-1), `coordinator` (the identity that answers at the door), `issued`, `revoked`.
/// Thread: one. Several processes may change it: each change holds the file `lock`.
/// Invariants: no key is ever written over; every file is replaced in one step.
class Authority {
 public:
  /// HOME/cluster.
  static std::filesystem::path folder_of(const std::filesystem::path& home);
  static bool exists(const std::filesystem::path& home);

  /// Fails: Refused if the home has one already; InvalidInput (the name); Io.
  static Status init(const std::filesystem::path& home, const std::string& farm,
                     const std::string& door, TimestampNs now);
  /// Fails: NotFound, saying what to do; Corrupt.
  static Result<Authority> open(const std::filesystem::path& home);

  const std::string& farm() const { return farm_; }
  const std::string& door() const { return door_; }

  struct Wish {
    Role role = Role::Node;
    std::string name;
    DurationNs valid_for = days(kInviteDays);
    std::string door;  ///< empty: the farm's
  };
  /// A new key and certificate. Fails: InvalidInput (name, span), Io.
  Result<Identity> issue(const Wish& wish, TimestampNs now);

  /// Everything issued, oldest first.
  Result<std::vector<Issued>> issued() const;

  /// By serial number or by name (then all of its certificates that are valid). Returns the serial
  /// numbers. A running door cuts their connections within two seconds. Fails: NotFound.
  Result<std::vector<std::string>> revoke(const std::string& who, TimestampNs now);

  /// Begins a new authority that signs from now on; both are trusted until finish_rotation().
  /// Fails: Refused while one is under way.
  Status rotate(TimestampNs now);
  /// Stops trusting all authorities but the last. Fails: Refused if none is under way.
  Status finish_rotation(TimestampNs now);
  int newest() const { return newest_; }
  int oldest_trusted() const { return oldest_; }

  /// The identity of the door, renewed if less than a third of its time is left.
  Result<Identity> coordinator(TimestampNs now);

 private:
  explicit Authority(std::filesystem::path folder) : folder_(std::move(folder)) {}
  Status read_settings();
  Status write_settings() const;
  Status make_root(int number, TimestampNs now) const;
  Status renew_coordinator(TimestampNs now);
  Result<Identity> issue_locked(const Wish& wish, TimestampNs now);

  std::filesystem::path folder_;
  std::string farm_;
  std::string door_;
  int newest_ = 1;
  int oldest_ = 1;
};

/// The serial numbers in HOME/cluster/revoked. Fails: Io, Corrupt.
Result<std::set<std::string>> read_revoked(const std::filesystem::path& file);

}  // namespace winnow::cluster
