#include "store/import/formats.hpp"

#include <algorithm>

#include "store/import/layout.hpp"

namespace winnow::store {

// The list: a line for each.
#define WINNOW_FORMATS(X) \
  X(kBinanceKlines)       \
  X(kOkxCandles)          \
  X(kOhlcv)               \
  X(kFunding)

#define WINNOW_DECLARE(name) extern const FormatDecl name;
#define WINNOW_ADDRESS(name) &name,

namespace formats {
WINNOW_FORMATS(WINNOW_DECLARE)
}  // namespace formats

std::span<const FormatDecl* const> import_formats() {
  using namespace formats;
  static const FormatDecl* const kAll[] = {WINNOW_FORMATS(WINNOW_ADDRESS)};
  return kAll;
}

const FormatDecl& layout_format() { return formats::kOhlcv; }

std::string format_names(std::string_view last) {
  std::string out;
  const auto all = import_formats();
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i > 0) out += i + 1 == all.size() ? last : std::string_view(", ");
    out += all[i]->name;
  }
  return out;
}

Result<const FormatDecl*> parse_format(std::string_view text) {
  for (const FormatDecl* format : import_formats()) {
    if (format->name == text) return format;
  }
  const bool later = text == "binance-aggtrades" || text == "binance-ws";
  std::string more;
  if (find_layout(text) != nullptr) more = "; --layout " + std::string(text) + " reads that maker";
  return Error(ErrorCode::InvalidInput, "format " + in_quotes(text) +
                                            (later ? " is not read yet" : " is unknown") +
                                            "; this version reads " + format_names(" and ") + more);
}

}  // namespace winnow::store
