#include <nlohmann/json.hpp>

#include "base/check.hpp"
#include "base/names.hpp"
#include "base/text.hpp"
#include "sweeps/spec_params.hpp"
#include "sweeps/validation_protocol.hpp"

namespace winnow::sweeps {
namespace {

using nlohmann::json;
using yaml::Cursor;

DurationNs positive(const Cursor& map, std::string_view key, std::string_view why) {
  const Cursor at = map.at(key, why);
  const DurationNs d = at.duration();
  if (d.ns <= 0) at.refuse(at.shown() + " is not above 0");
  return d;
}

DurationNs optional_duration(const Cursor& map, std::string_view key) {
  const auto at = map.find(key);
  return at ? at->duration() : DurationNs{0};
}

/// Above 0 and whole days: that is what results are kept by.
DurationNs whole_days(const Cursor& map, std::string_view key, std::string_view why) {
  const DurationNs d = positive(map, key, why);
  if (d.ns % days(1).ns != 0) {
    map.at(key, why).refuse(format_duration(d) +
                            " is not a whole number of days; returns are kept by UTC day");
  }
  return d;
}

json walk_forward(const Cursor& at, DurationNs window) {
  at.expect_map("a validation protocol",
                {"protocol", "train", "test", "step", "embargo", "purge", "anchored"});
  const DurationNs train = whole_days(at, "train", "walk_forward needs a duration such as 90d");
  const DurationNs test = whole_days(at, "test", "walk_forward needs a duration such as 30d");
  DurationNs step = test;
  if (at.find("step")) step = whole_days(at, "step", "");
  if (step < test) {
    at.find("step")->refuse(format_duration(step) + " is shorter than test, " +
                            format_duration(test) + ": test windows would overlap");
  }
  const DurationNs embargo = optional_duration(at, "embargo");
  const DurationNs purge = optional_duration(at, "purge");
  const auto anchored = at.find("anchored");
  // Subtract rather than add: each is below 2^63, their sum may not be.
  const DurationNs room = window - train - test;
  if (train >= window || test >= window || room.ns < 0 || embargo > room ||
      purge > room - embargo) {
    at.refuse("train " + format_duration(train) + ", test " + format_duration(test) + ", embargo " +
              format_duration(embargo) + " and purge " + format_duration(purge) +
              " do not fit once into the window of " + format_duration(window));
  }
  return {{"protocol", "walk_forward"},
          {"train_ns", train.ns},
          {"test_ns", test.ns},
          {"step_ns", step.ns},
          {"embargo_ns", embargo.ns},
          {"purge_ns", purge.ns},
          {"anchored", anchored && anchored->boolean()}};
}

// What each of `parts` equal parts of the window must hold beside embargo and purge: something.
void check_parts(const Cursor& at, DurationNs window, std::uint64_t parts, const json& out) {
  const std::int64_t part_ns = window.ns / static_cast<std::int64_t>(parts);
  const std::int64_t embargo_ns = out.at("embargo_ns");
  const std::int64_t purge_ns = out.at("purge_ns");
  if (embargo_ns >= part_ns || purge_ns >= part_ns - embargo_ns) {
    at.refuse("embargo and purge leave nothing of a part of " + format_duration({part_ns}) +
              " (the window of " + format_duration(window) + " in " + std::to_string(parts) + ")");
  }
}

json kfold(const Cursor& at, DurationNs window) {
  at.expect_map("a validation protocol", {"protocol", "folds", "embargo", "purge"});
  const std::uint64_t folds =
      at.at("folds", "kfold needs a whole number from 2 to 100").count("a number of folds", 2, 100);
  json out = {{"protocol", "kfold"},
              {"folds", folds},
              {"embargo_ns", optional_duration(at, "embargo").ns},
              {"purge_ns", optional_duration(at, "purge").ns}};
  check_parts(at, window, folds, out);
  return out;
}

json cpcv(const Cursor& at, DurationNs window) {
  at.expect_map("a validation protocol", {"protocol", "groups", "test_groups", "embargo", "purge"});
  const std::uint64_t groups =
      at.at("groups", "cpcv needs a whole number from 3 to 30").count("a number of groups", 3, 30);
  const std::uint64_t test_groups =
      at.at("test_groups", "cpcv needs a whole number from 1 to groups - 1")
          .count("a number of test groups", 1, groups - 1);
  json out = {{"protocol", "cpcv"},
              {"groups", groups},
              {"test_groups", test_groups},
              {"embargo_ns", optional_duration(at, "embargo").ns},
              {"purge_ns", optional_duration(at, "purge").ns}};
  check_parts(at, window, groups, out);
  return out;
}

json nested(const Cursor& at, DurationNs window) {
  at.expect_map("a validation protocol",
                {"protocol", "outer_folds", "inner_folds", "embargo", "purge"});
  const auto folds = [&](const char* key) {
    const std::string why = "nested needs a whole number from 2 to 20";
    return at.at(key, why).count("a number of folds", 2, 20);
  };
  json out = {{"protocol", "nested"},
              {"outer_folds", folds("outer_folds")},
              {"inner_folds", folds("inner_folds")},
              {"embargo_ns", optional_duration(at, "embargo").ns},
              {"purge_ns", optional_duration(at, "purge").ns}};
  check_parts(at, window, out["outer_folds"], out);
  return out;
}

json read_protocol(const Cursor& at, DurationNs window) {
  const std::vector<std::string> names{"walk_forward", "kfold", "cpcv", "nested"};
  const std::string protocol = at.at("protocol", "one of " + join_names(names)).choice(names);
  if (protocol == "walk_forward") return walk_forward(at, window);
  if (protocol == "kfold") return kfold(at, window);
  return protocol == "cpcv" ? cpcv(at, window) : nested(at, window);
}

}  // namespace

std::string read_validation(const Cursor& at, const ResolvedSpec& spec) {
  WINNOW_REQUIRES(!spec.data.empty());
  if (!at.is(yaml::Node::Kind::Map)) {
    at.refuse(at.shown() +
              " where a protocol belongs, as in {protocol: walk_forward, train: 90d, "
              "test: 30d}");
  }
  std::string out = json_text(read_protocol(at, spec.to - spec.from));
  const auto protocol = declared_validation(out);
  if (!protocol.ok()) at.refuse(protocol.error().text());
  for (const DatasetInfo& d : spec.data) {
    const auto folds = plan_folds(*protocol, window_days(spec, d));
    if (!folds.ok()) at.refuse("on '" + d.name + "' " + folds.error().text());
  }
  return out;
}

}  // namespace winnow::sweeps
