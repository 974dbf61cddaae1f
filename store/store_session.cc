#include "store/store_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "core/check.h"
#include "core/reached.h"
#include "core/sqlite/transaction.h"
#include "store/file/schema.h"
#include "store/file/snapshot_slots.h"

namespace tidegate {
namespace {

// More seqs than a run without fsync can lose, or than follow a snapshot: all that the log holds,
// one byte each.
constexpr Seq kUnsyncedSeqs = 1ull << 24;

}  // namespace

StoreSession::StoreSession(const SqliteStore::Options& options, const SizeBudget& budget,
                           FileLock lock, const Clock& clock, const Log& log, Metrics& metrics)
    : options_(options),
      clock_(clock),
      log_(log),
      metrics_(metrics),
      codec_(options.compression_level),
      snapshots_({budget.snapshot_bytes, options.max_replay_records, options.max_replay_batches},
                 clock, log, metrics_),
      connection_(options, budget, std::move(lock), book_, codec_, clock, log, metrics_,
                  [this](StoreHandle& handle, bool is_new) { return Load(handle, is_new); }) {}

Status StoreSession::Load(StoreHandle& handle, bool is_new) {
  auto status = book_.ForgetMissing(handle);
  if (status.ok()) status = ReadBook(handle);
  if (status.ok() && is_new) status = SkipDoubtfulSeqs(handle);
  if (status.ok()) status = RemoveUnacknowledged(handle);
  if (status.ok() && is_new) status = book_.ReadDelivered(handle);
  if (!status.ok()) return status;
  UpdateMetrics();
  return {};
}

Status StoreSession::ReadBook(StoreHandle& handle) {
  const auto snapshots = ReadSnapshotSlots(handle.database());
  if (!snapshots.ok()) return snapshots.error();
  for (const std::string& why : snapshots->damaged) snapshots_.CountError("does not read: " + why);
  return book_.Read(handle, *snapshots, options_.max_replay_batches);
}

// Without fsync a power cut takes back batches whose seqs have left the gateway already, and after
// damaged totals nothing shows which seqs followed the last row; neither may be used twice.
Status StoreSession::SkipDoubtfulSeqs(StoreHandle& handle) {
  const auto process_safe = ReadState(handle.database(), kStateProcessSafe);
  if (!process_safe.ok()) return process_safe.error();
  const bool was_unsynced = process_safe->has_value();
  const bool was_counted = !book_.contents().saved;
  const bool sync_commits = connection_.file().sync_commits;
  if (!was_counted && !was_unsynced && sync_commits) return {};
  auto status = handle.SetSync(true);
  if (!status.ok()) return status;
  status = RunTransaction(handle, StampNow(clock_), [&](StoreWriter& writer) {
    if (was_unsynced || was_counted) writer.SkipSeqs(kUnsyncedSeqs);
    return sync_commits ? DeleteState(handle.database(), kStateProcessSafe)
                        : WriteState(handle.database(), kStateProcessSafe, "1");
  });
  return status.ok() ? handle.SetSync(sync_commits) : status;
}

// A commit whose fsync failed may be complete in the log, and the recovery at opening takes it for
// good. Its snapshot is removed with it, because the records in it may come again. If that snapshot
// was saved to make room, what it covered is deleted too, and the previous snapshot lacks it: so
// the next append saves one, and only a crash before that loses this part of the state.
Status StoreSession::RemoveUnacknowledged(StoreHandle& handle) {
  const BatchCounts& unacknowledged = book_.unacknowledged();
  if (unacknowledged.empty()) return {};
  REACHED("store: what was not acknowledged is removed");
  const auto snapshots = ReadSnapshotSlots(handle.database());
  if (!snapshots.ok()) return snapshots.error();
  Seq first_seq = std::numeric_limits<Seq>::max();
  for (const auto& [key, count] : unacknowledged) first_seq = std::min(first_seq, SeqOf(key));
  bool snapshot_removed = false;
  auto status = RunTransaction(handle, StampNow(clock_), [&](StoreWriter& writer) -> Status {
    for (const auto& [key, count] : unacknowledged) {
      if (auto removed = writer.Remove(key, count); !removed.ok()) return removed.error();
    }
    for (size_t i = 0; i < snapshots->slots.size(); ++i) {
      const auto& snapshot = snapshots->slots[i];
      if (!snapshot || snapshot->through < first_seq) continue;
      snapshot_removed = true;
      REACHED("store: a snapshot that was not acknowledged is removed");
      auto deleted = DeleteState(handle.database(), kStateSnapshots[i]);
      if (!deleted.ok()) return deleted;
    }
    return {};
  });
  if (status.ok()) status = ReadBook(handle);
  if (!status.ok()) return status;
  if (snapshot_removed) book_.RequestSnapshot(options_.max_replay_batches);
  book_.EndAppend();
  return {};
}

bool StoreSession::IsReady() const {
  return connection_.is_open() && !salvages().Blocks(book_.contents());
}

Status StoreSession::EnsureOpen() {
  if (auto status = connection_.EnsureOpen(); !status.ok()) return status;
  if (IsReady()) return {};
  return Error{ErrorCode::kUnavailable,
               fmt::format("the damaged store is being read, {} %", salvages().percent())};
}

std::optional<std::chrono::nanoseconds> StoreSession::StepSalvage(BootTime deadline) {
  if (salvages().empty()) return std::nullopt;
  REACHED("store: a step of a salvage");
  // An error is logged by the connection, and a salvage cannot do without the store.
  if (!connection_.EnsureOpen().ok()) return std::chrono::seconds(1);
  const auto wait = salvages().Step(*this, deadline);
  connection_.CountSetAside();
  return wait;
}

Status StoreSession::Write(const Steps& steps, bool synced) {
  if (!connection_.is_open()) return Error{ErrorCode::kUnavailable, "the store is not open"};
  return synced ? Write(StampNow(clock_), steps) : WriteUnsynced(steps);
}

Status StoreSession::Reload() {
  if (!connection_.is_open()) return Error{ErrorCode::kUnavailable, "the store is not open"};
  auto status = ReadBook(handle());
  if (status.ok()) status = book_.ReadDelivered(handle());
  if (!status.ok()) return Reopen(status.error());
  UpdateMetrics();
  return {};
}

Status StoreSession::WriteUnsynced(const Steps& steps) {
  if (auto status = handle().SetSync(false); !status.ok()) return Reopen(status.error());
  auto status = Write(StampNow(clock_), steps);
  if (connection_.is_open() && connection_.file().sync_commits) {
    // A handle that cannot be set back must not commit another append. What this transaction has
    // done remains as it is, and a caller that was told otherwise would do it twice.
    if (auto back = handle().SetSync(true); !back.ok()) (void)Reopen(back.error());
  }
  return status;
}

Status StoreSession::Write(const ClockStamp& stamp, const Steps& steps) {
  const BootTime start = clock_.SinceBoot();
  auto status = RunTransaction(handle(), stamp, steps);
  if (!status.ok()) {
    if (status.error().code == ErrorCode::kFull) metrics_.CountFull();
    ReportFullDisk();
    if (status.error().code == ErrorCode::kFull || status.error().code == ErrorCode::kRejected)
      return status;
    return Reopen(status.error());
  }
  book_.EndAppend();
  metrics_.ObserveCommit(clock_.SinceBoot() - start);
  ReportFullDisk();
  // The transaction itself is safe, whatever happens to the checkpoint.
  if (status = handle().CheckpointIfDue(); !status.ok()) (void)Reopen(status.error());
  UpdateMetrics();
  return {};
}

Status StoreSession::RunTransaction(StoreHandle& handle, const ClockStamp& stamp,
                                    const Steps& steps) {
  if (auto status = handle.MakeLogRoom(budget().log_reserve_bytes / 2); !status.ok()) return status;
  StoreContents contents = book_.contents();
  contents.letters_dropped = contents.letters_truncated = 0;
  StoreWriter writer({handle, codec_, connection_.origin(), options_.tenant, book_,
                      snapshots_.has_source(), stamp},
                     contents);
  auto transaction = sqlite::Transaction::Begin(handle.database());
  if (!transaction.ok()) return transaction.error();
  auto status = steps(writer);
  if (status.ok()) status = writer.Finish();
  if (status.ok()) status = transaction->Commit();
  if (!status.ok()) return status;
  book_.Apply(writer, std::move(contents), budget().deletes);
  CountDropped(writer);
  CountLetters();
  return {};
}

void StoreSession::CountDropped(const StoreWriter& writer) {
  uint64_t dropped = 0;
  for (const RecordClass record_class : kRecordClasses) {
    const uint64_t records = writer.dropped_records()[static_cast<size_t>(record_class)];
    metrics_.CountDropped(record_class, records);
    dropped += records;
  }
  CHECK(dropped == 0 || !writer.dropped().empty(), "records are dropped with their batches");
  if (dropped == 0) return;
  if (const auto count = drop_limit_.Count(clock_.SinceBoot(), dropped)) {
    log_.Warning("store: at its limit of {} bytes, {} records were given up", options_.max_bytes,
                 *count);
  }
}

void StoreSession::CountLetters() {
  const uint64_t dropped = book_.contents().letters_dropped;
  const uint64_t truncated = book_.contents().letters_truncated;
  letters_dropped_ += dropped;
  letters_truncated_ += truncated;
  metrics_.CountDroppedLetters(dropped);
  metrics_.CountTruncatedLetters(truncated);
  if (dropped == 0) return;
  if (const auto count = letter_limit_.Count(clock_.SinceBoot(), dropped)) {
    log_.Warning("store: dead letters are at their limit of {} bytes, the {} oldest were dropped",
                 connection_.file().max_dead_letter_bytes, *count);
  }
}

void StoreSession::ReportFullDisk() {
  if (!handle().is_disk_full()) return;
  metrics_.CountDiskFull();
  if (const auto count = disk_full_limit_.Count(clock_.SinceBoot())) {
    log_.Warning("store: the disk is full, the database stays at {} bytes ({} appends since)",
                 DatabaseFileBytes(options_.path), *count);
  }
}

StoreUsage StoreSession::Usage() const {
  const StoreContents& contents = book_.contents();
  const BatchSet& delivered = book_.delivered();
  StoreUsage usage;
  usage.records = contents.totals.records;
  for (size_t i = 0; i < kRecordClassCount; ++i) {
    CHECK(usage.records[i] >= delivered.records()[i], "the totals cover what is delivered");
    usage.records[i] -= delivered.records()[i];
  }
  CHECK(contents.totals.batches >= delivered.size(), "the totals cover the delivered batches");
  usage.batches = contents.totals.batches - delivered.size();
  usage.max_bytes = options_.max_bytes;
  usage.dead_letters = contents.totals.letters;
  usage.dead_letters_dropped = letters_dropped_;
  usage.dead_letters_truncated = letters_truncated_;
  if (!salvages().empty()) usage.salvage_percent = salvages().percent();
  usage.set_aside_files = connection_.set_aside().files;
  usage.set_aside_bytes = connection_.set_aside().bytes;
  if (!connection_.is_open()) return usage;
  const auto used = handle().UsedPages();
  usage.bytes = LogFileBytes(options_.path) + (used.ok() ? *used * kPageBytes : 0);
  return usage;
}

void StoreSession::UpdateMetrics() {
  const FlashVfs::Counters& written = connection_.written();
  metrics_.Update(Usage(), DatabaseFileBytes(options_.path) + LogFileBytes(options_.path),
                  written.bytes_written, written.syncs);
}

}  // namespace tidegate
