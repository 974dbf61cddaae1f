#include "tests/drivers/serial/scripted_stream.h"

#include <algorithm>

#include "core/check.h"

namespace tidegate {

Status ScriptedStream::Open() {
  Close();
  if (!device_.present) {
    return Error{ErrorCode::kUnavailable, "open scripted: No such file or directory"};
  }
  open_ = device_.open = true;
  ++device_.opens;
  device_.unread.clear();
  device_.errors = {};
  return {};
}

void ScriptedStream::Close() {
  if (open_) device_.open = false;
  open_ = false;
}

Result<size_t> ScriptedStream::Read(std::span<char> buffer) {
  CHECK(open_ && !buffer.empty(), "an open stream is read into a buffer");
  if (!device_.present) return Error{ErrorCode::kUnavailable, "read scripted: hung up"};
  const size_t count = std::min(buffer.size(), device_.unread.size());
  std::copy_n(device_.unread.begin(), count, buffer.begin());
  device_.unread.erase(0, count);
  return count;
}

}  // namespace tidegate
