// What a salvage moves: dead letters, batches, and the declaration of what is lost.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/check.h"
#include "store/salvage/salvage.h"

namespace tidegate {
namespace {

// Losses that one transaction declares: some 20 KB.
constexpr size_t kLossesAtOnce = 64;
// Room for them and for the job's row, beside what a transaction moves.
constexpr uint64_t kDeclaringPages = 64;
constexpr uint8_t kFirstVersionWithEpoch = 2;

}  // namespace

Status Salvage::MoveLetters(SalvageTarget& target, StepLimit& limit) {
  Move move;
  auto status = target.Write(
      [&](StoreWriter& writer) -> Status {
        move = {job_, next_letter_, 0, false, {}};
        auto step = MoveSomeLetters(writer, move, limit);
        if (!step.ok()) return step;
        if (move.next == scan_->letters().size()) move.job.phase = SalvageJob::Phase::kBatches;
        return Save(writer, move.job);
      },
      false);
  if (!status.ok()) return status;
  job_ = std::move(move.job);
  next_letter_ = move.next;
  return {};
}

Status Salvage::MoveSomeLetters(StoreWriter& writer, Move& move, StepLimit& limit) const {
  const auto& letters = scan_->letters();
  const uint64_t most = context_.file.budget.transaction_bytes / kFrameBytes;
  for (; move.next < letters.size(); ++move.next) {
    const auto& [id, place] = letters[move.next];
    if (id <= static_cast<int64_t>(move.job.last_letter)) continue;
    const auto letter = scan_->Letter(place);
    const uint64_t pages = letter ? writer.PagesFor(*letter) : 0;
    if (move.pages > 0 && move.pages + pages > most) return {};
    move.pages += pages;
    const auto fits = letter ? Fits(writer, pages + kDeclaringPages) : false;
    if (!fits.ok()) return fits.error();
    if (letter && !*fits) ++move.job.left;
    if (*fits) {
      if (auto status = writer.AddDeadLetters({&*letter, 1}); !status.ok()) return status;
      ++move.job.letters;
    }
    move.job.last_letter = static_cast<uint64_t>(id);
    if (limit.IsSpent()) {
      ++move.next;
      return {};
    }
  }
  return {};
}

Status Salvage::MoveBatches(SalvageTarget& target, StepLimit& limit) {
  const bool replay = Blocks(target.contents());
  if (replay) {
    job_.replay = SalvageJob::Replay::kDue;
    if (job_.replay_key == 0) job_.replay_after = target.contents().covered;
  }
  Move move;
  auto status = target.Write(
      [&](StoreWriter& writer) -> Status {
        move = {job_, replay ? next_replay_ : next_batch_, 0, false, {}};
        auto step = MoveSomeBatches(writer, move, replay, limit);
        if (step.ok()) step = Declare(writer, move.job, move.losses);
        if (!step.ok()) return step;
        const bool ends = move.next == scan_->batches().size();
        if (ends && replay) move.job.replay = SalvageJob::Replay::kMoved;
        if (ends && !replay) {
          move.job.phase = SalvageJob::Phase::kLosses;
          move.job.last_key = static_cast<uint64_t>(EndOfClass(kRecordClasses.back()));
        }
        return Save(writer, move.job);
      },
      false);
  if (!status.ok()) return status;
  job_ = std::move(move.job);
  (replay ? next_replay_ : next_batch_) = move.next;
  for (const LostSeqs& lost : move.losses) target.OnLost(lost.record_class, lost.most);
  // Those that were delivered wait for a snapshot only.
  return replay && job_.replay == SalvageJob::Replay::kMoved ? target.Reload() : Status();
}

Status Salvage::MoveSomeBatches(StoreWriter& writer, Move& move, bool replay, StepLimit& limit) {
  const auto& batches = scan_->batches();
  uint64_t& last_key = replay ? move.job.replay_key : move.job.last_key;
  for (; move.next < batches.size(); ++move.next) {
    const FoundBatch& found = batches[move.next];
    const auto key = static_cast<uint64_t>(found.key);
    if (key <= last_key) continue;
    // The classes before this one are complete.
    last_key = std::max(last_key, static_cast<uint64_t>(MakeBatchKey(ClassOf(found.key), 0)));
    if (Skips(writer, move.job, found, replay)) continue;
    const auto moved = MoveBatch(writer, move, found);
    if (!moved.ok()) return moved.error();
    if (!*moved) return {};
    last_key = key;
    if (limit.IsSpent() || move.losses.size() == kLossesAtOnce) {
      ++move.next;
      return {};
    }
  }
  return {};
}

bool Salvage::Skips(const StoreWriter& writer, const SalvageJob& job, const FoundBatch& found,
                    bool replay) const {
  const RecordClass record_class = ClassOf(found.key);
  const Seq first = SeqOf(found.key);
  const bool is_for_replay = IsReplayable(record_class) && first > job.replay_after;
  if (replay && !is_for_replay) return true;
  if (!replay && is_for_replay && job.replay == SalvageJob::Replay::kMoved) return true;
  // Nobody was told that it is stored: its append had failed.
  if (job.end_is_exact != 0 && first >= job.end_seq) return true;
  if (replay) return false;
  return first <= writer.contents().totals.delivered[static_cast<size_t>(record_class)] ||
         delivered_.Contains(found.key);
}

Result<bool> Salvage::MoveBatch(StoreWriter& writer, Move& move, const FoundBatch& found) {
  if (is_full_) {
    Lose(writer, move, found, kGapStoreFull);
    return true;
  }
  auto row = scan_->Load(found);
  const bool is_possible = SeqOf(found.key) + found.count <= move.job.end_seq;
  if (!is_possible || !row || !NameEpoch(*row, move.job).ok()) {
    // The medium may have returned it a moment ago and not now.
    Lose(writer, move, found, kGapDamaged);
    return true;
  }
  const uint64_t pages = PagesForRow(row->body.size());
  const uint64_t most = context_.file.budget.transaction_bytes / kFrameBytes;
  if (move.pages > 0 && move.pages + pages > most) return false;
  const auto fits = Fits(writer, pages + kDeclaringPages);
  if (!fits.ok()) return fits.error();
  if (!*fits) {
    is_full_ = true;
    return MoveBatch(writer, move, found);
  }
  const auto inserted =
      writer.InsertSalvaged({found.key, found.count, row->created_ms, row->body, {}});
  if (!inserted.ok()) return inserted;
  move.pages += pages;
  move.lost_last = false;
  if (!*inserted) return true;
  ++move.job.batches;
  move.job.records += found.count;
  if (!found.sure) ++move.job.unsure;
  return true;
}

// A body of version 1 does not name its epoch.
Status Salvage::NameEpoch(StoreScan::Row& row, SalvageJob& job) const {
  CHECK(row.body.size() > 1, "a body that was found has a version");
  if (static_cast<uint8_t>(row.body[1]) >= kFirstVersionWithEpoch) return {};
  auto batch = context_.codec.Decode(row.body);
  if (!batch.ok()) return batch.error();
  if (job.epoch.empty()) {
    job.renamed += batch->records.size();
    return {};
  }
  batch->numbering = Numbering{job.epoch, batch->first_seq};
  const auto body = context_.codec.Encode(BatchView::Of(*batch));
  if (!body.ok()) return body.error();
  row.body = *body;
  return {};
}

// Consecutive batches share an entry, so that there is room to declare them all.
void Salvage::Lose(const StoreWriter& writer, Move& move, const FoundBatch& found,
                   std::string_view reason) {
  const RecordClass record_class = ClassOf(found.key);
  const Seq first = SeqOf(found.key), last = first + found.count - 1;
  // It was delivered, and kept for replay only.
  if (first <= writer.contents().totals.delivered[static_cast<size_t>(record_class)]) return;
  const bool extends = move.lost_last && !move.losses.empty() &&
                       move.losses.back().record_class == record_class &&
                       move.losses.back().reason == reason;
  if (extends) {
    move.losses.back().last = last;
    move.losses.back().most += found.count;
  } else {
    move.losses.push_back({record_class, first, last, found.count, reason});
  }
  move.lost_last = true;
  (reason == kGapDamaged ? move.job.lost : move.job.left) += found.count;
}

Status Salvage::Declare(StoreWriter& writer, const SalvageJob& job,
                        std::span<const LostSeqs> losses) const {
  if (losses.empty()) return {};
  std::vector<Record> records;
  for (const LostSeqs& lost : losses) {
    const Gap gap{context_.tenant, lost.record_class, lost.reason,
                  lost.first,      lost.last,         lost.most};
    records.push_back(MakeGapRecord(
        gap, {context_.gateway, job.epoch.empty() ? "unknown" : job.epoch}, writer.stamp()));
  }
  return writer.AppendOwn(RecordClass::kGap, records);
}

// Of what was there before a foreign file, nobody knows anything.
void Salvage::FindLosses() {
  losses_found_ = true;
  if (job_.is_store == 0) return;
  if (!is_missing_) {
    losses_ = scan_->Lost(job_.end_is_exact != 0 ? job_.end_seq : 0);
    return;
  }
  for (const RecordClass record_class : kRecordClasses) {
    const uint64_t begin = static_cast<uint64_t>(MakeBatchKey(record_class, 0));
    const uint64_t end = static_cast<uint64_t>(EndOfClass(record_class));
    if (job_.last_key >= end || job_.end_seq < 2) continue;
    const Seq first = job_.last_key > begin ? job_.last_key - begin + 1 : 1;
    if (first < job_.end_seq) losses_.push_back({record_class, first, job_.end_seq - 1, 0});
  }
}

Status Salvage::DeclareLosses(SalvageTarget& target) {
  if (!losses_found_) FindLosses();
  const size_t begin = std::min<size_t>(job_.losses_declared, losses_.size());
  const auto some =
      std::span(losses_).subspan(begin, std::min(kLossesAtOnce, losses_.size() - begin));
  const bool ends = begin + some.size() == losses_.size();
  SalvageJob job;
  auto status = target.Write(
      [&](StoreWriter& writer) -> Status {
        job = job_;
        if (!some.empty()) {
          if (auto step = writer.CheckFits(kDeclaringPages); !step.ok()) return step;
        }
        for (const LostSeqs& lost : some) {
          job.lost += lost.most;
          if (lost.most == 0) job.lost_unknown = 1;
        }
        job.losses_declared = begin + some.size();
        if (ends) job.phase = SalvageJob::Phase::kEnd;
        auto step = Declare(writer, job, some);
        return step.ok() ? Save(writer, job) : step;
      },
      ends);
  if (!status.ok()) return status;
  job_ = std::move(job);
  for (const LostSeqs& lost : some) target.OnLost(lost.record_class, lost.most);
  return {};
}

}  // namespace tidegate
