#include "base/instrument.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"

namespace winnow {
namespace {

// What a pair may be quoted in. Longer names stand before those they end with.
constexpr std::array<std::string_view, 30> kQuotes{
    "FDUSD", "USDT", "USDC", "BUSD", "TUSD", "USDE", "USDP", "USDS", "PYUSD", "DAI",
    "USD",   "EUR",  "GBP",  "JPY",  "KRW",  "TRY",  "BRL",  "AUD",  "CAD",   "CHF",
    "NZD",   "SGD",  "HKD",  "CNH",  "MXN",  "ZAR",  "XBT",  "BTC",  "ETH",   "BNB"};

struct Alias {
  std::string_view name;
  std::string_view means;
};
// Assets that venues call otherwise; the X-names of Kraken's pairs come with a Z before the quote.
constexpr std::array<Alias, 12> kAssets{{{"XBT", "BTC"},
                                         {"XDG", "DOGE"},
                                         {"XXBT", "BTC"},
                                         {"XETH", "ETH"},
                                         {"XXRP", "XRP"},
                                         {"XLTC", "LTC"},
                                         {"XXLM", "XLM"},
                                         {"XXMR", "XMR"},
                                         {"XZEC", "ZEC"},
                                         {"XETC", "ETC"},
                                         {"XXDG", "DOGE"},
                                         {"BCHABC", "BCH"}}};

struct Suffix {
  std::string_view text;
  MarketKind kind;
};
constexpr std::array<Suffix, 15> kSuffixes{{{"-PERP-INTX", MarketKind::Perpetual},
                                            {"-PERPETUAL", MarketKind::Perpetual},
                                            {"_PERPETUAL", MarketKind::Perpetual},
                                            {"-PERP", MarketKind::Perpetual},
                                            {"_PERP", MarketKind::Perpetual},
                                            {".PERP", MarketKind::Perpetual},
                                            {"/PERP", MarketKind::Perpetual},
                                            {"-SWAP", MarketKind::Perpetual},
                                            {"_SWAP", MarketKind::Perpetual},
                                            {"SWAP", MarketKind::Perpetual},
                                            {"PERP", MarketKind::Perpetual},
                                            {".P", MarketKind::Perpetual},
                                            {"-SPOT", MarketKind::Spot},
                                            {"_SPOT", MarketKind::Spot},
                                            {".SPOT", MarketKind::Spot}}};
// Kraken's futures say their market in front.
constexpr std::array<Suffix, 4> kPrefixes{{{"PF_", MarketKind::Perpetual},
                                           {"PI_", MarketKind::Perpetual},
                                           {"FF_", MarketKind::Future},
                                           {"FI_", MarketKind::Future}}};

bool is_letter(char c) { return c >= 'A' && c <= 'Z'; }

std::string upper(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == ' ' || c == '\t') continue;
    out.push_back(c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
  }
  return out;
}

std::string asset(std::string_view name) {
  for (const Alias& alias : kAssets) {
    if (alias.name == name) return std::string(alias.means);
  }
  return std::string(name);
}

bool is_asset(std::string_view text) {
  return !text.empty() && text.size() <= 20 &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_letter(c) || is_digit(c); });
}

bool is_quote(std::string_view text) {
  return std::find(kQuotes.begin(), kQuotes.end(), text) != kQuotes.end();
}

bool is_expiry(std::string_view text) {
  if (text.size() == 6 || text.size() == 8) {
    if (std::all_of(text.begin(), text.end(), is_digit)) return true;
  }
  // 29MAR24, 5APR24
  if (text.size() != 6 && text.size() != 7) return false;
  const std::size_t day = text.size() - 5;
  return std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(day), is_digit) &&
         is_letter(text[day]) && is_letter(text[day + 1]) && is_letter(text[day + 2]) &&
         is_digit(text[day + 3]) && is_digit(text[day + 4]);
}

/// `BTC-USDT`, `BTC_USDT`, `BTC/USDT`, `BTCUSDT`, `XXBTZUSD`.
bool split_pair(std::string_view text, Instrument& out) {
  if (const std::size_t cut = text.find_first_of("-_/"); cut != std::string_view::npos) {
    const std::string_view base = text.substr(0, cut);
    const std::string_view quote = text.substr(cut + 1);
    if (!is_asset(base) || !is_asset(quote)) return false;
    out.base = asset(base);
    out.quote = asset(quote);
    return true;
  }
  if (text.size() == 8 && text[0] == 'X' && text[4] == 'Z' && is_quote(text.substr(5)) &&
      asset(text.substr(0, 4)) != text.substr(0, 4)) {
    out.base = asset(text.substr(0, 4));
    out.quote = asset(text.substr(5));
    return true;
  }
  for (const std::string_view quote : kQuotes) {
    if (text.size() <= quote.size() || !text.ends_with(quote)) continue;
    const std::string_view base = text.substr(0, text.size() - quote.size());
    // A base of one letter is more often the rest of a longer word, and XBTUSD is XBT in USD.
    const bool doubtful = quote == "TUSD" || quote == "BUSD";
    if (base.size() < (doubtful ? 3 : 2) || !is_asset(base)) continue;
    if (doubtful && base == "SHI") continue;
    out.base = asset(base);
    out.quote = asset(quote);
    return true;
  }
  return false;
}

