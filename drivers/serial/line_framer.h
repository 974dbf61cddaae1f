// Cuts a byte stream into lines at LF, CR before it taken off. Memory is bounded: of a line over
// the limit nothing is kept, and reading goes on after its end. Pure; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tidegate {

class LineFramer {
 public:
  // A line, without its end, may have `max_line_bytes`.
  explicit LineFramer(size_t max_line_bytes) : max_line_bytes_(max_line_bytes) {}

  // Takes the next bytes of the stream. REQUIRES: Next() has returned nullopt.
  void Feed(std::string_view bytes);
  // The next whole line; blank ones are left out. Valid until the next call of Feed() or Next().
  std::optional<std::string_view> Next();
  // The stream has a gap here: forgets the line that has begun. True if there was one.
  bool DropUnfinished();

  // Lines dropped because they were too long.
  uint64_t overlong() const { return overlong_; }
  size_t buffered_bytes() const { return buffer_.size() - position_; }

 private:
  bool skipping_ = false;  // Inside a line that is too long.
  size_t max_line_bytes_;
  size_t position_ = 0;  // Of the first byte not yet given out.
  size_t scanned_ = 0;   // Up to here there is no LF after position_.
  std::string buffer_;
  uint64_t overlong_ = 0;
};

}  // namespace tidegate
