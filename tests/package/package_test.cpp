// What `cmake --install`, `cpack` and tools/image.sh make runs where it is put, without the
// checkout that it came from.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace winnow::package {
namespace {

namespace fs = std::filesystem;

std::string quoted(const std::string& word) {
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string read_text(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

bool is_installed(const std::string& tool) {
  return std::system(("command -v " + tool + " > /dev/null 2>&1").c_str()) == 0;
}

/// Purpose: a machine's empty corner, and a shell in it that knows no setting of ours.
class Package : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "winnow-package-XXXXXX").string();
    root_ = ::mkdtemp(name.data());
    fs::create_directories(root_ / "home");
  }
  void TearDown() override { fs::remove_all(root_); }

  /// Runs a line of shell; `said_` is what it printed.
  int shell(const std::string& line) {
    const std::string said = quoted((root_ / "said").string());
    const int status =
        std::system(("cd " + quoted(root_.string()) +
                     " && unset WINNOW_CONFIGS WINNOW_HOME WINNOW_USER WINNOW_IDENTITY WINNOW_TOKEN"
                     " && export HOME=$PWD/home && (" +
                     line + ") > " + said + " 2>&1")
                        .c_str());
    said_ = read_text(root_ / "said");
    return status;
  }
  void expect_done(const std::string& line) { ASSERT_EQ(shell(line), 0) << line << "\n" << said_; }
  /// The same on a machine where neither the checkout nor its build is, if the kernel lets us.
  void expect_done_alone(const std::string& line) {
    if (shell("unshare --mount --map-root-user true") != 0) return expect_done(line);
    std::string hide;
    for (const char* folder : {WINNOW_BINARY_DIR, WINNOW_SOURCE_DIR}) {
      hide += "mount -t tmpfs none " + quoted(folder) + " && ";
    }
    expect_done("unshare --mount --map-root-user sh -c " + quoted(hide + line));
  }
  bool said(const std::string& text) const { return said_.find(text) != std::string::npos; }

  /// A market, a backtest whose costs come from what was installed, and a farm of its own
  /// processes.
  void expect_works(const fs::path& prefix) {
    const std::string winnow = quoted((prefix / "bin/winnow").string());
    const std::string configs = (prefix / "share/winnow/configs").string();
    ASSERT_NO_FATAL_FAILURE(expect_done(quoted(WINNOW_BINARY_DIR "/winnow") + " --version"));
    const std::string built = said_;
    ASSERT_NO_FATAL_FAILURE(expect_done_alone(winnow + " --version"));
    EXPECT_EQ(said_, built);
    ASSERT_NO_FATAL_FAILURE(expect_done_alone(
        winnow + " data synth " + quoted(configs + "/markets/demo.yaml") + " --seed 1 --name sim"));
    ASSERT_NO_FATAL_FAILURE(
        expect_done_alone(winnow + " backtest --strategy mean_reversion --data sim-btc --to "
                                   "2023-02-01 --execution binance-usdm"));
    EXPECT_NE(shell(winnow + " backtest --strategy sma_cross --data sim-btc --execution nosuch"),
              0);
    EXPECT_TRUE(said(configs + "/execution")) << said_;
    std::ofstream(root_ / "small.yaml") << R"(sweep: small
data: [sim-btc]
window: {from: 2023-01-01, to: 2023-03-01}
execution: okx-swap
strategies:
  - family: mean_reversion
    params:
      lookback_bars: {int: [96, 192], step: 48}
      entry_z: {float: [1.0, 2.0], step: 0.5}
search: {method: grid}
)";
    ASSERT_NO_FATAL_FAILURE(
        expect_done_alone(winnow + " sweep run small.yaml --nodes 1 --workers 1 --quiet"));
    ASSERT_NO_FATAL_FAILURE(expect_done_alone(winnow + " top small --limit 3"));
  }

  /// The package of this build. It takes what was built, and builds nothing.
  fs::path packed() {
    expect_done("cpack -G DEB --config " + quoted(WINNOW_BINARY_DIR "/CPackConfig.cmake") +
                " -B packed");
    for (const auto& entry : fs::directory_iterator(root_ / "packed")) {
      if (entry.path().extension() == ".deb") return entry.path();
    }
    ADD_FAILURE() << said_;
    return {};
  }

  fs::path root_;
  std::string said_;
};

TEST_F(Package, AnInstalledTreeRunsWhereverItIsMoved) {
  ASSERT_NO_FATAL_FAILURE(
      expect_done("cmake --install " + quoted(WINNOW_BINARY_DIR) + " --strip --prefix first"));
  fs::rename(root_ / "first", root_ / "another place");
  const fs::path prefix = root_ / "another place";
  ASSERT_NO_FATAL_FAILURE(expect_done("readelf -d 'another place/bin/winnow'"));
  EXPECT_TRUE(said("[$ORIGIN/../lib/winnow]")) << said_;
  for (const char* file :
       {"lib/winnow/libwinnow_lanes_v2.so", "lib/winnow/libwinnow_lanes_v3.so",
        "lib/winnow/libwinnow_lanes_v4.so", "lib/systemd/system/winnow.service",
        "lib/systemd/system/winnow-node.service", "share/doc/winnow/README.md",
        "share/doc/winnow/docs/ARCHITECTURE.md", "share/doc/winnow/copyright",
        "share/winnow/configs/instruments.yaml", "share/winnow/configs/prometheus/alerts.yml"}) {
    EXPECT_TRUE(fs::exists(prefix / file)) << file;
  }
  const std::string page = read_text(prefix / "share/man/man1/winnow.1");
  for (const char* command : {"winnow demo", "winnow sweep run", "winnow launch systemd"}) {
    EXPECT_NE(page.find("\n.SS " + std::string(command) + " "), std::string::npos) << command;
  }
  EXPECT_NE(page.find("\n.B \\-\\-settings TEXT"), std::string::npos);
  expect_works(prefix);
}

