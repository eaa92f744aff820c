#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/check.hpp"
#include "base/names.hpp"
#include "sweeps/yaml/yaml_tree.hpp"

namespace winnow::sweeps::yaml {
namespace {

std::string join_path(std::string_view path, std::string_view key) {
  const std::string shown =
      key.size() > 60 ? std::string(key.substr(0, 60)) + "..." : std::string(key);
  return path.empty() ? shown : std::string(path) + "." + shown;
}

// All of `text` as a number; from_chars alone would take "12abc".
template <class T>
std::optional<T> parse_all(std::string_view text) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  T value{};
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool is_not_finite_word(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  std::string_view word = text;
  if (!word.empty() && (word[0] == '-' || word[0] == '+')) word.remove_prefix(1);
  if (!word.empty() && word[0] == '.') word.remove_prefix(1);
  return word == "nan" || word == "inf" || word == "infinity";
}

}  // namespace

void Cursor::refuse_at(Place place, std::string_view path, std::string_view why) const {
  std::string text(path);
  if (!text.empty()) text += ": ";
  throw Refusal{error_at(file_, place, text + std::string(why))};
}

std::string Cursor::shown() const {
  switch (node_->kind) {
    case Node::Kind::Null:
      return "nothing";
    case Node::Kind::Scalar:
      return show_text(node_->text);
    case Node::Kind::List:
      return "a list";
    case Node::Kind::Map:
      return "a map";
  }
  return "";
}

void Cursor::expect_map(std::string_view what, const std::vector<std::string>& allowed) const {
  if (!is(Node::Kind::Map)) refuse(shown() + " where " + std::string(what) + " belongs");
  for (const Key& key : node_->keys) {
    if (std::find(allowed.begin(), allowed.end(), key.text) != allowed.end()) continue;
    const Nearest nearest = nearest_name(key.text, allowed);
    const std::string why =
        nearest.wrong_unit ? "unknown key, perhaps in another unit; write '" + nearest.name + "'"
                           : "unknown key" + did_you_mean(key.text, allowed);
    refuse_at(key.place, join_path(path_, key.text), why + "; allowed: " + join_names(allowed));
  }
}

std::optional<Cursor> Cursor::find(std::string_view key) const {
  for (std::size_t i = 0; i < node_->keys.size(); ++i) {
    if (node_->keys[i].text == key) return Cursor(file_, node_->items[i], join_path(path_, key));
  }
  return std::nullopt;
}

Cursor Cursor::at(std::string_view key, std::string_view why) const {
  WINNOW_REQUIRES(is(Node::Kind::Map));
  if (auto found = find(key)) return *std::move(found);
  refuse_at(node_->place, join_path(path_, key), "is missing; " + std::string(why));
}

Place Cursor::key_place(std::string_view key) const {
  for (const Key& k : node_->keys) {
    if (k.text == key) return k.place;
  }
  return node_->place;
}

std::vector<Cursor> Cursor::list(std::string_view what) const {
  if (!is(Node::Kind::List)) refuse(shown() + " where " + std::string(what) + " belongs");
  std::vector<Cursor> out;
  out.reserve(node_->items.size());
  for (std::size_t i = 0; i < node_->items.size(); ++i) {
    out.emplace_back(file_, node_->items[i], path_ + "[" + std::to_string(i) + "]");
  }
  return out;
}

std::vector<Cursor> Cursor::values() const {
  std::vector<Cursor> out;
  for (std::size_t i = 0; i < node_->items.size(); ++i) {
    out.emplace_back(file_, node_->items[i], join_path(path_, node_->keys[i].text));
  }
  return out;
}

const std::string& Cursor::scalar(std::string_view what) const {
  if (!is(Node::Kind::Scalar)) refuse(shown() + " where " + std::string(what) + " belongs");
  return node_->text;
}

std::string Cursor::text(std::string_view what) const { return scalar(what); }

std::string Cursor::name(std::string_view what) const {
  const std::string& t = scalar(what);
  const auto alnum = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  const bool good =
      !t.empty() && t.size() <= 100 && alnum(t[0]) && std::all_of(t.begin(), t.end(), [&](char c) {
        return alnum(c) || c == '.' || c == '_' || c == '-';
      });
  if (!good) {
    refuse(shown() + " where " + std::string(what) +
           " belongs: 1 to 100 letters, digits, '.', '_' or '-', a letter or digit first");
  }
  return t;
}

double Cursor::number(std::string_view what) const {
  const std::string& t = scalar(what);
  if (node_->quoted) refuse(shown() + " is text in quotes where " + std::string(what) + " belongs");
  if (is_not_finite_word(t)) {
    refuse(shown() + " is not finite; " + std::string(what) + " belongs here");
  }
  const std::optional<double> value = parse_all<double>(t);
  if (!value || !std::isfinite(*value)) {
    refuse(shown() + " is not a number; " + std::string(what) + " belongs here");
  }
  return *value == 0 ? 0.0 : *value;
}

std::uint64_t Cursor::count(std::string_view what, std::uint64_t low, std::uint64_t high) const {
  const std::string& t = scalar(what);
  const std::optional<std::uint64_t> value = parse_all<std::uint64_t>(t);
  if (node_->quoted || !value || *value < low || *value > high) {
    refuse(shown() + " where " + std::string(what) + " belongs: a whole number from " +
           std::to_string(low) + " to " + std::to_string(high));
  }
  return *value;
}

std::int64_t Cursor::integer(std::string_view what, std::int64_t low, std::int64_t high) const {
  const std::string& t = scalar(what);
  const std::optional<std::int64_t> value = parse_all<std::int64_t>(t);
  if (node_->quoted || !value || *value < low || *value > high) {
    refuse(shown() + " where " + std::string(what) + " belongs: a whole number from " +
           std::to_string(low) + " to " + std::to_string(high));
  }
  return *value;
}

bool Cursor::boolean() const {
  const std::string& t = scalar("true or false");
  if (node_->quoted || (t != "true" && t != "false")) refuse(shown() + " is not true or false");
  return t == "true";
}

TimestampNs Cursor::time() const {
  const Result<TimestampNs> t = parse_timestamp(scalar("a UTC time such as 2023-01-01"));
  if (!t) refuse(shown() + " is not a UTC time; write 2023-01-01 or 2023-01-01T12:30:05Z");
  return *t;
}

DurationNs Cursor::duration() const {
  const Result<DurationNs> d = parse_duration(scalar("a duration such as 90d"));
  if (!d) {
    refuse(shown() +
           " is not a duration; write a whole number and one of w, d, h, m, s, ms, as in 90d");
  }
  return *d;
}

std::string Cursor::choice(const std::vector<std::string>& allowed) const {
  const std::string& t = scalar("one of " + join_names(allowed));
  if (std::find(allowed.begin(), allowed.end(), t) == allowed.end()) {
    refuse(shown() + " is unknown" + did_you_mean(t, allowed) +
           "; allowed: " + join_names(allowed));
  }
  return t;
}

}  // namespace winnow::sweeps::yaml
