#include "core/output.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace tidegate {

namespace {
constexpr int kExitFailed = 1;

void Report(int cause) {
  std::fprintf(stderr, "%s: write standard output: %s\n", program_invocation_short_name,
               std::strerror(cause));
}
}  // namespace

bool Print(std::string_view text) {
  const bool has_failed = std::ferror(stdout) != 0;
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size()) return !has_failed;
  if (!has_failed) Report(errno);
  return false;
}

bool FlushOutput() {
  const bool has_failed = std::ferror(stdout) != 0;
  if (std::fflush(stdout) == 0) return !has_failed;
  if (!has_failed) Report(errno);
  return false;
}

int FinishOutput(int code) {
  const bool is_flushed = FlushOutput();
  // A network file system may report only here that it could not write. A program whose standard
  // output was closed from the start has lost nothing if it printed nothing.
  const bool is_closed = close(STDOUT_FILENO) == 0 || errno == EBADF;
  if (!is_closed) Report(errno);
  return (is_flushed && is_closed) || code != 0 ? code : kExitFailed;
}

}  // namespace tidegate
