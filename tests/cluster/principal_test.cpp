#include "cluster/principal.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

namespace winnow::cluster {
namespace {

constexpr uid_t kNobody = 65534;

/// A listening socket of loopback, and what connects to it.
class Loopback {
 public:
  explicit Loopback(sa_family_t family) : family_(family) {
    listener_ = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    set();
    ok_ =
        listener_ >= 0 && ::bind(listener_, address(), size()) == 0 && ::listen(listener_, 4) == 0;
    socklen_t length = size();
    ok_ = ok_ && ::getsockname(listener_, address(), &length) == 0;
  }
  ~Loopback() { ::close(listener_); }
  Loopback(const Loopback&) = delete;
  Loopback& operator=(const Loopback&) = delete;

  bool ok() const { return ok_; }
  int connected() {
    const int fd = ::socket(family_, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(::connect(fd, address(), size()), 0);
    return fd;
  }
  int accepted() const { return ::accept(listener_, nullptr, nullptr); }

 private:
  void set() {
    if (family_ == AF_INET) {
      four_.sin_family = AF_INET;
      four_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    } else {
      six_.sin6_family = AF_INET6;
      six_.sin6_addr = in6addr_loopback;
    }
  }
  sockaddr* address() {
    return family_ == AF_INET ? reinterpret_cast<sockaddr*>(&four_)
                              : reinterpret_cast<sockaddr*>(&six_);
  }
  socklen_t size() const { return family_ == AF_INET ? sizeof four_ : sizeof six_; }

  sa_family_t family_;
  sockaddr_in four_{};
  sockaddr_in6 six_{};
  int listener_ = -1;
  bool ok_ = false;
};

class PeerAccount : public testing::TestWithParam<sa_family_t> {};

TEST_P(PeerAccount, IsThatOfTheProcessAtTheFarEnd) {
  Loopback loopback(GetParam());
  if (!loopback.ok()) GTEST_SKIP() << "no such loopback here";
  const int near = loopback.connected();
  const int far = loopback.accepted();
  const auto uid = uid_of_peer(far);
  ASSERT_TRUE(uid) << uid.error().text();
  EXPECT_EQ(*uid, ::geteuid());
  // Seen from the other end it is this process as well.
  EXPECT_TRUE(uid_of_peer(near));
  ::close(near);
  ::close(far);
}

TEST_P(PeerAccount, AnotherAccountIsNotTakenForThisOne) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become somebody else";
  Loopback loopback(GetParam());
  if (!loopback.ok()) GTEST_SKIP() << "no such loopback here";
  std::array<int, 2> done{};
  ASSERT_EQ(::pipe(done.data()), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    char byte = 0;
    ::close(done[1]);
    if (::setuid(kNobody) != 0) ::_exit(1);
    static_cast<void>(loopback.connected());
    static_cast<void>(::read(done[0], &byte, 1));  // until the parent has looked
    ::_exit(0);
  }
  const int far = loopback.accepted();
  const auto uid = uid_of_peer(far);
  EXPECT_TRUE(uid.ok());
  if (uid) {
    EXPECT_EQ(*uid, kNobody);
    EXPECT_EQ(account_principal(*uid).rights, Rights::Viewer);
  }
  ::close(done[1]);
  ::close(done[0]);
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  ::close(far);
}

// The kernel calls an orphaned socket root's; nobody becomes root by hanging up.
TEST_P(PeerAccount, OfASocketThatNobodyHoldsIsNotRoot) {
  Loopback loopback(GetParam());
  if (!loopback.ok()) GTEST_SKIP() << "no such loopback here";
  const int near = loopback.connected();
  ASSERT_EQ(::send(near, "x", 1, 0), 1);
  ::close(near);
  const int far = loopback.accepted();
  const auto uid = uid_of_peer(far);
  ASSERT_FALSE(uid.ok()) << *uid;
  EXPECT_EQ(uid.error().code(), ErrorCode::NotFound);
  ::close(far);
}

INSTANTIATE_TEST_SUITE_P(Families, PeerAccount, testing::Values(AF_INET, AF_INET6),
                         [](const auto& of) { return of.param == AF_INET ? "IPv4" : "IPv6"; });

TEST(Principal, ANameIsOnlyAClaim) {
  const Principal ann{.name = "ann", .rights = Rights::Agent, .credential = Credential::Token};
  EXPECT_TRUE(check_claim(ann, ""));
  EXPECT_TRUE(check_claim(ann, "ann"));
  const Status other = check_claim(ann, "bob");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code(), ErrorCode::Refused);
  EXPECT_NE(other.error().text().find("token 'ann' (agent)"), std::string::npos)
      << other.error().text();
}

TEST(Principal, RightsGrowAndOwnersSteerTheirOwn) {
  const Principal agent{.name = "scout", .rights = Rights::Agent};
  EXPECT_TRUE(check_rights(agent, Rights::Viewer, "ask"));
  EXPECT_TRUE(check_rights(agent, Rights::Agent, "run sweeps"));
  const Status more = check_rights(agent, Rights::Researcher, "delete sweeps");
  ASSERT_FALSE(more);
  EXPECT_NE(more.error().text().find("may not delete sweeps"), std::string::npos);
  EXPECT_TRUE(check_owner(agent, "scout", "sweep 1a2b"));
  EXPECT_EQ(check_owner(agent, "ann", "sweep 1a2b").error().code(), ErrorCode::Refused);
  EXPECT_TRUE(check_owner({.name = "op", .rights = Rights::Operator}, "ann", "sweep 1a2b"));
}

TEST(Principal, EveryRoleOfACertificateSaysWhatItMayAsk) {
  for (const Role role : {Role::Coordinator, Role::Node, Role::Client, Role::Viewer, Role::Agent,
                          Role::Researcher, Role::Operator}) {
    EXPECT_EQ(*parse_role(role_name(role)), role);
    EXPECT_EQ(rights_of(role).has_value(), role != Role::Coordinator && role != Role::Node);
  }
  EXPECT_EQ(rights_of(Role::Client), Rights::Researcher);
  EXPECT_FALSE(parse_rights("root"));
  for (const char* name : {"viewer", "agent", "researcher", "operator"}) {
    EXPECT_EQ(rights_name(*parse_rights(name)), name);
    EXPECT_EQ(rights_name(*rights_of(*parse_role(name))), name);
  }
}

}  // namespace
}  // namespace winnow::cluster
