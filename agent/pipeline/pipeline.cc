#include "agent/pipeline/pipeline.h"

#include <algorithm>
#include <utility>

#include "agent/pipeline/decode.h"
#include "agent/pipeline/fingerprint.h"
#include "agent/pipeline/input_inbox.h"
#include "core/check.h"

namespace tidegate {

// Receives the records and the refused parts of one message. Adds them to the next commit at once,
// or holds them until it is known that the message is no redelivery.
class Pipeline::MessageSink final : public DecodeSink {
 public:
  MessageSink(Pipeline& pipeline, InputInbox& inbox, const Message& message, bool hold)
      : pipeline_(pipeline), inbox_(inbox), message_(message), hold_(hold) {
    arrival_.since_boot =
        std::chrono::duration_cast<std::chrono::milliseconds>(pipeline.clock_.SinceBoot());
    arrival_.input = inbox.index_;
    arrival_.packet_id = message.packet_id;
  }

  void OnRecord(Record&& record, const DecodedRecord& decoded) override {
    ++records_;
    if (message_.packet_id) fingerprint_.Add(record);
    if (!hold_) return pipeline_.committer_.Add(std::move(record), decoded, arrival_);
    held_records_.push_back(std::move(record));
  }
  void OnRefused(std::string_view payload, std::string reason) override {
    ++refused_;
    if (!hold_) return pipeline_.SetAside(inbox_, message_, payload, std::move(reason));
    held_refused_.push_back({std::string(payload), std::move(reason)});
  }

  // REQUIRES: a message with a packet id that was decoded. Called once.
  Receipts::Arrived Receipt(Ticket ticket) {
    CHECK(message_.packet_id && parts() > 0, "a receipt is made of a decoded message with an id");
    const bool refused = records_ == 0;
    if (refused) fingerprint_.AddRefused(message_.payload);
    return {*message_.packet_id, fingerprint_.value(), fingerprint_.same_record(), ticket, refused};
  }
  size_t parts() const { return records_ + refused_; }

  // Adds what is held to the next commit.
  void Release() {
    for (Record& record : held_records_) {
      const DecodedRecord decoded(record);
      pipeline_.committer_.Add(std::move(record), decoded, arrival_);
    }
    for (Refused& refused : held_refused_)
      pipeline_.SetAside(inbox_, message_, refused.payload, std::move(refused.reason));
  }

 private:
  struct Refused {
    std::string payload;
    std::string reason;
  };

  Pipeline& pipeline_;
  InputInbox& inbox_;
  const Message& message_;
  const bool hold_;
  Arrival arrival_;
  Fingerprint fingerprint_;
  size_t records_ = 0;
  size_t refused_ = 0;
  std::vector<Record> held_records_;
  std::vector<Refused> held_refused_;
};

Pipeline::Pipeline(Store& store, Loop& loop, const Clock& clock, const Log& log, Metrics& metrics,
                   std::vector<Rule> rules, Options options)
    : clock_(clock),
      log_(log),
      metrics_(metrics),
      options_(std::move(options)),
      state_(store, clock, log, metrics, std::move(rules), options_.fold),
      committer_(state_, store, loop, clock, log, metrics, [this] { Commit(); }),
      commit_timer_(loop.AddTimer([this] { Commit(); })),
      turn_end_(loop.AddTurnEnd([this] { OnTurnEnd(); })) {}

Pipeline::~Pipeline() = default;

Inbox& Pipeline::AddInput(const Input& input, Driver* driver) {
  CHECK(driver != nullptr, "an input has a driver");
  const uint16_t index = committer_.AddInput(input.name);
  return *inboxes_.emplace_back(std::make_unique<InputInbox>(
      *this, input, *driver, index, state_.receipts(input.name), metrics_));
}

void Pipeline::Restore() {
  CHECK(committer_.pending().empty(), "the state is restored before the first Offer()");
  state_.Restore();
  committer_.ProvideSnapshots();
}

bool Pipeline::Accept(InputInbox& inbox, const Message& message, Ticket ticket) {
  CHECK(ticket == inbox.accepted_ + 1, "a driver offers its tickets one by one, in order");
  if (committer_.pending().bytes() >= options_.pending_bytes) {
    paused_ = true;
    turn_end_->Schedule();
    return false;
  }
  Take(inbox, message, ticket);
  inbox.accepted_ = ticket;
  inbox.messages_.Increment();
  if (!commit_timer_->armed() && !blocked()) commit_timer_->After(options_.commit_interval);
  turn_end_->Schedule();
  return true;
}

// Decodes the message once, also if it may be a redelivery: then nothing becomes pending before the
// receipts have decided.
void Pipeline::Take(InputInbox& inbox, const Message& message, Ticket ticket) {
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
  const bool may_be_redelivery = message.packet_id && inbox.receipts_.waiting();
  MessageSink sink(*this, inbox, message, may_be_redelivery);
  Decode(message.payload, context, options_.json, sink);
  CHECK(sink.parts() > 0, "every message becomes a record or a dead letter");
  if (!message.packet_id) return;
  const Receipts::Arrived arrived = sink.Receipt(ticket);
  if (may_be_redelivery && inbox.receipts_.Redelivered(arrived)) {
    return CountRedelivery(inbox, message);
  }
  sink.Release();
  inbox.receipts_.Add(arrived);
}

void Pipeline::CountRedelivery(InputInbox& inbox, const Message& message) {
  inbox.redelivered_.Increment();
  if (const auto count = redelivered_log_.Count(clock_.SinceBoot())) {
    log_.Info("input {}: {} message(s) sent again that are stored already, the last from {}",
              inbox.input_.name, *count, message.origin);
  }
}

void Pipeline::SetAside(InputInbox& inbox, const Message& message, std::string_view payload,
                        std::string reason) {
  inbox.refused_.Increment();
  if (const auto count = refused_log_.Count(clock_.SinceBoot())) {
    log_.Warning("input {}: {} message(s) to the dead letters, the last from {}: {}",
                 inbox.input_.name, *count, message.origin, reason);
  }
  committer_.AddDeadLetter({.input = inbox.input_.name,
                            .origin = std::string(message.origin),
                            .reason = std::move(reason),
                            .payload = std::string(payload),
                            .time = clock_.Now()});
}

bool Pipeline::AnyStarved() const {
  return std::ranges::any_of(inboxes_, [](const auto& inbox) {
    return inbox->accepted_ > inbox->settled_ && inbox->driver_.Starved();
  });
}

void Pipeline::OnTurnEnd() {
  if (blocked()) return;
  const Pending& pending = committer_.pending();
  if (pending.records() >= options_.commit_records || pending.bytes() >= options_.pending_bytes ||
      AnyStarved())
    Commit();
}

bool Pipeline::Commit() {
  commit_timer_->Cancel();
  if (!committer_.Commit()) return false;
  SettleTickets();
  return true;
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
  if (blocked()) Commit();
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
