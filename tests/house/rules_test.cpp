// The house rules find what they forbid: each rule is shown a file that breaks it, and one that
// almost does.
#include "tests/house/rules.hpp"
#include "base/check.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace winnow::house {
namespace {

namespace fs = std::filesystem;

Rules house_rules() {
  std::ifstream in(WINNOW_SOURCE_DIR "/tests/house/rooms.txt");
  return read_rules(std::string(std::istreambuf_iterator<char>(in), {}));
}

/// Purpose: a checkout of a few files in a temporary folder.
class TemporaryTree {
 public:
  TemporaryTree() {
    std::string pattern = (fs::temp_directory_path() / "winnow-house-XXXXXX").string();
    root_ = mkdtemp(pattern.data());
  }
  ~TemporaryTree() { fs::remove_all(root_); }
  TemporaryTree(const TemporaryTree&) = delete;
  TemporaryTree& operator=(const TemporaryTree&) = delete;

  void write(const std::string& path, const std::string& text) const {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path, std::ios::binary) << text;
  }

  std::vector<std::string> findings() const {
    const Rules rules = house_rules();
    std::vector<std::string> texts;
    for (const SourceFile& file : read_tree(root_)) {
      for (const Finding& finding : check_all(file, rules)) texts.push_back(finding.text());
    }
    return texts;
  }

 private:
  fs::path root_;
};

/// The findings of one file with this text.
std::vector<std::string> findings_of(const std::string& path, const std::string& text) {
  TemporaryTree tree;
  tree.write(path, text);
  return tree.findings();
}

using Texts = std::vector<std::string>;

TEST(HouseRules, IncludeOfASiblingNamesFileLineIncludeAndRule) {
  EXPECT_EQ(
      findings_of("engine/wrong.cpp", "// why\n#include \"store/store.hpp\"\n"),
      Texts{"engine/wrong.cpp:2: include-table: includes store/store.hpp; engine/ may include "
            "base, trading/orders (tests/house/rooms.txt)"});
}

TEST(HouseRules, IncludeOfARoomAboveIsFoundInDeepFoldersAndOddSpelling) {
  const Texts found =
      findings_of("base/deep/er/wrong.hpp", "#pragma once\n\n  #  include <engine/engine.hpp>\n");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].find("base/deep/er/wrong.hpp:3: include-table: includes engine/engine.hpp"),
            0u);
}

TEST(HouseRules, IncludesThroughTheParentFolderAndOfTestsAreFound) {
  EXPECT_EQ(findings_of("store/a.cpp", "#include \"../engine/engine.hpp\"\n").size(), 1u);
  EXPECT_EQ(findings_of("store/a.cpp", "#include \"tests/house/rules.hpp\"\n").size(), 1u);
}

TEST(HouseRules, IncludeInACommentIsNoInclude) {
  EXPECT_EQ(findings_of("engine/a.cpp",
                        "/*\n#include \"store/store.hpp\"\n*/\n// #include <caf/all.hpp>\n"),
            Texts{});
}

TEST(HouseRules, IncludesDownwardsAreFine) {
  EXPECT_EQ(findings_of("sweeps/a.cpp",
                        "#include \"base/id.hpp\"\n#include \"engine/engine.hpp\"\n"
                        "#include \"sweeps/plan.hpp\"\n#include <vector>\n"),
            Texts{});
}

