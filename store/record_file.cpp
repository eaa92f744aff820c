#include "store/record_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/hash.hpp"
#include "base/text.hpp"

namespace winnow::store {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::string_view kRecordTitle = "winnow-record 1 ";
constexpr std::size_t kRecordHashDigits = 32;
constexpr std::uintmax_t kRecordBytesMax = std::uintmax_t{1} << 30;

std::optional<RecordLine> line_of(std::string_view text) {
  if (text.size() <= kRecordHashDigits || text[kRecordHashDigits] != ' ') return std::nullopt;
  const std::string_view body = text.substr(kRecordHashDigits + 1);
  if (hash128(body).hex() != text.substr(0, kRecordHashDigits)) return std::nullopt;
  const Json json = parse_ordered_json(body);
  if (!json.is_array() || json.size() != 3) return std::nullopt;
  for (const Json& part : json) {
    if (!part.is_string()) return std::nullopt;
  }
  return RecordLine{json[0], json[1], json[2]};
}

std::string text_of_line(const RecordLine& line) {
  const std::string body = json_text(Json::array({line.kind, line.key, line.text}));
  return hash128(body).hex() + " " + body + "\n";
}

Error record_failure(const fs::path& file, int number) {
  return Error(ErrorCode::Io, "writing " + file.string() + ": " + std::strerror(number));
}

}  // namespace

fs::path record_file(const fs::path& store) { return store.string() + ".record"; }

Result<RecordTail> read_record(const fs::path& file, std::uint64_t from) {
  RecordTail out;
  std::error_code ec;
  const std::uintmax_t size = fs::file_size(file, ec);
  if (ec) return out;
  if (size > kRecordBytesMax) {
    return Error(ErrorCode::InvalidInput, file.string() + " has " + std::to_string(size) +
                                              " bytes; a record has at most " +
                                              std::to_string(kRecordBytesMax));
  }
  std::ifstream in(file, std::ios::binary);
  std::string line;
  const auto next_line = [&] {
    // What has no end of line was cut.
    return static_cast<bool>(std::getline(in, line)) && !in.eof();
  };
  if (!next_line() || !line.starts_with(kRecordTitle)) return out;
  out.birth_id = line.substr(kRecordTitle.size());
  out.end = line.size() + 1;
  if (from > out.end && from <= size) {
    // A line ends where the reader stopped last; else it is another file.
    in.seekg(static_cast<std::streamoff>(from) - 1);
    if (in.get() == '\n') {
      out.end = from;
    } else {
      in.seekg(static_cast<std::streamoff>(out.end));
    }
  }
  while (next_line()) {
    out.end += line.size() + 1;
    if (auto read = line_of(line)) {
      out.lines.push_back(*std::move(read));
    } else {
      ++out.damaged;
    }
  }
  if (in.bad()) return Error(ErrorCode::Io, "reading " + file.string() + " failed");
  return out;
}

Status RecordWriter::add(const RecordLine& line) {
  std::string text = end_ == 0 ? std::string(kRecordTitle) + birth_id_ + "\n" : std::string();
  text += text_of_line(line);
  const int fd = ::open(file_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return record_failure(file_, errno);
  const auto at = static_cast<off_t>(end_);
  bool written = ::ftruncate(fd, at) == 0;
  for (std::size_t done = 0; written && done < text.size();) {
    const ssize_t n =
        ::pwrite(fd, text.data() + done, text.size() - done, at + static_cast<off_t>(done));
    if (n < 0 && errno == EINTR) continue;
    written = n > 0;
    if (written) done += static_cast<std::size_t>(n);
  }
  if (written && sync_ == HeadSync::Yes) written = ::fdatasync(fd) == 0;
  const int number = errno;
  if (!written) static_cast<void>(::ftruncate(fd, at));
  ::close(fd);
  if (!written) return record_failure(file_, number);
  end_ += text.size();
  return {};
}

}  // namespace winnow::store
