#include "cli/catalog.hpp"

#include <algorithm>
#include <cstdlib>

#include "actors/store_documents.hpp"
#include "actors/sweep_registry.hpp"
#include "base/instrument.hpp"
#include "cli/app.hpp"
#include "sweeps/attachment.hpp"

namespace winnow::cli {
namespace {

namespace fs = std::filesystem;

/// A frame carries at most 1 MiB; what else is in a submission is small.
constexpr std::size_t kSubmissionBytesMax = std::size_t{900} << 10;

/// The book of a home that has no store yet.
class NoSweeps final : public actors::SweepBook {
 public:
  Status put_sweep(const store::SweepMeta&) override { return nothing(); }
  Result<std::optional<store::SweepMeta>> sweep(std::string_view) const override {
    return std::optional<store::SweepMeta>();
  }
  Result<std::vector<store::SweepMeta>> sweeps() const override {
    return std::vector<store::SweepMeta>();
  }
  Result<std::vector<bool>> committed(std::string_view, std::uint64_t blocks) const override {
    return std::vector<bool>(blocks);
  }
  Result<ResultBlock> outcomes(std::string_view, std::uint64_t) const override { return nothing(); }
  Result<bool> checked(const Hash128&) const override { return false; }
  Status put_checked(const Hash128&) override { return nothing(); }
  Status put_generation(const std::string&, const std::string&) override { return nothing(); }
  Result<std::optional<std::string>> generation(const std::string&) const override {
    return std::optional<std::string>();
  }

