#include "cli/data_seal.hpp"
#include "cluster/principal.hpp"

#include <algorithm>
#include <cstdio>
#include <memory>

#include "base/text.hpp"
#include "cli/catalog.hpp"
#include "cli/data_render.hpp"
#include "cli/read_file.hpp"
#include "cli/results.hpp"

namespace winnow::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMarketDigits = 12;

struct DayCount {
  std::int64_t all = 0, sealed = 0;
};

DayCount days_of(const store::Manifest& m, std::optional<std::int64_t> sealed_from) {
  const std::int64_t first = utc_day(m.first);
  const std::int64_t end = utc_day(m.last) + 1;
  DayCount out{end - first, 0};
  if (sealed_from) out.sealed = std::max<std::int64_t>(0, end - std::max(first, *sealed_from));
  return out;
}

Json day_or_null(std::optional<std::int64_t> day) {
  return day ? Json(store::day_text(*day)) : Json();
}

Json likeness_json(const std::optional<MarketLikeness>& like) {
  if (!like) return Json();
  return {{"by", likeness_name(like->by)},
          {"days", like->days},
          {"days_agreed", like->days_agreed},
          {"agreed_frac", like->days > 0 ? Json(like->agreed_frac()) : Json()},
          {"returns", like->steps},
          {"correlation", like->correlation ? Json(*like->correlation) : Json()},
          {"lag_hours", like->lag_hours},
          {"text", likeness_text(*like)}};
}

std::string seal_words(const store::Market& market) {
  if (!market.sealed_from_day) return "none";
  const store::SealEntry& seal = market.seal;
  return "the days from " + store::day_text(*market.sealed_from_day) + " on, put down " +
         format_timestamp(seal.at) + (seal.by.empty() ? "" : " by " + seal.by) +
         (seal.asked == "usual" ? ", as is usual"
          : seal.by.empty()     ? ", " + seal.asked  // a copy's, which nobody asked for here
                                : ", as asked (" + seal.asked + ")");
}

Json decisions_json(const store::Market& market) {
  Json out = Json::array();
  for (const store::MarketMember& m : market.members) {
    for (const store::SealEntry& seal : m.seals) {
      out.push_back({{"from", day_or_null(seal.from_day)},
                     {"asked", seal.asked},
                     {"by", seal.by},
                     {"at", format_timestamp(seal.at)},
                     {"data", m.name},
                     {"dataset_hash", m.content_hash}});
    }
  }
  return out;
}

/// What the store knows of the days of a market beside its imports' seals; null without a store.
Result<Json> days_json(const Context& context, const std::string& content_hash) {
  auto answer = answer_query(context, "days", {{"dataset_hash", content_hash}});
  if (!answer.ok() && answer.error().code() == ErrorCode::NotFound) return Json();
  return answer;
}

std::string ranges_text(const Json& ranges) {
  std::string out;
  for (const Json& r : ranges) {
    out += (out.empty() ? "" : " and ") + r[0].get<std::string>() +
           (r[1].is_null() ? " on" : " until " + r[1].get<std::string>());
  }
  return out;
}

/// Days that sweeps cut off as their holdout, and those that somebody saw.
void print_days(const Json& days) {
  if (!days.is_object()) return;
  Json holdouts = Json::array();
  for (const Json& r : days["sealed"]) {
    if (!r[1].is_null()) holdouts.push_back(r);
  }
  if (!holdouts.empty()) {
    std::printf("  nobody saw the days from %s, which a holdout or this seal keeps\n",
                ranges_text(holdouts).c_str());
  }
  if (!days["shown"].empty()) {
    std::printf("  shown: the days from %s, by %s\n", ranges_text(days["shown"]).c_str(),
                terminal_text(days["seen_by"].get<std::string>()).c_str());
  }
}

int run_seal_show(const Context& context, const std::string& name) {
  const auto datasets = open_datasets(context);
  if (!datasets.ok()) return fail(context, datasets.error());
  const auto manifest = datasets->manifest(name);
  if (!manifest.ok()) return fail(context, manifest.error());
  const auto book = store::MarketBook::read(*datasets);
  if (!book.ok()) return fail(context, book.error());
  const store::Market* market = book->of(manifest->content_hash);
  if (market == nullptr) {
    return fail(context, Error(ErrorCode::Corrupt, "dataset " + manifest->name +
                                                       " has no readable manifest of its own"));
  }
  const DayCount days = days_of(*manifest, market->sealed_from_day);
  const Json decisions = decisions_json(*market);
  const auto shown = days_json(context, manifest->content_hash);
  if (!shown.ok()) return fail(context, shown.error());
  if (context.json) {
    Json out{{"name", manifest->name}, {"dataset_hash", manifest->content_hash}};
    out.update(market_facts_json(*book, *manifest));
    out["decisions"] = decisions;
    out["days_known"] = *shown;
    print_document(out);
    return kDone;
  }
  std::printf("%s, market %s: %s\n", manifest->name.c_str(), short_market(market->id).c_str(),
              market->sealed_from_day ? "sealed" : "not sealed by its import");
  if (market->sealed_from_day) {
    std::printf("  %s (%lld of %lld days of this dataset, and all that are appended)\n",
                seal_words(*market).c_str(), static_cast<long long>(days.sealed),
                static_cast<long long>(days.all));
  } else if (std::any_of(market->members.begin(), market->members.end(),
                         [](const store::MarketMember& m) { return m.found; })) {
    std::printf("  it was here before seals were; what was here counts as shown\n");
  }
  for (const Json& d : decisions) {
    std::printf("  %s  %s: asked %s, sealed from %s (by importing %s)\n",
                d.at("at").get<std::string>().c_str(), d.at("by").get<std::string>().c_str(),
                d.at("asked").get<std::string>().c_str(),
                d.at("from").is_null() ? "nothing" : d.at("from").get<std::string>().c_str(),
                d.at("data").get<std::string>().c_str());
  }
  print_days(*shown);
  return kDone;
}

}  // namespace