TEST(HouseRules, ARoomInsideAFolderHasRulesOfItsOwn) {
  EXPECT_EQ(findings_of("trading/orders/a.cpp",
                        "#include \"base/id.hpp\"\n#include \"trading/orders/ids.hpp\"\n"),
            Texts{});
  EXPECT_EQ(
      findings_of("trading/orders/a.cpp", "#include \"engine/engine.hpp\"\n"),
      Texts{
          "trading/orders/a.cpp:1: include-table: includes engine/engine.hpp; trading/orders/ may "
          "include base (tests/house/rooms.txt)"});
  EXPECT_EQ(findings_of("engine/a.cpp", "#include \"trading/orders/order.hpp\"\n"), Texts{});
  EXPECT_EQ(findings_of("scheduler/a.cpp", "#include \"trading/orders/order.hpp\"\n").size(), 1u);
  EXPECT_EQ(findings_of("base/a.cpp", "#include \"trading/orders/deep/er.hpp\"\n").size(), 1u);
  EXPECT_EQ(findings_of("trading/orders/CMakeLists.txt", "winnow_room(trading_orders DEPS base)\n"),
            Texts{});
  EXPECT_EQ(
      findings_of("trading/orders/CMakeLists.txt",
                  "winnow_room(trading_orders DEPS base engine)\n"),
      Texts{"trading/orders/CMakeLists.txt:1: link-table: links engine; trading/orders/ may link "
            "base (tests/house/rooms.txt)"});
  EXPECT_EQ(findings_of("scheduler/CMakeLists.txt",
                        "target_link_libraries(winnow_scheduler winnow_trading_orders)\n")
                .size(),
            1u);
  EXPECT_EQ(findings_of("trading/orders/a.hpp", "#pragma once\n#include <mutex>\nint a(bool b);\n")
                .size(),
            2u);
}

TEST(HouseRules, OfRoomsInsideRoomsTheInnermostCounts) {
  const Rules rules = read_rules("room a :\nroom a/b pure :\nroom c : a/b\n");
  EXPECT_EQ(rules.errors, Texts{});
  EXPECT_EQ(room_name_of("a/x.cpp", rules), "a");
  EXPECT_EQ(room_name_of("a/b/x.cpp", rules), "a/b");
  EXPECT_EQ(room_name_of("a/b/c/x.cpp", rules), "a/b");
  EXPECT_EQ(room_name_of("a/bc/x.cpp", rules), "a");
  EXPECT_EQ(room_name_of("x.cpp", rules), "");
  EXPECT_EQ(room_name_of("/a/x.cpp", rules), "");
  const SourceFile outer = make_file("a/x.cpp", "#include \"a/b/y.hpp\"\n");
  const SourceFile inner = make_file("a/b/x.cpp", "#include \"a/y.hpp\"\n");
  EXPECT_EQ(check_includes(outer, rules).size(), 1u) << "the inner room is another room";
  EXPECT_EQ(check_includes(inner, rules).size(), 1u) << "and so is the outer one";
  EXPECT_EQ(check_includes(make_file("c/x.cpp", "#include \"a/b/y.hpp\"\n"), rules).size(), 0u);
}

TEST(HouseRules, LibraryOutsideItsRoomIsFound) {
  EXPECT_EQ(
      findings_of("cli/a.cpp", "#include <caf/all.hpp>\n"),
      Texts{"cli/a.cpp:1: only: includes caf/all.hpp; only actors, tests/actors, tests/sim may"});
  EXPECT_EQ(findings_of("tests/engine/a.cpp", "#include <rocksdb/db.h>\n").size(), 1u);
  EXPECT_EQ(findings_of("store/a.cpp", "#include <rocksdb/db.h>\n"), Texts{});
  // A row may name a file, and then means that file alone.
  EXPECT_EQ(findings_of("cli/app.hpp", "#pragma once\n#include <CLI/CLI.hpp>\n").size(), 1u);
  EXPECT_EQ(findings_of("cli/command.cpp.hpp", "#pragma once\n#include <CLI/App.hpp>\n").size(),
            1u);
  EXPECT_EQ(findings_of("cli/command.cpp", "#include <CLI/CLI.hpp>\n"), Texts{});
}

TEST(HouseRules, LinkBeyondTheTableIsFound) {
  EXPECT_EQ(findings_of("scheduler/CMakeLists.txt", "winnow_room(scheduler DEPS base\n  engine)\n"),
            Texts{"scheduler/CMakeLists.txt:2: link-table: links engine; scheduler/ may link base "
                  "(tests/house/rooms.txt)"});
  EXPECT_EQ(findings_of("base/CMakeLists.txt", "target_link_libraries(x winnow_cli)\n").size(), 1u);
  EXPECT_EQ(
      findings_of("scheduler/CMakeLists.txt", "winnow_room(scheduler DEPS base)  # no store\n"),
      Texts{});
}

