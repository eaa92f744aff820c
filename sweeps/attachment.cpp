#include "sweeps/attachment.hpp"

#include "sweeps/yaml/yaml_tree.hpp"

namespace winnow::sweeps {

bool names_a_file(std::string_view execution) {
  return execution.find('/') != std::string_view::npos || execution.ends_with(".yaml") ||
         execution.ends_with(".yml");
}

Result<std::optional<std::string>> file_of_execution(std::string_view yaml,
                                                     std::string_view file_name) {
  const Result<yaml::Node> root = yaml::load(yaml, file_name);
  if (!root) return root.error();
  const auto at = yaml::Cursor(file_name, *root, "").find("execution");
  if (!at || !at->is(yaml::Node::Kind::Scalar) || !names_a_file(at->node().text)) {
    return std::optional<std::string>();
  }
  return std::optional(at->node().text);
}

}  // namespace winnow::sweeps
