// From messages to commits: decodes what the drivers offer, tags tenants, folds the rules, and
// appends to the store in batches. A commit closes at the first of: the interval since its first
// record, its size, or a driver that gets no more until it is acknowledged. Loop thread only.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/pipeline/decode.h"
#include "agent/pipeline/fold.h"
#include "agent/pipeline/pending.h"
#include "agent/pipeline/receipts.h"
#include "core/backoff.h"
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
    std::chrono::milliseconds commit_interval{
        200};                      // Longer: fewer bytes of flash, later acknowledgements.
    size_t commit_records = 1000;  // Larger: more memory between commits.
    size_t pending_bytes =
        4 * 1024 * 1024;  // Of values and payloads not yet committed; sources pause above it.
    std::string default_tenant;        // TIDEGATE_TENANT; empty: none.
    std::vector<std::string> tenants;  // Allow list; empty: any.
    json::Limits json;
    Fold::Options fold;
  };
  struct InputStatus {
    std::string name;
    uint64_t received = 0;     // Messages accepted from the driver.
    uint64_t settled = 0;      // Of these, durable or set aside.
    uint64_t refused = 0;      // Records (or whole messages) that went to the dead letters.
    uint64_t redelivered = 0;  // Messages that were stored already when they came again.
  };

  // All references outlive the pipeline.
  Pipeline(Store& store, Loop& loop, const Clock& clock, const Log& log, Metrics& metrics,
           std::vector<Rule> rules, Options options);
  ~Pipeline();

  // The inbox for one input; lives as long as the pipeline. `driver` may be set later, before it
  // offers anything.
  Inbox& AddInput(const Input& input, Driver* driver);

  // Comes to the state in which the last process was, from the store's snapshot and the records
  // behind it, and has the store save the state from now on. What cannot be read is logged and
  // counted, and the rest stands. Before anything is offered.
  void Restore();

  // Called after each commit that stored records, with what was stored (valid during the call).
  void OnStored(std::function<void(Seq first, const AppendRequest&)> callback) {
    on_stored_ = std::move(callback);
  }

  // Commits what is pending now. False if the store did not take it; it is kept and tried again.
  bool Commit();
  // Deliveries may have made room: tries again at once if the last commit found the store full.
  void OnRoom();

  bool blocked() const { return blocked_; }
  size_t pending_records() const { return pending_.records(); }
  size_t alerts_raised() const { return fold_.raised(); }
  std::vector<InputStatus> inputs() const;

 private:
  class InputInbox;
  friend class InputInbox;

  bool Accept(InputInbox& inbox, const Message& message, Ticket ticket);
  void Take(InputInbox& inbox, const Message& message, Ticket ticket, const DecodeContext& context);
  bool IsRedelivered(InputInbox& inbox, const Message& message, Ticket ticket,
                     const DecodeContext& context);
  void Keep(Record&& record, const DecodedRecord& decoded, const Arrival& arrival);
  void SetAside(InputInbox& inbox, const Message& message, std::string_view payload,
                std::string reason);
  void OnTurnEnd();
  bool AnyStarved() const;
  void Settle();
  void CountForgotten();

  // Committing: committer.cc.
  AppendRequest MakeRequest() const;
  Status Append(bool all);
  Status CommitInParts();
  Status AppendLetters(std::vector<DeadLetter>& letters);
  Status FoldAnew();
  void FoldIn(const std::vector<std::pair<Record, Arrival>>& records, size_t begin, size_t end);
  DeadLetter TooLarge(const Record& record, const std::string& reason) const;
  void OnAppendFailed(const Error& error);

  // The state: pipeline_state.cc.
  bool RestoreFold(bool receipts_too);
  Result<std::optional<FoldState>> LoadState(Seq& through);
  void EnterBoot(const std::string& boot_id);
  std::optional<std::string> State() const;

  Store& store_;
  const Clock& clock_;
  const Log& log_;
  Metrics& metrics_;
  Options options_;
  Fold fold_;
  std::string fold_boot_;                     // The boot that the fold's times count in.
  std::map<std::string, Receipts> receipts_;  // By input; also of inputs that are not added yet.
  std::function<void(Seq, const AppendRequest&)> on_stored_;

  std::deque<std::unique_ptr<InputInbox>> inboxes_;
  std::vector<std::string> input_names_;
  Pending pending_;
  bool committing_ = false;    // The store has everything that is folded in its hands.
  bool fold_complete_ = true;  // Else it may not be saved over one that is.
  bool blocked_ = false;  // The store refused the last commit; a retry is armed or room is awaited.
  bool paused_ = false;   // Offer() has returned false since the last Resume().

  Backoff retry_backoff_;
  LogLimit refused_log_, failed_log_, redelivered_log_, forgotten_log_;
  uint64_t forgotten_told_ = 0;
  Metrics::Counter& commits_;
  Metrics::Counter& commit_failures_;
  Metrics::Counter& alerts_raised_;
  Metrics::Counter& alerts_cleared_;
  Metrics::Counter& restore_failures_;
  Metrics::Counter& assets_forgotten_;
  std::unique_ptr<Timer> commit_timer_;
  std::unique_ptr<Timer> retry_timer_;
  std::unique_ptr<TurnEnd> turn_end_;
};

}  // namespace tidegate
