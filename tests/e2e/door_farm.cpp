#include "tests/e2e/door_farm.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <sstream>

#include "tests/e2e/tables.hpp"

namespace winnow::e2e {

namespace fs = std::filesystem;

void DoorFarm::SetUp() {
  home = folder.path() / "coordinator";
  ASSERT_EQ(winnow(home, {"cluster", "init", "--name", "test"}).status, 0);
  invite("node-1");
  invite("user", {"--role", "client"});
  up = std::make_unique<Process>(folder.path() / "up",
                                 winnow_argv(home, {"up", "--secure", "--listen", "127.0.0.1:0"}));
  const std::string before = "coordinator on 127.0.0.1:";
  ASSERT_TRUE(eventually(20, [&] {
    const std::string said = up->output();
    const auto at = said.find(before);
    if (at == std::string::npos || said.find('\n', at) == std::string::npos) return false;
    port = std::stoi(said.substr(at + before.size()));
    return true;
  })) << up->errors();
}

void DoorFarm::invite(const std::string& name, std::vector<std::string> more) {
  std::vector<std::string> args{"cluster", "invite", name, "--out", file(name)};
  args.insert(args.end(), more.begin(), more.end());
  const Ran ran = winnow(home, args);
  ASSERT_EQ(ran.status, 0) << ran.errors;
}

std::unique_ptr<Process> DoorFarm::start_node(const std::string& identity) {
  return std::make_unique<Process>(
      folder.path() / identity,
      winnow_argv(folder.path() / (identity + "-home"),
                  {"node", "--join", where(), "--workers", "1", "--identity", file(identity)}));
}

Ran DoorFarm::ask_as(const std::string& identity, std::vector<std::string> args) {
  args.insert(args.end(), {"--connect", where(), "--identity", file(identity)});
  return winnow(folder.path() / "user-home", args);
}

std::size_t DoorFarm::nodes() {
  const Ran ran = ask_as("user", {"nodes", "--json"});
  if (ran.status != 0) return kNoAnswer;
  std::size_t fresh = 0;
  for (const auto& node : nlohmann::json::parse(ran.output)) {
    fresh += node["last_seen_ms_ago"].get<std::int64_t>() < 3000 ? 1 : 0;
  }
  return fresh;
}

int DoorFarm::inner_port() const {
  const auto advert = nlohmann::json::parse(read_text(home / "run" / "coordinator.json"));
  const std::string endpoint = advert["endpoint"];
  return std::stoi(endpoint.substr(endpoint.rfind(':') + 1));
}

int connect_to(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(static_cast<std::uint16_t>(port));
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&where), sizeof where) == 0) return fd;
  ::close(fd);
  return -1;
}

std::ptrdiff_t descriptors(pid_t pid) {
  std::error_code ec;
  return std::distance(fs::directory_iterator("/proc/" + std::to_string(pid) + "/fd", ec),
                       fs::directory_iterator());
}

double cpu_s(pid_t pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
  std::string text((std::istreambuf_iterator<char>(in)), {});
  std::istringstream fields(text.substr(text.rfind(')') + 2));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0, system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

std::uint64_t resident_bytes(pid_t pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/statm");
  std::uint64_t whole = 0, resident = 0;
  in >> whole >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace winnow::e2e
