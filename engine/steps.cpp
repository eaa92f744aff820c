#include "engine/steps.hpp"

#include "base/check.hpp"
#include "engine/families/list.hpp"
#include "engine/lanes/step_window.hpp"
#include "engine/prepare.hpp"

namespace winnow::engine {
namespace {

template <class Strategy, template <class, class, class> class Executor>
std::unique_ptr<lanes::Steps> steps_of(const lanes::Job& job, std::size_t tile_bars,
                                       TradeRecorder* recorder) {
  return std::make_unique<lanes::StepWindow<Strategy, Executor, MaybeRecorder>>(
      job, tile_bars, MaybeRecorder(recorder));
}

using Make = std::unique_ptr<lanes::Steps> (*)(const lanes::Job&, std::size_t, TradeRecorder*);

constexpr auto kPlain = table_of<Make>(Families<lanes::Lane1>(), []<class Strategy>() -> Make {
  return &steps_of<Strategy, lanes::Simulator>;
});
constexpr auto kFull = table_of<Make>(Families<lanes::Lane1>(), []<class Strategy>() -> Make {
  return &steps_of<Strategy, lanes::FullSimulator>;
});

}  // namespace

std::unique_ptr<lanes::Steps> make_steps(const FamilyDecl& family, const lanes::Job& job,
                                         std::size_t tile_bars, TradeRecorder* recorder) {
  WINNOW_REQUIRES(recorder == nullptr || job.slots == 1);
  return (job.full.on ? kFull : kPlain)[family_index(family)](job, tile_bars, recorder);
}

}  // namespace winnow::engine
