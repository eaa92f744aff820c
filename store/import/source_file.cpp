#include "store/import/source_file.hpp"

#include <zip.h>
#include <zlib.h>

#include <algorithm>
#include <limits>
#include <memory>

#include "store/dataset_files.hpp"

namespace winnow::store {
namespace {

Error bad(std::string_view name, const std::string& what) {
  return Error(ErrorCode::InvalidInput, std::string(name) + ": " + what);
}

Error too_large(std::string_view name, std::uint64_t max) {
  return bad(name, "unpacks to more than the " + std::to_string(max) + " bytes allowed");
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
  for (zip_int64_t i = 0; i < entries; ++i) {
    const auto index = static_cast<zip_uint64_t>(i);
    zip_stat_t facts;
    if (zip_stat_index(archive.get(), index, 0, &facts) != 0 || facts.name == nullptr ||
        !looks_like_table(facts.name)) {
      continue;
    }
    const std::string member = std::string(name) + "/" + facts.name;
    total += facts.size;
    if (total > max) return too_large(name, max);
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

Status check_text(const SourceText& table) {
  const std::string_view text = table.text;
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    return bad(table.name, "the file is empty; a CSV table is expected");
  }
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff")) {
    return bad(table.name, "is UTF-16; save it as UTF-8");
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
  auto bytes = read_whole_file(path);
  if (!bytes.ok()) return bytes.error();
  SourceFile file{path.filename().string(), *std::move(bytes), {}};
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
