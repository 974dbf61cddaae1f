// The queues of the forwarder: one for each class, and those of topics that are aside because they
// accept nothing, or too little, and have crowded the main queue of their class. A topic is aside
// until its queue has caught up with the main one. One thread.
//
// Invariants, each with the check that guards it:
//   - a queue aside never reads past the main queue of its class: Fetch()
//   - a batch is delivered when no queue needs it any more: Finish()
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <optional>
#include <utility>

#include "core/clock.h"
#include "core/log.h"
#include "uplink/class_queue.h"
#include "uplink/in_flight.h"
#include "uplink/store_access.h"
#include "uplink/topic_table.h"

namespace tidegate {

class QueueSet {
 public:
  // All references outlive the set.
  QueueSet(const ClassQueue::Options& options, TopicTable& topics, StoreAccess& store,
           InFlight& in_flight, const Clock& clock, const Log& log);

  // The main queues come first, in the order of RecordClass.
  std::list<ClassQueue>& all() { return queues_; }
  const std::list<ClassQueue>& all() const { return queues_; }
  // Topics aside.
  size_t aside() const { return queues_.size() - kRecordClassCount; }
  bool idle() const;

  // Takes crowding topics aside, from time to time. A topic with records in flight leaves first: it
  // is closed until they are reported on.
  void TakeAside(BootTime now);
  // When TakeAside() has something to look for; nullopt: no class is crowded, and no topic leaves.
  std::optional<BootTime> LookAt() const;
  // Ends the queues aside that have caught up. `on_removed` is called before one is removed.
  void TakeBack(const std::function<void(const ClassQueue&)>& on_removed);
  // Reads batches until no queue wants more. Returns false if it has skipped enough for this turn
  // of the loop; the caller calls again in the next one.
  bool Fetch(BootTime now);
  // Begins a turn of the loop.
  void BeginTurn() { skipped_ = 0; }
  // Reports the batches that are done to the store. Returns true if one is delivered, or gone.
  bool Finish();
  // The store may hold gap records that it has written of its own accord.
  void ExpectGaps() { MainOf(RecordClass::kGap).ExpectNew(); }
  // Returns true if a queue that was full when it last read may go on: Fetch() has more to do.
  bool TakeRoomAside() { return std::exchange(room_aside_, false); }
  // Forgets all batches: their epoch has ended.
  void Clear();

 private:
  bool FetchMain(BootTime now);
  bool FetchAside(ClassQueue& queue, BootTime now);
  ClassQueue& MainOf(RecordClass record_class);
  bool Needed(const ClassQueue& finished, const TrackedBatch& batch);

  TopicTable& topics_;
  StoreAccess& store_;
  InFlight& in_flight_;
  const Log& log_;
  LogLimit aside_limit_;
  std::list<ClassQueue> queues_;
  // When to look for crowding topics again.
  BootTime look_at_{0};
  // The topic that leaves its class's queue.
  std::optional<TopicIndex> leaving_;
  bool room_aside_ = false;
  // Batches read in this turn in which the queue has no record.
  size_t skipped_ = 0;
};

}  // namespace tidegate
