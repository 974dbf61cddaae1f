// The store's open database with its prepared statements: what is thrown away and made anew after
// an I/O error. Private to store/; one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/result.h"
#include "store/file/batch_table.h"
#include "store/file/dead_letter_table.h"
#include "store/file/file_space.h"
#include "store/file/size_budget.h"
#include "store/file/sqlite_handle.h"

namespace tidegate {

struct StoreFile {
  std::string path;
  std::string vfs;
  SizeBudget budget;
  uint64_t max_dead_letter_bytes = 0;
  uint64_t max_payload_bytes = 0;
  bool sync_commits = true;
};

// Sizes on disk; the log's with its index.
uint64_t DatabaseFileBytes(const std::string& path);
uint64_t LogFileBytes(const std::string& path);

class StoreHandle {
 public:
  // As OpenStoreDatabase. The object does not move: SQLite reports to it.
  static Result<std::unique_ptr<StoreHandle>> Open(const StoreFile& file);

  Database& database() { return database_; }
  BatchTable& batches() { return batches_; }
  DeadLetterTable& dead_letters() { return dead_letters_; }

  // Pages that the file may still take: free ones in it, and those for which it owns blocks. If
  // they are fewer than `wanted` it takes more from the disk, up to its limit.
  Result<uint64_t> FreePages(uint64_t wanted);
  // The disk gave nothing when it was asked last.
  bool is_disk_full() const { return is_disk_full_; }
  Result<uint64_t> UsedPages();

  // Whether the next commits wait for the disk. REQUIRES: no transaction.
  Status SetSync(bool sync);

  // Makes sure that the log can take a transaction of so many bytes. kFull: a reader keeps the log
  // from being emptied.
  Status MakeLogRoom(uint64_t bytes);
  // To be called after a commit: empties the log into the database when it is time. An error means
  // what any I/O error means.
  Status CheckpointIfDue();
  // Moves all of the log into the database. kFull: a reader holds it.
  Status EmptyLog();
  // Closing will leave the log as it is, for the recovery of the next opening to judge by its
  // checksums.
  void KeepLogOnClose();
  // Whether the file still reads. A small one is checked whole, a large one as far as its counts
  // were read.
  Status Check();

 private:
  StoreHandle(const StoreFile& file, FileSpace space, Database database, BatchTable batches,
              DeadLetterTable dead_letters);
  Status Prepare();
  // Fewer if the disk has no room.
  Status ReservePages(uint64_t pages);
  void ReserveLog();
  Status Checkpoint(int mode);
  static int OnCommit(void* self, sqlite3* db, const char* name, int frames);

  const StoreFile& file_;
  FileSpace space_;    // Of the database file; goes last.
  Database database_;  // Statements go before it.
  BatchTable batches_;
  DeadLetterTable dead_letters_;
  Statement page_count_;
  Statement free_count_;
  uint64_t owned_pages_ = 0;  // The file has blocks for so many.
  bool is_disk_full_ = false;
  bool is_log_reserved_ = false;
  uint64_t log_frames_ = 0;     // In use, as of the last commit.
  uint64_t checkpoint_at_ = 0;  // In frames.
};

}  // namespace tidegate
