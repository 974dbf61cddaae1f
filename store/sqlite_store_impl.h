// The inside of SqliteStore: the open handle, the books, and what has been handed out. Private to
// store/; one thread.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/file/file_lock.h"
#include "store/file/flash_vfs.h"
#include "store/file/schema.h"
#include "store/file/store_handle.h"
#include "store/salvage/set_aside.h"
#include "store/sqlite_store.h"
#include "store/store_metrics.h"
#include "store/transaction/store_writer.h"

namespace tidegate {

class SqliteStore::Impl {
 public:
  Impl(Options options, SizeBudget budget, FileLock lock, const Clock& clock, const Log& log,
       Metrics& metrics);

  // Opens the file, or a new one in the place of a damaged one, and reads the books from it.
  Status Open();

  Result<Seq> Append(const AppendRequest& request);
  Result<std::optional<Batch>> Next(const Cursor& after);
  void Delivered(RecordClass record_class, Seq first_seq);
  Status Flush();
  void SetSnapshotSource(SnapshotSource source) { snapshot_source_ = std::move(source); }
  Result<std::optional<Snapshot>> LoadSnapshot();
  Result<std::optional<Batch>> Replay(RecordClass record_class, Seq after);
  Result<std::optional<std::string>> ReadValue(std::string_view name);
  Status WriteValue(std::string_view name, std::string_view body);
  const std::string& epoch() const { return origin_.epoch; }
  StoreUsage Usage() const;

 private:
  using Steps = std::function<Status(StoreWriter&)>;
  using SnapshotSlots = std::array<std::optional<Snapshot>, kStateSnapshots.size()>;

  // The source's state for one transaction; asked for once, and only if it is wanted.
  class SnapshotOffer {
   public:
    SnapshotOffer(Impl& store, Seq through) : store_(store), through_(through) {}
    // False: none can be had. True: nothing up to through() has to stay for replay; a state that is
    // too large is counted and not saved, or everything would stay for ever.
    bool Take();
    Seq through() const { return through_; }
    // Saves what was taken, if anything was.
    Status Save(StoreWriter& writer) const;

   private:
    Impl& store_;
    Seq through_;
    bool asked_ = false;
    bool is_too_large_ = false;
    std::optional<std::string> body_;
  };

  // Runs the steps in one transaction. After an I/O error the handle has been closed, opened again
  // and checked.
  Status Write(const ClockStamp& stamp, const Steps& steps);
  Status RunTransaction(const ClockStamp& stamp, const Steps& steps);
  void Settle(const StoreWriter& writer, StoreBook book);
  Status FlushSome();

  Result<std::vector<EncodedBatch>> Encode(const AppendRequest& request);
  Result<uint64_t> PagesFor(const AppendRequest& request,
                            const std::vector<EncodedBatch>& batches) const;
  Status DeleteWithAppend(StoreWriter& writer);
  // Until so many pages are free: deletes what was delivered, then gives up what the policy says.
  // kFull: the policy gives up nothing.
  Status MakeRoom(StoreWriter& writer, uint64_t pages, RecordClass protect, SnapshotOffer& offer);
  bool IsSnapshotDue() const;
  void CountSnapshotError(std::string_view why);
  Result<SnapshotSlots> ReadSnapshots(bool tell);
  Status ReadSnapshotBooks(StoreBook& book);
  Result<std::optional<Batch>> NextOf(RecordClass record_class, Seq after);
  // kCorrupt: damaged, or not the batch that the row says.
  Result<Batch> DecodeRow(const BatchRow& row);
  Result<Batch> HandOut(const BatchRow& row);

  Status EnsureOpen();
  Status OpenFile();
  // What could not be opened is salvaged if it is damaged; OK: a sound file lies there now.
  Status Recover(const Error& error);
  Status SalvageFile(const std::string& why, bool with_log = true);
  // A log that SQLite must not see beside this database.
  Status CheckLog();
  Status ReadBooks();
  Result<StoreTotals> ReadTotals(StoreBook& book);
  Result<StoreTotals> CountAll();
  Status ReadDelivered();
  Status SkipDoubtfulSeqs(bool was_unsynced);
  // Closes the handle after `error` and tries to open it again; `unacknowledged` must not be in the
  // file afterwards.
  Error Reopen(const Error& error);
  Status RemoveUnacknowledged();
  Status ForgetMissing();
  Result<bool> IsStored(BatchKey key);
  ClockStamp Stamp() const;
  void TellOfFullDisk();
  void UpdateMetrics();
  // Usage without the search for the oldest batch.
  StoreUsage Counts() const;
  // Closes the handle after an error.
  void DropHandle();

  const Options options_;
  const Clock& clock_;
  const Log& log_;
  StoreMetrics metrics_;
  LogLimit error_limit_;
  LogLimit drop_limit_;
  LogLimit snapshot_limit_;
  LogLimit disk_full_limit_;
  FileLock lock_;
  FlashVfs vfs_;
  StoreFile file_;
  BatchCodec codec_;
  GapOrigin origin_;
  std::unique_ptr<StoreHandle> handle_;  // Null after an I/O error, until opening works again.
  StoreBook book_;
  SnapshotSource snapshot_source_;
  std::string damage_;  // What an open file was found to be damaged by; empty: nothing.
  unsigned failed_opens_ = 0;
  BootTime salvage_retry_at_{};
  SetAsideUsage set_aside_;
  BatchCounts handed_out_;
  DeliveredBatches delivered_;
  bool has_deliveries_ = false;  // That no transaction has written yet.
  bool deletes_due_ = false;     // There may be more to delete, as far as snapshots go.
  BatchCounts unacknowledged_;  // Of the append under way; may show up again after a failed commit.
};

}  // namespace tidegate
