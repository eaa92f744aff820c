#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "serve/answer/fields.hpp"

// What users may bring to the ledger, and what came to it beside sweeps: `budgets`, `budget_set`,
// `backtest_count`, `ledger_import`.
namespace winnow::serve::answer {

struct Budget {
  std::string user;
  std::optional<std::string> data;
  std::optional<std::string> dataset_hash;
  std::uint64_t trials = 0;
  std::uint64_t spent = 0;
  std::uint64_t left = 0;
  std::string set_by;
  std::string set_at;

  void fields(Fields& f) const {
    f({"user", "", "whose budget it is"}, user);
    f({"data", "", "name of the dataset that it is for; null: all"}, data);
    f({"dataset_hash", "", "SHA-256 of its columns"}, dataset_hash);
    f({"trials", "trials", "that they may bring to the ledger"}, trials);
    f({"spent", "trials", "that they brought"}, spent);
    f({"left", "trials", "that they may still bring"}, left);
    f({"set_by", "", "who set it"}, set_by);
    f({"set_at", "UTC", "when"}, set_at);
  }
};

struct Budgets {
  std::vector<Budget> budgets;
  void fields(Fields& f) const { f({"budgets", "", "by user"}, budgets); }
};

/// `backtest_count`.
struct BacktestCounted {
  bool is_new = false;
  std::uint64_t ledger_trials = 0;

  void fields(Fields& f) const {
    f({"new", "", "nobody had evaluated it before"}, is_new);
    f({"ledger_trials", "trials", "ever made on its market, with it"}, ledger_trials);
  }
};

/// `ledger_import`.
struct LedgerImported {
  std::uint64_t entries_new = 0;
  std::uint64_t entries_raised = 0;
  std::uint64_t trials = 0;
  std::uint64_t executions = 0;
  std::uint64_t documents_new = 0;
  std::uint64_t trials_total = 0;
  std::string head;

  void fields(Fields& f) const {
    f({"entries_new", "entries", "that this ledger had not"}, entries_new);
    f({"entries_raised", "entries", "of which the other one counted more"}, entries_raised);
    f({"trials", "trials", "that came with them"}, trials);
    f({"executions", "executions", "that came with them"}, executions);
    f({"documents_new", "records", "of shown and sealed days and of accounts that came"},
      documents_new);
    f({"trials_total", "trials", "that the ledger counts now"}, trials_total);
    f({"head", "", "SHA-256 over all its entries"}, head);
  }
};

}  // namespace winnow::serve::answer
