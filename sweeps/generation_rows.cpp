#include "sweeps/generation_rows.hpp"

#include <boost/archive/binary_iarchive.hpp>
#include <boost/archive/binary_oarchive.hpp>
#include <boost/serialization/string.hpp>
#include <boost/serialization/vector.hpp>
#include <exception>
#include <sstream>

#include "base/check.hpp"
#include "sweeps/search/sealed.hpp"

namespace winnow::sweeps {
namespace {

constexpr std::string_view kGenerationMagic = "winnow-generation-1\n";

Error corrupt(const std::string& why) {
  return Error(ErrorCode::Corrupt, "a generation of a search: " + why);
}

template <class Archive, class Rows>
void transfer(Archive& a, Rows& r) {
  a& r.segment& r.first_row& r.width& r.values& r.rungs& r.checkpoint;
}

}  // namespace

GenerationRows GenerationRows::slice(std::uint64_t first, std::uint64_t count) const {
  WINNOW_REQUIRES(first >= first_row && first - first_row + count <= rows());
  const auto at = static_cast<std::ptrdiff_t>(first - first_row);
  const auto n = static_cast<std::ptrdiff_t>(count);
  const auto w = static_cast<std::ptrdiff_t>(width);
  GenerationRows out{segment, first, width, {}, {}, {}};
  out.values.assign(values.begin() + at * w, values.begin() + (at + n) * w);
  out.rungs.assign(rungs.begin() + at, rungs.begin() + at + n);
  return out;
}

std::string encode_generation(const GenerationRows& rows) {
  std::ostringstream body;
  {
    boost::archive::binary_oarchive out(body, boost::archive::no_codecvt);
    transfer(out, rows);
  }
  return sealed(kGenerationMagic, body.str());
}

Result<GenerationRows> decode_generation(std::string_view bytes) {
  const auto body = unsealed(kGenerationMagic, bytes, "it does not start as one of version 1");
  if (!body) return corrupt(body.error().text());
  try {
    std::istringstream stream{std::string(*body)};
    boost::archive::binary_iarchive in(stream, boost::archive::no_codecvt);
    GenerationRows out;
    transfer(in, out);
    if (out.values.size() != out.rungs.size() * out.width) return corrupt("its sizes differ");
    return out;
  } catch (const std::exception& e) {
    return corrupt(std::string("not readable by this version: ") + e.what());
  }
}

}  // namespace winnow::sweeps