/// Takes market and expiry off the ends; what is left is the pair, or a base alone.
std::string_view take_market(std::string_view text, Instrument& out) {
  for (const Suffix& prefix : kPrefixes) {
    if (!text.starts_with(prefix.text)) continue;
    text.remove_prefix(prefix.text.size());
    out.kind = prefix.kind;
  }
  if (const std::size_t cut = text.find_last_of("-_"); cut != std::string_view::npos) {
    if (is_expiry(text.substr(cut + 1))) {
      out.expiry = text.substr(cut + 1);
      out.kind = MarketKind::Future;
      return text.substr(0, cut);
    }
  }
  for (const Suffix& suffix : kSuffixes) {
    if (text.size() <= suffix.text.size() || !text.ends_with(suffix.text)) continue;
    out.kind = suffix.kind;
    return text.substr(0, text.size() - suffix.text.size());
  }
  return text;
}

/// Linear where the quote is a currency of its own, inverse where only dollars count it.
void guess_settlement(Instrument& out) {
  const bool derived = out.kind == MarketKind::Perpetual || out.kind == MarketKind::Future;
  if (derived && out.settle.empty()) out.settle = out.quote == "USD" ? out.base : out.quote;
}

std::optional<Instrument> parse_upper(std::string_view text) {
  Instrument out;
  const std::size_t slash = text.find('/');
  if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) {
    if (slash == std::string_view::npos || slash > colon) {
      return parse_upper(text.substr(colon + 1));  // `BINANCE:BTCUSDT.P`
    }
    std::string_view settle = text.substr(colon + 1);
    out.kind = MarketKind::Perpetual;
    if (const std::size_t cut = settle.find('-'); cut != std::string_view::npos) {
      if (!is_expiry(settle.substr(cut + 1))) return std::nullopt;  // an option
      out.kind = MarketKind::Future;
      out.expiry = settle.substr(cut + 1);
      settle = settle.substr(0, cut);
    }
    if (!is_asset(settle) || !split_pair(text.substr(0, colon), out)) return std::nullopt;
    out.settle = asset(settle);
    return out;
  }
  std::string_view rest = take_market(text, out);
  if (!split_pair(rest, out)) {
    // KuCoin marks its swaps with an M: `XBTUSDTM`.
    if (out.kind == MarketKind::Unsaid && rest.size() > 4 && rest.ends_with('M') &&
        split_pair(rest.substr(0, rest.size() - 1), out)) {
      out.kind = MarketKind::Perpetual;
    } else if (out.kind >= MarketKind::Perpetual && is_asset(rest)) {
      out.base = asset(rest);  // `BTC-PERPETUAL`
      out.quote = "USD";
    } else {
      return std::nullopt;
    }
  }
  guess_settlement(out);
  return out;
}

}  // namespace

std::string Instrument::canonical() const {
  std::string out = base + "/" + quote;
  if (!settle.empty()) out += ":" + settle;
  if (!expiry.empty()) out += "-" + expiry;
  return out;
}

std::optional<Instrument> parse_instrument(std::string_view name) {
  // Bitfinex: `tBTCUSD`, where UST is USDT.
  const bool bitfinex = name.size() == 7 && name[0] == 't' && is_letter(name[1]);
  std::string text = upper(bitfinex ? name.substr(1) : name);
  if (bitfinex && text.ends_with("UST")) text.replace(text.size() - 1, 1, "DT");
  return parse_upper(text);
}

std::string plain_name(std::string_view text) {
  std::string out;
  for (const char c : upper(text)) {
    if (is_letter(c) || is_digit(c)) out.push_back(c);
  }
  return out;
}

std::string canonical_instrument(std::string_view name) {
  const auto parsed = parse_instrument(name);
  return parsed ? parsed->canonical() : upper(name);
}

namespace {

/// 0: another instrument; 1: may be the same; 2: says the same market; 3: the same name.
int likeness(std::string_view a, std::string_view b) {
  if (plain_name(a) == plain_name(b)) return 3;
  const auto x = parse_instrument(a);
  const auto y = parse_instrument(b);
  if (!x || !y) return 0;
  if (x->base != y->base || x->quote != y->quote || x->expiry != y->expiry) return 0;
  if (x->kind == y->kind) return x->settle == y->settle ? 2 : 0;
  const bool unsaid = x->kind == MarketKind::Unsaid || y->kind == MarketKind::Unsaid;
  return unsaid ? 1 : 0;
}

}  // namespace

bool same_instrument(std::string_view a, std::string_view b) { return likeness(a, b) > 0; }

std::optional<std::size_t> find_instrument(std::span<const std::string_view> names,
                                           std::string_view wanted) {
  int best = 0;
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const int like = likeness(names[i], wanted);
    if (like <= best) continue;
    best = like;
    found = i;
  }
  return found;
}

}  // namespace winnow