TEST(HouseRules, ImpureIncludesAndWordsAreFoundInPureRoomsOnly) {
  const std::string text =
      "#include <mutex>\n#include <sys/socket.h>\n"
      "auto a = std::chrono::system_clock::now();\nauto b = time(nullptr);\nint c = ::rand();\n";
  EXPECT_EQ(findings_of("scheduler/a.cpp", text).size(), 5u);
  EXPECT_EQ(findings_of("actors/a.cpp", text), Texts{});
  EXPECT_EQ(
      findings_of("scheduler/a.cpp", "int c = rand();\n"),
      Texts{"scheduler/a.cpp:1: purity: uses rand; scheduler/ is pure: time and randomness are "
            "arguments"});
}

TEST(HouseRules, NamesThatOnlyLookImpureAreFine) {
  EXPECT_EQ(findings_of("scheduler/a.cpp",
                        "auto a = bar.time();\nauto b = lease->open(1);\nTimestampNs time(int x);\n"
                        "auto c = market::time(3);\n// std::rand()\nauto d = \"rand()\";\n"
                        "auto e = mutex_free();\nint time = 1'000 + 'a';\n"),
            Texts{});
}

TEST(HouseRules, LibmCallsAreFoundInTheEngineOnly) {
  EXPECT_EQ(
      findings_of("engine/a.cpp", "double y = std::exp(x) + log(x) + std :: pow(x, 2);\n").size(),
      3u);
  EXPECT_EQ(findings_of("engine/a.cpp", "double y = det_exp(x) + v.log() + std::sqrt(x);\n"),
            Texts{});
  EXPECT_EQ(findings_of("sweeps/a.cpp", "double y = std::exp(x);\n"), Texts{});
}

TEST(HouseRules, LongLinesTabsSpacesAndMissingNewlinesAreFound) {
  const std::string fits = "// " + std::string(97, 'x');
  EXPECT_EQ(findings_of("base/a.cpp", fits + "\n"), Texts{});
  EXPECT_EQ(findings_of("base/a.cpp", fits + "x\n"),
            Texts{"base/a.cpp:1: columns: has 101 columns; at most 100"});
  std::string accents;
  for (int i = 0; i < 97; ++i) accents += "\xc3\xa9";
  EXPECT_EQ(findings_of("base/a.cpp", "// " + accents + "\n"), Texts{});
  EXPECT_EQ(findings_of("base/a.cpp", "\tint a;\nint b; \nint c;\r\nint d;").size(), 4u);
  EXPECT_EQ(findings_of("docs/A.md", "| " + std::string(200, 'x') + " |\n"), Texts{});
}

TEST(HouseRules, UnfinishedWorkAndMachinePathsAreFound) {
  EXPECT_EQ(findings_of("base/a.cpp", "// TODO later\n"),
            Texts{"base/a.cpp:1: word: holds TODO; finish it or write down why not"});
  EXPECT_EQ(findings_of("docs/A.md", "see /root/main\n").size(), 1u);
  EXPECT_EQ(findings_of("store/a.cpp", "auto p = \"/tmp/x\";\n").size(), 1u);
  EXPECT_EQ(findings_of("tests/store/a.cpp", "auto p = \"/tmp/x\";\n"), Texts{});
  EXPECT_EQ(findings_of("base/a.cpp", "int TODOS;\n"), Texts{});
}

TEST(HouseRules, BareBoolParametersOfPublicFunctionsAreFound) {
  EXPECT_EQ(findings_of("base/a.hpp", "#pragma once\nvoid open(int a,\n          bool durable);\n"),
            Texts{"base/a.hpp:3: bool-parameter: takes the bare bool 'durable' in a header; use an "
                  "enum or an options struct"});
  EXPECT_EQ(
      findings_of("base/a.hpp", "#pragma once\nvoid f(const bool x = false, int y = 0);\n").size(),
      1u);
  EXPECT_EQ(
      findings_of("base/a.hpp",
                  "#pragma once\nbool f(int a);\nstruct S {\n  bool a = false;\n"
                  "  std::function<bool(bool)> g;\n};\nclass C {\n public:\n  bool h() const;\n"
                  " private:\n  void p(bool q);\n};\ntemplate <class T, bool B, bool D>\n"
                  "void t();\n"),
      Texts{});
  EXPECT_EQ(findings_of("base/a.cpp", "static void f(bool x) { g(x); }\n"), Texts{});
}

