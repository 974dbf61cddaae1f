// The store's open database with its prepared statements and reserved blocks. After an I/O error
// the whole object is replaced by a new one. Private to store/; one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/result.h"
#include "core/sqlite/database.h"
#include "core/sqlite/statement.h"
#include "store/file/batch_table.h"
#include "store/file/dead_letter_table.h"
#include "store/file/file_space.h"
#include "store/file/size_budget.h"

struct sqlite3;

namespace tidegate {

// What the handle needs to know about the file.
struct StoreFile {
  std::string path;
  // Name of a registered SQLite VFS; empty is the default.
  std::string vfs;
  SizeBudget budget;
  uint64_t max_dead_letter_bytes = 0;
  // Payload of a dead letter; so much always fits an append and the letters' limit.
  uint64_t max_payload_bytes = 0;
  // True: a commit is synced before it returns.
  bool sync_commits = true;
};

// Return sizes on disk; the log's includes its index. 0 if the file is missing.
uint64_t DatabaseFileBytes(const std::string& path);
uint64_t LogFileBytes(const std::string& path);

class StoreHandle {
 public:
  // Errors as OpenStoreDatabase. `file` outlives the handle. The object does not move, because
  // SQLite calls it back.
  static Result<std::unique_ptr<StoreHandle>> Open(const StoreFile& file);

  sqlite::Database& database() { return database_; }
  BatchTable& batches() { return batches_; }
  DeadLetterTable& dead_letters() { return dead_letters_; }

  // Returns how many pages the file can still use: its free pages, and those for which it owns
  // blocks. If they are fewer than `wanted` it reserves more from the disk, up to its limit.
  Result<uint64_t> FreePages(uint64_t wanted);
  // True if the disk refused the last reservation.
  bool is_disk_full() const { return is_disk_full_; }
  Result<uint64_t> UsedPages();

  // Sets whether the next commits are synced before they return. SQLite refuses it inside a
  // transaction.
  Status SetSync(bool sync);

  // Empties the log if a transaction of that size does not fit into it. kFull: a reader holds the
  // log. REQUIRES: bytes <= budget.log_bytes.
  Status MakeLogRoom(uint64_t bytes);
  // Empties the log into the database if it has reached its size; to be called after a commit. An
  // error is an I/O error, and the handle has to be replaced.
  Status CheckpointIfDue();
  // Moves the whole log into the database. kFull: a reader holds the log.
  Status EmptyLog();
  // Makes the destructor leave the log as it is, so that the recovery of the next opening judges it
  // by its checksums.
  void KeepLogOnClose();
  // Checks that the file reads. Files up to 16 MiB are checked whole, of larger ones only the page
  // count is read. kCorrupt: it is damaged.
  Status Check();

 private:
  StoreHandle(const StoreFile& file, FileSpace space, sqlite::Database database, BatchTable batches,
              DeadLetterTable dead_letters);
  Status Prepare();
  // kFull: the disk has no room. REQUIRES: pages <= budget.database_pages.
  Status ReservePages(uint64_t pages);
  void ReserveLog();
  Status Checkpoint(int mode);
  static int OnCommit(void* self, sqlite3* db, const char* name, int frames);

  const StoreFile& file_;
  // Blocks of the database file. Destroyed after the database, as FileSpace requires.
  FileSpace space_;
  // Destroyed after its statements.
  sqlite::Database database_;
  BatchTable batches_;
  DeadLetterTable dead_letters_;
  sqlite::Statement page_count_;
  sqlite::Statement free_count_;
  // Pages for which the file owns blocks.
  uint64_t owned_pages_ = 0;
  bool is_disk_full_ = false;
  bool is_log_reserved_ = false;
  // Frames of the log that are in use, as of the last commit.
  uint64_t log_frames_ = 0;
  // The next checkpoint is due at this many frames.
  uint64_t checkpoint_at_ = 0;
};

}  // namespace tidegate
