#include "cli/command.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <sstream>
#include <stdexcept>

namespace winnow::cli {
namespace {

using Words = std::vector<std::string>;

/// `prog do [...]`, with one option of each type.
class OneOfEach : public ::testing::Test {
 protected:
  OneOfEach() {
    prog_.require_subcommand();
    prog_.add_version_flag("--version", "which build this is");
    do_ = prog_.add_subcommand("do", "does it");
    word_option_ = do_->add_option("--word", word_, "a word");
    do_->add_option("--path", path_, "a file");
    do_->add_option("--int", int_, "a whole number");
    do_->add_option("--u32", u32_, "a count");
    do_->add_option("--u64", u64_, "a large count");
    do_->add_option("--ratio", ratio_, "a ratio");
    do_->add_option("--words", words_, "words");
    do_->add_option("--numbers", numbers_, "numbers");
    do_->add_flag("--flag,-f", flag_, "whether");
    do_->add_flag_callback(
        "--call", [this] { ++calls_; }, "calls");
    do_->callback([this] { named_ = true; });
  }

  Result<Asked> parse(Words words) {
    words.insert(words.begin(), "do");
    return prog_.parse(std::move(words), out_);
  }
  /// The refusal of a command line; empty: it is taken.
  std::string refusal(Words words) {
    const auto asked = parse(std::move(words));
    if (asked.ok()) return "";
    EXPECT_EQ(asked.error().code(), ErrorCode::InvalidInput);
    EXPECT_FALSE(named_) << "a refused command must not be run";
    return asked.error().text();
  }
  std::string help() {
    EXPECT_EQ(*parse({"--help"}), Asked::Help);
    return out_.str();
  }

