#include "cli/instruments.hpp"

#include <algorithm>
#include <vector>

#include "base/instrument.hpp"
#include "base/names.hpp"
#include "cli/catalog.hpp"
#include "sweeps/yaml/yaml_tree.hpp"

namespace winnow::cli {
namespace {

namespace fs = std::filesystem;
using sweeps::yaml::Node;

/// The profile that a file names; empty if it names none or is not there.
Result<std::string> named_in(const fs::path& file, std::string_view instrument) {
  std::error_code ec;
  if (!fs::exists(file, ec)) return std::string();
  const auto text = read_file(file);
  if (!text) return text.error();
  const auto root = sweeps::yaml::load(*text, file.string());
  if (!root) return root.error();
  const auto refuse = [&](sweeps::yaml::Place place, const std::string& why) {
    return sweeps::yaml::error_at(file.string(), place, why);
  };
  if (root->kind != Node::Kind::Map) {
    return refuse(root->place, "a map from instruments to execution profiles belongs here");
  }
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < root->keys.size(); ++i) {
    const Node& profile = root->items[i];
    if (profile.kind != Node::Kind::Scalar || profile.text.empty()) {
      return refuse(profile.place, root->keys[i].text + ": the name of a profile belongs here");
    }
    names.push_back(root->keys[i].text);
    // A venue's own name outranks other names of the same market.
    if (plain_name(root->keys[i].text) == plain_name(instrument)) return profile.text;
  }
  const auto alike = find_instrument(names, instrument);
  return alike ? root->items[*alike].text : std::string();
}

}  // namespace

Result<std::string> profile_for(std::string_view instrument, const fs::path& home,
                                const fs::path& configs) {
  for (const fs::path& folder : {home / "configs", configs}) {
    auto found = named_in(folder / "instruments.yaml", instrument);
    if (!found || !found->empty()) return found;
  }
  const auto names = make_catalog(home, configs).execution_names;
  return Error(ErrorCode::InvalidInput,
               "--execution is needed: " + (configs / "instruments.yaml").string() +
                   " names no execution profile for instrument " + show_text(instrument) +
                   "; profiles: " + join_names(names) +
                   " (`--execution none` trades without costs), or a path to a .yaml file");
}

}  // namespace winnow::cli
