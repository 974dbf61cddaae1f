// Notices that the consumer of a partition goes back by itself, which Kafka has it do when the log
// was made anew or truncated. One thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

namespace tidegate::reader {

class BackWatch {
 public:
  // A message was delivered.
  void OnMessage(int64_t offset) {
    if (!follows_) return;
    if (offset <= newest_) went_back_to_ = std::min(offset, went_back_to_.value_or(offset));
    newest_ = offset;
  }
  // The consumer was told to continue at that offset. If it did not answer, it may do so at any
  // time, so that nothing is noticed before the next call.
  void OnSeek(int64_t offset, bool done) {
    newest_ = offset - 1;
    follows_ = done;
  }
  // The least offset to which it has gone back since Settle(); no value: it has not.
  std::optional<int64_t> went_back_to() const { return went_back_to_; }
  // Whether the log is another one was found out.
  void Settle() { went_back_to_.reset(); }

 private:
  // The offset that was delivered last.
  int64_t newest_ = -1;
  // No Seek is in doubt.
  bool follows_ = true;
  std::optional<int64_t> went_back_to_;
};

}  // namespace tidegate::reader
