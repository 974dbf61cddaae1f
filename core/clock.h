// What a gateway knows about time: a wall clock that may be wrong, a count since boot that never
// steps back, and whether the kernel considers the wall clock synchronised. Any thread.
#pragma once

#include <chrono>
#include <mutex>
#include <string>

namespace tidegate {

// Unix time in milliseconds, the resolution of the record format.
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;
// Time since boot, including suspended time (CLOCK_BOOTTIME). Intervals, deadlines and backoff use
// this and never WallTime.
using BootTime = std::chrono::nanoseconds;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime Now() const = 0;
  virtual BootTime SinceBoot() const = 0;
  // Returns whether the wall clock follows a reference (adjtimex(2): not STA_UNSYNC). The answer
  // may be 50 ms old, unless the wall clock was set since.
  virtual bool Synced() const = 0;
  // Returns the kernel's id of this boot, 32 lower-case hex digits; all zeros if it cannot be read.
  virtual const std::string& BootId() const = 0;
};

// The clocks of this machine.
class SystemClock final : public Clock {
 public:
  SystemClock();
  WallTime Now() const override;
  BootTime SinceBoot() const override;
  bool Synced() const override;
  const std::string& BootId() const override { return boot_id_; }

 private:
  // The kernel's last answer to Synced().
  struct Asked {
    BootTime at{};
    // Wall clock minus time since boot. A step of it makes the answer invalid.
    std::chrono::nanoseconds offset{};
    bool synced = false;
    // False until the kernel was asked for the first time.
    bool before = false;
  };

  std::string boot_id_;
  mutable std::mutex mutex_;
  mutable Asked asked_;  // Guarded by mutex_.
};

}  // namespace tidegate
