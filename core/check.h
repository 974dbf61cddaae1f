// Checks that stay on in every build, release included. A check that fails is a bug of ours: it
// writes one line with the message, the expression, the file and the line to standard error, and
// aborts. systemd then restarts the program, and nothing that was acknowledged is lost. Bytes from
// a device, the network, a file or the environment are never checked this way: they get an Error.
// Any thread.
#pragma once

namespace tidegate {

// Writes the line, with the journal's priority prefix if the journal reads standard error, and
// aborts. Allocates nothing, because the heap may be what is damaged.
[[noreturn, gnu::cold]] void CheckFailed(const char* expression, const char* message,
                                         const char* file, int line) noexcept;

}  // namespace tidegate

// `message` is a string literal that says what must hold, for the person who reads the journal. The
// condition is evaluated exactly once. It should be a cheap comparison, because every record passes
// dozens of checks.
#define CHECK(condition, message)                                         \
  (__builtin_expect(!(condition), 0)                                      \
       ? ::tidegate::CheckFailed(#condition, message, __FILE__, __LINE__) \
       : static_cast<void>(0))
