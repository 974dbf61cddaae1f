// Checks that stay on in every build, release included. A failed check is a bug of ours: it writes
// one line with the expression, the message, the file and the line to standard error, and aborts.
// systemd then starts the program again, and nothing that was acknowledged is lost. Bytes from a
// device, the network, a file or the environment never reach a check: they get an Error. Any
// thread.
#pragma once

namespace tidegate {

// Writes the line, in the form that the journal expects where it reads standard error, and aborts.
// Allocates nothing.
[[noreturn, gnu::cold]] void CheckFailed(const char* expression, const char* message,
                                         const char* file, int line) noexcept;

}  // namespace tidegate

// `message` is a string literal that says what must hold, for the person who reads the journal. The
// condition is evaluated exactly once, so it may have no side effect that matters: cheap
// comparisons only, because every record passes dozens of them.
#define CHECK(condition, message)                                         \
  (__builtin_expect(!(condition), 0)                                      \
       ? ::tidegate::CheckFailed(#condition, message, __FILE__, __LINE__) \
       : static_cast<void>(0))
