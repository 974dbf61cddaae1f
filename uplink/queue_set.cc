#include "uplink/queue_set.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include "core/check.h"

namespace tidegate {

namespace {
// A queue aside costs up to 64 kB of books, and a decoded batch while it is sent.
constexpr size_t kMaxAside = 64;
// A batch takes up to a millisecond.
constexpr size_t kMaxSkippedPerTurn = 32;
// A look takes up to a millisecond, too.
constexpr std::chrono::milliseconds kLookInterval{100};
}  // namespace

QueueSet::QueueSet(const ClassQueue::Options& options, TopicTable& topics, StoreAccess& store,
                   InFlight& in_flight, const Clock& clock, const Log& log)
    : topics_(topics), store_(store), in_flight_(in_flight), log_(log) {
  for (RecordClass record_class : kRecordClasses) {
    CHECK(queues_.size() == static_cast<size_t>(record_class), "a class is the index of its queue");
    queues_.emplace_back(record_class, options, topics, clock);
  }
}

ClassQueue& QueueSet::MainOf(RecordClass record_class) {
  return *std::next(queues_.begin(), static_cast<int>(record_class));
}

bool QueueSet::idle() const {
  return std::ranges::all_of(queues_, &ClassQueue::idle);
}

std::optional<BootTime> QueueSet::LookAt() const {
  if (!leaving_ && std::ranges::none_of(queues_, &ClassQueue::Crowded)) return std::nullopt;
  return look_at_;
}

void QueueSet::TakeAside(BootTime now) {
  if (now < look_at_) return;
  look_at_ = now + kLookInterval;
  const auto left = std::exchange(leaving_, std::nullopt);
  for (RecordClass record_class : kRecordClasses) {
    ClassQueue& main = MainOf(record_class);
    const auto topic = main.Crowding(now);
    if (!topic || aside() >= kMaxAside) continue;
    if (topics_.InFlight(*topic) > 0) {
      if (!leaving_) topics_.SetLeaving(*(leaving_ = topic), true);
      continue;
    }
    queues_.emplace_back(main, *topic);
    if (const auto count = aside_limit_.Count(now)) {
      log_.Warning("uplink: {} topics hold up others and wait aside, one is {}", *count,
                   topics_.NameOf(*topic));
    }
  }
  if (left && left != leaving_) topics_.SetLeaving(*left, false);
}

void QueueSet::TakeBack(const std::function<void(const ClassQueue&)>& on_removed) {
  for (auto queue = std::next(queues_.begin(), kRecordClassCount); queue != queues_.end();) {
    ClassQueue& main = MainOf(queue->record_class());
    const bool caught_up =
        queue->lane().batches().empty() && queue->lane().cursor() >= main.lane().cursor();
    if (!caught_up || topics_.Stuck(*queue->topic())) {
      ++queue;
      continue;
    }
    on_removed(*queue);
    main.TakeBack(*queue->topic());
    queue = queues_.erase(queue);
  }
}

bool QueueSet::Fetch(BootTime now) {
  if (!FetchMain(now)) return false;
  for (ClassQueue& queue : queues_) {
    if (queue.topic() && !FetchAside(queue, now)) return false;
  }
  return true;
}

// The store returns the most urgent batch, so the classes before that one have none.
bool QueueSet::FetchMain(BootTime now) {
  while (skipped_ < kMaxSkippedPerTurn) {
    Cursor cursor = StoreAccess::PastAll();
    bool any = false;
    for (RecordClass record_class : kRecordClasses) {
      ClassQueue& queue = MainOf(record_class);
      if (!queue.WantsMore(now) || !in_flight_.HasRoom(queue.urgent())) continue;
      cursor.last[static_cast<size_t>(record_class)] = queue.lane().cursor();
      any = true;
    }
    if (!any) return true;
    Result<std::optional<Batch>> next = store_.Next(cursor);
    if (!next.ok()) return true;
    for (RecordClass record_class : kRecordClasses) {
      if (*next && record_class == (*next)->record_class) {
        if (!MainOf(record_class).Add(*std::move(*next))) ++skipped_;
        break;
      }
      const Seq last = cursor.last[static_cast<size_t>(record_class)];
      if (!StoreAccess::IsPastAll(last)) MainOf(record_class).ExpectNone();
    }
    if (!*next) return true;
  }
  return false;
}

bool QueueSet::FetchAside(ClassQueue& queue, BootTime now) {
  const Seq end = MainOf(queue.record_class()).lane().cursor();
  queue.ExpectThrough(end);
  while (queue.WantsMore(now) && in_flight_.HasRoom(queue.urgent())) {
    if (skipped_ >= kMaxSkippedPerTurn) return false;
    CHECK(queue.lane().cursor() < end, "a queue aside lags the main one");
    Cursor cursor = StoreAccess::PastAll();
    cursor.last[static_cast<size_t>(queue.record_class())] = queue.lane().cursor();
    Result<std::optional<Batch>> next = store_.Next(cursor);
    if (!next.ok()) return true;
    if (!*next || (*next)->first_seq > end) {
      queue.SkipTo(end);
    } else if (!queue.Add(*std::move(*next))) {
      ++skipped_;
    }
    queue.ExpectThrough(end);
  }
  return true;
}

bool QueueSet::Finish() {
  bool delivered = false;
  for (ClassQueue& queue : queues_) {
    const bool was_full = queue.full();
    queue.lane().Finish([&](const TrackedBatch& batch) {
      if (!batch.dropped && Needed(queue, batch)) {
        // The main queue has done what could be done; after one aside, another queue follows.
        if (!queue.topic()) store_.Park(queue.record_class(), batch.first_seq);
        return;
      }
      delivered = true;
      if (!batch.dropped) store_.Delivered(queue.record_class(), batch.first_seq);
    });
    if (was_full && !queue.full()) room_aside_ = true;
  }
  return delivered;
}

bool QueueSet::Needed(const ClassQueue& finished, const TrackedBatch& batch) {
  return std::ranges::any_of(queues_, [&](ClassQueue& queue) {
    return &queue != &finished && queue.record_class() == finished.record_class() &&
           queue.Needs(batch);
  });
}

void QueueSet::Clear() {
  queues_.erase(std::next(queues_.begin(), kRecordClassCount), queues_.end());
  leaving_.reset();
  for (ClassQueue& queue : queues_) queue.Clear();
}

}  // namespace tidegate