TEST(HouseRules, NamesSizesSleepsAndGuardsAreFound) {
  EXPECT_EQ(findings_of("base/a.cpp", "double loss_pct = 0;\n").size(), 1u);
  EXPECT_EQ(findings_of("base/a.hpp", "int a;\n").size(), 1u);
  EXPECT_EQ(findings_of("tests/base/a.cpp", "std::this_thread::sleep_for(1s);\n").size(), 1u);
  EXPECT_EQ(findings_of("tests/e2e/a.cpp", "std::this_thread::sleep_for(1s);\n").size(), 1u);
  EXPECT_EQ(findings_of("tests/e2e/a.cpp", "(void)::nanosleep(&pause, nullptr);\n").size(), 1u);
  EXPECT_EQ(findings_of("cluster/a.cpp", "std::this_thread::sleep_for(1s);\n"), Texts{});
  EXPECT_EQ(findings_of("serve/a.cpp", "return json.dump();\n").size(), 1u);
  EXPECT_EQ(findings_of("cli/a.cpp", "const Json j = Json::parse(text);\n").size(), 1u);
  EXPECT_EQ(findings_of("tests/serve/a.cpp", "const Json j = Json::parse(text);\n"), Texts{});
  std::string text;
  for (int i = 0; i < 801; ++i) text += "int a;\n";
  EXPECT_EQ(findings_of("base/a.cpp", text),
            Texts{"base/a.cpp: file-lines: has 801 lines; beyond 800 a file wants splitting"});
}

TEST(HouseRules, RawStringsAndEscapesDoNotHideCode) {
  EXPECT_EQ(
      findings_of("engine/a.cpp",
                  "auto a = R\"x(\" // )\" )x\"; double b = std::exp(c);\n"
                  "auto d = \"\\\"\"; double e = std::log(f);\nauto g = '\"'; double h = sin(i);\n")
          .size(),
      3u);
}

TEST(HouseRules, SharedStateAndLoopsOverWhatIsGoneAreFound) {
  EXPECT_EQ(findings_of("sweeps/a.cpp", "double a = std::lgamma(b);\ndouble c = log_gamma(b);\n"),
            Texts{"sweeps/a.cpp:1: race: calls lgamma, which writes what all threads share"});
  EXPECT_EQ(findings_of("tests/serve/a.cpp",
                        "for (const Json& row : ask(home)[\"rows\"]) {\n}\n"
                        "for (const Json& row : (*answer)[\"rows\"]) {\n}\n"
                        "for (const Json& row : answer[\"rows\"]) use(f(x)[0]);\n")
                .size(),
            1u);
}

TEST(HouseRules, BareAssertsOfTheProductAreFound) {
  EXPECT_EQ(findings_of("store/a.cpp", "static_assert(sizeof(int) == 4);\nassert (n > 0);\n"),
            Texts{"store/a.cpp:2: assert: asserts; say which contract it is (base/check.hpp)"});
  EXPECT_EQ(findings_of("tests/store/a.cpp", "assert(n > 0);\n"), Texts{});
}

/// The contracts of a header `base/a.hpp` that requires two things, beside this source.
Texts contract_findings(const std::string& source_path, const std::string& source,
                        const std::string& rows) {
  Findings found;
  const Contracts contracts = read_contracts(rows, found);
  const std::vector<SourceFile> tree{
      make_file("base/a.hpp",
                "#pragma once\n/// Requires: n > 0.\nint f(int n);\n"
                "/// Requires: the table outlives it.\nint g(int n);\n"),
      make_file(source_path, source), make_file("tests/a.hpp", "/// Requires: nothing.\n")};
  const Findings broken = check_contracts(tree, contracts, house_rules());
  found.insert(found.end(), broken.begin(), broken.end());
  Texts texts;
  for (const Finding& finding : found) texts.push_back(finding.text());
  return texts;
}

