#include "cluster/authority.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "cluster/certificate.hpp"
#include "cluster/folder_lock.hpp"

namespace winnow::cluster {
namespace {

namespace fs = std::filesystem;

// Clocks of nodes may be behind.
constexpr DurationNs kBackdated = seconds(300);

Result<std::string> read_text(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) {
    return Error(ErrorCode::Io, "cannot read " + file.string() + ": " + std::strerror(errno));
  }
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string numbered(std::string_view what, int number, std::string_view ending) {
  return std::string(what) + "-" + std::to_string(number) + std::string(ending);
}

Status append_line(const fs::path& file, const std::string& line) {
  std::string text;
  std::error_code ec;
  if (fs::exists(file, ec)) {
    auto old = read_text(file);
    if (!old) return old.error();
    text = std::move(*old);
  }
  return write_secret(file, text + line + "\n");
}

struct Pair {
  CertificatePtr certificate;
  KeyPtr key;
  Signer signer() const { return {certificate.get(), key.get()}; }
};

Result<Pair> read_pair(const fs::path& folder, int number) {
  const auto pem = read_text(folder / numbered("authority", number, ".pem"));
  if (!pem) return pem.error();
  const auto secret = read_text(folder / numbered("authority", number, ".key"));
  if (!secret) return secret.error();
  auto certificate = read_certificate(*pem);
  if (!certificate) return certificate.error().within(numbered("authority", number, ".pem"));
  auto key = read_key(*secret);
  if (!key) return key.error().within(numbered("authority", number, ".key"));
  return Pair{std::move(*certificate), std::move(*key)};
}

}  // namespace

fs::path Authority::folder_of(const fs::path& home) { return home / "cluster"; }

bool Authority::exists(const fs::path& home) {
  std::error_code ec;
  return fs::exists(folder_of(home) / "farm", ec);
}

Status Authority::init(const fs::path& home, const std::string& farm, const std::string& door,
                       TimestampNs now) {
  WINNOW_TRY(check_name("farm", farm));
  const fs::path folder = folder_of(home);
  std::error_code ec;
  fs::create_directories(folder, ec);
  if (ec || ::chmod(folder.c_str(), 0700) != 0) {
    return Error(ErrorCode::Io, "cannot make the folder " + folder.string());
  }
  const FolderLock lock(folder);
  // The last file an init writes; keys without it are leftovers, which are not written over either.
  for (const char* file : {"farm", "authority-1.key"}) {
    if (fs::exists(folder / file, ec)) {
      return Error(ErrorCode::Refused, (folder / file).string() +
                                           " exists: this home has an authority, which `winnow "
                                           "cluster rotate` replaces without cutting nodes off");
    }
  }
  Authority authority(folder);
  authority.farm_ = farm;
  authority.door_ = door;
  WINNOW_TRY(authority.make_root(1, now));
  WINNOW_TRY(write_secret(folder / "revoked", ""));
  WINNOW_TRY(authority.renew_coordinator(now));
  return authority.write_settings();
}

Result<Authority> Authority::open(const fs::path& home) {
  if (!exists(home)) {
    return Error(ErrorCode::NotFound, home.string() +
                                          " has no authority of its own; make one "
                                          "with `winnow cluster init`");
  }
  Authority authority(folder_of(home));
  WINNOW_TRY(authority.read_settings());
  return authority;
}

Status Authority::read_settings() {
  const auto text = read_text(folder_ / "farm");
  if (!text) return text.error();
  std::istringstream lines(*text);
  newest_ = oldest_ = 0;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t colon = line.find(": ");
    if (colon == std::string::npos) continue;
    const std::string key = line.substr(0, colon);
    const std::string value = line.substr(colon + 2);
    if (key == "name") farm_ = value;
    if (key == "door") door_ = value;
    if (key == "newest") newest_ = std::atoi(value.c_str());
    if (key == "oldest") oldest_ = std::atoi(value.c_str());
  }
  if (farm_.empty() || oldest_ < 1 || newest_ < oldest_ || newest_ > oldest_ + 1) {
    return Error(ErrorCode::Corrupt, (folder_ / "farm").string() +
                                         ": name, newest or oldest is missing or not possible");
  }
  return {};
}

