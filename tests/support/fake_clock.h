// A clock that moves only when a test says so. One thread.
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

  // Time passes: on both clocks.
  void Advance(std::chrono::nanoseconds duration);
  // The wall clock is set; the time since boot does not notice.
  void SetWall(WallTime wall);
  void StepWall(std::chrono::milliseconds step) { SetWall(wall_ + step); }
  void SetSynced(bool synced) { synced_ = synced; }
  // A new boot: another id (given, or the next of a series), and the time since boot starts anew.
  void Reboot(std::string boot_id = {}, BootTime since_boot = std::chrono::seconds(10));

 private:
  WallTime wall_ = std::chrono::sys_days{std::chrono::year{2025} / 6 / 23};
  std::chrono::nanoseconds wall_remainder_{0};  // Of Advance() below a millisecond.
  BootTime since_boot_ = std::chrono::hours(1);
  bool synced_ = true;
  std::string boot_id_ = "0000000000000000000000000000b001";
  int boots_ = 1;
};

}  // namespace tidegate
