#include "serve/ledger_stamp.hpp"

#include "serve/ledger_account.hpp"

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

}  // namespace winnow::serve
