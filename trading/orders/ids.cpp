#include "trading/orders/ids.hpp"

#include <algorithm>
#include <string>

#include "base/text.hpp"

namespace winnow::orders {

namespace {

bool goes_to_every_venue(char c) { return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z'); }

}  // namespace

Result<ClientOrderId> ClientOrderId::parse(std::string_view text) {
  const bool fits = !text.empty() && text.size() <= kLengthMax;
  if (!fits || !std::all_of(text.begin(), text.end(), goes_to_every_venue)) {
    return bad_input("client order id '" + log_text(text) +
                     "': venues take 1 to 32 letters and digits, nothing else");
  }
  ClientOrderId id;
  std::copy(text.begin(), text.end(), id.chars_.begin());
  id.length_ = static_cast<std::uint8_t>(text.size());
  return id;
}

}  // namespace winnow::orders
