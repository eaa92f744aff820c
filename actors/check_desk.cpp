#include "actors/check_desk.hpp"

#include <algorithm>
#include <exception>
#include <span>

#include "base/names.hpp"
#include "engine/detect.hpp"
#include "store/dataset_store.hpp"
#include "sweeps/checked_rows.hpp"

namespace winnow::actors {
namespace {

std::string describe(const engine::FamilyDecl& family, std::span<const double> row) {
  std::string out = "strategy " + std::string(family.name) + " with";
  for (std::size_t p = 0; p < row.size(); ++p) {
    out += (p == 0 ? " " : ", ") + std::string(family.params[p].name) + " " + show_number(row[p]);
  }
  return out;
}

Status check_segment(const sweeps::Plan& plan, const sweeps::Segment& segment,
                     const store::DatasetStore& datasets, const std::function<bool()>& stop,
                     std::string& waits_for) {
  const sweeps::DatasetInfo& info = plan.spec().data[segment.dataset];
  const auto dataset = datasets.load(info.content_hash);
  if (!dataset) {
    waits_for = "dataset " + info.name + ": " + dataset.error().text();
    return {};
  }
  const std::size_t bars = dataset->view().size();
  const MarketView market = dataset->view().from(bars - std::min(bars, kCheckedBarsMax));
  const engine::FamilyDecl& family = plan.family(segment);
  const std::vector<double> rows = sweeps::rows_to_check(plan, segment);
  const std::size_t width = family.params.size();
  for (std::size_t first = 0; first < rows.size(); first += width) {
    const std::span<const double> row = std::span(rows).subspan(first, width);
    const auto found = engine::detect_faults(market, {0, market.size()}, family, row,
                                             plan.execution(segment), stop);
    if (!found) return found.error();
    if (found->clean()) continue;
    return Error(ErrorCode::Refused, describe(family, row) + " on " + info.name +
                                         " does not decide by what was known: " + found->text +
                                         ". Nothing of this sweep is run");
  }
  return {};
}

}  // namespace

CheckResult check_order(const CheckOrder& order, const std::filesystem::path& data_dir,
                        const std::function<bool()>& stop) {
  CheckResult result;
  result.ticket = order.ticket;
  const auto datasets = store::DatasetStore::open(data_dir);
  if (!datasets) {
    result.waits_for = datasets.error().text();
    return result;
  }
  for (const std::uint32_t index : order.segments) {
    const sweeps::Segment& segment = order.plan->segments()[index];
    result.status = check_segment(*order.plan, segment, *datasets, stop, result.waits_for);
    if (!result.status || !result.waits_for.empty()) return result;
    result.passed.push_back(sweeps::check_key(*order.plan, segment));
  }
  return result;
}

CheckDesk::CheckDesk(std::filesystem::path data_dir)
    : data_dir_(std::move(data_dir)), thread_([this](std::stop_token stop) { loop(stop); }) {}

CheckDesk::~CheckDesk() {
  thread_.request_stop();
  thread_.join();
}

void CheckDesk::ask(CheckOrder order, Answer answer) {
  Question question{std::move(order), std::move(answer)};
  if (waiting_.push(question)) return;
  question.answer({question.order.ticket,
                   {},
                   Error(ErrorCode::Unavailable,
                         "too many sweeps wait for their strategies to be checked; ask again"),
                   {}});
}

void CheckDesk::loop(const std::stop_token& stop) {
  while (auto question = waiting_.pop(stop)) {
    const CheckOrder& order = question->order;
    const auto vain = [&] { return stop.stop_requested() || order.vain->load(); };
    try {
      question->answer(check_order(order, data_dir_, vain));
    } catch (const std::exception& e) {
      question->answer(
          {order.ticket,
           {},
           Error(ErrorCode::Internal, std::string("the search for look-ahead failed: ") + e.what()),
           {}});
    }
  }
}

}  // namespace winnow::actors
