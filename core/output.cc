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

int FinishOutput(int code) {
  const bool is_flushed = std::fflush(stdout) == 0;
  if (!is_flushed) Report(errno);
  // A network file system may report only here that it could not write. A program whose standard
  // output was closed from the start has lost nothing if it printed nothing.
  const bool is_closed = close(STDOUT_FILENO) == 0 || errno == EBADF;
  if (!is_closed) Report(errno);
  const bool is_whole = is_flushed && is_closed && std::ferror(stdout) == 0;
  return is_whole || code != 0 ? code : kExitFailed;
}

}  // namespace tidegate
