// Chooses the class that sends next: alerts, then gaps, then heartbeats and readings, which share
// the link. While both of these wait, the live one (with the smaller backlog) gets its share of the
// bytes, and the other one the rest; otherwise the one that waits gets all. The queues of
// a class take turns. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>

#include "core/clock.h"
#include "core/record.h"
#include "uplink/class_queue.h"

namespace tidegate {

class TurnOrder {
 public:
  // The live class's share of the link. 0: the larger backlog goes first.
  // REQUIRES: live_percent <= 100.
  explicit TurnOrder(unsigned live_percent);

  // Returns the queue whose turn it is, which has a batch to send; nullptr: no queue has one.
  // REQUIRES: a queue for each class, in the order of RecordClass.
  ClassQueue* Next(std::list<ClassQueue>& queues, BootTime now);
  // Charges a sent record to its class.
  void Sent(RecordClass record_class, size_t bytes);

 private:
  // Returns the queue of the class that can send and was served least recently; nullptr: none can.
  static ClassQueue* FirstOf(std::list<ClassQueue>& queues, RecordClass record_class, BootTime now);
  ClassQueue* Serve(ClassQueue* queue);

  const int64_t live_percent_;
  // While heartbeats and readings both wait: the one with the smaller backlog.
  std::optional<RecordClass> live_;
  // What the live class may still send before the other one, in hundredths of a byte.
  int64_t owed_to_live_ = 0;
  // Turns so far.
  uint64_t served_ = 0;
};

}  // namespace tidegate
