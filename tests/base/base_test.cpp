#include <gtest/gtest.h>

#include <set>

#include "base/edit_distance.hpp"
#include "base/hash.hpp"
#include "base/rng.hpp"
#include "base/time.hpp"

namespace winnow {
namespace {

TEST(Time, TextRoundTripsThroughTimestamps) {
  for (const char* text :
       {"1970-01-01T00:00:00Z", "2024-02-29T23:59:59Z", "2100-12-31T12:00:00Z"}) {
    const auto t = parse_timestamp(text);
    ASSERT_TRUE(t.ok()) << text;
    EXPECT_EQ(format_timestamp(*t), text);
  }
  EXPECT_EQ(parse_timestamp("2023-01-01")->ns, 1'672'531'200'000'000'000);
  EXPECT_EQ(parse_timestamp("2023-01-01T00:05")->ns, 1'672'531'500'000'000'000);
}

TEST(Time, MalformedTimesAreRefusedWithTheValue) {
  for (const char* text : {"", "2023", "2023-13-01", "2023-02-29", "2023-01-01T25:00", "01/02/2023",
                           "2023-01-01T00:00:00Zx", "-023-01-01"}) {
    const auto t = parse_timestamp(text);
    ASSERT_FALSE(t.ok()) << text;
    EXPECT_NE(t.error().text().find(text), std::string::npos);
  }
}

TEST(Time, DurationsNameTheirUnit) {
  EXPECT_EQ(parse_duration("90d")->ns, days(90).ns);
  EXPECT_EQ(parse_duration("5m")->ns, seconds(300).ns);
  EXPECT_EQ(format_duration(days(90)), "90d");
  EXPECT_EQ(format_duration(seconds(90)), "90s");
  for (const char* text : {"", "5", "d", "-5d", "1.5h", "5 m", "9999999999999w"}) {
    EXPECT_FALSE(parse_duration(text).ok()) << text;
  }
}

TEST(Time, UtcDayRoundsDown) {
  EXPECT_EQ(utc_day({0}), 0);
  EXPECT_EQ(utc_day({-1}), -1);
  EXPECT_EQ(utc_day(TimestampNs{} + days(3) - DurationNs{1}), 2);
}

TEST(Hash, PartsDoNotRunIntoEachOther) {
  const auto a = KeyHasher("t").add("ab").add("c").finish();
  const auto b = KeyHasher("t").add("a").add("bc").finish();
  EXPECT_NE(a, b);
  EXPECT_EQ(KeyHasher("t").add(0.0).finish(), KeyHasher("t").add(-0.0).finish());
  EXPECT_NE(KeyHasher("t").add(std::uint64_t{1}).finish(), KeyHasher("t").add(1.0).finish());
}

TEST(Hash, HexRoundTrips) {
  const Hash128 h = hash128("winnow");
  EXPECT_EQ(*parse_hash128(h.hex()), h);
  EXPECT_EQ(Hash128::from_bytes(h.bytes().data()), h);
  EXPECT_FALSE(parse_hash128("xyz").ok());
  // FIPS 180-2, example B.1.
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Rng, DrawsDependOnSeedStreamAndIndexOnly) {
  Rng a(7, 3);
  for (int i = 0; i < 10; ++i) a.next_u64();
  Rng b(7, 3);
  b.seek(10);
  EXPECT_EQ(a.next_u64(), b.next_u64());
  std::set<std::uint64_t> seen;
  for (std::uint64_t s = 0; s < 1000; ++s) seen.insert(Rng(7, s).next_u64());
  EXPECT_EQ(seen.size(), 1000u);
}

TEST(Rng, BelowIsUniform) {
  Rng rng(11);
  int counts[7] = {};
  for (int i = 0; i < 70'000; ++i) ++counts[rng.below(7)];
  double chi2 = 0;
  for (const int c : counts) chi2 += (c - 10'000.0) * (c - 10'000.0) / 10'000.0;
  EXPECT_LT(chi2, 22.46);  // 0.999 quantile of chi-squared with 6 degrees of freedom
}

TEST(EditDistance, CountsSlipsOfTheFingers) {
  EXPECT_EQ(edit_distance("", ""), 0u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
  EXPECT_EQ(edit_distance("sweep", "sewep"), 1u) << "a swap of neighbours is one slip";
  EXPECT_EQ(edit_distance("binance", "binances"), edit_distance("binances", "binance"));
}

}  // namespace
}  // namespace winnow
