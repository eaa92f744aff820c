#include "serve/kin_days.hpp"

#include <algorithm>
#include <cmath>

#include "base/check.hpp"
#include "serve/market_part.hpp"
#include "serve/opening.hpp"
#include "serve/period_days.hpp"
#include "sweeps/level/kin.hpp"
#include "sweeps/level/skill.hpp"

namespace winnow::serve {
namespace {

namespace level = sweeps::level;

// Of each family, evenly over its trials: every variant of one is compared with every one of the
// other.
constexpr std::uint64_t kVariantsCompared = 400;

/// Some variants of a family with the days of their returns.
struct FamilySample {
  std::vector<float> returns;      ///< [row][period]
  std::vector<std::int64_t> days;  ///< of the periods
};

/// Rows that failed or are not there are left out. Fails: NotFound (nothing is there), Corrupt, Io.
Result<FamilySample> read_sample(const Sources& sources, const SweepView& view,
                                 const sweeps::Segment& segment) {
  FamilySample out;
  std::uint32_t periods = 0;
  const std::uint64_t rows = std::min(segment.trials, kVariantsCompared);
  std::uint64_t at = 0;
  for (std::uint64_t b = segment.first_block; b < segment.first_block + segment.blocks; ++b) {
    const auto range = view.plan.block_range(b);
    const auto wanted = [&] { return segment.first_trial + at * segment.trials / rows; };
    if (at == rows) break;
    if (wanted() >= range.first_trial + range.rows) continue;
    const bool whole = view.plan.whole_window(b);
    const auto block = whole ? sources.store->read_block(view.meta.id, b, {.returns = true})
                             : Result<ResultBlock>(Error(ErrorCode::NotFound, "another window"));
    if (!block.ok() && block.error().code() != ErrorCode::NotFound) return block.error();
    for (; at < rows && wanted() < range.first_trial + range.rows; ++at) {
      if (!block.ok() || block->periods == 0) continue;
      if (periods == 0) periods = block->periods;
      if (block->periods != periods) continue;
      const auto row = block->returns.begin() +
                       static_cast<std::ptrdiff_t>((wanted() - range.first_trial) * periods);
      const auto end = row + static_cast<std::ptrdiff_t>(periods);
      if (std::all_of(row, end, [](float r) { return std::isfinite(r); })) {
        out.returns.insert(out.returns.end(), row, end);
      }
    }
  }
  if (out.returns.empty()) return Error(ErrorCode::NotFound, "no results of " + view.meta.id);
  out.days = period_days(sources, view, segment, periods).days;
  return out;
}

/// Some periods of a sample's rows, less beta times the market on them.
class LessMarketOn {
 public:
  LessMarketOn(const FamilySample& sample, std::span<const std::size_t> periods,
               std::span<const double> market)
      : returns_(pick(sample, periods)),
        panel_(sweeps::PanelView::of(returns_, returns_.size() / periods.size(), periods.size())),
        rest_(panel_, level::market_betas(panel_, market), market) {}
  sweeps::PanelView view() const { return rest_.view(); }

 private:
  static std::vector<float> pick(const FamilySample& sample, std::span<const std::size_t> periods) {
    std::vector<float> out;
    const std::size_t width = sample.days.size();
    for (std::size_t row = 0; row < sample.returns.size(); row += width) {
      for (const std::size_t t : periods) out.push_back(sample.returns[row + t]);
    }
    return out;
  }

