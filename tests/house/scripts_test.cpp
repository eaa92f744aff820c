// What the scripts at the root install and say, with every program that they call replaced by one
// that writes down how it was called.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>

namespace winnow::house {
namespace {

namespace fs = std::filesystem;

std::string read_text(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// The packages of each group of tools/packages.txt.
std::map<std::string, std::set<std::string>> package_groups() {
  std::map<std::string, std::set<std::string>> groups;
  std::istringstream in(read_text(fs::path(WINNOW_SOURCE_DIR) / "tools/packages.txt"));
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string group, package;
    if (words >> group >> package && group[0] != '#') groups[group].insert(package);
  }
  return groups;
}

/// A copy of the scripts on a machine where nothing is installed and nothing is built.
class Scripts : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "winnow-scripts-XXXXXX").string();
    root_ = ::mkdtemp(name.data());
    fs::create_directories(root_ / "bin");
    const fs::path source = WINNOW_SOURCE_DIR;
    for (const char* file : {"run", "test"}) fs::copy(source / file, root_ / file);
    fs::copy(source / "tools", root_ / "tools");
    program("dpkg-query", "[ $1 != -L ] || echo /lib/systemd/system/some.service\n");
    program("apt-get",
            "echo apt-get $* >> $ROOT/calls\n"
            "[ ! -x $ROOT/policy ] || { $ROOT/policy; echo policy $? >> $ROOT/calls; }\n");
    program("systemctl", "echo systemctl $* >> $ROOT/calls\n");
    program("ctest", "echo ctest $* >> $ROOT/calls\n");
    program(
        "cmake",
        "echo cmake $* >> $ROOT/calls\n"
        "[ $1 = --build ] || exit 0\n"
        "mkdir -p build/release\n"
        "printf '#!/bin/sh\\necho the demo ran\\n' > build/release/winnow\n"
        "chmod +x build/release/winnow\n"
        "for i in 1 2; do echo \"$NINJA_STATUS\" | sed \"s/%f/$i/;s/%t/2/;s/%p/$((i * 50))%/\"\n"
        "done\n"
        "echo a warning\n"
        "exit ${CMAKE_EXIT:-0}\n");
  }
  void TearDown() override { fs::remove_all(root_); }

  void program(const std::string& name, const std::string& body) const {
    const fs::path file = root_ / "bin" / name;
    std::ofstream(file) << "#!/bin/bash\n" << body;
    fs::permissions(file, fs::perms::owner_all);
  }
  /// Runs a line of shell in the copy; what it printed is in `said`.
  int shell(const std::string& line) const {
    const std::string in = root_.string();
    return std::system(("cd " + in + " && export ROOT=" + in + " WINNOW_SETUP_POLICY=" + in +
                        "/policy PATH=" + in + "/bin:$PATH && (" + line + ") > said 2>&1")
                           .c_str());
  }
  std::string said() const { return read_text(root_ / "said"); }
  std::string calls() const { return read_text(root_ / "calls"); }
  /// Packages that apt-get was asked to install.
  std::set<std::string> installed() const {
    std::set<std::string> packages;
    std::istringstream in(calls());
    for (std::string line; std::getline(in, line);) {
      const std::string words = " install --no-install-recommends ";
      const auto at = line.find(words);
      if (at == std::string::npos) continue;
      std::istringstream names(line.substr(at + words.size()));
      for (std::string package; names >> package;) packages.insert(package);
    }
    return packages;
  }

  fs::path root_;
};

TEST_F(Scripts, D17RunInstallsWhatBuildingAndRunningNeedAndNoMore) {
  const auto groups = package_groups();
  ASSERT_EQ(shell("./run --quick"), 0) << said();
  EXPECT_EQ(installed(), groups.at("build"));
  for (const std::string group : {"test", "services", "lint", "image", "browser"}) {
    for (const std::string& package : groups.at(group)) {
      EXPECT_FALSE(groups.at("build").contains(package)) << package << " is of group " << group;
    }
  }
  for (const std::string daemon :
       {"openssh-server", "slurmctld", "slurmd", "munge", "prometheus"}) {
    EXPECT_TRUE(groups.at("services").contains(daemon)) << daemon;
  }
  EXPECT_NE(calls().find("--target winnow\n"), std::string::npos) << calls();
  EXPECT_NE(said().find("the demo ran"), std::string::npos) << said();
}

TEST_F(Scripts, D17ABuildSaysHowFarItIsAndWhatCompilersSay) {
  ASSERT_EQ(shell("./run --build-only"), 0) << said();
  EXPECT_NE(said().find("build: 2 of 2 (100%), "), std::string::npos) << said();
  EXPECT_NE(said().find("\na warning\n"), std::string::npos) << said();
  EXPECT_EQ(said().find("@@"), std::string::npos) << said();
  EXPECT_NE(shell("CMAKE_EXIT=3 ./run --build-only"), 0) << "a failed build is a failure";
}

TEST_F(Scripts, D17DaemonsOfTheTestsAreNeitherStartedNorEnabled) {
  const auto groups = package_groups();
  ASSERT_EQ(shell("./test unit"), 0) << said();
  std::set<std::string> wanted = groups.at("build");
  for (const char* group : {"test", "services"}) {
    wanted.insert(groups.at(group).begin(), groups.at(group).end());
  }
  EXPECT_EQ(installed(), wanted);
  // While apt-get works, Debian's question whether a daemon may start is answered with no (101).
  EXPECT_NE(calls().find("policy 101\n"), std::string::npos) << calls();
  EXPECT_NE(calls().find("systemctl --quiet --no-reload disable some.service\n"), std::string::npos)
      << calls();
  EXPECT_FALSE(fs::exists(root_ / "policy")) << "it stays behind";
}

