#include "store/sqlite_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "store/sqlite_store_impl.h"

namespace tidegate {
namespace {

StoreFile MakeFile(const SqliteStore::Options& options, const SizeBudget& budget,
                   const std::string& vfs) {
  StoreFile file;
  file.path = options.path;
  file.vfs = vfs;
  file.budget = budget;
  file.max_dead_letter_bytes = options.max_dead_letter_bytes != 0
                                   ? options.max_dead_letter_bytes
                                   : std::min<uint64_t>(options.max_bytes / 16, 16ull << 20);
  file.max_payload_bytes = std::min(options.max_payload_bytes, file.max_dead_letter_bytes / 2);
  file.sync_commits = options.durability == Durability::kPowerSafe;
  return file;
}

}  // namespace

Result<std::unique_ptr<SqliteStore>> SqliteStore::Open(Options options, const Clock& clock,
                                                       const Log& log, Metrics& metrics) {
  auto budget = SizeBudget::For(options.max_bytes);
  if (!budget.ok()) return budget.error();
  auto lock = FileLock::Acquire(LockPath(options.path));
  if (!lock.ok()) return lock.error();
  auto impl =
      std::make_unique<Impl>(std::move(options), *budget, std::move(*lock), clock, log, metrics);
  if (auto status = impl->Open(); !status.ok()) return status.error();
  return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(impl)));
}

SqliteStore::SqliteStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SqliteStore::~SqliteStore() = default;
Result<Seq> SqliteStore::Append(const AppendRequest& request) {
  return impl_->Append(request);
}
Result<std::optional<Batch>> SqliteStore::Next(const Cursor& after) {
  return impl_->Next(after);
}
void SqliteStore::Delivered(RecordClass record_class, Seq first_seq) {
  impl_->Delivered(record_class, first_seq);
}
Status SqliteStore::Flush() {
  return impl_->Flush();
}
void SqliteStore::SetSnapshotSource(SnapshotSource source) {
  impl_->SetSnapshotSource(std::move(source));
}
Result<std::optional<Snapshot>> SqliteStore::LoadSnapshot() {
  return impl_->LoadSnapshot();
}
Result<std::optional<Batch>> SqliteStore::Replay(RecordClass record_class, Seq after) {
  return impl_->Replay(record_class, after);
}
Result<std::optional<std::string>> SqliteStore::ReadValue(std::string_view name) {
  return impl_->ReadValue(name);
}
Status SqliteStore::WriteValue(std::string_view name, std::string_view body) {
  return impl_->WriteValue(name, body);
}
const std::string& SqliteStore::epoch() const {
  return impl_->epoch();
}
StoreUsage SqliteStore::Usage() const {
  return impl_->Usage();
}

SqliteStore::Impl::Impl(Options options, SizeBudget budget, FileLock lock, const Clock& clock,
                        const Log& log, Metrics& metrics)
    : options_(std::move(options)),
      clock_(clock),
      log_(log),
      metrics_(metrics),
      lock_(std::move(lock)),
      vfs_(options_.vfs),
      file_(MakeFile(options_, budget, vfs_.name())),
      codec_(options_.compression_level),
      origin_{options_.gateway, {}} {}

ClockStamp SqliteStore::Impl::Stamp() const {
  return StampNow(clock_);
}

void SqliteStore::Impl::Delivered(RecordClass record_class, Seq first_seq) {
  const auto batch = handed_out_.find(MakeBatchKey(record_class, first_seq));
  if (batch == handed_out_.end()) return;  // Given up in the meantime.
  delivered_.Add(batch->first, batch->second);
  handed_out_.erase(batch);
  has_deliveries_ = true;
  // Those that are kept for replay are no reason to write.
  const uint64_t kept = snapshot_source_ ? book_.batches_behind_snapshot : 0;
  if (delivered_.size() >= file_.budget.deletes + kept && handle_ != nullptr) (void)Flush();
}

Status SqliteStore::Impl::Flush() {
  if (!has_deliveries_ && !deletes_due_) return {};
  if (auto status = EnsureOpen(); !status.ok()) return status;
  if (auto status = handle_->SetSync(false); !status.ok()) return Reopen(status.error());
  Status status;
  do {
    status = FlushSome();
  } while (status.ok() && deletes_due_);
  if (handle_ != nullptr && file_.sync_commits) {
    // A handle that cannot be set back must not take another append.
    if (auto back = handle_->SetSync(true); !back.ok()) return Reopen(back.error());
  }
  return status;
}

