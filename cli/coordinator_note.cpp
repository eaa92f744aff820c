#include "cli/coordinator_note.hpp"

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>

#include "actors/protocol.hpp"
#include "base/text.hpp"
#include "cli/read_file.hpp"

namespace winnow::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t kNoteBytesMax = 4096;
constexpr int kReachMs = 1000;
constexpr DurationNs kConfirmPatience = seconds(2);

struct Note {
  std::string endpoint;
  std::string instance;
  int pid = 0;
};

/// Fails: NotFound (there is none), Corrupt (it is none).
Result<Note> read_note(const fs::path& file) {
  const auto text = read_file(file, {.bytes_max = kNoteBytesMax, .readable = Readable::Files});
  if (!text && text.error().code() == ErrorCode::NotFound) return text.error();
  const json parsed = text ? parse_json(*text) : json();
  const auto string_at = [&](const char* key) {
    return parsed.is_object() && parsed.contains(key) && parsed[key].is_string();
  };
  if (!string_at("endpoint") || !string_at("instance") || !parsed.contains("pid") ||
      !parsed["pid"].is_number_integer()) {
    return Error(ErrorCode::Corrupt, file.string() +
                                         " is damaged or of another version and is ignored; a "
                                         "coordinator writes it anew when it starts");
  }
  Note note{parsed["endpoint"], parsed["instance"], parsed["pid"]};
  if (!actors::parse_endpoint(note.endpoint)) {
    return Error(ErrorCode::Corrupt, file.string() + " names no address and is ignored");
  }
  return note;
}

/// False if it is certain that nobody listens there: sooner known than by an unanswered dial.
bool may_be_reached(const actors::Endpoint& endpoint) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(endpoint.port);
  if (::inet_pton(AF_INET, endpoint.host.c_str(), &address.sin_addr) != 1) return true;
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return true;
  const auto* const to = reinterpret_cast<const sockaddr*>(&address);
  bool reached = ::connect(fd, to, sizeof address) == 0;
  if (!reached && errno == EINPROGRESS) {
    pollfd waiting{fd, POLLOUT, 0};
    int error = 0;
    socklen_t size = sizeof error;
    reached = ::poll(&waiting, 1, kReachMs) > 0 &&
              ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
  }
  ::close(fd);
  return reached;
}

/// The client, once the other end has said that it is the one.
std::unique_ptr<actors::Client> confirmed(const Note& note) {
  const auto endpoint = actors::parse_endpoint(note.endpoint);
  if (!may_be_reached(*endpoint)) return nullptr;
  auto client = actors::Client::connect(endpoint->host, endpoint->port, kConfirmPatience);
  if (!client) return nullptr;
  const auto said = (*client)->query(actors::kInstanceQuestion, "{}", kConfirmPatience);
  if (!said) return nullptr;
  const json answer = parse_json(*said);
  if (!answer.is_object() || answer.value("instance", json()) != json(note.instance)) {
    return nullptr;
  }
  return std::move(*client);
}

}  // namespace

fs::path coordinator_note(const fs::path& home) { return home / "run" / "coordinator.json"; }

std::optional<Advertised> advertised_coordinator(const fs::path& home) {
  const fs::path file = coordinator_note(home);
  const auto note = read_note(file);
  if (!note) {
    if (note.error().code() != ErrorCode::NotFound) {
      std::fprintf(stderr, "note: %s\n", note.error().text().c_str());
    }
    return std::nullopt;
  }
  // A coordinator that was killed leaves its note behind, which is nothing to speak of.
  if (note->pid <= 0 || (::kill(note->pid, 0) != 0 && errno == ESRCH)) return std::nullopt;
  auto client = confirmed(*note);
  if (client == nullptr) {
    std::fprintf(stderr,
                 "note: the coordinator that %s names does not answer at %s and is taken to be "
                 "gone\n",
                 file.c_str(), note->endpoint.c_str());
    return std::nullopt;
  }
  return Advertised{note->endpoint, std::move(client)};
}

std::string new_instance() {
  std::random_device device;
  char text[33];
  std::snprintf(text, sizeof text, "%08x%08x%08x%08x", device(), device(), device(), device());
  return text;
}

Status advertise_coordinator(const fs::path& home, const std::string& endpoint,
                             const std::string& instance) {
  const fs::path file = coordinator_note(home);
  std::error_code ec;
  fs::create_directories(file.parent_path(), ec);
  const fs::path temporary = file.string() + ".new";  // whoever writes it holds the store
  std::ofstream out(temporary);
  out << json_text(json{{"endpoint", endpoint}, {"pid", ::getpid()}, {"instance", instance}})
      << '\n';
  out.close();
  if (out) fs::rename(temporary, file, ec);
  if (!out || ec) return Error(ErrorCode::Io, "cannot write " + file.string());
  return {};
}

void withdraw_coordinator(const fs::path& home, const std::string& instance) {
  const fs::path file = coordinator_note(home);
  const auto note = read_note(file);
  if (note && note->instance != instance) return;
  std::error_code ec;
  fs::remove(file, ec);
}

}  // namespace winnow::cli
