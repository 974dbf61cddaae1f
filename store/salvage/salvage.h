// Moves what can be read of one damaged file into the store that replaced it, in steps and while
// that store is in use: store/README.md, "Damage". Each transaction records how far it has come, so
// that a kill repeats no more than reading. Private to store/; one thread.
//
// Invariants:
// - What is moved ends before the job's end seq, where the new store's own seqs begin: Skips and
//   InsertSalvaged see to it.
// - A batch is moved once: the job's keys only grow, and change with the rows.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/result.h"
#include "store/file/store_handle.h"
#include "store/format/batch_codec.h"
#include "store/salvage/salvage_job.h"
#include "store/salvage/set_aside.h"
#include "store/salvage/step_limit.h"
#include "store/salvage/store_scan.h"
#include "store/transaction/batch_set.h"
#include "store/transaction/store_writer.h"

namespace tidegate {

// The store in use that a salvage writes to.
class SalvageTarget {
 public:
  using Steps = std::function<Status(StoreWriter& writer)>;

  virtual ~SalvageTarget() = default;
  virtual const StoreContents& contents() const = 0;
  // Runs the steps in one transaction. `synced`: it and all earlier ones survive a power cut.
  // Errors as StoreSession::Write.
  virtual Status Write(const Steps& steps, bool synced) = 0;
  // Reads the contents anew, after rows of table state or delivered batches were moved.
  virtual Status Reload() = 0;
  // Gap records declare so many records of the class as lost.
  virtual void OnLost(RecordClass record_class, uint64_t records) = 0;
};

class Salvage {
 public:
  // Everything outlives the salvage.
  struct Context {
    const StoreFile& file;
    // Through it the damaged file is read: not the store's own one, which judges its open log.
    const std::string& base_vfs;
    const std::string& gateway;
    // Of the gap records and alerts about the damage.
    const std::string& tenant;
    BatchCodec& codec;
  };

  // `fold_is_live`: this process has the whole fold in memory, so that nothing needs a replay.
  // `delivered`: batches of the damaged file that need not be moved.
  Salvage(const Context& context, SalvageJob job, bool fold_is_live, BatchSet delivered);

  // Does one piece of the work, at most one transaction. An error changed nothing; kFull: there is
  // no room for gap records now. REQUIRES: not done.
  Status Step(SalvageTarget& target, StepLimit& limit);
  bool is_done() const { return is_done_; }
  // True as long as a start cannot restore the fold from the store.
  bool Blocks(const StoreContents& contents) const;
  const SalvageJob& job() const { return job_; }
  // Path of the damaged file.
  const std::string& path() const { return path_; }
  // From 0 to 1.
  double progress() const;

 private:
  // What one transaction changes.
  struct Move {
    SalvageJob job;
    // Index into the scan's batches or letters.
    size_t next = 0;
    uint64_t pages = 0;
    bool lost_last = false;
    std::vector<LostSeqs> losses;
  };

  Status Open();
  Status Begin(SalvageTarget& target);
  void Identify(SalvageJob& job, Seq next_seq) const;
  Status MoveState(StoreWriter& writer, const SalvageJob& job) const;
  Result<bool> WantsState(StoreWriter& writer, const SalvageJob& job, std::string_view name,
                          std::string_view body) const;
  Status MoveLetters(SalvageTarget& target, StepLimit& limit);
  Status MoveSomeLetters(StoreWriter& writer, Move& move, StepLimit& limit) const;
  Status MoveBatches(SalvageTarget& target, StepLimit& limit);
  Status MoveSomeBatches(StoreWriter& writer, Move& move, bool replay, StepLimit& limit);
  // False: the transaction has no room for it; the next one begins with it.
  Result<bool> MoveBatch(StoreWriter& writer, Move& move, const FoundBatch& found);
  bool Skips(const StoreWriter& writer, const SalvageJob& job, const FoundBatch& found,
             bool replay) const;
  Status NameEpoch(StoreScan::Row& row, SalvageJob& job) const;
  // False: the store has no room for that many pages.
  Result<bool> Fits(StoreWriter& writer, uint64_t pages) const;
  // Adds a batch that is not moved to what the transaction declares as lost.
  static void Lose(const StoreWriter& writer, Move& move, const FoundBatch& found,
                   std::string_view reason);
  Status Declare(StoreWriter& writer, const SalvageJob& job,
                 std::span<const LostSeqs> losses) const;
  Status DeclareLosses(SalvageTarget& target);
  void FindLosses();
  Status End(SalvageTarget& target);
  Status Save(StoreWriter& writer, const SalvageJob& job) const;
  std::string_view StateOf(std::string_view name) const;

  const Context context_;
  SalvageJob job_;
  std::string path_;
  const bool fold_is_live_;
  const BatchSet delivered_;
  // Null until the file is opened, or if it is missing.
  std::unique_ptr<StoreScan> scan_;
  bool is_missing_ = false;
  bool is_scanned_ = false;
  bool is_done_ = false;
  // Every later batch is at most as urgent as one that had no room.
  bool is_full_ = false;
  size_t next_letter_ = 0;
  size_t next_batch_ = 0;
  size_t next_replay_ = 0;
  // What is missing between the batches; valid from kLosses on.
  std::vector<LostSeqs> losses_;
  bool losses_found_ = false;
};

}  // namespace tidegate
