#include "agent/pipeline/pipeline.h"

#include <fmt/format.h>
#include <cassert>

#include <algorithm>
#include <limits>
#include <utility>

#include "agent/pipeline/fingerprint.h"
#include "agent/pipeline/input_inbox.h"

namespace tidegate {

namespace {
using std::chrono::milliseconds;

constexpr Backoff::Options kStoreRetry{.initial = milliseconds(100), .max = milliseconds(10'000)};
}  // namespace

Pipeline::Pipeline(Store& store, Loop& loop, const Clock& clock, const Log& log, Metrics& metrics,
                   std::vector<Rule> rules, Options options)
    : store_(store),
      clock_(clock),
      log_(log),
      metrics_(metrics),
      options_(std::move(options)),
      fold_(std::move(rules), options_.fold),
      fold_boot_(clock.BootId()),
      retry_backoff_(kStoreRetry, static_cast<uint64_t>(clock.SinceBoot().count())),
      commits_(metrics.AddCounter("tidegate_commits_total", "Transactions that stored records")),
      commit_failures_(
          metrics.AddCounter("tidegate_commit_failures_total", "Commits that the store refused")),
      alerts_raised_(
          metrics.AddCounter("tidegate_alerts_total", "Alerts by change", {{"change", "raised"}})),
      alerts_cleared_(
          metrics.AddCounter("tidegate_alerts_total", "Alerts by change", {{"change", "cleared"}})),
      restore_failures_(metrics.AddCounter(
          "tidegate_restore_failures_total",
          "Snapshots or batches that could not be read when the state was restored")),
      assets_forgotten_(metrics.AddCounter("tidegate_assets_forgotten_total",
                                           "Assets forgotten because there were too many")),
      commit_timer_(loop.AddTimer([this] { Commit(); })),
      retry_timer_(loop.AddTimer([this] { Commit(); })),
      turn_end_(loop.AddTurnEnd([this] { OnTurnEnd(); })) {}

Pipeline::~Pipeline() {
  store_.SetSnapshotSource(nullptr);
}

Inbox& Pipeline::AddInput(const Input& input, Driver* driver) {
  assert(input_names_.size() < std::numeric_limits<uint16_t>::max());
  const auto index = static_cast<uint16_t>(input_names_.size());
  input_names_.push_back(input.name);
  return *inboxes_.emplace_back(
      std::make_unique<InputInbox>(*this, input, driver, index, receipts_[input.name]));
}

bool Pipeline::Accept(InputInbox& inbox, const Message& message, Ticket ticket) {
  assert(ticket == inbox.accepted_ + 1);
  if (pending_.bytes() >= options_.pending_bytes) {
    paused_ = true;
    turn_end_->Schedule();
    return false;
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
  if (!IsRedelivered(inbox, message, ticket, context)) Take(inbox, message, ticket, context);
  inbox.accepted_ = ticket;
  inbox.messages_.Increment();
  if (!commit_timer_->armed() && !blocked_) commit_timer_->After(options_.commit_interval);
  turn_end_->Schedule();
  return true;
}

void Pipeline::Take(InputInbox& inbox, const Message& message, Ticket ticket,
                    const DecodeContext& context) {
  struct Sink final : DecodeSink {
    Sink(Pipeline& p, InputInbox& i, const Message& m) : pipeline(p), inbox(i), message(m) {}
    void OnRecord(Record&& record, const DecodedRecord& decoded) override {
      if (message.packet_id) fingerprint.Add(record);
      any = true;
      pipeline.Keep(std::move(record), decoded, arrival);
    }
    void OnRefused(std::string_view payload, std::string reason) override {
      pipeline.SetAside(inbox, message, payload, std::move(reason));
    }
    Pipeline& pipeline;
    InputInbox& inbox;
    const Message& message;
    Arrival arrival;
    Fingerprint fingerprint;
    bool any = false;
  } sink(*this, inbox, message);
  sink.arrival = {.since_boot = std::chrono::duration_cast<milliseconds>(clock_.SinceBoot()),
                  .position = 0,
                  .input = inbox.index_,
                  .packet_id = message.packet_id};
  Decode(message.payload, context, options_.json, sink);
  if (!message.packet_id) return;
  if (!sink.any) sink.fingerprint.AddRefused(message.payload);
  inbox.receipts_.Add(
      {*message.packet_id, sink.fingerprint.value(), sink.fingerprint.same_record(), ticket});
}

// Decodes once more than usual, but only as long as the source may send something again.
bool Pipeline::IsRedelivered(InputInbox& inbox, const Message& message, Ticket ticket,
                             const DecodeContext& context) {
  if (!message.packet_id || !inbox.receipts_.waiting()) return false;
  struct Sink final : DecodeSink {
    void OnRecord(Record&& record, const DecodedRecord&) override {
      fingerprint.Add(record);
      any = true;
    }
    void OnRefused(std::string_view, std::string) override {}
    Fingerprint fingerprint;
    bool any = false;
  } sink;
  Decode(message.payload, context, options_.json, sink);
  if (!sink.any) sink.fingerprint.AddRefused(message.payload);
  if (!inbox.receipts_.Redelivered(
          {*message.packet_id, sink.fingerprint.value(), sink.fingerprint.same_record(), ticket})) {
    return false;
  }
  inbox.redelivered_.Increment();
  if (const auto count = redelivered_log_.Count(clock_.SinceBoot())) {
    log_.Info("input {}: {} message(s) sent again that are stored already, the last from {}",
              inbox.input_.name, *count, message.origin);
  }
  return true;
}

void Pipeline::Keep(Record&& record, const DecodedRecord& decoded, const Arrival& arrival) {
  fold_.Apply(decoded, arrival.since_boot, [this](Record alert, RuleChange change) {
    pending_.AddAlert(std::move(alert), change);
  });
  pending_.Add(std::move(record), arrival);
}

void Pipeline::SetAside(InputInbox& inbox, const Message& message, std::string_view payload,
                        std::string reason) {
  inbox.refused_.Increment();
  if (const auto count = refused_log_.Count(clock_.SinceBoot())) {
    log_.Warning("input {}: {} message(s) to the dead letters, the last from {}: {}",
                 inbox.input_.name, *count, message.origin, reason);
  }
  pending_.AddDeadLetter({.input = inbox.input_.name,
                          .origin = std::string(message.origin),
                          .reason = std::move(reason),
                          .payload = std::string(payload),
                          .time = clock_.Now()});
}

bool Pipeline::AnyStarved() const {
  return std::ranges::any_of(inboxes_, [](const auto& inbox) {
    return inbox->driver_ != nullptr && inbox->accepted_ > inbox->settled_ &&
           inbox->driver_->Starved();
  });
}

void Pipeline::OnTurnEnd() {
  if (blocked_) return;
  if (pending_.records() >= options_.commit_records || pending_.bytes() >= options_.pending_bytes ||
      AnyStarved())
    Commit();
}

void Pipeline::Settle() {
  pending_.Clear();
  CountForgotten();
  for (auto& inbox : inboxes_) {
    if (inbox->settled_ == inbox->accepted_) continue;
    inbox->settled_ = inbox->accepted_;
    inbox->driver_->Settled(inbox->settled_);
  }
  if (!std::exchange(paused_, false)) return;
  for (auto& inbox : inboxes_) inbox->driver_->Resume();
}

void Pipeline::CountForgotten() {
  const uint64_t now = fold_.forgotten() - forgotten_told_;
  if (now == 0) return;
  forgotten_told_ += now;
  assets_forgotten_.Increment(static_cast<double>(now));
  if (const auto count = forgotten_log_.Count(clock_.SinceBoot(), now)) {
    log_.Warning(
        "more than {} assets: {} that were silent for longest are forgotten, with the "
        "states of their rules",
        options_.fold.assets, *count);
  }
}

void Pipeline::OnRoom() {
  if (blocked_) Commit();
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
