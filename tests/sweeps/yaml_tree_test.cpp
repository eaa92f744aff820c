#include "sweeps/yaml/yaml_tree.hpp"

#include <gtest/gtest.h>

#include "tests/sweeps/support.hpp"

namespace winnow::sweeps::testing {
namespace {

std::string load_error(std::string_view text) {
  const auto node = yaml::load(text, "f.yaml");
  return node ? "accepted" : node.error().text();
}

TEST(YamlTree, EmptyFilesAreRefused) {
  EXPECT_EQ(load_error(""), "f.yaml:1:1: the file is empty");
  EXPECT_EQ(load_error("\n\n"), "f.yaml:1:1: the file is empty");
  EXPECT_EQ(load_error("# only a comment\n"), "f.yaml:1:1: the file is empty");
  EXPECT_TRUE(load_error("---\n...\n").ends_with(": the file is empty"));
  EXPECT_TRUE(load_error("~\n").ends_with(": the file is empty"));
}

TEST(YamlTree, HugeFileIsRefusedBeforeItIsParsed) {
  const std::string text(10u << 20, 'a');
  EXPECT_EQ(load_error(text),
            "f.yaml:1:1: the file has 10485760 bytes; at most 1048576 are allowed");
}

TEST(YamlTree, ManyValuesAreRefused) {
  std::string text = "a: [";
  for (int i = 0; i < 200'000; ++i) text += "1,";
  EXPECT_EQ(load_error(text + "1]"), "f.yaml:1:199999: more than 100000 values in one file");
}

TEST(YamlTree, DeepNestingIsRefusedInEveryForm) {
  EXPECT_EQ(load_error(std::string(100, '[') + std::string(100, ']')),
            "f.yaml:1:17: nested deeper than 16 levels");
  std::string dashes;
  for (int i = 0; i < 40; ++i) dashes += "- ";
  EXPECT_TRUE(load_error(dashes + "x").ends_with("nested deeper than 16 levels"));
  EXPECT_NE(load_error(std::string(100'000, '[')), "accepted");
  EXPECT_NE(load_error(std::string(100'000, '{')), "accepted");
}

TEST(YamlTree, AliasesCannotMultiplyAnything) {
  EXPECT_EQ(load_error("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"),
            "f.yaml:1:4: anchors (&name) are not allowed; write the value out");
}

TEST(YamlTree, PlacesCountCharactersAfterABomAndUmlauts) {
  const auto node = yaml::load("\xef\xbb\xbf# \xc3\xa4\xc3\xb6\na:   12\n", "f.yaml");
  ASSERT_TRUE(node.ok()) << node.error().text();
  ASSERT_EQ(node->items.size(), 1u);
  EXPECT_EQ(node->keys[0].text, "a");
  EXPECT_EQ(node->items[0].place.line, 2u);
  EXPECT_EQ(node->items[0].place.column, 6u);
}

TEST(YamlTree, BytesThatAreNotTextAreRefusedWhereTheyStand) {
  EXPECT_EQ(load_error("a: \xc3("), "f.yaml:1:4: a byte that is not UTF-8 text");
  EXPECT_EQ(load_error("a: 1\nb: \xed\xa0\x80"), "f.yaml:2:4: a byte that is not UTF-8 text");
  EXPECT_EQ(load_error(std::string_view("a: \0b", 5)),
            "f.yaml:1:4: a control character; only printable text is allowed");
}

TEST(YamlTree, SpecsThatAreNoMapAreRefused) {
  EXPECT_EQ(refusal("- a\n- b\n"),
            "spec.yaml:1:1: a list where a sweep specification, a map of keys belongs");
  EXPECT_EQ(refusal("just text\n"),
            "spec.yaml:1:1: 'just text' where a sweep specification, a map of keys belongs");
}

TEST(YamlTree, LongValuesAreCutInMessages) {
  const std::string text = refusal(with("seed: 42", "seed: " + std::string(5000, 'x')));
  EXPECT_LT(text.size(), 250u);
  EXPECT_NE(text.find("..."), std::string::npos);
}

}  // namespace
}  // namespace winnow::sweeps::testing
