#include "store/ledger_head.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>
#include <tuple>

#include "base/hash.hpp"
#include "store/unfinished.hpp"

namespace winnow::store {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTitle = "winnow-ledger 1";
constexpr std::string_view kLastLine = "head ";
constexpr std::size_t kHashDigits = 64;
constexpr std::uintmax_t kHeadBytesMax = std::uintmax_t{1} << 30;
constexpr std::string_view kEmptyName = "%00";

void append_name(std::string& out, std::string_view name) {
  constexpr std::string_view kHex = "0123456789abcdef";
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7f && c != '%') {
      out.push_back(c);
    } else {
      out.append({'%', kHex[byte >> 4], kHex[byte & 15]});
    }
  }
  if (name.empty()) out.append(kEmptyName);
  out.push_back(' ');
}

bool read_name(std::string_view text, std::string& out) {
  out.clear();
  if (text.empty()) return false;
  if (text == kEmptyName) return true;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    unsigned byte = 0;
    if (i + 2 >= text.size()) return false;
    const auto [end, bad] = std::from_chars(&text[i + 1], &text[i + 1] + 2, byte, 16);
    if (bad != std::errc() || end != &text[i + 1] + 2) return false;
    out.push_back(static_cast<char>(byte));
    i += 2;
  }
  return true;
}

template <class Number>
bool read_whole(std::string_view text, Number& out) {
  const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), out);
  return !text.empty() && bad == std::errc() && end == text.data() + text.size();
}

/// The next of `rest` before `separator`, which goes with it.
std::string_view cut(std::string_view& rest, char separator) {
  const std::size_t at = std::min(rest.find(separator), rest.size());
  const std::string_view out = rest.substr(0, at);
  rest.remove_prefix(std::min(at + 1, rest.size()));
  return out;
}

bool read_entry(std::string_view line, LedgerEntry& e) {
  for (std::string* name : {&e.dataset_hash, &e.family, &e.sweep_id, &e.user}) {
    if (!read_name(cut(line, ' '), *name)) return false;
  }
  for (std::uint64_t* count : {&e.trials, &e.executions, &e.failed}) {
    if (!read_whole(cut(line, ' '), *count)) return false;
  }
  return read_whole(cut(line, ' '), e.first.ns) && read_whole(cut(line, ' '), e.last.ns) &&
         line.empty();
}

auto names_of(const LedgerEntry& e) {
  return std::tie(e.dataset_hash, e.family, e.sweep_id, e.user);
}

/// All but the last line.
std::string head_body(const LedgerBirth& birth, std::span<const LedgerEntry> entries) {
  std::vector<const LedgerEntry*> order;
  order.reserve(entries.size());
  for (const LedgerEntry& e : entries) order.push_back(&e);
  std::sort(order.begin(), order.end(),
            [](const auto* a, const auto* b) { return names_of(*a) < names_of(*b); });
  std::string out(kTitle);
  out.push_back('\n');
  append_name(out, birth.id);
  out += std::to_string(birth.born.ns) + '\n';
  for (const LedgerEntry* e : order) {
    for (const std::string* name : {&e->dataset_hash, &e->family, &e->sweep_id, &e->user}) {
      append_name(out, *name);
    }
    for (const std::uint64_t count : {e->trials, e->executions, e->failed}) {
      out += std::to_string(count) + ' ';
    }
    out += std::to_string(e->first.ns) + ' ' + std::to_string(e->last.ns) + '\n';
  }
  return out;
}

Error cannot_write_head(const fs::path& file) {
  return Error(ErrorCode::Io, "the ledger's head " + file.string() +
                                  " cannot be written: " + std::strerror(errno));
}

}  // namespace

bool counts_backtests(std::string_view sweep_id) {
  return sweep_id.starts_with(kBacktestSweep) &&
         (sweep_id.size() == kBacktestSweep.size() || sweep_id[kBacktestSweep.size()] == '/');
}

std::string ledger_head_text(const LedgerBirth& birth, std::span<const LedgerEntry> entries) {
  std::string text = head_body(birth, entries);
  const std::string hash = sha256_hex(text);
  text.append(kLastLine).append(hash).push_back('\n');
  return text;
}

std::string ledger_head_hash(const LedgerBirth& birth, std::span<const LedgerEntry> entries) {
  return sha256_hex(head_body(birth, entries));
}

