// A clock that only the test moves. One thread.
#pragma once

#include <chrono>
#include <string>

#include "core/clock.h"

namespace tidegate {

class FakeClock final : public Clock {
 public:
  WallTime Now() const override { return wall_; }
  BootTime SinceBoot() const override { return since_boot_; }
  bool Synced() const override { return synced_; }
  const std::string& BootId() const override { return boot_id_; }

  // Moves both clocks.
  void Advance(std::chrono::nanoseconds duration);
  // Sets the wall clock; the time since boot does not change.
  void SetWall(WallTime wall);
  void StepWall(std::chrono::milliseconds step) { SetWall(wall_ + step); }
  void SetSynced(bool synced) { synced_ = synced; }
  // Starts a new boot, with the given id or the next of a series, and with a new time since boot.
  void Reboot(std::string boot_id = {}, BootTime since_boot = std::chrono::seconds(10));

 private:
  WallTime wall_ = std::chrono::sys_days{std::chrono::year{2025} / 6 / 23};
  // The part of Advance() that is not in wall_ yet, below a millisecond.
  std::chrono::nanoseconds wall_remainder_{0};
  BootTime since_boot_ = std::chrono::hours(1);
  bool synced_ = true;
  std::string boot_id_ = "0000000000000000000000000000b001";
  int boots_ = 1;
};

}  // namespace tidegate
