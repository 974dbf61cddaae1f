// Measures how much work a call is: the instructions of this thread in user mode, which are nearly
// the same in every run. Where the machine does not count them (some virtual machines and
// containers), the thread's CPU time takes their place, as the least of several runs. Linux.
#pragma once

#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <functional>
#include <limits>

#include "core/unique_fd.h"

namespace tidegate {

class WorkMeter {
 public:
  WorkMeter() {
    perf_event_attr attributes{};
    attributes.size = sizeof attributes;
    attributes.type = PERF_TYPE_HARDWARE;
    attributes.config = PERF_COUNT_HW_INSTRUCTIONS;
    attributes.disabled = 1;
    attributes.exclude_kernel = 1;
    attributes.exclude_hv = 1;
    fd_ = UniqueFd(static_cast<int>(::syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0)));
    // Some machines open the counter and never count.
    if (fd_.valid() && Instructions([] {}) == 0) fd_ = UniqueFd();
  }
  // True: instructions are counted.
  bool exact() const { return fd_.valid(); }

  double Measure(const std::function<void()>& call) const {
    double least = std::numeric_limits<double>::max();
    for (int run = 0; run < (exact() ? 2 : 7); ++run)
      least = std::min(least, exact() ? Instructions(call) : CpuTime(call));
    return least;
  }

 private:
  double Instructions(const std::function<void()>& call) const {
    uint64_t count = 0;
    ::ioctl(fd_.get(), PERF_EVENT_IOC_RESET, 0);
    ::ioctl(fd_.get(), PERF_EVENT_IOC_ENABLE, 0);
    call();
    ::ioctl(fd_.get(), PERF_EVENT_IOC_DISABLE, 0);
    if (::read(fd_.get(), &count, sizeof count) != sizeof count) return 0;
    return static_cast<double>(count);
  }
  static double CpuTime(const std::function<void()>& call) {
    const auto now = [] {
      timespec time{};
      ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
      return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
    };
    const double begin = now();
    call();
    return now() - begin;
  }

  UniqueFd fd_;
};

}  // namespace tidegate
