// Collects records, the alerts that they raise, and dead letters, and commits them: in one
// transaction, or in parts if the store refuses them together. What a failed commit did not store
// stays pending and is tried again after a back-off. Loop thread only.
//
// Invariants:
// - The fold is ahead of the store by exactly the pending heartbeats and readings (Append,
//   Snapshot).
// - A snapshot covers exactly what is stored once its transaction commits (Snapshot).
// - After a successful commit nothing is pending (Commit).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "agent/pipeline/decode.h"
#include "agent/pipeline/pending.h"
#include "agent/pipeline/pipeline_state.h"
#include "core/backoff.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/loop/loop.h"
#include "core/metrics.h"
#include "store/store.h"

namespace tidegate {

class Committer {
 public:
  using StoredCallback = std::function<void(Seq first, const AppendRequest& request)>;

  // All references outlive the committer. `retry` is called from the loop when a failed commit is
  // due again; it calls Commit().
  Committer(PipelineState& state, Store& store, Loop& loop, const Clock& clock, const Log& log,
            Metrics& metrics, std::function<void()> retry);
  // Withdraws the snapshot source.
  ~Committer();
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;

  // Returns the index by which arrivals name the input. REQUIRES: fewer than 65,535 inputs.
  uint16_t AddInput(const std::string& name);

  // Makes the state the store's snapshot source.
  void ProvideSnapshots();

  // Called after each transaction that stored records, with what was stored (valid during the
  // call).
  void OnStored(StoredCallback callback) { on_stored_ = std::move(callback); }

  // Folds the record, and adds it and the alerts that it raises or clears to the next commit.
  // `decoded` may refer to `record`.
  void Add(Record&& record, const DecodedRecord& decoded, const Arrival& arrival);
  void AddDeadLetter(DeadLetter letter) { pending_.AddDeadLetter(std::move(letter)); }

  // Commits everything that is pending. False: the store refused it or failed; the rest stays
  // pending, and a retry is armed.
  bool Commit();

  // Calls the retry then, not at the end of the back-off. REQUIRES: blocked().
  void RetryIn(std::chrono::nanoseconds delay);

  // The last commit failed, and a retry is armed.
  bool blocked() const { return blocked_; }
  const Pending& pending() const { return pending_; }

 private:
  // What the store is asked to append at present.
  enum class Appending {
    kNothing,
    // The receipts may be ahead of what is stored, so no snapshot is given.
    kPart,
    // Everything that was accepted, so that the state may be saved with it.
    kAll,
  };

  Status Append(Appending appending);
  Status CompleteState();
  Status CommitLettersApart();
  Status CommitInParts();
  Status AppendParts(const Pending::ArrivedRecords& records, size_t& stored, size_t& folded,
                     std::vector<DeadLetter>& letters);
  Status AppendLetters(std::vector<DeadLetter>& letters);
  Status AppendLetters(std::span<const DeadLetter> letters);
  bool KeepHead(DeadLetter& letter, const std::string& reason);
  Status FoldAnew();
  void FoldIn(const Pending::ArrivedRecords& records, size_t begin, size_t end);
  DeadLetter TooLarge(const Record& record, const std::string& reason) const;
  void RetryLater(const Error& error);
  std::optional<std::string> Snapshot() const;

  PipelineState& state_;
  Store& store_;
  const Clock& clock_;
  const Log& log_;
  StoredCallback on_stored_;
  std::vector<std::string> input_names_;
  Pending pending_;
  Appending appending_ = Appending::kNothing;
  // Heartbeats and readings since the start that the fold covers, and those of them that are
  // stored.
  uint64_t folded_ = 0;
  uint64_t stored_ = 0;
  bool blocked_ = false;
  Backoff retry_backoff_;
  LogLimit failed_log_;
  LogLimit lost_log_;
  Metrics::Counter& commits_;
  Metrics::Counter& commit_failures_;
  Metrics::Counter& letters_lost_;
  Metrics::Counter& alerts_raised_;
  Metrics::Counter& alerts_cleared_;
  std::unique_ptr<Timer> retry_timer_;
};

}  // namespace tidegate
