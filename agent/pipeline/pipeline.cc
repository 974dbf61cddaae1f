#include "agent/pipeline/pipeline.h"

#include <algorithm>
#include <utility>

#include "agent/pipeline/decode.h"
#include "agent/pipeline/fingerprint.h"
#include "agent/pipeline/input_inbox.h"
#include "core/check.h"
#include "core/reached.h"
#include "core/utf8.h"

namespace tidegate {

namespace {
// Between two attempts to commit for which deliveries have made room: each attempt encodes again
// what is pending.
constexpr std::chrono::milliseconds kRoomInterval{50};
}  // namespace

// Receives the records and the refused parts of one message. Adds them to the next commit at once,
// or holds them until it is known that the message is no redelivery.
class Pipeline::MessageSink final : public DecodeSink {
 public:
  MessageSink(Pipeline& pipeline, InputInbox& inbox, const Message& message, bool hold)
      : pipeline_(pipeline),
        inbox_(inbox),
        message_(message),
        hold_(hold),
        wants_content_(message.packet_id || message.retained || inbox.retained_.active()) {
    arrival_.since_boot =
        std::chrono::duration_cast<std::chrono::milliseconds>(pipeline.clock_.SinceBoot());
    arrival_.input = pipeline.ArrivalIndex(inbox, message);
    arrival_.packet_id = message.packet_id;
  }

  void OnRecord(Record&& record, const DecodedRecord& decoded) override {
    ++records_;
    if (wants_content_) fingerprint_.Add(record);
    if (hold_) return held_records_.push_back(std::move(record));
    pipeline_.committer_.Add(std::move(record), decoded, arrival_);
    pipeline_.BoundPending();
  }
  void OnRefused(std::string_view payload, std::string reason) override {
    refused_.Add(payload, reason);
  }

  // The message has been decoded. Called once.
  void Finish() {
    CHECK(parts() > 0, "every message becomes a record or a dead letter");
    if (wants_content_ && records_ == 0) fingerprint_.AddRefused(message_.payload);
  }
  bool has_content() const { return wants_content_; }
  // REQUIRES: Finish() was called, and has_content().
  const Fingerprint& content() const {
    CHECK(wants_content_ && parts() > 0, "the content of a decoded message was wanted");
    return fingerprint_;
  }
  size_t records() const { return records_; }
  size_t parts() const { return records_ + refused_.count(); }

  // Adds what is held, and what was refused, to the next commit.
  void Release() {
    for (Record& record : held_records_) {
      const DecodedRecord decoded(record);
      pipeline_.committer_.Add(std::move(record), decoded, arrival_);
      // The receipt of a retained message is there already.
      if (!message_.retained) pipeline_.BoundPending();
    }
    if (refused_.count() > 0) pipeline_.SetAside(inbox_, message_, std::move(refused_));
  }

