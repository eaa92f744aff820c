#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"

namespace winnow::sweeps::yaml {

/// Where something stands in a file; both count from 1, columns in characters.
struct Place {
  std::size_t line = 1;
  std::size_t column = 1;
};

struct Key {
  std::string text;
  Place place;
};

/// Purpose: one YAML value with its place. Of a Map, keys[i] belongs to items[i].
struct Node {
  enum class Kind { Null, Scalar, List, Map };
  Kind kind = Kind::Null;
  Place place;
  std::string text;     ///< Scalar
  bool quoted = false;  ///< Scalar in quotes or a block: text, never a number
  std::vector<Key> keys;
  std::vector<Node> items;
};

// What a specification can need at most; beyond that a file is a mistake or an attack.
inline constexpr std::size_t kFileBytesMax = std::size_t{1} << 20;
inline constexpr std::size_t kDepthMax = 16;
inline constexpr std::size_t kNodesMax = 100'000;

/// Reads one YAML document of plain maps, lists and scalars. Anchors, aliases, custom tags, tabs in
/// the indentation, a second document, duplicate keys, bytes that are not UTF-8 text and anything
/// beyond the limits are refused.
/// Fails: InvalidInput, `file:line:column: ...`, one error, the first.
Result<Node> load(std::string_view text, std::string_view file_name);

/// Thrown inside this room by Cursor, and caught by every public function that uses one: a reader
/// of configuration has a hundred places to fail and one thing to do about it.
struct Refusal {
  Error error;
};

/// Purpose: a node with its key path, read as the type it ought to be. Every reader throws Refusal
/// naming file, place, path, value and what is allowed.
/// Owner: the caller keeps file name and node alive. Thread: one.
class Cursor {
 public:
  Cursor(std::string_view file, const Node& node, std::string path)
      : file_(file), node_(&node), path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  const Node& node() const { return *node_; }
  bool is(Node::Kind kind) const { return node_->kind == kind; }

  [[noreturn]] void refuse(std::string_view why) const { refuse_at(node_->place, path_, why); }
  [[noreturn]] void refuse_at(Place place, std::string_view path, std::string_view why) const;

  /// Requires a map (`what` describes one, as in "a map such as {from: 2023-01-01}") whose keys are
  /// all among `allowed`.
  void expect_map(std::string_view what, const std::vector<std::string>& allowed) const;
  std::optional<Cursor> find(std::string_view key) const;
  /// Requires: is(Map). Refuses with `why` if the key is missing.
  Cursor at(std::string_view key, std::string_view why) const;
  /// The place of a key; of the map where it has none of that name.
  Place key_place(std::string_view key) const;

  /// Entries of a list; `what` describes the list.
  std::vector<Cursor> list(std::string_view what) const;
  /// Entries of a map.
  std::vector<Cursor> values() const;

  std::string text(std::string_view what) const;
  /// A name: letters, digits, `.`, `_`, `-`; starts with a letter or digit; at most 100 characters.
  std::string name(std::string_view what) const;
  double number(std::string_view what) const;  ///< finite
  std::uint64_t count(std::string_view what, std::uint64_t low, std::uint64_t high) const;
  std::int64_t integer(std::string_view what, std::int64_t low, std::int64_t high) const;
  bool boolean() const;
  TimestampNs time() const;
  DurationNs duration() const;
  /// One of `allowed`.
  std::string choice(const std::vector<std::string>& allowed) const;

  /// What stands here, for messages.
  std::string shown() const;

 private:
  const std::string& scalar(std::string_view what) const;

  std::string_view file_;
  const Node* node_;
  std::string path_;
};

/// `file:line:column: ` and the text.
Error error_at(std::string_view file, Place place, std::string_view text);

}  // namespace winnow::sweeps::yaml
