// Divides the link between two kinds of records that both wait: what is behind, and what is live
// (or less far behind). While both wait, the live kind gets its share of the bytes; otherwise the
// one that waits gets all. One thread.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tidegate {

class LiveShare {
 public:
  // Of the link, 0 to 100; 0: what is behind goes first.
  explicit LiveShare(unsigned percent) : percent_(percent) {}

  bool LiveIsNext() const { return owed_ > 0; }
  void Sent(bool live, size_t bytes) {
    const auto sent = static_cast<int64_t>(bytes);
    owed_ += live ? -sent * (100 - static_cast<int64_t>(percent_))
                  : sent * static_cast<int64_t>(percent_);
  }
  // Only one kind waits: nothing is owed.
  void Clear() { owed_ = 0; }

 private:
  unsigned percent_;
  int64_t owed_ = 0;  // To the live kind, in hundredths of a byte.
};

}  // namespace tidegate
