#include "cli/words.hpp"

#include <gtest/gtest.h>

namespace winnow::cli {
namespace {

using Words = std::vector<std::string>;

/// A small program: `show ID [--by X] [--home DIR]`, `farm list [--home DIR]`.
class Program {
 public:
  Program() {
    app_.require_subcommand();
    app_.add_subcommand("help", "help");
    Command* const show = app_.add_subcommand("show", "show");
    show->add_option("ID", id_, "which");
    show->add_option("--by", by_, "how");
    show->add_flag("--json,-j", json_, "as JSON");
    show->add_option("--home", home_, "where");
    Command* const farm = app_.add_subcommand("farm", "farm");
    farm->require_subcommand();
    farm->add_subcommand("list", "list")->add_option("--home", home_, "where");
  }
  Result<Words> arrange(const Words& words) const { return arrange_words(app_, words); }
  std::string refusal(const Words& words) const {
    const auto arranged = arrange(words);
    return arranged.ok() ? "" : arranged.error().text();
  }

 private:
  Command app_{"winnow", "a program"};
  std::string id_, by_, home_;
  bool json_ = false;
};

TEST(FaultD14, OptionsOfTheProgramStandBeforeOrAfterTheCommand) {
  const Program program;
  const Words wanted = {"show", "--home", "H", "last"};
  EXPECT_EQ(*program.arrange({"--home", "H", "show", "last"}), wanted);
  EXPECT_EQ(*program.arrange({"show", "--home", "H", "last"}), wanted);
  EXPECT_EQ(*program.arrange({"--home=H", "farm", "list"}), (Words{"farm", "list", "--home=H"}));
  EXPECT_EQ(*program.arrange({"farm", "--home", "H", "list"}),
            (Words{"farm", "list", "--home", "H"}));
  // What means nothing to a command may stand before it all the same.
  EXPECT_EQ(*program.arrange({"--user", "ann", "show"}), (Words{"show"}));
}

TEST(FaultD14, HelpIsACommandToo) {
  const Program program;
  EXPECT_EQ(*program.arrange({"help"}), (Words{"--help"}));
  EXPECT_EQ(*program.arrange({"help", "farm", "list"}), (Words{"farm", "list", "--help"}));
  EXPECT_NE(program.refusal({"help", "frm"}).find("did you mean 'farm'?"), std::string::npos);
  EXPECT_EQ(*program.arrange({"help", "--help"}), (Words{"help", "--help"}));
}

TEST(FaultD14, AMistypedOptionIsAnsweredWithTheNearest) {
  const Program program;
  EXPECT_NE(program.refusal({"show", "x", "--jsn"}).find("'--jsn' (did you mean '--json'?)"),
            std::string::npos);
  EXPECT_NE(program.refusal({"show", "--bu=1"}).find("did you mean '--by'?"), std::string::npos);
  EXPECT_NE(program.refusal({"--hom", "H", "show"}).find("did you mean '--home'?"),
            std::string::npos);
  EXPECT_NE(program.refusal({"shwo"}).find("did you mean 'show'?"), std::string::npos);
  EXPECT_NE(program.refusal({"farm"}).find("needs a command; allowed: list"), std::string::npos);
  EXPECT_NE(program.refusal({}).find("needs a command"), std::string::npos);
}

TEST(FaultD14, ValuesAreNoOptions) {
  const Program program;
  const Words strange = {"show", "--by", "--odd", "-1", "-"};
  EXPECT_EQ(*program.arrange(strange), strange);
  const Words after = {"show", "--", "--odd"};
  EXPECT_EQ(*program.arrange(after), after);
}

TEST(FaultF4, AWordThatIsNoTextIsShownAsItsBytes) {
  const Program program;
  EXPECT_NE(program.refusal({"sh\xc3"}).find("'sh\\xc3'"), std::string::npos);
  EXPECT_NE(program.refusal({"show", "--\xff"}).find("\\xff"), std::string::npos);
}

}  // namespace
}  // namespace winnow::cli
