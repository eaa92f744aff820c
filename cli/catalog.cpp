#include "cli/catalog.hpp"

#include <pwd.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "actors/sweep_registry.hpp"
#include "cli/app.hpp"

namespace winnow::cli {
namespace {

namespace fs = std::filesystem;

bool is_path(std::string_view name) {
  return name.find('/') != std::string_view::npos || name.ends_with(".yaml") ||
         name.ends_with(".yml");
}

std::vector<std::string> profile_names(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator(folder, ec)) {
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

/// The value of a top-level `execution:` line, or nothing. Only to find a file to send along; the
/// coordinator's parser judges the text.
std::string execution_name(const std::string& yaml) {
  std::istringstream lines(yaml);
  for (std::string line; std::getline(lines, line);) {
    constexpr std::string_view kKey = "execution:";
    if (!line.starts_with(kKey)) continue;
    std::string value = line.substr(kKey.size());
    value = value.substr(0, value.find(" #"));
    const std::size_t first = value.find_first_not_of(" \t\"'");
    const std::size_t last = value.find_last_not_of(" \t\"'\r");
    return first == std::string::npos ? "" : value.substr(first, last - first + 1);
  }
  return "";
}

}  // namespace

Result<std::string> read_file(const fs::path& file, std::size_t bytes_max) {
  std::error_code ec;
  if (!fs::exists(file, ec)) {
    return Error(ErrorCode::NotFound, file.string() + ": there is no such file");
  }
  if (fs::is_directory(file, ec)) {
    return Error(ErrorCode::InvalidInput, file.string() + " is a folder, not a file");
  }
  std::ifstream in(file, std::ios::binary);
  if (!in) return Error(ErrorCode::Io, file.string() + ": cannot be read");
  std::string text((std::istreambuf_iterator<char>(in)), {});
  if (text.size() > bytes_max) {
    return Error(ErrorCode::InvalidInput, file.string() + " has " + std::to_string(text.size()) +
                                              " bytes; at most " + std::to_string(bytes_max) +
                                              " are read");
  }
  return text;
}

Result<store::DatasetStore> open_datasets(const fs::path& home) {
  return store::DatasetStore::open(home / "data");
}

sweeps::Catalog make_catalog(const fs::path& home, const fs::path& configs) {
  sweeps::Catalog catalog;
  auto opened = open_datasets(home);
  if (opened) {
    const auto datasets = std::make_shared<store::DatasetStore>(std::move(*opened));
    catalog.dataset_names = datasets->names();
    catalog.dataset = [datasets](std::string_view name) -> std::optional<sweeps::DatasetInfo> {
      const auto dataset = datasets->load(name);
      if (!dataset) return std::nullopt;
      const store::Manifest* manifest = &dataset->manifest();
      const MarketView& bars = dataset->view();
      const auto calendar = engine::calendar_of(bars.time_ns, bars.interval_ns);
      return sweeps::DatasetInfo{.name = std::string(name),
                                 .content_hash = manifest->content_hash,
                                 .instrument = manifest->instrument,
                                 .first = manifest->first,
                                 .last = manifest->last,
                                 .interval = manifest->interval,
                                 .bars = manifest->bars,
                                 .has_funding = manifest->has_funding(),
                                 .periods_per_year = calendar.periods_per_year};
    };
  } else {
    catalog.dataset = [](std::string_view) { return std::nullopt; };
  }
  const fs::path built_in = configs / "execution";
  const fs::path own = home / "configs" / "execution";
  catalog.execution_names = profile_names(built_in);
  for (std::string& name : profile_names(own)) catalog.execution_names.push_back(std::move(name));
  catalog.execution = [built_in, own, names = catalog.execution_names](
                          std::string_view name) -> Result<std::string> {
    if (is_path(name)) return read_file(fs::path(name));
    for (const fs::path& folder : {own, built_in}) {
      const fs::path file = folder / (std::string(name) + ".yaml");
      std::error_code ec;
      if (fs::exists(file, ec)) return read_file(file);
    }
    std::string known;
    for (const std::string& n : names) known += (known.empty() ? "" : ", ") + n;
    return Error(ErrorCode::NotFound, "there is no execution profile '" + std::string(name) +
                                          "'; known are " + known + ", or a path to a .yaml file");
  };
  return catalog;
}

std::string current_user() {
  const char* user = std::getenv("WINNOW_USER");
  if (user != nullptr && *user != '\0') return user;
  // The account's name, not what $USER says: a cron job has none, and both are one person.
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  const int failed = ::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &found);
  if (failed == 0 && found != nullptr && *found->pw_name != '\0') return found->pw_name;
  user = std::getenv("USER");
  return user != nullptr && *user != '\0' ? user : "uid-" + std::to_string(::geteuid());
}

Result<actors::Submit> make_submission(const fs::path& spec_file) {
  auto yaml = read_file(spec_file);
  if (!yaml) return yaml.error();
  actors::Submit submit;
  submit.file_name = spec_file.string();
  submit.user = current_user();
  const std::string profile = execution_name(*yaml);
  if (is_path(profile)) {
    const fs::path beside = spec_file.parent_path() / profile;
    std::error_code ec;
    auto text = read_file(fs::exists(beside, ec) ? beside : fs::path(profile));
    if (!text) return text.error().within(submit.file_name + ": execution");
    submit.profile_names.push_back(profile);
    submit.profile_texts.push_back(std::move(*text));
  }
  submit.yaml = std::move(*yaml);
  constexpr std::size_t kSubmissionBytesMax = std::size_t{900} << 10;
  if (submit.yaml.size() > kSubmissionBytesMax) {
    return Error(ErrorCode::InvalidInput, submit.file_name +
                                              ": a sweep specification has at most " +
                                              std::to_string(kSubmissionBytesMax) + " bytes, not " +
                                              std::to_string(submit.yaml.size()));
  }
  return submit;
}

Status check_submission(const actors::Submit& submit, const fs::path& home) {
  const auto plan = actors::plan_of(submit, make_catalog(home, config_dir()));
  return plan ? Status() : Status(plan.error());
}

}  // namespace winnow::cli