 private:
  static Error nothing() { return Error(ErrorCode::NotFound, "there is no store yet"); }
};

std::vector<std::string> profile_names(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator(folder, ec)) {
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

/// The records of a folder's gaps.yaml; none where there is no file.
Result<std::vector<sweeps::level::GapRecord>> gap_records(const fs::path& folder) {
  const fs::path file = folder / "gaps.yaml";
  const auto text = read_file(file, {.readable = Readable::Files});
  if (!text && text.error().code() == ErrorCode::NotFound) {
    return std::vector<sweeps::level::GapRecord>();
  }
  if (!text) return text.error();
  return sweeps::level::parse_gaps(*text, file.string());
}

/// The markets of a home, read when they are first asked for.
class KnownMarkets {
 public:
  explicit KnownMarkets(fs::path home) : home_(std::move(home)) {}
  Result<sweeps::level::MarketDays> of(const sweeps::DatasetInfo& d) {
    if (!book_) {
      const auto datasets = open_datasets(home_);
      if (!datasets) return datasets.error();
      auto book = store::MarketBook::read(*datasets);
      if (!book) return book.error();
      book_ = *std::move(book);
    }
    return actors::market_days(*book_, d.content_hash);
  }

 private:
  fs::path home_;
  std::optional<store::MarketBook> book_;
};

}  // namespace

Result<store::DatasetStore> open_datasets(const fs::path& home) {
  return store::DatasetStore::open(home / "data");
}

Result<std::optional<std::string>> shipped_profile(const fs::path& configs, std::string_view name) {
  const fs::path folder = configs / "execution";
  for (const std::string& known : profile_names(folder)) {
    if (plain_name(known) != plain_name(name)) continue;
    auto text = read_file(folder / (known + ".yaml"));
    if (!text) return text.error();
    return std::optional<std::string>(*std::move(text));
  }
  return std::optional<std::string>();
}

sweeps::Catalog make_catalog(const fs::path& home, const fs::path& configs) {
  sweeps::Catalog catalog;
  auto opened = open_datasets(home);
  if (opened) {
    const auto datasets = std::make_shared<store::DatasetStore>(std::move(*opened));
    catalog.dataset_names = datasets->names();
    catalog.dataset = [datasets](std::string_view name) -> std::optional<sweeps::DatasetInfo> {
      const auto manifest = datasets->manifest(name);
      if (!manifest) return std::nullopt;
      // Data that cannot be read just now are waited for, not unknown (row F3).
      const auto dataset = datasets->load(manifest->content_hash);
      const auto calendar =
          dataset ? engine::calendar_of(dataset->view().time_ns, dataset->view().interval_ns)
                  : engine::Calendar{};
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
    // By name only: whoever asks may sit at another machine and has no say in what is opened here.
    if (std::find(names.begin(), names.end(), name) != names.end()) {
      for (const fs::path& folder : {own, built_in}) {
        const fs::path file = folder / (std::string(name) + ".yaml");
        auto text = read_file(file, {.readable = Readable::Files});
        if (text || text.error().code() != ErrorCode::NotFound) return text;
      }
    }
    std::string known;
    for (const std::string& n : names) known += (known.empty() ? "" : ", ") + n;
    return Error(ErrorCode::NotFound, "there is no execution profile '" + std::string(name) +
                                          "'; known are " + known + ", or a path to a .yaml file");
  };
  catalog.market = [markets = std::make_shared<KnownMarkets>(home)](const sweeps::DatasetInfo& d) {
    return markets->of(d);
  };
  catalog.shipped = [configs](std::string_view name) { return shipped_profile(configs, name); };
  catalog.gap = [configs, own = home / "configs"](
                    const sweeps::DatasetInfo& d) -> Result<sweeps::level::Gap> {
    const auto shipped_gaps = gap_records(configs);
    if (!shipped_gaps) return shipped_gaps.error();
    const auto own_gaps = gap_records(own);
    if (!own_gaps) return own_gaps.error();
    return sweeps::level::resolve_gap({.shipped = *shipped_gaps,
                                       .own = *own_gaps,
                                       .instrument = d.instrument,
                                       .years = d.years()});
  };
  return catalog;
}

Result<actors::Submit> make_submission(const fs::path& spec_file) {
  auto yaml = read_file(spec_file, {.bytes_max = kSubmissionBytesMax});
  if (!yaml) return yaml.error();
  return make_submission(spec_file, *std::move(yaml));
}

Result<actors::Submit> make_submission(const fs::path& spec_file, std::string yaml) {
  actors::Submit submit;
  submit.file_name = spec_file.string();
  const auto profile = sweeps::file_of_execution(yaml, submit.file_name);
  if (!profile) return profile.error();
  if (*profile) {
    const fs::path beside = spec_file.parent_path() / **profile;
    auto text = read_file(beside, {.bytes_max = kSubmissionBytesMax});
    if (!text && text.error().code() == ErrorCode::NotFound) {
      text = read_file(**profile, {.bytes_max = kSubmissionBytesMax});
    }
    if (!text) return text.error().within(submit.file_name + ": execution");
    submit.profile_names.push_back(**profile);
    submit.profile_texts.push_back(std::move(*text));
  }
  submit.yaml = std::move(yaml);
  std::size_t bytes = submit.yaml.size();
  for (const std::string& text : submit.profile_texts) bytes += text.size();
  if (bytes > kSubmissionBytesMax) {
    return Error(ErrorCode::InvalidInput,
                 submit.file_name +
                     ": a sweep specification and the profile it names have at "
                     "most " +
                     std::to_string(kSubmissionBytesMax) + " bytes, not " + std::to_string(bytes));
  }
  return submit;
}

Status check_own_name(const sweeps::ExecutionProfile& profile) {
  const auto shipped = shipped_profile(config_dir(), profile.costs.name);
  if (!shipped) return shipped.error();
  if (!*shipped) return {};
  return sweeps::check_reserved(profile, {.name = profile.costs.name, .shipped_yaml = **shipped});
}

namespace {

/// What `ask` says of a registry over the store of a home, for reading only.
template <class Ask>
auto ask_registry(const fs::path& home, const Ask& ask)
    -> decltype(ask(std::declval<actors::SweepRegistry&>())) {
  const auto catalog = [&home] { return make_catalog(home, config_dir()); };
  const auto store = store::Store::open(home / "store", {.read_only = true});
  if (!store && store.error().code() == ErrorCode::NotFound) {
    NoSweeps nothing;
    actors::SweepRegistry registry(nothing, catalog);
    return ask(registry);
  }
  if (!store) return store.error();
  actors::StoreSweepBook book(**store);
  actors::SweepRegistry registry(book, catalog);
  return ask(registry);
}

}  // namespace

Result<sweeps::Plan> check_submission(const actors::Submit& submit, const std::string& user,
                                      const fs::path& home) {
  return ask_registry(home, [&](actors::SweepRegistry& r) { return r.preview(submit, user); });
}

Result<std::vector<actors::OpeningPrice>> price_submission(const sweeps::Plan& plan,
                                                           const std::string& user,
                                                           const fs::path& home) {
  return ask_registry(
      home, [&](actors::SweepRegistry& r) { return r.price(plan, user, system_clock().now()); });
}

}  // namespace winnow::cli
