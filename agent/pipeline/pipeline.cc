#include "agent/pipeline/pipeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tidegate {

namespace {
using std::chrono::milliseconds;

constexpr Backoff::Options kStoreRetry{.initial = milliseconds(100), .max = milliseconds(10'000)};
}  // namespace

class Pipeline::InputInbox final : public Inbox {
 public:
  InputInbox(Pipeline& pipeline, const Input& input, Driver* driver)
      : pipeline_(pipeline),
        input_(input),
        driver_(driver),
        messages_(pipeline.metrics_.AddCounter("tidegate_input_messages_total",
                                               "Messages taken from an input",
                                               {{"input", input.name}})),
        refused_(pipeline.metrics_.AddCounter("tidegate_input_refused_total",
                                              "Records or messages that went to the dead letters",
                                              {{"input", input.name}})) {}

  bool Offer(const Message& message, Ticket ticket) override {
    return pipeline_.Accept(*this, message, ticket);
  }

 private:
  friend class Pipeline;
  Pipeline& pipeline_;
  Input input_;
  Driver* driver_;
  Ticket accepted_ = 0;
  Ticket settled_ = 0;
  Metrics::Counter& messages_;
  Metrics::Counter& refused_;
};

Pipeline::Pipeline(Store& store, Loop& loop, const Clock& clock, const Log& log, Metrics& metrics,
                   std::vector<Rule> rules, Options options)
    : store_(store),
      clock_(clock),
      log_(log),
      metrics_(metrics),
      options_(std::move(options)),
      alerts_(std::move(rules)),
      retry_backoff_(kStoreRetry, static_cast<uint64_t>(clock.SinceBoot().count())),
      commits_(metrics.AddCounter("tidegate_commits_total", "Transactions that stored records")),
      commit_failures_(
          metrics.AddCounter("tidegate_commit_failures_total", "Commits that the store refused")),
      alerts_raised_(
          metrics.AddCounter("tidegate_alerts_total", "Alerts by change", {{"change", "raised"}})),
      alerts_cleared_(
          metrics.AddCounter("tidegate_alerts_total", "Alerts by change", {{"change", "cleared"}})),
      commit_timer_(loop.AddTimer([this] { Commit(); })),
      retry_timer_(loop.AddTimer([this] { Commit(); })),
      turn_end_(loop.AddTurnEnd([this] { OnTurnEnd(); })) {}

Pipeline::~Pipeline() = default;

Inbox& Pipeline::AddInput(const Input& input, Driver* driver) {
  return *inboxes_.emplace_back(std::make_unique<InputInbox>(*this, input, driver));
}

bool Pipeline::Accept(InputInbox& inbox, const Message& message, Ticket ticket) {
  assert(ticket == inbox.accepted_ + 1);
  if (pending_bytes_ >= options_.pending_bytes) {
    paused_ = true;
    turn_end_->Schedule();
    return false;
  }
  struct Sink final : DecodeSink {
    Sink(Pipeline& p, InputInbox& i, const Message& m) : pipeline(p), inbox(i), message(m) {}
    void OnRecord(Record&& record, const DecodedRecord& decoded) override {
      pipeline.Keep(std::move(record), decoded);
    }
    void OnRefused(std::string_view payload, std::string reason) override {
      pipeline.SetAside(inbox, message, payload, std::move(reason));
    }
    Pipeline& pipeline;
    InputInbox& inbox;
    const Message& message;
  } sink(*this, inbox, message);
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
  Decode(message.payload, context, options_.json, sink);
  inbox.accepted_ = ticket;
  inbox.messages_.Increment();
  if (!commit_timer_->armed() && !blocked_) commit_timer_->After(options_.commit_interval);
  turn_end_->Schedule();
  return true;
}

void Pipeline::Keep(Record&& record, const DecodedRecord& decoded) {
  alerts_.Fold(decoded, clock_.SinceBoot(), [&](Record alert, RuleChange change) {
    (change == RuleChange::kRaised ? alerts_raised_ : alerts_cleared_).Increment();
    AddPending(std::move(alert));
  });
  AddPending(std::move(record));
}

void Pipeline::AddPending(Record&& record) {
  ++pending_records_;
  pending_bytes_ += record.value.size() + sizeof(Record);
  pending_[static_cast<size_t>(record.record_class)].push_back(std::move(record));
}

void Pipeline::SetAside(InputInbox& inbox, const Message& message, std::string_view payload,
                        std::string reason) {
  inbox.refused_.Increment();
  if (const auto count = refused_log_.Count(clock_.SinceBoot())) {
    log_.Warning("input {}: {} message(s) to the dead letters, the last from {}: {}",
                 inbox.input_.name, *count, message.origin, reason);
  }
  pending_bytes_ += payload.size() + sizeof(DeadLetter);
  dead_letters_.push_back(DeadLetter{.input = inbox.input_.name,
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
  if (pending_records_ >= options_.commit_records || pending_bytes_ >= options_.pending_bytes ||
      AnyStarved())
    Commit();
}

AppendRequest Pipeline::MakeRequest() const {
  AppendRequest request;
  for (RecordClass record_class : kRecordClasses) {
    const auto& records = pending_[static_cast<size_t>(record_class)];
    if (!records.empty()) request.batches.push_back({record_class, records});
  }
  request.dead_letters = dead_letters_;
  request.stamp = StampNow(clock_);
  return request;
}

bool Pipeline::Commit() {
  commit_timer_->Cancel();
  retry_timer_->Cancel();
  const AppendRequest request = MakeRequest();
  if (!request.batches.empty() || !request.dead_letters.empty()) {
    const auto appended = store_.Append(request);
    if (!appended.ok()) {
      OnAppendFailed(appended.error());
      return false;
    }
    commits_.Increment();
    if (on_stored_ && !request.batches.empty()) on_stored_(*appended, request);
  }
  blocked_ = false;
  retry_backoff_.Reset();
  Settle();
  return true;
}

void Pipeline::Settle() {
  for (auto& records : pending_) records.clear();
  dead_letters_.clear();
  pending_records_ = 0;
  pending_bytes_ = 0;
  for (auto& inbox : inboxes_) {
    if (inbox->settled_ == inbox->accepted_) continue;
    inbox->settled_ = inbox->accepted_;
    inbox->driver_->Settled(inbox->settled_);
  }
  if (!std::exchange(paused_, false)) return;
  for (auto& inbox : inboxes_) inbox->driver_->Resume();
}

void Pipeline::OnAppendFailed(const Error& error) {
  commit_failures_.Increment();
  if (const auto count = failed_log_.Count(clock_.SinceBoot())) {
    log_.Error("{} commit(s) failed, {} record(s) wait in memory and are not acknowledged: {}",
               *count, pending_records_, error.message);
  }
  blocked_ = true;
  if (error.code == ErrorCode::kRejected) SetAsideOversized(error.message);
  retry_timer_->After(retry_backoff_.Next());
}

// A batch that the store can never hold must not block what comes behind it: the largest record of
// the commit goes.
void Pipeline::SetAsideOversized(const std::string& reason) {
  const auto by_size = [](const Record& a, const Record& b) {
    return a.value.size() < b.value.size();
  };
  std::vector<Record>* largest_class = nullptr;
  for (auto& records : pending_) {
    if (records.empty()) continue;
    if (!largest_class || by_size(*std::ranges::max_element(*largest_class, by_size),
                                  *std::ranges::max_element(records, by_size))) {
      largest_class = &records;
    }
  }
  if (!largest_class) return dead_letters_.clear();
  const auto largest = std::ranges::max_element(*largest_class, by_size);
  dead_letters_.push_back(DeadLetter{.input = "store",
                                     .origin = RecordKey(largest->tenant, largest->asset),
                                     .reason = reason,
                                     .payload = std::move(largest->value),
                                     .time = clock_.Now()});
  largest_class->erase(largest);
  --pending_records_;
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
                   .refused = static_cast<uint64_t>(inbox->refused_.Value())});
  }
  return all;
}

}  // namespace tidegate
