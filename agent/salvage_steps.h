// Calls the steps of a salvage from the loop, so that moving a damaged file neither starves the
// watchdog nor the sources: store/README.md, "Damage". Loop thread only.
#pragma once

#include <functional>
#include <memory>

#include "core/clock.h"
#include "core/loop/loop.h"
#include "store/salvage_work.h"

namespace tidegate {

class SalvageSteps {
 public:
  // `after_step` is called after each step: the store may be ready, and more may be sent. All
  // references outlive the object.
  SalvageSteps(SalvageWork& store, Loop& loop, const Clock& clock,
               std::function<void()> after_step);
  // The store may live longer.
  ~SalvageSteps();

 private:
  void OnTimer();

  SalvageWork& store_;
  const Clock& clock_;
  const std::function<void()> after_step_;
  std::unique_ptr<Timer> timer_;
};

}  // namespace tidegate
