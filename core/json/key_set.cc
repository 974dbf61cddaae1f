#include "core/json/key_set.h"

#include <xxhash.h>

#include <algorithm>
#include <utility>

#include "core/check.h"

namespace tidegate::json {

bool KeySet::Insert(std::string_view key) {
  CHECK(key.data() != nullptr, "a key is a view of a text");
  if (Contains(key)) return false;
  if (slots_.empty() && size_ < kFew) {
    few_[size_++] = key;
    return true;
  }
  if (2 * (size_ + 1) > slots_.size()) Grow();
  slots_[SlotOf(key)] = key;
  ++size_;
  return true;
}

bool KeySet::Contains(std::string_view key) const {
  if (!slots_.empty()) return slots_[SlotOf(key)].data() != nullptr;
  const auto end = few_.begin() + static_cast<std::ptrdiff_t>(size_);
  return std::find(few_.begin(), end, key) != end;
}

void KeySet::Grow() {
  const std::vector<std::string_view> keys =
      slots_.empty() ? std::vector(few_.begin(), few_.end()) : std::exchange(slots_, {});
  slots_.resize(std::max(4 * kFew, 2 * keys.size()));
  seed_ = reinterpret_cast<uintptr_t>(this) ^ reinterpret_cast<uintptr_t>(slots_.data());
  for (std::string_view key : keys) {
    if (key.data() != nullptr) slots_[SlotOf(key)] = key;
  }
}

size_t KeySet::SlotOf(std::string_view key) const {
  const size_t mask = slots_.size() - 1;
  size_t at = XXH64(key.data(), key.size(), seed_) & mask;
  while (slots_[at].data() != nullptr && slots_[at] != key) at = (at + 1) & mask;
  return at;
}

}  // namespace tidegate::json