std::string short_market(const std::string& id) { return id.substr(0, kMarketDigits); }

Json market_facts_json(const store::MarketBook& book, const store::Manifest& manifest) {
  const store::Market* market = book.of(manifest.content_hash);
  if (market == nullptr) return {{"market", manifest.content_hash}, {"sealed_from", Json()}};
  const DayCount days = days_of(manifest, market->sealed_from_day);
  return {{"market", market->id},
          {"market_datasets", market->members.size()},
          {"sealed_from", day_or_null(market->sealed_from_day)},
          {"days", days.all},
          {"days_sealed", days.sealed}};
}

void print_market(const store::MarketBook& book, const store::Manifest& manifest) {
  const store::Market* market = book.of(manifest.content_hash);
  if (market == nullptr) return;
  std::printf("  market         %s, %zu dataset%s\n", short_market(market->id).c_str(),
              market->members.size(), market->members.size() == 1 ? "" : "s");
  std::printf("  sealed         %s\n", seal_words(*market).c_str());
}

Result<Json> same_market_json(const store::DatasetStore& datasets, const store::MarketBook& book,
                              const store::Manifest& of) {
  Json out = Json::array();
  const store::Market* market = book.of(of.content_hash);
  if (market == nullptr) return out;
  const auto figures = store::likenesses(datasets, of.content_hash);
  if (!figures.ok()) return figures.error();
  for (const store::MarketMember& m : market->members) {
    const bool own_bars = m.content_hash == of.content_hash;
    std::optional<MarketLikeness> like;
    if (own_bars) like = MarketLikeness{.same = true, .by = LikenessBy::Bytes, .correlation = {}};
    for (const store::MemberLikeness& figure : *figures) {
      if (figure.content_hash == m.content_hash) like = figure.likeness;
    }
    if (std::find(m.names.begin(), m.names.end(), of.name) != m.names.end() && !own_bars) continue;
    std::vector<std::string> names = m.names;
    if (names.empty()) names.push_back(m.name);
    for (const std::string& name : names) {
      if (name == of.name && (own_bars || !m.gone)) continue;
      out.push_back({{"name", name},
                     {"dataset_hash", m.content_hash},
                     {"instrument", m.instrument},
                     {"interval", format_duration(m.interval)},
                     {"first", store::day_text(m.first_day)},
                     {"last", store::day_text(m.last_day)},
                     {"same_bars", own_bars},
                     {"gone", m.gone},
                     {"overlap", likeness_json(like)}});
    }
  }
  return out;
}

std::string seal_line(const store::PutOutcome& outcome, const store::SealRequest& request) {
  const store::MarketNote& note = outcome.market;
  const DayCount days = days_of(outcome.manifest, note.sealed_from_day);
  const std::string counted =
      std::to_string(days.sealed) + " of " + std::to_string(days.all) + " days";
  const std::string others =
      note.members.empty()
          ? ""
          : " (one market with " + note.members.front() +
                (note.members.size() == 1
                     ? ")"
                     : " and " + std::to_string(note.members.size() - 1) + " more)");
  if (note.sealed_now) {
    return "sealed: the days from " + store::day_text(*note.sealed_from_day) + " on, " + counted +
           ", are kept unseen to judge what you find on the days before; --seal chooses otherwise, "
           "when a market is first imported";
  }
  if (note.sealed_from_day) {
    return "sealed: the days from " + store::day_text(*note.sealed_from_day) + " on, " + counted +
           ", stay unseen, for this market was sealed before" + others;
  }
  if (request.rule == store::SealRule::Open)
    return "not sealed, as asked: every day may be looked at";
  if (note.known) return "not sealed: this market was here before without a seal" + others;
  return "not sealed: a history of " + std::to_string(store::kSealHistoryDaysMin) +
         " days or more would be, this one has " + std::to_string(days.all) +
         "; --seal keeps days unseen that are to judge what you find on the others";
}

Json market_note_json(const store::MarketNote& note) {
  return {{"id", note.id},
          {"known", note.known},
          {"also", note.members},
          {"sealed_from", day_or_null(note.sealed_from_day)},
          {"sealed_now", note.sealed_now}};
}

Result<store::SealRequest> seal_request(const std::string& text, store::SealRule otherwise) {
  store::SealRequest out{.rule = otherwise, .asked = {}, .by = {}};
  if (!text.empty()) {
    auto parsed = store::parse_seal(text);
    if (!parsed.ok()) return parsed.error().within("--seal");
    out = *std::move(parsed);
  }
  out.by = cluster::own_account().name;
  return out;
}

void add_seal_commands(Command& data, Context& context) {
  Command* seal = data.add_subcommand("seal", "days that are kept unseen until they judge");
  seal->require_subcommand();
  Command* command = add_command(*seal, context, "show",
                                 "which days of a dataset's market are sealed, by whom, and when");
  auto name = std::make_shared<std::string>();
  command->add_option("NAME", *name, "dataset name or content hash")->required();
  command->callback([&context, name] {
    context.run = [&context, name] { return run_seal_show(context, *name); };
  });
}

}  // namespace winnow::cli
