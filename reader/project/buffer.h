// The messages that a projector has polled and not folded, in the order of their arrival. Those
// that have not landed wait here. Partitions share the room: one that waits is to be paused when it
// holds more than its share, so that the others still have theirs. One thread.
//
// Invariant, guarded by a CHECK where it changes: the weights are the sums over the messages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "core/clock.h"
#include "reader/consume/source.h"
#include "reader/database/document.h"

namespace tidegate::reader {

class Buffer {
 public:
  // What may be folded at a time. Twice as much may wait.
  struct Limits {
    size_t records;
    size_t bytes;
    // Parsed JSON values.
    size_t values;
  };
  struct Item {
    Partition partition;
    int64_t offset = 0;
    size_t bytes = 0;
    size_t values = 0;
    // When it was buffered.
    BootTime since{};
    // Without one, the message did not decode and cannot have landed.
    std::optional<Document> document = std::nullopt;
    uint64_t weight = 0;
    // It was not ready, or not finished, when the others were folded.
    bool waits = false;
    // It is folded; it is finished together with the others.
    bool folded = false;
  };
  // Partitions that are to be paused and resumed.
  struct Turn {
    std::vector<Partition> pause;
    std::vector<Partition> resume;
  };

  // REQUIRES: no limit is 0.
  explicit Buffer(Limits limits) : limits_(limits) {}

  void Add(Item item);
  bool empty() const { return items_.empty(); }
  size_t size() const { return items_.size(); }
  // True if what does not wait reaches a limit.
  bool Full() const;
  std::span<Item> items() { return items_; }

  // Moves the items for which `is_ready` is true to the front, in their order. Returns how many.
  size_t MoveToFront(const std::function<bool(const Item&)>& is_ready);
  // Removes the first `count` items.
  void RemoveFront(size_t count);
  // Removes the items of the partition, which counts as not paused. Returns how many there were.
  size_t Remove(const Partition& partition);
  // What is left waits. `assigned` is the number of partitions that share the room.
  Turn Balance(size_t assigned);
  const std::set<Partition>& paused() const { return paused_; }

 private:
  uint64_t WeightOf(const Item& item) const;
  void Take(const Item& item);
  void CheckWeights() const;

  const Limits limits_;
  std::vector<Item> items_;
  // The weight of the items that wait, of each partition and of all, and of those that do not.
  std::map<Partition, uint64_t> waiting_;
  uint64_t all_waiting_ = 0;
  uint64_t fresh_ = 0;
  std::set<Partition> paused_;
};

}  // namespace tidegate::reader
