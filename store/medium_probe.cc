#include "store/medium_probe.h"

#include <algorithm>
#include <array>
#include <bit>
#include <span>

#include "core/check.h"
#include "store/salvage/byte_source.h"

namespace tidegate {

bool MediumProbe::FindsDamage() {
  ++errors_;
  if (!next_ && errors_ >= kErrors && std::has_single_bit(errors_)) next_ = Place();
  return next_ && !ReadsPart();
}

void MediumProbe::Reset() {
  errors_ = 0;
  next_.reset();
}

bool MediumProbe::ReadsPart() {
  CHECK(next_.has_value(), "a part begins somewhere");
  for (uint64_t left = kPartBytes;;) {
    if (!ReadsFile(left)) return false;
    if (left == 0) return true;
    if (next_->is_in_log) break;
    next_ = Place{.is_in_log = true, .offset = 0};
  }
  next_.reset();
  return true;
}

// A file that does not open proves nothing: it may be missing, or the disk not be there for now.
bool MediumProbe::ReadsFile(uint64_t& left) {
  const bool is_log = next_->is_in_log;
  auto file = FileBytes::Open(is_log ? path_ + "-wal" : path_, vfs_, is_log);
  if (!file.ok()) return true;
  std::array<char, 4096> block;
  for (uint64_t& at = next_->offset; at < (*file)->size() && left > 0; at += block.size()) {
    const auto bytes = std::min<uint64_t>(block.size(), (*file)->size() - at);
    if (!(*file)->Read(at, std::span(block).first(bytes))) return false;
    left -= std::min(left, bytes);
  }
  return true;
}

}  // namespace tidegate
