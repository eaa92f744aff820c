#include <boost/serialization/split_free.hpp>
#include <boost/serialization/string.hpp>
#include <boost/serialization/vector.hpp>
#include <boost/serialization/version.hpp>
#include <exception>
#include <sstream>
#include <stdexcept>
#include <string>

#include "sweeps/search/method.hpp"
#include "sweeps/search/sealed.hpp"
#include "sweeps/search/search.hpp"

namespace winnow::sweeps::search {
namespace {

constexpr std::string_view kSearchMagic = "winnow-search-1\n";

SearchMethod searched(int method) {
  const int place = method + SearchMethod::Random.index;
  if (method < 0 || place >= static_cast<int>(samplers().size())) {
    throw std::runtime_error("there is no sampler " + std::to_string(method));
  }
  return {static_cast<std::uint8_t>(place)};
}

/// What a checkpoint holds before the method's own state.
struct Header {
  std::vector<std::string> signature;
  SearchOptions options;
  std::uint64_t first_trial = 0;
  std::uint64_t generation = 0;
  OutcomeCounts counts;
  std::uint64_t open_rows = 0;
  std::vector<Outcome> outcomes;
  std::vector<std::uint8_t> told;
  template <class Archive>
  void serialize(Archive& a, unsigned /*version*/) {
    // Counted from the first that is searched, as checkpoints always were.
    int method = static_cast<int>(options.method.index) - SearchMethod::Random.index;
    a& signature& method& options.seed& options.objectives& options.startup;
    if constexpr (Archive::is_loading::value) options.method = searched(method);
    a& options.candidates& options.population& options.restarts;
    a& first_trial& generation& counts& open_rows& outcomes& told;
  }
};

Error corrupt(const std::string& why) {
  return Error(ErrorCode::Corrupt, "search checkpoint: " + why);
}

}  // namespace

std::string Search::checkpoint() const {
  std::ostringstream body;
  {
    boost::archive::binary_oarchive out(body, boost::archive::no_codecvt);
    const Header header{space_->signature(), options_,  first_trial_, generation_, counts_,
                        rows_.size(),        outcomes_, told_};
    out << header;
    method_->save(out);
  }
  return sealed(kSearchMagic, body.str());
}

Result<Search> Search::restore(Space space, std::string_view bytes) {
  const auto body = unsealed(
      kSearchMagic, bytes,
      "the first bytes are not '" + std::string(kSearchMagic, 0, kSearchMagic.size() - 1) + "'");
  if (!body) return corrupt(body.error().text());
  try {
    std::istringstream stream{std::string(*body)};
    boost::archive::binary_iarchive in(stream, boost::archive::no_codecvt);
    Header header;
    in >> header;
    if (auto status = space.same_as(header.signature); !status) {
      return status.error().within("search checkpoint");
    }
    auto made = Search::make(std::move(space), header.options);
    if (!made) return made;
    Search search = *std::move(made);
    search.method_->load(in);
    search.first_trial_ = header.first_trial;
    search.generation_ = header.generation;
    search.counts_ = header.counts;
    if (header.open_rows == 0) return search;
    WINNOW_TRY(search.open(header.open_rows));
    if (header.told.size() != header.open_rows || header.outcomes.size() != header.open_rows) {
      return corrupt("the open generation has outcomes of another size");
    }
    for (std::size_t k = 0; k < header.told.size(); ++k) {
      if (header.told[k] == 0) continue;
      WINNOW_TRY(search.tell(header.first_trial + k, header.outcomes[k]));
    }
    return search;
  } catch (const std::exception& e) {
    return corrupt(std::string("not readable by this version: ") + e.what());
  }
}

}  // namespace winnow::sweeps::search
