#include "cluster/launch.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <filesystem>
#include <optional>

namespace winnow::cluster {
namespace {

bool is_plain(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
         std::string_view("_-./:=@%+,").find(c) != std::string_view::npos;
}

std::string quoted(const std::string& word) {
  if (!word.empty() && std::all_of(word.begin(), word.end(), is_plain)) return word;
  std::string out = "'";
  for (const char c : word) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (!line.empty()) {
    const auto first = line.find_first_not_of(" \t\r");
    if (first == std::string_view::npos) break;
    line.remove_prefix(first);
    const auto end = std::min(line.find_first_of(" \t\r"), line.size());
    words.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
  return words;
}

template <class T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// A destination that ssh cannot take for an option, nor a shell for more than a word.
bool is_destination(std::string_view text) {
  return !text.empty() && text.front() != '-' &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_' || c == '@';
         });
}

Result<SshHost> parse_host(std::span<const std::string_view> words, const std::string& where) {
  const auto wrong = [&](std::string_view word, const std::string& allowed) {
    return Error(ErrorCode::InvalidInput,
                 where + ": '" + std::string(word) + "'; allowed: " + allowed);
  };
  SshHost host;
  std::string_view destination = words[0];
  if (const auto colon = destination.rfind(':'); colon != std::string_view::npos) {
    const auto port = number<std::uint16_t>(destination.substr(colon + 1));
    if (!port || *port == 0) return wrong(words[0], "[USER@]HOST[:PORT], a port from 1 to 65535");
    host.port = *port;
    destination = destination.substr(0, colon);
  }
  if (!is_destination(destination)) {
    return wrong(words[0], "[USER@]HOST[:PORT] of letters, digits, '.', '-', '_'");
  }
  host.destination = destination;
  for (const std::string_view word : words.subspan(1)) {
    constexpr std::string_view kWorkers = "workers=";
    const auto workers = word.starts_with(kWorkers)
                             ? number<std::uint32_t>(word.substr(kWorkers.size()))
                             : std::nullopt;
    if (!workers || *workers < 1 || *workers > 4096) return wrong(word, "workers=1 to 4096");
    host.workers = *workers;
  }
  return host;
}

std::vector<std::string> ssh_to(const SshHost& host, std::span<const std::string> options) {
  std::vector<std::string> argv{
      "ssh", "-o", "BatchMode=yes", "-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3"};
  if (host.port != 0) argv.insert(argv.end(), {"-p", std::to_string(host.port)});
  argv.insert(argv.end(), options.begin(), options.end());
  return argv;
}

}  // namespace

std::vector<std::string> node_argv(const NodeLaunch& node) {
  std::vector<std::string> argv{node.binary, "node", "--join", node.join};
  const auto add = [&](const char* option, const std::string& value) {
    if (!value.empty()) argv.insert(argv.end(), {option, value});
  };
  if (node.workers > 0) add("--workers", std::to_string(node.workers));
  add("--home", node.home);
  add("--identity", node.identity);
  return argv;
}

std::string shell_line(std::span<const std::string> argv) {
  std::string line;
  for (const std::string& word : argv) line += (line.empty() ? "" : " ") + quoted(word);
  return line;
}

Result<std::vector<SshHost>> parse_hosts(std::string_view text, std::string_view file) {
  std::vector<SshHost> hosts;
  std::size_t number = 0;
  while (!text.empty()) {
    ++number;
    const auto end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    line = line.substr(0, line.find('#'));
    const auto words = words_of(line);
    if (words.empty()) continue;
    auto host = parse_host(words, std::string(file) + ":" + std::to_string(number));
    if (!host) return host.error();
    hosts.push_back(std::move(*host));
  }
  if (hosts.empty()) {
    return Error(ErrorCode::InvalidInput, std::string(file) +
                                              " names no host; a line is "
                                              "`[USER@]HOST[:PORT] [workers=N]`");
  }
  return hosts;
}

std::vector<std::string> ssh_argv(const SshHost& host, const NodeLaunch& node,
                                  std::span<const std::string> options) {
  std::vector<std::string> argv = ssh_to(host, options);
  NodeLaunch there = node;
  if (host.workers > 0) there.workers = host.workers;
  std::vector<std::string> command = node_argv(there);
  // Nothing but its input tells the far process that this end is gone.
  command.emplace_back("--until-eof");
  argv.insert(argv.end(), {"--", host.destination, "exec " + shell_line(command)});
  return argv;
}

std::vector<std::string> ssh_carry_argv(const SshHost& host, const std::string& identity,
                                        std::span<const std::string> options) {
  std::vector<std::string> argv = ssh_to(host, options);
  // "./" so that no name is taken for an option.
  const std::string path = identity.starts_with('/') ? identity : "./" + identity;
  const std::string file = quoted(path);
  const std::string part = quoted(path + ".new");
  const std::string folder = quoted(std::filesystem::path(path).parent_path().string());
  const std::string script = "umask 077 && mkdir -p " + folder + " && rm -f " + part +
                             " && cat > " + part + " && mv -f " + part + " " + file;
  argv.insert(argv.end(), {"--", host.destination, script});
  return argv;
}

}  // namespace winnow::cluster
