#include "agent/salvage_steps.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace tidegate {
namespace {

constexpr auto kStep = std::chrono::milliseconds(20);
constexpr auto kAtOnce = std::chrono::nanoseconds::zero();

}  // namespace

SalvageSteps::SalvageSteps(SalvageWork& store, Loop& loop, const Clock& clock,
                           std::function<void()> after_step)
    : store_(store),
      clock_(clock),
      after_step_(std::move(after_step)),
      timer_(loop.AddTimer([this] { OnTimer(); })) {
  store_.OnSalvage([this] { timer_->After(kAtOnce); });
  if (store_.IsSalvaging()) timer_->After(kAtOnce);
}

SalvageSteps::~SalvageSteps() {
  store_.OnSalvage(nullptr);
}

// The rest of the agent gets as much time as the step took. Before the store is ready there is
// nothing that it could do.
void SalvageSteps::OnTimer() {
  const bool others_work = store_.IsReady();
  const BootTime start = clock_.SinceBoot();
  const auto wait = store_.StepSalvage(start + kStep);
  const auto pause = others_work ? clock_.SinceBoot() - start : kAtOnce;
  if (wait) timer_->After(std::max(*wait, std::chrono::nanoseconds(pause)));
  after_step_();
}

}  // namespace tidegate
