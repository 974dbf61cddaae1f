#include "store/salvage/salvage.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <utility>

#include "core/check.h"
#include "store/file/schema.h"
#include "store/format/snapshot_body.h"
#include "store/format/store_totals.h"
#include "store/salvage/damage_alert.h"

namespace tidegate {
namespace {

// A higher number comes from damage and is not continued.
constexpr Seq kMostSeq = 1ull << 55;
constexpr std::string_view kOldStateNextSeq = "next_seq";  // Of format version 1, decimal.
constexpr std::string_view kSnapshotPrefix = "snapshot.";

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

bool IsThere(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(path, error) || std::filesystem::exists(path + "-wal", error);
}

}  // namespace

Salvage::Salvage(const Context& context, SalvageJob job, bool fold_is_live, BatchSet delivered)
    : context_(context),
      job_(std::move(job)),
      path_(context.file.path + job_.aside_name),
      fold_is_live_(fold_is_live),
      delivered_(std::move(delivered)) {}

bool Salvage::Blocks(const StoreContents& contents) const {
  if (fold_is_live_ || job_.phase > SalvageJob::Phase::kBatches) return false;
  if (job_.end_seq != 0 && contents.covered + 1 >= job_.end_seq) return false;
  return job_.replay != SalvageJob::Replay::kMoved;
}

double Salvage::progress() const {
  if (is_done_) return 1;
  if (scan_ == nullptr || !is_scanned_) return scan_ == nullptr ? 0 : scan_->progress() / 2;
  // With a replay this process goes through the batches twice.
  const bool replays = job_.replay == SalvageJob::Replay::kDue || next_replay_ > 0;
  const size_t all = std::max<size_t>(scan_->batches().size(), 1) * (replays ? 2 : 1);
  const size_t done = next_batch_ + (replays ? next_replay_ : 0);
  return 0.5 + 0.49 * static_cast<double>(done) / static_cast<double>(all);
}

Status Salvage::Step(SalvageTarget& target, StepLimit& limit) {
  using Phase = SalvageJob::Phase;
  CHECK(!is_done_, "a salvage that is done has no step");
  if (job_.phase == Phase::kEnd) return End(target);
  if (scan_ == nullptr && !is_missing_) return Open();
  while (!is_missing_ && !is_scanned_) {
    const uint64_t pages = scan_->pages_read();
    is_scanned_ = !scan_->Step();
    if (limit.IsSpent(1 + scan_->pages_read() - pages)) return {};
  }
  if (job_.phase == Phase::kBegin) return Begin(target);
  if (is_missing_) return DeclareLosses(target);
  if (Blocks(target.contents())) return MoveBatches(target, limit);
  switch (job_.phase) {
    case Phase::kLetters:
      return MoveLetters(target, limit);
    case Phase::kBatches:
      return MoveBatches(target, limit);
    case Phase::kBegin:
    case Phase::kLosses:
    case Phase::kEnd:
      break;
  }
  return DeclareLosses(target);
}

Status Salvage::Open() {
  is_missing_ = !IsThere(path_);
  if (is_missing_) return {};
  auto scan = StoreScan::Open(path_, context_.base_vfs, job_.with_log != 0);
  if (!scan.ok()) return scan.error();
  scan_ = *std::move(scan);
  return {};
}

std::string_view Salvage::StateOf(std::string_view name) const {
  const auto row = scan_->state().find(name);
  return row == scan_->state().end() ? std::string_view() : std::string_view(row->second);
}

// Finds out what the file is, as far as nobody knew it when it was replaced.
void Salvage::Identify(SalvageJob& job, Seq next_seq) const {
  job.is_store = is_missing_ || scan_->is_store() ? 1 : 0;
  if (is_missing_) {
    job.end_seq = std::max(job.end_seq, next_seq);
    return;
  }
  if (job.epoch.empty()) job.epoch = StateOf(kStateEpoch);
  const auto& batches = scan_->batches();
  const auto newest = std::ranges::max_element(
      batches, {}, [](const FoundBatch& found) { return SeqOf(found.key); });
  if (job.epoch.empty() && newest != batches.end()) {
    const auto row = scan_->Load(*newest);
    const auto batch =
        row ? context_.codec.Decode(row->body) : Result<Batch>(Error{ErrorCode::kCorrupt, ""});
    if (batch.ok() && batch->numbering) job.epoch = batch->numbering->epoch;
  }
  if (job.end_seq != 0) return;
  const auto totals = DecodeTotals(StateOf(kStateTotals));
  job.end_seq = std::max(
      {next_seq, NumberIn(StateOf(kOldStateNextSeq)), totals.ok() ? totals->next_seq : Seq{1}});
  job.end_seq = std::min(job.end_seq, kMostSeq);
  for (const FoundBatch& found : batches) {
    const Seq end = SeqOf(found.key) + found.count;
    if (end <= kMostSeq) job.end_seq = std::max(job.end_seq, end);
  }
}

Status Salvage::Begin(SalvageTarget& target) {
  SalvageJob job;
  const bool blocks = Blocks(target.contents());
  auto status = target.Write(
      [&](StoreWriter& writer) -> Status {
        job = job_;
        const Seq next_seq = writer.contents().totals.next_seq;
        Identify(job, next_seq);
        if (next_seq < job.end_seq) writer.SkipSeqs(job.end_seq - next_seq);
        if (!is_missing_) {
          std::array<Seq, kRecordClassCount> delivered = scan_->delivered();
          for (Seq& mark : delivered) mark = std::min(mark, job.end_seq - 1);
          writer.RaiseMarks(delivered);
          if (auto step = MoveState(writer, job); !step.ok()) return step;
        }
        const WallTime since{std::chrono::milliseconds(job.since_ms)};
        const Record raised =
            MakeDamageRaised({context_.gateway, context_.tenant, writer.stamp(), since, job.why});
        if (auto step = writer.AppendOwn(RecordClass::kAlert, {&raised, 1}); !step.ok()) {
          return step;
        }
        if (blocks) job.replay = SalvageJob::Replay::kDue;
        job.phase = is_missing_ ? SalvageJob::Phase::kLosses : SalvageJob::Phase::kLetters;
        return Save(writer, job);
      },
      false);
  if (!status.ok()) return status;
  job_ = std::move(job);
  return blocks ? target.Reload() : Status();
}

Status Salvage::MoveState(StoreWriter& writer, const SalvageJob& job) const {
  uint64_t pages = 0;
  const uint64_t most = context_.file.budget.log_reserve_bytes * 2 / 5 / kFrameBytes;
  for (const auto& [name, body] : scan_->state()) {
    const auto wanted = WantsState(writer, job, name, body);
    if (!wanted.ok()) return wanted.error();
    const uint64_t row_pages = PagesForRow(name.size() + body.size());
    if (!*wanted || pages + row_pages > most) continue;
    const auto fits = Fits(writer, row_pages);
    if (!fits.ok()) return fits.error();
    if (!*fits) continue;
    pages += row_pages;
    auto status = WriteState(writer.handle().database(), name, body);
    if (!status.ok()) return status;
  }
  return {};
}

Result<bool> Salvage::WantsState(StoreWriter& writer, const SalvageJob& job, std::string_view name,
                                 std::string_view body) const {
  if (IsOwnState(name)) return false;
  if (name.starts_with(kSnapshotPrefix)) {
    // One that is not older has been saved already, or comes from an append that failed.
    const auto snapshot = DecodeSnapshot(body);
    if (!snapshot.ok() || snapshot->through >= job.end_seq) return false;
    if (writer.contents().covered >= snapshot->through && writer.contents().covered > 0) {
      return false;
    }
  }
  if (name.starts_with(kStateSalvagePrefix)) {
    // The damaged store was itself still moving another file.
    const auto other = DecodeSalvageJob(name, body);
    if (!other.ok() || !IsThere(context_.file.path + other->aside_name)) return false;
  }
  const auto own = ReadState(writer.handle().database(), name);
  if (!own.ok()) return own.error();
  return !*own;
}

Result<bool> Salvage::Fits(StoreWriter& writer, uint64_t pages) const {
  auto status = writer.CheckFits(pages + context_.file.budget.reserve_pages);
  if (status.ok()) return true;
  if (status.error().code == ErrorCode::kFull) return false;
  return status.error();
}

Status Salvage::Save(StoreWriter& writer, const SalvageJob& job) const {
  return WriteState(writer.handle().database(), job.RowName(), EncodeSalvageJob(job));
}

// The file gets its last name only when all that was moved is safe: the old name is where a salvage
// that a power cut took back looks for it.
Status Salvage::End(SalvageTarget& target) {
  const Aside aside = job_.is_store == 0                    ? Aside::kForeign
                      : job_.left > 0 || job_.with_log == 0 ? Aside::kKept
                                                            : Aside::kDamaged;
  scan_.reset();
  auto renamed = RenameAside(path_, aside);
  if (!renamed.ok()) return renamed.error();
  auto status = target.Write(
      [&](StoreWriter& writer) -> Status {
        const WallTime since{std::chrono::milliseconds(job_.since_ms)};
        const Record cleared = MakeDamageCleared({context_.gateway, context_.tenant, writer.stamp(),
                                                  since, job_.why + "; " + job_.Summary()});
        auto step = writer.AppendOwn(RecordClass::kAlert, {&cleared, 1});
        return step.ok() ? DeleteState(writer.handle().database(), job_.RowName()) : step;
      },
      false);
  if (!status.ok()) return status;
  path_ = *std::move(renamed);
  is_done_ = true;
  return {};
}

}  // namespace tidegate
