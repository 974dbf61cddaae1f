// Cuts a byte stream into lines at LF, without the LF and a CR before it. Memory is bounded: a line
// over the limit is dropped and counted, and framing continues after its end. Pure; one thread.
//
// Invariants, checked in line_framer.cc: position <= scanned <= size of the buffer; once Next() has
// returned nullopt, at most one line of the limit is buffered.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tidegate {

class LineFramer {
 public:
  // `max_line_bytes`: the limit of a line without its end. REQUIRES: over 0.
  explicit LineFramer(size_t max_line_bytes);

  // Appends the next bytes of the stream. REQUIRES: Next() has returned nullopt since the last
  // call.
  void Feed(std::string_view bytes);
  // Returns the next whole line and skips blank ones; nullopt if there is none. The view is valid
  // until the next call.
  std::optional<std::string_view> Next();
  // The stream has a gap here: drops the line that has begun, if any, and keeps whole ones. Returns
  // true if it dropped bytes that were not counted as overlong.
  bool DropUnfinished();

  // Lines dropped so far because they were over the limit.
  uint64_t overlong() const { return overlong_; }
  size_t buffered_bytes() const { return buffer_.size() - position_; }

 private:
  const size_t max_line_bytes_;
  // Inside a line over the limit, which is skipped up to its LF.
  bool skipping_ = false;
  std::string buffer_;
  // The first byte that Next() has not returned.
  size_t position_ = 0;
  // There is no LF from position_ up to here.
  size_t scanned_ = 0;
  uint64_t overlong_ = 0;
};

}  // namespace tidegate
