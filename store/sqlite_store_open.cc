// How SqliteStore opens its file, commits to it, and gets over an I/O error.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "store/schema.h"
#include "store/sqlite_store_impl.h"

namespace tidegate {
namespace {

// More seqs than a run without fsync can lose: all that the log holds, one byte each.
constexpr Seq kUnsyncedSeqs = 1ull << 24;

}  // namespace

Status SqliteStore::Impl::OpenFile() {
  auto handle = StoreHandle::Open(file_);
  if (!handle.ok()) return handle.error();
  handle_ = std::move(*handle);
  // As in EnsureOpen; a reader that is in the way now is no reason not to start.
  auto emptied = handle_->EmptyLog();
  if (!emptied.ok() && emptied.error().code != ErrorCode::kFull) return emptied;
  auto epoch = ReadState(handle_->database(), kStateEpoch);
  if (!epoch.ok()) return epoch.error();
  if (!*epoch)
    return Error{ErrorCode::kCorrupt, fmt::format("open {}: it has no epoch", options_.path)};
  origin_.epoch = **epoch;
  auto status = ReadBooks();
  if (!status.ok()) return status;
  auto unsynced = ReadState(handle_->database(), kStateProcessSafe);
  if (!unsynced.ok()) return unsynced.error();
  if (status = SkipSeqsAfterUnsyncedRun(std::move(*unsynced)); !status.ok()) return status;
  UpdateMetrics();
  return {};
}

Status SqliteStore::Impl::ReadBooks() {
  auto totals = handle_->batches().Totals();
  if (!totals.ok()) return totals.error();
  auto letters = handle_->dead_letters().Totals();
  if (!letters.ok()) return letters.error();
  auto saved = ReadState(handle_->database(), kStateNextSeq);
  if (!saved.ok()) return saved.error();
  StoreBook book;
  book.records = totals->records;
  book.batches = totals->batches;
  book.letters = *letters;
  if (*saved) {
    std::from_chars((*saved)->data(), (*saved)->data() + (*saved)->size(), book.saved_next_seq);
  }
  // Never behind what this process has given out already.
  book.next_seq = std::max({totals->next_seq, book.saved_next_seq, book_.next_seq});
  book.top_key = totals->next_seq == book.next_seq ? totals->top_key : 0;
  book_ = std::move(book);
  return {};
}

// Without fsync a power cut takes batches back whose seqs have left the gateway already; those must
// not be given out twice.
Status SqliteStore::Impl::SkipSeqsAfterUnsyncedRun(std::optional<std::string> saved) {
  if (!saved && file_.sync_commits) return {};
  auto status = handle_->SetSync(true);
  if (!status.ok()) return status;
  auto transaction = Transaction::Begin(handle_->database());
  if (!transaction.ok()) return transaction.error();
  if (saved) {
    book_.next_seq += kUnsyncedSeqs;
    book_.saved_next_seq = book_.next_seq;
    book_.top_key = 0;
    status = WriteState(handle_->database(), kStateNextSeq, fmt::format("{}", book_.next_seq));
  }
  if (status.ok()) {
    status = file_.sync_commits
                 ? handle_->database().Execute("DELETE FROM state WHERE name='process_safe'")
                 : WriteState(handle_->database(), kStateProcessSafe, "1");
  }
  if (status.ok()) status = transaction->Commit();
  return status.ok() ? handle_->SetSync(file_.sync_commits) : status;
}

Status SqliteStore::Impl::Write(const ClockStamp& stamp, const Steps& steps) {
  const BootTime start = clock_.SinceBoot();
  auto status = RunTransaction(stamp, steps);
  if (!status.ok()) {
    if (status.error().code == ErrorCode::kFull) metrics_.CountFull();
    if (status.error().code == ErrorCode::kFull || status.error().code == ErrorCode::kRejected)
      return status;
    return Reopen(status.error());
  }
  metrics_.ObserveCommit(clock_.SinceBoot() - start);
  // The transaction itself is safe, whatever happens to the checkpoint.
  if (status = handle_->CheckpointIfDue(); !status.ok()) (void)Reopen(status.error());
  UpdateMetrics();
  return {};
}

Status SqliteStore::Impl::RunTransaction(const ClockStamp& stamp, const Steps& steps) {
  if (auto status = handle_->MakeLogRoom(file_.budget.log_bytes / 2); !status.ok()) return status;
  StoreBook book = book_;
  book.letters.dropped = 0;
  StoreWriter writer({*handle_, codec_, origin_, options_.tenant, handed_out_, delivered_, stamp},
                     book);
  auto transaction = Transaction::Begin(handle_->database());
  if (!transaction.ok()) return transaction.error();
  auto status = steps(writer);
  if (status.ok()) status = writer.Finish();
  if (status.ok()) status = transaction->Commit();
  if (!status.ok()) return status;
  Settle(writer, std::move(book));
  return {};
}

void SqliteStore::Impl::Settle(const StoreWriter& writer, StoreBook book) {
  book_ = std::move(book);
  unacknowledged_.clear();
  for (const BatchKey key : writer.deleted()) delivered_.erase(key);
  for (const BatchKey key : writer.dropped()) handed_out_.erase(key);
  uint64_t dropped = 0;
  for (const RecordClass record_class : kRecordClasses) {
    const uint64_t records = writer.dropped_records()[static_cast<size_t>(record_class)];
    metrics_.CountDropped(record_class, records);
    dropped += records;
  }
  metrics_.CountDroppedLetters(book_.letters.dropped);
  if (dropped == 0) return;
  if (const auto count = drop_limit_.Count(clock_.SinceBoot(), dropped)) {
    log_.Warning("store: at its limit of {} bytes, {} records were given up", options_.max_bytes,
                 *count);
  }
}

Status SqliteStore::Impl::EnsureOpen() {
  if (handle_ != nullptr) return {};
  if (!damage_.empty()) return Recover({ErrorCode::kCorrupt, damage_});
  auto handle = StoreHandle::Open(file_);
  Status status = handle.ok() ? Status() : Status(handle.error());
  if (status.ok()) {
    handle_ = std::move(*handle);
    // Pages of the log whose fsync failed count as written for the kernel, although the medium may
    // not have them. What is appended behind them would be lost with them: so everything goes to
    // the database, and the log begins anew.
    status = handle_->EmptyLog();
    if (status.ok()) status = handle_->Check();
    if (status.ok()) status = RemoveUnacknowledged();
    if (status.ok()) status = ReadBooks();
    if (status.ok()) status = ForgetMissing(delivered_);
    if (status.ok()) status = ForgetMissing(handed_out_);
  }
  if (!status.ok()) return Recover(status.error());
  failed_opens_ = 0;
  return {};
}

void SqliteStore::Impl::DropHandle() {
  if (handle_ != nullptr) handle_->KeepLogOnClose();
  handle_.reset();
}

Error SqliteStore::Impl::Reopen(const Error& error) {
  metrics_.CountError();
  if (const auto count = error_limit_.Count(clock_.SinceBoot())) {
    log_.Error("store: {}; closing, opening and checking it ({} such errors)", error.message,
               *count);
  }
  DropHandle();
  if (error.code == ErrorCode::kCorrupt) damage_ = error.message;
  (void)EnsureOpen();  // If it fails, the next call tries again.
  return {ErrorCode::kUnavailable, error.message};
}

// A commit whose fsync failed may lie complete in the log, and the recovery at opening takes it for
// good.
Status SqliteStore::Impl::RemoveUnacknowledged() {
  if (unacknowledged_.empty()) return {};
  auto transaction = Transaction::Begin(handle_->database());
  if (!transaction.ok()) return transaction.error();
  for (const BatchKey key : unacknowledged_) {
    if (auto gone = handle_->batches().Delete(key); !gone.ok()) return gone.error();
  }
  auto status = transaction->Commit();
  if (status.ok()) unacknowledged_.clear();
  return status;
}

// The recovered log may also hold deletes of a commit that failed.
Status SqliteStore::Impl::ForgetMissing(BatchCounts& batches) {
  for (auto batch = batches.begin(); batch != batches.end();) {
    auto head = handle_->batches().HeadAfter(ClassOf(batch->first), SeqOf(batch->first) - 1);
    if (!head.ok()) return head.error();
    const bool stored = *head && (*head)->key == batch->first;
    batch = stored ? std::next(batch) : batches.erase(batch);
  }
  return {};
}

void SqliteStore::Impl::UpdateMetrics() {
  const FlashVfs::Counters& written = vfs_.counters();
  metrics_.Update(Counts(), DatabaseFileBytes(options_.path) + LogFileBytes(options_.path),
                  written.bytes_written, written.syncs);
}

}  // namespace tidegate
