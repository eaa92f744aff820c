#include "cluster/array_invites.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <set>

#include "cluster/authority.hpp"

namespace winnow::cluster {
namespace {

namespace fs = std::filesystem;

bool is_number(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](unsigned char c) { return std::isdigit(c) != 0; });
}

Status open_folder(const fs::path& folder) {
  std::error_code ec;
  if (!folder.parent_path().empty()) fs::create_directories(folder.parent_path(), ec);
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return Error(ErrorCode::Io, folder.string() + ": " + std::strerror(errno));
  }
  struct stat at {};
  if (::stat(folder.c_str(), &at) != 0 || !S_ISDIR(at.st_mode)) {
    return Error(ErrorCode::Io, folder.string() + " is no folder");
  }
  if ((at.st_mode & 077) == 0) return {};
  return Error(ErrorCode::Refused, folder.string() +
                                       " holds private keys and may be entered by others; "
                                       "`chmod 700` it, or name another folder");
}

}  // namespace

std::string array_identity(const std::string& number) { return number + ".identity"; }

Status invite_array(Authority& authority, const ArrayInvites& invites, TimestampNs now) {
  const auto before = authority.issued();
  if (!before) return before.error();
  WINNOW_TRY(open_folder(invites.folder));
  std::set<std::string> files;
  for (std::uint32_t n = 1; n <= invites.nodes; ++n) {
    const std::string number = std::to_string(n);
    auto identity =
        authority.issue({.role = Role::Node, .name = invites.name + "-" + number, .door = ""}, now);
    if (!identity) return identity.error();
    files.insert(array_identity(number));
    WINNOW_TRY(write_secret(invites.folder / array_identity(number), identity_text(*identity)));
  }
  const std::string prefix = invites.name + "-";
  for (const Issued& one : *before) {
    if (!one.name.starts_with(prefix) || !is_number(one.name.substr(prefix.size()))) continue;
    if (one.revoked || one.valid_until <= now) continue;
    const auto revoked = authority.revoke(one.serial, now);
    if (!revoked) return revoked.error();
  }
  std::error_code ec;
  for (const fs::directory_entry& entry : fs::directory_iterator(invites.folder, ec)) {
    const fs::path& file = entry.path();
    if (file.extension() != ".identity" || !is_number(file.stem().string())) continue;
    std::error_code gone;
    if (!files.contains(file.filename().string())) fs::remove(file, gone);
  }
  return {};
}

}  // namespace winnow::cluster
