#include "uplink/turn_order.h"

#include <iterator>

#include "core/check.h"

namespace tidegate {

TurnOrder::TurnOrder(unsigned live_percent) : live_percent_(live_percent) {
  CHECK(live_percent <= 100, "a share is at most the whole link");
}

// Seqs count across classes, so the class whose next batch has the larger seq has the smaller
// backlog.
ClassQueue* TurnOrder::Next(std::list<ClassQueue>& queues, BootTime now) {
  CHECK(queues.size() == kRecordClassCount, "each class has a queue");
  for (ClassQueue& queue : queues) {
    if (queue.urgent() && queue.FirstSendable(now) != nullptr) return &queue;
  }
  ClassQueue& heartbeats = *std::next(queues.begin(), static_cast<int>(RecordClass::kHeartbeat));
  ClassQueue& readings = *std::next(queues.begin(), static_cast<int>(RecordClass::kReading));
  const TrackedBatch* heartbeat = heartbeats.FirstSendable(now);
  const TrackedBatch* reading = readings.FirstSendable(now);
  if (heartbeat != nullptr && reading != nullptr) {
    const bool reading_is_live = reading->first_seq >= heartbeat->first_seq;
    live_ = reading_is_live ? RecordClass::kReading : RecordClass::kHeartbeat;
    const bool live_is_next = owed_to_live_ > 0;
    return reading_is_live == live_is_next ? &readings : &heartbeats;
  }
  // One that waits only for its share of what may be in flight keeps its share of the link.
  const bool one_waits =
      heartbeat != nullptr ? !readings.NextIsBusy(now) : !heartbeats.NextIsBusy(now);
  if (one_waits) {
    live_.reset();
    owed_to_live_ = 0;
  }
  if (heartbeat != nullptr) return &heartbeats;
  return reading != nullptr ? &readings : nullptr;
}

void TurnOrder::Sent(RecordClass record_class, size_t bytes) {
  if (!live_) return;
  const auto sent = static_cast<int64_t>(bytes);
  owed_to_live_ += record_class == *live_ ? -sent * (100 - live_percent_) : sent * live_percent_;
}

}  // namespace tidegate
