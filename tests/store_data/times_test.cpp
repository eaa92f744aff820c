#include <fstream>

#include "store/import/csv.hpp"
#include "store/import/time_zone.hpp"
#include "store/import/times.hpp"
#include "support.hpp"

namespace winnow::store::test {
namespace {

std::string read_as(std::string_view text, TimeSpec spec) {
  ParsedTime t;
  if (!parse_time(text, spec, t)) return "refused";
  return format_timestamp({t.ns}) + (t.naive ? " naive" : "");
}
std::string iso(std::string_view text) { return read_as(text, {TimeUnit::Iso}); }
std::string found(std::string_view text, DayOrder order = DayOrder::Unknown) {
  return read_as(text, {TimeUnit::Auto, {}, order});
}

TEST(Times, C3AllOfIso8601AndRfc3339) {
  for (const char* text :
       {"2024-11-02T05:30:00Z", "2024-11-02T05:30:00.000Z", "2024-11-02t05:30:00z",
        "2024-11-02 05:30:00+00:00", "2024-11-02T01:30:00-04:00", "2024-11-02 01:30:00 -0400",
        "2024-11-02T07:30+02", "20241102T053000Z", "20241102T0530Z", "2024-11-02T05:30:00,000Z",
        "2024-W44-6T05:30Z", "2024W446T0530Z", "2024-307T05:30Z", "2024307T053000Z",
        "2024-11-02 05:30:00 UTC", "2024-11-02T01:30:00-04:00[America/New_York]",
        "2024-11-02T01:30:00\xe2\x88\x92"
        "04:00"}) {
    EXPECT_EQ(iso(text), "2024-11-02T05:30:00Z") << text;
  }
  EXPECT_EQ(iso("2024-11-02"), "2024-11-02T00:00:00Z naive");
  EXPECT_EQ(iso("2024-11-02T05"), "2024-11-02T05:00:00Z naive");
  EXPECT_EQ(iso("2024-11"), "2024-11-01T00:00:00Z naive");
  EXPECT_EQ(iso("2024-11-02T24:00:00Z"), "2024-11-03T00:00:00Z");
  EXPECT_EQ(iso("2016-12-31T23:59:60Z"), "2017-01-01T00:00:00Z");
  EXPECT_EQ(iso("2024-11-02T05:30:00.123456789Z"), "2024-11-02T05:30:00.123456789Z");
  for (const char* text :
       {"2024-02-30", "2024-13-01", "2024-11-02T25:00", "2024-11-02T05:60",
        "2024-11-02T05:30:00+25:00", "2024-366T00:00Z0", "x", "", "2024-11-02T05:30:00Zx",
        "1969-12-31T23:00:00Z", "2024-W54-1", "24-11-02", "2024-11-02T", "2024-11-02T05:30:00.Z"}) {
    EXPECT_EQ(iso(text), "refused") << text;
  }
}

TEST(Times, C7DatesAsMakersWriteThem) {
  for (const char* text :
       {"2024.01.02 13:05", "2024/01/02 13:05:00", "02.01.2024 13:05:00.000", "2-Jan-2024 1:05 PM",
        "02-Jan-24 13:05", "Jan 2, 2024 13:05", "January 2, 2024, 1:05 PM", "2 January 2024 13:05",
        "20240102 130500", "20240102 13:05"}) {
    EXPECT_EQ(found(text), "2024-01-02T13:05:00Z naive") << text;
  }
  EXPECT_EQ(found("2024-01-02 12-AM"), "2024-01-02T00:00:00Z naive");
  EXPECT_EQ(found("2024-01-02 01-PM"), "2024-01-02T13:00:00Z naive");
  EXPECT_EQ(found("Tue, 02 Jan 2024 13:05:00 GMT"), "2024-01-02T13:05:00Z");
  EXPECT_EQ(found("02.01.2024 14:05:00.000 GMT+0100"), "2024-01-02T13:05:00Z");
  EXPECT_EQ(found("03/04/2024"), "refused");
  EXPECT_EQ(found("03/04/2024", DayOrder::DayFirst), "2024-04-03T00:00:00Z naive");
  EXPECT_EQ(found("03/04/2024", DayOrder::MonthFirst), "2024-03-04T00:00:00Z naive");
  EXPECT_EQ(found("20240102"), "2024-01-02T00:00:00Z naive");
  EXPECT_EQ(found("1704200700"), "2024-01-02T13:05:00Z");
  EXPECT_EQ(found("1704200700.5"), "2024-01-02T13:05:00.500000000Z");
  EXPECT_EQ(found("1704200700000"), "2024-01-02T13:05:00Z");
  EXPECT_EQ(found("1704200700000000"), "2024-01-02T13:05:00Z");
  EXPECT_EQ(found("1704200700000000000"), "2024-01-02T13:05:00Z");
  EXPECT_EQ(found("45293.5451388889"), "2024-01-02T13:05:00Z naive");
  const TimeSpec spec{TimeUnit::Format, "%d-%b-%y %I:%M %p", DayOrder::Unknown};
  EXPECT_EQ(read_as("02-Jan-24 01:05 PM", spec), "2024-01-02T13:05:00Z naive");
  EXPECT_EQ(read_as("02-Jan-24 13:05", spec), "refused");
}

TEST(TimeZone, C3OffsetsOfTheDatabaseAndOfItsRules) {
  const auto zone = TimeZone::load("America/New_York");
  if (!zone.ok()) GTEST_SKIP() << zone.error().text();
  const auto at = [](const char* text) { return must(parse_timestamp(text)).ns / 1'000'000'000; };
  EXPECT_EQ(zone->offset_s(at("2024-01-15T00:00")), -5 * 3600);
  EXPECT_EQ(zone->offset_s(at("2024-07-15T00:00")), -4 * 3600);
  EXPECT_EQ(zone->offset_s(at("2024-03-10T06:59:59")), -5 * 3600);
  EXPECT_EQ(zone->offset_s(at("2024-03-10T07:00:00")), -4 * 3600);
  // Beyond the table, by the rule at the file's end.
  EXPECT_EQ(zone->offset_s(at("2099-07-15T00:00")), -4 * 3600);
  EXPECT_EQ(zone->offset_s(at("2099-12-15T00:00")), -5 * 3600);
  EXPECT_EQ(must(TimeZone::load("Australia/Sydney")).offset_s(at("2099-01-15T00:00")), 11 * 3600);
  EXPECT_EQ(zone->meaning(at("2024-03-10T02:30")).count, 0);
  const auto twice = zone->meaning(at("2024-11-03T01:30"));
  ASSERT_EQ(twice.count, 2);
  EXPECT_EQ(twice.first_s, at("2024-11-03T05:30"));
  EXPECT_EQ(twice.second_s, at("2024-11-03T06:30"));
  EXPECT_EQ(zone->meaning(at("2024-11-03T03:30")).count, 1);
}

TEST(TimeZone, C3UnknownNamesAndDamagedFilesAreRefused) {
  EXPECT_EQ(must(TimeZone::load("+05:30")).offset_s(0), 19'800);
  EXPECT_EQ(must(TimeZone::load("UTC-5")).offset_s(0), -18'000);
  EXPECT_EQ(must(TimeZone::load("GMT+0100")).offset_s(0), 3'600);
  for (const char* name : {"", "Mars/Olympus", "../../etc/passwd", "/etc/passwd", "America"}) {
    EXPECT_NE(error_of(TimeZone::load(name)).find("there is no"), std::string::npos) << name;
  }
  TempDir dir;
  const std::string whole = read_file("/usr/share/zoneinfo/Europe/Berlin");
  if (whole.empty()) GTEST_SKIP() << "no database of zones here";
  ::setenv("TZDIR", dir.path().c_str(), 1);
  Rng rng(3);
  for (int k = 0; k < 300; ++k) {
    std::string bytes = whole.substr(0, rng.below(whole.size()));
    if (!bytes.empty()) bytes[rng.below(bytes.size())] ^= static_cast<char>(1 << rng.below(8));
    write_file(dir / "Zone", bytes);
    const auto zone = TimeZone::load("Zone");
    if (zone.ok()) (void)zone->meaning(1'700'000'000);  // whatever it says, it says it safely
  }
  ::unsetenv("TZDIR");
}

TEST(Csv, C7DelimitersQuotesLineEndsAndNumbersAsMakersWriteThem) {
  CsvReader csv("t", "# note\r\n\"a\"\"b\";;\"c;d\" ; e\r\n\r\nx;y",
                {.delimiter = ';', .comment = '#'});
  ASSERT_TRUE(csv.next());
  ASSERT_EQ(csv.fields().size(), 4u);
  EXPECT_EQ(csv.fields()[0], "a\"b");
  EXPECT_EQ(csv.fields()[2], "c;d");
  CsvReader old_mac("t", "a,b\r1,2\r");
  ASSERT_TRUE(old_mac.next() && old_mac.next());
  EXPECT_EQ(old_mac.fields()[1], "2");
  const auto number = [](std::string_view text, NumberStyle style) {
    double v = 0;
    return parse_styled(text, style, v) ? v : -1;
  };
  EXPECT_EQ(number("1,005,200.5", {'.', ','}), 1'005'200.5);
  EXPECT_EQ(number("1.005.200,5", {',', '.'}), 1'005'200.5);
  EXPECT_EQ(number("1'005.5", {}), 1005.5);
  EXPECT_EQ(number("1\xc2\xa0"
                   "005,5",
                   {',', 0}),
            1005.5);
  EXPECT_EQ(number("$42,000.10", {'.', ','}), 42'000.1);
  EXPECT_EQ(number("12.34K", {}), 12'340);
  EXPECT_EQ(number("1,05,200", {'.', ','}), -1);
  EXPECT_EQ(number("1,0052", {'.', ','}), -1);
  EXPECT_EQ(number("1.2.3", {}), -1);
}

}  // namespace
}  // namespace winnow::store::test