Result<LedgerHead> parse_ledger_head(std::string_view text) {
  const auto bad = [](std::size_t line, std::string_view what) {
    return Error(ErrorCode::Corrupt, "line " + std::to_string(line) + ": " + std::string(what));
  };
  const std::size_t last_bytes = kLastLine.size() + kHashDigits + 1;
  if (!text.starts_with(kTitle)) {
    return bad(1, "not the head of a ledger, which starts with '" + std::string(kTitle) + "'");
  }
  const std::string_view last =
      text.size() < last_bytes ? std::string_view() : text.substr(text.size() - last_bytes);
  LedgerHead out;
  if (!last.starts_with(kLastLine) || !last.ends_with('\n')) {
    return Error(ErrorCode::Corrupt, "its last line, which has the checksum, is missing");
  }
  out.hash = last.substr(kLastLine.size(), kHashDigits);
  std::string_view rest = text.substr(0, text.size() - last_bytes);
  if (sha256_hex(rest) != out.hash) {
    return Error(ErrorCode::Corrupt, "its checksum is not that of what it says");
  }
  (void)cut(rest, '\n');
  std::string_view birth = cut(rest, '\n');
  if (!read_name(cut(birth, ' '), out.birth.id) || !read_whole(birth, out.birth.born.ns)) {
    return bad(2, "not the birth of a ledger");
  }
  for (std::size_t line = 3; !rest.empty(); ++line) {
    LedgerEntry entry;
    if (!read_entry(cut(rest, '\n'), entry)) {
      return bad(line, "not an entry of four names and five numbers");
    }
    out.entries.push_back(std::move(entry));
  }
  return out;
}

fs::path ledger_head_file(const fs::path& store) {
  const fs::path dir = store.has_filename() ? store : store.parent_path();
  return dir.string() + ".ledger";
}

Result<std::optional<std::string>> read_ledger_file(const fs::path& file) {
  std::error_code ec;
  if (!fs::exists(file, ec)) return std::optional<std::string>();
  if (!fs::is_regular_file(file, ec)) {
    return Error(ErrorCode::Io, file.string() + " is no file that can be read");
  }
  const auto bytes = fs::file_size(file, ec);
  if (!ec && bytes > kHeadBytesMax) {
    return Error(ErrorCode::InvalidInput, file.string() + " has " + std::to_string(bytes) +
                                              " bytes; a ledger's head has 1 GiB at most");
  }
  std::ifstream in(file, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (ec || !in.is_open() || in.bad()) {
    return Error(ErrorCode::Io, file.string() + " cannot be read");
  }
  return std::optional<std::string>(std::move(text));
}

Status write_ledger_head(const fs::path& file, std::string_view text, HeadSync sync) {
  // One writer has the store, so one has this name; what a kill leaves there is written over.
  const fs::path making = file.string() + std::string(kUnfinished);
  const int fd = ::open(making.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return cannot_write_head(file);
  bool written = true;
  for (std::string_view rest = text; written && !rest.empty();) {
    const ssize_t n = ::write(fd, rest.data(), rest.size());
    if (n < 0 && errno == EINTR) continue;
    written = n >= 0;
    if (written) rest.remove_prefix(static_cast<std::size_t>(n));
  }
  if (written && sync == HeadSync::Yes) written = ::fsync(fd) == 0;
  int number = errno;
  if (::close(fd) != 0 && written) {
    written = false;
    number = errno;
  }
  if (written && ::rename(making.c_str(), file.c_str()) == 0) return {};
  if (written) number = errno;
  ::unlink(making.c_str());
  errno = number;
  return cannot_write_head(file);
}

LedgerBirth new_ledger_birth(TimestampNs born) {
  std::random_device chance;
  const auto word = [&] { return std::uint64_t{chance()} << 32 | chance(); };
  return {Hash128{word(), word()}.hex(), born};
}

LedgerEntry entry_in_ledger(LedgerEntry entry, const LedgerBirth& from, const LedgerBirth& in) {
  if (from.id == in.id) return entry;
  const std::string own = std::string(kBacktestSweep) + "/" + in.id;
  if (entry.sweep_id == kBacktestSweep) {
    entry.sweep_id += "/" + from.id;
  } else if (entry.sweep_id == own) {
    entry.sweep_id = kBacktestSweep;
  }
  return entry;
}

}  // namespace winnow::store