  Command prog_{"prog", "a program"};
  Command* do_ = nullptr;
  Option* word_option_ = nullptr;
  std::ostringstream out_;
  std::string word_ = "none";
  std::filesystem::path path_;
  int int_ = -7;
  std::uint32_t u32_ = 3;
  std::uint64_t u64_ = 5;
  double ratio_ = 0.25;
  Words words_;
  std::vector<std::uint64_t> numbers_;
  bool flag_ = false;
  int calls_ = 0;
  bool named_ = false;
};

TEST_F(OneOfEach, TakesItsValue) {
  ASSERT_EQ(*parse({"--word", "grain", "--path", "a b/\"c\"", "--int=-12", "--u32", "4294967295",
                    "--u64", "18446744073709551615", "--ratio", "1e-3", "--words", "a", "b",
                    "--numbers", "1", "2", "-f", "--call"}),
            Asked::Command);
  EXPECT_TRUE(named_);
  EXPECT_EQ(word_, "grain");
  EXPECT_EQ(path_, "a b/\"c\"");
  EXPECT_EQ(int_, -12);
  EXPECT_EQ(u32_, std::numeric_limits<std::uint32_t>::max());
  EXPECT_EQ(u64_, std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(ratio_, 1e-3);
  EXPECT_EQ(words_, (Words{"a", "b"}));
  EXPECT_EQ(numbers_, (std::vector<std::uint64_t>{1, 2}));
  EXPECT_TRUE(flag_);
  EXPECT_EQ(calls_, 1);
  EXPECT_EQ(word_option_->count(), 1u);
}

TEST_F(OneOfEach, KeepsItsDefault) {
  ASSERT_EQ(*parse({}), Asked::Command);
  EXPECT_EQ(word_, "none");
  EXPECT_EQ(int_, -7);
  EXPECT_EQ(u32_, 3u);
  EXPECT_EQ(u64_, 5u);
  EXPECT_EQ(ratio_, 0.25);
  EXPECT_FALSE(flag_);
  EXPECT_EQ(calls_, 0);
  EXPECT_EQ(word_option_->count(), 0u);
}

TEST_F(OneOfEach, RefusesWhatIsNotOfItsType) {
  EXPECT_EQ(refusal({"--int", "x"}), "Could not convert: --int = x");
  EXPECT_EQ(refusal({"--u32", "4294967296"}), "Could not convert: --u32 = 4294967296");
  EXPECT_EQ(refusal({"--ratio", "much"}), "Could not convert: --ratio = much");
  EXPECT_EQ(refusal({"--numbers", "1", "two"}), "Could not convert: --numbers = 1,two");
  EXPECT_EQ(refusal({"--word"}), "--word: 1 required TEXT missing");
  EXPECT_EQ(refusal({"--none"}), "The following argument was not expected: --none");
  const auto none = prog_.parse({}, out_);
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().text(), "A subcommand is required");
}

TEST_F(OneOfEach, HelpSaysTypesAndOnlyDefaultsThatWereCaptured) {
  do_->add_option("--shown", u64_, "shown")->capture_default_str();
  do_->add_option("--sum", ratio_, "a sum")->capture_default_str()->required();
  const std::string text = help();
  EXPECT_NE(text.find("--word TEXT "), std::string::npos) << text;
  EXPECT_NE(text.find("--int INT "), std::string::npos) << text;
  EXPECT_NE(text.find("--u32 UINT "), std::string::npos) << text;
  EXPECT_NE(text.find("--ratio FLOAT "), std::string::npos) << text;
  EXPECT_NE(text.find("--words TEXT ... "), std::string::npos) << text;
  EXPECT_NE(text.find("--numbers UINT ... "), std::string::npos) << text;
  EXPECT_NE(text.find("--shown UINT=5"), std::string::npos) << text;
  EXPECT_NE(text.find("--sum FLOAT=0.25 REQUIRED"), std::string::npos) << text;
  EXPECT_EQ(text.find("TEXT=none"), std::string::npos) << text;
  EXPECT_FALSE(named_);
}

TEST_F(OneOfEach, ARangeRefusesWhatIsOutsideAndStandsInTheHelp) {
  do_->add_option("--few", u32_, "few")->in_range(1u, 256u);
  do_->add_option("--many", u64_, "many")
      ->in_range(std::uint64_t{1}, std::uint64_t{1'000'000'000'000});
  do_->add_option("--whole", int_, "whole")->in_range(-2, 2);
  do_->add_option("--part", ratio_, "part")->in_range(0.001, 0.999);
  EXPECT_EQ(refusal({"--few", "0"}), "--few: Value 0 not in range 1 to 256");
  EXPECT_EQ(refusal({"--few", "257"}), "--few: Value 257 not in range 1 to 256");
  EXPECT_EQ(refusal({"--many", "0"}), "--many: Value 0 not in range 1 to 1000000000000");
  EXPECT_EQ(refusal({"--whole", "-3"}), "--whole: Value -3 not in range -2 to 2");
  EXPECT_NE(refusal({"--part", "1"}), "");
  EXPECT_EQ(refusal({"--few", "1", "--many", "1000000000000", "--whole", "-2"}), "");
  EXPECT_EQ(u32_, 1u);
  const std::string text = help();
  EXPECT_NE(text.find("--few UINT:UINT in [1 - 256]"), std::string::npos) << text;
  EXPECT_NE(text.find("--whole INT:INT in [-2 - 2]"), std::string::npos) << text;
  EXPECT_NE(text.find("--part FLOAT:FLOAT in [0.001 - 0.999]"), std::string::npos) << text;
}

TEST_F(OneOfEach, ACheckRefusesInItsOwnWords) {
  do_->add_option("--odd", u64_, "odd")->check([](const std::string& text) {
    return text == "3" ? std::string() : text + " is not odd enough";
  });
  do_->add_option("--fault", word_, "what then")->one_of({"refuse", "repair"});
  do_->add_option("--file", word_, "which")->existing_file();
  EXPECT_EQ(refusal({"--odd", "5"}), "--odd: 5 is not odd enough");
  EXPECT_EQ(refusal({"--fault", "mend"}), "--fault: mend not in {refuse,repair}");
  EXPECT_EQ(refusal({"--file", "/no such file"}), "--file: File does not exist: /no such file");
  EXPECT_EQ(refusal({"--odd", "3", "--fault", "repair"}), "");
  EXPECT_EQ(word_, "repair");
}

TEST_F(OneOfEach, ASizeHasItsUnit) {
  do_->add_option("--size", u64_, "bytes")->as_size();
  ASSERT_EQ(refusal({"--size", "20GB"}), "");
  EXPECT_EQ(u64_, 20'000'000'000u);
  ASSERT_EQ(refusal({"--size", "2 KiB"}), "");
  EXPECT_EQ(u64_, 2048u);
  ASSERT_EQ(refusal({"--size", "17"}), "");
  EXPECT_EQ(u64_, 17u);
}

TEST_F(OneOfEach, OptionsThatDoNotGoTogetherAreRefused) {
  Option* const there = do_->add_option("--there", word_, "there");
  do_->add_option("--here", u32_, "here")->excludes(there);
  const std::string both = refusal({"--here", "1", "--there", "x"});
  EXPECT_TRUE(both == "--here excludes --there" || both == "--there excludes --here") << both;
  EXPECT_EQ(refusal({"--here", "1"}), "");
}

TEST_F(OneOfEach, VectorsTakeWhatTheyAreTold) {
  Words list, rules;
  std::vector<std::uint64_t> two;
  std::string last;
  do_->add_option("--list", list, "with commas")->delimiter(',')->one_word_each();
  do_->add_option("--rule", rules, "again for each")->take_all()->one_word_each();
  do_->add_option("LAST", last, "what stands behind");
  do_->add_option("--two", two, "two or three")->expected(2, 3);
  ASSERT_EQ(refusal({"--list", "a,b", "--rule", "r", "--rule", "s", "end"}), "");
  EXPECT_EQ(list, (Words{"a", "b"}));
  EXPECT_EQ(rules, (Words{"r", "s"}));
  EXPECT_EQ(last, "end");
  ASSERT_EQ(refusal({"--two", "1", "2"}), "");
  EXPECT_EQ(two, (std::vector<std::uint64_t>{1, 2}));
  named_ = false;
  EXPECT_NE(refusal({"--two", "1"}), "");
}

TEST_F(OneOfEach, WhatIsRequiredMustBeThere) {
  do_->add_option("--must", word_, "must")->required();
  EXPECT_EQ(refusal({}), "--must is required");
  EXPECT_EQ(refusal({"--must", "x"}), "");
}

TEST_F(OneOfEach, SaysWhatItHas) {
  EXPECT_EQ(prog_.name(), "prog");
  EXPECT_TRUE(prog_.needs_subcommand());
  EXPECT_FALSE(do_->needs_subcommand());
  prog_.add_subcommand("go", "goes");
  EXPECT_EQ(prog_.subcommand_names(), (Words{"do", "go"}));
  EXPECT_EQ(prog_.subcommand("do"), do_);
  EXPECT_EQ(prog_.subcommand("d"), nullptr);
  EXPECT_EQ(do_->option_names(),
            (Words{"--help", "-h", "--word", "--path", "--int", "--u32", "--u64", "--ratio",
                   "--words", "--numbers", "--flag", "-f", "--call"}));
  EXPECT_EQ(do_->takes("--word"), Takes::Value);
  EXPECT_EQ(do_->takes("--words"), Takes::Value);
  EXPECT_EQ(do_->takes("--flag"), Takes::Nothing);
  EXPECT_EQ(do_->takes("-f"), Takes::Nothing);
  EXPECT_EQ(do_->takes("--wor"), Takes::Unknown);
}

TEST_F(OneOfEach, AParentKnowsWhetherItsCommandWasNamed) {
  bool parent_named = false;
  do_->add_subcommand("deep", "deeper");
  do_->callback([&] { parent_named = true; });
  ASSERT_EQ(*parse({"deep"}), Asked::Command);
  EXPECT_TRUE(parent_named);
  EXPECT_TRUE(do_->has_parsed_subcommand());
  ASSERT_EQ(*parse({}), Asked::Command);
  EXPECT_FALSE(do_->has_parsed_subcommand());
}

TEST_F(OneOfEach, VersionAndHelpRunNothing) {
  EXPECT_EQ(*prog_.parse({"--version"}, out_), Asked::Version);
  EXPECT_EQ(out_.str(), "");
  prog_.footer("and that is all");
  EXPECT_EQ(*prog_.parse({"--help"}, out_), Asked::Help);
  EXPECT_NE(out_.str().find("and that is all"), std::string::npos);
  EXPECT_FALSE(named_);
}

TEST(Command, AnOptionWithoutHelpIsAMistakeOfTheProgram) {
  Command prog("prog", "a program");
  std::string word;
  bool flag = false;
  EXPECT_THROW(prog.add_option("--word", word, ""), std::logic_error);
  EXPECT_THROW(prog.add_flag("--flag", flag, ""), std::logic_error);
  EXPECT_THROW(prog.add_flag_callback(
                   "--call", [] {}, ""),
               std::logic_error);
  EXPECT_EQ(prog.option_names(), (Words{"--help", "-h"}));
}

}  // namespace
}  // namespace winnow::cli
