#include "manifest_check.hpp"

#include <yaml-cpp/yaml.h>

#include <regex>
#include <set>

namespace winnow::cluster {
namespace {

using Faults = std::vector<std::string>;

YAML::Node table() {
  return YAML::LoadFile(WINNOW_SOURCE_DIR "/tests/cluster_launch/kubernetes_fields.yaml");
}

bool is_scalar_of(const YAML::Node& node, const std::string& type) {
  static const std::regex label("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?");
  static const std::regex quantity("[0-9]+(m|Mi|Gi|Ti)?");
  static const std::regex whole("[0-9]+");
  if (!node.IsScalar()) return false;
  const std::string text = node.Scalar();
  const bool is_quoted = node.Tag() == "!";  // how yaml-cpp marks a quoted scalar
  if (type == "label") return std::regex_match(text, label);
  if (type == "quantity") return std::regex_match(text, quantity);
  if (type == "int") return !is_quoted && std::regex_match(text, whole);
  if (type == "bool") return !is_quoted && (text == "true" || text == "false");
  if (type == "text") return !text.empty();
  return text == type;  // a constant
}

void check(const YAML::Node& node, const YAML::Node& fields, const std::string& path,
           const std::string& where, Faults& faults);

/// One value against its row of the table.
void check_value(const YAML::Node& node, const YAML::Node& type, const YAML::Node& fields,
                 const std::string& path, const std::string& where, Faults& faults) {
  if (type.IsSequence()) {
    for (const auto& allowed : type) {
      if (node.IsScalar() && node.Scalar() == allowed.Scalar()) return;
    }
    faults.push_back(where + ": not an allowed word");
    return;
  }
  const std::string name = type.Scalar();
  if (name == "map" || name == "list") return check(node, fields, path, where, faults);
  if (const YAML::Node other = table()[name]) return check(node, other, "", where, faults);
  if (!is_scalar_of(node, name)) faults.push_back(where + ": not of type " + name);
}

YAML::Node row_of(const YAML::Node& fields, const std::string& path) {
  for (const char* suffix : {"", "!"}) {
    if (const YAML::Node row = fields[path + suffix]) return row;
  }
  return YAML::Node(YAML::NodeType::Undefined);
}

void check_required(const YAML::Node& node, const YAML::Node& fields, const std::string& path,
                    const std::string& where, Faults& faults) {
  const std::string prefix = path.empty() ? "" : path + ".";
  for (const auto& row : fields) {
    const std::string name = row.first.Scalar();
    if (name.back() != '!' || name.compare(0, prefix.size(), prefix) != 0) continue;
    const std::string key = name.substr(prefix.size(), name.size() - prefix.size() - 1);
    if (key.find_first_of(".[") != std::string::npos || node[key]) continue;
    faults.push_back(where + "." + key + " is missing");
  }
}

void check(const YAML::Node& node, const YAML::Node& fields, const std::string& path,
           const std::string& where, Faults& faults) {
  if (node.IsSequence()) {
    const YAML::Node type = row_of(fields, path + "[]");
    if (!type.IsDefined()) return faults.push_back(where + ": no list may be here");
    for (std::size_t i = 0; i < node.size(); ++i) {
      check_value(node[i], type, fields, path + "[]", where + "[" + std::to_string(i) + "]",
                  faults);
    }
    return;
  }
  if (!node.IsMap()) return faults.push_back(where + ": neither a map nor a list");
  check_required(node, fields, path, where, faults);
  std::set<std::string> seen;
  for (const auto& entry : node) {
    const std::string key = entry.first.Scalar();
    const std::string prefix = path.empty() ? "" : path + ".";
    if (!seen.insert(key).second) faults.push_back(where + "." + key + " is there twice");
    std::string below = prefix + key;
    YAML::Node type = row_of(fields, below);
    if (!type.IsDefined()) {
      below = prefix + "*";
      type = row_of(fields, below);
    }
    if (!type.IsDefined()) {
      faults.push_back(where + "." + key + " is no field of the API");
      continue;
    }
    check_value(entry.second, type, fields, below, where + "." + key, faults);
  }
}

/// What the field table cannot say.
void check_links(const YAML::Node& document, const std::string& where, Faults& faults) {
  const YAML::Node pod = document["spec"]["template"];
  if (!pod) return;
  for (const auto& entry : document["spec"]["selector"]["matchLabels"]) {
    const YAML::Node label = pod["metadata"]["labels"][entry.first.Scalar()];
    if (!label || label.Scalar() != entry.second.Scalar()) {
      faults.push_back(where + ": its selector does not match its pods");
    }
  }
  std::set<std::string> volumes;
  for (const auto& volume : pod["spec"]["volumes"]) volumes.insert(volume["name"].Scalar());
  for (const auto& claim : document["spec"]["volumeClaimTemplates"]) {
    volumes.insert(claim["metadata"]["name"].Scalar());
  }
  for (const char* kind : {"initContainers", "containers"}) {
    for (const auto& container : pod["spec"][kind]) {
      for (const auto& mount : container["volumeMounts"]) {
        if (!volumes.contains(mount["name"].Scalar())) {
          faults.push_back(where + ": no volume '" + mount["name"].Scalar() + "' to mount");
        }
      }
    }
  }
}

}  // namespace

std::vector<std::string> manifest_faults(const std::string& manifest) {
  Faults faults;
  const YAML::Node fields = table();
  std::size_t number = 0;
  for (const YAML::Node& document : YAML::LoadAll(manifest)) {
    const std::string kind = document["kind"] ? document["kind"].Scalar() : "";
    const std::string where = "document " + std::to_string(++number) + " (" + kind + ")";
    if (kind.empty() || !fields[kind]) {
      faults.push_back(where + ": unknown kind");
      continue;
    }
    check(document, fields[kind], "", where, faults);
    check_links(document, where, faults);
  }
  if (number == 0) faults.emplace_back("no document");
  return faults;
}

}  // namespace winnow::cluster
