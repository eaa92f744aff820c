#include "sweeps/level/day_book.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "base/text.hpp"

namespace winnow::sweeps::level {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kBroad = "broad", kNarrow = "narrow";
constexpr std::size_t kNamesShown = 5;
// Later than every day that is ever asked about.
constexpr std::int64_t kEndOfDays = std::numeric_limits<std::int32_t>::max();

std::string_view next_part(std::string_view& rest, char until) {
  const std::size_t at = std::min(rest.find(until), rest.size());
  const std::string_view part = rest.substr(0, at);
  rest.remove_prefix(std::min(at + 1, rest.size()));
  return part;
}

std::optional<std::int64_t> day_number(std::string_view text) {
  std::int64_t day = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), day);
  if (ec != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return day;
}

std::string range_key(const Showing& s) {
  return s.dataset_hash + "/" + std::to_string(s.days.start) + "-" + std::to_string(s.days.end) +
         "/";
}

// HASH/FROM-TO/ and what follows it.
std::optional<Showing> parse_range(std::string_view& rest) {
  Showing out;
  out.dataset_hash = next_part(rest, '/');
  std::string_view range = next_part(rest, '/');
  const auto start = day_number(next_part(range, '-'));
  const auto end = day_number(range);
  if (!start || !end || out.dataset_hash.empty() || rest.empty()) return std::nullopt;
  out.days = {*start, *end};
  return out;
}

/// Days that at least `least` of the ranges have.
std::vector<DayRange> covered(const std::vector<DayRange>& ranges, std::size_t least) {
  std::map<std::int64_t, std::int64_t> steps;
  for (const DayRange& r : ranges) {
    if (r.start >= r.end) continue;
    steps[r.start] += 1;
    steps[r.end] -= 1;
  }
  std::vector<DayRange> out;
  std::int64_t deep = 0;
  std::int64_t from = 0;
  for (const auto& [day, step] : steps) {
    const bool before = deep >= static_cast<std::int64_t>(least);
    deep += step;
    const bool after = deep >= static_cast<std::int64_t>(least);
    if (!before && after) from = day;
    if (before && !after) out.push_back({from, day});
  }
  return out;
}

bool overlap(DayRange a, DayRange b) { return a.start < b.end && b.start < a.end; }

}  // namespace

std::string showing_key(const Showing& s) {
  return range_key(s) + std::string(s.breadth == Breadth::Broad ? kBroad : kNarrow) + "/" + s.who;
}

std::optional<Showing> parse_showing(std::string_view key) {
  auto out = parse_range(key);
  if (!out) return std::nullopt;
  const std::string_view breadth = next_part(key, '/');
  if (breadth != kBroad && breadth != kNarrow) return std::nullopt;
  out->breadth = breadth == kBroad ? Breadth::Broad : Breadth::Narrow;
  out->who = key;
  return out;
}

Result<DayBook> DayBook::read(const Documents& documents, const MarketDays& market) {
  DayBook out;
  std::vector<DayRange> broad, narrow;
  for (const std::string& hash : market.hashes) {
    const auto keys = documents.keys(kShownKind, hash + "/");
    if (!keys) return keys.error();
    for (const std::string& key : *keys) {
      auto showing = parse_showing(key);
      if (!showing) continue;
      std::string family;
      if (showing->breadth == Breadth::Narrow) {
        const auto text = documents.read(kShownKind, key);
        if (!text) return text.error();
        const Json json = *text ? parse_ordered_json(**text) : Json();
        if (json.is_object()) family = json.value("family", "");
        narrow.push_back(showing->days);
      } else {
        broad.push_back(showing->days);
      }
      out.showings_.push_back(*std::move(showing));
      out.families_.push_back(std::move(family));
    }
    const auto seals = documents.keys(kSealKind, hash + "/");
    if (!seals) return seals.error();
    for (const std::string& key : *seals) {
      std::string_view rest = key;
      if (const auto seal = parse_range(rest)) out.seals_.push_back(seal->days);
    }
  }
  for (const DayRange& r : covered(narrow, kNarrowAreBroad)) broad.push_back(r);
  out.broad_ = joined(std::move(broad));
  if (market.sealed_from) out.seals_.push_back({*market.sealed_from, kEndOfDays});
  out.seals_ = joined(std::move(out.seals_));
  return out;
}

std::vector<DayRange> DayBook::shown_narrowly(std::string_view family) const {
  std::vector<DayRange> out;
  for (std::size_t i = 0; i < showings_.size(); ++i) {
    if (showings_[i].breadth != Breadth::Narrow) continue;
    if (families_[i].empty() || families_[i] == family) out.push_back(showings_[i].days);
  }
  return joined(std::move(out));
}

std::vector<DayRange> DayBook::sealed() const {
  std::vector<DayRange> out;
  for (const DayRange& seal : seals_) {
    for (const DayRange& r : fresh_days(seal, broad_)) out.push_back(r);
  }
  return joined(std::move(out));
}

std::string DayBook::seen_by(DayRange window) const {
  std::vector<std::string_view> names;
  std::unordered_set<std::string_view> known;
  for (const Showing& s : showings_) {
    if (overlap(s.days, window) && known.insert(s.who).second) names.push_back(s.who);
  }
  std::string out;
  for (std::size_t i = 0; i < std::min(names.size(), kNamesShown); ++i) {
    out += (i == 0 ? "" : ", ") + std::string(names[i]);
  }
  if (names.size() > kNamesShown) {
    out += " and " + std::to_string(names.size() - kNamesShown) + " more";
  }
  return out;
}

Status record_showing(Documents& documents, const Showing& showing, const std::string& user,
                      TimestampNs now, std::string_view family, SealBroken broken) {
  Json json{{"time_ns", now.ns}, {"user", user}};
  if (!family.empty()) json["family"] = family;
  if (broken == SealBroken::Yes) json["unsealed"] = true;
  // The first time is the one that counts.
  return documents.update(kShownKind, showing_key(showing),
                          [&](const std::optional<std::string>& there) -> Result<std::string> {
                            return there ? *there : json_text(json);
                          });
}

Status record_seal(Documents& documents, const Showing& sealed, const std::string& user,
                   TimestampNs now) {
  const std::string text = json_text(Json{{"time_ns", now.ns}, {"user", user}});
  return documents.update(kSealKind, range_key(sealed) + sealed.who,
                          [&](const std::optional<std::string>& there) -> Result<std::string> {
                            return there ? *there : text;
                          });
}

Status set_judged_days(const Documents& documents, const DayBook& days, Claim& claim) {
  std::vector<DayRange> seen = days.shown_broadly();
  for (const DayRange& r : days.shown_narrowly(claim.family)) seen.push_back(r);
  const auto all = all_hypotheses(documents);
  if (!all) return all.error();
  std::string converged;
  for (const OpenedHypothesis& h : *all) {
    if (h.claim.market != claim.market || h.claim.family != claim.family ||
        h.in_account.state != HypothesisState::Converged) {
      continue;
    }
    for (const DayRange& r : h.judged_so_far()) {
      if (overlap(r, claim.window)) converged = ", hypothesis " + h.claim.id;
      seen.push_back(r);
    }
  }
  claim.judged = {claim.window};
  take_days(claim, seen);
  claim.seen_by = days.seen_by(claim.window) + converged;
  if (claim.seen_by.starts_with(", ")) claim.seen_by = claim.seen_by.substr(2);
  if (claim.seen_by.empty()) claim.seen_by = "nobody";
  return {};
}

}  // namespace winnow::sweeps::level
