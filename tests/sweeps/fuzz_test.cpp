#include <gtest/gtest.h>
#include <time.h>

#include <nlohmann/json.hpp>

#include "base/rng.hpp"
#include "tests/sweeps/support.hpp"

namespace winnow::sweeps::testing {
namespace {

// What people and accidents put into specifications.
const std::vector<std::string> kPieces{"{",
                                       "}",
                                       "[",
                                       "]",
                                       ":",
                                       ": ",
                                       ",",
                                       "-",
                                       "- ",
                                       "\n",
                                       "\n  ",
                                       "\t",
                                       "&a",
                                       "*a",
                                       "!!int",
                                       "---\n",
                                       "...",
                                       "|\n",
                                       ">\n",
                                       "?",
                                       "#",
                                       "'",
                                       "\"",
                                       "%",
                                       "@",
                                       "`",
                                       "null",
                                       "~",
                                       "true",
                                       ".nan",
                                       ".inf",
                                       "-1",
                                       "0",
                                       "1",
                                       "1e9",
                                       "1e99",
                                       "0x10",
                                       "999999999999999999999",
                                       "12.5",
                                       "\xff",
                                       "\xc3\xa4",
                                       "<<",
                                       "int",
                                       "float",
                                       "log",
                                       "values",
                                       "step",
                                       "grid",
                                       "random",
                                       "sobol",
                                       "lhs",
                                       "samples",
                                       "{int: [2, 20000], step: 1}",
                                       "{float: [0.01, 20], step: 0.01}",
                                       "{log: [1, 9999]}",
                                       "{method: lhs, samples: 1000}",
                                       "{method: sobol, samples: 5000}",
                                       "90d",
                                       "2023-01-01"};

std::string mutate(std::string text, Rng& rng) {
  for (std::uint64_t changes = 1 + rng.below(4); changes > 0; --changes) {
    const std::size_t at_byte = rng.below(text.size() + 1);
    switch (rng.below(6)) {
      case 0:
        text.insert(at_byte, kPieces[rng.below(kPieces.size())]);
        break;
      case 1:
        text.erase(at_byte, 1 + rng.below(12));
        break;
      case 2:
        if (at_byte < text.size()) text[at_byte] = static_cast<char>(rng.below(256));
        break;
      case 3: {  // a line twice, or gone
        const std::size_t start = text.rfind('\n', at_byte) + 1;
        const std::size_t end = std::min(text.find('\n', start), text.size());
        const std::string line = text.substr(start, end - start) + "\n";
        if (rng.below(2) == 0) {
          text.insert(start, line);
        } else {
          text.erase(start, line.size());
        }
        break;
      }
      case 4: {  // a value replaced by a piece
        const std::size_t colon = text.find(": ", at_byte);
        if (colon == std::string::npos) break;
        const std::size_t end = text.find_first_of(",}]\n", colon);
        text.replace(colon + 2, std::min(end, text.size()) - colon - 2,
                     kPieces[rng.below(kPieces.size())]);
        break;
      }
      default:
        text.resize(at_byte);
        break;
    }
    if (text.empty()) text = "\n";
  }
  return text;
}

/// Of this thread, which neighbours on a busy machine do not lengthen.
double processor_ms() {
  timespec used{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return 1e3 * static_cast<double>(used.tv_sec) + 1e-6 * static_cast<double>(used.tv_nsec);
}

TEST(SpecFuzz, MutatedSpecsNeverCrashAndAreJudgedAtOnce) {
  const char* const env = std::getenv("WINNOW_FUZZ_SPECS");
  const int specs = env != nullptr ? std::atoi(env) : 3000;
  const std::uint64_t seed = 20'230'101;
  SCOPED_TRACE("seed " + std::to_string(seed));
  const Catalog c = catalog();
  const std::string profile = read_text(source_dir() / "configs/execution/binance-usdm.yaml");
  Rng rng(seed);
  int accepted = 0;
  double slowest_ms = 0;
  for (int i = 0; i < specs; ++i) {
    const bool of_profile = i % 4 == 0;
    const std::string text = mutate(of_profile ? profile : kSpec, rng);
    const double start_ms = processor_ms();
    std::string error;
    if (of_profile) {
      const auto model = parse_execution(text, "f.yaml", "BTCUSDT");
      if (!model) error = model.error().text();
      EXPECT_TRUE(!model || engine::check_execution(*model).ok());
    } else {
      auto spec = parse_spec(text, "f.yaml", c);
      if (!spec) error = spec.error().text();
      EXPECT_TRUE(!spec || Plan::make(*std::move(spec)).ok()) << text;
    }
    const double took_ms = processor_ms() - start_ms;
    if (took_ms > slowest_ms) {
      slowest_ms = took_ms;
      RecordProperty("slowest", text);
    }
    accepted += error.empty() ? 1 : 0;
    if (!error.empty()) {
      EXPECT_TRUE(error.starts_with("f.yaml:")) << error;
      EXPECT_LT(error.size(), 2000u);
    }
  }
  std::printf("%d specs, %d accepted, slowest %.1f ms\n", specs, accepted, slowest_ms);
  EXPECT_GT(accepted, specs / 50);
  EXPECT_LT(slowest_ms,
            2000);  // 50 ms when optimised; sanitizers are slow
}

TEST(SpecFuzz, MutatedJsonNeverCrashes) {
  const std::string json = parse_spec(kSpec, "f.yaml", catalog())->to_json();
  Rng rng(17);
  for (int i = 0; i < 2000; ++i) {
    std::string text = json;
    for (std::uint64_t k = 1 + rng.below(3); k > 0; --k) {
      const std::size_t at_byte = rng.below(text.size());
      if (rng.below(2) == 0) {
        text[at_byte] = static_cast<char>('0' + rng.below(75));
      } else {
        text.erase(at_byte, 1 + rng.below(4));
      }
    }
    auto spec = ResolvedSpec::from_json(text);
    if (!spec) continue;
    const auto plan = Plan::make(*std::move(spec));
    EXPECT_TRUE(!plan || plan->trials() > 0);
  }
}

// A value is its parameter's by its place: those of another order would be another strategy's.
TEST(SpecJson, ParametersThatAreNotTheFamilysInItsOrderAreRefused) {
  const std::string json = parse_spec(kSpec, "f.yaml", catalog())->to_json();
  auto swapped = nlohmann::ordered_json::parse(json);
  auto& params = swapped["strategies"][0]["params"];
  ASSERT_GE(params.size(), 2u);
  std::swap(params[0], params[1]);
  auto renamed = nlohmann::ordered_json::parse(json);
  renamed["strategies"][0]["params"][0]["name"] = "nobody";
  for (const auto& changed : {swapped, renamed}) {
    auto spec = ResolvedSpec::from_json(changed.dump());
    ASSERT_TRUE(spec.ok()) << spec.error().text();
    const auto plan = Plan::make(*std::move(spec));
    ASSERT_FALSE(plan.ok());
    EXPECT_EQ(plan.error().code(), ErrorCode::InvalidInput);
    EXPECT_NE(plan.error().text().find("where the space has '"), std::string::npos)
        << plan.error().text();
  }
}

}  // namespace
}  // namespace winnow::sweeps::testing
