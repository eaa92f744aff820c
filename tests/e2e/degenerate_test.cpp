// Sweeps that cannot carry a statistic, really run, through every command that answers about
// results: each says what is the matter by name, and no answer has a number that is none.

#include <gtest/gtest.h>
#include <signal.h>

#include <map>
#include <memory>
#include <regex>
#include <set>

#include "tests/e2e/farm.hpp"
#include "tests/e2e/process.hpp"
#include "tests/e2e/tables.hpp"

namespace winnow::e2e {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// Words that stand for numbers which are none. Scripts of a page may test for them.
std::string not_a_number_in(std::string text) {
  for (std::size_t at = text.find("<script>"); at != std::string::npos;
       at = text.find("<script>")) {
    const std::size_t end = text.find("</script>", at);
    text.erase(at, end == std::string::npos ? end : end - at);
  }
  static const std::regex pattern(R"((^|[^A-Za-z_])[-+]?(nan|inf|infinity)(?![A-Za-z_]))",
                                  std::regex::icase | std::regex::optimize);
  std::smatch found;
  if (!std::regex_search(text, found, pattern)) return "";
  const auto at = static_cast<std::size_t>(std::max<std::ptrdiff_t>(0, found.position() - 60));
  return text.substr(at, 140);
}

/// True if an object says in words why something in it, or below it, does not exist.
bool gives_reason(const json& object) {
  static const std::set<std::string> words = {"reason", "reasons", "why", "notes", "error"};
  for (const auto& [key, value] : object.items()) {
    const bool names = words.contains(key) || key.ends_with("_reason");
    if (names && (value.is_string() || value.is_array()) && !value.empty() && value != "") {
      return true;
    }
  }
  return false;
}

// What need not be there: nothing is wrong if it is not.
const std::set<std::string>& may_be_absent() {
  static const std::set<std::string> keys = {"look",           "winner",     "where",
                                             "reason",         "error",      "finished",
                                             "user",           "pbo_reason", "best_of_many_reason",
                                             "haircut_reason", "opened",     "level",
                                             "tile",           "overlap"};
  return keys;
}

/// The first number that is missing without a word about it, as a path.
std::string unexplained_null(const json& value, const std::string& path, bool explained) {
  if (value.is_object()) explained = explained || gives_reason(value);
  if (value.is_null()) return explained ? "" : path;
  if (!value.is_structured()) return "";
  for (const auto& [key, part] : value.items()) {
    if (value.is_object() && may_be_absent().contains(key)) continue;
    const std::string found = unexplained_null(part, path + "/" + key, explained);
    if (!found.empty()) return found;
  }
  return "";
}

/// The market, and one sweep of every kind; made once.
class Degenerate : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TemporaryFolder;
    make_market(home(), 60);
    import_flat_market();
    run("one", sweep("one", "sim-alpha", "", {"entry_z: 2"}));
    run("idle", sweep("idle", "sim-alpha", "", {"entry_z: {values: [5, 6]}", "lookback_bars: 12"}));
    run("flat", sweep("flat", "flat", "", {"entry_z: {float: [1, 3], step: 0.5}"}));
    run("short", sweep("short", "sim-alpha", "window: {from: 2023-01-10, to: 2023-01-13}\n",
                       {"entry_z: {float: [1, 3], step: 0.5}"}));
    run("clones", sweep("clones", "sim-alpha", "",
                        {"entry_z: {values: [1, 2]}", "stop_bps: {int: [5000, 8000], step: 100}"}));
    fail_all();
    leave_unfinished();  // last: a later node would finish it
  }
  static void TearDownTestSuite() {
    delete folder_;
    folder_ = nullptr;
  }

  static fs::path home() { return folder_->path() / "home"; }

  static std::string sweep(const std::string& name, const std::string& data,
                           const std::string& window, const std::vector<std::string>& params) {
    std::string yaml = "sweep: " + name + "\ndata: [" + data + "]\n" + window +
                       "execution: none\nstrategies:\n  - family: mean_reversion\n    params:\n";
    for (const std::string& line : params) yaml += "      " + line + "\n";
    return yaml + "search: {method: grid}\n";
  }

  static void run(const std::string& name, const std::string& yaml) {
    const fs::path spec = folder_->path() / (name + ".yaml");
    write_text(spec, yaml);
    const Ran ran = winnow(home(), {"sweep", "run", spec.string(), "--quiet"});
    ASSERT_EQ(ran.status, 0) << name << ": " << ran.errors;
  }

  // A price that never moves.
  static void import_flat_market() {
    std::string csv = "ts_s,open,high,low,close,volume\n";
    for (int bar = 0; bar < 60 * 96; ++bar) {
      csv += std::to_string(1672531200 + bar * 900) + ",100,100,100,100,50\n";
    }
    const fs::path file = folder_->path() / "flat.csv";
    write_text(file, csv);
    const Ran made =
        winnow(home(), {"data", "import", file.string(), "--format", "ohlcv", "--instrument",
                        "FLAT", "--interval", "15m", "--name", "flat"});
    ASSERT_EQ(made.status, 0) << made.errors;
  }

  // Submitted to a coordinator that has no node.
  static void leave_unfinished() {
    const fs::path spec = folder_->path() / "unfinished.yaml";
    write_text(spec, sweep("unfinished", "sim-alpha", "", {"entry_z: {float: [1, 3], step: 0.1}"}));
    Coordinator coordinator(home());
    const Ran ran = winnow(
        home(), {"sweep", "run", spec.string(), "--detach", "--connect", coordinator.endpoint()});
    ASSERT_EQ(ran.status, 0) << ran.errors;
    coordinator.process().send(SIGTERM);
    EXPECT_EQ(coordinator.process().wait(30), 0);
  }

  // No trial fits into its limit of memory, so every trial fails. (That its bars are gone would not
  // make it fail: the sweep would wait for them.)
  static void fail_all() {
    const fs::path spec = folder_->path() / "failed.yaml";
    write_text(spec, sweep("failed", "sim-beta", "limits: {trial_memory_mb: 0.01}\n",
                           {"entry_z: {float: [1, 3], step: 0.5}"}));
    (void)winnow(home(), {"sweep", "run", spec.string(), "--quiet"});
    failed_ =
        winnow(home(), {"sweep", "show", "failed", "--json"}).output.find("\"trials_failed\": 5") !=
        std::string::npos;
  }

  static std::vector<std::vector<std::string>> questions(const std::string& id) {
    const std::string out = (folder_->path() / ("report-" + id + ".html")).string();
    const std::string other = id == "one" ? "0" : "1";
    return {{"sweep", "show", id},
            {"top", id},
            {"top", id, "--by", "calmar", "--where", "trades >= 0"},
            {"top", id, "--by", "dsr"},
            {"converge", id},
            {"converge", id, "--by", "neighbourhood"},
            {"compare", id, "0", other},
            {"explain", id},
            {"explain", id, "0"},
            {"report", id, "--out", out},
            {"risk", id, "--paths", "200"},
            {"risk", id, "0", "--paths", "200", "--policy", "day_stop=0.01"},
            {"bakeoff", id},
            {"ledger", "show"}};
  }

  static void ask_everything(const std::string& id) {
    for (auto question : questions(id)) {
      std::string said;
      for (const std::string& word : question) said += word + " ";
      const Ran text = winnow(home(), question);
      EXPECT_EQ(text.status, 0) << said << text.errors;
      EXPECT_EQ(not_a_number_in(text.output), "") << said;
      question.push_back("--json");
      const Ran document = winnow(home(), question);
      EXPECT_EQ(document.status, 0) << said << document.errors;
      const json answer = json::parse(document.output, nullptr, false);
      EXPECT_FALSE(answer.is_discarded()) << said;
      EXPECT_EQ(unexplained_null(answer, "", false), "") << said;
      EXPECT_EQ(not_a_number_in(document.output), "") << said;
    }
    const Ran csv = winnow(home(), {"top", id, "--csv"});
    EXPECT_EQ(csv.status, 0) << csv.errors;
    EXPECT_EQ(not_a_number_in(csv.output), "") << id;
    const fs::path db = folder_->path() / (id + ".sqlite");
    EXPECT_EQ(winnow(home(), {"top", id, "--sqlite", db.string(), "--quiet"}).status, 0);
    EXPECT_EQ(not_a_number_in(read_text(folder_->path() / ("report-" + id + ".html"))), "") << id;
  }

  static std::string converge_verdict(const std::string& id) {
    return ask(home(), {"converge", id})["families"][0]["verdict"];
  }
  static json risk_of(const std::string& id) {
    return ask(home(), {"risk", id, "0", "--paths", "200"})["variants"][0];
  }
  static json bakeoff_of(const std::string& id) {
    return ask(home(), {"bakeoff", id})["comparisons"][0];
  }

  static TemporaryFolder* folder_;
  static bool failed_;
};
TemporaryFolder* Degenerate::folder_ = nullptr;
bool Degenerate::failed_ = false;

