// From messages to commits: decodes what the drivers offer, tags tenants, folds the rules, and
// appends to the store in batches. A commit closes at the first of: the interval since its first
// record, its size, or a driver that gets no more until it is acknowledged. Loop thread only.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/pipeline/alerts.h"
#include "agent/pipeline/decode.h"
#include "core/backoff.h"
#include "core/clock.h"
#include "core/json/json.h"
#include "core/log.h"
#include "core/loop.h"
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
  };
  struct InputStatus {
    std::string name;
    uint64_t received = 0;  // Messages accepted from the driver.
    uint64_t settled = 0;   // Of these, durable or set aside.
    uint64_t refused = 0;   // Records (or whole messages) that went to the dead letters.
  };

  // All references outlive the pipeline.
  Pipeline(Store& store, Loop& loop, const Clock& clock, const Log& log, Metrics& metrics,
           std::vector<Rule> rules, Options options);
  ~Pipeline();

  // The inbox for one input; lives as long as the pipeline. `driver` may be set later, before it
  // offers anything.
  Inbox& AddInput(const Input& input, Driver* driver);

  // Called after each commit that stored records, with what was stored (valid during the call).
  void OnStored(std::function<void(Seq first, const AppendRequest&)> callback) {
    on_stored_ = std::move(callback);
  }

  // Commits what is pending now. False if the store did not take it; it is kept and tried again.
  bool Commit();
  // Deliveries may have made room: tries again at once if the last commit found the store full.
  void OnRoom();

  bool blocked() const { return blocked_; }
  size_t pending_records() const { return pending_records_; }
  size_t alerts_raised() const { return alerts_.raised(); }
  std::vector<InputStatus> inputs() const;

 private:
  class InputInbox;
  friend class InputInbox;

  bool Accept(InputInbox& inbox, const Message& message, Ticket ticket);
  void Keep(Record&& record, const DecodedRecord& decoded);
  void SetAside(InputInbox& inbox, const Message& message, std::string_view payload,
                std::string reason);
  void AddPending(Record&& record);
  void OnTurnEnd();
  bool AnyStarved() const;
  AppendRequest MakeRequest() const;
  void Settle();
  void OnAppendFailed(const Error& error);
  void SetAsideOversized(const std::string& reason);

  Store& store_;
  const Clock& clock_;
  const Log& log_;
  Metrics& metrics_;
  Options options_;
  Alerts alerts_;
  std::function<void(Seq, const AppendRequest&)> on_stored_;

  std::deque<std::unique_ptr<InputInbox>> inboxes_;
  std::array<std::vector<Record>, kRecordClassCount> pending_;
  std::vector<DeadLetter> dead_letters_;
  size_t pending_records_ = 0;
  size_t pending_bytes_ = 0;
  bool blocked_ = false;  // The store refused the last commit; a retry is armed or room is awaited.
  bool paused_ = false;   // Offer() has returned false since the last Resume().

  Backoff retry_backoff_;
  LogLimit refused_log_, failed_log_;
  Metrics::Counter& commits_;
  Metrics::Counter& commit_failures_;
  Metrics::Counter& alerts_raised_;
  Metrics::Counter& alerts_cleared_;
  std::unique_ptr<Timer> commit_timer_;
  std::unique_ptr<Timer> retry_timer_;
  std::unique_ptr<TurnEnd> turn_end_;
};

}  // namespace tidegate
