#include "cli/output.hpp"

#include <poll.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

namespace winnow::cli {
namespace {

/// Whether nobody reads the other end of a pipe or socket any more.
bool reader_left(int fd) {
  pollfd asked{fd, POLLOUT, 0};
  return ::poll(&asked, 1, 0) == 1 && (asked.revents & POLLERR) != 0;
}

Status check(std::FILE* file, const char* name) {
  errno = 0;
  const bool flushed = std::fflush(file) == 0;
  // An earlier write that failed left its mark, but not its reason.
  const int number = errno;
  if ((flushed && std::ferror(file) == 0) || reader_left(::fileno(file))) return {};
  return Error(ErrorCode::Io, std::string(name) + " could not be written" +
                                  (number != 0 ? ": " + std::string(std::strerror(number)) : ""));
}

}  // namespace

void write_stdout(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

void print_json(const nlohmann::json& json, int indent) {
  write_stdout(json_text(json, indent) + "\n");
}
void print_json(const nlohmann::ordered_json& json, int indent) {
  write_stdout(json_text(json, indent) + "\n");
}

Status check_output() {
  WINNOW_TRY(check(stdout, "standard output"));
  return check(stderr, "standard error");
}

}  // namespace winnow::cli
