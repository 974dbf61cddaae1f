#include "reader/project/projector.h"

#include <algorithm>
#include <utility>

#include "core/reached.h"
#include "reader/land/batch.h"

namespace tidegate::reader {

namespace {
using std::chrono::milliseconds;

constexpr milliseconds kPingInterval{10'000};
}  // namespace

Projector::Projector(Options options, Parts parts, size_t place, std::string name, uint64_t seed)
    : options_(std::move(options)),
      parts_(parts),
      backoff_(options_.backoff, seed),
      intake_(parts.source, parts.clock, options_.batch_interval),
      report_(parts.board, parts.clock, place, std::move(name), MemberRole::kProject),
      folder_(options_.folder, {parts.projections, parts.documents}),
      jumps_(parts.source, *this, parts.log),
      buffer_({options_.batch_records, options_.batch_bytes, kMaxJsonValues}),
      positions_(options_.database, parts.source, parts.projections, parts.clock),
      laggards_(options_.laggards) {
  parts_.source.SetListener(this);
}

Status Projector::Step(milliseconds patience) {
  const auto add = [this](SourceMessage message) {
    Add(std::move(message));
    return buffer_.Full();
  };
  if (Status status = intake_.Take(buffer_.empty() ? patience : intake_.UntilDue(patience), add);
      !status.ok())
    return report_.Fail(status.error(), buffer_.size());
  if (Due()) Advance();
  if (!failing_) TryLaggard();
  if (buffer_.empty()) WhenIdle();
  Report(false);
  return {};
}

void Projector::Add(SourceMessage message) {
  Buffer::Item item{.partition = message.partition, .offset = message.offset};
  if (message.offset <= positions_.NewestOf(item.partition)) GoBack(item.partition);
  positions_.OnMessage(item.partition, item.offset);
  jumps_.OnMessage(item.partition, item.offset);
  if (buffer_.empty()) intake_.Begin();
  item.since = parts_.clock.SinceBoot();
  auto decoded = parts_.decoder.Decode(message, parts_.clock.Now());
  if (auto* document = std::get_if<Document>(&decoded)) {
    item.bytes = message.value ? message.value->size() : 0;
    item.values = document->value.values();
    item.document = std::move(*document);
  }
  buffer_.Add(std::move(item));
}

void Projector::GoBack(const Partition& partition) {
  const size_t dropped = DropBuffered(partition);
  const auto end = parts_.source.EndOffset(partition);
  const bool is_anew = end.ok() && *end <= positions_.NewestOf(partition);
  positions_.Forget(partition);
  if (!is_anew) return;  // They are read again.
  parts_.metrics.CountMissed(static_cast<int64_t>(dropped));
  parts_.log.Error(
      "{}: {} [{}] was made anew or truncated; {} messages of the previous log were not projected: "
      "`tidegate-reader rebuild` takes in those that had landed",
      name(), partition.topic, partition.number, dropped);
  BeginLog(partition);
}

void Projector::BeginLog(const Partition& partition) {
  laggards_.Forget(partition);
  done_.erase(partition);
}

// A partition that waits is paused: without this, nothing of the new log would ever come.
void Projector::FollowNewLogs() {
  for (const Partition& partition : positions_.Risen()) {
    const auto earliest = parts_.source.EarliestOffset(partition);
    // Otherwise the partition waits for the next attempt.
    if (!earliest.ok() || !parts_.source.Seek(partition, *earliest).ok()) continue;
    GoBack(partition);
    BeginLog(partition);
  }
}

size_t Projector::DropBuffered(const Partition& partition) {
  const bool was_paused = buffer_.paused().contains(partition);
  const size_t dropped = buffer_.Remove(partition);
  if (was_paused) parts_.source.Resume({&partition, 1});
  return dropped;
}

void Projector::Advance() {
  const Status status = AdvanceOnce();
  Account();
  if (!status.ok()) return Postpone(status);
  if (std::exchange(failing_, false)) parts_.log.Info("{}: projecting again", name());
  backoff_.Reset();
  state().trouble.clear();
  state().database_up = true;
  intake_.WaitNoMore();
  intake_.Begin();
  // The rest waits for the landing.
  if (!buffer_.empty()) intake_.WaitUntil(parts_.clock.SinceBoot() + options_.landing_interval);
  Balance();
}

Status Projector::AdvanceOnce() {
  if (Status status = jumps_.RecordLosses(parts_.clock.Now()); !status.ok()) return status;
  if (Status status = positions_.Read(); !status.ok()) return status;
  FollowNewLogs();
  const size_t ready = MoveReady();
  return ready > 0 ? FoldFront(ready) : Status();
}

size_t Projector::MoveReady() {
  const size_t ready = buffer_.MoveToFront(
      [&](const Buffer::Item& item) { return positions_.HasLanded(item.partition, item.offset); });
  if (ready == 0 || ready == buffer_.size() || buffer_.Full()) return ready;
  const BootTime young = parts_.clock.SinceBoot() - options_.order_patience;
  const auto is_young = [&](const Buffer::Item& item) { return item.since > young; };
  const std::span<Buffer::Item> items = buffer_.items();
  const bool may_wait = std::ranges::all_of(items.first(ready), is_young) &&
                        std::ranges::any_of(items.subspan(ready), is_young);
  return may_wait ? 0 : ready;
}

void Projector::Finish(size_t count) {
  const BootTime now = parts_.clock.SinceBoot();
  std::map<Partition, int64_t> next;
  for (const Buffer::Item& item : buffer_.items().first(count)) {
    const auto [position, is_first] = next.emplace(item.partition, item.offset + 1);
    CHECK(is_first || item.offset >= position->second, "a partition's position only moves forward");
    position->second = item.offset + 1;
  }
  buffer_.RemoveFront(count);
  std::vector<Position> positions;
  for (const auto& [partition, offset] : next) {
    done_[partition] = std::max(done_[partition], offset);
    positions.push_back({partition, laggards_.OnDone(partition, offset, now)});
  }
  parts_.source.StoreOffsets(positions);
}

void Projector::Balance() {
  const Buffer::Turn turn = buffer_.Balance(assigned_.size());
  if (!turn.pause.empty()) parts_.source.Pause(turn.pause);
  if (!turn.resume.empty()) parts_.source.Resume(turn.resume);
  // What an outage has paused.
  if (!intake_.Resume()) return;
  const std::vector<Partition> paused(buffer_.paused().begin(), buffer_.paused().end());
  if (!paused.empty()) parts_.source.Pause(paused);
}

void Projector::Account() {
  parts_.metrics.CountConflicts(folder_.conflicts() - counted_conflicts_);
  counted_conflicts_ = folder_.conflicts();
  const uint64_t applied = folder_.applied() - counted_applied_;
  counted_applied_ = folder_.applied();
  parts_.metrics.CountFolded(applied);
  state().projected += applied;
  const uint64_t alerts = folder_.alerts_refused() - counted_alerts_;
  counted_alerts_ = folder_.alerts_refused();
  const uint64_t saves = folder_.saves_refused() - counted_saves_;
  counted_saves_ = folder_.saves_refused();
  if (alerts + saves == 0) return;
  parts_.metrics.CountRefusedAlerts(alerts);
  parts_.metrics.CountRefusedSaves(saves);
  state().refused_projections += saves;
  if (!refusal_log_.Count(parts_.clock.SinceBoot())) return;
  parts_.log.Warning("{}: the database refuses {} alerts by rules and {} projections{}{}", name(),
                     alerts, saves, saves > 0 ? ", such as " : "",
                     saves > 0 ? folder_.last_refused() : "");
}

void Projector::Postpone(const Status& status) {
  const BootTime now = parts_.clock.SinceBoot();
  intake_.WaitUntil(now + backoff_.Next());
  REACHED("projector: an outage");
  failing_ = true;
  parts_.metrics.CountOutage();
  state().database_up = false;
  state().trouble = status.error().message;
  if (trouble_log_.Count(now))
    parts_.log.Warning("{}: {}; {} messages wait", name(), state().trouble, buffer_.size());
  intake_.Pause();
  Report(true);
}

void Projector::WhenIdle() {
  const BootTime now = parts_.clock.SinceBoot();
  if (now < next_ping_) return;
  next_ping_ = now + kPingInterval;
  const Status status = parts_.documents.Ping();
  state().database_up = status.ok();
  state().trouble = status.ok() ? "" : status.error().message;
  Report(true);
}

void Projector::OnAssigned(std::span<const Partition> partitions) {
  folder_.Forget();
  for (const Partition& partition : partitions) ForgetPartition(partition);
  assigned_.insert(partitions.begin(), partitions.end());
  parts_.log.Info("{}: {} partitions assigned", name(), partitions.size());
}

void Projector::OnRevoked(std::span<const Partition> partitions, bool lost) {
  // With the database known to be unreachable another attempt would only delay the group.
  if (!lost && !buffer_.empty() && !failing_) Advance();
  for (const Partition& partition : partitions) {
    ForgetPartition(partition);
    assigned_.erase(partition);
  }
  if (buffer_.empty()) {
    intake_.WaitNoMore();
    intake_.Resume();
  }
  folder_.Forget();
  jumps_.Forget(partitions);
  parts_.metrics.Forget(partitions);
  report_.Forget(partitions);
  parts_.log.Info("{}: {} partitions {}", name(), partitions.size(), lost ? "lost" : "revoked");
}

void Projector::ForgetPartition(const Partition& partition) {
  buffer_.Remove(partition);
  positions_.Forget(partition);
  laggards_.Forget(partition);
  done_.erase(partition);
}

void Projector::OnLag(std::span<const PartitionLag> lag, bool brokers_up) {
  report_.SetLag(lag, brokers_up);
  parts_.metrics.SetLag(lag);
}

Result<Offsets> Projector::Expected(std::span<const Partition> partitions) {
  const auto committed = parts_.source.CommittedOffsets(partitions);
  if (!committed.ok()) return committed.error();
  Offsets expected;
  for (const Position& position : *committed)
    expected[PartitionName(position.partition)] = position.next_offset;
  return expected;
}

Status Projector::Record(std::span<const Jump> lost, WallTime) {
  for (const Jump& jump : lost) {
    parts_.metrics.CountMissed(jump.seen - jump.expected);
    parts_.log.Error(
        "{}: {} [{}]: Kafka has deleted offsets {} to {} before they were projected; "
        "`tidegate-reader rebuild` takes in those that had landed",
        name(), jump.partition.topic, jump.partition.number, jump.expected, jump.seen - 1);
  }
  return {};
}

void Projector::Stop() {
  if (!buffer_.empty() && !failing_) Advance();
  parts_.source.Close();
  report_.Stopped(buffer_.size());
}

}  // namespace tidegate::reader