  std::vector<float> returns_;
  sweeps::PanelView panel_;
  level::LessMarket rest_;
};

/// Whether a family is another one by what both earned on their common days. `market` are the
/// returns of all of the later one's periods.
bool is_kin(const FamilySample& earlier, const FamilySample& later,
            std::span<const double> market) {
  std::vector<std::size_t> before, after;
  std::vector<double> common;
  for (std::size_t t = 0; t < later.days.size(); ++t) {
    const auto there = std::lower_bound(earlier.days.begin(), earlier.days.end(), later.days[t]);
    if (there == earlier.days.end() || *there != later.days[t]) continue;
    before.push_back(static_cast<std::size_t>(there - earlier.days.begin()));
    after.push_back(t);
    common.push_back(market[t]);
  }
  if (common.size() < level::kKinDaysMin) return false;
  const LessMarketOn a(earlier, before, common);
  const LessMarketOn b(later, after, common);
  return level::compare_families(a.view(), b.view()).kin;
}

/// Hypotheses of the same market that were seen before a claim was opened, on days that judge it.
Result<std::vector<level::OpenedHypothesis>> seen_earlier(const Sources& sources,
                                                          const level::Claim& claim) {
  const auto market = market_days(sources, claim.dataset_hash);
  if (!market.ok()) return market.error();
  auto all = level::all_hypotheses(documents_of(sources));
  if (!all.ok()) return all.error();
  std::erase_if(*all, [&](const level::OpenedHypothesis& h) {
    const bool here =
        std::ranges::find(market->hashes, h.claim.dataset_hash) != market->hashes.end();
    // Results of another home (`ledger import`) never were here: its families are known by name.
    const bool elsewhere = h.account.find('@') != std::string::npos;
    if (h.claim.id == claim.id || !here || elsewhere || !h.seen_before(claim.opened)) return true;
    level::Claim left = claim;
    level::take_days(left, h.judged_so_far());
    return left.judged == claim.judged;
  });
  return all;
}

/// What results that are gone cannot deny: one that was seen and deleted counts as alike.
Result<bool> like(const Sources& sources, const level::OpenedHypothesis& h, const FamilySample& own,
                  std::span<const double> market) {
  const auto view = SweepView::open(sources, h.claim.sweep, Answers::Words);
  if (!view.ok() && view.error().code() == ErrorCode::NotFound) return true;
  if (!view.ok()) return view.error();
  const auto sample = read_sample(sources, *view, view->plan.segments()[h.claim.segment]);
  if (!sample.ok() && sample.error().code() == ErrorCode::NotFound) return true;
  if (!sample.ok()) return sample.error();
  return is_kin(*sample, own, market);
}

}  // namespace

Status settle_kin_days(const Sources& sources, const SweepView& view,
                       const sweeps::Segment& segment, FamilyScore& family) {
  WINNOW_REQUIRES(family.opened.has_value());
  level::OpenedHypothesis& h = *family.opened;
  const bool due =
      !h.kin && h.in_account.looks == 0 && h.in_account.state == level::HypothesisState::Open;
  if (!due || family.committed != family.trials) return {};
  const auto candidates = seen_earlier(sources, h.claim);
  if (!candidates.ok()) return candidates.error();
  std::vector<level::KinDays> kin;
  if (!candidates->empty()) {
    const auto own = read_sample(sources, view, segment);
    if (!own.ok()) return own.error().code() == ErrorCode::NotFound ? Status() : own.error();
    const auto market = read_market_returns(sources, view, segment, own->days.size());
    // Without the market nothing is judged yet, either.
    if (!market.ok())
      return market.error().code() == ErrorCode::NotFound ? Status() : market.error();
    for (const level::OpenedHypothesis& other : *candidates) {
      const auto alike = like(sources, other, *own, *market);
      if (!alike.ok()) return alike.error();
      if (*alike) kin.push_back({other.claim.id, other.judged_so_far()});
    }
  }
  if (sources.verdicts == nullptr) {
    for (const level::KinDays& k : kin) level::take_days(h.claim, k.days);
    h.kin = std::move(kin);
    return {};
  }
  auto documents = documents_of(sources);
  auto after = level::settle_kin(documents, h.account, h.claim.id, kin, system_clock().now());
  if (!after.ok()) return after.error();
  h = *std::move(after);
  return {};
}

}  // namespace winnow::serve
