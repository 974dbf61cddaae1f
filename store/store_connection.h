// The store's connection to its file: opens it, opens it again after an error, and puts a salvaged
// store in the place of a damaged file. Private to store/; one thread.
//
// There is one way to open: every call of the store begins with EnsureOpen, which tries once. An
// error closes the handle without a checkpoint, so that the recovery of the next opening judges the
// log by its checksums. store/README.md, "Durability" and "Damage", has the reasons.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/clock.h"
#include "core/log.h"
#include "core/result.h"
#include "store/file/file_lock.h"
#include "store/file/flash_vfs.h"
#include "store/file/store_handle.h"
#include "store/format/batch_codec.h"
#include "store/format/gap_record.h"
#include "store/medium_probe.h"
#include "store/salvage/set_aside.h"
#include "store/salvages.h"
#include "store/sqlite_store.h"
#include "store/store_metrics.h"
#include "store/transaction/store_book.h"

namespace tidegate {

class StoreConnection {
 public:
  // Called for each opened and checked handle, before the connection counts as open: reads the
  // book from it. `is_new`: this process has not read this file before (at the start, and after a
  // salvage). An error closes the handle.
  using Loader = std::function<Status(StoreHandle& handle, bool is_new)>;

  // Everything but `budget` and `lock` outlives the connection. `load` calls no method that opens.
  StoreConnection(const SqliteStore::Options& options, const SizeBudget& budget, FileLock lock,
                  StoreBook& book, BatchCodec& codec, const Clock& clock, const Log& log,
                  StoreMetrics& metrics, Loader load);

  // The damaged files whose contents are being moved into this one.
  Salvages& salvages() { return salvages_; }
  const Salvages& salvages() const { return salvages_; }

  // Opens the file for the first time, or a new one in the place of a damaged one; creates it if it
  // is missing. kInvalid: a later version wrote it. kUnavailable: it cannot be opened now.
  Status Start();
  // Opens the file unless it is open. kUnavailable, kInvalid: as Start; the next call tries again.
  Status EnsureOpen();
  // Closes the handle after `error` and tries to open it again. Returns what the caller of the
  // store gets: kUnavailable with the error's message.
  Error Reopen(const Error& error);

  bool is_open() const { return handle_ != nullptr; }
  // REQUIRES: is_open(). The handle lives until the next call that opens.
  StoreHandle& handle() const;
  const StoreFile& file() const { return file_; }
  // Names this store's records; its epoch is that of the file that was opened last.
  const GapOrigin& origin() const { return origin_; }
  // Bytes and syncs since the start.
  const FlashVfs::Counters& written() const { return vfs_.counters(); }
  // Damaged and foreign files beside the store.
  const SetAsideUsage& set_aside() const { return set_aside_; }
  // Counts those files again if a salvage has changed them.
  void CountSetAside();

 private:
  Status TryOpen();
  Status CheckEpoch();
  // Handles an opening that failed, or a file that was found damaged: replaces it if it is damaged,
  // and opens what then lies there.
  Status Recover(const Error& error);
  // Puts a new store in the place of the file, and begins to salvage it.
  Status ReplaceFile(const std::string& why, bool with_log = true);
  // Sets aside a log that SQLite must not see beside this database.
  Status CheckLog();
  void DropHandle();

  const SqliteStore::Options& options_;
  StoreBook& book_;
  const Clock& clock_;
  const Log& log_;
  StoreMetrics& metrics_;
  const Loader load_;
  FileLock lock_;
  FlashVfs vfs_;
  const StoreFile file_;
  GapOrigin origin_;
  Salvages salvages_;
  // The store was replaced in use: only a snapshot keeps the state of what is not moved yet.
  bool wants_snapshot_ = false;
  // Null while the file is closed after an error.
  std::unique_ptr<StoreHandle> handle_;
  // No opening of this file has succeeded yet.
  bool is_new_ = true;
  // The message of the error that showed an open file to be damaged; empty if none did.
  std::string damage_;
  // Errors of calls and of openings.
  MediumProbe probe_;
  // Openings that failed since the last one that succeeded.
  unsigned failed_opens_ = 0;
  // No salvage is tried before this moment.
  BootTime salvage_retry_at_{};
  LogLimit error_limit_;
  SetAsideUsage set_aside_;
};

}  // namespace tidegate
