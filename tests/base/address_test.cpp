#include "base/address.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace winnow {
namespace {

TEST(FaultF11, LoopbackIsWhatReachesThisMachineAlone) {
  for (const char* const host : {"127.0.0.1", "127.0.0.2", "127.255.255.254", "::1", "[::1]",
                                 "localhost", "::ffff:127.0.0.1"}) {
    EXPECT_TRUE(is_loopback(host)) << host;
  }
  for (const char* const host : {"0.0.0.0", "128.0.0.1", "127.0.0.1.example.org", "127.", "::",
                                 "::ffff:10.0.0.1", "10.127.0.1", "", "localhost.example.org"}) {
    EXPECT_FALSE(is_loopback(host)) << host;
  }
}

TEST(FaultD14, APortInUseIsSaidInPlainWords) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t bytes = sizeof address;
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), bytes), 0);
  ASSERT_EQ(::listen(fd, 1), 0);
  ASSERT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &bytes), 0);
  const std::uint16_t port = ntohs(address.sin_port);
  const std::string why = why_not_listening("127.0.0.1", port);
  EXPECT_NE(why.find("port " + std::to_string(port) + " is in use"), std::string::npos) << why;
  ::close(fd);
  EXPECT_EQ(why_not_listening("127.0.0.1", 0), "");
  EXPECT_NE(why_not_listening("192.0.2.1", 0).find("no address of this machine"),
            std::string::npos);
}

}  // namespace
}  // namespace winnow
