// The three clocks that a gateway has: a wall clock that may be wrong, a count since boot that
// never steps back, and the kernel's word on whether the wall clock is synchronised. Any thread.
#pragma once

#include <chrono>
#include <mutex>
#include <string>

namespace tidegate {

// Unix time in milliseconds, the resolution of the record format.
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;
// Time since boot, suspend included (CLOCK_BOOTTIME). Intervals, deadlines and backoff use this and
// never WallTime.
using BootTime = std::chrono::nanoseconds;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime Now() const = 0;
  virtual BootTime SinceBoot() const = 0;
  // True if the kernel says that the wall clock follows a reference (adjtimex(2): not STA_UNSYNC).
  virtual bool Synced() const = 0;
  // Changes with every boot; 32 lower-case hex digits.
  virtual const std::string& BootId() const = 0;
};

class SystemClock final : public Clock {
 public:
  SystemClock();
  WallTime Now() const override;
  BootTime SinceBoot() const override;
  bool Synced() const override;
  const std::string& BootId() const override { return boot_id_; }

 private:
  struct Asked {
    BootTime at{};
    std::chrono::nanoseconds offset{};  // Of the wall clock to the time since boot.
    bool synced = false;
    bool before = false;
  };

  std::string boot_id_;
  mutable std::mutex mutex_;
  mutable Asked asked_;  // Guarded by mutex_.
};

}  // namespace tidegate
