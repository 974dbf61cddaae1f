#include "store/transaction/store_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>

#include "core/check.h"
#include "core/reached.h"
#include "store/file/schema.h"
#include "store/format/snapshot_body.h"

namespace tidegate {
namespace {

// Pages that a new gap record takes.
constexpr uint64_t kGapPages = 4;
constexpr auto kDeclareInterval = std::chrono::minutes(1);

// What each tenant loses with the batch.
std::map<std::string, Gap> LossesOf(const Batch& batch, std::string_view reason) {
  std::map<std::string, Gap> losses;
  for (size_t i = 0; i < batch.records.size(); ++i) {
    const Record& record = batch.records[i];
    const Seq seq = batch.first_seq + i;
    const auto [loss, is_new] = losses.try_emplace(
        record.tenant, Gap{record.tenant, batch.record_class, reason, seq, seq, 0});
    loss->second.last_seq = seq;
    ++loss->second.count;
  }
  return losses;
}

}  // namespace

StoreWriter::StoreWriter(const Context& context, StoreContents& contents)
    : context_(context), contents_(contents) {
  const BatchSet& delivered = context_.book.delivered();
  const BatchSet& handed_out = context_.book.handed_out();
  for (size_t i = 0; i < kRecordClassCount; ++i) {
    claimed_records_[i] = delivered.records()[i] + handed_out.records()[i];
    CHECK(contents_.totals.records[i] >= claimed_records_[i], "the totals cover the book's claims");
  }
  claimed_batches_ = delivered.size() + handed_out.size();
  CHECK(contents_.totals.batches >= claimed_batches_, "the totals cover the book's claims");
}

Result<bool> StoreWriter::Remove(BatchKey key, uint64_t count) {
  CHECK(!is_finished_, "no step follows Finish");
  const auto deleted = context_.handle.batches().Delete(key);
  if (!deleted.ok() || !*deleted) return deleted;
  const auto corrupt = [&](std::string_view why) {
    return Error{ErrorCode::kCorrupt, fmt::format("delete {} batch {}: {}",
                                                  RecordClassName(ClassOf(key)), SeqOf(key), why)};
  };
  // A damaged tree may hold a key twice.
  if (!removed_.insert(key).second) return corrupt("it is stored twice");
  const auto i = static_cast<size_t>(ClassOf(key));
  for (const BatchSet* set : {&context_.book.delivered(), &context_.book.handed_out()}) {
    if (!set->Contains(key)) continue;
    CHECK(claimed_records_[i] >= set->CountOf(key) && claimed_batches_ > 0,
          "the claims cover each batch of the book");
    claimed_records_[i] -= set->CountOf(key);
    --claimed_batches_;
  }
  StoreTotals& totals = contents_.totals;
  if (totals.records[i] < claimed_records_[i] + count || totals.batches <= claimed_batches_) {
    return corrupt("the totals are below what is stored");
  }
  totals.records[i] -= count;
  --totals.batches;
  if (key == contents_.totals_key) {
    contents_.totals_key = 0;
    contents_.saved.reset();
  }
  if (ClassOf(key) == RecordClass::kGap) contents_.gaps.Close(SeqOf(key));
  return true;
}

bool StoreWriter::MustStay(BatchKey key, uint64_t count) const {
  return context_.keeps_for_replay && IsReplayable(ClassOf(key)) &&
         SeqOf(key) + count - 1 > contents_.covered;
}

Status StoreWriter::AdvanceMarks() {
  marks_advanced_ = true;
  for (const RecordClass record_class : kRecordClasses) {
    if (auto status = AdvanceMark(record_class); !status.ok()) return status;
  }
  return {};
}

Status StoreWriter::AdvanceMark(RecordClass record_class) {
  Seq& mark = contents_.totals.delivered[static_cast<size_t>(record_class)];
  while (context_.book.delivered().AnyAfter(record_class, mark)) {
    const auto head = context_.handle.batches().HeadAfter(record_class, mark);
    if (!head.ok()) return head.error();
    if (!*head || !context_.book.delivered().Contains((*head)->key)) break;
    CHECK(SeqOf((*head)->key) > mark, "a delivered mark only advances");
    mark = SeqOf((*head)->key);
  }
  return {};
}

Status StoreWriter::DeleteDelivered(Deletes which, uint64_t limit) {
  for (const auto& [key, count] : context_.book.delivered().batches()) {
    if (deleted_.size() >= limit) break;
    if (which == Deletes::kUrgent && IsReplayable(ClassOf(key))) break;
    if (MustStay(key, count) || deleted_.contains(key)) continue;
    CHECK(!context_.book.handed_out().Contains(key), "what is delivered is not handed out");
    if (auto removed = Remove(key, count); !removed.ok()) return removed.error();
    deleted_.insert(key);
  }
  return {};
}

bool StoreWriter::HoldsDelivered() const {
  const auto& batches = context_.book.delivered().batches();
  return std::any_of(batches.begin(), batches.end(),
                     [this](const auto& batch) { return MustStay(batch.first, batch.second); });
}

void StoreWriter::Cover(Seq through) {
  CHECK(through < kMaxNextSeq, "a snapshot reaches to a seq");
  contents_.covered = std::max(contents_.covered, through);
}

void StoreWriter::CoverWithoutSnapshot(Seq through) {
  Cover(through);
  contents_.batches_after_snapshot = 0;
}

void StoreWriter::SkipSeqs(Seq count) {
  CHECK(!is_finished_, "no step follows Finish");
  contents_.totals.next_seq += count;
}

Status StoreWriter::SaveSnapshot(std::string_view body, Seq through) {
  CHECK(!is_finished_, "no step follows Finish");
  CHECK(through < contents_.totals.next_seq, "a snapshot covers only numbered records");
  contents_.snapshot_slot = (contents_.snapshot_slot + 1) % kStateSnapshots.size();
  auto status = WriteState(context_.handle.database(), kStateSnapshots[contents_.snapshot_slot],
                           EncodeSnapshot(body, through));
  if (!status.ok()) return status;
  CoverWithoutSnapshot(through);
  return {};
}

Status StoreWriter::CheckFits(uint64_t pages) {
  const uint64_t wanted = pages + contents_.gaps.changed() * kGapPages;
  const auto free_pages = context_.handle.FreePages(wanted);
  if (!free_pages.ok()) return free_pages.error();
  if (wanted <= *free_pages) return {};
  return Error{ErrorCode::kFull, "append: the store is at its limit"};
}

Status StoreWriter::DropOne(RecordClass protect) {
  const auto lower_first = [&](auto&& try_class) -> Result<bool> {
    for (auto it = kRecordClasses.rbegin(); it != kRecordClasses.rend(); ++it) {
      const auto done = try_class(*it);
      if (!done.ok() || *done) return done;
    }
    return false;
  };
  for (const RecordClass record_class : {RecordClass::kReading, RecordClass::kHeartbeat}) {
    const auto done = DropParked(record_class);
    if (!done.ok()) return done.error();
    if (*done) return {};
  }
  // What is handed out is likely to arrive, so it is dropped after what waits; what is more urgent
  // is dropped last.
  const std::pair<bool, bool> rounds[] = {
      {false, false}, {false, true}, {true, false}, {true, true}};
  for (const auto& [more_urgent, handed_out] : rounds) {
    const auto done = lower_first(
        [&, urgent = more_urgent, handed = handed_out](RecordClass record_class) -> Result<bool> {
          // A gap record is small, and without it an earlier loss would be recorded nowhere.
          const bool is_urgent = record_class < protect || record_class == RecordClass::kGap;
          if (is_urgent != urgent) return false;
          return DropFirst(record_class, handed);
        });
    if (!done.ok()) return done.error();
    if (*done) return {};
  }
  return Error{ErrorCode::kRejected, "append: larger than the whole store may be"};
}

// The oldest one.
Result<bool> StoreWriter::DropParked(RecordClass record_class) {
  const std::set<BatchKey>& parked = context_.book.parked();
  for (auto key = parked.lower_bound(MakeBatchKey(record_class, 0));
       key != parked.end() && ClassOf(*key) == record_class; ++key) {
    if (removed_.contains(*key)) continue;
    auto row = context_.handle.batches().After(record_class, SeqOf(*key) - 1);
    if (!row.ok()) return row.error();
    if (!*row || (*row)->key != *key) continue;
    if (auto status = Drop(**row, kGapStoreFull); !status.ok()) return status.error();
    return true;
  }
  return false;
}

Result<bool> StoreWriter::DropFirst(RecordClass record_class, bool also_handed_out) {
  Seq after = 0;
  for (;;) {
    auto head = context_.handle.batches().HeadAfter(record_class, after);
    if (!head.ok()) return head.error();
    if (!*head) return false;
    after = SeqOf((*head)->key);
    if (context_.book.delivered().Contains((*head)->key)) {
      dropped_uncovered_ = dropped_uncovered_ || MustStay((*head)->key, (*head)->count);
      if (auto removed = Remove((*head)->key, (*head)->count); !removed.ok()) return removed;
      deleted_.insert((*head)->key);
      return true;
    }
    if (!also_handed_out && context_.book.handed_out().Contains((*head)->key)) continue;
    auto row = context_.handle.batches().After(record_class, after - 1);
    if (!row.ok()) return row.error();
    if (!*row || (*row)->key != (*head)->key) {
      return Error{ErrorCode::kCorrupt, "table batch: two searches find different rows"};
    }
    if (auto status = Drop(**row, kGapStoreFull); !status.ok()) return status.error();
    return true;
  }
}

Status StoreWriter::Drop(const BatchRow& row, std::string_view reason) {
  const RecordClass record_class = ClassOf(row.key);
  auto batch = context_.codec.Decode(row.body);
  dropped_uncovered_ = dropped_uncovered_ || MustStay(row.key, row.count);
  if (auto removed = Remove(row.key, row.count); !removed.ok()) return removed.error();
  dropped_.push_back(row.key);
  REACHED("store: a batch is dropped");
  dropped_records_[static_cast<size_t>(record_class)] += row.count;
  if (batch.ok()) {
    for (const auto& [tenant, loss] : LossesOf(*batch, reason)) {
      contents_.gaps.Add(loss, context_.fallback_tenant);
    }
  } else {
    const Seq first_seq = SeqOf(row.key);
    contents_.gaps.Add({context_.fallback_tenant, record_class, reason, first_seq,
                        first_seq + std::max<uint64_t>(row.count, 1) - 1, row.count},
                       context_.fallback_tenant);
  }
  return {};
}

Status StoreWriter::Insert(const EncodedBatch& batch) {
  CHECK(!is_finished_, "no step follows Finish");
  CHECK(batch.count > 0, "a batch has records");
  StoreTotals& totals = contents_.totals;
  CHECK(SeqOf(batch.key) == totals.next_seq, "a batch begins at the next seq");
  totals.records[static_cast<size_t>(ClassOf(batch.key))] += batch.count;
  ++totals.batches;
  totals.next_seq = SeqOf(batch.key) + batch.count;
  if (IsReplayable(ClassOf(batch.key))) ++contents_.batches_after_snapshot;
  const std::string encoded = EncodeTotals(totals);
  contents_.saved = totals;
  contents_.totals_key = batch.key;
  return context_.handle.batches().Insert({batch.key, batch.count,
                                           context_.stamp.wall.time_since_epoch().count(),
                                           batch.body, encoded});
}

template <typename Change>
Status StoreWriter::ChangeLetters(Change change) {
  CHECK(!is_finished_, "no step follows Finish");
  DeadLetterTotals totals{contents_.totals.letters, contents_.totals.letter_bytes, 0, 0};
  const Status status = change(context_.handle.dead_letters(), totals);
  contents_.totals.letters = totals.letters;
  contents_.totals.letter_bytes = totals.bytes;
  contents_.letters_dropped += totals.dropped;
  contents_.letters_undeclared += totals.dropped;
  contents_.letters_truncated += totals.truncated;
  return status;
}

uint64_t StoreWriter::PagesFor(const DeadLetter& letter) const {
  return PagesForRow(context_.handle.dead_letters().BytesOf(letter));
}

Status StoreWriter::AddDeadLetters(std::span<const DeadLetter> letters) {
  return ChangeLetters(
      [&](DeadLetterTable& table, DeadLetterTotals& totals) { return table.Add(letters, totals); });
}

Result<bool> StoreWriter::DropOldestLetter(uint64_t limit) {
  if (contents_.letters_dropped >= limit) return false;
  bool dropped = false;
  const auto status = ChangeLetters([&](DeadLetterTable& table, DeadLetterTotals& totals) {
    const auto result = table.DropOldest(totals);
    dropped = result.ok() && *result;
    return Status(result);
  });
  if (!status.ok()) return status.error();
  return dropped;
}

// At most one a minute, which a source of nothing but refused payloads cannot change.
Status StoreWriter::DeclareLetters() {
  const BootTime now = context_.stamp.since_boot;
  const auto& last = contents_.letters_declared_at;
  if (contents_.letters_undeclared > 0 && (!last || now >= *last + kDeclareInterval)) {
    contents_.gaps.Add({context_.fallback_tenant, std::nullopt, kGapLettersFull, 0, 0,
                        contents_.letters_undeclared},
                       context_.fallback_tenant);
    contents_.letters_undeclared = 0;
    REACHED("store: dropped letters are declared");
    contents_.letters_declared_at = now;
  }
  if (contents_.letters_undeclared == contents_.letters_undeclared_saved) return {};
  contents_.letters_undeclared_saved = contents_.letters_undeclared;
  return WriteState(context_.handle.database(), kStateLettersUndeclared,
                    fmt::format("{}", contents_.letters_undeclared));
}

Status StoreWriter::SetAside(const BatchRow& row, const std::string& why) {
  REACHED("store: a damaged batch is set aside");
  const std::string origin =
      fmt::format("{} batch {}", RecordClassName(ClassOf(row.key)), SeqOf(row.key));
  const DeadLetter letter = MakeDeadLetter({"store", origin, why, row.body}, context_.stamp.wall);
  if (auto status = AddDeadLetters({&letter, 1}); !status.ok()) return status;
  return Drop(row, kGapDamaged);
}

Status StoreWriter::AppendOwn(RecordClass record_class, std::span<const Record> records) {
  CHECK(!records.empty(), "a batch has records");
  const Numbering own{context_.origin.epoch, contents_.totals.next_seq};
  const auto body =
      context_.codec.Encode({record_class, own.first_seq, context_.stamp, records, {}, {}, &own});
  if (!body.ok()) return body.error();
  return Insert({MakeBatchKey(record_class, own.first_seq), records.size(), std::string(*body)});
}

Result<bool> StoreWriter::InsertSalvaged(const BatchRow& row) {
  CHECK(!is_finished_, "no step follows Finish");
  const RecordClass record_class = ClassOf(row.key);
  StoreTotals& totals = contents_.totals;
  CHECK(SeqOf(row.key) + row.count <= totals.next_seq, "what is salvaged was numbered before");
  const auto head = context_.handle.batches().HeadAfter(record_class, SeqOf(row.key) - 1);
  if (!head.ok()) return head.error();
  if (*head && (*head)->key == row.key) return false;
  totals.records[static_cast<size_t>(record_class)] += row.count;
  ++totals.batches;
  if (IsReplayable(record_class) && SeqOf(row.key) > contents_.covered) {
    ++contents_.batches_after_snapshot;
  }
  auto status = context_.handle.batches().Insert(row);
  if (!status.ok()) return status.error();
  return true;
}

void StoreWriter::RaiseMarks(const std::array<Seq, kRecordClassCount>& delivered) {
  StoreTotals& totals = contents_.totals;
  for (size_t i = 0; i < delivered.size(); ++i) {
    const Seq mark = std::min(delivered[i], totals.next_seq - 1);
    totals.delivered[i] = std::max(totals.delivered[i], mark);
  }
}

Status StoreWriter::StoreGap(GapLedger::Entry& entry) {
  const Record record = MakeGapRecord(entry.gap, context_.origin, context_.stamp);
  if (entry.seq == 0) {
    entry.seq = contents_.totals.next_seq;
    return AppendOwn(RecordClass::kGap, {&record, 1});
  }
  CHECK(entry.seq < contents_.totals.next_seq, "a stored gap record has a seq of its own");
  const Numbering own{context_.origin.epoch, entry.seq};
  const auto body = context_.codec.Encode(
      {RecordClass::kGap, entry.seq, context_.stamp, {&record, 1}, {}, {}, &own});
  if (!body.ok()) return body.error();
  return context_.handle.batches().ReplaceBody(MakeBatchKey(RecordClass::kGap, entry.seq), *body);
}

Status StoreWriter::Finish() {
  CHECK(!is_finished_, "a transaction ends once");
  auto status = DeclareLetters();
  if (status.ok()) {
    status =
        contents_.gaps.StoreChanged([this](GapLedger::Entry& entry) { return StoreGap(entry); });
  }
  is_finished_ = true;
  if (!status.ok()) return status;
  CHECK(contents_.gaps.changed() == 0, "every loss is declared before the commit");
  if (contents_.saved == contents_.totals) return {};
  contents_.saved = contents_.totals;
  contents_.totals_key = 0;
  return WriteState(context_.handle.database(), kStateTotals, EncodeTotals(contents_.totals));
}

}  // namespace tidegate