TEST_F(Degenerate, OneVariant) {
  ask_everything("one");
  EXPECT_NE(converge_verdict("one"), "CONVERGED");
  EXPECT_EQ(risk_of("one")["verdict"], "MEASURED");
  EXPECT_EQ(bakeoff_of("one")["verdict"], "ONE_ENTRANT");
}

TEST_F(Degenerate, NoTradesAtAll) {
  ask_everything("idle");
  EXPECT_EQ(converge_verdict("idle"), "INSUFFICIENT");
  const json risk = risk_of("idle");
  EXPECT_EQ(risk["verdict"], "CONSTANT");
  EXPECT_FALSE(risk["reasons"].empty());
}

TEST_F(Degenerate, PricesThatNeverMove) {
  ask_everything("flat");
  EXPECT_EQ(converge_verdict("flat"), "INSUFFICIENT");
  EXPECT_EQ(risk_of("flat")["verdict"], "CONSTANT");
}

TEST_F(Degenerate, FewerDaysThanBlocks) {
  ask_everything("short");
  EXPECT_EQ(converge_verdict("short"), "INSUFFICIENT");
  EXPECT_EQ(risk_of("short")["verdict"], "TOO_FEW_DAYS");
}

TEST_F(Degenerate, TiesAndClones) {
  ask_everything("clones");
  const json family = ask(home(), {"converge", "clones"})["families"][0];
  EXPECT_NE(family["verdict"], "CONVERGED");
  EXPECT_LE(family["distinct"].get<int>(), 2) << "62 variants, of which two differ";
  // Ties are broken by number, the same way each time.
  const json top = ask(home(), {"top", "clones", "--limit", "5", "--all"});
  EXPECT_LT(top["rows"][0]["trial"].get<int>(), top["rows"][1]["trial"].get<int>());
}

