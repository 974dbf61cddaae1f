#include "uplink/forwarder.h"

#include <algorithm>
#include <cassert>
#include <limits>
#include <utility>

#include "uplink/restamp.h"

namespace tidegate {

namespace {
using State = TrackedRecord::State;

// A class that is left out of a look-up: no batch follows this one. (The store counts in signed 64
// bits.)
constexpr Seq kAfterAll = std::numeric_limits<int64_t>::max();
constexpr size_t kEndOfClasses = kRecordClassCount;
constexpr auto kStoreRetry = std::chrono::seconds(1);
constexpr size_t kMaxIdleTopics = 256;

bool IsUrgent(size_t record_class) {
  return record_class <= static_cast<size_t>(RecordClass::kGap);
}

size_t SizeOf(const Record& record) {
  return record.tenant.size() + 1 + record.asset.size() + record.value.size();
}
}  // namespace

Forwarder::Forwarder(Store& store, Transport& transport, Loop& loop, const Clock& clock,
                     const Log& log, Metrics& metrics, Options options)
    : store_(store),
      transport_(transport),
      clock_(clock),
      log_(log),
      options_(std::move(options)),
      metrics_(metrics),
      origin_{options_.gateway, store.epoch()},
      topics_(options_.retry, options_.seed),
      turn_end_(loop.AddTurnEnd([this] { Step(); })),
      retry_timer_(loop.AddTimer([this] { Step(); })),
      flush_timer_(loop.AddTimer([this] { Flush(); })) {
  maybe_new_.fill(true);
  for (RecordClass record_class : kRecordClasses) {
    topic_per_tenant_[static_cast<size_t>(record_class)] =
        TopicFor(options_.topics, record_class, "a") !=
        TopicFor(options_.topics, record_class, "b");
  }
  transport_.OnActivity([this] { turn_end_->Schedule(); });
  turn_end_->Schedule();
}

Forwarder::~Forwarder() {
  transport_.OnActivity({});
}

void Forwarder::OnStored() {
  maybe_new_.fill(true);
  deletes_pending_ = false;
  flush_timer_->Cancel();
  turn_end_->Schedule();
}

void Forwarder::OnClockSet(bool back) {
  if (back || (!transport_.Connected() && in_flight_ > 0)) transport_.Recall("the clock was set");
}

bool Forwarder::Idle() const {
  return in_flight_ == 0 && stale_reports_ == 0 &&
         std::ranges::none_of(maybe_new_, std::identity()) &&
         std::ranges::all_of(lanes_, [](const Lane& lane) { return lane.undone() == 0; });
}

ForwarderStatus Forwarder::status() const {
  ForwarderStatus status = totals_;
  status.connected = transport_.Connected();
  status.in_flight_records = in_flight_;
  status.in_flight_bytes = in_flight_bytes_;
  status.probing = suspects_ || probe_.active();
  return status;
}

void Forwarder::Step() {
  now_ = clock_.SinceBoot();
  FollowEpoch();
  FollowConnection();
  TakeReports();
  if (!stopped_ && stale_reports_ == 0 && now_ >= store_retry_at_) {
    if (suspects_ || probe_.active()) StepProbe();
    if (!suspects_ && !probe_.active()) Pump();
  }
  FinishBatches();
  ArmRetry();
  metrics_.in_flight.Set(static_cast<double>(in_flight_));
  metrics_.in_flight_bytes.Set(static_cast<double>(in_flight_bytes_));
}

// A damaged store is replaced while the program runs, and its seqs begin anew: what was on its way
// belongs to the old one, and its reports must not be taken for the new one's.
void Forwarder::FollowEpoch() {
  if (store_.epoch() == origin_.epoch) return;
  origin_.epoch = store_.epoch();
  stale_reports_ += std::exchange(in_flight_, 0);
  in_flight_bytes_ = 0;
  for (Lane& lane : lanes_) lane.Clear();
  for (std::optional<Batch>& batch : open_) batch.reset();
  topics_.Clear();
  probe_.Clear();
  suspects_ = false;
  maybe_new_.fill(true);
}

void Forwarder::FollowConnection() {
  if (!transport_.Connected()) {
    connected_since_.reset();
  } else if (!connected_since_) {
    connected_since_ = now_;
  }
}

void Forwarder::TakeReports() {
  transport_.Drain([this](const Transport::Report& report) {
    if (stale_reports_ > 0) {
      --stale_reports_;
    } else {
      OnReport(report);
    }
  });
  if (in_flight_ <= MaxInFlight() / 2 && in_flight_bytes_ <= options_.max_in_flight_bytes / 2) {
    throttled_ = false;
  }
}

void Forwarder::OnReport(const Transport::Report& report) {
  for (size_t record_class = 0; record_class < lanes_.size(); ++record_class) {
    Lane& lane = lanes_[record_class];
    TrackedBatch* batch = lane.BatchOf(report.seq);
    if (batch == nullptr) continue;
    TrackedRecord& record = batch->records[report.seq - batch->first_seq];
    assert(record.state == State::kSent);
    --in_flight_;
    in_flight_bytes_ -= record.bytes;
    if (report.delivery != Delivery::kAcked) {
      CameBack(lane, *batch, record, report);
      return;
    }
    topics_.Acked(record.topic);
    lane.MarkDone(*batch, record);
    metrics_.acked[record_class]->Increment();
    ++totals_.acked;
    totals_.last_delivery = clock_.Now();
    return;
  }
  assert(false && "a report for a record that was not sent");
}

void Forwarder::CameBack(Lane& lane, TrackedBatch& batch, TrackedRecord& record,
                         const Transport::Report& report) {
  topics_.CameBack(record.topic);
  lane.MarkUnsent(batch, record);
  totals_.last_error = report.reason;
  if (batch.given_up) {
    lane.MarkDone(batch, record);
  } else if (report.delivery == Delivery::kRejected) {
    record.suspect = true;
    suspects_ = true;
    last_refusal_ = report.reason;
  } else {
    topics_.WaitFrom(record.topic, now_);
    metrics_.retried.Increment();
    ++totals_.retried;
    if (const auto count = retry_limit_.Count(now_)) {
      log_.Warning("uplink: {} records came back and are sent again: {}", *count, report.reason);
    }
  }
}

void Forwarder::FinishBatches() {
  bool finished = false;
  for (size_t i = 0; i < lanes_.size(); ++i) {
    lanes_[i].Finish([&](const TrackedBatch& batch) {
      if (batch.given_up) return;
      store_.Delivered(static_cast<RecordClass>(i), batch.first_seq);
      finished = true;
    });
  }
  if (totals_.last_delivery) {
    metrics_.last_delivery.Set(
        std::chrono::duration<double>(totals_.last_delivery->time_since_epoch()).count());
  }
  if (finished && !std::exchange(deletes_pending_, true)) flush_timer_->After(options_.flush_after);
  if (Idle() && topics_.size() > kMaxIdleTopics) topics_.Clear();
}

void Forwarder::Flush() {
  if (!std::exchange(deletes_pending_, false)) return;
  const Status status = store_.Flush();
  if (status.ok()) return;
  StoreFailed(status.error());
  deletes_pending_ = true;
  flush_timer_->After(options_.flush_after);
}

void Forwarder::Pump() {
  for (;;) {
    const std::optional<size_t> sendable = FirstSendable();
    const std::optional<size_t> fetched = Fetch(sendable.value_or(kEndOfClasses));
    const std::optional<size_t> next = fetched ? fetched : sendable;
    if (!next || !HasRoom(*next)) return;
    TrackedBatch* batch = SendableBatch(*next);
    if (batch == nullptr) continue;  // Its topic has just been closed.
    if (!SendBatch(*next, *batch)) return;
  }
}

// Urgent classes have a quarter more, so that they need not wait behind the others.
bool Forwarder::HasRoom(size_t record_class) {
  const size_t quarters = IsUrgent(record_class) ? 5 : 4;
  const bool full = in_flight_ >= MaxInFlight() * quarters / 4 ||
                    in_flight_bytes_ >= options_.max_in_flight_bytes / 4 * quarters;
  if (in_flight_ == 0) return true;
  if (full) throttled_ = true;
  return !full && (!throttled_ || IsUrgent(record_class));
}

std::optional<size_t> Forwarder::FirstSendable() const {
  for (size_t i = 0; i < lanes_.size(); ++i) {
    if (SendableBatch(i) != nullptr) return i;
  }
  return std::nullopt;
}

TrackedBatch* Forwarder::SendableBatch(size_t record_class) const {
  const Lane& lane = lanes_[record_class];
  if (lane.unsent() == 0) return nullptr;
  for (const TrackedBatch& batch : lane.batches()) {
    if (batch.unsent == 0) continue;
    const bool sendable = std::ranges::any_of(batch.records, [&](const TrackedRecord& record) {
      return record.state == State::kUnsent && topics_.Open(record.topic, now_);
    });
    if (sendable) return const_cast<TrackedBatch*>(&batch);
  }
  return nullptr;
}

std::optional<size_t> Forwarder::Fetch(size_t end) {
  Cursor cursor;
  cursor.last.fill(kAfterAll);
  bool any = false;
  for (size_t i = 0; i < end; ++i) {
    if (!maybe_new_[i] || !HasRoom(i)) continue;
    if (lanes_[i].undone() >= options_.max_tracked_records) continue;
    cursor.last[i] = lanes_[i].cursor();
    any = true;
  }
  if (!any) return std::nullopt;
  Result<std::optional<Batch>> next = store_.Next(cursor);
  if (!next.ok()) {
    StoreFailed(next.error());
    return std::nullopt;
  }
  const size_t found = *next ? static_cast<size_t>((*next)->record_class) : end;
  for (size_t i = 0; i < found; ++i) {
    if (cursor.last[i] != kAfterAll) maybe_new_[i] = false;
  }
  if (!*next) return std::nullopt;
  Track(*std::move(*next));
  return found;
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
  open_[record_class] = std::move(batch);
}

const Batch* Forwarder::Load(size_t record_class, TrackedBatch& tracked) {
  std::optional<Batch>& open = open_[record_class];
  if (open && open->first_seq == tracked.first_seq) return &*open;
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
  open = *std::move(*next);
  return &*open;
}

// False: no more now, for any class.
bool Forwarder::SendBatch(size_t record_class, TrackedBatch& tracked) {
  const Batch* batch = Load(record_class, tracked);
  if (batch == nullptr) return now_ >= store_retry_at_;
  for (size_t i = 0; i < tracked.records.size(); ++i) {
    const TrackedRecord& record = tracked.records[i];
    if (record.state != State::kUnsent || !topics_.Open(record.topic, now_)) continue;
    if (!HasRoom(record_class)) return false;
    if (SendRecord(record_class, tracked, *batch, i) == Sending::kFull) return false;
  }
  if (tracked.unsent == 0) open_[record_class].reset();
  return true;
}

Forwarder::Sending Forwarder::SendRecord(size_t record_class, TrackedBatch& tracked,
                                         const Batch& batch, size_t index) {
  Lane& lane = lanes_[record_class];
  TrackedRecord& record = tracked.records[index];
  const Seq seq = tracked.first_seq + index;
  std::optional<Record> restamped;
  if (options_.clock_history) restamped = Restamp(batch, index, *options_.clock_history);
  WireMessage message = EncodeMessage(restamped ? *restamped : batch.records[index], seq, origin_,
                                      options_.topics, Replayed(batch.stamp));
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

bool Forwarder::WriteDeadLetter(const Record& record, const std::string& topic,
                                const std::string& reason) {
  const DeadLetter letter{"uplink", topic, reason, record.value, clock_.Now()};
  AppendRequest request;
  request.dead_letters = {&letter, 1};
  request.stamp = StampNow(clock_);
  const Result<Seq> result = store_.Append(request);
  if (!result.ok()) {
    StoreFailed(result.error());
    return false;
  }
  metrics_.rejected.Increment();
  ++totals_.rejected;
  if (const auto count = reject_limit_.Count(now_)) {
    log_.Warning("uplink: {} records refused for good, now in the dead letters: {}", *count,
                 reason);
  }
  return true;
}

bool Forwarder::Replayed(const ClockStamp& stamp) const {
  return !connected_since_ || stamp.boot_id != clock_.BootId() ||
         stamp.since_boot < *connected_since_;
}

void Forwarder::StoreFailed(const Error& error) {
  store_retry_at_ = clock_.SinceBoot() + kStoreRetry;
  if (const auto count = store_limit_.Count(now_)) {
    log_.Error("uplink: the store failed {} times: {}", *count, error.message);
  }
}

void Forwarder::ArmRetry() {
  std::optional<BootTime> next = topics_.NextOpening(now_);
  if (store_retry_at_ > now_) next = std::min(next.value_or(store_retry_at_), store_retry_at_);
  if (next) retry_timer_->After(*next - now_);
}

}  // namespace tidegate