TEST_F(Package, TheDebianPackageHoldsWhatItShouldAndRunsFromWhereItIsUnpacked) {
  if (!is_installed("dpkg-deb")) GTEST_SKIP() << "this is not Debian: no dpkg-deb";
  const fs::path deb = packed();
  ASSERT_FALSE(deb.empty());
  ASSERT_NO_FATAL_FAILURE(expect_done("dpkg-deb --field " + quoted(deb.string())));
  for (const char* field :
       {"Package: winnow\n", "Section: science\n", "Suggests: openssh-client, slurm-client"}) {
    EXPECT_TRUE(said(field)) << field << " is not in:\n" << said_;
  }
  if (is_installed("dpkg-shlibdeps")) {
    for (const char* library : {"libc6 (>= ", "librocksdb", "libcaf", "libssl3", "tzdata"}) {
      EXPECT_TRUE(said(library)) << library << " is not in:\n" << said_;
    }
  }
  ASSERT_NO_FATAL_FAILURE(expect_done("dpkg-deb --contents " + quoted(deb.string())));
  for (const char* file :
       {"-rwxr-xr-x root/root", " ./usr/bin/winnow\n", " ./usr/lib/winnow/libwinnow_lanes_v4.so\n",
        " ./usr/lib/systemd/system/winnow-node.service\n", " ./usr/share/man/man1/winnow.1.gz\n",
        " ./usr/share/doc/winnow/copyright\n",
        " ./usr/share/winnow/configs/execution/none.yaml\n"}) {
    EXPECT_TRUE(said(file)) << file << " is not in:\n" << said_;
  }
  for (const char* file : {"/tests/", ".a\n", ".hpp\n", "/usr/local"}) {
    EXPECT_FALSE(said(file)) << file << " is in:\n" << said_;
  }
  ASSERT_NO_FATAL_FAILURE(expect_done("dpkg-deb -x " + quoted(deb.string()) + " unpacked"));
  // The program alone knows the checkout, as the last place where it looks for configurations.
  shell("grep -rlF " + quoted(WINNOW_SOURCE_DIR) + " unpacked");
  EXPECT_TRUE(said_.empty() || said_ == "unpacked/usr/bin/winnow\n") << said_;
  const fs::path units = root_ / "unpacked/usr/lib/systemd/system";
  EXPECT_NE(read_text(units / "winnow.service").find("\nExecStart=/usr/bin/winnow \"up\" "),
            std::string::npos);
  EXPECT_NE(
      read_text(units / "winnow-node.service").find("\nEnvironmentFile=/etc/winnow/node.conf"),
      std::string::npos);
  expect_works(root_ / "unpacked/usr");
}

TEST_F(Package, AnImageIsMadeOfThePackageAndOfDebianAlone) {
  for (const char* tool : {"mmdebstrap", "buildah"}) {
    if (!is_installed(tool)) GTEST_SKIP() << tool << " is not installed (tools/setup.sh image)";
  }
  const fs::path deb = packed();
  ASSERT_FALSE(deb.empty());
  ASSERT_NO_FATAL_FAILURE(
      expect_done("HOME=" + quoted(std::getenv("HOME") != nullptr ? std::getenv("HOME") : "") +
                  " " + quoted(WINNOW_SOURCE_DIR "/tools/image.sh") + " --deb " +
                  quoted(deb.string()) + " --name winnow:test --out image.tar"));
  ASSERT_NO_FATAL_FAILURE(
      expect_done("mkdir image && tar -xf image.tar -C image && cat image/index.json"));
  EXPECT_TRUE(said("winnow:test")) << said_;
  ASSERT_NO_FATAL_FAILURE(
      expect_done("grep -lF '\"Entrypoint\":[\"winnow\"]' image/blobs/sha256/*"));
  // Its one layer, the largest blob, is a machine on which the program runs. Where it lies itself
  // the program learns from /proc, which every container has.
  ASSERT_NO_FATAL_FAILURE(
      expect_done("mkdir machine && tar -xf $(ls -S image/blobs/sha256/* | head -n 1) -C machine"
                  " --exclude=dev --exclude=./dev"));
  ASSERT_NO_FATAL_FAILURE(
      expect_done("unshare --mount --map-root-user sh -c 'mount --rbind /proc machine/proc &&"
                  " chroot machine /usr/bin/winnow --version'"));
  EXPECT_TRUE(said("winnow ")) << said_;
}

}  // namespace
}  // namespace winnow::package
