#include "sweeps/yaml/yaml_tree.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <sstream>
#include <unordered_map>

#include "base/names.hpp"

namespace winnow::sweeps::yaml {
namespace {

Place place_of(const YAML::Mark& mark) {
  if (mark.is_null()) return {};
  return {static_cast<std::size_t>(mark.line) + 1, static_cast<std::size_t>(mark.column) + 1};
}

Node node_of(Node::Kind kind, Place place) {
  Node node;
  node.kind = kind;
  node.place = place;
  return node;
}

// Purpose: turns the parser's events into a tree, so that places are exact and nothing that could
// grow (aliases) or surprise (tags, duplicate keys) passes.
class Builder final : public YAML::EventHandler {
 public:
  explicit Builder(std::string_view file) : file_(file) {}

  bool has_document() const { return documents_ > 0; }
  Node take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) {
      stop(place_of(mark), "a second YAML document starts here; one file holds one document");
    }
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(node_of(Node::Kind::Null, check(mark, "", anchor)), true);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    stop(place_of(mark), "aliases (*name) are not allowed; write the value out");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Node node = node_of(Node::Kind::Scalar, check(mark, tag, anchor));
    node.text = value;
    node.quoted = tag == "!";
    add(std::move(node), true);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(node_of(Node::Kind::List, check(mark, tag, anchor)));
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(node_of(Node::Kind::Map, check(mark, tag, anchor)));
  }
  void OnMapEnd() override { close(); }

 private:
  struct Frame {
    Node node;
    bool has_key = false;
    std::unordered_map<std::string, Place> seen;
  };

  [[noreturn]] void stop(Place place, std::string_view why) const {
    throw Refusal{error_at(file_, place, why)};
  }

  Place check(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    const Place place = place_of(mark);
    if (anchor != 0) stop(place, "anchors (&name) are not allowed; write the value out");
    if (!tag.empty() && tag != "?" && tag != "!") {
      stop(place, "the tag " + show_text(tag) + " is not allowed; write plain values");
    }
    if (++nodes_ > kNodesMax) {
      stop(place, "more than " + std::to_string(kNodesMax) + " values in one file");
    }
    return place;
  }

  bool wants_key() const {
    return !stack_.empty() && stack_.back().node.kind == Node::Kind::Map && !stack_.back().has_key;
  }

  void add_key(Node&& node) {
    Frame& frame = stack_.back();
    if (node.kind != Node::Kind::Scalar || node.text.empty()) {
      stop(node.place, "a key must be a plain name");
    }
    const auto [it, fresh] = frame.seen.emplace(node.text, node.place);
    if (!fresh) {
      stop(node.place, "the key " + show_text(node.text) + " stands twice; first at line " +
                           std::to_string(it->second.line) + ", column " +
                           std::to_string(it->second.column));
    }
    frame.node.keys.push_back({std::move(node.text), node.place});
    frame.has_key = true;
  }

  void add(Node&& node, bool scalar) {
    if (scalar && wants_key()) return add_key(std::move(node));
    if (stack_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& frame = stack_.back();
    // The parser places nothing where the next thing is; a person looks for it at its key.
    if (node.kind == Node::Kind::Null && frame.has_key) node.place = frame.node.keys.back().place;
    frame.node.items.push_back(std::move(node));
    frame.has_key = false;
  }

  void open(Node&& node) {
    if (wants_key()) stop(node.place, "a key must be a plain name");
    if (stack_.size() >= kDepthMax) {
      stop(node.place, "nested deeper than " + std::to_string(kDepthMax) + " levels");
    }
    stack_.push_back({std::move(node), false, {}});
  }

  void close() {
    Node node = std::move(stack_.back().node);
    stack_.pop_back();
    add(std::move(node), false);
  }

  std::string_view file_;
  Node root_;
  std::vector<Frame> stack_;
  std::size_t nodes_ = 0;
  int documents_ = 0;
};

// Length of the UTF-8 sequence at the front of `s`, 0 if it is not one.
std::size_t utf8_length(std::string_view s) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  const unsigned char first = byte(0);
  const std::size_t n = first < 0x80   ? 1
                        : first < 0xc2 ? 0
                        : first < 0xe0 ? 2
                        : first < 0xf0 ? 3
                        : first < 0xf5 ? 4
                                       : 0;
  if (n == 0 || n > s.size()) return 0;
  for (std::size_t i = 1; i < n; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  if (first == 0xe0 && byte(1) < 0xa0) return 0;
  if (first == 0xed && byte(1) > 0x9f) return 0;
  if (first == 0xf0 && byte(1) < 0x90) return 0;
  if (first == 0xf4 && byte(1) > 0x8f) return 0;
  return n;
}

// What must hold of the bytes before the parser sees them; its own messages on these are poor.
Status check_bytes(std::string_view text, std::string_view file) {
  if (text.size() > kFileBytesMax) {
    return error_at(file, {},
                    "the file has " + std::to_string(text.size()) + " bytes; at most " +
                        std::to_string(kFileBytesMax) + " are allowed");
  }
  Place place;
  bool indentation = true;
  std::size_t i = text.substr(0, 3) == "\xef\xbb\xbf" ? 3 : 0;
  while (i < text.size()) {
    const std::size_t n = utf8_length(text.substr(i));
    if (n == 0) return error_at(file, place, "a byte that is not UTF-8 text");
    const char c = text[i];
    if (c == '\t' && indentation) {
      return error_at(file, place, "a tab in the indentation; YAML wants spaces");
    }
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r') ||
        c == 0x7f) {
      return error_at(file, place, "a control character; only printable text is allowed");
    }
    i += n;
    if (c == '\n') {
      place = {place.line + 1, 1};
      indentation = true;
    } else {
      ++place.column;
      indentation = indentation && c == ' ';
    }
  }
  return {};
}

}  // namespace

Error error_at(std::string_view file, Place place, std::string_view text) {
  return Error(ErrorCode::InvalidInput, std::string(file) + ":" + std::to_string(place.line) + ":" +
                                            std::to_string(place.column) + ": " +
                                            std::string(text));
}

Result<Node> load(std::string_view text, std::string_view file_name) {
  WINNOW_TRY(check_bytes(text, file_name));
  Builder builder(file_name);
  try {
    std::istringstream in{std::string(text)};
    YAML::Parser parser(in);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Refusal& refusal) {
    return refusal.error;
  } catch (const YAML::Exception& e) {
    return error_at(file_name, place_of(e.mark), "not valid YAML: " + e.msg);
  } catch (const std::exception& e) {
    return error_at(file_name, {}, std::string("not valid YAML: ") + e.what());
  }
  if (!builder.has_document()) return error_at(file_name, {}, "the file is empty");
  Node root = builder.take();
  if (root.kind == Node::Kind::Null) return error_at(file_name, root.place, "the file is empty");
  return root;
}

}  // namespace winnow::sweeps::yaml
