#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace winnow::actors {

/// What a question costs whoever answers it, by what it reads. Each has a lane of its own
/// (`query_desk.hpp`): a dear one never delays a cheaper one.
enum class QuestionCost : std::uint8_t {
  Cheap,  ///< small records: lists, accounts, the ledger; what goes on record for each ask
  Board,  ///< rows of a sweep
  Heavy,  ///< returns of whole families: permutations, bootstraps, the report
};
inline constexpr std::array kQuestionCosts = {QuestionCost::Cheap, QuestionCost::Board,
                                              QuestionCost::Heavy};

/// Whether to ask twice is more than to ask once.
enum class QuestionEffect : std::uint8_t {
  /// The answer is a function of the store and the arguments. What it may put down on its way
  /// (kept verdicts, looks that are due, neighbourhoods that were scored) is put down once,
  /// however often it is asked.
  Reads,
  /// Each ask goes on record by itself: it is neither shared, nor dropped, nor stopped.
  Records,
};

struct QuestionKind {
  QuestionCost cost = QuestionCost::Heavy;
  QuestionEffect effect = QuestionEffect::Records;
};

/// Its name, as metrics label it.
constexpr std::string_view question_cost_name(QuestionCost cost) {
  switch (cost) {
    case QuestionCost::Cheap:
      return "cheap";
    case QuestionCost::Board:
      return "board";
    case QuestionCost::Heavy:
      return "heavy";
  }
  return "";
}

}  // namespace winnow::actors
