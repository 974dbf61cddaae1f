#include "core/check.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace tidegate {

void CheckFailed(const char* expression, const char* message, const char* file, int line) noexcept {
  // sd-daemon(3): SD_CRIT. Not through Log, which allocates: the heap may be what is broken.
  // A compiler cache may have made the path relative.
  while (std::strncmp(file, "../", 3) == 0) file += 3;
  const char* const prefix = std::getenv("JOURNAL_STREAM") != nullptr ? "<2>" : "";
  std::array<char, 1024> text{};
  const int length = std::snprintf(text.data(), text.size(), "%scheck failed: %s (%s) at %s:%d\n",
                                   prefix, message, expression, file, line);
  const size_t size = std::clamp<size_t>(static_cast<size_t>(length), 0, text.size() - 1);
  // If standard error is closed, there is no other place to report the failure.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), size);
  std::abort();
}

}  // namespace tidegate
