#include "serve/looks.hpp"

#include <algorithm>
#include <mutex>
#include <span>

#include "base/hash.hpp"
#include "base/text.hpp"
#include "serve/period_days.hpp"
#include "sweeps/convergence_declared.hpp"

namespace winnow::serve {
namespace {

constexpr const char* kLookDocument = "look";

/// Guards the looks of a process's store from the reading of those that were taken to the writing
/// of one more: two answers at once must not both find a look free. Held over small records.
std::mutex& look_taking() {
  static std::mutex mutex;
  return mutex;
}

/// What a look is a look at: a family on a market, with the days it covers and the box of its
/// parameters. A hypothesis that shares a market, a family, days and a part of the box is the same
/// one: calling the dataset otherwise, importing it in another form, adding a value to a range or
/// changing the fees does not make days unseen.
struct Looked {
  struct Span {
    std::string parameter;
    double low = 0, high = 0;
  };
  std::string market, family;
  std::int64_t from_day = 0, to_day = 0;  ///< [from, to), from 1970
  std::vector<Span> box;

  /// Days count as the same where more than a fifth of the shorter stretch is common.
  bool same(const Looked& other) const {
    if (market != other.market || family != other.family) return false;
    const std::int64_t common = std::min(to_day, other.to_day) - std::max(from_day, other.from_day);
    const std::int64_t shorter = std::min(to_day - from_day, other.to_day - other.from_day);
    if (common * 5 <= shorter) return false;
    for (const Span& mine : box) {
      for (const Span& theirs : other.box) {
        const bool apart = mine.high < theirs.low || theirs.high < mine.low;
        if (mine.parameter == theirs.parameter && apart) return false;
      }
    }
    return true;
  }
};

Looked::Span span_of(const sweeps::ParamSpace& space) {
  Looked::Span out{space.name, space.low, space.high};
  if (!space.values.empty()) {
    const auto [low, high] = std::minmax_element(space.values.begin(), space.values.end());
    out.low = *low;
    out.high = *high;
  }
  return out;
}

/// The hypothesis of a segment over its first `periods` days, and those days.
Result<Looked> looked_by(const Sources& sources, const SweepView& view,
                         const sweeps::Segment& segment, std::span<const std::int64_t> days) {
  const auto book = market_book(sources);
  if (!book.ok()) return book.error();
  Looked out{.market = (*book)->id_of(view.dataset(segment).content_hash),
             .family = view.family(segment),
             .box = {}};
  if (!days.empty()) {
    out.from_day = days.front();
    out.to_day = days.back() + 1;
  }
  for (const auto& space : view.plan.spec().strategies[segment.strategy].params) {
    out.box.push_back(span_of(space));
  }
  return out;
}

std::string hypothesis_key(const Looked& looked, std::string_view sweep) {
  KeyHasher hasher("look-2");
  hasher.add(looked.market).add(looked.family).add(looked.from_day).add(sweep);
  for (const Looked::Span& span : looked.box) {
    hasher.add(span.parameter).add(span.low).add(span.high);
  }
  return hasher.finish().hex();
}

std::string document_key(const std::string& hypothesis, std::size_t look) {
  return hypothesis + "/" + std::to_string(look);
}

struct Record {
  std::string plan;
  std::uint64_t look = 0;
  std::uint64_t periods = 0;
  std::string sweep;
  Looked looked;
};

/// What a record without a hypothesis was about: the segment of its sweep that has its key. Nothing
/// if the sweep cannot be planned again.
Result<std::optional<Looked>> looked_then(const Sources& sources, const Record& record,
                                          std::string_view hypothesis) {
  const auto view = SweepView::open(sources, record.sweep);
  if (!view.ok()) return std::optional<Looked>();
  for (const sweeps::Segment& segment : view->plan.segments()) {
    if (look_key_by_name(*view, segment) != hypothesis) continue;
    auto days = period_days(sources, *view, segment, segment.periods).days;
    days.resize(std::min<std::size_t>(days.size(), record.periods));
    auto looked = looked_by(sources, *view, segment, days);
    if (!looked.ok()) return looked.error();
    return std::optional<Looked>(*std::move(looked));
  }
  return std::optional<Looked>();
}

Result<std::optional<Record>> read_record(const Sources& sources, const std::string& key) {
  const auto text = sources.store->document(kLookDocument, key);
  if (!text.ok()) return text.error();
  if (!*text) return std::optional<Record>();
  const Json json = parse_ordered_json(**text);
  Record out;
  try {
    json.at("plan").get_to(out.plan);
    json.at("look").get_to(out.look);
    json.at("periods").get_to(out.periods);
    json.at("sweep").get_to(out.sweep);
    const auto hypothesis = json.find("hypothesis");
    if (hypothesis == json.end()) {
      auto then = looked_then(sources, out, key.substr(0, key.find('/')));
      if (!then.ok()) return then.error();
      if (!*then) return std::optional<Record>();
      out.looked = **std::move(then);
      return std::optional<Record>(std::move(out));
    }
    hypothesis->at("market").get_to(out.looked.market);
    hypothesis->at("family").get_to(out.looked.family);
    hypothesis->at("from_day").get_to(out.looked.from_day);
    hypothesis->at("to_day").get_to(out.looked.to_day);
    for (const Json& span : hypothesis->at("box")) {
      out.looked.box.push_back({span.at(0).get<std::string>(), span.at(1), span.at(2)});
    }
  } catch (const Json::exception&) {
    return Error(ErrorCode::Corrupt,
                 "the record of the look " + key + " cannot be read: " + **text);
  }
  // Since then its market may have turned out to be part of an older one.
  const auto book = market_book(sources);
  if (!book.ok()) return book.error();
  out.looked.market = (*book)->id_of(out.looked.market);
  return std::optional<Record>(std::move(out));
}

Json looked_json(const Looked& looked) {
  Json box = Json::array();
  for (const Looked::Span& span : looked.box) {
    box.push_back({span.parameter, span.low, span.high});
  }
  return {{"market", looked.market},
          {"family", looked.family},
          {"from_day", looked.from_day},
          {"to_day", looked.to_day},
          {"box", std::move(box)}};
}

/// The looks that were taken at what is looked at now, whatever it is called.
Result<std::vector<Record>> earlier_looks(const Sources& sources, const Looked& now) {
  const auto keys = sources.store->document_keys(kLookDocument);
  if (!keys.ok()) return keys.error();
  std::vector<Record> out;
  for (const std::string& key : *keys) {
    auto record = read_record(sources, key);
    if (!record.ok()) return record.error();
    if (*record && (*record)->looked.same(now)) out.push_back(**std::move(record));
  }
  std::stable_sort(out.begin(), out.end(), [](const Record& a, const Record& b) {
    return a.looked.to_day < b.looked.to_day;
  });
  return out;
}

/// A look that was taken is judged by the days it was taken with.
void follow(const Record& record, std::span<const std::int64_t> days, Look& look) {
  look.recorded = true;
  look.sweep = record.sweep;
  look.periods = static_cast<std::uint64_t>(
      std::lower_bound(days.begin(), days.end(), record.looked.to_day) - days.begin());
  if (days.empty() || days.back() + 1 < record.looked.to_day) {
    look.periods = 0;
    look.refusal = "look " + std::to_string(look.number) + " was taken by sweep " + record.sweep +
                   " with " + std::to_string(record.periods) + " days; this sweep has " +
                   std::to_string(days.size());
  }
}

Status record_look(const Sources& sources, const Looked& looked, Look& look,
                   std::uint64_t periods) {
  const Json json{{"plan", sweeps::look_plan_name(look.plan)},
                  {"look", look.number},
                  {"periods", periods},
                  {"sweep", look.sweep},
                  {"hypothesis", looked_json(looked)}};
  const std::string key = document_key(hypothesis_key(looked, look.sweep), look.number);
  WINNOW_TRY(sources.verdicts->put_document(kLookDocument, key, json_text(json)));
  look.recorded = true;
  return {};
}

}  // namespace

std::string look_key_by_name(const SweepView& view, const sweeps::Segment& segment) {
  // As the ledger knows it: a look that was taken stays taken under a newer engine version.
  sweeps::ResolvedSpec spec = sweeps::ledger_form(view.plan.spec());
  const sweeps::DatasetInfo& data = spec.data[segment.dataset];
  KeyHasher hasher("look-1");
  hasher.add(data.name).add(data.instrument).add(data.interval.ns);
  hasher.add(std::max(spec.from, data.first).ns);
  hasher.add(view.plan.execution(segment).ledger_key());
  const engine::FamilyDecl& family = view.plan.family(segment);
  hasher.add(family.name).add(std::uint64_t{family.code_version});
  spec.name.clear();
  spec.strategies = {spec.strategies[segment.strategy]};
  spec.data.clear();
  spec.execution_by_data.clear();
  spec.from = spec.to = {};
  spec.holdout = {};
  spec.priority = 0;
  spec.weight = 1;
  spec.trials_max = 0;
  spec.cpu_hours_max = 0;
  spec.convergence_json.clear();
  hasher.add(spec.to_json());
  return hasher.finish().hex();
}

Result<std::optional<Look>> take_look(const Sources& sources, const SweepView& view,
                                      const sweeps::Segment& segment, std::uint64_t periods,
                                      FamilyState state) {
  const auto declared = sweeps::declared_convergence(view.plan.spec().convergence_json);
  if (!declared.ok()) return declared.error();
  if (declared->looks == sweeps::LookPlan::OneLook) return std::optional<Look>();
  Look look{.plan = declared->looks, .number = sweeps::due_look(periods)};
  if (look.number == 0) return std::optional<Look>(std::move(look));
  const auto days = period_days(sources, view, segment, static_cast<std::uint32_t>(periods)).days;
  const auto looked = looked_by(sources, view, segment, days);
  if (!looked.ok()) return looked.error();
  const std::lock_guard taking(look_taking());
  const auto earlier = earlier_looks(sources, *looked);
  if (!earlier.ok()) return earlier.error();
  for (const Record& record : *earlier) {
    if (record.plan != sweeps::look_plan_name(look.plan)) {
      look.refusal = "sweep " + record.sweep +
                     " looked at this hypothesis under looks: " + record.plan +
                     "; the plan cannot be changed after a look";
      return std::optional<Look>(std::move(look));
    }
    // Of several the first that was due: nothing was known of later days then.
    if (record.look == look.number && !look.recorded) follow(record, days, look);
  }
  if (look.recorded || !look.refusal.empty()) return std::optional<Look>(std::move(look));
  look.periods = periods;
  look.sweep = view.meta.id;
  look.recordable = state == FamilyState::Complete;
  if (look.recordable && sources.verdicts != nullptr) {
    WINNOW_TRY(record_look(sources, *looked, look, periods));
  }
  return std::optional<Look>(std::move(look));
}

void apply_look(const Look& look, sweeps::Convergence& score) {
  if (!look.refusal.empty()) {
    score.reasons.push_back("look: " + look.refusal);
  } else if (look.number > 0 && !look.recorded) {
    score.reasons.push_back("look: it is not on record yet, so it cannot count");
  } else {
    return;
  }
  if (score.verdict == sweeps::Verdict::Converged) score.verdict = sweeps::Verdict::Insufficient;
}

Json look_json(const Look& look) {
  Json out;
  out["plan"] = sweeps::look_plan_name(look.plan);
  out["number"] = look.number;
  out["of"] = sweeps::kLooks;
  out["days_needed"] = look.number > 0 ? Json(sweeps::look_days(look.number)) : Json();
  out["days_scored"] = look.periods > 0 ? Json(look.periods) : Json();
  out["next_days_needed"] =
      look.number < sweeps::kLooks ? Json(sweeps::look_days(look.number + 1)) : Json();
  out["sweep"] = look.sweep.empty() ? Json() : Json(look.sweep);
  out["recorded"] = look.recorded;
  out["recordable"] = look.recordable;
  return out;
}

}  // namespace winnow::serve
