#include "store/sqlite_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "store/file/file_lock.h"
#include "store/file/schema.h"
#include "store/file/snapshot_slots.h"
#include "store/snapshot_offer.h"
#include "store/store_session.h"

namespace tidegate {
namespace {

constexpr size_t kMaxValueBytes = 16 << 10;
// Pages that letters of stored records leave free for deletes, values and gap records.
constexpr uint64_t kLetterReservePages = 64;

std::string ValueName(std::string_view name) {
  return fmt::format("{}{}", kStateValuePrefix, name);
}

}  // namespace

Result<std::unique_ptr<SqliteStore>> SqliteStore::Open(Options options, const Clock& clock,
                                                       const Log& log, Metrics& metrics) {
  auto budget = SizeBudget::For(options.max_bytes);
  if (!budget.ok()) return budget.error();
  auto lock = FileLock::Acquire(LockPath(options.path));
  if (!lock.ok()) return lock.error();
  std::unique_ptr<SqliteStore> store(new SqliteStore(std::move(options), clock, log));
  store->session_ = std::make_unique<StoreSession>(store->options_, *budget, std::move(*lock),
                                                   clock, log, metrics);
  if (auto status = store->session_->Start(); !status.ok()) return status.error();
  return store;
}

SqliteStore::SqliteStore(Options options, const Clock& clock, const Log& log)
    : options_(std::move(options)), clock_(clock), log_(log) {}
SqliteStore::~SqliteStore() = default;

Result<Seq> SqliteStore::Append(const AppendRequest& request) {
  if (auto status = session_->EnsureOpen(); !status.ok()) return status.error();
  auto batches = Encode(request);
  if (!batches.ok()) return batches.error();
  const auto pages = PagesFor(request, *batches);
  if (!pages.ok()) return pages.error();
  const Seq first_seq = session_->book().next_seq();
  Seq through = first_seq - 1;
  for (const EncodedBatch& batch : *batches) through += batch.count;
  session_->book().BeginAppend(*batches);
  const auto status = Write(request, *batches, *pages, through);
  if (session_->connection().is_open()) session_->book().EndAppend();
  if (!status.ok()) return status.error();
  CHECK(session_->book().next_seq() > through, "an append numbers all its records");
  return first_seq;
}

Status SqliteStore::Write(const AppendRequest& request, const std::vector<EncodedBatch>& batches,
                          uint64_t pages, Seq through) {
  RecordClass protect = RecordClass::kReading;
  for (const EncodedBatch& batch : batches) protect = std::min(protect, ClassOf(batch.key));
  SnapshotOffer offer(session_->snapshots(), through);
  // Letters that the deletes wait for may use what is reserved for a snapshot.
  pages += request.of_stored_records ? kLetterReservePages : session_->budget().reserve_pages;
  const auto steps = [&](StoreWriter& writer) -> Status {
    auto step = writer.AdvanceMarks();
    if (step.ok()) step = DeleteWithAppend(writer);
    if (step.ok() && session_->snapshots().IsDue(session_->book().contents())) offer.Take();
    if (step.ok()) step = MakeRoom(writer, pages, protect, batches.empty(), offer);
    if (step.ok()) step = writer.AddDeadLetters(request.dead_letters);
    for (auto batch = batches.begin(); step.ok() && batch != batches.end(); ++batch) {
      step = writer.Insert(*batch);
    }
    if (!step.ok()) return NeverFull(request, step);
    return offer.Save(writer);
  };
  return request.of_stored_records ? session_->WriteUnsynced(steps)
                                   : session_->Write(request.stamp, steps);
}

// A letter that the deletes wait for is refused for good rather than for now, so that its maker
// tries it without its payload. On a disk that others have filled nothing can be written anyway.
Status SqliteStore::NeverFull(const AppendRequest& request, const Status& status) const {
  if (!request.of_stored_records || status.error().code != ErrorCode::kFull) return status;
  if (session_->handle().is_disk_full()) return status;
  return Error{ErrorCode::kRejected, status.error().message};
}

Result<std::vector<EncodedBatch>> SqliteStore::Encode(const AppendRequest& request) {
  std::vector<EncodedBatch> encoded;
  Seq seq = session_->book().next_seq();
  for (const auto& [record_class, records, arrivals] : request.batches) {
    CHECK(!records.empty(), "a batch has records");
    // So that a batch keeps its ids, whatever happens to the rest of the file.
    const Numbering own{epoch(), seq};
    const auto body = session_->codec().Encode(
        {record_class, seq, request.stamp, records, arrivals, request.inputs, &own});
    if (!body.ok()) return body.error();
    encoded.push_back({MakeBatchKey(record_class, seq), records.size(), std::string(*body)});
    seq += records.size();
  }
  return encoded;
}

Result<uint64_t> SqliteStore::PagesFor(const AppendRequest& request,
                                       const std::vector<EncodedBatch>& batches) const {
  CHECK(batches.empty() || !request.of_stored_records, "letters of stored records come alone");
  const SizeBudget& budget = session_->budget();
  uint64_t pages = 0;
  for (const EncodedBatch& batch : batches) pages += PagesForRow(batch.body.size());
  // Letters of one request count like records: too many of them are refused together.
  for (const DeadLetter& letter : request.dead_letters) {
    pages += PagesForRow(session_->handle().dead_letters().BytesOf(letter));
  }
  if (pages * kFrameBytes > budget.transaction_bytes) {
    CHECK(!batches.empty() || request.dead_letters.size() > 1, "a lone letter fits an append");
    return Error{ErrorCode::kRejected,
                 fmt::format("append: {} bytes are more than one transaction may write ({})",
                             pages * kPageBytes, budget.transaction_bytes)};
  }
  return pages;
}

// Deletes come in bulk with a snapshot: so the place of a batch that is delivered soon is reused in
// the log, and the batch never reaches the database file.
Status SqliteStore::DeleteWithAppend(StoreWriter& writer) {
  const bool bulk = !session_->snapshots().has_source() || session_->book().deletes_due();
  return writer.DeleteDelivered(bulk ? StoreWriter::Deletes::kAll : StoreWriter::Deletes::kUrgent,
                                session_->budget().deletes);
}

Status SqliteStore::MakeRoom(StoreWriter& writer, uint64_t pages, RecordClass protect,
                             bool letters_only, SnapshotOffer& offer) {
  for (;;) {
    auto status = writer.CheckFits(pages);
    if (status.ok() || status.error().code != ErrorCode::kFull) break;
    // What has been delivered is deleted first, under a snapshot if it must be.
    const size_t deleted = writer.deleted().size();
    if (writer.HoldsDelivered() && offer.Take()) writer.Cover(offer.through());
    auto freed = writer.DeleteDelivered(StoreWriter::Deletes::kAll, deleted + 1);
    if (!freed.ok()) return freed;
    if (writer.deleted().size() > deleted) continue;
    if (letters_only) {
      const auto dropped = writer.DropOldestLetter(session_->budget().deletes);
      if (!dropped.ok()) return dropped.error();
      if (*dropped) continue;
    }
    if (options_.full == FullPolicy::kStopReading) return status;
    const Error full = status.error();
    if (status = writer.DropOne(protect); status.ok()) continue;
    // Nothing is left to drop. On a disk that others have filled it may fit later.
    const bool later =
        status.error().code == ErrorCode::kRejected && session_->handle().is_disk_full();
    return later ? Status(Error{ErrorCode::kFull, full.message + ": the disk is full"}) : status;
  }
  if (writer.dropped_uncovered() && !offer.Take()) {
    session_->snapshots().CountError("cannot be had, but records that it lacks must go");
  }
  return {};
}

Result<std::optional<Batch>> SqliteStore::Next(const Cursor& after) {
  if (auto status = session_->EnsureOpen(); !status.ok()) return status.error();
  for (;;) {
    const Seq end = session_->book().next_seq();
    const auto batch = NextOfAll(after);
    // If a damaged batch was set aside, the gap record of its loss may be more urgent.
    if (!batch.ok() || session_->book().next_seq() == end) return batch;
  }
}

Result<std::optional<Batch>> SqliteStore::NextOfAll(const Cursor& after) {
  for (const RecordClass record_class : kRecordClasses) {
    auto batch = NextOf(record_class, after.last[static_cast<size_t>(record_class)]);
    if (!batch.ok() || *batch) return batch;
  }
  return std::optional<Batch>();
}

Result<std::optional<Batch>> SqliteStore::NextOf(RecordClass record_class, Seq after) {
  for (;;) {
    auto row = session_->handle().batches().After(record_class, after);
    if (!row.ok()) return session_->Reopen(row.error());
    if (!*row) return std::optional<Batch>();
    CHECK(SeqOf((*row)->key) > after, "the search advances");
    after = SeqOf((*row)->key);
    if (after > session_->salvages().SendableThrough(record_class)) return std::optional<Batch>();
    if (session_->book().delivered().Contains((*row)->key)) continue;
    auto batch = HandOut(**row);
    if (batch.ok()) return std::optional<Batch>(std::move(*batch));
    if (batch.error().code != ErrorCode::kCorrupt) return batch.error();
  }
}

Result<Batch> SqliteStore::DecodeRow(const BatchRow& row) {
  auto batch = session_->codec().Decode(row.body);
  if (batch.ok() && (MakeBatchKey(batch->record_class, batch->first_seq) != row.key ||
                     batch->records.size() != row.count)) {
    return Error{ErrorCode::kCorrupt, "batch body: belongs to another row"};
  }
  // Every body names its epoch; a numbering is left out where it says nothing new.
  if (batch.ok() && batch->numbering && batch->numbering->epoch == epoch()) {
    batch->numbering.reset();
  }
  return batch;
}

Result<Batch> SqliteStore::HandOut(const BatchRow& row) {
  auto batch = DecodeRow(row);
  if (batch.ok()) {
    auto status = session_->book().HandOut(row.key, row.count);
    if (!status.ok()) return session_->Reopen(status.error());
    return batch;
  }
  const std::string why = batch.error().message;
  log_.Error("store: {} batch {} with {} records is damaged and set aside: {}",
             RecordClassName(ClassOf(row.key)), SeqOf(row.key), row.count, why);
  session_->metrics().CountDamaged(ClassOf(row.key), row.count);
  auto status = session_->Write(StampNow(clock_),
                                [&](StoreWriter& writer) { return writer.SetAside(row, why); });
  if (!status.ok()) return Error{ErrorCode::kUnavailable, status.error().message};
  return batch;
}

void SqliteStore::Delivered(RecordClass record_class, Seq first_seq) {
  StoreBook& book = session_->book();
  if (!book.Deliver(MakeBatchKey(record_class, first_seq))) return;
  // Batches that are kept for replay are no reason to write.
  const uint64_t kept =
      session_->snapshots().has_source() ? book.contents().batches_after_snapshot : 0;
  const bool is_due = book.delivered().size() >= session_->budget().deletes + kept;
  if (is_due && session_->connection().is_open()) (void)Flush();
}

void SqliteStore::Park(RecordClass record_class, Seq first_seq) {
  session_->book().Park(MakeBatchKey(record_class, first_seq));
}

Status SqliteStore::Flush() {
  const StoreBook& book = session_->book();
  if (!book.has_deliveries() && !book.deletes_due()) return {};
  Status status;
  do {
    status = session_->EnsureOpen();
    if (status.ok()) status = FlushSome();
  } while (status.ok() && book.deletes_due());
  return status;
}

Status SqliteStore::FlushSome() {
  SnapshotOffer offer(session_->snapshots(), session_->book().next_seq() - 1);
  return session_->WriteUnsynced([&](StoreWriter& writer) {
    auto step = writer.AdvanceMarks();
    if (step.ok()) {
      step = writer.DeleteDelivered(StoreWriter::Deletes::kAll, session_->budget().deletes);
    }
    if (step.ok() && session_->snapshots().IsDue(session_->book().contents())) offer.Take();
    return step.ok() ? offer.Save(writer) : step;
  });
}

void SqliteStore::SetSnapshotSource(SnapshotSource source) {
  session_->snapshots().SetSource(std::move(source));
}

Result<std::optional<Snapshot>> SqliteStore::LoadSnapshot() {
  if (auto status = session_->EnsureOpen(); !status.ok()) return status.error();
  auto found = ReadSnapshotSlots(session_->handle().database());
  if (!found.ok()) return session_->Reopen(found.error());
  auto& [first, second] = found->slots;
  return first && (!second || first->through > second->through) ? std::move(first)
                                                                : std::move(second);
}

Result<std::optional<Batch>> SqliteStore::Replay(RecordClass record_class, Seq after) {
  if (auto status = session_->EnsureOpen(); !status.ok()) return status.error();
  for (;;) {
    auto row = session_->handle().batches().After(record_class, after);
    if (!row.ok()) return session_->Reopen(row.error());
    if (!*row) return std::optional<Batch>();
    CHECK(SeqOf((*row)->key) > after, "the search advances");
    after = SeqOf((*row)->key);
    auto batch = DecodeRow(**row);
    if (batch.ok()) return std::optional<Batch>(*std::move(batch));
  }
}

Result<std::optional<std::string>> SqliteStore::ReadValue(std::string_view name) {
  if (auto status = session_->EnsureOpen(); !status.ok()) return status.error();
  auto value = ReadState(session_->handle().database(), ValueName(name));
  if (!value.ok()) return session_->Reopen(value.error());
  return value;
}

Status SqliteStore::WriteValue(std::string_view name, std::string_view body) {
  if (body.size() > kMaxValueBytes) {
    return Error{ErrorCode::kRejected, fmt::format("write {}: {} bytes are more than {}", name,
                                                   body.size(), kMaxValueBytes)};
  }
  if (auto status = session_->EnsureOpen(); !status.ok()) return status;
  return session_->Write(StampNow(clock_), [&](StoreWriter&) {
    return WriteState(session_->handle().database(), ValueName(name), body);
  });
}

bool SqliteStore::IsReady() const {
  return session_->IsReady();
}

bool SqliteStore::IsSalvaging() const {
  return !session_->salvages().empty();
}

std::optional<std::chrono::nanoseconds> SqliteStore::StepSalvage(BootTime deadline) {
  return session_->StepSalvage(deadline);
}

void SqliteStore::OnSalvage(std::function<void()> on_salvage) {
  session_->salvages().OnWork(std::move(on_salvage));
}

const std::string& SqliteStore::epoch() const {
  return session_->connection().origin().epoch;
}

StoreUsage SqliteStore::Usage() const {
  StoreUsage usage = session_->Usage();
  if (!session_->connection().is_open()) return usage;
  const StoreBook& book = session_->book();
  BatchTable& batches = session_->handle().batches();
  for (const RecordClass record_class : kRecordClasses) {
    const Seq mark = book.contents().totals.delivered[static_cast<size_t>(record_class)];
    auto head = batches.HeadAfter(record_class, mark);
    while (head.ok() && *head && book.delivered().Contains((*head)->key)) {
      head = batches.HeadAfter(record_class, SeqOf((*head)->key));
    }
    if (!head.ok() || !*head) continue;
    const WallTime created{std::chrono::milliseconds((*head)->created_ms)};
    if (!usage.oldest || created < *usage.oldest) usage.oldest = created;
  }
  return usage;
}

}  // namespace tidegate
