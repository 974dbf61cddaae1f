// Invariants, each with the check that guards it:
//   - every report is for one record in flight: OnReport()
//   - what is in flight equals the sums over the queues: CheckBooks()
//   - a batch is deleted only when all of its records are done: Lane::Finish()
//   - the books of a record, a queue, a topic: lane.h, in_flight.h, topic_table.h
#include "uplink/forwarder.h"

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "core/reached.h"

namespace tidegate {

namespace {
using State = TrackedRecord::State;

constexpr size_t kMaxIdleTopics = 256;
// A recall concerns everything in flight, and so it is rare.
constexpr std::chrono::minutes kRecallInterval{1};

// What all topics may have in flight together, so that one of them may have `one`: four fifths.
constexpr size_t AllTopics(size_t one) {
  return one + one / 4;
}
}  // namespace

Forwarder::Forwarder(Store& store, Transport& transport, Loop& loop, const Clock& clock,
                     const Log& log, Metrics& metrics, Options options)
    : transport_(transport),
      clock_(clock),
      log_(log),
      metrics_(metrics),
      store_(store, loop, clock, log, options.flush_after),
      gate_(options.gate, store, clock, log, metrics),
      topics_(options.retry, options.seed,
              {.max_records = AllTopics(options.max_in_flight_records),
               .max_bytes = AllTopics(options.max_in_flight_bytes)}),
      in_flight_({.max_records = AllTopics(options.max_in_flight_records),
                  .max_bytes = AllTopics(options.max_in_flight_bytes),
                  .max_records_unreachable = options.max_in_flight_unreachable},
                 gate_),
      queues_({.topics = options.topics,
               .linger = options.linger,
               .max_tracked_records = options.max_tracked_records},
              topics_, store_, in_flight_, clock, log),
      turns_(options.live_share_percent),
      sender_({.gateway = options.gateway,
               .topics = options.topics,
               .clock_history = options.clock_history},
              {store_, transport, clock, log, topics_, gate_, in_flight_, metrics_}),
      trials_({queues_.all(), topics_, store_, in_flight_, sender_, trial_batch_}),
      turn_end_(loop.AddTurnEnd([this] { Step(); })),
      retry_timer_(loop.AddTimer([this] { Step(); })) {
  transport_.OnActivity([this] { turn_end_->Schedule(); });
  store_.OnOwnWrite([this] {
    queues_.ExpectGaps();
    turn_end_->Schedule();
  });
  turn_end_->Schedule();
}

Forwarder::~Forwarder() {
  transport_.OnActivity({});
}

void Forwarder::OnStored() {
  for (ClassQueue& queue : queues_.all()) queue.ExpectNew();
  store_.OnAppended();
  turn_end_->Schedule();
}

void Forwarder::OnSendable() {
  for (ClassQueue& queue : queues_.all()) queue.ExpectNew();
  turn_end_->Schedule();
}

void Forwarder::OnClockSet(bool back) {
  if (back || (!transport_.Connected() && in_flight_.records() > 0)) {
    transport_.Recall("the clock was set");
  }
  turn_end_->Schedule();
}

void Forwarder::Hurry() {
  for (ClassQueue& queue : queues_.all()) queue.Hurry();
  turn_end_->Schedule();
}

void Forwarder::Stop() {
  stopped_ = true;
  gate_.Stop(in_flight_.bytes());
}

bool Forwarder::Resting() const {
  return in_flight_.none() && (Idle() || !gate_.open());
}

bool Forwarder::Idle() const {
  return in_flight_.none() && queues_.idle();
}

ForwarderStatus Forwarder::status() const {
  ForwarderStatus status;
  static_cast<ForwarderCounts&>(status) = metrics_.counts();
  status.connected = transport_.Connected();
  status.in_flight_records = in_flight_.records();
  status.in_flight_bytes = in_flight_.bytes();
  status.topics_on_trial = trials_.size();
  status.topics_aside = queues_.aside();
  status.probing = trials_.searching();
  status.gate = gate_.status();
  return status;
}

void Forwarder::Step() {
  now_ = clock_.SinceBoot();
  FollowEpoch();
  FollowConnection();
  TakeReports();
  gate_.Follow(transport_.LinkBytes());
  if (!stopped_ && in_flight_.stale() == 0 && store_.available(now_)) {
    ReadQueues();
    trials_.Step(now_);
    Pump();
    StepTrials();  // With what was just read.
  }
  const bool delivered = FinishBatches();
  CheckBooks();
  ArmRetry();
  metrics_.Publish({.in_flight_records = in_flight_.records(),
                    .in_flight_bytes = in_flight_.bytes(),
                    .topics_on_trial = trials_.size(),
                    .topics_aside = queues_.aside()});
  if (delivered && on_delivered_) on_delivered_();
}

// A damaged store is replaced while the program runs, and its seqs begin anew: the records in
// flight belong to the old one, and their reports must not be taken for the new one's.
void Forwarder::FollowEpoch() {
  if (!store_.FollowEpoch()) return;
  sender_.BeginEpoch();
  REACHED("forwarder: the store is replaced");
  in_flight_.Abandon();
  // The library may hold some of them for ever.
  if (in_flight_.stale() > 0) transport_.Recall("the store was replaced");
  queues_.Clear();
  topics_.Clear();
  trials_.Clear();
  gate_.ChargeUsed(in_flight_.bytes());  // The new store has no charge yet.
}

void Forwarder::FollowConnection() {
  if (!transport_.Connected()) {
    connected_since_.reset();
  } else if (!connected_since_) {
    connected_since_ = now_;
  }
  in_flight_.SetConnected(connected_since_.has_value());
  sender_.SetConnectedSince(connected_since_);
}

void Forwarder::TakeReports() {
  transport_.Drain([this](const Transport::Report& report) {
    if (!in_flight_.TakeStale()) OnReport(report);
  });
  if (in_flight_.throttled()) {
    const TopicTable::Held held = topics_.HeldNow(now_);
    in_flight_.Refill(held.records, held.bytes);
  }
}

void Forwarder::OnReport(const Transport::Report& report) {
  for (ClassQueue& queue : queues_.all()) {
    TrackedBatch* batch = queue.lane().BatchOf(report.seq);
    if (batch == nullptr) continue;
    TrackedRecord& record = batch->records[report.seq - batch->first_seq];
    if (record.state != State::kSent) continue;
    in_flight_.Returned(record.bytes);
    if (report.delivery != Delivery::kAcked) return OnCameBack(queue, *batch, record, report);
    topics_.Acked(record.topic, record.bytes, now_);
    queue.lane().MarkDone(*batch, record);
    metrics_.CountAcked(queue.record_class(), clock_.Now());
    return;
  }
  CHECK(false, "a report is for a record in flight");
}

void Forwarder::OnCameBack(ClassQueue& queue, TrackedBatch& batch, TrackedRecord& record,
                           const Transport::Report& report) {
  topics_.CameBack(record.topic, record.bytes);
  queue.lane().MarkUnsent(batch, record);
  metrics_.NoteError(report.reason);
  if (batch.dropped) {
    queue.lane().MarkDone(batch, record);
  } else if (report.delivery == Delivery::kRejected) {
    if (report.refusal == Refusal::kTimestamp && record.timed) {
      record.without_timestamp = true;
      REACHED("forwarder: a refused timestamp");
    } else {
      record.suspect = true;
    }
    trials_.OnRefused(record.topic, report, now_);
  } else {
    if (report.delivery == Delivery::kRetry) topics_.WaitFrom(record.topic, now_);
    metrics_.CountRetried();
    if (const auto count = retry_limit_.Count(now_)) {
      log_.Warning("uplink: {} records came back and are sent again: {}", *count, report.reason);
    }
  }
}

void Forwarder::ReadQueues() {
  queues_.BeginTurn();
  queues_.TakeAside(now_);
  RecallOverdue();
  if (!queues_.Fetch(now_)) turn_end_->Schedule();
}

void Forwarder::RecallOverdue() {
  if (!connected_since_ || now_ < std::max(recall_from_, *connected_since_ + kRecallInterval))
    return;
  if (!topics_.CloseOverdue(now_)) return;
  recall_from_ = now_ + kRecallInterval;
  transport_.Recall("a topic holds up others");
}

void Forwarder::StepTrials() {
  const auto progress = [this] { return std::pair(trials_.size(), metrics_.counts().rejected); };
  const auto before = progress();
  trials_.Step(now_);
  if (progress() != before) turn_end_->Schedule();
}

void Forwarder::Pump() {
  for (;;) {
    if (!queues_.Fetch(now_)) turn_end_->Schedule();
    ClassQueue* queue = turns_.Next(queues_.all(), now_);
    if (queue == nullptr || !in_flight_.HasRoom(queue->urgent())) return;
    TrackedBatch* batch = queue->FirstSendable(now_);
    CHECK(batch != nullptr, "the queue whose turn it is has a batch to send");
    if (!SendFrom(*queue, *batch)) return;
  }
}

// Sends the batch and those that were gathered with it. Returns false if nothing more can be sent
// now, of any class.
bool Forwarder::SendFrom(ClassQueue& queue, TrackedBatch& first) {
  if (queue.Load(first, store_) == nullptr) return store_.available(now_);
  return queue.SendLoaded(now_, [&](TrackedBatch& tracked, const Batch& batch, size_t index) {
    if (!in_flight_.HasRoom(queue.urgent())) return false;
    const auto outcome = sender_.Send(queue, tracked, batch, index, now_, Route::kMain);
    if (outcome == RecordSender::WriteOutcome::kSent) {
      turns_.Sent(queue.record_class(), tracked.records[index].bytes);
    }
    return outcome != RecordSender::WriteOutcome::kFull;
  });
}

bool Forwarder::FinishBatches() {
  const bool delivered = queues_.Finish();
  if (queues_.TakeRoomAside()) turn_end_->Schedule();
  queues_.TakeBack([this](const ClassQueue& queue) { trials_.Forget(queue); });
  if (Idle() && topics_.size() > kMaxIdleTopics && queues_.aside() == 0) {
    topics_.Clear();
    trials_.Clear();
  }
  return delivered;
}

void Forwarder::CheckBooks() const {
  size_t records = 0;
  size_t bytes = 0;
  for (const ClassQueue& queue : queues_.all()) {
    records += queue.lane().sent();
    bytes += queue.lane().sent_bytes();
  }
  CHECK(records == in_flight_.records(), "the records in flight are those of the queues");
  CHECK(bytes == in_flight_.bytes(), "the bytes in flight are those of the queues");
}

void Forwarder::ArmRetry() {
  std::optional<BootTime> next = topics_.NextOpening(now_, in_flight_.throttled());
  const auto until = [&](BootTime time) {
    if (time > now_) next = std::min(next.value_or(time), time);
  };
  for (ClassQueue& queue : queues_.all()) {
    if (const auto gathered = queue.GatheredAt()) until(*gathered);
    if (const auto ahead = queue.LooksAheadAt(now_)) until(*ahead);
  }
  if (const auto overdue = topics_.NextOverdue(); overdue && connected_since_)
    until(std::max({*overdue, recall_from_, *connected_since_ + kRecallInterval}));
  until(store_.retry_at());
  if (const auto look = queues_.LookAt()) until(*look);
  if (const auto wait = gate_.AskAgainIn()) until(now_ + *wait);
  if (next) retry_timer_->After(*next - now_);
}

}  // namespace tidegate
