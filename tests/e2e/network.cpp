#include "tests/e2e/network.hpp"

#include <unistd.h>

namespace winnow::e2e {

namespace {

constexpr int kHub = -1;

}  // namespace

Network::Network(int hosts) : stem_("wn" + std::to_string(::getpid())), hosts_(hosts) {
  if (::geteuid() != 0) {
    problem_ = "network namespaces need root";
    return;
  }
  if (tell({"ip", "-V"}) != 0) {
    problem_ = "the program ip is not installed";
    return;
  }
  bool made = ip({"netns", "add", space(kHub)}) &&
              ip({"-n", space(kHub), "link", "add", "hub", "type", "bridge"}) &&
              ip({"-n", space(kHub), "link", "set", "hub", "up"});
  for (int i = 0; made && i < hosts_; ++i) {
    const std::string port = "port" + std::to_string(i);
    made = ip({"netns", "add", space(i)}) &&
           ip({"-n", space(kHub), "link", "add", port, "type", "veth", "peer", "name", "wire",
               "netns", space(i)}) &&
           ip({"-n", space(kHub), "link", "set", port, "master", "hub", "up"}) &&
           ip({"-n", space(i), "addr", "add", address(i) + "/24", "dev", "wire"}) &&
           ip({"-n", space(i), "link", "set", "wire", "up"}) &&
           ip({"-n", space(i), "link", "set", "lo", "up"});
  }
}

Network::~Network() {
  for (int i = kHub; i < hosts_; ++i) tell({"ip", "netns", "del", space(i)});
}

std::string Network::space(int host) const {
  return stem_ + (host == kHub ? "hub" : "-" + std::to_string(host));
}

std::string Network::address(int host) const { return "10.231.0." + std::to_string(host + 1); }

std::vector<std::string> Network::on(int host, std::vector<std::string> argv) const {
  argv.insert(argv.begin(), {"/bin/ip", "netns", "exec", space(host)});
  return argv;
}

void Network::cut(int host) const {
  tell({"ip", "-n", space(kHub), "link", "set", "port" + std::to_string(host), "down"});
}

void Network::heal(int host) const {
  tell({"ip", "-n", space(kHub), "link", "set", "port" + std::to_string(host), "up"});
}

bool Network::slow(int host, int kbit_per_s) const {
  return tell({"tc", "-n", space(host), "qdisc", "add", "dev", "wire", "root", "tbf", "rate",
               std::to_string(kbit_per_s) + "kbit", "burst", "16k", "latency", "200ms"}) == 0;
}

bool Network::ip(std::vector<std::string> args) {
  args.insert(args.begin(), "ip");
  if (tell(args) == 0) return true;
  if (problem_.empty()) {
    for (const std::string& word : args) problem_ += word + " ";
    problem_ += "is not permitted here";
  }
  return false;
}

int Network::tell(std::vector<std::string> argv) const {
  argv[0] = (argv[0] == "tc" ? "/sbin/" : "/bin/") + argv[0];
  Process process(folder_.path(), std::move(argv));
  return process.wait(20);
}

}  // namespace winnow::e2e
