// Turns what the drivers offer into commits: decodes messages, tags tenants, recognises
// redeliveries, folds the rules, and settles the tickets of what is stored. A commit closes at the
// first of: the interval since its first message, its size, or a driver whose source sends no more
// until it is acknowledged. Loop thread only.
//
// Invariants:
// - An input's tickets are accepted one by one, in order, and settled only when nothing that was
//   accepted is pending (Accept, SettleTickets).
// - Every accepted message is a redelivery, or becomes at least one record or dead letter
//   (Take).
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/pipeline/committer.h"
#include "agent/pipeline/crash_mark.h"
#include "agent/pipeline/fold.h"
#include "agent/pipeline/pipeline_state.h"
#include "agent/pipeline/refused_parts.h"
#include "core/clock.h"
#include "core/json/json.h"
#include "core/log.h"
#include "core/loop/loop.h"
#include "core/metrics.h"
#include "core/rules/rules.h"
#include "drivers/driver.h"
#include "store/store.h"

namespace tidegate {

class Pipeline {
 public:
  struct Options {
    // Longer: fewer bytes of flash, later acknowledgements.
    std::chrono::milliseconds commit_interval{200};
    // Larger: more memory between commits.
    size_t commit_records = 1000;
    // Of records, alerts and dead letters that are not committed yet; sources pause above it. A
    // message that alone brings it to twice as much is committed in parts, and settled with the
    // last one. Known duplicates: if the process ends between them, the message is redelivered, and
    // those of its records that have no time or id of their own are stored twice.
    size_t pending_bytes = 4 * 1024 * 1024;
    // For the messages of one input in one turn of the loop, to within one message; then its source
    // pauses until the next turn. Longer: the other inputs, the uplink and the watchdog wait
    // longer.
    std::chrono::milliseconds turn_time{50};
    // Path of the crash mark; empty: none.
    std::string crash_mark_path;
    // TIDEGATE_TENANT; empty: none.
    std::string default_tenant;
    // Allow list; empty: any.
    std::vector<std::string> tenants;
    json::Limits json;
    Fold::Options fold;
  };
  struct InputStatus {
    std::string name;
    // Messages accepted from the driver.
    uint64_t received = 0;
    // Of these, those whose tickets are settled.
    uint64_t settled = 0;
    // Records (or whole messages) that became dead letters.
    uint64_t refused = 0;
    // Messages that were stored already when they came again.
    uint64_t redelivered = 0;
  };

  // All references outlive the pipeline.
  Pipeline(Store& store, Loop& loop, const Clock& clock, const Log& log, Metrics& metrics,
           std::vector<Rule> rules, Options options);
  ~Pipeline();

  // Returns the inbox for one input; it lives as long as the pipeline. `driver` outlives the last
  // Commit(). REQUIRES: a driver, and fewer than 65,535 inputs.
  Inbox& AddInput(const Input& input, Driver* driver);

  // Restores the last process's state from the store, then becomes the store's snapshot source.
  // Logs and counts what it cannot read. REQUIRES: called before the first Offer().
  void Restore();

  // Called after each commit that stored records, with what was stored (valid during the call).
  void OnStored(Committer::StoredCallback callback) { committer_.OnStored(std::move(callback)); }

  // Commits what is pending now. False: the store refused it or failed; what was not stored stays
  // pending and is tried again after a back-off.
  bool Commit();
  // The store may have room again, because something was delivered: tries a failed commit again
  // without waiting for its back-off, at once or, if that was just done, 50 ms later.
  void OnRoom();

  // The last commit failed, and a retry is armed.
  bool blocked() const { return committer_.blocked(); }
  size_t pending_records() const { return committer_.pending().records(); }
  size_t pending_bytes() const { return committer_.pending().bytes(); }
  // Alerts that are raised at present, by the configured rules.
  size_t alerts_raised() const { return state_.fold().raised(); }
  std::vector<InputStatus> inputs() const;

 private:
  class InputInbox;
  class MessageSink;

  bool Accept(InputInbox& inbox, const Message& message, Ticket ticket);
  bool HasRoom(InputInbox& inbox);
  void Take(InputInbox& inbox, const Message& message, Ticket ticket);
  void Decode(InputInbox& inbox, const Message& message, MessageSink& sink);
  bool Known(InputInbox& inbox, const Message& message, const MessageSink& sink, Ticket ticket);
  void Remember(InputInbox& inbox, const Message& message, const MessageSink& sink, Ticket ticket);
  uint16_t ArrivalIndex(InputInbox& inbox, const Message& message);
  void CountRedelivery(InputInbox& inbox, const Message& message);
  void SetAside(InputInbox& inbox, const Message& message, RefusedParts refused);
  void OnTurnEnd();
  void BoundPending();
  bool CommitIsDue() const;
  bool AnyStarved() const;
  bool AllSettled() const;
  void EndTurns();
  void SettleTickets();

  const Clock& clock_;
  const Log& log_;
  Metrics& metrics_;
  const Options options_;
  PipelineState state_;
  Committer committer_;
  std::deque<std::unique_ptr<InputInbox>> inboxes_;
  CrashMark crash_mark_;
  // Offer() has returned false for want of room since the last commit.
  bool paused_ = false;
  // When OnRoom() tried last.
  std::optional<BootTime> room_tried_;
  Metrics::Counter& deadly_messages_;
  LogLimit refused_log_;
  LogLimit redelivered_log_;
  std::unique_ptr<Timer> commit_timer_;
  std::unique_ptr<TurnEnd> turn_end_;
};

}  // namespace tidegate
