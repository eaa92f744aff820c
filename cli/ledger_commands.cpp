// Budgets of users, how many trials each may bring to the ledger; and ledgers of other homes.
#include <algorithm>
#include <filesystem>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "actors/protocol.hpp"
#include "base/text.hpp"
#include "cli/app.hpp"
#include "cli/asker.hpp"
#include "cli/catalog.hpp"
#include "cli/door.hpp"
#include "cli/results.hpp"
#include "cli/store_writer.hpp"
#include "cli/table.hpp"
#include "store/ledger_head.hpp"
#include "store/record_file.hpp"
#include "store/store.hpp"

namespace winnow::cli {
namespace {

using Json = nlohmann::ordered_json;

struct BudgetOptions {
  std::string user, data;
  std::uint64_t trials = 0;
  Option* trials_option = nullptr;
  Option* unlimited_option = nullptr;
};

std::string text_or(const Json& line, const char* key, const char* otherwise) {
  return line[key].is_string() ? line[key].get<std::string>() : otherwise;
}

std::string render_budgets(const Json& answer, std::size_t width) {
  TextTable table({{.title = "user", .align = Align::Left},
                   {.title = "data", .align = Align::Left},
                   {.title = "trials"},
                   {.title = "spent"},
                   {.title = "left"},
                   {.title = "set by", .align = Align::Left},
                   {.title = "set at", .align = Align::Left}});
  for (const Json& line : answer["budgets"]) {
    table.add_row({line["user"].get<std::string>(), text_or(line, "data", "all"),
                   json_text(line["trials"]), json_text(line["spent"]), json_text(line["left"]),
                   text_or(line, "set_by", ""), text_or(line, "set_at", "")});
  }
  if (table.rows() == 0) return "no user has a budget\n";
  return table.render(width);
}

int run_set(const Context& context, const BudgetOptions& options) {
  const bool unlimited = options.unlimited_option->count() > 0;
  if (unlimited == (options.trials_option->count() > 0)) {
    return fail(context, Error(ErrorCode::InvalidInput, "give either --trials N or --unlimited"));
  }
  Json args{{"user", options.user}, {"data", options.data}};
  if (unlimited) {
    args["unlimited"] = true;
  } else {
    args["trials"] = options.trials;
  }
  return show_answer(context, answer_writing(context, actors::kBudgetSetQuestion, args),
                     render_budgets);
}

/// A message carries at most 1 MiB: so many entries of 200 bytes or so at once.
constexpr std::size_t kEntriesAtOnce = 2000;
constexpr std::size_t kDocumentBytesAtOnce = std::size_t{256} << 10;

Error no_ledger(const std::filesystem::path& from) {
  return Error(ErrorCode::NotFound,
               "there is no ledger in " + from.string() +
                   "; allowed are a home, its store or a backup, and a store.ledger file");
}

/// What a home says of its trials, and of what it opened and showed.
struct OtherLedger {
  store::LedgerHead head;
  std::vector<store::RecordLine> documents;
};

Result<std::vector<store::RecordLine>> documents_of(const store::Store& store) {
  std::vector<store::RecordLine> out;
  for (const std::string_view kind : store::kRecordKinds) {
    const auto keys = store.document_keys(kind);
    if (!keys) return keys.error();
    for (const std::string& key : *keys) {
      const auto text = store.document(kind, key);
      if (!text) return text.error();
      if (*text) out.push_back({std::string(kind), key, **text});
    }
  }
  return out;
}

/// The ledger of a home, also of one whose store another process has open; of a store or a backup;
/// of a head file, with the record beside it. Fails: NotFound, Corrupt, Io.
Result<OtherLedger> read_ledger(const std::filesystem::path& from) {
  std::error_code ec;
  if (std::filesystem::is_directory(from, ec)) {
    const bool is_store = std::filesystem::exists(from / "CURRENT", ec);
    const std::filesystem::path folder = is_store ? from : from / "store";
    if (std::filesystem::exists(folder / "CURRENT", ec)) {
      const auto store = store::Store::open(folder, {.read_only = true});
      if (!store) return store.error();
      auto entries = (*store)->ledger_entries();
      if (!entries) return entries.error();
      const auto stamp = (*store)->ledger_stamp();
      if (!stamp) return stamp.error();
      auto documents = documents_of(**store);
      if (!documents) return documents.error();
      return OtherLedger{{stamp->birth, std::move(*entries), stamp->head}, *std::move(documents)};
    }
    // A home whose store is gone still says what it was.
    return read_ledger(store::ledger_head_file(folder));
  }
  const auto text = store::read_ledger_file(from);
  if (!text) return text.error();
  if (!*text) return no_ledger(from);
  auto head = store::parse_ledger_head(**text);
  if (!head) return head.error().within(from.string());
  // Of several versions of a document the last is the latest, so that the order does no harm.
  auto record =
      store::read_record(store::record_file(std::filesystem::path(from).replace_extension()), 0);
  if (!record) return record.error();
  return OtherLedger{*std::move(head), std::move(record->lines)};
}

/// Joins it part by part; a union comes out the same whatever its parts.
Result<Json> import_ledger(const Context& context, const std::string& from) {
  const auto ledger = read_ledger(from);
  if (!ledger) {
    return ledger.error().code() == ErrorCode::NotFound ? no_ledger(from) : ledger.error();
  }
  Json sum{{"from", from},
           {"born", format_timestamp(ledger->head.birth.born)},
           {"id", ledger->head.birth.id},
           {"entries", ledger->head.entries.size()}};
  const auto send = [&](std::span<const store::LedgerEntry> part, Json documents) -> Status {
    const Json args{{"head", store::ledger_head_text(ledger->head.birth, part)},
                    {"documents", std::move(documents)},
                    {"from", from}};
    const auto joined = answer_writing(context, actors::kLedgerImportQuestion, args);
    if (!joined) return joined.error();
    for (const char* name :
         {"entries_new", "entries_raised", "trials", "executions", "documents_new"}) {
      sum[name] = sum.value(name, std::uint64_t{0}) + joined->value(name, std::uint64_t{0});
    }
    for (const char* name : {"trials_total", "head"}) sum[name] = (*joined)[name];
    return {};
  };
  const std::span<const store::LedgerEntry> all(ledger->head.entries);
  for (std::size_t at = 0; at == 0 || at < all.size(); at += kEntriesAtOnce) {
    WINNOW_TRY(send(all.subspan(at, std::min(kEntriesAtOnce, all.size() - at)), Json::array()));
  }
  Json documents = Json::array();
  std::size_t bytes = 0;
  for (const store::RecordLine& line : ledger->documents) {
    documents.push_back({line.kind, line.key, line.text});
    bytes += line.kind.size() + line.key.size() + line.text.size();
    if (bytes < kDocumentBytesAtOnce) continue;
    WINNOW_TRY(send({}, std::exchange(documents, Json::array())));
    bytes = 0;
  }
  if (!documents.empty()) WINNOW_TRY(send({}, std::move(documents)));
  return sum;
}

std::string render_import(const Json& answer, std::size_t /*width*/) {
  const auto count = [&](const char* name) { return json_text(answer[name]); };
  return "ledger of " + terminal_text(answer["from"].get<std::string>()) + ", born " +
         answer["born"].get<std::string>() + ", " + count("entries") +
         " entries: " + count("entries_new") + " are new here, " + count("entries_raised") +
         " were raised; " + count("trials") + " trials came, " + count("trials_total") +
         " are counted now; " + count("documents_new") +
         " records of days seen, days kept and openings came with them\n";
}

}  // namespace

void add_ledger_import(Command& ledger, Context& context) {
  Command* command = add_command(
      ledger, context, "import",
      "join the ledger of another home to this one; twice is once, and nothing goes down");
  const auto from = std::make_shared<std::string>();
  command
      ->add_option("HOME_OR_FILE", *from,
                   "the other home (a farm may run on it), a store or a backup, or the file "
                   "store.ledger of a home")
      ->required();
  command->add_option("--connect", context.connect,
                      "the coordinator that holds this ledger, HOST:PORT (default: the one of the "
                      "home, if one runs); only from its machine");
  add_credential_options(*command, context);
  command->callback([&context, from] {
    context.run = [&context, from] {
      return show_answer(context, import_ledger(context, *from), render_import);
    };
  });
}

void add_ledger_budget(Command& ledger, Context& context) {
  Command* group =
      ledger.add_subcommand("budget", "how many trials a user may bring to the ledger");
  group->require_subcommand();
  auto options = std::make_shared<BudgetOptions>();
  Command* set = add_command(*group, context, "set",
                             "set a user's budget; asked of a coordinator, only from its machine");
  set->add_option("--user", options->user, "whose; behind a door, the name of a certificate")
      ->required();
  options->trials_option =
      set->add_option("--trials", options->trials,
                      "so many trials that nobody evaluated before, those already made included")
          ->check(natural_number(0));
  options->unlimited_option = set->add_flag_callback(
      "--unlimited", [] {}, "take the budget away (with --dataset, that of the dataset)");
  set->add_option("--dataset", options->data,
                  "only for this dataset, its name or the start of its hash (default: all "
                  "datasets together)");
  set->add_option("--connect", context.connect,
                  "the coordinator that holds the store, HOST:PORT (default: the one of the home, "
                  "if one runs)");
  add_credential_options(*set, context);
  set->callback([&context, options] {
    context.run = [&context, options] { return run_set(context, *options); };
  });
  Command* show =
      add_command(*group, context, "show", "the budgets of users, and what is spent of them");
  add_connect_option(*show, context);
  show->add_option("--user", options->user, "only this user's");
  show->callback([&context, options] {
    context.run = [&context, options] {
      const Json args{{"user", options->user}};
      return show_answer(context, answer_query(context, "budgets", args), render_budgets);
    };
  });
}

}  // namespace winnow::cli
