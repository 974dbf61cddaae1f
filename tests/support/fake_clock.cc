#include "tests/support/fake_clock.h"

#include <fmt/format.h>

#include <utility>

namespace tidegate {

void FakeClock::Advance(std::chrono::nanoseconds duration) {
  since_boot_ += duration;
  wall_remainder_ += duration;
  const auto whole = std::chrono::floor<std::chrono::milliseconds>(wall_remainder_);
  wall_ += whole;
  wall_remainder_ -= whole;
}

void FakeClock::SetWall(WallTime wall) {
  wall_ = wall;
  wall_remainder_ = std::chrono::nanoseconds::zero();
}

void FakeClock::Reboot(std::string boot_id, BootTime since_boot) {
  ++boots_;
  boot_id_ = boot_id.empty() ? fmt::format("{:032x}", 0xb000 + boots_) : std::move(boot_id);
  since_boot_ = since_boot;
}

}  // namespace tidegate
