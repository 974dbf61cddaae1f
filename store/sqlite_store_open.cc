// How SqliteStore opens its file, commits to it, and gets over an I/O error.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "store/file/schema.h"
#include "store/sqlite_store_impl.h"

namespace tidegate {
namespace {

// More seqs than a run without fsync can lose, or than follow a snapshot: all that the log holds,
// one byte each.
constexpr Seq kUnsyncedSeqs = 1ull << 24;

}  // namespace

Status SqliteStore::Impl::OpenFile() {
  auto handle = StoreHandle::Open(file_);
  if (!handle.ok()) return handle.error();
  handle_ = std::move(*handle);
  // As in EnsureOpen; a reader that is in the way now is no reason not to start.
  auto emptied = handle_->EmptyLog();
  if (!emptied.ok() && emptied.error().code != ErrorCode::kFull) return emptied;
  if (auto sound = handle_->Check(); !sound.ok()) return sound;
  auto epoch = ReadState(handle_->database(), kStateEpoch);
  if (!epoch.ok()) return epoch.error();
  if (!*epoch)
    return Error{ErrorCode::kCorrupt, fmt::format("open {}: it has no epoch", options_.path)};
  origin_.epoch = **epoch;
  auto status = ReadBooks();
  if (!status.ok()) return status;
  auto unsynced = ReadState(handle_->database(), kStateProcessSafe);
  if (!unsynced.ok()) return unsynced.error();
  if (status = ReadDelivered(); !status.ok()) return status;
  if (status = SkipDoubtfulSeqs(unsynced->has_value()); !status.ok()) return status;
  UpdateMetrics();
  return {};
}

Status SqliteStore::Impl::ReadBooks() {
  StoreBook book;
  auto totals = ReadTotals(book);
  if (!totals.ok()) return totals.error();
  // Never behind what this process has given out already.
  totals->next_seq = std::max(totals->next_seq, book_.totals.next_seq);
  book.totals = *totals;
  if (auto status = ReadSnapshotBooks(book); !status.ok()) return status;
  book.totals.next_seq = std::max(book.totals.next_seq, book.covered + 1);
  book_ = std::move(book);
  return {};
}

// From the newest row or from table state, whichever was written last. If that is damaged, all rows
// are counted; the marks of the other are true all the same.
Result<StoreTotals> SqliteStore::Impl::ReadTotals(StoreBook& book) {
  const auto newest = handle_->batches().Newest();
  if (!newest.ok()) return newest.error();
  const Seq end = *newest ? SeqOf((*newest)->key) + (*newest)->count : 1;
  const auto saved = ReadState(handle_->database(), kStateTotals);
  if (!saved.ok()) return saved.error();
  const auto told = *newest ? DecodeTotals((*newest)->totals) : DecodeTotals("");
  const auto state = DecodeTotals(*saved ? **saved : "");
  const bool state_reads = !*saved || state.ok();
  if (!*newest && !*saved) {  // It is new.
    book.saved = StoreTotals();
    return StoreTotals();
  }
  if (state.ok() && state->next_seq >= end) {
    book.saved = *state;
    return state;
  }
  if (state_reads && told.ok() && told->next_seq == end) {
    book.saved = *told;
    book.top_key = (*newest)->key;
    return told;
  }
  auto counted = CountAll();
  if (!counted.ok()) return counted;
  for (const auto& other : {told, state}) {
    if (!other.ok()) continue;
    counted->next_seq = std::max(counted->next_seq, other->next_seq);
    std::ranges::transform(counted->delivered, other->delivered, counted->delivered.begin(),
                           [](Seq a, Seq b) { return std::max(a, b); });
  }
  return counted;
}

Result<StoreTotals> SqliteStore::Impl::CountAll() {
  auto totals = handle_->batches().Count();
  if (!totals.ok()) return totals;
  const auto letters = handle_->dead_letters().Totals();
  if (!letters.ok()) return letters.error();
  totals->letters = letters->letters;
  totals->letter_bytes = letters->bytes;
  return totals;
}

// What the marks say. A snapshot or a flush deletes it.
Status SqliteStore::Impl::ReadDelivered() {
  for (const RecordClass record_class : kRecordClasses) {
    const Seq mark = book_.totals.delivered[static_cast<size_t>(record_class)];
    Seq after = 0;
    while (after < mark) {
      const auto head = handle_->batches().HeadAfter(record_class, after);
      if (!head.ok()) return head.error();
      if (!*head || SeqOf((*head)->key) > mark) break;
      after = SeqOf((*head)->key);
      delivered_.Add((*head)->key, (*head)->count);
    }
  }
  deletes_due_ = delivered_.size() > 0;
  return {};
}

// Without fsync a power cut takes batches back whose seqs have left the gateway already, and totals
// that were damaged tell nothing of the seqs behind the last row; neither must be given out twice.
Status SqliteStore::Impl::SkipDoubtfulSeqs(bool was_unsynced) {
  const bool was_counted = !book_.saved;
  if (!was_counted && !was_unsynced && file_.sync_commits) return {};
  auto status = handle_->SetSync(true);
  if (!status.ok()) return status;
  status = RunTransaction(Stamp(), [&](StoreWriter& writer) {
    if (was_unsynced || was_counted) writer.SkipSeqs(kUnsyncedSeqs);
    return file_.sync_commits ? DeleteState(handle_->database(), kStateProcessSafe)
                              : WriteState(handle_->database(), kStateProcessSafe, "1");
  });
  return status.ok() ? handle_->SetSync(file_.sync_commits) : status;
}

Status SqliteStore::Impl::Write(const ClockStamp& stamp, const Steps& steps) {
  const BootTime start = clock_.SinceBoot();
  auto status = RunTransaction(stamp, steps);
  if (!status.ok()) {
    if (status.error().code == ErrorCode::kFull) metrics_.CountFull();
    TellOfFullDisk();
    if (status.error().code == ErrorCode::kFull || status.error().code == ErrorCode::kRejected)
      return status;
    return Reopen(status.error());
  }
  unacknowledged_.clear();
  metrics_.ObserveCommit(clock_.SinceBoot() - start);
  TellOfFullDisk();
  // The transaction itself is safe, whatever happens to the checkpoint.
  if (status = handle_->CheckpointIfDue(); !status.ok()) (void)Reopen(status.error());
  UpdateMetrics();
  return {};
}

void SqliteStore::Impl::TellOfFullDisk() {
  if (!handle_->is_disk_full()) return;
  metrics_.CountDiskFull();
  if (const auto count = disk_full_limit_.Count(clock_.SinceBoot())) {
    log_.Warning("store: the disk is full, the database stays at {} bytes ({} appends since)",
                 DatabaseFileBytes(options_.path), *count);
  }
}

Status SqliteStore::Impl::RunTransaction(const ClockStamp& stamp, const Steps& steps) {
  if (auto status = handle_->MakeLogRoom(file_.budget.log_reserve_bytes / 2); !status.ok())
    return status;
  StoreBook book = book_;
  book.letters_dropped = 0;
  StoreWriter writer({*handle_, codec_, origin_, options_.tenant, handed_out_, delivered_,
                      snapshot_source_ != nullptr, stamp},
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
  const bool more_is_covered = book.covered > book_.covered;
  book_ = std::move(book);
  for (const BatchKey key : writer.deleted()) delivered_.Erase(key);
  // A value that is written, say, leaves deliveries to the next flush.
  if (writer.marks_advanced()) {
    has_deliveries_ = false;
    deletes_due_ = more_is_covered || writer.deleted().size() >= file_.budget.deletes;
  }
  for (const BatchKey key : writer.dropped()) handed_out_.erase(key);
  uint64_t dropped = 0;
  for (const RecordClass record_class : kRecordClasses) {
    const uint64_t records = writer.dropped_records()[static_cast<size_t>(record_class)];
    metrics_.CountDropped(record_class, records);
    dropped += records;
  }
  metrics_.CountDroppedLetters(book_.letters_dropped);
  if (dropped == 0) return;
  if (const auto count = drop_limit_.Count(clock_.SinceBoot(), dropped)) {
    log_.Warning("store: at its limit of {} bytes, {} records were given up", options_.max_bytes,
                 *count);
  }
}

Status SqliteStore::Impl::EnsureOpen() {
  if (handle_ != nullptr) return {};
  if (!damage_.empty()) return Recover({ErrorCode::kCorrupt, damage_});
  // Before anybody judges the log: the database must never be written from frames that the medium
  // may not have. With power lost in the middle of that, nothing would be left to mend it with.
  if (auto status = vfs_.WriteUnsyncedAgain(options_.path + "-wal"); !status.ok())
    return Recover(status.error());
  auto handle = StoreHandle::Open(file_);
  Status status = handle.ok() ? Status() : Status(handle.error());
  if (status.ok()) {
    handle_ = std::move(*handle);
    status = handle_->EmptyLog();
    if (status.ok()) status = handle_->Check();
    if (status.ok()) status = ReadBooks();
    if (status.ok()) status = RemoveUnacknowledged();
    if (status.ok()) status = ForgetMissing();
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
// good. Its snapshot goes with it, because the records in it may come again. If that snapshot was
// to make room, what it covered is gone, too, and the one before lacks it: so the next append saves
// one, and only a crash before that leaves the state behind.
Status SqliteStore::Impl::RemoveUnacknowledged() {
  if (unacknowledged_.empty()) return {};
  const auto slots = ReadSnapshots(false);
  if (!slots.ok()) return slots.error();
  Seq first_seq = std::numeric_limits<Seq>::max();
  for (const auto& [key, count] : unacknowledged_) first_seq = std::min(first_seq, SeqOf(key));
  bool snapshot_removed = false;
  auto status = RunTransaction(Stamp(), [&](StoreWriter& writer) -> Status {
    for (const auto& [key, count] : unacknowledged_) {
      if (auto removed = writer.Remove(key, count); !removed.ok()) return removed.error();
    }
    for (size_t i = 0; i < slots->size(); ++i) {
      if (!(*slots)[i] || (*slots)[i]->through < first_seq) continue;
      snapshot_removed = true;
      auto deleted = DeleteState(handle_->database(), kStateSnapshots[i]);
      if (!deleted.ok()) return deleted;
    }
    return {};
  });
  if (status.ok()) status = ReadBooks();
  if (!status.ok()) return status;
  if (snapshot_removed) book_.batches_behind_snapshot = options_.max_replay_batches;
  unacknowledged_.clear();
  return {};
}

// The recovered log may also hold deletes of a commit that failed.
Status SqliteStore::Impl::ForgetMissing() {
  for (const auto& [key, count] : BatchCounts(delivered_.batches())) {
    const auto stored = IsStored(key);
    if (!stored.ok()) return stored.error();
    if (!*stored) delivered_.Erase(key);
  }
  for (auto batch = handed_out_.begin(); batch != handed_out_.end();) {
    const auto stored = IsStored(batch->first);
    if (!stored.ok()) return stored.error();
    batch = *stored ? std::next(batch) : handed_out_.erase(batch);
  }
  return {};
}

Result<bool> SqliteStore::Impl::IsStored(BatchKey key) {
  const auto head = handle_->batches().HeadAfter(ClassOf(key), SeqOf(key) - 1);
  if (!head.ok()) return head.error();
  return *head && (*head)->key == key;
}

void SqliteStore::Impl::UpdateMetrics() {
  const FlashVfs::Counters& written = vfs_.counters();
  metrics_.Update(Counts(), DatabaseFileBytes(options_.path) + LogFileBytes(options_.path),
                  written.bytes_written, written.syncs);
}

}  // namespace tidegate
