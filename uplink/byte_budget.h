// How much of a period's bytes is used. A period that has begun ends by the time since boot, which
// no step of the wall clock touches; the wall clock, once synchronised, only says where it ends: on
// the hour, or at the gateway's midnight. Keeps nothing by itself: State is what a restart needs.
// One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/clock.h"
#include "uplink/send_limits.h"

namespace tidegate {

class ByteBudget {
 public:
  // As it is stored. `charged` is never less than what was used, whenever the power is cut.
  struct State {
    std::string boot_id;
    BootTime ends{0};                   // In that boot.
    BootTime left{0};                   // Until then, when this was written.
    std::optional<WallTime> ends_wall;  // If the clock was synchronised in this period.
    uint64_t charged = 0;
  };

  // A period begins now. `clock` outlives the budget.
  ByteBudget(BudgetLimit limit, const Clock& clock);
  // Goes on with a stored period: everything charged counts as used. In another boot, whose
  // beginning nobody knows, the period ends when a synchronised clock says so, and else after what
  // was left of it: a reboot alone refills nothing, and no wrong clock makes a period longer.
  void Restore(const State& state);
  // `charged` is for the caller to decide.
  State Save(uint64_t charged) const;

  // Begins the next period if this one is over. Returns whether it has.
  bool Follow();
  void Use(uint64_t bytes) { used_ += bytes; }

  const BudgetLimit& limit() const { return limit_; }
  uint64_t used() const { return used_; }
  uint64_t left() const { return limit_.bytes > used_ ? limit_.bytes - used_ : 0; }
  BootTime ends() const { return ends_; }
  // Whether the end is one of the wall clock's.
  bool aligned() const { return aligned_; }

 private:
  void Begin();
  void Align();

  BudgetLimit limit_;
  const Clock& clock_;
  uint64_t used_ = 0;
  BootTime ends_{0};
  std::optional<WallTime> ends_wall_;
  bool aligned_ = false;
};

}  // namespace tidegate
