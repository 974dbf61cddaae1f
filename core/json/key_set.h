// A set of the keys of one object. Its cost is linear in their bytes, whatever the keys are: a
// seeded hash, so that a sender cannot choose keys that collide. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace tidegate::json {

class KeySet {
 public:
  // False: the key is in the set already. Keeps the view. REQUIRES: the view is of a text, as every
  // key of a Value is.
  bool Insert(std::string_view key);
  bool Contains(std::string_view key) const;

 private:
  // Up to here comparing with every key is cheaper than a hash, and needs no memory.
  static constexpr size_t kFew = 16;

  void Grow();
  // Returns the slot that holds the key, or the free one where it belongs.
  size_t SlotOf(std::string_view key) const;

  size_t size_ = 0;
  std::array<std::string_view, kFew> few_;
  // Empty while there are few keys; then a power of two, and at least half of them are free.
  std::vector<std::string_view> slots_;
  // Drawn from an address, which the loader makes different in each process.
  uint64_t seed_ = 0;
};

}  // namespace tidegate::json
