#include "core/clock.h"

#include <sys/timex.h>
#include <time.h>

#include <algorithm>
#include <fstream>

namespace tidegate {

namespace {
constexpr auto kAnswerHolds = std::chrono::milliseconds(50);
// A smaller difference may be the time between the two clock readings.
constexpr auto kSmallestStep = std::chrono::milliseconds(10);

std::string ReadBootId() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  file >> id;
  std::erase(id, '-');
  if (id.size() != 32) id.assign(32, '0');
  return id;
}

std::chrono::nanoseconds Read(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

bool KernelSaysSynced() {
  timex request{};
  return adjtimex(&request) >= 0 && (request.status & STA_UNSYNC) == 0;
}
}  // namespace

SystemClock::SystemClock() : boot_id_(ReadBootId()) {}

WallTime SystemClock::Now() const {
  return WallTime(std::chrono::duration_cast<std::chrono::milliseconds>(Read(CLOCK_REALTIME)));
}

BootTime SystemClock::SinceBoot() const {
  return Read(CLOCK_BOOTTIME);
}

// The system call costs microseconds, and every record asks. An answer is reused for kAnswerHolds,
// unless the wall clock was set since.
bool SystemClock::Synced() const {
  const BootTime now = Read(CLOCK_BOOTTIME);
  const std::chrono::nanoseconds offset = Read(CLOCK_REALTIME) - now;
  const std::lock_guard lock(mutex_);
  if (asked_.before && now - asked_.at < kAnswerHolds &&
      std::chrono::abs(offset - asked_.offset) < kSmallestStep) {
    return asked_.synced;
  }
  asked_ = {now, offset, KernelSaysSynced(), true};
  return asked_.synced;
}

}  // namespace tidegate
