// The part of the forwarder that decides what is sent next, and sends it.
#include <algorithm>
#include <limits>
#include <utility>

#include "uplink/forwarder.h"
#include "uplink/restamp.h"

namespace tidegate {

namespace {
using State = TrackedRecord::State;

// A class that is left out of a look-up: no batch follows this one. (The store counts in signed 64
// bits.)
constexpr Seq kAfterAll = std::numeric_limits<int64_t>::max();
constexpr size_t kFirstBulk = static_cast<size_t>(RecordClass::kHeartbeat);

bool IsUrgent(size_t record_class) {
  return record_class < kFirstBulk;
}

size_t SizeOf(const Record& record) {
  return record.tenant.size() + 1 + record.asset.size() + record.value.size();
}

}  // namespace

void Forwarder::Pump() {
  for (;;) {
    Fetch();
    const std::optional<size_t> next = NextClass();
    if (!next || !HasRoom(*next)) return;
    if (!SendFrom(*next, *SendableBatch(*next))) return;
  }
}

// Urgent classes have a quarter more, so that they need not wait behind the others.
bool Forwarder::HasRoom(size_t record_class) {
  const bool urgent = IsUrgent(record_class);
  if (!urgent && !gate_.open()) return false;
  const size_t quarters = urgent ? 5 : 4;
  const bool full = in_flight_ >= MaxInFlight() * quarters / 4 ||
                    in_flight_bytes_ >= MaxInFlightBytes(urgent) / 4 * quarters;
  if (in_flight_ == 0) return true;
  if (full) throttled_ = true;
  return !full && (!throttled_ || urgent);
}

// Alerts, then gaps; heartbeats and readings share what is left. Seqs count across classes, so the
// larger one is the one that is less far behind.
std::optional<size_t> Forwarder::NextClass() {
  for (size_t i = 0; i < kFirstBulk; ++i) {
    if (SendableBatch(i) != nullptr) return i;
  }
  const auto heartbeat = static_cast<size_t>(RecordClass::kHeartbeat);
  const auto reading = static_cast<size_t>(RecordClass::kReading);
  const TrackedBatch* heartbeats = SendableBatch(heartbeat);
  const TrackedBatch* readings = SendableBatch(reading);
  live_.reset();
  if (heartbeats != nullptr && readings != nullptr) {
    live_ = heartbeats->first_seq > readings->first_seq ? heartbeat : reading;
    return (*live_ == reading) == share_.LiveIsNext() ? reading : heartbeat;
  }
  share_.Clear();
  if (heartbeats != nullptr) return heartbeat;
  return readings != nullptr ? std::optional(reading) : std::nullopt;
}

// A batch with something to send now. Records that are young wait until there are more of them.
TrackedBatch* Forwarder::SendableBatch(size_t record_class) {
  Lane& lane = lanes_[record_class];
  if (lane.unsent() == 0 || Gathering(record_class)) return nullptr;
  for (size_t i = lane.FirstUnsent(); i < lane.batches().size(); ++i) {
    TrackedBatch& batch = lane.batches()[i];
    if (batch.unsent == 0) continue;
    const bool sendable = std::ranges::any_of(batch.records, [&](const TrackedRecord& record) {
      return record.state == State::kUnsent && topics_.Open(record.topic, now_);
    });
    if (sendable) return &batch;
  }
  return nullptr;
}

// When the young records of a class have waited long enough for company; nullopt: they do not wait.
std::optional<BootTime> Forwarder::GatheredAt(size_t record_class) const {
  const Outbox& outbox = outboxes_[record_class];
  if (IsUrgent(record_class) || hurry_ || outbox.empty() || outbox.sealed() || outbox.full()) {
    return std::nullopt;
  }
  const ClockStamp& oldest = outbox.batches().front().stamp;
  if (oldest.boot_id != clock_.BootId()) return std::nullopt;
  return oldest.since_boot + options_.linger;
}

bool Forwarder::Gathering(size_t record_class) const {
  const auto until = GatheredAt(record_class);
  return until && now_ < *until;
}

// Whether a batch more of the class is wanted: it has nothing to send, or could gather more.
bool Forwarder::WantsMore(size_t record_class) {
  if (!maybe_new_[record_class]) return false;
  if (lanes_[record_class].undone() >= options_.max_tracked_records) return false;
  const Outbox& outbox = outboxes_[record_class];
  const bool gathers = !outbox.empty() && !outbox.sealed() && !outbox.full();
  return (gathers || SendableBatch(record_class) == nullptr) && HasRoom(record_class);
}

void Forwarder::Fetch() {
  for (;;) {
    Cursor cursor;
    cursor.last.fill(kAfterAll);
    bool any = false;
    for (size_t i = 0; i < lanes_.size(); ++i) {
      if (!WantsMore(i)) continue;
      cursor.last[i] = lanes_[i].cursor();
      any = true;
    }
    if (!any) return;
    Result<std::optional<Batch>> next = store_.Next(cursor);
    if (!next.ok()) return StoreFailed(next.error());
    const size_t found = *next ? static_cast<size_t>((*next)->record_class) : lanes_.size();
    for (size_t i = 0; i < found; ++i) {
      if (cursor.last[i] != kAfterAll) maybe_new_[i] = false;
    }
    if (!*next) return;
    Track(*std::move(*next));
  }
}

void Forwarder::Track(Batch batch) {
  const auto record_class = static_cast<size_t>(batch.record_class);
  std::vector<TrackedRecord> records(batch.records.size());
  TopicIndex topic = 0;
  for (size_t i = 0; i < records.size(); ++i) {
    const Record& record = batch.records[i];
    if (i == 0 || topic_per_tenant_[record_class]) {
      topic = topics_.IndexOf(TopicFor(options_.topics, batch.record_class, record.tenant));
    }
    records[i].topic = topic;
    records[i].bytes = static_cast<uint32_t>(SizeOf(record));
  }
  lanes_[record_class].Track(batch.first_seq, std::move(records));
  Outbox& outbox = outboxes_[record_class];
  if (outbox.sealed()) outbox.Clear();
  outbox.Add(std::move(batch));
}

const Batch* Forwarder::Load(size_t record_class, TrackedBatch& tracked) {
  Outbox& outbox = outboxes_[record_class];
  if (const Batch* batch = outbox.Find(tracked.first_seq)) return batch;
  Cursor cursor;
  cursor.last.fill(kAfterAll);
  cursor.last[record_class] = tracked.first_seq - 1;
  Result<std::optional<Batch>> next = store_.Next(cursor);
  if (!next.ok()) {
    StoreFailed(next.error());
    return nullptr;
  }
  if (!*next || (*next)->first_seq != tracked.first_seq ||
      (*next)->records.size() != tracked.records.size()) {
    lanes_[record_class].GiveUp(
        tracked);  // The store was full; its gap record says what is missing.
    return nullptr;
  }
  outbox.Clear();
  outbox.Add(*std::move(*next));
  outbox.Order();  // Sealed: a batch that is new may not join one that came back.
  return &outbox.batches().front();
}

// Sends `tracked` and what has been gathered with it. False: no more now, for any class.
bool Forwarder::SendFrom(size_t record_class, TrackedBatch& tracked) {
  if (Load(record_class, tracked) == nullptr) return now_ >= store_retry_at_;
  Outbox& outbox = outboxes_[record_class];
  std::vector<TrackedBatch*> books;
  for (const Batch& batch : outbox.batches()) {
    books.push_back(lanes_[record_class].BatchOf(batch.first_seq));
  }
  for (const auto& [batch, i] : outbox.Order()) {
    if (books[batch] == nullptr) continue;
    const TrackedRecord& record = books[batch]->records[i];
    if (record.state != State::kUnsent || !topics_.Open(record.topic, now_)) continue;
    if (!HasRoom(record_class)) return false;
    const Sending sending = SendRecord(record_class, *books[batch], outbox.batches()[batch], i);
    if (sending == Sending::kFull) return false;
    if (sending == Sending::kSent && live_) share_.Sent(record_class == *live_, record.bytes);
  }
  const auto done = [](const TrackedBatch* book) { return book == nullptr || book->unsent == 0; };
  if (std::ranges::all_of(books, done)) outbox.Clear();
  return true;
}

Forwarder::Sending Forwarder::SendRecord(size_t record_class, TrackedBatch& tracked,
                                         const Batch& batch, size_t index) {
  Lane& lane = lanes_[record_class];
  TrackedRecord& record = tracked.records[index];
  const Seq seq = tracked.first_seq + index;
  std::optional<Record> restamped;
  if (options_.clock_history) restamped = Restamp(batch, index, *options_.clock_history);
  // What was salvaged from an earlier store keeps its id.
  std::optional<Origin> earlier;
  if (batch.numbering) earlier = Origin{origin_.gateway, batch.numbering->epoch};
  WireMessage message =
      EncodeMessage(restamped ? *restamped : batch.records[index],
                    earlier ? batch.numbering->first_seq + index : seq,
                    earlier ? *earlier : origin_, options_.topics, Replayed(batch.stamp));
  if (restamped) message.headers.emplace_back(kHeaderRestamped, "1");
  if (record.without_timestamp) message.timestamp.reset();
  record.timed = message.timestamp.has_value();
  const Status status = transport_.Send(seq, message);
  if (status.ok()) {
    lane.MarkSent(tracked, record);
    topics_.Sent(record.topic);
    ++in_flight_;
    in_flight_bytes_ += record.bytes;
    ++totals_.sent;
    metrics_.sent[record_class]->Increment();
    metrics_.bytes.Increment(record.bytes);
    if (restamped) metrics_.restamped.Increment();
    if (!gate_.open()) gate_.CountPassed();
    return Sending::kSent;
  }
  if (status.error().code == ErrorCode::kFull) return Sending::kFull;
  totals_.last_error = status.error().message;
  if (status.error().code == ErrorCode::kRejected &&
      WriteDeadLetter(batch.records[index], message.topic, status.error().message)) {
    lane.MarkDone(tracked, record);
    return Sending::kHeld;
  }
  topics_.WaitFrom(record.topic, now_);
  return Sending::kHeld;
}

}  // namespace tidegate
