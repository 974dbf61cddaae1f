#include "store/transaction/store_book.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/check.h"
#include "store/file/schema.h"
#include "store/transaction/store_writer.h"

namespace tidegate {
namespace {

Error CorruptTotals() {
  return {ErrorCode::kCorrupt, "totals of the store: below what its batches hold"};
}

bool Covers(const StoreTotals& totals, const BatchSet& delivered, const BatchSet& handed_out) {
  for (size_t i = 0; i < kRecordClassCount; ++i) {
    if (totals.records[i] < delivered.records()[i] + handed_out.records()[i]) return false;
  }
  return totals.batches >= delivered.size() + handed_out.size();
}

Result<StoreTotals> CountAll(StoreHandle& handle) {
  auto totals = handle.batches().Count();
  if (!totals.ok()) return totals;
  const auto letters = handle.dead_letters().Totals();
  if (!letters.ok()) return letters.error();
  totals->letters = letters->letters;
  totals->letter_bytes = letters->bytes;
  return totals;
}

// Reads the totals from the newest row or from table state, whichever was written last. If those
// are damaged, counts all rows; the marks of the other are true all the same.
Result<StoreTotals> ReadTotals(StoreHandle& handle, StoreContents& contents) {
  const auto newest = handle.batches().Newest();
  if (!newest.ok()) return newest.error();
  const Seq end = *newest ? SeqOf((*newest)->key) + (*newest)->count : 1;
  const auto body = ReadState(handle.database(), kStateTotals);
  if (!body.ok()) return body.error();
  const auto row = *newest ? DecodeTotals((*newest)->totals) : DecodeTotals("");
  const auto state = DecodeTotals(*body ? **body : "");
  const bool state_reads = !*body || state.ok();
  if (!*newest && !*body) {  // The store is new.
    contents.saved = StoreTotals();
    return StoreTotals();
  }
  if (state.ok() && state->next_seq >= end) {
    contents.saved = *state;
    return state;
  }
  if (state_reads && row.ok() && row->next_seq == end) {
    contents.saved = *row;
    contents.totals_key = (*newest)->key;
    return row;
  }
  auto counted = CountAll(handle);
  if (!counted.ok()) return counted;
  for (const auto& other : {row, state}) {
    if (!other.ok()) continue;
    counted->next_seq = std::max(counted->next_seq, other->next_seq);
    std::ranges::transform(counted->delivered, other->delivered, counted->delivered.begin(),
                           [](Seq a, Seq b) { return std::max(a, b); });
  }
  return counted;
}

// A number that no process can have reached is damage and counts as 0.
Status ReadUndeclared(StoreHandle& handle, StoreContents& contents) {
  constexpr uint64_t kMost = 1ull << 48;
  const auto body = ReadState(handle.database(), kStateLettersUndeclared);
  if (!body.ok()) return body.error();
  uint64_t letters = 0;
  if (*body) std::from_chars((*body)->data(), (*body)->data() + (*body)->size(), letters);
  if (letters > kMost) letters = 0;
  contents.letters_undeclared = contents.letters_undeclared_saved = letters;
  return {};
}

Result<bool> IsStored(StoreHandle& handle, BatchKey key) {
  const auto head = handle.batches().HeadAfter(ClassOf(key), SeqOf(key) - 1);
  if (!head.ok()) return head.error();
  return *head && (*head)->key == key;
}

Status EraseMissing(StoreHandle& handle, BatchSet& set) {
  for (const auto& [key, count] : BatchCounts(set.batches())) {
    const auto stored = IsStored(handle, key);
    if (!stored.ok()) return stored.error();
    if (!*stored) set.Erase(key);
  }
  return {};
}

}  // namespace

Status StoreBook::Read(StoreHandle& handle, const SnapshotSlots& snapshots,
                       uint64_t max_replay_batches) {
  StoreContents contents;
  const auto totals = ReadTotals(handle, contents);
  if (!totals.ok()) return totals.error();
  if (totals->next_seq > kMaxFoundSeq) {
    return Error{ErrorCode::kCorrupt, "totals of the store: impossible next seq"};
  }
  if (!Covers(*totals, delivered_, handed_out_)) return CorruptTotals();
  contents.totals = *totals;
  for (size_t i = 0; i < snapshots.slots.size(); ++i) {
    const auto& snapshot = snapshots.slots[i];
    if (!snapshot || snapshot->through < contents.covered) continue;
    contents.covered = snapshot->through;
    contents.snapshot_slot = i;
  }
  if (auto status = ReadUndeclared(handle, contents); !status.ok()) return status;
  contents.letters_declared_at = contents_.letters_declared_at;
  for (const RecordClass record_class : kRecordClasses) {
    if (!IsReplayable(record_class)) continue;
    const auto after =
        handle.batches().CountAfter(record_class, contents.covered, max_replay_batches);
    if (!after.ok()) return after.error();
    contents.batches_after_snapshot += *after;
  }
  // This process never numbers two records alike, whatever the file has lost.
  contents.totals.next_seq = std::max({contents.totals.next_seq, next_seq(), contents.covered + 1});
  CHECK(contents.totals.next_seq <= kMaxNextSeq, "the next seq fits into a key");
  contents_ = std::move(contents);
  return {};
}

Status StoreBook::ForgetMissing(StoreHandle& handle) {
  auto status = EraseMissing(handle, delivered_);
  if (status.ok()) status = EraseMissing(handle, handed_out_);
  std::erase_if(parked_, [this](BatchKey key) { return !handed_out_.Contains(key); });
  return status;
}

Status StoreBook::ReadDelivered(StoreHandle& handle) {
  BatchSet delivered = delivered_;
  BatchSet handed_out = handed_out_;
  for (const RecordClass record_class : kRecordClasses) {
    const Seq mark = contents_.totals.delivered[static_cast<size_t>(record_class)];
    Seq after = 0;
    while (after < mark) {
      const auto head = handle.batches().HeadAfter(record_class, after);
      if (!head.ok()) return head.error();
      if (!*head || SeqOf((*head)->key) > mark) break;
      CHECK(SeqOf((*head)->key) > after, "the search advances");
      after = SeqOf((*head)->key);
      handed_out.Erase((*head)->key);
      delivered.Add((*head)->key, (*head)->count);
    }
  }
  if (!Covers(contents_.totals, delivered, handed_out)) return CorruptTotals();
  delivered_ = std::move(delivered);
  handed_out_ = std::move(handed_out);
  deletes_due_ = delivered_.size() > 0;
  return {};
}

void StoreBook::RequestSnapshot(uint64_t max_replay_batches) {
  contents_.batches_after_snapshot = max_replay_batches;
}

Status StoreBook::HandOut(BatchKey key, uint64_t count) {
  CHECK(!delivered_.Contains(key), "a delivered batch is not handed out");
  if (!handed_out_.Contains(key)) {
    const auto i = static_cast<size_t>(ClassOf(key));
    const uint64_t claimed = delivered_.records()[i] + handed_out_.records()[i] + count;
    if (contents_.totals.records[i] < claimed ||
        contents_.totals.batches <= delivered_.size() + handed_out_.size()) {
      return CorruptTotals();
    }
    handed_out_.Add(key, count);
  }
  contents_.gaps.CloseClass(ClassOf(key));
  if (ClassOf(key) == RecordClass::kGap) contents_.gaps.Close(SeqOf(key));
  return {};
}

bool StoreBook::Deliver(BatchKey key) {
  if (!handed_out_.Contains(key)) return false;
  CHECK(!delivered_.Contains(key), "a batch that is handed out is not delivered");
  delivered_.Add(key, handed_out_.CountOf(key));
  handed_out_.Erase(key);
  parked_.erase(key);
  has_deliveries_ = true;
  return true;
}

void StoreBook::BeginAppend(std::span<const EncodedBatch> batches) {
  CHECK(unacknowledged_.empty(), "one append at a time is unacknowledged");
  Seq next = next_seq();
  for (const EncodedBatch& batch : batches) {
    CHECK(SeqOf(batch.key) == next, "an append numbers its records without a hole");
    next += batch.count;
    unacknowledged_[batch.key] = batch.count;
  }
}

void StoreBook::Apply(const StoreWriter& writer, StoreContents contents, uint64_t max_deletes) {
  CHECK(contents.totals.next_seq >= next_seq(), "the next seq never decreases");
  CHECK(contents.covered < contents.totals.next_seq, "a snapshot covers only numbered records");
  CHECK(contents.covered >= contents_.covered, "a transaction takes back no snapshot");
  const bool more_is_covered = contents.covered > contents_.covered;
  contents_ = std::move(contents);
  for (const BatchKey key : writer.deleted()) {
    CHECK(delivered_.Contains(key), "what is deleted was delivered");
    delivered_.Erase(key);
  }
  // A transaction that only writes a value, say, leaves deliveries to the next flush.
  if (writer.marks_advanced()) {
    has_deliveries_ = false;
    deletes_due_ = more_is_covered || writer.deleted().size() >= max_deletes;
  }
  for (const BatchKey key : writer.dropped()) {
    CHECK(!delivered_.Contains(key), "what is dropped was not delivered");
    handed_out_.Erase(key);
    parked_.erase(key);
  }
  CHECK(Covers(contents_.totals, delivered_, handed_out_),
        "the totals cover what is delivered and handed out");
}

}  // namespace tidegate
