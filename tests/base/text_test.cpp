#include "base/text.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace winnow {
namespace {

TEST(FaultF4, WhatIsNoTextBecomesText) {
  EXPECT_EQ(utf8("plain, \xc3\xa9, \xe2\x82\xac, \xf0\x9f\x8c\xbe"),
            "plain, \xc3\xa9, \xe2\x82\xac, \xf0\x9f\x8c\xbe");
  EXPECT_EQ(utf8("half \xc3"), "half \xef\xbf\xbd");
  EXPECT_EQ(utf8("\xff\xfe"), "\xef\xbf\xbd\xef\xbf\xbd");
  // Forms that are too long, halves of surrogate pairs, beyond the last character.
  for (const char* const bad : {"\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80",
                                "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\x80"}) {
    EXPECT_EQ(utf8_character(bad), 0u);
    EXPECT_EQ(utf8(bad).find(bad), std::string::npos);
  }
}

TEST(FaultF4, NoDocumentFailsToBeWritten) {
  std::string bytes;
  for (int c = 1; c < 256; ++c) bytes.push_back(static_cast<char>(c));
  const std::string text = json_text(nlohmann::json{{"error", bytes}});
  const auto read = nlohmann::json::parse(text, nullptr, false);
  ASSERT_TRUE(read.is_object());
  EXPECT_EQ(read["error"], utf8(bytes));
  EXPECT_EQ(json_text(nlohmann::json{{"a", 1}}, 2), "{\n  \"a\": 1\n}");
}

TEST(FaultF11, ALineOfALogStaysOneLineAndSteersNoTerminal) {
  EXPECT_EQ(log_text("a\nb\tc"), "a\\nb\\tc");
  EXPECT_EQ(log_text("\x1b[2J"), "\\x1b[2J");
  EXPECT_EQ(log_text("\xc2\x9b"
                     "31m"),
            "\\xc2\\x9b31m");
  EXPECT_EQ(log_text("\xe2\x80\xae"
                     "evil"),
            "\\xe2\\x80\\xaeevil");
  EXPECT_EQ(log_text("caf\xc3\xa9"), "caf\xc3\xa9");
  EXPECT_EQ(log_text("\xff"), "\xef\xbf\xbd");
  EXPECT_EQ(terminal_text("two\nlines\x07"), "two\nlines\\x07");
}

}  // namespace
}  // namespace winnow
