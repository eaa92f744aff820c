// Threads that cannot be had (F9).

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "cluster/process.hpp"

namespace winnow::cluster {
namespace {

/// Bytes of address space that this process uses.
rlim_t used_bytes() {
  std::ifstream in("/proc/self/statm");
  rlim_t pages = 0;
  in >> pages;
  return pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE));
}

TEST(Threads, F9ThereAreSomeToBeHad) { EXPECT_TRUE(can_start_threads(8).ok()); }

TEST(Threads, F9NoneToBeHadIsOneClearError) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "AddressSanitizer itself does not live in so little address space";
#endif
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    // Room for the stacks of a few.
    const rlim_t most = used_bytes() + (rlim_t{64} << 20);
    const rlimit limit{most, most};
    (void)::setrlimit(RLIMIT_AS, &limit);
    const Status able = can_start_threads(200);
    const std::string said = able.ok() ? "all could be started" : able.error().text();
    (void)!::write(ends[1], said.data(), said.size());
    ::_exit(able.ok() ? 0 : 1);
  }
  ::close(ends[1]);
  std::string said;
  char buffer[512];
  for (ssize_t n; (n = ::read(ends[0], buffer, sizeof buffer)) > 0;) {
    said.append(buffer, static_cast<std::size_t>(n));
  }
  ::close(ends[0]);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status)) << "it was ended by signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 1);
  EXPECT_NE(said.find("no thread can be had: 200 are needed"), std::string::npos) << said;
  EXPECT_NE(said.find("ulimit -u"), std::string::npos) << said;
}

}  // namespace
}  // namespace winnow::cluster