TEST(HouseRules, RequirementsThatNobodyChecksAreFound) {
  const std::string one = "WINNOW_REQUIRES(n > 0);  // not WINNOW_REQUIRES(m)\n";
  const Texts lacking{
      "base/a.hpp: contract: states 2 `Requires:`, of which 1 are checked (WINNOW_REQUIRES); check "
      "the others, or say in tests/house/contracts.txt why that cannot be done"};
  EXPECT_EQ(contract_findings("base/a.cpp", one, ""), lacking);
  EXPECT_EQ(contract_findings("base/a_more.cpp", one, ""), lacking);
  EXPECT_EQ(contract_findings("base/a.cpp", one + one, ""), Texts{});
  EXPECT_EQ(contract_findings("base/a.cpp", one, "unchecked base/a.hpp 1 lifetimes\n"), Texts{});
}

TEST(HouseRules, RequirementsAreExcusedAsFarAsNeededAndWithAReason) {
  const std::string one = "WINNOW_REQUIRES(n > 0);\n";
  EXPECT_EQ(contract_findings("base/b.cpp", one, "unchecked base/a.hpp 1 lifetimes\n").size(), 1u)
      << "another header's source";
  EXPECT_EQ(contract_findings("base/b.cpp", one,
                              "checked-in base/a.hpp base/b.cpp\nunchecked base/a.hpp 1 why\n"),
            Texts{});
  EXPECT_EQ(contract_findings("base/a.cpp", one + one, "# a comment\nunchecked base/a.hpp 1 why\n"),
            Texts{"tests/house/contracts.txt:2: contract: excuses 1 of base/a.hpp, where 0 are not "
                  "checked; take it down"});
  EXPECT_EQ(contract_findings("base/a.cpp", one + one, "unchecked base/a.hpp one why\n").size(),
            1u);
  EXPECT_EQ(contract_findings("base/a.cpp", one + one, "unchecked base/a.hpp 1\n").size(), 1u);
  EXPECT_EQ(contract_findings("base/a.cpp", one + one, "checked-in base/a.hpp base/c.cpp\n"),
            Texts{"tests/house/contracts.txt: contract: names base/c.cpp, which checks nothing of "
                  "base/a.hpp"});
}

TEST(HouseRules, ContradictoryRulesAreFound) {
  EXPECT_EQ(read_rules("room a : b\nroom b :\n").errors,
            Texts{"rooms.txt:1: room a may include 'b', which no line above declares"});
  EXPECT_EQ(read_rules("room base :\nroom disk : base\nroom p pure : disk base\n").errors,
            Texts{"rooms.txt:3: pure room p may not include disk, which is not pure"});
  EXPECT_EQ(read_rules("rooms a : b\n").errors, Texts{"rooms.txt:1: no rule is called 'rooms'"});
  EXPECT_EQ(read_rules("room a b c\n").errors, Texts{"rooms.txt:1: expected 'room NAME : ...'"});
  EXPECT_EQ(read_rules("columns ten\n").errors,
            Texts{"rooms.txt:1: 'columns' takes one whole number"});
}

TEST(HouseRules, ExceptionsNeedAReasonAndAUse) {
  const SourceFile file = make_file("engine/a.cpp", "double y = std::exp(x);\n");
  Findings malformed;
  const auto exceptions = read_exceptions(
      "libm engine/a.cpp exp prints a table for people\nlibm engine/b.cpp exp none\n"
      "libm engine/c.cpp exp\n",
      malformed);
  ASSERT_EQ(malformed.size(), 1u);
  EXPECT_EQ(malformed[0].line, 3u);
  const Findings left = apply_exceptions(check_all(file, house_rules()), exceptions);
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[0].text(),
            "tests/house/allowed.txt:2: allowed: nothing needs this exception (libm in "
            "engine/b.cpp); take it out");
}

TEST(HouseRules, BuildOutputsAndHiddenFoldersAreNotRead) {
  TemporaryTree tree;
  for (const char* path : {"build/a/a.cpp", ".git/a.cpp", "web/node_modules/x/a.ts"}) {
    tree.write(path, "// TODO\n");
  }
  EXPECT_EQ(tree.findings(), Texts{});
  tree.write(".ci/run", "# TODO\n");
  EXPECT_EQ(tree.findings().size(), 0u) << "a file without a known kind is not read";
  tree.write(".ci/run", "#!/bin/sh\n# TODO\n");
  EXPECT_EQ(tree.findings().size(), 1u);
}

}  // namespace
}  // namespace winnow::house