 private:
  Pipeline& pipeline_;
  InputInbox& inbox_;
  const Message& message_;
  const bool hold_;
  const bool wants_content_;
  Arrival arrival_;
  Fingerprint fingerprint_;
  size_t records_ = 0;
  std::vector<Record> held_records_;
  RefusedParts refused_;
};

Pipeline::Pipeline(Store& store, Loop& loop, const Clock& clock, const Log& log, Metrics& metrics,
                   std::vector<Rule> rules, Options options)
    : clock_(clock),
      log_(log),
      metrics_(metrics),
      options_(std::move(options)),
      state_(store, clock, log, metrics, std::move(rules), options_.fold),
      committer_(state_, store, loop, clock, log, metrics, [this] { Commit(); }),
      crash_mark_(options_.crash_mark_path, clock.BootId(), log),
      deadly_messages_(
          metrics.AddCounter("tidegate_deadly_messages_total",
                             "Messages set aside because they had ended the process twice")),
      commit_timer_(loop.AddTimer([this] { Commit(); })),
      turn_end_(loop.AddTurnEnd([this] { OnTurnEnd(); })) {}

Pipeline::~Pipeline() = default;

Inbox& Pipeline::AddInput(const Input& input, Driver* driver) {
  CHECK(driver != nullptr, "an input has a driver");
  const uint16_t index = committer_.AddInput(input.name);
  return *inboxes_.emplace_back(
      std::make_unique<InputInbox>(*this, input, *driver, index, state_.receipts(input.name),
                                   state_.retained(input.name), metrics_));
}

void Pipeline::Restore() {
  CHECK(committer_.pending().empty(), "the state is restored before the first Offer()");
  state_.Restore();
  committer_.ProvideSnapshots();
}

bool Pipeline::Accept(InputInbox& inbox, const Message& message, Ticket ticket) {
  CHECK(ticket == inbox.accepted_ + 1, "a driver offers its tickets one by one, in order");
  turn_end_->Schedule();
  if (!HasRoom(inbox)) return false;
  const BootTime begin = clock_.SinceBoot();
  Take(inbox, message, ticket);
  crash_mark_.EndDecoding();
  inbox.turn_used_ += clock_.SinceBoot() - begin;
  inbox.accepted_ = ticket;
  inbox.messages_.Increment();
  if (!commit_timer_->armed() && !blocked()) commit_timer_->After(options_.commit_interval);
  return true;
}

bool Pipeline::HasRoom(InputInbox& inbox) {
  if (committer_.pending().bytes() >= options_.pending_bytes ||
      (crash_mark_.alone() && !AllSettled())) {
    paused_ = true;
    REACHED("pipeline: an input waits for room");
    return false;
  }
  if (inbox.turn_used_ < options_.turn_time) return true;
  if (!std::exchange(inbox.yielded_, true)) inbox.yields_.Increment();
  return false;
}

// Retained messages count as an input of their own: agent/pipeline/retained.h.
uint16_t Pipeline::ArrivalIndex(InputInbox& inbox, const Message& message) {
  if (!message.retained) return inbox.index_;
  if (!inbox.retained_index_) {
    inbox.retained_index_ = committer_.AddInput(RetainedInputName(inbox.input_.name));
  }
  return *inbox.retained_index_;
}

// Decodes the message once, also if it may be stored already: then nothing becomes pending before
// the receipts have decided.
void Pipeline::Take(InputInbox& inbox, const Message& message, Ticket ticket) {
  const bool hold = (message.packet_id && inbox.receipts_.waiting()) || message.retained;
  MessageSink sink(*this, inbox, message, hold);
  Decode(inbox, message, sink);
  sink.Finish();
  if (Known(inbox, message, sink, ticket)) return CountRedelivery(inbox, message);
  sink.Release();
  Remember(inbox, message, sink, ticket);
}

void Pipeline::Decode(InputInbox& inbox, const Message& message, MessageSink& sink) {
  if (!message.refused.empty())
    return sink.OnRefused(message.payload, std::string(message.refused));
  if (!crash_mark_.BeginDecoding(CrashMark::Identify(inbox.input_.name, message))) {
    deadly_messages_.Increment();
    REACHED("pipeline: a message that ended the process twice");
    return sink.OnRefused(message.payload, "the process ended twice while it decoded this message");
  }
  // First: a clock that is synchronised is right when it is read after.
  const bool clock_synced = clock_.Synced();
  const DecodeContext context{.record_class = inbox.input_.record_class,
                              .topic_tenant = message.tenant,
                              .topic_asset = message.asset,
                              .input_tenant = inbox.input_.tenant,
                              .input_asset = inbox.input_.asset,
                              .default_tenant = options_.default_tenant,
                              .tenants = options_.tenants,
                              .arrival = clock_.Now(),
                              .clock_synced = clock_synced};
  tidegate::Decode(message.payload, context, options_.json, sink);
}

// Asks the receipts whether the message is stored already.
bool Pipeline::Known(InputInbox& inbox, const Message& message, const MessageSink& sink,
                     Ticket ticket) {
  if (!sink.has_content()) return false;
  const Fingerprint& content = sink.content();
  const Receipts::Arrived arrived{message.packet_id.value_or(0), content.value(),
                                  content.same_record(), ticket, sink.records() == 0};
  if (message.packet_id && inbox.receipts_.waiting() && inbox.receipts_.Redelivered(arrived))
    return true;
  if (!message.retained || !inbox.retained_.Recognise(message.origin, content.value()))
    return false;
  if (message.packet_id) inbox.receipts_.Add(arrived);
  return true;
}

// Adds a new message to the receipts. All of it is pending or stored: a commit in parts must not
// save the receipt before the message.
void Pipeline::Remember(InputInbox& inbox, const Message& message, const MessageSink& sink,
                        Ticket ticket) {
  if (!sink.has_content()) return;
  const Fingerprint& content = sink.content();
  if (message.packet_id)
    inbox.receipts_.Add(
        {*message.packet_id, content.value(), content.same_record(), ticket, sink.records() == 0});
  if (!message.retained) inbox.retained_.Add(message.origin, content.value());
}

// One message, with the alerts that it raises, may be more than may be buffered.
void Pipeline::BoundPending() {
  if (committer_.pending().bytes() < 2 * options_.pending_bytes || blocked()) return;
  REACHED("pipeline: one message fills what may be pending");
  committer_.Commit();
}

void Pipeline::CountRedelivery(InputInbox& inbox, const Message& message) {
  inbox.redelivered_.Increment();
  if (const auto count = redelivered_log_.Count(clock_.SinceBoot())) {
    log_.Info("input {}: {} message(s) sent again that are stored already, the last from {}",
              inbox.input_.name, *count, Utf8Prefix(message.origin, kMaxOriginBytes));
  }
}

void Pipeline::SetAside(InputInbox& inbox, const Message& message, RefusedParts refused) {
  inbox.refused_.Increment(static_cast<double>(refused.count()));
  DeadLetter letter = refused.TakeLetter(inbox.input_.name, message.origin, clock_.Now());
  letter.whole_bytes = std::max(letter.whole_bytes, message.whole_bytes);
  if (const auto count = refused_log_.Count(clock_.SinceBoot(), refused.count())) {
    log_.Warning("input {}: {} message(s) to the dead letters, the last from {}: {}",
                 inbox.input_.name, *count, letter.origin, letter.reason);
  }
  committer_.AddDeadLetter(std::move(letter));
}

bool Pipeline::AnyStarved() const {
  return std::ranges::any_of(inboxes_, [](const auto& inbox) {
    return inbox->accepted_ > inbox->settled_ && inbox->driver_.Starved();
  });
}

bool Pipeline::AllSettled() const {
  return std::ranges::all_of(inboxes_,
                             [](const auto& inbox) { return inbox->accepted_ == inbox->settled_; });
}

void Pipeline::OnTurnEnd() {
  crash_mark_.EndBurst();
  if (!blocked() && CommitIsDue()) Commit();
  EndTurns();
}

bool Pipeline::CommitIsDue() const {
  const Pending& pending = committer_.pending();
  return pending.records() >= options_.commit_records ||
         pending.bytes() >= options_.pending_bytes || AnyStarved() ||
         (crash_mark_.alone() && !AllSettled());
}

// Gives each input its time for the next turn, and resumes those that had used theirs up.
void Pipeline::EndTurns() {
  for (auto& inbox : inboxes_) {
    inbox->turn_used_ = std::chrono::nanoseconds::zero();
    if (std::exchange(inbox->yielded_, false)) inbox->driver_.Resume();
  }
}

bool Pipeline::Commit() {
  commit_timer_->Cancel();
  crash_mark_.BeginCommit();
  const bool stored = committer_.Commit();
  crash_mark_.EndCommit(stored);
  if (stored) SettleTickets();
  return stored;
}

// REQUIRES: everything that was accepted is stored or set aside.
void Pipeline::SettleTickets() {
  CHECK(committer_.pending().empty(), "tickets are settled once nothing is pending");
  state_.ReportForgotten();
  for (auto& inbox : inboxes_) {
    CHECK(inbox->settled_ <= inbox->accepted_, "only accepted tickets are settled");
    if (inbox->settled_ == inbox->accepted_) continue;
    inbox->settled_ = inbox->accepted_;
    inbox->driver_.Settled(inbox->settled_);
  }
  if (!std::exchange(paused_, false)) return;
  for (auto& inbox : inboxes_) inbox->driver_.Resume();
}

void Pipeline::OnRoom() {
  if (!blocked()) return;
  const BootTime now = clock_.SinceBoot();
  if (room_tried_ && now - *room_tried_ < kRoomInterval)
    return committer_.RetryIn(*room_tried_ + kRoomInterval - now);
  room_tried_ = now;
  Commit();
}

std::vector<Pipeline::InputStatus> Pipeline::inputs() const {
  std::vector<InputStatus> all;
  for (const auto& inbox : inboxes_) {
    all.push_back({.name = inbox->input_.name,
                   .received = inbox->accepted_,
                   .settled = inbox->settled_,
                   .refused = static_cast<uint64_t>(inbox->refused_.Value()),
                   .redelivered = static_cast<uint64_t>(inbox->redelivered_.Value())});
  }
  return all;
}

}  // namespace tidegate
