#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "base/text.hpp"
#include "serve/answer/board.hpp"
#include "tests/serve/fixture.hpp"

namespace winnow::serve {
namespace {

struct Inner {
  std::uint64_t n = 0;
  void fields(Fields& f) const { f({"n", "bars", "a count"}, n); }
};

struct Sample {
  std::string text;
  double number = 0;
  bool flag = false;
  std::optional<double> missing;
  std::string left_out;
  std::optional<std::uint64_t> sometimes;
  std::vector<std::string> names;
  Inner inner;
  std::optional<Inner> nothing;
  std::vector<Inner> list;
  std::optional<std::vector<Inner>> unknown;

  void fields(Fields& f) const {
    f({"text", "", "a text"}, text);
    f({"number", "bps", "a number"}, number);
    f({"flag", "", "a flag"}, flag);
    f({"missing", "s", "may be null"}, missing);
    f.if_any({"left_out", "", "may not be there"}, left_out);
    f.if_any({"sometimes", "", "may not be there either"}, sometimes);
    f({"names", "", "names"}, names);
    f({"inner", "", "an object"}, inner);
    f({"nothing", "", "an object or null"}, nothing);
    f({"list", "", "objects"}, list);
    f({"unknown", "", "objects, or nobody knows"}, unknown);
  }
};

TEST(Answers, AreJsonInTheOrderOfTheirFields) {
  Sample s;
  s.text = "a";
  s.number = std::nan("");
  s.names = {"x", "y"};
  s.inner.n = 3;
  s.list = {{4}, {5}};
  EXPECT_EQ(json_text(to_json(s)),
            R"({"text":"a","number":null,"flag":false,"missing":null,"names":["x","y"],)"
            R"("inner":{"n":3},"nothing":null,"list":[{"n":4},{"n":5}],"unknown":null})");
  s.missing = 2;
  s.left_out = "b";
  s.sometimes = 7;
  s.nothing = Inner{8};
  s.unknown.emplace();
  const Json json = to_json(s);
  EXPECT_EQ(json["missing"], 2.0);
  EXPECT_EQ(json["left_out"], "b");
  EXPECT_EQ(json["sometimes"], 7);
  EXPECT_EQ(json["nothing"]["n"], 8);
  EXPECT_EQ(json["unknown"], Json::array());
}

TEST(Answers, ReferenceNamesEveryFieldWhateverItsValue) {
  const std::string text = reference_of_fields([](Fields& f) { Sample{}.fields(f); });
  for (const char* row :
       {"| `number` | number, or null | bps | a number |", "| `missing` | number, or null | s |",
        "| `left_out` | text, or not there |", "| `sometimes` | whole number, or not there |",
        "| `names` | list of text |", "| `inner.n` | whole number | bars | a count |",
        "| `nothing` | object, or null |", "| `nothing.n` |", "| `list[].n` |",
        "| `unknown` | objects, or null |", "| `unknown[].n` |"}) {
    EXPECT_NE(text.find(row), std::string::npos) << row << " in\n" << text;
  }
}

/// Paths of all fields of an answer, as the reference writes them.
void paths_of(const Json& json, const std::string& prefix, std::set<std::string>& out) {
  for (const auto& [name, value] : json.items()) {
    out.insert(prefix + name);
    if (value.is_object()) paths_of(value, prefix + name + ".", out);
    if (!value.is_array()) continue;
    for (const Json& item : value) {
      if (item.is_object()) paths_of(item, prefix + name + "[].", out);
    }
  }
}

TEST(Answers, SayNothingThatTheReferenceDoesNotName) {
  Home home;
  const std::string sweep = home.run({});
  for (const auto& [name, args] :
       {std::pair<std::string, Json>{"top", {{"sweep", sweep}, {"where", "trades > 1"}}},
        {"sweep_list", Json::object()},
        {"sweep_show", {{"sweep", sweep}}},
        {"account", Json::object()},
        {"openings", Json::object()}}) {
    const std::string all = answers_reference();
    const auto begin = all.find("## `" + name + "`");
    ASSERT_NE(begin, std::string::npos) << name;
    const std::string part = all.substr(begin, all.find("\n## ", begin) - begin);
    std::set<std::string> paths;
    paths_of(must(query(home.sources(), name, args)), "", paths);
    ASSERT_FALSE(paths.empty());
    for (const std::string& path : paths) {
      // Of what is named by metrics, parameters or the specification.
      const bool by_name = path.find("metrics.") != std::string::npos ||
                           path.find("params.") != std::string::npos || path.starts_with("spec.") ||
                           path.starts_with("spec[");
      if (by_name) continue;
      EXPECT_NE(part.find("| `" + path + "` |"), std::string::npos) << name << ": " << path;
    }
  }
}

TEST(Answers, TheDocumentIsWhatIsDeclared) {
  const std::filesystem::path file =
      std::filesystem::path(WINNOW_SOURCE_DIR) / "docs" / "ANSWERS.md";
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  const std::string words = text.str().substr(0, text.str().find("\n## "));
  const std::string expected = words + answers_reference();
  if (std::getenv("WINNOW_WRITE_DOCS") != nullptr) {
    std::ofstream(file) << expected;
    return;
  }
  EXPECT_TRUE(text.str() == expected) << "docs/ANSWERS.md is not of these declarations; "
                                         "WINNOW_WRITE_DOCS=1 makes this test write it";
}

}  // namespace
}  // namespace winnow::serve
