// What a sweep opens, and which days it shows: on record before anything of it is computed.
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "actors/sweep_registry.hpp"
#include "base/hash.hpp"
#include "base/text.hpp"
#include "store/record_file.hpp"
#include "sweeps/level/account_book.hpp"
#include "sweeps/level/day_book.hpp"

namespace winnow::actors {
namespace {

namespace level = sweeps::level;
using Json = nlohmann::ordered_json;

constexpr std::size_t kHypothesisIdDigits = 12;
// What this room puts down outlives an older copy of the store.
static_assert(store::is_record_kind(level::kAccountKind) &&
              store::is_record_kind(level::kOpenedKind) &&
              store::is_record_kind(level::kShownKind) && store::is_record_kind(level::kSealKind));
// No showing has such a key.
constexpr std::string_view kEarlierNoted = "earlier-sweeps-noted";

/// The days of a dataset that a sweep's window touches.
level::DayRange days_on(const sweeps::ResolvedSpec& spec, const sweeps::DatasetInfo& d) {
  const TimestampNs from = std::max(spec.from, d.first);
  const TimestampNs to = std::min(spec.to, d.last + d.interval);
  return {utc_day(from), utc_day(to - DurationNs{1}) + 1};
}

/// Whether a claim names the length of its bars: those of before did not.
enum class Bars : std::uint8_t { Named, Unnamed };

/// Everything but market and days that a hypothesis is: another word here is another hypothesis.
/// In the ledger's form, so that a newer engine does not make it one.
std::string fixed_text(const sweeps::ResolvedSpec& ledger_spec, const sweeps::Plan& plan,
                       const sweeps::Segment& segment, Bars bars) {
  const Json spec = parse_ordered_json(ledger_spec.to_json());
  Json out;
  out["space"] = spec["strategies"][segment.strategy];
  out["code_version"] = plan.family(segment).code_version;
  for (const char* part : {"method", "samples", "seed", "validation"}) out[part] = spec[part];
  out["execution"] = spec["execution_by_data"][segment.dataset];
  // A lookback of so many bars is another strategy on other bars.
  if (bars == Bars::Named) {
    out["interval_ns"] = plan.spec().data[segment.dataset].interval.ns;
  }
  out["convergence"] = spec.contains("convergence") ? spec["convergence"] : Json();
  return json_text(out);
}

level::Claim claim_of(const sweeps::ResolvedSpec& ledger_spec, const sweeps::Plan& plan,
                      const sweeps::Segment& segment, const level::MarketDays& market, Bars bars) {
  const sweeps::DatasetInfo& data = plan.spec().data[segment.dataset];
  level::Claim claim;
  claim.mode = plan.spec().open.mode;
  claim.family = plan.family(segment).name;
  claim.data = data.name;
  claim.dataset_hash = data.content_hash;
  claim.market = market.id;
  claim.sweep = plan.id();
  claim.segment = segment.index;
  claim.window = days_on(plan.spec(), data);
  claim.share = plan.spec().open.share;
  claim.fixed = fixed_text(ledger_spec, plan, segment, bars);
  Json key{{"fixed", claim.fixed},
           {"mode", level::open_mode_name(claim.mode)},
           {"market", claim.market},
           {"from", claim.window.start}};
  claim.key = sha256_hex(json_text(key)).substr(0, kHypothesisIdDigits);
  key["to"] = claim.window.end;
  claim.id = sha256_hex(json_text(key)).substr(0, kHypothesisIdDigits);
  return claim;
}

/// Whether somebody opened it before the bars were part of what is fixed: it goes on as that.
bool opened_unnamed(const std::vector<level::OpenedHypothesis>& all, const level::Claim& unnamed) {
  return std::any_of(all.begin(), all.end(), [&](const level::OpenedHypothesis& h) {
    const bool same_bars =
        h.claim.dataset_hash == unnamed.dataset_hash || h.claim.data == unnamed.data;
    return h.claim.key == unnamed.key && same_bars;
  });
}

/// Purpose: documents with changes laid over them that are never written. Thread: one.
class UnwrittenDocuments final : public level::Documents {
 public:
  /// `below` null: there are none yet.
  explicit UnwrittenDocuments(const level::Documents* below) : below_(below) {}

