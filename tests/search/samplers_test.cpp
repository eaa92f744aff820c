#include "sweeps/search/samplers.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace winnow::sweeps {
namespace {

// Code that names a sampler means the one of that name.
TEST(Samplers, TheConstantsNameWhatTheySay) {
  EXPECT_EQ(SearchMethod::Grid.decl().name, "grid");
  EXPECT_EQ(SearchMethod::Random.decl().name, "random");
  EXPECT_EQ(SearchMethod::Sobol.decl().name, "sobol");
  EXPECT_EQ(SearchMethod::Lhs.decl().name, "lhs");
  EXPECT_EQ(SearchMethod::Tpe.decl().name, "tpe");
  EXPECT_EQ(SearchMethod::Cmaes.decl().name, "cmaes");
  EXPECT_EQ(SearchMethod::Nsga2.decl().name, "nsga2");
}

TEST(Samplers, AreDeclaredWithoutContradiction) {
  std::set<std::string_view> names;
  for (const SamplerDecl* s : samplers()) {
    SCOPED_TRACE(std::string(s->name));
    EXPECT_TRUE(names.insert(s->name).second);
    EXPECT_FALSE(s->words.empty());
    EXPECT_EQ(s->enumerates, s->make == nullptr) << "what is not searched is laid out";
    EXPECT_LE(s->objectives_min, s->objectives_max);
    EXPECT_GE(s->objectives_min, 1u);
    if (s->objectives_max > 1) {
      EXPECT_FALSE(s->fidelity) << "a ladder ranks by one objective";
    }
    if (s->learns) {
      EXPECT_FALSE(s->shares || s->extends);
    }
  }
}

TEST(Samplers, AreNamedInOneOrder) {
  EXPECT_EQ(samplers_that([](const SamplerDecl& s) { return s.learns; }), "tpe, cmaes or nsga2");
  EXPECT_EQ(samplers_that([](const SamplerDecl& s) { return s.enumerates; }), "grid");
  EXPECT_EQ(samplers_that([](const SamplerDecl&) { return false; }), "");
}

}  // namespace
}  // namespace winnow::sweeps