Status Authority::write_settings() const {
  return write_secret(folder_ / "farm", "name: " + farm_ + "\ndoor: " + door_ +
                                            "\nnewest: " + std::to_string(newest_) +
                                            "\noldest: " + std::to_string(oldest_) + "\n");
}

Status Authority::make_root(int number, TimestampNs now) const {
  auto key = make_key();
  if (!key) return key.error();
  const Validity validity{now - kBackdated, now + days(kAuthorityDays)};
  auto root = make_authority(farm_, number, **key, validity, nullptr);
  if (!root) return root.error();
  const auto secret = key_pem(**key);
  if (!secret) return secret.error();
  const auto pem = certificate_pem(**root);
  if (!pem) return pem.error();
  if (number > 1) {
    const auto older = read_pair(folder_, number - 1);
    if (!older) return older.error();
    const Signer signer = older->signer();
    const auto link = make_authority(farm_, number, **key, validity, &signer);
    if (!link) return link.error();
    const auto link_pem = certificate_pem(**link);
    if (!link_pem) return link_pem.error();
    WINNOW_TRY(write_secret(folder_ / numbered("link", number, ".pem"), *link_pem));
  }
  WINNOW_TRY(write_secret(folder_ / numbered("authority", number, ".key"), *secret));
  return write_secret(folder_ / numbered("authority", number, ".pem"), *pem);
}

Result<Identity> Authority::issue(const Wish& wish, TimestampNs now) {
  const FolderLock lock(folder_);
  WINNOW_TRY(read_settings());
  return issue_locked(wish, now);
}

Result<Identity> Authority::issue_locked(const Wish& wish, TimestampNs now) {
  WINNOW_TRY(check_name(role_name(wish.role), wish.name));
  if (wish.valid_for < seconds(1) || wish.valid_for > days(kAuthorityDays)) {
    return Error(ErrorCode::InvalidInput,
                 "a certificate is valid for 1 to " + std::to_string(kAuthorityDays) + " days");
  }
  const auto signer = read_pair(folder_, newest_);
  if (!signer) return signer.error();
  auto key = make_key();
  if (!key) return key.error();
  auto certificate = make_certificate({farm_, wish.role, wish.name}, **key,
                                      {now - kBackdated, now + wish.valid_for}, signer->signer());
  if (!certificate) return certificate.error();
  const auto subject = subject_of(**certificate);
  if (!subject) return subject.error();
  auto chain = certificate_pem(**certificate);
  if (!chain) return chain.error();
  auto secret = key_pem(**key);
  if (!secret) return secret.error();
  Identity identity{.farm = farm_,
                    .role = wish.role,
                    .name = wish.name,
                    .serial = subject->serial,
                    .door = wish.door.empty() ? door_ : wish.door,
                    .chain = std::move(*chain),
                    .key = std::move(*secret),
                    .authorities = ""};
  for (int number = oldest_; number <= newest_; ++number) {
    const auto root = read_text(folder_ / numbered("authority", number, ".pem"));
    if (!root) return root.error();
    identity.authorities += *root;
    if (number == oldest_) continue;
    const auto link = read_text(folder_ / numbered("link", number, ".pem"));
    if (!link) return link.error();
    identity.chain += *link;
  }
  WINNOW_TRY(append_line(folder_ / "issued",
                         identity.serial + " " + std::string(role_name(wish.role)) + " " +
                             wish.name + " " + std::to_string(subject->valid_until.ns) + " " +
                             std::to_string(newest_) + " " +
                             std::to_string(subject->valid_from.ns)));
  return identity;
}

