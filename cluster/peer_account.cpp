// Who is at the far end of a TCP connection within this machine: the kernel keeps the user id of
// each socket. It is asked for the one socket (sock_diag); where that is not to be had, its table
// of all (/proc/net/tcp) is read.

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <fstream>
#include <sstream>

#include "cluster/principal.hpp"

namespace winnow::cluster {
namespace {

// The kernel's numbers of states, of which <netinet/tcp.h> has the same under the same names; it
// cannot be included beside the headers above.
constexpr std::uint8_t kEstablished = 1;

/// The two ends of a connection, the far one first, as the far end's socket sees them.
struct Ends {
  sa_family_t family = AF_UNSPEC;
  std::array<std::uint32_t, 4> far_address = {}, near_address = {};  ///< network order
  std::uint16_t far_port = 0, near_port = 0;                         ///< network order
};

bool take_end(const sockaddr_storage& from, std::array<std::uint32_t, 4>& address,
              std::uint16_t& port) {
  if (from.ss_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &from, sizeof in);
    address[0] = in.sin_addr.s_addr;
    port = in.sin_port;
    return true;
  }
  if (from.ss_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, &from, sizeof in);
    std::memcpy(address.data(), &in.sin6_addr, sizeof in.sin6_addr);
    port = in.sin6_port;
    return true;
  }
  return false;
}

bool read_ends(int socket, Ends& ends) {
  sockaddr_storage far{}, near{};
  socklen_t far_size = sizeof far, near_size = sizeof near;
  if (::getpeername(socket, reinterpret_cast<sockaddr*>(&far), &far_size) != 0 ||
      ::getsockname(socket, reinterpret_cast<sockaddr*>(&near), &near_size) != 0) {
    return false;
  }
  ends.family = far.ss_family;
  return take_end(far, ends.far_address, ends.far_port) &&
         take_end(near, ends.near_address, ends.near_port);
}

/// What the kernel says of one socket. An orphan, which no process holds any more, is said to be
/// root's: it counts for nothing.
std::optional<uid_t> owner(std::uint8_t state, std::uint64_t inode, std::uint64_t uid) {
  if (state != kEstablished || inode == 0) return std::nullopt;
  return static_cast<uid_t>(uid);
}

enum class Asked { Answered, NotAvailable };

Asked ask_kernel(const Ends& ends, std::optional<uid_t>& uid) {
  const int fd = ::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  if (fd < 0) return Asked::NotAvailable;
  struct {
    nlmsghdr head;
    inet_diag_req_v2 body;
  } request{};
  request.head.nlmsg_len = sizeof request;
  request.head.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  request.head.nlmsg_flags = NLM_F_REQUEST;
  request.body.sdiag_family = static_cast<std::uint8_t>(ends.family);
  request.body.sdiag_protocol = IPPROTO_TCP;
  request.body.idiag_states = ~0u;
  std::memcpy(request.body.id.idiag_src, ends.far_address.data(), sizeof ends.far_address);
  std::memcpy(request.body.id.idiag_dst, ends.near_address.data(), sizeof ends.near_address);
  request.body.id.idiag_sport = ends.far_port;
  request.body.id.idiag_dport = ends.near_port;
  request.body.id.idiag_cookie[0] = INET_DIAG_NOCOOKIE;
  request.body.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  alignas(nlmsghdr) std::array<char, 4096> answer{};
  const bool sent = ::send(fd, &request, sizeof request, 0) == sizeof request;
  const ssize_t size = sent ? ::recv(fd, answer.data(), answer.size(), 0) : -1;
  ::close(fd);
  if (size < static_cast<ssize_t>(sizeof(nlmsghdr))) return Asked::NotAvailable;
  nlmsghdr head{};
  std::memcpy(&head, answer.data(), sizeof head);
  if (head.nlmsg_type == NLMSG_ERROR) {
    nlmsgerr error{};
    if (size < static_cast<ssize_t>(NLMSG_HDRLEN + sizeof error)) return Asked::NotAvailable;
    std::memcpy(&error, answer.data() + NLMSG_HDRLEN, sizeof error);
    return error.error == -ENOENT && ends.far_port != 0 ? Asked::Answered : Asked::NotAvailable;
  }
  if (head.nlmsg_type != SOCK_DIAG_BY_FAMILY ||
      size < static_cast<ssize_t>(NLMSG_HDRLEN + sizeof(inet_diag_msg))) {
    return Asked::NotAvailable;
  }
  inet_diag_msg found{};
  std::memcpy(&found, answer.data() + NLMSG_HDRLEN, sizeof found);
  // The kernel takes a listening socket where it finds no connection between these ends.
  const bool same = found.id.idiag_sport == ends.far_port && found.id.idiag_dport == ends.near_port;
  if (same) uid = owner(found.idiag_state, found.idiag_inode, found.idiag_uid);
  return Asked::Answered;
}

std::string table_end(const std::array<std::uint32_t, 4>& address, std::uint16_t port,
                      sa_family_t family) {
  std::array<char, 16> part{};
  std::string out;
  for (std::size_t i = 0; i < (family == AF_INET ? 1u : 4u); ++i) {
    std::snprintf(part.data(), part.size(), "%08X", address[i]);
    out += part.data();
  }
  std::snprintf(part.data(), part.size(), ":%04X", unsigned{ntohs(port)});
  return out + part.data();
}

std::optional<uid_t> look_up(const Ends& ends) {
  std::ifstream table(ends.family == AF_INET ? "/proc/net/tcp" : "/proc/net/tcp6");
  const std::string far = table_end(ends.far_address, ends.far_port, ends.family);
  const std::string near = table_end(ends.near_address, ends.near_port, ends.family);
  std::string line;
  while (std::getline(table, line)) {
    std::istringstream words(line);
    std::string slot, local, remote, state, queues, timer, retransmits, timeout;
    std::uint64_t uid = 0, inode = 0;
    if (!(words >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> uid >>
          timeout >> inode) ||
        local != far || remote != near) {
      continue;
    }
    const auto number = static_cast<std::uint8_t>(std::strtoul(state.c_str(), nullptr, 16));
    return owner(number, inode, uid);
  }
  return std::nullopt;
}

}  // namespace

Result<uid_t> uid_of_peer(int socket) {
  Ends ends;
  std::optional<uid_t> uid;
  if (read_ends(socket, ends) && ask_kernel(ends, uid) == Asked::NotAvailable) uid = look_up(ends);
  if (uid) return *uid;
  return Error(ErrorCode::NotFound,
               "the kernel names no process of this machine at the far end of the connection");
}

}  // namespace winnow::cluster
