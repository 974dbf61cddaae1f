// Counts the bytes that are used of one period's budget. The end of a period that has begun is kept
// as time since boot, which no step of the wall clock changes; the wall clock, once synchronised,
// only places that end on the hour or at the gateway's midnight. It stores nothing itself: State
// holds what a restart needs. One thread.
//
// Invariants, each with the check that guards it:
//   - used() only grows within a period: Use()
//   - the stored charge is never below what is used: Save()
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/clock.h"
#include "uplink/gate/send_limits.h"

namespace tidegate {

class ByteBudget {
 public:
  // The stored form.
  struct State {
    std::string boot_id;
    // The end of the period, as time since that boot.
    BootTime ends{0};
    // The time left until then when this was written.
    BootTime left{0};
    // The same end by the wall clock, if that was synchronised in this period.
    std::optional<WallTime> ends_wall;
    // Bytes; never less than what was used, whenever the power is cut.
    uint64_t charged = 0;
  };

  // A period begins now. `clock` outlives the budget.
  ByteBudget(BudgetLimit limit, const Clock& clock);
  // Continues a stored period; all that was charged counts as used. After a reboot, whose time
  // nobody knows, the period ends when a synchronised clock says so, and without one after the time
  // that was left: a reboot alone refills nothing, and no wrong clock makes a period longer.
  void Restore(const State& state);
  // REQUIRES: charged >= used().
  State Save(uint64_t charged) const;

  // Begins the next period if this one is over. Returns whether it did.
  bool Follow();
  void Use(uint64_t bytes);

  const BudgetLimit& limit() const { return limit_; }
  uint64_t used() const { return used_; }
  uint64_t left() const { return limit_.bytes > used_ ? limit_.bytes - used_ : 0; }
  // The end of the period, as time since boot.
  BootTime ends() const { return ends_; }
  // Whether that end was placed by a synchronised wall clock.
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
