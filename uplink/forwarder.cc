#include "uplink/forwarder.h"

#include <algorithm>
#include <utility>

#include "core/check.h"

namespace tidegate {

namespace {
using State = TrackedRecord::State;

constexpr auto kStoreRetry = std::chrono::seconds(1);
constexpr size_t kMaxIdleTopics = 256;
}  // namespace

Forwarder::Forwarder(Store& store, Transport& transport, Loop& loop, const Clock& clock,
                     const Log& log, Metrics& metrics, Options options)
    : store_(store),
      transport_(transport),
      clock_(clock),
      log_(log),
      options_(std::move(options)),
      metrics_(metrics),
      gate_(options_.gate, store, clock, log, metrics),
      share_(options_.live_share_percent),
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
  turn_end_->Schedule();
}

void Forwarder::Hurry() {
  hurry_ = true;
  turn_end_->Schedule();
}

void Forwarder::Stop() {
  stopped_ = true;
  gate_.Stop(in_flight_bytes_);
}

bool Forwarder::Resting() const {
  if (in_flight_ > 0 || stale_reports_ > 0) return false;
  return Idle() || !gate_.open();
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
  status.gate = gate_.status();
  return status;
}

void Forwarder::Step() {
  now_ = clock_.SinceBoot();
  FollowEpoch();
  FollowConnection();
  TakeReports();
  gate_.Follow(transport_.LinkBytes());
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
  for (Outbox& outbox : outboxes_) outbox.Clear();
  topics_.Clear();
  probe_.Clear();
  suspects_ = false;
  maybe_new_.fill(true);
  gate_.Settle(in_flight_bytes_);  // The new store knows nothing of it.
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
  if (in_flight_ <= MaxInFlight() / 2 && in_flight_bytes_ <= MaxInFlightBytes(false) / 2) {
    throttled_ = false;
  }
}

void Forwarder::OnReport(const Transport::Report& report) {
  for (size_t record_class = 0; record_class < lanes_.size(); ++record_class) {
    Lane& lane = lanes_[record_class];
    TrackedBatch* batch = lane.BatchOf(report.seq);
    if (batch == nullptr) continue;
    TrackedRecord& record = batch->records[report.seq - batch->first_seq];
    CHECK(record.state == State::kSent, "a report is for a record in flight");
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
  CHECK(false, "a report is for a record that was sent");
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
  const auto until = [&](BootTime time) { next = std::min(next.value_or(time), time); };
  for (size_t i = 0; i < lanes_.size(); ++i) {
    const auto gathered = GatheredAt(i);
    if (gathered && *gathered > now_) until(*gathered);
  }
  if (store_retry_at_ > now_) until(store_retry_at_);
  if (const auto wait = gate_.AskAgainIn()) until(now_ + *wait);
  if (next) retry_timer_->After(*next - now_);
}

}  // namespace tidegate
