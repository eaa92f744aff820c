#include "cluster/identity.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "base/write_file.hpp"
#include "cluster/certificate.hpp"

namespace winnow::cluster {
namespace {

constexpr std::string_view kFirstLine = "winnow-identity 1";
constexpr std::size_t kIdentityBytesMax = 256 << 10;

/// The value of `key: value` before the first PEM block; empty if there is none.
std::string value_of(std::string_view head, std::string_view key) {
  std::istringstream lines{std::string(head)};
  const std::string start = std::string(key) + ": ";
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(start)) return line.substr(start.size());
  }
  return "";
}

Status write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Error(ErrorCode::Io, std::strerror(errno));
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  if (::fsync(fd) != 0) return Error(ErrorCode::Io, std::strerror(errno));
  return {};
}

}  // namespace

Status check_name(std::string_view what, std::string_view name) {
  const auto alnum = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  const bool plain = std::all_of(name.begin(), name.end(), [&](char c) {
    return alnum(c) || c == '.' || c == '_' || c == '-';
  });
  if (!name.empty() && name.size() <= 63 && alnum(name.front()) && plain) return {};
  return Error(ErrorCode::InvalidInput,
               std::string(what) + " '" + std::string(name.substr(0, 80)) +
                   "': 1 to 63 of a-z A-Z 0-9 . _ -, beginning with a letter or digit");
}

Status write_secret(const std::filesystem::path& file, std::string_view text) {
  const auto to = destination_of(file);
  if (!to) return to.error();
  if (to->written_through) return write_whole_file(file, text);
  const std::string temporary = to->path.string() + ".new-" + std::to_string(::getpid());
  ::unlink(temporary.c_str());
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return Error(ErrorCode::Io, temporary + ": " + std::strerror(errno));
  Status written = write_all(fd, text);
  ::close(fd);
  if (written && ::rename(temporary.c_str(), to->path.c_str()) != 0) {
    written = Error(ErrorCode::Io, std::strerror(errno));
  }
  if (!written) {
    ::unlink(temporary.c_str());
    return written.error().within(file.string());
  }
  return {};
}

std::string identity_text(const Identity& identity) {
  std::string text = std::string(kFirstLine) + "\nfarm: " + identity.farm +
                     "\nrole: " + std::string(role_name(identity.role)) +
                     "\nname: " + identity.name + "\n";
  if (!identity.door.empty()) text += "door: " + identity.door + "\n";
  return text + identity.chain + identity.key + identity.authorities;
}

Result<Identity> parse_identity(std::string_view text, std::string_view file) {
  const auto refuse = [&](const std::string& why) {
    return Error(ErrorCode::InvalidInput, std::string(file) + ": " + why);
  };
  if (!text.starts_with(kFirstLine) || text.size() > kIdentityBytesMax) {
    return refuse("no identity of `winnow cluster invite`");
  }
  Identity identity;
  identity.door = value_of(text.substr(0, text.find("-----BEGIN")), "door");
  // Names and role are read from the certificate: the lines above it are for people.
  auto parts = split_identity_pem(text);
  if (!parts) return parts.error().within(file);
  identity.chain = std::move(parts->chain);
  identity.key = std::move(parts->key);
  identity.authorities = std::move(parts->authorities);
  const auto subject = subject_of_pem(identity.chain);
  if (!subject) return subject.error().within(file);
  identity.farm = subject->farm;
  identity.role = subject->role;
  identity.name = subject->name;
  identity.serial = subject->serial;
  return identity;
}

Result<Identity> read_identity(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) {
    return Error(ErrorCode::NotFound,
                 "cannot read the identity " + file.string() + ": " + std::strerror(errno));
  }
  std::string text(kIdentityBytesMax + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return parse_identity(text, file.string());
}

}  // namespace winnow::cluster
