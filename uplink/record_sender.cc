#include "uplink/record_sender.h"

#include <utility>

#include "core/check.h"
#include "core/reached.h"
#include "core/retained_input.h"
#include "uplink/restamp.h"

namespace tidegate {
namespace {

// The broker had kept the record's message for us, who knows how long.
bool WasRetained(const Batch& batch, size_t index) {
  if (index >= batch.arrivals.size()) return false;
  const size_t input = batch.arrivals[index].input;
  return input < batch.inputs.size() && batch.inputs[input].ends_with(kRetainedSuffix);
}

}  // namespace

RecordSender::RecordSender(Options options, const Parts& parts)
    : options_(std::move(options)),
      parts_(parts),
      origin_{options_.gateway, parts_.store.epoch()} {}

// A salvaged record keeps the id that its first store gave it.
WireMessage RecordSender::MakeMessage(const Batch& batch, size_t index,
                                      const Record* restamped) const {
  const Record& record = restamped != nullptr ? *restamped : batch.records[index];
  const bool replayed = Replayed(batch.stamp);
  WireMessage message =
      batch.numbering
          ? EncodeMessage(record, batch.numbering->first_seq + index,
                          Origin{origin_.gateway, batch.numbering->epoch}, options_.topics,
                          replayed)
          : EncodeMessage(record, batch.first_seq + index, origin_, options_.topics, replayed);
  if (restamped != nullptr) message.headers.emplace_back(kHeaderRestamped, "1");
  if (WasRetained(batch, index)) message.headers.emplace_back(kHeaderRetained, "1");
  return message;
}

RecordSender::WriteOutcome RecordSender::Send(ClassQueue& queue, TrackedBatch& tracked,
                                              const Batch& batch, size_t index, BootTime now,
                                              Route route) {
  CHECK(batch.first_seq == tracked.first_seq && index < tracked.records.size(),
        "the book is of the batch that is sent");
  TrackedRecord& record = tracked.records[index];
  CHECK(record.state == TrackedRecord::State::kUnsent, "no record is in flight twice");
  std::optional<Record> restamped;
  if (options_.clock_history) restamped = Restamp(batch, index, *options_.clock_history);
  WireMessage message = MakeMessage(batch, index, restamped ? &*restamped : nullptr);
  const bool suspect = DropSuspectTimestamp(message, parts_.clock.Now(), parts_.clock.Synced());
  if (record.without_timestamp) message.timestamp.reset();
  record.timed = message.timestamp.has_value();
  const Status status = parts_.transport.Send(tracked.first_seq + index, message, route);
  if (status.ok()) {
    queue.lane().MarkSent(tracked, record);
    parts_.topics.Sent(record.topic, record.bytes, now);
    parts_.in_flight.Sent(record.bytes);
    parts_.metrics.CountSent(queue.record_class(), record.bytes, restamped.has_value());
    if (suspect) {
      REACHED("forwarder: a suspect time is no timestamp");
      parts_.metrics.CountSuspectTime();
    }
    if (!parts_.gate.open()) parts_.gate.CountPassed();
    return WriteOutcome::kSent;
  }
  const Error& error = status.error();
  if (error.code == ErrorCode::kFull) return WriteOutcome::kFull;
  parts_.metrics.NoteError(error.message);
  if (error.code == ErrorCode::kRejected && SetAside(queue, tracked, batch, index, error.message)) {
    return WriteOutcome::kHeld;
  }
  parts_.topics.WaitFrom(record.topic, now);
  return WriteOutcome::kHeld;
}

bool RecordSender::SetAside(ClassQueue& queue, TrackedBatch& tracked, const Batch& batch,
                            size_t index, const std::string& reason) {
  CHECK(batch.first_seq == tracked.first_seq && index < tracked.records.size(),
        "the book is of the batch whose record is set aside");
  TrackedRecord& record = tracked.records[index];
  CHECK(record.state == TrackedRecord::State::kUnsent, "no record in flight is set aside");
  const DeadLetter letter = MakeRecordLetter(
      {"uplink", parts_.topics.NameOf(record.topic), reason, batch.records[index].value},
      parts_.clock.Now());
  if (!parts_.store.Write(letter)) return false;
  queue.lane().MarkDone(tracked, record);
  parts_.metrics.CountRejected();
  if (const auto count = reject_limit_.Count(parts_.clock.SinceBoot())) {
    parts_.log.Warning("uplink: {} records refused for good, now in the dead letters: {}", *count,
                       reason);
  }
  return true;
}

bool RecordSender::Replayed(const ClockStamp& stamp) const {
  return !connected_since_ || stamp.boot_id != parts_.clock.BootId() ||
         stamp.since_boot < *connected_since_;
}

}  // namespace tidegate
