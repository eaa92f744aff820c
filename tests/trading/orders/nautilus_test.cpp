// NautilusTrader's table of order states, pair by pair against this machine. docs/ORDERS.md lists
// the differences; a pair that differs and does not stand there fails, and the other way round.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/trading/orders/support.hpp"

namespace winnow::orders {
namespace {

using namespace testing;  // NOLINT: the support header of these tests

/// What their table answers, as their public source of 2026 has it; pairs that do not stand here
/// are refused there. Of fills: the one that makes the order full. Left out: Denied, Emulated,
/// Released and Triggered, which happen before an order leaves or belong to stop orders.
const std::map<std::string, std::map<std::string, std::string>> kTheirs = {
    {"Initialized",
     {{"updated", "Initialized"},
      {"submitted", "Submitted"},
      {"rejected", "Rejected"},
      {"accepted", "Accepted"},
      {"canceled", "Canceled"},
      {"expired", "Expired"}}},
    {"Submitted",
     {{"updated", "Submitted"},
      {"pending cancel", "PendingCancel"},
      {"pending update", "PendingUpdate"},
      {"cancel rejected", "Submitted"},
      {"rejected", "Rejected"},
      {"canceled", "Canceled"},
      {"accepted", "Accepted"},
      {"filled", "Filled"}}},
    {"Accepted",
     {{"modify rejected", "Accepted"},
      {"updated", "Accepted"},
      {"rejected", "Rejected"},
      {"pending cancel", "PendingCancel"},
      {"pending update", "PendingUpdate"},
      {"cancel rejected", "Accepted"},
      {"canceled", "Canceled"},
      {"expired", "Expired"},
      {"filled", "Filled"},
      {"fill voided", "Accepted"}}},
    {"PendingUpdate",
     {{"rejected", "Rejected"},
      {"accepted", "Accepted"},
      {"canceled", "Canceled"},
      {"expired", "Expired"},
      {"submitted", "PendingUpdate"},
      {"pending update", "PendingUpdate"},
      {"pending cancel", "PendingCancel"},
      {"cancel rejected", "PendingUpdate"},
      {"modify rejected", "Accepted"},
      {"updated", "Accepted"},
      {"filled", "Filled"},
      {"fill voided", "PendingUpdate"}}},
    {"PendingCancel",
     {{"modify rejected", "PendingCancel"},
      {"updated", "PendingCancel"},
      {"rejected", "Rejected"},
      {"pending cancel", "PendingCancel"},
      {"cancel rejected", "Accepted"},
      {"canceled", "Canceled"},
      {"expired", "Expired"},
      {"accepted", "Accepted"},
      {"filled", "Filled"},
      {"fill voided", "PendingCancel"}}},
    {"PartiallyFilled",
     {{"modify rejected", "PartiallyFilled"},
      {"updated", "PartiallyFilled"},
      {"pending cancel", "PendingCancel"},
      {"pending update", "PendingUpdate"},
      {"cancel rejected", "PartiallyFilled"},
      {"canceled", "Canceled"},
      {"expired", "Expired"},
      {"filled", "Filled"},
      {"accepted", "Accepted"},
      {"fill voided", "PartiallyFilled"}}},
    {"Filled", {{"updated", "Filled"}, {"fill voided", "Voided"}}},
    {"Canceled", {{"updated", "Canceled"}, {"filled", "Filled"}, {"fill voided", "Canceled"}}},
    {"Expired", {{"updated", "Expired"}, {"filled", "Filled"}, {"fill voided", "Expired"}}},
    {"Rejected", {}},
};

/// An order in a state of theirs.
Stepped in_state(const std::string& state) {
  Stepped s;
  if (state == "Initialized") return s;
  s.sent();
  if (state == "Submitted") return s;
  if (state == "Rejected") return s.on(Rejected{kProof});
  s.on(Accepted{kVenue, kProof});
  if (state == "PendingUpdate") s.replacing(AmendKind::Absolute, 12);
  if (state == "PendingCancel") s.on(CancelRequested{});
  if (state == "PartiallyFilled") s.on(fill(1, 4));
  if (state == "Filled") s.on(fill(1, 10));
  if (state == "Canceled") s.on(report(VenueStatus::Canceled, 0));
  if (state == "Expired") s.on(report(VenueStatus::Expired, 0));
  return s;
}

/// Their events, as they come from the venue or from here.
std::map<std::string, std::vector<Event>> events_for(const Stepped& s) {
  const Lots rest = s.view().total - s.view().filled;
  const Lots last = rest > Lots{0} ? rest : Lots{1};
  const RequestNo no(s.last_request() == 0 ? 1 : s.last_request());
  return {{"submitted", {Persisted{}}},
          {"accepted", {Accepted{kVenue, kProof}}},
          {"rejected",
           {s.order().facts().alive() ? Event(report(VenueStatus::Rejected, 0))
                                      : Event(Rejected{kProof})}},
          {"canceled", {report(VenueStatus::Canceled, 0)}},
          {"expired", {report(VenueStatus::Expired, 0)}},
          {"filled", {fill(2, last.n)}},
          {"fill voided", {TradeBusted{kVenue, TradeId(1), kProof}}},
          {"pending cancel", {CancelRequested{}}},
          {"pending update",
           {ReplaceRequested{{AmendKind::Absolute, Lots{12}, Ticks{100}}}, ReplacePersisted{no}}},
          {"cancel rejected", {CancelRejected{no, kProof}}},
          {"modify rejected", {ReplaceRejected{no, kProof}}},
          {"updated", {ReplaceAccepted{no, Lots{0}, {}, TimestampNs{20}, kProof}}}};
}

/// What their words for this order would be; an alarm has no word there.
std::string word_for(const View& v) {
  const std::string alarm = v.is_frozen() ? " + alarm" : "";
  switch (v.venue) {
    case VenueSide::None:
      return "Initialized" + alarm;
    case VenueSide::Sent:
      return (v.request == RequestSide::Cancel ? "PendingCancel" : "Submitted") + alarm;
    case VenueSide::Done: {
      std::string text(name(v.cause));
      text[0] = static_cast<char>(text[0] - 'a' + 'A');
      return text + alarm;
    }
    case VenueSide::Working:
      break;
  }
  const std::string doubt = v.doubts.has(Doubt::Ending) ? " + doubt" : "";
  if (v.request == RequestSide::Cancel) return "PendingCancel" + doubt + alarm;
  if (v.request == RequestSide::Replace) return "PendingUpdate" + doubt + alarm;
  return (v.filled > Lots{0} ? "PartiallyFilled" : "Accepted") + doubt + alarm;
}

std::string ours(Stepped s, const std::vector<Event>& events) {
  for (const Event& event : events) {
    if (!s.refusal(event).empty()) return "refused";  // taken otherwise
  }
  return word_for(s.view());
}

/// What becomes of `state`, shorter.
std::string seen_from(const std::string& state, const std::string& after) {
  if (after == state) return "stays";
  if (after == state + " + alarm") return "stays, alarm";
  return after;
}

/// `event | theirs | ours`, each with the states in which it differs so.
using Rows = std::map<std::string, std::set<std::string>>;

Rows differences() {
  Rows rows;
  for (const auto& [state, answers] : kTheirs) {
    const Stepped s = in_state(state);
    for (const auto& [event, steps] : events_for(s)) {
      const auto found = answers.find(event);
      const std::string theirs = found == answers.end() ? "refused" : found->second;
      const std::string here = ours(s, steps);
      if (theirs == here) continue;
      rows[event + " | " + seen_from(state, theirs) + " | " + seen_from(state, here)].insert(state);
    }
  }
  return rows;
}

std::string trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(' ');
  return first == std::string::npos ? ""
                                    : text.substr(first, text.find_last_not_of(' ') - first + 1);
}

/// Rows `| event | theirs | ours | states | why |` of the document.
Rows documented() {
  std::ifstream in(WINNOW_SOURCE_DIR "/docs/ORDERS.md");
  Rows rows;
  for (std::string line; std::getline(in, line);) {
    std::vector<std::string> cells;
    std::istringstream row(line);
    for (std::string cell; std::getline(row, cell, '|');) cells.push_back(trimmed(cell));
    if (cells.size() != 6) continue;
    std::istringstream states(cells[4]);
    for (std::string state; std::getline(states, state, ',');) {
      if (!kTheirs.contains(trimmed(state))) continue;
      rows[cells[1] + " | " + cells[2] + " | " + cells[3]].insert(trimmed(state));
    }
  }
  return rows;
}

std::string said(const Rows& rows) {
  std::string text;
  for (const auto& [row, states] : rows) {
    text += "| " + row + " |";
    for (const std::string& state : states) {
      text += (state == *states.begin() ? " " : ", ") + state;
    }
    text += " |\n";
  }
  return text;
}

TEST(OrderStates, OfNautilusAreReachedHere) {
  for (const auto& [state, answers] : kTheirs) EXPECT_EQ(word_for(in_state(state).view()), state);
}

TEST(OrderStates, DifferencesToNautilusAreThoseInTheDocument) {
  EXPECT_EQ(said(documented()), said(differences()));
}

}  // namespace
}  // namespace winnow::orders
