#include "sweeps/level/claim.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.hpp"

namespace winnow::sweeps::level {
namespace {

using Json = nlohmann::ordered_json;

constexpr OpenMode kModes[] = {OpenMode::Now, OpenMode::Search, OpenMode::Confirm};

}  // namespace

Json day_ranges_json(std::span<const DayRange> ranges) {
  Json out = Json::array();
  for (const DayRange& r : ranges) out.push_back({r.start, r.end});
  return out;
}

std::vector<DayRange> day_ranges_from(const Json& json) {
  std::vector<DayRange> out;
  for (const Json& r : json) out.push_back({r.at(0), r.at(1)});
  return out;
}

bool judges(const Claim& claim, std::int64_t day) {
  const auto has = [&](const DayRange& r) { return day >= r.start && day < r.end; };
  if (day >= claim.window.end) return std::ranges::none_of(claim.seen_later, has);
  return std::ranges::any_of(claim.judged, has);
}

void take_days(Claim& claim, std::span<const DayRange> seen) {
  std::vector<DayRange> left;
  for (const DayRange& r : claim.judged) {
    for (const DayRange& fresh : fresh_days(r, seen)) left.push_back(fresh);
  }
  claim.judged = std::move(left);
  for (const DayRange& r : seen) {
    claim.seen_later.push_back({std::max(r.start, claim.window.end), r.end});
  }
  claim.seen_later = joined(std::move(claim.seen_later));
}

std::string_view open_mode_name(OpenMode mode) {
  switch (mode) {
    case OpenMode::Explore:
      return "explore";
    case OpenMode::Now:
      return "now";
    case OpenMode::Search:
      return "search";
    case OpenMode::Confirm:
      return "confirm";
  }
  return "";
}

std::vector<std::string> open_mode_names() {
  std::vector<std::string> out;
  for (const OpenMode mode : kModes) out.emplace_back(open_mode_name(mode));
  return out;
}

std::optional<OpenMode> find_open_mode(std::string_view name) {
  for (const OpenMode mode : kModes) {
    if (open_mode_name(mode) == name) return mode;
  }
  return std::nullopt;
}

std::vector<LookDay> looks_of_growth() {
  return {{90, 0.02}, {180, 0.08}, {365, 0.25}, {730, 0.65}};
}

std::vector<LookDay> looks_for(const OpenSpec& spec, std::int64_t judged_days) {
  if (!spec.looks.empty()) return spec.looks;
  if (judged_days >= kOneLookDays) return {{0, 1.0}};
  return looks_of_growth();
}

Json claim_json(const Claim& c) {
  Json looks = Json::array();
  for (const LookDay& look : c.looks) looks.push_back({look.judged_days, look.weight});
  return {{"id", c.id},
          {"key", c.key},
          {"mode", open_mode_name(c.mode)},
          {"family", c.family},
          {"data", c.data},
          {"dataset_hash", c.dataset_hash},
          {"market", c.market},
          {"sweep", c.sweep},
          {"segment", c.segment},
          {"user", c.user},
          {"opened_ns", c.opened.ns},
          {"window", {c.window.start, c.window.end}},
          {"judged", day_ranges_json(c.judged)},
          {"seen_later", day_ranges_json(c.seen_later)},
          {"share", c.share},
          {"looks", looks},
          {"fixed", c.fixed},
          {"seen_by", c.seen_by}};
}

Result<Claim> claim_from_json(const Json& json) {
  Claim c;
  try {
    json.at("id").get_to(c.id);
    json.at("key").get_to(c.key);
    const auto mode = find_open_mode(json.at("mode").get<std::string>());
    if (!mode) return Error(ErrorCode::Corrupt, "a hypothesis is opened in no known way");
    c.mode = *mode;
    json.at("family").get_to(c.family);
    json.at("data").get_to(c.data);
    json.at("dataset_hash").get_to(c.dataset_hash);
    json.at("market").get_to(c.market);
    json.at("sweep").get_to(c.sweep);
    json.at("segment").get_to(c.segment);
    json.at("user").get_to(c.user);
    json.at("opened_ns").get_to(c.opened.ns);
    c.window = {json.at("window").at(0), json.at("window").at(1)};
    c.judged = day_ranges_from(json.at("judged"));
    c.seen_later = day_ranges_from(json.value("seen_later", Json::array()));
    json.at("share").get_to(c.share);
    for (const Json& look : json.at("looks")) c.looks.push_back({look.at(0), look.at(1)});
    json.at("fixed").get_to(c.fixed);
    json.at("seen_by").get_to(c.seen_by);
  } catch (const Json::exception& e) {
    return Error(ErrorCode::Corrupt, std::string("a hypothesis on record: ") + e.what());
  }
  return c;
}

std::string days_text(std::span<const DayRange> ranges) {
  std::string out;
  for (const DayRange& r : ranges) {
    if (r.start >= r.end) continue;
    out += (out.empty() ? "" : " and ") + format_day(r.start) + " to " + format_day(r.end - 1);
  }
  return out.empty() ? "no days" : out;
}

}  // namespace winnow::sweeps::level
