#include "drivers/serial/line_framer.h"

#include <algorithm>

#include "core/check.h"

namespace tidegate {

LineFramer::LineFramer(size_t max_line_bytes) : max_line_bytes_(max_line_bytes) {
  CHECK(max_line_bytes > 0, "a line may have bytes");
}

void LineFramer::Feed(std::string_view bytes) {
  CHECK(position_ == 0 && scanned_ == buffer_.size(), "Next() has returned every whole line");
  if (skipping_) {
    const size_t end = bytes.find('\n');
    if (end == std::string_view::npos) return;
    bytes.remove_prefix(end + 1);
    skipping_ = false;
  }
  buffer_.append(bytes);
}

std::optional<std::string_view> LineFramer::Next() {
  while (true) {
    CHECK(position_ <= scanned_ && scanned_ <= buffer_.size(), "the cursors are in order");
    const size_t end = buffer_.find('\n', scanned_);
    const size_t size = (end == std::string::npos ? buffer_.size() : end) - position_;
    // A CR before the LF does not count, so a line that has not ended may be one byte longer.
    const bool overlong = size > max_line_bytes_ + 1;
    if (end == std::string::npos) {
      buffer_.erase(0, position_);
      position_ = 0;
      scanned_ = buffer_.size();
      if (overlong) {
        ++overlong_;
        skipping_ = true;
        buffer_.clear();
        scanned_ = 0;
      }
      CHECK(buffer_.size() <= max_line_bytes_ + 1, "at most one line of the limit is buffered");
      return std::nullopt;
    }
    std::string_view line = std::string_view(buffer_).substr(position_, size);
    position_ = scanned_ = end + 1;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.size() > max_line_bytes_) {
      ++overlong_;
    } else if (line.find_first_not_of(" \t\r") != std::string_view::npos) {
      return line;
    }
  }
}

bool LineFramer::DropUnfinished() {
  const size_t end = buffer_.rfind('\n');
  const size_t kept = std::max(position_, end == std::string::npos ? 0 : end + 1);
  // A line that is being skipped has been counted as overlong.
  const bool had_begun = buffer_.size() > kept;
  skipping_ = false;
  buffer_.resize(kept);
  scanned_ = std::min(scanned_, kept);
  return had_begun;
}

}  // namespace tidegate