TEST_F(Scripts, D17WhatAnotherDecidedAboutDaemonsStays) {
  ASSERT_EQ(
      shell("printf '#!/bin/sh\\nexit 0\\n' > policy; chmod +x policy; tools/setup.sh services"), 0)
      << said();
  EXPECT_NE(calls().find("policy 0\n"), std::string::npos) << calls();
  EXPECT_TRUE(fs::exists(root_ / "policy"));
}

/// Sources of a room and of tests as a build names them, and a reader that finds fault with one.
class TidyScript : public Scripts {
 protected:
  void SetUp() override {
    Scripts::SetUp();
    program("clang-tidy-16", "echo reads ${@: -1} >> $ROOT/calls; [ ${@: -1} != store/bad.cpp ]\n");
    fs::create_directories(root_ / "build/quick");
    std::ofstream commands(root_ / "build/quick/compile_commands.json");
    const auto add = [&](const std::string& file) {
      commands << "  \"file\": \"" << fs::canonical(root_).string() << "/" << file << "\",\n";
      fs::create_directories((root_ / file).parent_path());
      std::ofstream(root_ / file) << "one\n";
    };
    for (int i = 10; i < 70; ++i) add("store/s" + std::to_string(i) + ".cpp");
    for (const char* file : {"tests/store/t.cpp", "build/made.cpp", "engine/isa.cpp"}) add(file);
  }
  std::size_t read() const {
    const std::string all = calls();
    std::size_t count = 0;
    for (auto at = all.find("reads "); at != std::string::npos; at = all.find("reads ", at + 1)) {
      ++count;
    }
    return count;
  }
  static constexpr const char* kCommit =
      "git -c user.name=n -c user.email=e -c commit.gpgsign=false commit -qm text";
};

TEST_F(TidyScript, ReadsEverySourceOfTheRoomsAndFailsOnAFinding) {
  ASSERT_EQ(shell("./test lint"), 0) << said();
  EXPECT_EQ(read(), 60u) << calls();
  for (const char* other : {"t.cpp", "made.cpp", "isa.cpp"}) {
    EXPECT_EQ(calls().find(other), std::string::npos) << other;
  }
  EXPECT_NE(shell("tools/tidy.sh store/s10.cpp store/bad.cpp"), 0) << said();
}

TEST_F(TidyScript, ReadsWhatDiffersFromTheParentCommitAndNoMoreThanFits) {
  const std::string commit = kCommit;
  ASSERT_EQ(shell("git init -q . && git add store && " + commit + " && tools/tidy.sh --changed"), 0)
      << said();
  EXPECT_EQ(read(), 0u) << "there is no parent";
  ASSERT_EQ(shell("echo two >> store/s11.cpp && git add store && " + commit +
                  " && echo three >> store/s12.cpp && tools/tidy.sh --changed"),
            0)
      << said();
  EXPECT_EQ(read(), 2u) << calls();
  ASSERT_EQ(shell("rm calls; for f in store/*.cpp; do echo four >> $f; done; git add store; " +
                  commit + "; tools/tidy.sh --changed"),
            0)
      << said();
  EXPECT_EQ(read(), 40u) << calls();
  EXPECT_NE(said().find("60 files differ, 40 of them are read"), std::string::npos) << said();
}

/// A package, and tools that write down how they were called instead of making an image.
class ImageScript : public Scripts {
 protected:
  void SetUp() override {
    Scripts::SetUp();
    std::ofstream(root_ / "winnow.deb") << "a package";
    program("dpkg-deb",
            "[ $3 = Version ] && echo 0.9.0 || "
            "echo 'libc6 (>= 2.36), libssl3 (>= 3.0), awk | mawk, tzdata'\n");
    program("mmdebstrap", "echo mmdebstrap $* >> $ROOT/calls\n");
    program("buildah",
            "echo buildah $* >> $ROOT/calls\n"
            "case $* in *' from '*) echo container-1 ;; esac\n");
  }
};

TEST_F(ImageScript, MakesAnImageOfThePackageAndPullsNone) {
  ASSERT_EQ(shell("tools/image.sh --deb winnow.deb"), 0) << said();
  const std::string made = calls();
  EXPECT_NE(made.find(" --include=libc6,libssl3,awk,tzdata "), std::string::npos) << made;
  EXPECT_NE(made.find(" from scratch\n"), std::string::npos) << made;
  EXPECT_NE(made.find(" container-1 winnow:0.9.0\n"), std::string::npos) << made;
  const std::string archive = (root_ / "build/winnow-0.9.0.tar").string();
  EXPECT_NE(made.find(" winnow:0.9.0 oci-archive:" + archive + ":winnow:0.9.0\n"),
            std::string::npos)
      << made;
  EXPECT_NE(said().find(archive + "\n"), std::string::npos) << said();
  EXPECT_EQ(made.find("pull"), std::string::npos) << made;
  EXPECT_EQ(made.find("docker://"), std::string::npos) << made;
}

TEST_F(ImageScript, SaysWhichToolsAreMissing) {
  fs::remove(root_ / "bin/mmdebstrap");
  fs::remove(root_ / "bin/buildah");
  // A machine that has what the script itself calls, and no more.
  ASSERT_EQ(shell("for tool in bash env dirname realpath sed; do"
                  " ln -s \"$(command -v $tool)\" bin/; done"),
            0);
  EXPECT_NE(shell("PATH=$ROOT/bin tools/image.sh --deb winnow.deb"), 0);
  EXPECT_NE(said().find("not installed here: mmdebstrap buildah; on Debian, tools/setup.sh image"),
            std::string::npos)
      << said();
  EXPECT_EQ(calls(), "");
}

}  // namespace
}  // namespace winnow::house
