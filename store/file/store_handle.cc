#include "store/file/store_handle.h"

#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "core/sqlite/error.h"
#include "store/file/schema.h"

namespace tidegate {
namespace {

// A check of the whole file reads all of it; more than this would hold up the loop for too long on
// an SD card.
constexpr uint64_t kMaxCheckedBytes = 16ull << 20;

uint64_t FileBytes(const std::string& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0 ? static_cast<uint64_t>(info.st_size) : 0;
}

Result<uint64_t> CountOf(sqlite::Statement& statement) {
  const sqlite::StatementScope scope(statement);
  const auto row = statement.Step();
  if (!row.ok()) return row.error();
  return *row ? static_cast<uint64_t>(statement.Int(0)) : 0;
}

}  // namespace

uint64_t DatabaseFileBytes(const std::string& path) {
  return FileBytes(path);
}
uint64_t LogFileBytes(const std::string& path) {
  return FileBytes(path + "-wal") + FileBytes(path + "-shm");
}

StoreHandle::StoreHandle(const StoreFile& file, FileSpace space, sqlite::Database database,
                         BatchTable batches, DeadLetterTable dead_letters)
    : file_(file),
      space_(std::move(space)),
      database_(std::move(database)),
      batches_(std::move(batches)),
      dead_letters_(std::move(dead_letters)),
      // An upper bound until the first commit reports the number.
      log_frames_(FileBytes(file.path + "-wal") / kFrameBytes),
      checkpoint_at_(file.budget.checkpoint_bytes / kFrameBytes) {
  sqlite3_wal_hook(database_.get(), OnCommit, this);
}

Result<std::unique_ptr<StoreHandle>> StoreHandle::Open(const StoreFile& file) {
  CHECK(file.budget.database_pages > 0 && file.budget.log_reserve_bytes > 0,
        "the file has a share of the limit");
  auto database = OpenStoreDatabase(file.path, file.vfs, file.budget);
  if (!database.ok()) return database.error();
  auto batches = BatchTable::Prepare(*database);
  if (!batches.ok()) return batches.error();
  auto letters =
      DeadLetterTable::Prepare(*database, file.max_dead_letter_bytes, file.max_payload_bytes);
  if (!letters.ok()) return letters.error();
  auto space = FileSpace::Open(file.path);
  if (!space.ok()) return space.error();
  std::unique_ptr<StoreHandle> handle(new StoreHandle(file, std::move(*space), std::move(*database),
                                                      std::move(*batches), std::move(*letters)));
  if (auto status = handle->Prepare(); !status.ok()) return status.error();
  return handle;
}

Status StoreHandle::Prepare() {
  auto status = database_.PrepareInto(page_count_, "PRAGMA page_count");
  if (status.ok()) status = database_.PrepareInto(free_count_, "PRAGMA freelist_count");
  if (status.ok()) status = SetSync(file_.sync_commits);
  if (!status.ok()) return status;
  // The log keeps its blocks when the store is closed, too.
  int persist = 1;
  sqlite3_file_control(database_.get(), "main", SQLITE_FCNTL_PERSIST_WAL, &persist);
  ReserveLog();
  owned_pages_ = FileBytes(file_.path) / kPageBytes;
  return {};
}

void StoreHandle::ReserveLog() {
  // SQLite locks the database file only, so this one may be closed.
  auto space = FileSpace::Open(file_.path + "-wal");
  is_log_reserved_ =
      space.ok() && space->Reserve(file_.budget.log_reserve_bytes, FileSpace::Size::kGrow).ok();
}

Result<uint64_t> StoreHandle::FreePages(uint64_t wanted) {
  const auto used = UsedPages();
  if (!used.ok()) return used.error();
  const uint64_t limit = file_.budget.database_pages;
  if (*used + wanted > owned_pages_ && owned_pages_ < limit) {
    auto status = ReservePages(std::min(*used + wanted + file_.budget.growth_pages, limit));
    if (!status.ok() && status.error().code == ErrorCode::kFull) {
      status = ReservePages(std::min(*used + wanted, limit));
    }
    is_disk_full_ = !status.ok() && status.error().code == ErrorCode::kFull;
    if (!status.ok() && !is_disk_full_) return status.error();
  }
  const uint64_t owned = std::min(owned_pages_, limit);
  return owned - std::min(*used, owned);
}

Status StoreHandle::ReservePages(uint64_t pages) {
  CHECK(pages <= file_.budget.database_pages, "the database file keeps to its limit");
  auto status = space_.Reserve(pages * kPageBytes, FileSpace::Size::kKeep);
  if (status.ok()) owned_pages_ = std::max(owned_pages_, pages);
  return status;
}

Result<uint64_t> StoreHandle::UsedPages() {
  const auto pages = CountOf(page_count_);
  if (!pages.ok()) return pages.error();
  const auto free_pages = CountOf(free_count_);
  if (!free_pages.ok()) return free_pages.error();
  return *pages - std::min(*pages, *free_pages);
}

Status StoreHandle::SetSync(bool sync) {
  // NORMAL and not OFF: a checkpoint must still sync the log before it writes the database.
  return database_.Execute(sync ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
}

Status StoreHandle::MakeLogRoom(uint64_t bytes) {
  CHECK(bytes <= file_.budget.log_bytes, "an empty log has room for a transaction");
  if (log_frames_ * kFrameBytes + bytes <= file_.budget.log_bytes) return {};
  if (auto status = Checkpoint(SQLITE_CHECKPOINT_RESTART); !status.ok()) return status;
  log_frames_ = 0;
  return {};
}

Status StoreHandle::CheckpointIfDue() {
  if (log_frames_ < checkpoint_at_) return {};
  if (!is_log_reserved_) ReserveLog();
  // While a reader holds the log it keeps growing; try again a little later and not at every
  // commit.
  checkpoint_at_ = log_frames_ + file_.budget.checkpoint_bytes / kFrameBytes / 4;
  auto status = Checkpoint(SQLITE_CHECKPOINT_PASSIVE);
  if (!status.ok() && status.error().code == ErrorCode::kFull) return {};
  return status;
}

Status StoreHandle::EmptyLog() {
  auto status = Checkpoint(SQLITE_CHECKPOINT_TRUNCATE);
  if (status.ok()) log_frames_ = 0;
  return status;
}

void StoreHandle::KeepLogOnClose() {
  sqlite3_db_config(database_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

Status StoreHandle::Checkpoint(int mode) {
  const int code = sqlite3_wal_checkpoint_v2(database_.get(), "main", mode, nullptr, nullptr);
  if (code == SQLITE_OK) return {};
  if (code == SQLITE_BUSY || code == SQLITE_LOCKED) {
    return Error{ErrorCode::kFull, "empty the log: a reader of the store holds it"};
  }
  return sqlite::LastError(database_.get(), "checkpoint");
}

int StoreHandle::OnCommit(void* self, sqlite3*, const char*, int frames) {
  auto& handle = *static_cast<StoreHandle*>(self);
  const auto now = static_cast<uint64_t>(frames);
  if (now < handle.log_frames_) {
    handle.checkpoint_at_ = handle.file_.budget.checkpoint_bytes / kFrameBytes;
  }
  handle.log_frames_ = now;
  return SQLITE_OK;
}

Status StoreHandle::Check() {
  const auto pages = CountOf(page_count_);
  if (!pages.ok()) return pages.error();
  if (*pages * kPageBytes > kMaxCheckedBytes) return {};
  auto statement = database_.Prepare("PRAGMA quick_check(1)");
  if (!statement.ok()) return statement.error();
  const auto row = statement->Step();
  if (!row.ok()) return row.error();
  const std::string_view found = *row ? statement->Bytes(0) : "";
  if (found == "ok") return {};
  return Error{ErrorCode::kCorrupt, fmt::format("check {}: {}", file_.path, found)};
}

}  // namespace tidegate
