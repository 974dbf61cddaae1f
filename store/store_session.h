// The store's work on its file: the connection, the book of what is stored, and the transactions
// that change both together. Private to store/; one thread.
#pragma once

#include <chrono>
#include <optional>

#include "core/clock.h"
#include "core/log.h"
#include "core/metrics.h"
#include "core/result.h"
#include "store/snapshots.h"
#include "store/sqlite_store.h"
#include "store/store_connection.h"
#include "store/store_metrics.h"
#include "store/transaction/store_book.h"
#include "store/transaction/store_writer.h"

namespace tidegate {

class StoreSession final : private SalvageTarget {
 public:
  // The steps of one transaction; Finish and the commit follow. An error rolls back.
  using Steps = SalvageTarget::Steps;

  // Options, clock, log and metrics outlive the session.
  StoreSession(const SqliteStore::Options& options, const SizeBudget& budget, FileLock lock,
               const Clock& clock, const Log& log, Metrics& metrics);

  // As StoreConnection::Start.
  Status Start() { return connection_.Start(); }
  // Every call of the store that needs the file begins with it. kUnavailable, kInvalid: not open,
  // or the fold cannot be restored before a damaged file was read.
  Status EnsureOpen();
  bool IsReady() const;
  // As StoreConnection::Reopen: after an error of a read.
  Error Reopen(const Error& error) { return connection_.Reopen(error); }

  // Runs the steps in one transaction and updates book and metrics. kFull, kRejected: rolled back.
  // kUnavailable: rolled back, and the handle has been closed, opened again and checked. REQUIRES:
  // the file is open.
  Status Write(const ClockStamp& stamp, const Steps& steps);
  // The same without an fsync: a power cut may take back the newest of such transactions, whole.
  // After OK the file may not be open any more, as after the other Write.
  Status WriteUnsynced(const Steps& steps);
  // As Salvages::Step.
  std::optional<std::chrono::nanoseconds> StepSalvage(BootTime deadline);
  Salvages& salvages() { return connection_.salvages(); }
  const Salvages& salvages() const { return connection_.salvages(); }

  const StoreConnection& connection() const { return connection_; }
  StoreHandle& handle() const { return connection_.handle(); }
  StoreBook& book() { return book_; }
  const StoreBook& book() const { return book_; }
  Snapshots& snapshots() { return snapshots_; }
  BatchCodec& codec() { return codec_; }
  StoreMetrics& metrics() { return metrics_; }
  const SizeBudget& budget() const { return connection_.file().budget; }
  // Store::Usage without the search for the oldest batch.
  StoreUsage Usage() const;

 private:
  const StoreContents& contents() const override { return book_.contents(); }
  Status Write(const Steps& steps, bool synced) override;
  Status Reload() override;
  void OnLost(RecordClass record_class, uint64_t records) override {
    metrics_.CountDamaged(record_class, records);
  }

  // The connection's loader: brings the book and the file to the same state.
  Status Load(StoreHandle& handle, bool is_new);
  Status ReadBook(StoreHandle& handle);
  Status SkipDoubtfulSeqs(StoreHandle& handle);
  Status RemoveUnacknowledged(StoreHandle& handle);
  Status RunTransaction(StoreHandle& handle, const ClockStamp& stamp, const Steps& steps);
  void CountDropped(const StoreWriter& writer);
  void CountLetters();
  void ReportFullDisk();
  void UpdateMetrics();

  const SqliteStore::Options& options_;
  const Clock& clock_;
  const Log& log_;
  StoreMetrics metrics_;
  LogLimit drop_limit_;
  LogLimit letter_limit_;
  // Since the start.
  uint64_t letters_dropped_ = 0;
  uint64_t letters_truncated_ = 0;
  LogLimit disk_full_limit_;
  BatchCodec codec_;
  Snapshots snapshots_;
  StoreBook book_;
  StoreConnection connection_;
};

}  // namespace tidegate
