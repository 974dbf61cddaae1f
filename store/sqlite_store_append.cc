// How SqliteStore takes records in, makes room for them, and saves the fold's state beside them.
#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <utility>

#include "store/sqlite_store_impl.h"

namespace tidegate {
Result<std::vector<EncodedBatch>> SqliteStore::Impl::Encode(const AppendRequest& request) {
  std::vector<EncodedBatch> encoded;
  Seq seq = book_.totals.next_seq;
  for (const auto& [record_class, records, arrivals] : request.batches) {
    assert(!records.empty());
    // So that a batch keeps its ids, whatever happens to the rest of the file.
    const Numbering own{origin_.epoch, seq};
    const auto body =
        codec_.Encode({record_class, seq, request.stamp, records, arrivals, request.inputs, &own});
    if (!body.ok()) return body.error();
    encoded.push_back({MakeBatchKey(record_class, seq), records.size(), std::string(*body)});
    seq += records.size();
  }
  return encoded;
}

Result<uint64_t> SqliteStore::Impl::PagesFor(const AppendRequest& request,
                                             const std::vector<EncodedBatch>& batches) const {
  uint64_t pages = 0;
  for (const EncodedBatch& batch : batches) pages += PagesForRow(batch.body.size());
  // Letters of one request count like records: too many of them are refused together.
  for (const DeadLetter& letter : request.dead_letters) {
    pages += PagesForRow(std::min<uint64_t>(letter.payload.size(), file_.max_payload_bytes) +
                         letter.input.size() + letter.origin.size() + letter.reason.size());
  }
  if (pages * kFrameBytes > file_.budget.transaction_bytes) {
    return Error{ErrorCode::kRejected,
                 fmt::format("append: {} bytes are more than one transaction may write ({})",
                             pages * kPageBytes, file_.budget.transaction_bytes)};
  }
  return pages;
}

Result<Seq> SqliteStore::Impl::Append(const AppendRequest& request) {
  if (auto status = EnsureOpen(); !status.ok()) return status.error();
  auto batches = Encode(request);
  if (!batches.ok()) return batches.error();
  const auto pages = PagesFor(request, *batches);
  if (!pages.ok()) return pages.error();
  const Seq first_seq = book_.totals.next_seq;
  Seq through = first_seq - 1;
  RecordClass protect = RecordClass::kReading;
  unacknowledged_.clear();
  for (const EncodedBatch& batch : *batches) {
    unacknowledged_[batch.key] = batch.count;
    protect = std::min(protect, ClassOf(batch.key));
    through += batch.count;
  }
  SnapshotOffer offer(*this, through);
  const auto status = Write(request.stamp, [&](StoreWriter& writer) -> Status {
    auto step = writer.AdvanceMarks();
    if (step.ok()) step = DeleteWithAppend(writer);
    if (step.ok() && IsSnapshotDue()) offer.Take();
    if (step.ok()) step = MakeRoom(writer, *pages + file_.budget.reserve_pages, protect, offer);
    if (step.ok()) step = writer.AddDeadLetters(request.dead_letters);
    for (auto batch = batches->begin(); step.ok() && batch != batches->end(); ++batch) {
      step = writer.Insert(*batch);
    }
    return step.ok() ? offer.Save(writer) : step;
  });
  if (handle_ != nullptr) unacknowledged_.clear();
  if (!status.ok()) return status.error();
  return first_seq;
}

// Deletes come in bulk with a snapshot: so a batch that is delivered soon has its place taken over
// in the log and never reaches the database file.
Status SqliteStore::Impl::DeleteWithAppend(StoreWriter& writer) {
  const bool bulk = !snapshot_source_ || deletes_due_;
  return writer.DeleteDelivered(bulk ? StoreWriter::Deletes::kAll : StoreWriter::Deletes::kUrgent,
                                file_.budget.deletes);
}

Status SqliteStore::Impl::MakeRoom(StoreWriter& writer, uint64_t pages, RecordClass protect,
                                   SnapshotOffer& offer) {
  for (;;) {
    auto status = writer.CheckFits(pages);
    if (status.ok() || status.error().code != ErrorCode::kFull) break;
    // What has been delivered goes first, under a snapshot if it must.
    const size_t deleted = writer.deleted().size();
    if (writer.HoldsDelivered() && offer.Take()) writer.Cover(offer.through());
    auto freed = writer.DeleteDelivered(StoreWriter::Deletes::kAll, deleted + 1);
    if (!freed.ok()) return freed;
    if (writer.deleted().size() > deleted) continue;
    if (options_.full == FullPolicy::kStopReading) return status;
    const Error full = status.error();
    if (status = writer.DropOne(protect); status.ok()) continue;
    // Nothing is left to give up. On a disk that others have filled it may fit later.
    const bool later = status.error().code == ErrorCode::kRejected && handle_->is_disk_full();
    return later ? Status(Error{ErrorCode::kFull, full.message + ": the disk is full"}) : status;
  }
  if (writer.dropped_uncovered() && !offer.Take())
    CountSnapshotError("cannot be had, but records that it lacks must go");
  return {};
}

bool SqliteStore::Impl::IsSnapshotDue() const {
  return snapshot_source_ &&
         (book_.totals.next_seq - 1 >= book_.covered + options_.max_replay_records ||
          book_.batches_behind_snapshot >= options_.max_replay_batches);
}

bool SqliteStore::Impl::SnapshotOffer::Take() {
  if (asked_ || !store_.snapshot_source_) return body_ || is_too_large_;
  asked_ = true;
  body_ = store_.snapshot_source_();
  const uint64_t limit = store_.file_.budget.snapshot_bytes;
  if (!body_ || body_->size() <= limit) return body_.has_value();
  store_.CountSnapshotError(
      fmt::format("of {} bytes is over its share of {}", body_->size(), limit));
  body_.reset();
  is_too_large_ = true;
  return true;
}

Status SqliteStore::Impl::SnapshotOffer::Save(StoreWriter& writer) const {
  if (is_too_large_) writer.CoverWithoutSnapshot(through_);
  if (!body_) return {};
  return writer.SaveSnapshot(*body_, through_);
}

void SqliteStore::Impl::CountSnapshotError(std::string_view why) {
  metrics_.CountSnapshotError();
  if (const auto count = snapshot_limit_.Count(clock_.SinceBoot())) {
    log_.Error("store: the snapshot {}; after a crash the state may be behind ({} such errors)",
               why, *count);
  }
}

}  // namespace tidegate
