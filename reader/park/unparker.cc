#include "reader/park/unparker.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "reader/consume/parked_message.h"
#include "reader/land/batch.h"
#include "reader/project/rebuild_mark.h"

namespace tidegate::reader {

namespace {
using std::chrono::milliseconds;

constexpr size_t kMaxReasons = 20;
}  // namespace

Unparker::Unparker(Options options, Parts parts, size_t place)
    : options_(std::move(options)),
      parts_(parts),
      report_(parts.board, parts.clock, place, "unparker", MemberRole::kUnpark),
      marks_(options_.database, parts.projections),
      ends_(parts.source, parts.clock),
      fold_(options_.folder, parts.projections, parts.store, true) {
  CHECK(options_.batch_records > 0 && options_.batch_bytes > 0, "a batch has room for a record");
  report_.state().database_up = true;  // The workers report the main database.
  parts_.source.SetListener(this);
}

Status Unparker::Step(milliseconds patience) {
  const auto came = Take(patience);
  if (!came.ok()) return report_.Fail(came.error(), batch_.size());
  Land();
  for (auto& [partition, state] : partitions_) Turn(partition, state);
  LowerMarks();
  Report(false);
  return {};
}

Result<bool> Unparker::Take(milliseconds patience) {
  const auto over = [](const auto& entry) { return entry.second.TurnIsOver(); };
  bool came = false;
  while (!Full() && std::ranges::none_of(partitions_, over)) {
    auto polled = parts_.source.Poll(came ? milliseconds::zero() : patience);
    if (!polled.ok()) return polled.error();
    if (!*polled) break;
    came = true;
    Add(**std::move(polled));
  }
  return came;
}

bool Unparker::Full() const {
  return batch_.size() >= options_.batch_records || batch_.bytes() >= options_.batch_bytes ||
         batch_.json_values() >= kMaxJsonValues;
}

void Unparker::Add(SourceMessage raw) {
  const Partition partition = raw.partition;
  const int64_t offset = raw.offset;
  const auto state = partitions_.try_emplace(partition, options_.partition).first;
  if (!CheckLog(partition, offset, state->second)) return;
  auto parked = ReadParked(std::move(raw));
  if (!state->second.Deliver(offset, parked ? parked->database : std::string())) return;
  if (!parked) {
    if (const auto count = trouble_log_.Count(parts_.clock.SinceBoot()))
      parts_.log.Warning("{} messages of the parking topic were parked by no reader", *count);
    return;
  }
  auto decoded = parts_.decoder.Decode(parked->record, parts_.clock.Now());
  if (auto* document = std::get_if<Document>(&decoded)) {
    SetEpoch(*document, parked->epoch);
    document->provenance.dead_letter = LetterPlace{kParkedReplay, PartitionName(partition), offset};
    if (parts_.indexes) parts_.indexes->Add(document->ns, *document->stream);
    if (parts_.enrichment) parts_.enrichment->Attach(document->stream->name, *document);
  }
  batch_.Add(partition, offset, *std::move(parked), std::move(decoded));
}

bool Unparker::CheckLog(const Partition& partition, int64_t offset, ParkedPartition& state) {
  BackWatch& watch = watches_[partition];
  watch.OnMessage(offset);
  const auto first = watch.went_back_to();
  if (!first || !state.forward()) return true;
  const auto end = ends_.Of(partition);
  if (!end.ok()) return true;  // The next message asks again.
  if (*end > *state.forward()) return watch.Settle(), true;
  // Those since then were taken for messages of the previous log.
  const bool again = *first < offset;
  if (again && !Seek(partition, *first)) return true;
  watch.Settle();
  BeginAnew(partition, state);
  return !again;
}

void Unparker::BeginAnew(const Partition& partition, ParkedPartition& state) {
  Land();  // What is in hand has the previous log's offsets.
  const int64_t gone = state.BeginAnew();
  parts_.metrics.CountParkedLost(gone);
  parts_.log.Error(
      "{} [{}] was made anew or truncated and is read from its beginning; {} offsets with parked "
      "records are gone before they had landed",
      partition.topic, partition.number, gone);
  turn_ends_.erase(partition);
  for (auto& [database, landed] : landed_) landed.positions.erase(PartitionName(partition));
}

bool Unparker::Seek(const Partition& partition, int64_t offset) {
  const Status status = parts_.source.Seek(partition, offset);
  watches_[partition].OnSeek(offset, status.ok());
  if (!status.ok() && trouble_log_.Count(parts_.clock.SinceBoot()))
    parts_.log.Warning("unparker: {}", status.error().message);
  return status.ok();
}

void Unparker::Land() {
  ParkedBatch::Tally tally;
  if (!batch_.empty()) {
    const auto closed = FoldingIsClosed();
    const std::vector<ParkedBatch::Outcome> outcomes =
        closed ? batch_.Postpone(*closed)
               : batch_.Land({parts_.store, parts_.dead_letters, fold_}, options_.max_attempts,
                             parts_.clock.Now(), tally);
    for (const ParkedBatch::Outcome& outcome : outcomes) Apply(outcome);
    parts_.metrics.CountLanded(tally.landed, tally.duplicates);
    parts_.metrics.CountUnparked(tally.landed + tally.duplicates);
    parts_.metrics.CountPublished(tally.letters);
    parts_.metrics.CountLettersLost(tally.letters_lost);
    report_.state().landed += tally.landed;
    report_.state().duplicates += tally.duplicates;
    report_.state().dead_letters += tally.letters;
  }
  StoreOffsets();
}

std::optional<std::string> Unparker::FoldingIsClosed() {
  const std::vector<std::string> mark{kRebuildMark};
  const auto positions = parts_.projections.ReadPositions(options_.database, mark);
  if (!positions.ok()) return positions.error().message;
  const auto found = positions->find(kRebuildMark);
  if (found == positions->end() || !IsUnderWay(found->second)) return std::nullopt;
  return "the projections are being made anew";
}

void Unparker::Apply(const ParkedBatch::Outcome& outcome) {
  const auto found = partitions_.find(outcome.partition);
  CHECK(found != partitions_.end(), "a record that was delivered has its partition");
  const BootTime now = parts_.clock.SinceBoot();
  if (outcome.failed >= 0) {
    found->second.Failed(outcome.database, outcome.failed, outcome.reason, now);
    if (trouble_log_.Count(now))
      parts_.log.Warning("parked records of {} wait: {}", outcome.database, outcome.reason);
    return;
  }
  found->second.Landed(outcome.database, outcome.last);
  Landed& landed =
      landed_.try_emplace(outcome.database, Landed{.bound_at = now + options_.mark_time})
          .first->second;
  landed.positions[PartitionName(outcome.partition)] = outcome.last + 1;
  landed.until = now + options_.mark_time;
}

void Unparker::StoreOffsets() {
  std::vector<Position> positions;
  for (const auto& [partition, state] : partitions_) {
    if (const auto position = state.position()) positions.push_back({partition, *position});
  }
  if (!positions.empty()) parts_.source.StoreOffsets(positions);
}

// The databases that wait and those that do not read by turns.
void Unparker::Turn(const Partition& partition, ParkedPartition& state) {
  const BootTime now = parts_.clock.SinceBoot();
  BootTime& ends = turn_ends_[partition];
  if (!state.in_turn()) {
    if (now >= ends) BeginTurn(partition, state);
    return;
  }
  if (!state.TurnIsOver() && now < ends) return;
  ends = now + options_.turn;
  // After a failure, what is delivered until the next turn is before the forward position and is
  // skipped.
  if (const auto forward = state.EndTurn()) static_cast<void>(Seek(partition, *forward));
}

void Unparker::BeginTurn(const Partition& partition, ParkedPartition& state) {
  const BootTime now = parts_.clock.SinceBoot();
  const auto from = state.BeginTurn(now);
  if (!from) return;
  turn_ends_[partition] = now + options_.turn;
  if (const auto earliest = parts_.source.EarliestOffset(partition); earliest.ok()) {
    if (const int64_t gone = state.Deleted(*earliest); gone > 0) {
      parts_.metrics.CountParkedLost(gone);
      parts_.log.Error(
          "{} [{}]: Kafka has deleted {} offsets with parked records before they "
          "had landed",
          partition.topic, partition.number, gone);
    }
  }
  if (!Seek(partition, *from)) static_cast<void>(state.EndTurn());
}

// Everything of a database that does not wait has landed, up to the forward positions.
void Unparker::LowerMarks() {
  const BootTime now = parts_.clock.SinceBoot();
  if (landed_.empty() || now < next_marks_) return;
  next_marks_ = now + options_.mark_interval;
  ParkingMarks::Marks positions;
  for (const auto& [database, landed] : landed_) {
    if (!Waits(database)) positions[database] = landed.positions;
  }
  for (auto& [database, landed] : positions) {
    for (const auto& [partition, state] : partitions_) {
      const auto entry = landed.find(PartitionName(partition));
      if (entry != landed.end())
        entry->second = std::max(entry->second, state.forward().value_or(0));
    }
  }
  Status status = BoundMarks();
  if (status.ok()) status = marks_.Lower(positions);
  if (!status.ok()) {
    if (trouble_log_.Count(now)) parts_.log.Warning("unparker: {}", status.error().message);
    return;
  }
  std::erase_if(landed_, [&](const auto& entry) { return entry.second.until <= now; });
}

// A mark that a worker raised for a log that is gone may be beyond the end of the new one. A record
// that is parked in the same moment may land after one that follows it.
Status Unparker::BoundMarks() {
  const BootTime now = parts_.clock.SinceBoot();
  ParkingMarks::Marks due;
  for (auto& [database, landed] : landed_) {
    if (now < landed.bound_at) continue;
    landed.bound_at = now + options_.mark_time;
    due[database] = {};
  }
  if (due.empty()) return {};
  Offsets ends;
  for (const auto& [partition, state] : partitions_) {
    if (const auto end = ends_.Of(partition); end.ok()) ends[PartitionName(partition)] = *end;
  }
  for (auto& [database, bounds] : due) bounds = ends;
  return marks_.Bound(due);
}

bool Unparker::Waits(const std::string& database) const {
  return std::ranges::any_of(partitions_,
                             [&](const auto& entry) { return entry.second.Waits(database); });
}

void Unparker::OnAssigned(std::span<const Partition> partitions) {
  fold_.Forget();
  parts_.log.Info("unparker: {} partitions assigned", partitions.size());
}

void Unparker::OnRevoked(std::span<const Partition> partitions, bool lost) {
  if (!lost) Land();
  batch_.Drop({partitions.begin(), partitions.end()});
  for (const Partition& partition : partitions) {
    partitions_.erase(partition);
    turn_ends_.erase(partition);
    watches_.erase(partition);
    ends_.Forget(partition);
  }
  fold_.Forget();
  report_.Forget(partitions);
}

void Unparker::OnLag(std::span<const PartitionLag> lag, bool brokers_up) {
  report_.SetLag(lag, brokers_up);
}

void Unparker::Report(bool changed) {
  MemberState& state = report_.state();
  state.parked.clear();
  for (const auto& [partition, parked] : partitions_) {
    for (const auto& [database, reason] : parked.reasons()) {
      if (state.parked.size() < kMaxReasons)
        state.parked.push_back(fmt::format("{}: {}", database, reason));
    }
  }
  report_.Post(batch_.size(), changed);
}

void Unparker::Stop() {
  parts_.source.Close();
  report_.Stopped(batch_.size());
}

}  // namespace tidegate::reader
