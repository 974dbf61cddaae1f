#include "uplink/class_queue.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "core/check.h"
#include "core/reached.h"

namespace tidegate {

namespace {
using State = TrackedRecord::State;

// A topic that is taken aside keeps so many entries: a batch has one for each of its records.
constexpr size_t kMaxEntriesAside = 4000;
// While the next record's topic is busy, one batch is read in this time, because others may follow.
// It does not delay a healthy topic: what is read too early is small beside what it sends.
constexpr std::chrono::milliseconds kLookAhead{20};

// The key and the value.
size_t SizeOf(const Record& record) {
  return record.tenant.size() + 1 + record.asset.size() + record.value.size();
}

uint32_t HashOf(const Record& record) {
  const std::hash<std::string_view> hash;
  return static_cast<uint32_t>(hash(record.tenant) * 31 + hash(record.asset));
}
}  // namespace

ClassQueue::ClassQueue(RecordClass record_class, const Options& options, TopicTable& table,
                       const Clock& clock)
    : record_class_(record_class),
      options_(options),
      topic_per_tenant_(TopicFor(options.topics, record_class, "a") !=
                        TopicFor(options.topics, record_class, "b")),
      table_(table),
      clock_(clock) {}

ClassQueue::ClassQueue(ClassQueue& main, TopicIndex topic)
    : record_class_(main.record_class_),
      options_(main.options_),
      topic_per_tenant_(true),
      topic_(topic),
      table_(main.table_),
      clock_(main.clock_),
      hurry_(true) {
  CHECK(table_.InFlight(topic) == 0, "a topic is taken aside with nothing in flight");
  main.aside_.insert(topic);
  REACHED("forwarder: a topic is taken aside");
  bool room = true;
  for (TrackedBatch& from : main.lane_.batches()) {
    const auto concerns = [&](const TrackedRecord& record) {
      return record.topic == topic && record.state == State::kUnsent;
    };
    if (from.unsent == 0 || std::ranges::none_of(from.records, concerns)) continue;
    // What finds no room is read again, from the cursor on.
    room = room && lane_.entries() < kMaxEntriesAside;
    std::vector<TrackedRecord> records = from.records;
    for (TrackedRecord& record : records) record.state = State::kUnsent;
    if (room) lane_.Track(from.first_seq, std::move(records));
    for (size_t i = 0; i < from.records.size(); ++i) {
      const bool mine = concerns(from.records[i]);
      if (mine) main.lane_.MarkDone(from, from.records[i]);
      if (!mine && room) lane_.MarkDone(lane_.batches().back(), lane_.batches().back().records[i]);
    }
  }
}

bool ClassQueue::Crowded() const {
  return !topic_ && topic_per_tenant_ && lane_.undone() >= options_.max_tracked_records / 2;
}

std::optional<TopicIndex> ClassQueue::Crowding(BootTime now) {
  if (!Crowded()) return std::nullopt;
  std::map<TopicIndex, size_t> unsent;
  for (const TrackedBatch& batch : lane_.batches()) {
    for (const TrackedRecord& record : batch.records) {
      if (record.state == State::kUnsent) ++unsent[record.topic];
    }
  }
  std::optional<TopicIndex> most;
  for (const auto& [topic, count] : unsent) {
    if (table_.Open(topic, now) && !table_.Stuck(topic)) continue;
    if (!most || count > unsent[*most]) most = topic;
  }
  return most;
}

bool ClassQueue::Needs(const TrackedBatch& batch) {
  if (lane_.BatchOf(batch.first_seq) != nullptr) return true;
  if (!topic_ || lane_.cursor() >= batch.first_seq) return false;
  return std::ranges::any_of(batch.records,
                             [&](const TrackedRecord& record) { return record.topic == *topic_; });
}

bool ClassQueue::WantsMore(BootTime now) {
  if (!maybe_new_ || lane_.undone() >= options_.max_tracked_records) return false;
  if (full()) return false;
  if (Gathers()) return true;
  if (FirstSendable(now) != nullptr) return false;
  return !NextIsBusy(now) || (MayLookAhead() && now >= look_ahead_at_);
}

bool ClassQueue::full() const {
  return topic_ && lane_.entries() >= kMaxEntriesAside;
}

std::optional<BootTime> ClassQueue::LooksAheadAt(BootTime now) {
  if (!maybe_new_ || !MayLookAhead() || lane_.undone() >= options_.max_tracked_records ||
      !NextIsBusy(now))
    return std::nullopt;
  return look_ahead_at_;
}

bool ClassQueue::NextIsBusy(BootTime now) {
  if (lane_.unsent() == 0) return false;
  const TrackedBatch& batch = lane_.batches()[lane_.FirstUnsent()];
  return std::ranges::any_of(batch.records, [&](const TrackedRecord& record) {
    return record.state == State::kUnsent && table_.Busy(record.topic, now);
  });
}

bool ClassQueue::Add(Batch batch) {
  CHECK(batch.record_class == record_class_, "a queue holds one class");
  // What waits for its topic and not for company is read again when the topic opens.
  const BootTime now = clock_.SinceBoot();
  if (MayLookAhead() && NextIsBusy(now)) look_ahead_at_ = now + kLookAhead;
  if (outbox_.sealed() || (!Lingers(now) && FirstSendable(now) == nullptr)) outbox_.Clear();
  if (!Track(batch)) return false;
  if (!topic_ || table_.Open(*topic_, now)) outbox_.Add(std::move(batch));
  return true;
}

bool ClassQueue::Track(const Batch& batch) {
  std::vector<TrackedRecord> records(batch.records.size());
  TopicIndex topic = 0;
  for (size_t i = 0; i < records.size(); ++i) {
    const Record& record = batch.records[i];
    if (i == 0 || topic_per_tenant_) {
      topic = table_.IndexOf(TopicFor(options_.topics, record_class_, record.tenant));
    }
    records[i].topic = topic;
    records[i].bytes = static_cast<uint32_t>(SizeOf(record));
    records[i].asset = HashOf(record);
  }
  lane_.Track(batch.first_seq, std::move(records));
  TrackedBatch& tracked = lane_.batches().back();
  for (TrackedRecord& record : tracked.records) {
    if (!Holds(record.topic)) lane_.MarkDone(tracked, record);
  }
  return tracked.unsent > 0;
}

TrackedBatch* ClassQueue::FirstSendable(BootTime now) {
  if (lane_.unsent() == 0) return nullptr;
  if (Lingers(now)) return nullptr;
  for (size_t i = lane_.FirstUnsent(); i < lane_.batches().size(); ++i) {
    TrackedBatch& batch = lane_.batches()[i];
    if (batch.unsent == 0) continue;
    const bool sendable = std::ranges::any_of(batch.records, [&](const TrackedRecord& record) {
      return record.state == State::kUnsent && table_.Open(record.topic, now);
    });
    if (sendable) return &batch;
  }
  return nullptr;
}

// Records of an earlier boot have waited already.
std::optional<BootTime> ClassQueue::GatheredAt() const {
  if (urgent() || hurry_ || !Gathers()) return std::nullopt;
  const ClockStamp& oldest = outbox_.batches().front().stamp;
  if (oldest.boot_id != clock_.BootId()) return std::nullopt;
  return oldest.since_boot + options_.linger;
}

std::optional<Batch> ClassQueue::ReadAgain(TrackedBatch& tracked, StoreAccess& store) {
  Cursor cursor = StoreAccess::PastAll();
  cursor.last[static_cast<size_t>(record_class_)] = tracked.first_seq - 1;
  Result<std::optional<Batch>> next = store.Next(cursor);
  if (!next.ok()) return std::nullopt;
  if (!*next || (*next)->first_seq != tracked.first_seq ||
      (*next)->records.size() != tracked.records.size()) {
    lane_.Drop(tracked);  // The store was full; its gap record declares what is missing.
    REACHED("forwarder: a batch was dropped while it was tracked");
    return std::nullopt;
  }
  return *std::move(next);
}

bool ClassQueue::Lingers(BootTime now) const {
  const auto gathered = GatheredAt();
  return gathered && now < *gathered;
}

const Batch* ClassQueue::Load(TrackedBatch& tracked, StoreAccess& store) {
  if (const Batch* batch = outbox_.Find(tracked.first_seq)) return batch;
  std::optional<Batch> batch = ReadAgain(tracked, store);
  if (!batch) return nullptr;
  outbox_.Clear();
  outbox_.Add(*std::move(batch));
  outbox_.Order();  // Sealed: a new batch may not join one that came back.
  return &outbox_.batches().front();
}

const Batch* ClassQueue::Read(TrackedBatch& tracked, StoreAccess& store,
                              std::optional<Batch>& spare) {
  if (const Batch* batch = outbox_.Find(tracked.first_seq)) return batch;
  if (!spare || spare->record_class != record_class_ || spare->first_seq != tracked.first_seq) {
    spare = ReadAgain(tracked, store);
  }
  return spare ? &*spare : nullptr;
}

bool ClassQueue::SendLoaded(BootTime now, const SendOne& send_one) {
  std::vector<TrackedBatch*> books;
  for (const Batch& batch : outbox_.batches()) {
    books.push_back(lane_.BatchOf(batch.first_seq));
    CHECK(books.back() == nullptr || books.back()->records.size() == batch.records.size(),
          "each record of a batch has one entry in its book");
  }
  for (const auto& [batch, i] : outbox_.Order()) {
    if (books[batch] == nullptr) continue;
    const TrackedRecord& record = books[batch]->records[i];
    if (record.state != State::kUnsent || !table_.Open(record.topic, now)) continue;
    if (!send_one(*books[batch], outbox_.batches()[batch], i)) return false;
  }
  const auto done = [](const TrackedBatch* book) { return book == nullptr || book->unsent == 0; };
  if (std::ranges::all_of(books, done) || (topic_ && !table_.Open(*topic_, now))) outbox_.Clear();
  return true;
}

void ClassQueue::Clear() {
  aside_.clear();
  lane_.Clear();
  outbox_.Clear();
  maybe_new_ = true;
}

}  // namespace tidegate
