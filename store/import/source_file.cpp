#include "store/import/source_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <memory>

#include "base/hash.hpp"
#include "store/dataset_files.hpp"

namespace winnow::store {
namespace {

Error bad(std::string_view name, const std::string& what) {
  return Error(ErrorCode::InvalidInput, std::string(name) + ": " + what);
}

Error too_large(std::string_view name, std::uint64_t max) {
  return bad(name, "unpacks to more than the " + std::to_string(max) + " bytes allowed");
}

Error too_dense(std::string_view name) {
  return bad(name, "unpacks to more than " + std::to_string(kUnpackedRatioMax) +
                       " times its size (beyond the first " + std::to_string(kUnpackedBytesFree) +
                       " bytes), which no table of bars does; unpack it yourself if it is one");
}

bool dense(std::uint64_t unpacked, std::uint64_t packed) {
  return unpacked > kUnpackedBytesFree && unpacked / kUnpackedRatioMax > packed;
}

/// The bytes of a file or a pipe. A device never ends.
Result<std::string> read_bytes(const std::filesystem::path& path, std::uint64_t max) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) {
    if (errno == ENOENT) return Error(ErrorCode::NotFound, "there is no file " + path.string());
    return io_error("open", path, errno);
  }
  struct Closer {
    int fd;
    ~Closer() { ::close(fd); }
  } const closer{fd};
  struct stat facts {};
  if (::fstat(fd, &facts) != 0) return io_error("read", path, errno);
  if (S_ISDIR(facts.st_mode)) {
    return Error(ErrorCode::InvalidInput, path.string() + " is a folder; name a file");
  }
  if (!S_ISREG(facts.st_mode) && !S_ISFIFO(facts.st_mode)) {
    return Error(ErrorCode::InvalidInput,
                 path.string() + " is a device or socket; files and pipes are read");
  }
  std::string bytes;
  std::size_t used = 0;
  bytes.resize(static_cast<std::size_t>(S_ISREG(facts.st_mode) ? facts.st_size : 0) + 1);
  for (;;) {
    if (used > max)
      return bad(path.string(), "has more than the " + std::to_string(max) + " bytes allowed");
    if (used == bytes.size()) bytes.resize(bytes.size() * 2);
    const ssize_t n = ::read(fd, bytes.data() + used, bytes.size() - used);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return io_error("read", path, errno);
    if (n == 0) break;
    used += static_cast<std::size_t>(n);
  }
  bytes.resize(used);
  return bytes;
}

/// `HASH  NAME` in a file beside it, as archives of venues have it.
Status check_checksum(const std::filesystem::path& path, SourceFile& file) {
  constexpr std::uint64_t kChecksumBytesMax = 4096;
  constexpr std::size_t kDigits = 64;
  std::filesystem::path beside = path;
  beside += ".CHECKSUM";
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(beside, ignored)) return {};
  const auto text = read_bytes(beside, kChecksumBytesMax);
  if (!text.ok()) return text.error();
  std::string said = text->substr(0, text->find_first_of(" \t\r\n*"));
  for (char& c : said) c = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
  const bool hash =
      said.size() == kDigits && said.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (!hash) return bad(beside.filename().string(), "does not begin with a SHA-256 of 64 digits");
  if (const std::string is = sha256_hex(file.bytes); is != said) {
    return bad(file.name, "its SHA-256 is " + is + ", but " + beside.filename().string() +
                              " says " + said + ": the file is damaged; fetch it again");
  }
  file.checksum_matched = true;
  return {};
}

struct Inflater {
  z_stream stream{};
  bool ok = inflateInit2(&stream, 16 + MAX_WBITS) == Z_OK;  // 16: gzip framing
  Inflater() = default;
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() {
    if (ok) inflateEnd(&stream);
  }
};

Result<std::string> gunzip(std::string_view name, std::string_view packed, std::uint64_t max) {
  Inflater inflater;
  if (!inflater.ok) return Error(ErrorCode::Internal, "zlib refuses to start");
  z_stream& z = inflater.stream;
  std::string out;
  out.resize(std::min<std::uint64_t>(max, packed.size() * 4 + 4096));
  std::uint64_t used = 0;
  std::size_t taken = 0;
  for (;;) {
    constexpr std::size_t kStep = std::numeric_limits<uInt>::max();
    const std::size_t give = std::min(packed.size() - taken, kStep);
    const std::size_t room = std::min<std::size_t>(out.size() - used, kStep);
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data() + taken));
    z.avail_in = static_cast<uInt>(give);
    z.next_out = reinterpret_cast<Bytef*>(out.data() + used);
    z.avail_out = static_cast<uInt>(room);
    const int code = inflate(&z, Z_NO_FLUSH);
    taken += give - z.avail_in;
    used += room - z.avail_out;
    if (dense(used, packed.size())) return too_dense(name);
    if (code == Z_STREAM_END) {
      if (taken == packed.size()) break;
      // gzip allows several members in a row; zeros after the last are tape padding.
      const std::string_view rest = packed.substr(taken);
      if (rest.find_first_not_of('\0') == std::string_view::npos) break;
      if (!rest.starts_with("\x1f\x8b") || inflateReset(&z) != Z_OK) {
        return bad(name, "has " + std::to_string(rest.size()) +
                             " bytes of garbage after the gzip "
                             "data");
      }
    } else if (code != Z_OK && code != Z_BUF_ERROR) {
      return bad(name, "damaged gzip data at byte " + std::to_string(taken) + " (" +
                           (z.msg != nullptr ? z.msg : "unreadable") + ")");
    } else if (z.avail_in == 0 && taken == packed.size() && z.avail_out != 0) {
      return bad(name, "the gzip data ends early after " + std::to_string(packed.size()) +
                           " bytes; the file is truncated");
    }
    if (used == out.size()) {
      if (used >= max) return too_large(name, max);
      out.resize(std::min<std::uint64_t>(max, used * 2));
    }
  }
  out.resize(used);
  return out;
}