Result<std::vector<Issued>> Authority::issued() const {
  const auto text = read_text(folder_ / "issued");
  if (!text) return text.error();
  const auto revoked = read_revoked(folder_ / "revoked");
  if (!revoked) return revoked.error();
  std::vector<Issued> all;
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    Issued one;
    std::string role;
    if (!(words >> one.serial >> role >> one.name >> one.valid_until.ns >> one.authority)) {
      return Error(ErrorCode::Corrupt, (folder_ / "issued").string() + ": line " +
                                           std::to_string(all.size() + 1) + " is no record");
    }
    words >> one.valid_from.ns;  // records of earlier versions end before it
    const auto parsed = parse_role(role);
    if (!parsed) return parsed.error().within((folder_ / "issued").string());
    one.role = *parsed;
    one.revoked = revoked->contains(one.serial);
    all.push_back(std::move(one));
  }
  return all;
}

Result<std::vector<std::string>> Authority::revoke(const std::string& who, TimestampNs now) {
  const FolderLock lock(folder_);
  const auto all = issued();
  if (!all) return all.error();
  std::vector<std::string> serials;
  for (const Issued& one : *all) {
    if (one.revoked || (one.serial != who && one.name != who)) continue;
    if (one.role == Role::Coordinator) continue;  // its own end of the door: rotate renews it
    if (one.valid_until < now && one.serial != who) continue;
    serials.push_back(one.serial);
  }
  if (serials.empty()) {
    return Error(ErrorCode::NotFound, "'" + who +
                                          "' is no node, client or serial number with a "
                                          "valid certificate; `winnow cluster list` shows "
                                          "them");
  }
  std::string lines;
  for (const std::string& serial : serials) {
    lines += (lines.empty() ? "" : "\n") + serial + " " + format_timestamp(now);
  }
  WINNOW_TRY(append_line(folder_ / "revoked", lines));
  return serials;
}

Status Authority::rotate(TimestampNs now) {
  const FolderLock lock(folder_);
  WINNOW_TRY(read_settings());
  if (newest_ != oldest_) {
    return Error(ErrorCode::Refused,
                 "a rotation is under way: renew the nodes, then `winnow cluster rotate --finish`");
  }
  WINNOW_TRY(make_root(newest_ + 1, now));
  ++newest_;
  WINNOW_TRY(write_settings());
  return renew_coordinator(now);
}

Status Authority::finish_rotation(TimestampNs now) {
  const FolderLock lock(folder_);
  WINNOW_TRY(read_settings());
  if (newest_ == oldest_) return Error(ErrorCode::Refused, "no rotation is under way");
  oldest_ = newest_;
  WINNOW_TRY(write_settings());
  return renew_coordinator(now);
}

Status Authority::renew_coordinator(TimestampNs now) {
  const auto identity = issue_locked({.role = Role::Coordinator,
                                      .name = "coordinator",
                                      .valid_for = days(kCoordinatorDays),
                                      .door = ""},
                                     now);
  if (!identity) return identity.error();
  return write_secret(folder_ / "coordinator", identity_text(*identity));
}

Result<Identity> Authority::coordinator(TimestampNs now) {
  const FolderLock lock(folder_);
  WINNOW_TRY(read_settings());
  auto identity = read_identity(folder_ / "coordinator");
  if (identity) {
    const auto subject = subject_of_pem(identity->chain);
    if (subject && subject->valid_until - now > days(kCoordinatorDays / 3)) return identity;
  }
  WINNOW_TRY(renew_coordinator(now));
  return read_identity(folder_ / "coordinator");
}

Result<std::set<std::string>> read_revoked(const fs::path& file) {
  const auto text = read_text(file);
  if (!text) return text.error();
  std::set<std::string> serials;
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    const std::string serial = line.substr(0, line.find(' '));
    if (serial.find_first_not_of("0123456789ABCDEF") != std::string::npos || serial.empty()) {
      return Error(ErrorCode::Corrupt, file.string() + ": '" + line + "' names no serial number");
    }
    serials.insert(serial);
  }
  return serials;
}

}  // namespace winnow::cluster
