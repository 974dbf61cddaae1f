#include "uplink/turn_order.h"

#include <iterator>

#include "core/check.h"

namespace tidegate {

TurnOrder::TurnOrder(unsigned live_percent) : live_percent_(live_percent) {
  CHECK(live_percent <= 100, "a share is at most the whole link");
}

ClassQueue* TurnOrder::FirstOf(std::list<ClassQueue>& queues, RecordClass record_class,
                               BootTime now) {
  ClassQueue* first = nullptr;
  for (ClassQueue& queue : queues) {
    if (queue.record_class() != record_class || queue.FirstSendable(now) == nullptr) continue;
    if (first == nullptr || queue.served() < first->served()) first = &queue;
  }
  return first;
}

ClassQueue* TurnOrder::Serve(ClassQueue* queue) {
  queue->Serve(++served_);
  return queue;
}

// Seqs count across classes, so the class whose next batch has the larger seq has the smaller
// backlog.
ClassQueue* TurnOrder::Next(std::list<ClassQueue>& queues, BootTime now) {
  CHECK(queues.size() >= kRecordClassCount, "each class has a queue");
  for (const RecordClass urgent : {RecordClass::kAlert, RecordClass::kGap}) {
    if (ClassQueue* queue = FirstOf(queues, urgent, now)) return Serve(queue);
  }
  ClassQueue* heartbeats = FirstOf(queues, RecordClass::kHeartbeat, now);
  ClassQueue* readings = FirstOf(queues, RecordClass::kReading, now);
  if (heartbeats != nullptr && readings != nullptr) {
    const bool reading_is_live =
        readings->FirstSendable(now)->first_seq >= heartbeats->FirstSendable(now)->first_seq;
    live_ = reading_is_live ? RecordClass::kReading : RecordClass::kHeartbeat;
    const bool live_is_next = owed_to_live_ > 0;
    return Serve(reading_is_live == live_is_next ? readings : heartbeats);
  }
  // One that waits only for its share of what may be in flight keeps its share of the link.
  const RecordClass other = heartbeats != nullptr ? RecordClass::kReading : RecordClass::kHeartbeat;
  if (!std::next(queues.begin(), static_cast<int>(other))->NextIsBusy(now)) {
    live_.reset();
    owed_to_live_ = 0;
  }
  ClassQueue* const only = heartbeats != nullptr ? heartbeats : readings;
  return only != nullptr ? Serve(only) : nullptr;
}

void TurnOrder::Sent(RecordClass record_class, size_t bytes) {
  if (!live_) return;
  const auto sent = static_cast<int64_t>(bytes);
  owed_to_live_ += record_class == *live_ ? -sent * (100 - live_percent_) : sent * live_percent_;
}

}  // namespace tidegate