TEST_F(Degenerate, NothingCommittedYet) {
  ask_everything("unfinished");
  EXPECT_EQ(converge_verdict("unfinished"), "INSUFFICIENT");
  EXPECT_EQ(risk_of("unfinished")["verdict"], "NO_RESULT");
  EXPECT_FALSE(bakeoff_of("unfinished")["notes"].empty());
}

TEST_F(Degenerate, OnlyFailedTrials) {
  ASSERT_TRUE(failed_) << winnow(home(), {"sweep", "show", "failed"}).output;
  ask_everything("failed");
  EXPECT_EQ(converge_verdict("failed"), "INSUFFICIENT");
  const json risk = risk_of("failed");
  EXPECT_EQ(risk["verdict"], "FAILED");
  EXPECT_FALSE(risk["reasons"].empty());
}

TEST_F(Degenerate, UnlikeSweepsAreNotCompared) {
  const Ran data = winnow(home(), {"bakeoff", "one", "flat"});
  EXPECT_EQ(data.status, 2) << data.errors;
  EXPECT_NE(data.errors.find("sim-alpha"), std::string::npos) << data.errors;
  const Ran window = winnow(home(), {"bakeoff", "one", "short"});
  EXPECT_EQ(window.status, 2);
  EXPECT_NE(window.errors.find("windows differ"), std::string::npos) << window.errors;
  const Ran family = winnow(home(), {"bakeoff", "one", "--families", "sma_crosss"});
  EXPECT_EQ(family.status, 2);
  const json both = ask(home(), {"bakeoff", "one", "clones"});
  EXPECT_EQ(both["comparisons"][0]["entrants"].size(), 2u);
}

TEST_F(Degenerate, BadRiskOptionsAreRefusedByName) {
  const std::vector<std::vector<std::string>> bad = {{"--policy", "day_stp=0.1"},
                                                     {"--policy", "day_stop=10"},
                                                     {"--horizon", "12h"},
                                                     {"--paths", "5"},
                                                     {"--horizon", "99999d"}};
  for (const auto& options : bad) {
    std::vector<std::string> words = {"risk", "one"};
    words.insert(words.end(), options.begin(), options.end());
    const Ran ran = winnow(home(), words);
    EXPECT_EQ(ran.status, 2) << options[1];
    EXPECT_FALSE(ran.errors.empty());
  }
  EXPECT_EQ(winnow(home(), {"risk", "one", "7"}).status, 2);
}

}  // namespace
}  // namespace winnow::e2e
