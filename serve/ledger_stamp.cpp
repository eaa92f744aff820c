#include "serve/ledger_stamp.hpp"

#include "serve/account.hpp"

namespace winnow::serve {

Result<Json> ledger_json(const Sources& sources, std::uint64_t hypotheses) {
  const auto stamp = sources.store->ledger_stamp();
  if (!stamp.ok()) return stamp.error();
  return Json{{"born", format_timestamp(stamp->birth.born)},
              {"id", stamp->birth.id},
              {"trials", stamp->trials},
              {"hypotheses", hypotheses},
              {"head", stamp->head}};
}

Result<Json> ledger_json(const Sources& sources) {
  const auto hypotheses = count_hypotheses(sources, nullptr);
  if (!hypotheses.ok()) return hypotheses.error();
  return ledger_json(sources, hypotheses->sum());
}

std::string shown_key(std::string_view dataset_hash, std::int64_t from_day, std::int64_t to_day,
                      std::string_view breadth, std::string_view who) {
  return std::string(dataset_hash) + "/" + std::to_string(from_day) + "-" + std::to_string(to_day) +
         "/" + std::string(breadth) + "/" + std::string(who);
}

}  // namespace winnow::serve
