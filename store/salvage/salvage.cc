#include "store/salvage/salvage.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <iterator>
#include <optional>
#include <utility>

#include "core/check.h"
#include "core/sqlite/transaction.h"
#include "store/file/schema.h"
#include "store/format/store_totals.h"
#include "store/salvage/damage_alert.h"

namespace tidegate {
namespace {

// A higher number comes from damage and is not continued.
constexpr Seq kMostSeq = 1ull << 55;
constexpr std::string_view kOldStateNextSeq = "next_seq";  // Of format version 1, decimal.
// Left free for gap records and alerts about the damage, and for what follows.
constexpr uint64_t kTellingPages = 64;

uint64_t NumberIn(std::string_view text) {
  uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// Returns true for state that the new store has by itself, or finds out again.
bool IsOwnState(std::string_view name) {
  return name == kStateEpoch || name == kStateTotals || name == kOldStateNextSeq ||
         name == kStateLeastVersion || name == kStateProcessSafe;
}

class Salvager {
 public:
  Salvager(const SalvageOrder& order, BatchCodec& codec, StoreScan& scan)
      : order_(order), codec_(codec), scan_(scan) {}

  Result<SalvageReport> Run();

 private:
  Status CheckVersion() const;
  void FindEpoch();
  Status Build();
  Status MoveBatches();
  Status MoveBatch(const FoundBatch& found);
  // Adds a batch that is not moved to what is declared as lost.
  void Lose(const FoundBatch& found, std::string_view reason);
  Status MoveLetters();
  Status MoveState();
  Status Tell();
  Status TellGap(const LostSeqs& lost);
  Status InsertRow(const BatchRow& row);
  Status Insert(RecordClass record_class, std::span<const Record> records);
  // False: there is no room for so many pages, in the store or on the disk.
  Result<bool> MakeRoom(uint64_t pages);
  Status Commit();
  std::string_view StateOf(std::string_view name) const;

  const SalvageOrder& order_;
  BatchCodec& codec_;
  StoreScan& scan_;
  StoreFile file_;
  std::unique_ptr<StoreHandle> handle_;
  std::optional<sqlite::Transaction> transaction_;
  uint64_t transaction_pages_ = 0;
  std::string epoch_;  // Of the damaged store; empty: not known.
  std::string new_epoch_;
  Seq next_seq_ = 1;
  StoreTotals totals_;  // Of the new store.
  bool is_full_ = false;
  // The previous batch was not moved.
  bool lost_last_ = false;
  SalvageReport report_;
};

std::string_view Salvager::StateOf(std::string_view name) const {
  const auto row = scan_.state().find(name);
  return row == scan_.state().end() ? std::string_view() : std::string_view(row->second);
}

Status Salvager::CheckVersion() const {
  const uint64_t least = NumberIn(StateOf(kStateLeastVersion));
  if (least <= static_cast<uint64_t>(kStoreVersion)) return {};
  return Error{ErrorCode::kInvalid,
               fmt::format("{}: a later Tidegate wrote it (format {}, this one reads up to {})",
                           order_.file.path, least, kStoreVersion)};
}

Result<SalvageReport> Salvager::Run() {
  if (auto status = CheckVersion(); !status.ok()) return status.error();
  FindEpoch();
  const auto told = DecodeTotals(StateOf(kStateTotals));
  next_seq_ = std::max(
      {order_.next_seq, NumberIn(StateOf(kOldStateNextSeq)), told.ok() ? told->next_seq : Seq{1}});
  next_seq_ = std::min(next_seq_, kMostSeq);
  auto path = BeginReplacement(order_.file.path);
  if (!path.ok()) return path.error();
  file_ = order_.file;
  file_.path = *path;
  report_.aside = scan_.is_store() ? Aside::kDamaged : Aside::kForeign;
  if (auto status = Build(); !status.ok()) return status.error();
  const bool has_more = report_.left > 0 || !order_.with_log;
  if (scan_.is_store() && has_more) report_.aside = Aside::kKept;
  auto aside = Replace(order_.file.path, report_.aside, order_.stamp.wall);
  if (!aside.ok()) return aside.error();
  report_.path = *aside;
  return std::move(report_);
}

// Builds the new store and closes it, whole in its one file.
Status Salvager::Build() {
  CHECK(handle_ == nullptr && report_.batches == 0, "a store is built once");
  auto handle = StoreHandle::Open(file_);
  if (!handle.ok()) return handle.error();
  handle_ = *std::move(handle);
  const auto epoch = ReadState(handle_->database(), kStateEpoch);
  if (!epoch.ok()) return epoch.error();
  new_epoch_ = epoch->value_or("");
  auto status = MoveState();
  if (status.ok()) status = MoveBatches();
  if (status.ok()) status = MoveLetters();
  if (status.ok()) status = Tell();
  if (status.ok()) status = Commit();
  if (status.ok()) status = handle_->EmptyLog();
  transaction_.reset();
  handle_.reset();
  return status;
}

Result<bool> Salvager::MakeRoom(uint64_t pages) {
  if ((transaction_pages_ + pages) * kFrameBytes > file_.budget.transaction_bytes) {
    if (auto status = Commit(); !status.ok()) return status.error();
  }
  const auto free_pages = handle_->FreePages(pages);
  if (!free_pages.ok()) return free_pages.error();
  if (pages > *free_pages) return false;
  if (!transaction_) {
    auto status = handle_->MakeLogRoom(file_.budget.log_reserve_bytes / 2);
    if (!status.ok()) return status.error();
    auto transaction = sqlite::Transaction::Begin(handle_->database());
    if (!transaction.ok()) return transaction.error();
    transaction_.emplace(*std::move(transaction));
  }
  transaction_pages_ += pages;
  return true;
}

Status Salvager::Commit() {
  transaction_pages_ = 0;
  if (!transaction_) return {};
  auto status = transaction_->Commit();
  transaction_.reset();
  return status;
}

Status Salvager::MoveState() {
  for (const auto& [name, body] : scan_.state()) {
    if (IsOwnState(name)) continue;
    const auto fits = MakeRoom(PagesForRow(name.size() + body.size()));
    if (!fits.ok()) return fits.error();
    if (!*fits) return {};
    if (auto status = WriteState(handle_->database(), name, body); !status.ok()) return status;
  }
  return {};
}

// Takes the epoch from the newest batch if table state does not hold it.
void Salvager::FindEpoch() {
  epoch_ = order_.origin.epoch.empty() ? std::string(StateOf(kStateEpoch)) : order_.origin.epoch;
  const auto newest = std::ranges::max_element(
      scan_.batches(), {}, [](const FoundBatch& found) { return SeqOf(found.key); });
  if (!epoch_.empty() || newest == scan_.batches().end()) return;
  const auto row = scan_.Load(*newest);
  if (!row) return;
  const auto batch = codec_.Decode(row->body);
  if (batch.ok() && batch->numbering) epoch_ = batch->numbering->epoch;
}

Status Salvager::MoveBatches() {
  for (const FoundBatch& found : scan_.batches()) {
    const Seq end = SeqOf(found.key) + found.count;
    if (end > kMostSeq) {
      Lose(found, kGapDamaged);
      continue;
    }
    next_seq_ = std::max(next_seq_, end);
    if (auto status = MoveBatch(found); !status.ok()) return status;
  }
  return {};
}

Status Salvager::MoveBatch(const FoundBatch& found) {
  auto row = scan_.Load(found);
  auto batch = row ? codec_.Decode(row->body) : Result<Batch>(Error{ErrorCode::kCorrupt, ""});
  if (!batch.ok()) {  // The medium gave it a moment ago and does not now.
    Lose(found, kGapDamaged);
    return {};
  }
  if (!batch->numbering && !epoch_.empty()) {
    // A body of version 1 does not name its epoch.
    batch->numbering = Numbering{epoch_, batch->first_seq};
    const auto body = codec_.Encode(BatchView::Of(*batch));
    if (!body.ok()) return body.error();
    row->body = *body;
  }
  const auto fits = is_full_ ? false : MakeRoom(PagesForRow(row->body.size()) + kTellingPages);
  if (!fits.ok()) return fits.error();
  if (!*fits) {
    // Every later batch is at most as urgent.
    is_full_ = true;
    report_.left += found.count;
    Lose(found, kGapStoreFull);
    return {};
  }
  CHECK(transaction_pages_ >= kTellingPages, "room was made for the gap records as well");
  transaction_pages_ -= kTellingPages;
  lost_last_ = false;
  ++report_.batches;
  report_.records += found.count;
  if (!found.sure) ++report_.unsure;
  if (!batch->numbering) report_.renamed += found.count;
  return InsertRow({found.key, found.count, row->created_ms, row->body, {}});
}

void Salvager::Lose(const FoundBatch& found, std::string_view reason) {
  const RecordClass record_class = ClassOf(found.key);
  const Seq first = SeqOf(found.key), last = first + found.count - 1;
  // It was delivered, and kept for replay only.
  if (first <= scan_.delivered()[static_cast<size_t>(record_class)]) return;
  auto& lost = report_.lost;
  CHECK(!lost_last_ || !lost.empty(), "the previous loss is listed");
  // Consecutive batches share an entry, so that there is room to declare them all.
  if (lost_last_ && lost.back().record_class == record_class && lost.back().reason == reason) {
    lost.back().last = last;
    lost.back().most += found.count;
  } else {
    lost.push_back({record_class, first, last, found.count, reason});
  }
  lost_last_ = true;
}

Status Salvager::InsertRow(const BatchRow& row) {
  CHECK(transaction_.has_value(), "rows are inserted in a transaction");
  CHECK(SeqOf(row.key) + row.count <= next_seq_, "a row's seqs come before the next seq");
  totals_.records[static_cast<size_t>(ClassOf(row.key))] += row.count;
  ++totals_.batches;
  return handle_->batches().Insert(row);
}

Status Salvager::MoveLetters() {
  DeadLetterTotals totals;
  for (const auto& [id, place] : scan_.letters()) {
    const auto letter = scan_.Letter(place);
    if (!letter) continue;
    const auto fits = MakeRoom(PagesForRow(letter->payload.size() + letter->origin.size() +
                                           letter->reason.size() + letter->input.size()) +
                               kTellingPages);
    if (!fits.ok()) return fits.error();
    if (!*fits) break;
    CHECK(transaction_pages_ >= kTellingPages, "room was made for the gap records as well");
    transaction_pages_ -= kTellingPages;
    auto status = handle_->dead_letters().Add({&*letter, 1}, totals);
    if (!status.ok()) return status;
  }
  report_.letters = totals_.letters = totals.letters;
  totals_.letter_bytes = totals.bytes;
  return {};
}

Status Salvager::Tell() {
  // Of what lay there before a foreign file, nobody knows anything.
  if (scan_.is_store())
    std::ranges::move(scan_.Lost(order_.next_seq), std::back_inserter(report_.lost));
  for (const LostSeqs& lost : report_.lost) {
    if (auto status = TellGap(lost); !status.ok()) return status;
  }
  const std::vector<Record> alerts = MakeDamageAlerts(
      {order_.origin.gateway, order_.tenant, order_.stamp, order_.why + "; " + report_.Summary()});
  if (auto status = Insert(RecordClass::kAlert, alerts); !status.ok()) return status;
  CHECK(totals_.batches > report_.batches, "the totals cover what was moved, and the alerts");
  totals_.next_seq = next_seq_;
  totals_.delivered = scan_.delivered();
  return WriteState(handle_->database(), kStateTotals, EncodeTotals(totals_));
}

Status Salvager::TellGap(const LostSeqs& lost) {
  const Gap gap{order_.tenant, lost.record_class, lost.reason, lost.first, lost.last, lost.most};
  const Record record = MakeGapRecord(
      gap, {order_.origin.gateway, epoch_.empty() ? "unknown" : epoch_}, order_.stamp);
  return Insert(RecordClass::kGap, {&record, 1});
}

Status Salvager::Insert(RecordClass record_class, std::span<const Record> records) {
  CHECK(!records.empty(), "a batch has records");
  const Numbering own{new_epoch_, next_seq_};
  const auto body = codec_.Encode({record_class, next_seq_, order_.stamp, records, {}, {}, &own});
  if (!body.ok()) return body.error();
  const auto fits = MakeRoom(PagesForRow(body->size()));
  if (!fits.ok()) return fits.error();
  if (!*fits) return Error{ErrorCode::kFull, "salvage: no room to tell of it"};
  const BatchKey key = MakeBatchKey(record_class, next_seq_);
  next_seq_ += records.size();
  return InsertRow({key, records.size(), order_.stamp.wall.time_since_epoch().count(), *body, {}});
}

}  // namespace

std::string SalvageReport::Summary() const {
  std::string text = aside == Aside::kForeign
                         ? std::string("it is none of ours")
                         : fmt::format("{} records in {} batches and {} dead letters were salvaged",
                                       records, batches, letters);
  uint64_t most = 0;
  bool more = false;
  for (const LostSeqs& seqs : lost) {
    if (seqs.reason == kGapStoreFull) continue;  // They are counted in `left`.
    most += seqs.most;
    more = more || seqs.most == 0;
  }
  if (most > 0) text += fmt::format(", at most {} are lost", most);
  if (more) text += ", an unknown number may be lost";
  if (left > 0) text += fmt::format(", {} had no room", left);
  if (unsure > 0) text += fmt::format(", {} batches may be sent a second time", unsure);
  if (renamed > 0) text += fmt::format(", {} have new ids", renamed);
  return text;
}

Result<SalvageReport> Salvage(const SalvageOrder& order, BatchCodec& codec) {
  auto scan = StoreScan::Open(order.file.path, order.file.vfs, order.with_log);
  if (!scan.ok()) return scan.error();
  (*scan)->Run();
  return Salvager(order, codec, **scan).Run();
}

}  // namespace tidegate