Status SqliteStore::Impl::FlushSome() {
  SnapshotOffer offer(*this, book_.totals.next_seq - 1);
  return Write(Stamp(), [&](StoreWriter& writer) {
    auto step = writer.AdvanceMarks();
    if (step.ok()) step = writer.DeleteDelivered(StoreWriter::Deletes::kAll, file_.budget.deletes);
    if (step.ok() && IsSnapshotDue()) offer.Take();
    return step.ok() ? offer.Save(writer) : step;
  });
}

Result<std::optional<Batch>> SqliteStore::Impl::Next(const Cursor& after) {
  if (auto status = EnsureOpen(); !status.ok()) return status.error();
  for (const RecordClass record_class : kRecordClasses) {
    auto batch = NextOf(record_class, after.last[static_cast<size_t>(record_class)]);
    if (!batch.ok() || *batch) return batch;
  }
  return std::optional<Batch>();
}

Result<std::optional<Batch>> SqliteStore::Impl::NextOf(RecordClass record_class, Seq after) {
  for (;;) {
    auto row = handle_->batches().After(record_class, after);
    if (!row.ok()) return Reopen(row.error());
    if (!*row) return std::optional<Batch>();
    after = SeqOf((*row)->key);
    if (delivered_.Contains((*row)->key)) continue;
    auto batch = HandOut(**row);
    if (batch.ok()) return std::optional<Batch>(std::move(*batch));
    if (batch.error().code != ErrorCode::kCorrupt) return batch.error();
  }
}

Result<Batch> SqliteStore::Impl::DecodeRow(const BatchRow& row) {
  auto batch = codec_.Decode(row.body);
  if (batch.ok() && (MakeBatchKey(batch->record_class, batch->first_seq) != row.key ||
                     batch->records.size() != row.count)) {
    return Error{ErrorCode::kCorrupt, "batch body: belongs to another row"};
  }
  // Every body tells its epoch; what is not news is left out.
  if (batch.ok() && batch->numbering && batch->numbering->epoch == origin_.epoch) {
    batch->numbering.reset();
  }
  return batch;
}

// kCorrupt: the row was damaged and has been set aside; go on behind it.
Result<Batch> SqliteStore::Impl::HandOut(const BatchRow& row) {
  auto batch = DecodeRow(row);
  if (batch.ok()) {
    handed_out_[row.key] = row.count;
    book_.gaps.CloseClass(batch->record_class);
    if (batch->record_class == RecordClass::kGap) book_.gaps.Close(batch->first_seq);
    return batch;
  }
  const std::string why = batch.error().message;
  log_.Error("store: {} batch {} with {} records is damaged and set aside: {}",
             RecordClassName(ClassOf(row.key)), SeqOf(row.key), row.count, why);
  metrics_.CountDamaged(ClassOf(row.key), row.count);
  auto status = Write(Stamp(), [&](StoreWriter& writer) { return writer.SetAside(row, why); });
  if (!status.ok()) return Error{ErrorCode::kUnavailable, status.error().message};
  return batch;
}

StoreUsage SqliteStore::Impl::Counts() const {
  StoreUsage usage;
  usage.records = book_.totals.records;
  for (size_t i = 0; i < kRecordClassCount; ++i) usage.records[i] -= delivered_.records()[i];
  usage.batches = book_.totals.batches - delivered_.size();
  usage.max_bytes = options_.max_bytes;
  usage.dead_letters = book_.totals.letters;
  usage.set_aside_files = set_aside_.files;
  usage.set_aside_bytes = set_aside_.bytes;
  if (handle_ == nullptr) return usage;
  const auto used = handle_->UsedPages();
  usage.bytes = LogFileBytes(options_.path) + (used.ok() ? *used * kPageBytes : 0);
  return usage;
}

StoreUsage SqliteStore::Impl::Usage() const {
  StoreUsage usage = Counts();
  if (handle_ == nullptr) return usage;
  for (const RecordClass record_class : kRecordClasses) {
    const Seq mark = book_.totals.delivered[static_cast<size_t>(record_class)];
    auto head = handle_->batches().HeadAfter(record_class, mark);
    while (head.ok() && *head && delivered_.Contains((*head)->key)) {
      head = handle_->batches().HeadAfter(record_class, SeqOf((*head)->key));
    }
    if (!head.ok() || !*head) continue;
    const WallTime created{std::chrono::milliseconds((*head)->created_ms)};
    if (!usage.oldest || created < *usage.oldest) usage.oldest = created;
  }
  return usage;
}

}  // namespace tidegate