  Result<std::optional<std::string>> read(std::string_view kind,
                                          std::string_view key) const override {
    const auto changed = changes_.find({std::string(kind), std::string(key)});
    if (changed != changes_.end()) return std::optional(changed->second);
    if (below_ == nullptr) return std::optional<std::string>();
    return below_->read(kind, key);
  }
  Result<std::vector<std::string>> keys(std::string_view kind,
                                        std::string_view prefix) const override {
    std::set<std::string> out;
    if (below_ != nullptr) {
      const auto there = below_->keys(kind, prefix);
      if (!there) return there.error();
      out.insert(there->begin(), there->end());
    }
    for (const auto& [at, text] : changes_) {
      if (at.first == kind && at.second.starts_with(prefix)) out.insert(at.second);
    }
    return std::vector<std::string>(out.begin(), out.end());
  }
  Status update(std::string_view kind, std::string_view key, const Change& change) override {
    const auto before = read(kind, key);
    if (!before) return before.error();
    auto after = change(*before);
    if (!after) return after.error();
    changes_[{std::string(kind), std::string(key)}] = *std::move(after);
    return {};
  }

 private:
  const level::Documents* below_;
  std::map<std::pair<std::string, std::string>, std::string> changes_;
};

Result<level::MarketDays> market_of(const sweeps::Catalog& catalog, const sweeps::DatasetInfo& d) {
  if (catalog.market) return catalog.market(d);
  return level::MarketDays{
      .id = d.content_hash, .hashes = {d.content_hash}, .sealed_from = std::nullopt};
}

Result<level::DayBook> days_of(const level::Documents& documents, const sweeps::Catalog& catalog,
                               const sweeps::DatasetInfo& d) {
  const auto market = market_of(catalog, d);
  if (!market) return market.error();
  return level::DayBook::read(documents, *market);
}

}  // namespace

sweeps::Catalog SweepRegistry::catalog_for(const Submit& request) const {
  sweeps::Catalog catalog = catalog_();
  if (const auto mode = level::find_open_mode(request.open)) catalog.open_otherwise = *mode;
  sweeps::Catalog only_market;
  only_market.market = catalog.market;
  if (request.unseal != 0) {
    catalog.market = [only_market](const sweeps::DatasetInfo& d) {
      auto market = market_of(only_market, d);
      if (market) market->sealed_from.reset();
      return market;
    };
    return catalog;
  }
  const level::Documents* documents = book_.documents();
  if (documents == nullptr) return catalog;
  catalog.sealed = [only_market, documents](
                       const sweeps::DatasetInfo& d) -> Result<std::vector<level::DayRange>> {
    const auto days = days_of(*documents, only_market, d);
    if (!days) return days.error();
    return days->sealed();
  };
  return catalog;
}

Result<std::vector<level::Claim>> SweepRegistry::claims_of(const level::Documents& documents,
                                                           const sweeps::Plan& plan,
                                                           const std::string& user,
                                                           TimestampNs now) const {
  const sweeps::Catalog catalog = catalog_();
  const sweeps::ResolvedSpec ledger_spec = sweeps::ledger_form(plan.spec());
  const auto all = level::all_hypotheses(documents);
  if (!all) return all.error();
  std::vector<level::Claim> claims;
  for (const sweeps::Segment& segment : plan.segments()) {
    const auto market = market_of(catalog, plan.spec().data[segment.dataset]);
    if (!market) return market.error();
    level::Claim claim = claim_of(ledger_spec, plan, segment, *market, Bars::Named);
    level::Claim unnamed = claim_of(ledger_spec, plan, segment, *market, Bars::Unnamed);
    if (opened_unnamed(*all, unnamed)) claim = std::move(unnamed);
    const auto days = level::DayBook::read(documents, *market);
    if (!days) return days.error();
    WINNOW_TRY(level::set_judged_days(documents, *days, claim));
    claim.looks = level::looks_for(plan.spec().open, level::day_count(claim.judged));
    claim.user = user;
    claim.opened = now;
    claims.push_back(std::move(claim));
  }
  return claims;
}

Status SweepRegistry::open_hypotheses(const sweeps::Plan& plan, const std::string& user,
                                      TimestampNs now) {
  if (plan.spec().open.mode == level::OpenMode::Explore) return {};
  level::Documents* documents = book_.documents();
  if (documents == nullptr) {
    return Error(ErrorCode::Refused, "no account is kept here, so nothing can be opened");
  }
  WINNOW_TRY(note_days_of_earlier_sweeps(*documents));
  auto claims = claims_of(*documents, plan, user, now);
  if (!claims) return claims.error();
  const auto account = level::account_of_user(*documents, now, user);
  if (!account) return account.error();
  const auto opened = level::open_claims(*documents, *account, *std::move(claims));
  return opened ? Status() : Status(opened.error());
}

Result<std::vector<OpeningPrice>> SweepRegistry::price(const sweeps::Plan& plan,
                                                       const std::string& user,
                                                       TimestampNs now) const {
  std::vector<OpeningPrice> out;
  if (plan.spec().open.mode == level::OpenMode::Explore) return out;
  UnwrittenDocuments documents(book_.documents());
  WINNOW_TRY(note_days_of_earlier_sweeps(documents));
  const auto claims = claims_of(documents, plan, user, now);
  if (!claims) return claims.error();
  const auto account = level::account_of_user(documents, now, user);
  if (!account) return account.error();
  const auto opened = level::open_claims(documents, *account, *claims);
  if (!opened) return opened.error();
  const auto all = level::all_hypotheses(documents);
  if (!all) return all.error();
  for (std::size_t i = 0; i < claims->size(); ++i) {
    OpeningPrice price;
    price.family = (*claims)[i].family;
    price.data = (*claims)[i].data;
    price.refusal = (*opened)[i].refusal;
    price.hypothesis = (*opened)[i].id;
    price.repeat = (*opened)[i].repeat;
    for (const level::OpenedHypothesis& h : *all) {
      if (h.claim.id != price.hypothesis) continue;
      price.level = h.in_account.level;
      price.stake = h.in_account.stake;
      price.left = h.in_account.left_before;
      price.account = h.account;
      price.judged_days = level::day_count(h.claim.judged);
    }
    out.push_back(std::move(price));
  }
  return out;
}

Status SweepRegistry::record_days(const sweeps::Plan& plan, const Asker& asker, TimestampNs now) {
  level::Documents* documents = book_.documents();
  if (documents == nullptr) return {};
  const sweeps::ResolvedSpec& spec = plan.spec();
  const sweeps::Catalog catalog = catalog_();
  for (const sweeps::DatasetInfo& d : spec.data) {
    const level::DayRange window = days_on(spec, d);
    level::Showing showing{d.content_hash, window, level::Breadth::Broad, "sweep " + plan.id()};
    // What is judged in words shows nothing.
    if (spec.open.mode != level::OpenMode::Confirm) {
      const auto sealed = days_of(*documents, catalog, d);
      if (!sealed) return sealed.error();
      const std::vector<level::DayRange> kept = sealed->sealed();
      const bool unsealed =
          asker.unseal && std::any_of(kept.begin(), kept.end(), [&](const level::DayRange& r) {
            return r.start < window.end && window.start < r.end;
          });
      const auto broken = unsealed ? level::SealBroken::Yes : level::SealBroken::No;
      WINNOW_TRY(
          level::record_showing(*documents, showing, asker.user, now, std::string(), broken));
    }
    if (spec.holdout.ns > 0) {
      showing.days = {utc_day(spec.to), utc_day(spec.to + spec.holdout - DurationNs{1}) + 1};
      WINNOW_TRY(level::record_seal(*documents, showing, asker.user, now));
    }
  }
  return {};
}

Status SweepRegistry::note_days_of_earlier_sweeps(level::Documents& documents) const {
  const auto noted = documents.read(level::kShownKind, kEarlierNoted);
  if (!noted) return noted.error();
  if (*noted) return {};
  const auto metas = book_.sweeps();
  if (!metas) return metas.error();
  for (const store::SweepMeta& meta : *metas) {
    const auto spec = sweeps::ResolvedSpec::from_json(meta.spec_json);
    if (!spec) continue;  // of a form that nobody reads any more
    for (const sweeps::DatasetInfo& d : spec->data) {
      const level::Showing showing{d.content_hash, days_on(*spec, d), level::Breadth::Broad,
                                   "sweep " + meta.id};
      WINNOW_TRY(level::record_showing(documents, showing, meta.user, meta.created, std::string(),
                                       level::SealBroken::No));
    }
  }
  return documents.update(level::kShownKind, kEarlierNoted,
                          [](const auto&) -> Result<std::string> { return std::string("yes"); });
}

}  // namespace winnow::actors
