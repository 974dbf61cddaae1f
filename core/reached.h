// Marks of rare branches, for tests: REACHED("name") counts that the branch was taken, and
// AllMarks() has every mark of the program, also those that were never reached, so that a run of
// the simulation can say what it has not tried. Compiled in where the tests are; elsewhere a mark
// is nothing. Any thread.
#pragma once

#ifdef TIDEGATE_REACHED

#include <atomic>
#include <cstdint>
#include <span>

namespace tidegate {

struct Mark {
  const char* name;
  std::atomic<uint64_t> count;
};

}  // namespace tidegate

extern "C" {
// The linker sets these around a section whose name is an identifier (ld(1), "Input Section
// Example").
extern tidegate::Mark __start_tidegate_marks[];  // NOLINT
extern tidegate::Mark __stop_tidegate_marks[];   // NOLINT
}

namespace tidegate {

// REQUIRES: the program has a mark.
inline std::span<Mark> AllMarks() {
  return {__start_tidegate_marks, __stop_tidegate_marks};
}

}  // namespace tidegate

// Only in functions that are compiled once: neither in templates nor in headers.
#define REACHED(name)                                                                    \
  do {                                                                                   \
    [[gnu::section("tidegate_marks"), gnu::used]] static ::tidegate::Mark mark{name, 0}; \
    mark.count.fetch_add(1, std::memory_order_relaxed);                                  \
  } while (false)

#else

#define REACHED(name) static_cast<void>(0)

#endif
