#include "actors/opening_price.hpp"

#include "base/formatted.hpp"

namespace winnow::actors {
namespace {

std::string four_digits(double v) { return formatted("%.4f", v); }

}  // namespace

std::string price_text(const OpeningPrice& price) {
  const std::string what = price.family + " on " + price.data + ": ";
  if (!price.refusal.empty()) return what + "cannot be opened, " + price.refusal;
  if (price.repeat) {
    return what + "the same as hypothesis " + price.hypothesis +
           ", which was opened before: nothing is charged, its level stays " +
           four_digits(price.level) + " and its word is the same";
  }
  return what + "judged by " + std::to_string(price.judged_days) + " days that nobody saw, level " +
         four_digits(price.level) + ", for a stake of " + four_digits(price.stake) + " out of " +
         four_digits(price.left) + " left in account " + price.account;
}

}  // namespace winnow::actors
