#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "serve/answer/json.hpp"

namespace winnow::serve {

// An answer is a struct that names its fields once, with unit and help, in a member
//   void fields(Fields& f) const;
// JSON and the reference of answers (docs/ANSWERS.md) are made of that, and of nothing else.

/// What is declared of a field.
struct Field {
  std::string_view name;
  std::string_view unit;  ///< empty: a name, or a plain number
  std::string_view help;  ///< one sentence without its full stop
};

/// What a field's value is.
enum class FieldKind : std::uint8_t { Text, Flag, Count, Number, Any };

/// When a field is not there, or has no value.
struct FieldPresence {
  bool may_be_left_out = false;
  bool may_be_null = false;
  bool is_list = false;
};

class Fields;

template <class T>
concept Described = requires(const T& t, Fields& f) {
  t.fields(f);
};

/// Purpose: whoever wants to know the fields of an answer, with their values or without. Thread:
/// one.
class Fields {
 public:
  virtual ~Fields() = default;

  /// A field that is always there; an empty optional, and a number that is not finite, is null.
  template <class T>
  void operator()(const Field& field, const T& value) {
    say(field, value, {}, true);
  }
  /// A field that is left out where there is nothing to say: an empty optional, text or list.
  template <class T>
  void if_any(const Field& field, const std::optional<T>& value) {
    say(field, value.value_or(T{}), {.may_be_left_out = true}, value.has_value());
  }
  template <class T>
  void if_any(const Field& field, const T& value) {
    say(field, value, {.may_be_left_out = true}, !value.empty());
  }
  /// All fields of another answer, as if they were declared here.
  template <Described T>
  void all_of(const T& other) {
    other.fields(*this);
  }

 protected:
  using Describe = std::function<void(Fields&)>;
  using DescribeItem = std::function<void(std::size_t item, Fields&)>;

  /// `value`: an array where `presence` says list. `there`: it has such a field.
  virtual void scalar(const Field& field, FieldKind kind, FieldPresence presence, bool there,
                      Json value) = 0;
  /// `describe` names the fields of the object, of an empty one if there is none. `is_null`: it has
  /// the field, and nothing in it.
  virtual void object(const Field& field, FieldPresence presence, bool there, bool is_null,
                      const Describe& describe) = 0;
  /// `describe(item, fields)`: of each of `count` items; of an empty one for item `count`.
  virtual void objects(const Field& field, FieldPresence presence, bool there, bool is_null,
                       std::size_t count, const DescribeItem& describe) = 0;

 private:
  template <class T>
  static constexpr FieldKind kind_of() {
    if constexpr (std::same_as<T, bool>) {
      return FieldKind::Flag;
    } else if constexpr (std::integral<T>) {
      return FieldKind::Count;
    } else if constexpr (std::floating_point<T>) {
      return FieldKind::Number;
    } else if constexpr (std::same_as<T, Json>) {
      return FieldKind::Any;
    } else {
      static_assert(std::convertible_to<T, std::string_view>, "a field of no known kind");
      return FieldKind::Text;
    }
  }
  template <class T>
  static Json json_of(const T& value) {
    if constexpr (std::floating_point<T>) {
      return number_json(value);
    } else if constexpr (std::convertible_to<T, std::string_view>) {
      return std::string(std::string_view(value));
    } else {
      return value;
    }
  }

  template <class T>
  void say(const Field& field, const T& value, FieldPresence presence, bool there) {
    presence.may_be_null = presence.may_be_null || std::floating_point<T>;
    if constexpr (Described<T>) {
      object(field, presence, there, false, [&](Fields& f) { value.fields(f); });
    } else {
      scalar(field, kind_of<T>(), presence, there, json_of(value));
    }
  }
  template <class T>
  void say(const Field& field, const std::optional<T>& value, FieldPresence presence, bool there) {
    presence.may_be_null = true;
    if constexpr (Described<T>) {
      object(field, presence, there, !value, [&](Fields& f) { value.value_or(T{}).fields(f); });
    } else {
      scalar(field, kind_of<T>(), presence, there, value ? json_of(*value) : Json());
    }
  }
  template <class T>
  void say(const Field& field, const std::optional<std::vector<T>>& value, FieldPresence presence,
           bool there) {
    presence.may_be_null = true;
    say_items(field, value.value_or(std::vector<T>{}), presence, there, !value);
  }
  template <class T>
  void say(const Field& field, const std::vector<T>& value, FieldPresence presence, bool there) {
    say_items(field, value, presence, there, false);
  }
  template <class T>
  void say_items(const Field& field, const std::vector<T>& value, FieldPresence presence,
                 bool there, bool is_null) {
    presence.is_list = true;
    if constexpr (Described<T>) {
      objects(field, presence, there, is_null, value.size(), [&](std::size_t item, Fields& f) {
        if (item < value.size()) {
          value[item].fields(f);
        } else {
          T{}.fields(f);
        }
      });
    } else {
      Json array = Json::array();
      for (const auto& v : value) array.push_back(json_of(v));
      scalar(field, kind_of<T>(), presence, there, is_null ? Json() : std::move(array));
    }
  }
};

/// An answer as JSON, fields in the order in which they are declared.
Json json_of_fields(const std::function<void(Fields&)>& describe);
template <Described T>
Json to_json(const T& answer) {
  return json_of_fields([&](Fields& f) { answer.fields(f); });
}

/// The fields of an answer as rows of a Markdown table: name (with that of what it lies in, `[]`
/// for each of a list), what it is, unit, when it is missing, help.
std::string reference_of_fields(const std::function<void(Fields&)>& describe);

}  // namespace winnow::serve
