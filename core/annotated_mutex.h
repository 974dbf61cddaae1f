// A mutex that clang's thread safety analysis understands (-Wthread-safety). With other compilers
// the annotations are empty. Any thread.
#pragma once

#include <mutex>

#if defined(__clang__)
#define TIDEGATE_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define TIDEGATE_THREAD_ANNOTATION(x)
#endif
#define TIDEGATE_GUARDED_BY(x) TIDEGATE_THREAD_ANNOTATION(guarded_by(x))
#define TIDEGATE_REQUIRES(x) TIDEGATE_THREAD_ANNOTATION(requires_capability(x))

namespace tidegate {

// Not recursive.
class TIDEGATE_THREAD_ANNOTATION(capability("mutex")) AnnotatedMutex {
 public:
  void Lock() TIDEGATE_THREAD_ANNOTATION(acquire_capability()) { mutex_.lock(); }
  void Unlock() TIDEGATE_THREAD_ANNOTATION(release_capability()) { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

// Holds the mutex while it lives.
class TIDEGATE_THREAD_ANNOTATION(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(AnnotatedMutex& mutex) TIDEGATE_THREAD_ANNOTATION(acquire_capability(mutex))
      : mutex_(mutex) {
    mutex_.Lock();
  }
  ~MutexLock() TIDEGATE_THREAD_ANNOTATION(release_capability()) { mutex_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  AnnotatedMutex& mutex_;
};

}  // namespace tidegate
