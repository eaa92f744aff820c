#include <algorithm>

#include "serve/query_parts.hpp"
#include "serve/report/assemble.hpp"
#include "serve/report/render.hpp"

namespace winnow::serve::parts {

Result<Json> report(const Sources& sources, const Json& args) {
  const auto selector = sweep_arg(args);
  if (!selector.ok()) return selector.error();
  const auto generated = count_arg(args, "generated_ns", 0);
  if (!generated.ok()) return generated.error();
  const auto view = SweepView::open(sources, *selector);
  if (!view.ok()) return view.error();
  const auto input = report::assemble_report(
      sources, *view, {.generated = {static_cast<std::int64_t>(*generated)}});
  if (!input.ok()) return input.error();
  Json out = sweep_head(*view);
  out["look_awaits_record"] =
      std::any_of(input->families.begin(), input->families.end(),
                  [](const report::Family& f) { return f.score.look_recordable; });
  out["html"] = report::render_report(*input);
  return out;
}

}  // namespace winnow::serve::parts