bool looks_like_table(std::string_view member) {
  const auto ends = [&](std::string_view suffix) {
    return member.size() > suffix.size() && member.ends_with(suffix);
  };
  // Archives packed on a Mac carry resource forks beside the files.
  return (ends(".csv") || ends(".CSV") || ends(".txt")) && !member.starts_with("__MACOSX/");
}

Result<std::vector<SourceText>> unzip(std::string_view name, std::string_view packed,
                                      std::uint64_t max) {
  zip_error_t error;
  zip_error_init(&error);
  const auto why = [&] {
    std::string text = zip_error_strerror(&error);
    zip_error_fini(&error);
    return bad(name, "not a whole ZIP archive (" + text + "); truncated?");
  };
  zip_source_t* source = zip_source_buffer_create(packed.data(), packed.size(), 0, &error);
  if (source == nullptr) return why();
  const std::unique_ptr<zip_t, decltype(&zip_discard)> archive(
      zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &error), &zip_discard);
  if (archive == nullptr) {
    zip_source_free(source);
    return why();
  }
  std::vector<SourceText> out;
  std::uint64_t total = 0;
  const zip_int64_t entries = zip_get_num_entries(archive.get(), 0);
  if (entries > static_cast<zip_int64_t>(kArchiveMembersMax)) {
    return bad(name, "holds " + std::to_string(entries) + " members; at most " +
                         std::to_string(kArchiveMembersMax) + " are allowed");
  }
  for (zip_int64_t i = 0; i < entries; ++i) {
    const auto index = static_cast<zip_uint64_t>(i);
    zip_stat_t facts;
    if (zip_stat_index(archive.get(), index, 0, &facts) != 0 || facts.name == nullptr ||
        !looks_like_table(facts.name)) {
      continue;
    }
    const std::string member = std::string(name) + "/" + facts.name;
    total += facts.size;
    if (total > max || facts.size > max) return too_large(name, max);
    if (dense(total, packed.size())) return too_dense(name);
    const std::unique_ptr<zip_file_t, decltype(&zip_fclose)> file(
        zip_fopen_index(archive.get(), index, 0), &zip_fclose);
    if (file == nullptr) {
      return bad(member, std::string("cannot be unpacked (") + zip_strerror(archive.get()) + ")");
    }
    std::string text(facts.size, '\0');
    // One byte more than promised, so that the end is reached and the CRC compared.
    zip_uint64_t used = 0;
    zip_int64_t n = 0;
    char beyond = 0;
    while (used < text.size() &&
           (n = zip_fread(file.get(), text.data() + used, text.size() - used)) > 0) {
      used += static_cast<zip_uint64_t>(n);
    }
    if (n < 0 || used != text.size() || zip_fread(file.get(), &beyond, 1) != 0) {
      return bad(member, std::string("damaged ZIP data (") + zip_file_strerror(file.get()) + ")");
    }
    out.push_back({member, std::move(text)});
  }
  if (out.empty()) return bad(name, "the ZIP archive holds no .csv file");
  return out;
}

/// What is packed in a way that is not read.
const char* other_packing(std::string_view bytes) {
  if (bytes.starts_with("BZh")) return "bzip2";
  if (bytes.starts_with("\xfd"
                        "7zXZ"))
    return "xz";
  if (bytes.starts_with("\x28\xb5\x2f\xfd")) return "zstd";
  if (bytes.starts_with("7z\xbc\xaf")) return "7-Zip";
  if (bytes.starts_with("PAR1")) return "Parquet";
  return nullptr;
}

Status check_text(const SourceText& table) {
  const std::string_view text = table.text;
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    return bad(table.name, "the file is empty; a CSV table is expected");
  }
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff")) {
    return bad(table.name, "is UTF-16; save it as UTF-8");
  }
  if (const char* packing = other_packing(text)) {
    return bad(table.name, std::string("is ") + packing +
                               "; plain text, gzip and ZIP are read: unpack or convert it first");
  }
  constexpr std::size_t kLooked = 4096;
  for (const char c : text.substr(0, kLooked)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 && c != '\n' && c != '\r' && c != '\t') {
      return bad(table.name, "is binary data, not CSV; plain text, gzip and ZIP are read");
    }
  }
  return {};
}

}  // namespace

Result<SourceFile> read_source_file(const std::filesystem::path& path,
                                    std::uint64_t unpacked_bytes_max) {
  auto bytes = read_bytes(path, unpacked_bytes_max);
  if (!bytes.ok()) return bytes.error();
  SourceFile file{path.filename().string(), *std::move(bytes), {}};
  WINNOW_TRY(check_checksum(path, file));
  const std::string_view packed = file.bytes;
  if (packed.starts_with("\x1f\x8b")) {
    auto text = gunzip(file.name, packed, unpacked_bytes_max);
    if (!text.ok()) return text.error();
    file.tables.push_back({file.name, *std::move(text)});
  } else if (packed.starts_with("PK\x03\x04") || packed.starts_with("PK\x05\x06")) {
    auto tables = unzip(file.name, packed, unpacked_bytes_max);
    if (!tables.ok()) return tables.error();
    file.tables = *std::move(tables);
  } else {
    if (packed.size() > unpacked_bytes_max) return too_large(file.name, unpacked_bytes_max);
    file.tables.push_back({file.name, file.bytes});
  }
  for (const SourceText& table : file.tables) WINNOW_TRY(check_text(table));
  return file;
}

}  // namespace winnow::store
