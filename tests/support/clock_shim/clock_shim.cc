// A wall clock that a test sets, for a program that is not ours to change: preloaded (ld.so(8)), it
// moves CLOCK_REALTIME by what a small file says, and answers for the kernel whether that clock is
// synchronised. The monotonic clocks and the time since boot stay the kernel's, as they do when a
// real clock is set. $CLOCK_SHIM_FILE holds "<milliseconds to add> <synced|unsynced>" and is read
// at each call; replace it by renaming. Without it nothing is moved.
//
// Waits until a time of the wall clock (on condition variables) follow it, too: one that is set
// back prolongs them, as the kernel does. What has been asked of the kernel already, or goes there
// without the C library, keeps the real clock.
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>

namespace {

constexpr int64_t kSecond = 1'000'000'000;
// How late a wait may notice that the clock was set.
constexpr int64_t kSlice = kSecond / 20;

struct Shift {
  bool given = false;
  bool synced = false;
  int64_t nanoseconds = 0;
};

// Async-signal-safe, and leaves errno alone: clock_gettime may be called from anywhere.
Shift ReadShift() {
  Shift shift;
  const int saved = errno;
  const char* path = getenv("CLOCK_SHIM_FILE");
  const int fd = path == nullptr ? -1 : open(path, O_RDONLY | O_CLOEXEC);
  if (fd >= 0) {
    char text[64] = {};
    const ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    char* end = text;
    const int64_t milliseconds = size > 0 ? strtoll(text, &end, 10) : 0;
    shift = {end != text, strncmp(end, " synced", 7) == 0, milliseconds * 1'000'000};
  }
  errno = saved;
  return shift;
}

int64_t Count(const timespec& time) {
  return static_cast<int64_t>(time.tv_sec) * kSecond + time.tv_nsec;
}

timespec Time(int64_t count) {
  timespec time{};
  time.tv_sec = static_cast<time_t>(count / kSecond);
  time.tv_nsec = static_cast<long>(count % kSecond);
  if (time.tv_nsec < 0) {
    --time.tv_sec;
    time.tv_nsec += kSecond;
  }
  return time;
}

int64_t KernelTime(clockid_t clock) {
  timespec now{};
  syscall(SYS_clock_gettime, clock, &now);
  return Count(now);
}

int64_t WallTime() {
  return KernelTime(CLOCK_REALTIME) + ReadShift().nanoseconds;
}

bool IsWall(clockid_t clock) {
  return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
}

// Which clock a condition variable waits by is what glibc notes in this bit.
bool WaitsByWall(const pthread_cond_t* condition) {
  return (condition->__data.__wrefs & 2) == 0;
}

// Of the kernel's answer only what the file speaks of is changed.
int AnswerForKernel(timex* request) {
  const long state = syscall(SYS_adjtimex, request);
  const Shift shift = ReadShift();
  if (state < 0 || !shift.given) return static_cast<int>(state);
  request->status = shift.synced ? request->status & ~STA_UNSYNC : request->status | STA_UNSYNC;
  return shift.synced ? TIME_OK : TIME_ERROR;
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* now) noexcept {
  const long result = syscall(SYS_clock_gettime, clock, now);
  if (result == 0 && IsWall(clock)) *now = Time(Count(*now) + ReadShift().nanoseconds);
  return static_cast<int>(result);
}

int gettimeofday(timeval* now, void*) noexcept {
  const timespec time = Time(WallTime());
  now->tv_sec = time.tv_sec;
  now->tv_usec = time.tv_nsec / 1000;
  return 0;
}

time_t time(time_t* now) noexcept {
  const time_t seconds = Time(WallTime()).tv_sec;
  if (now != nullptr) *now = seconds;
  return seconds;
}

int timespec_get(timespec* now, int base) noexcept {
  if (base != TIME_UTC) return 0;
  *now = Time(WallTime());
  return base;
}

int adjtimex(timex* request) noexcept {
  return AnswerForKernel(request);
}

int ntp_adjtime(timex* request) noexcept {
  return AnswerForKernel(request);
}

int pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex,
                           const timespec* until) {
  if (!WaitsByWall(condition))
    return pthread_cond_clockwait(condition, mutex, CLOCK_MONOTONIC, until);
  for (;;) {
    const int64_t left = Count(*until) - WallTime();
    if (left <= 0) return ETIMEDOUT;
    const timespec slice = Time(KernelTime(CLOCK_MONOTONIC) + (left < kSlice ? left : kSlice));
    const int result = pthread_cond_clockwait(condition, mutex, CLOCK_MONOTONIC, &slice);
    if (result != ETIMEDOUT) return result;
  }
}

// The C11 types are the POSIX ones in glibc.
int cnd_timedwait(cnd_t* condition, mtx_t* mutex, const timespec* until) {
  const int result = pthread_cond_timedwait(reinterpret_cast<pthread_cond_t*>(condition),
                                            reinterpret_cast<pthread_mutex_t*>(mutex), until);
  if (result == 0) return thrd_success;
  return result == ETIMEDOUT ? thrd_timedout : thrd_error;
}

}  // extern "C"
