#include "core/clock.h"

#include <sys/timex.h>
#include <time.h>

#include <algorithm>
#include <fstream>

namespace tidegate {

namespace {
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
}  // namespace

SystemClock::SystemClock() : boot_id_(ReadBootId()) {}

WallTime SystemClock::Now() const {
  return WallTime(std::chrono::duration_cast<std::chrono::milliseconds>(Read(CLOCK_REALTIME)));
}

BootTime SystemClock::SinceBoot() const {
  return Read(CLOCK_BOOTTIME);
}

bool SystemClock::Synced() const {
  timex request{};
  return adjtimex(&request) >= 0 && (request.status & STA_UNSYNC) == 0;
}

}  // namespace tidegate
