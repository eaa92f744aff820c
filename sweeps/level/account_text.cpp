#include "sweeps/level/account_text.hpp"

#include "base/text.hpp"

namespace winnow::sweeps::level {
namespace {

using Json = nlohmann::ordered_json;

Json parameters_json(const AccountParameters& p) {
  return {{"alpha", p.alpha},
          {"openings", p.openings},
          {"level_max", p.level_max},
          {"level_min", p.level_min},
          {"share_max", p.share_max}};
}

AccountParameters parameters_from(const Json& json) {
  AccountParameters p;
  json.at("alpha").get_to(p.alpha);
  json.at("openings").get_to(p.openings);
  json.at("level_max").get_to(p.level_max);
  json.at("level_min").get_to(p.level_min);
  json.at("share_max").get_to(p.share_max);
  return p;
}

}  // namespace

Error corrupt_account(const std::string& key, const std::string& why) {
  return Error(ErrorCode::Corrupt, "the record of account " + key + ": " + why);
}

Result<AccountText> AccountText::read(const std::string& key,
                                      const std::optional<std::string>& text) {
  AccountText out;
  out.state_.key = key;
  if (!text) {
    out.json_ = {{"parameters", parameters_json({})}, {"users", Json::array()}};
    out.json_["events"] = Json::array();
    return out;
  }
  out.json_ = parse_ordered_json(*text);
  if (!out.json_.is_object()) return corrupt_account(key, "no JSON object");
  try {
    const AccountParameters parameters = parameters_from(out.json_.at("parameters"));
    WINNOW_TRY(check_account(parameters));
    out.state_.account = Account(parameters);
    for (const Json& event : out.json_.at("events")) WINNOW_TRY(out.apply(event));
  } catch (const Json::exception& e) {
    return corrupt_account(key, e.what());
  }
  return out;
}

Status AccountText::add(Json event) {
  WINNOW_TRY(apply(event));
  json_["events"].push_back(std::move(event));
  return {};
}
std::string AccountText::text() const { return json_text(json_); }

void AccountText::declare(const AccountParameters& p, const std::vector<std::string>& users) {
  json_["parameters"] = parameters_json(p);
  json_["users"] = users;
  state_.account = Account(p);
}

OpenedHypothesis* AccountText::find_own(const std::string& id) {
  for (OpenedHypothesis& h : state_.hypotheses) {
    if (h.claim.id == id) return &h;
  }
  return nullptr;
}

void AccountText::follow(OpenedHypothesis& h) { h.in_account = *state_.account.find(h.claim.id); }

Status AccountText::apply(const Json& event) {
  if (event.contains("open")) return apply_open(event);
  for (const char* name : {"look", "kin", "reveal", "void"}) {
    if (!event.contains(name)) continue;
    OpenedHypothesis* h = find_own(event.at(name).get<std::string>());
    if (h == nullptr) return corrupt_account(state_.key, "an event of an unknown hypothesis");
    if (name == std::string_view("look")) return apply_look(event, *h);
    if (name == std::string_view("kin")) return apply_kin(event, *h);
    if (name == std::string_view("reveal")) {
      event.at("user").get_to(h->revealed_by);
      event.at("time_ns").get_to(h->revealed.ns);
      return {};
    }
    WINNOW_TRY(state_.account.void_promotion(h->claim.id));
    event.at("reason").get_to(h->void_reason);
    follow(*h);
    return {};
  }
  return corrupt_account(state_.key, "an unknown event");
}

Status AccountText::apply_open(const Json& event) {
  auto claim = claim_from_json(event.at("open"));
  if (!claim) return claim.error();
  Opening opening{.id = claim->id, .weights = {}, .share = claim->share, .related = {}};
  for (const LookDay& look : claim->looks) opening.weights.push_back(look.weight);
  event.at("related").get_to(opening.related);
  const auto opened = state_.account.open(opening);
  if (!opened) return opened.error();
  OpenedHypothesis h;
  h.claim = *std::move(claim);
  h.account = state_.key;
  state_.hypotheses.push_back(std::move(h));
  follow(state_.hypotheses.back());
  return {};
}

Status AccountText::apply_look(const Json& event, OpenedHypothesis& h) {
  LookRecord look;
  event.at("number").get_to(look.number);
  event.at("judged_days").get_to(look.judged_days);
  event.at("p").get_to(look.p);
  event.at("gates").get_to(look.gates);
  event.at("time_ns").get_to(look.time.ns);
  look.to_day = event.value("to_day", std::int64_t{0});
  if (look.number <= h.in_account.looks || look.number > h.claim.looks.size()) {
    return corrupt_account(state_.key, "looks out of order");
  }
  // Looks that were missed are lost.
  while (h.in_account.looks + 1 < look.number) {
    const auto lost = state_.account.look(h.claim.id, 1);
    if (!lost) return lost.error();
    follow(h);
  }
  const auto decided = state_.account.look(h.claim.id, look.gates ? look.p : 1);
  if (!decided) return decided.error();
  follow(h);
  look.bound = h.in_account.bound;
  h.looks.push_back(look);
  return {};
}

Status AccountText::apply_kin(const Json& event, OpenedHypothesis& h) {
  h.kin.emplace();
  for (const Json& of : event.at("of")) {
    h.kin->push_back({of.at("id"), day_ranges_from(of.at("days"))});
    take_days(h.claim, h.kin->back().days);
  }
  return {};
}

}  // namespace winnow::sweeps::level
