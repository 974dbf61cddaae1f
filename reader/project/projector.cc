#include "reader/project/projector.h"

#include <algorithm>
#include <utility>

#include "reader/database/list_indexes.h"
#include "reader/land/batch.h"
#include "reader/project/rebuild_mark.h"

namespace tidegate::reader {

namespace {
using std::chrono::milliseconds;

constexpr size_t kMaxIndexedDatabases = 10'000;
constexpr milliseconds kPingInterval{10'000};
}  // namespace

Projector::Projector(Options options, Parts parts, size_t place, std::string name, uint64_t seed)
    : options_(std::move(options)),
      parts_(parts),
      backoff_(options_.backoff, seed),
      intake_(parts.source, parts.clock, options_.batch_interval),
      report_(parts.board, parts.clock, place, std::move(name), MemberRole::kProject),
      folder_(options_.folder, {parts.projections, parts.documents}),
      jumps_(parts.source, *this, parts.log) {
  parts_.source.SetListener(this);
}

Status Projector::Step(milliseconds patience) {
  const auto add = [this](SourceMessage message) {
    Add(std::move(message));
    return Full() || Due();
  };
  if (Status status = intake_.Take(items_.empty() ? patience : intake_.UntilDue(patience), add);
      !status.ok())
    return report_.Fail(status.error(), items_.size());
  if (Due()) Advance();
  if (items_.empty()) WhenIdle();
  Report(false);
  return {};
}

void Projector::Add(SourceMessage message) {
  Item item;
  item.partition = message.partition;
  item.key = PartitionName(message.partition);
  item.offset = message.offset;
  const auto [newest, is_new] = newest_.emplace(item.key, message.offset);
  if (!is_new && message.offset <= newest->second) return;  // Buffered or folded.
  newest->second = message.offset;
  jumps_.OnMessage(message.partition, message.offset);
  if (items_.empty()) intake_.Begin();
  auto decoded = parts_.decoder.Decode(message, parts_.clock.Now());
  if (auto* document = std::get_if<Document>(&decoded)) {
    item.bytes = message.value ? message.value->size() : 0;
    item.values = document->value.values();
    item.document = std::move(*document);
  }
  bytes_ += item.bytes;
  values_ += item.values;
  items_.push_back(std::move(item));
}

bool Projector::Full() const {
  return items_.size() >= options_.batch_records || bytes_ >= options_.batch_bytes ||
         values_ >= kMaxJsonValues;
}

void Projector::Advance() {
  if (Status status = jumps_.RecordLosses(parts_.clock.Now()); !status.ok())
    return Postpone(status);
  if (Status status = ReadPositions(); !status.ok()) return Postpone(status);
  const size_t ready = PartReady();
  if (ready > 0) {
    Status status = FoldFront(ready);
    Account();
    if (!status.ok()) return Postpone(status);
  }
  if (std::exchange(failing_, false)) parts_.log.Info("{}: projecting again", name());
  backoff_.Reset();
  state().trouble.clear();
  state().database_up = true;
  intake_.WaitNoMore();
  intake_.Begin();
  // The rest waits for the landing.
  if (!items_.empty()) intake_.WaitUntil(parts_.clock.SinceBoot() + options_.landing_interval);
  Full() ? intake_.Pause() : intake_.Resume();
}

// Asks only if a buffered message is not before the last known position of its partition.
Status Projector::ReadPositions() {
  std::vector<std::string> unknown;
  for (const auto& [partition, newest] : newest_) {
    const auto known = landed_.find(partition);
    if (known == landed_.end() || known->second <= newest) unknown.push_back(partition);
  }
  if (unknown.empty()) return {};
  unknown.emplace_back(kRebuildMark);
  const auto positions = parts_.projections.ReadPositions(options_.database, unknown);
  if (!positions.ok()) return positions.error();
  if (const auto mark = positions->find(kRebuildMark);
      mark != positions->end() && IsUnderWay(mark->second)) {
    return Error{ErrorCode::kUnavailable,
                 "the projections are being made anew; if that was broken off, stop projecting and "
                 "use `tidegate-reader rebuild --again`"};
  }
  for (const auto& [partition, next] : *positions)
    if (partition != kRebuildMark) landed_[partition] = next;
  return {};
}

size_t Projector::PartReady() {
  const auto rest = std::stable_partition(items_.begin(), items_.end(), [&](const Item& item) {
    const auto next = landed_.find(item.key);
    return next != landed_.end() && item.offset < next->second;
  });
  return static_cast<size_t>(rest - items_.begin());
}

Status Projector::FoldFront(size_t count) {
  auto events = FindEvents(std::span(items_).first(count));
  if (!events.ok()) return events.error();
  if (Status status = EnsureIndexes(*events); !status.ok()) return status;
  if (Status status = folder_.Fold(*events); !status.ok()) return status;
  parts_.metrics.CountFolded(events->size());
  state().projected += events->size();
  Finish(count);
  return {};
}

Result<std::vector<Event>> Projector::FindEvents(std::span<Item> items) {
  std::vector<Item*> decoded;
  std::vector<DocumentKey> keys;
  std::vector<size_t> key_of;
  std::map<DocumentKey, size_t> places;  // A record may be in Kafka twice.
  for (Item& item : items) {
    if (!item.document) continue;
    const auto [place, is_new] =
        places.emplace(DocumentKey{item.document->ns, item.document->id}, keys.size());
    if (is_new) keys.push_back(place->first);
    decoded.push_back(&item);
    key_of.push_back(place->second);
  }
  const auto landed = parts_.projections.FindLanded(keys);
  if (!landed.ok()) return landed.error();
  CHECK(landed->size() == keys.size(), "each key has one answer");
  std::vector<Event> events;
  size_t absent = 0;
  for (size_t i = 0; i < decoded.size(); ++i) {
    Item& item = *decoded[i];
    const auto& found = (*landed)[key_of[i]];
    if (!found) ++absent;
    // The replay of dead letters that landed a document has folded it.
    if (!found || found->dead_letter || found->offset != item.offset ||
        found->partition != item.partition.number || found->topic != item.partition.topic)
      continue;
    // A message without a time has the time that the landing gave it.
    item.document->time = found->time;
    events.push_back({&*item.document, item.key, item.offset});
  }
  CHECK(absent + events.size() <= decoded.size(), "each decoded message is counted once");
  parts_.metrics.CountSkipped(absent, decoded.size() - absent - events.size());
  if (absent == 0) return events;
  if (const auto count = skip_log_.Count(parts_.clock.SinceBoot(), absent))
    parts_.log.Warning("{}: {} messages did not land or are gone again; no projection has them",
                       name(), *count);
  return events;
}

Status Projector::EnsureIndexes(std::span<const Event> events) {
  for (const Event& event : events) {
    const std::string& database = event.document->ns.database;
    if (indexed_.contains(database)) continue;
    Status status = EnsureProjectionIndexes(parts_.documents, database, parts_.decoder.tenancy());
    if (!status.ok()) return status;
    if (indexed_.size() >= kMaxIndexedDatabases) indexed_.clear();
    indexed_.insert(database);
  }
  return {};
}

void Projector::Finish(size_t count) {
  CHECK(count <= items_.size(), "only buffered messages are finished");
  std::map<Partition, int64_t> next;
  for (const Item& item : std::span(items_).first(count)) {
    const auto [position, is_first] = next.emplace(item.partition, item.offset);
    CHECK(is_first || item.offset >= position->second, "a partition's position only moves forward");
    position->second = item.offset + 1;
    Discount(item);
  }
  items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(count));
  std::vector<Position> positions;
  for (const auto& [partition, offset] : next) positions.push_back({partition, offset});
  parts_.source.StoreOffsets(positions);
  CheckCounts();
  if (items_.empty()) newest_.clear();
}

void Projector::Discount(const Item& item) {
  CHECK(bytes_ >= item.bytes && values_ >= item.values,
        "a message is discounted as it was counted");
  bytes_ -= item.bytes;
  values_ -= item.values;
}

void Projector::CheckCounts() const {
  CHECK(!items_.empty() || (bytes_ == 0 && values_ == 0), "an empty batch has no bytes");
}

void Projector::Account() {
  parts_.metrics.CountConflicts(folder_.conflicts() - counted_conflicts_);
  counted_conflicts_ = folder_.conflicts();
  const uint64_t refused = folder_.alerts_refused() - counted_refusals_;
  counted_refusals_ = folder_.alerts_refused();
  if (refused == 0) return;
  parts_.metrics.CountRefusedAlerts(refused);
  parts_.log.Warning("{}: the database does not take {} alerts by rules", name(), refused);
}

void Projector::Postpone(const Status& status) {
  const BootTime now = parts_.clock.SinceBoot();
  intake_.WaitUntil(now + backoff_.Next());
  failing_ = true;
  parts_.metrics.CountOutage();
  state().database_up = false;
  state().trouble = status.error().message;
  if (trouble_log_.Count(now))
    parts_.log.Warning("{}: {}; {} messages wait", name(), state().trouble, items_.size());
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
  landed_.clear();
  parts_.log.Info("{}: {} partitions assigned", name(), partitions.size());
}

void Projector::OnRevoked(std::span<const Partition> partitions, bool lost) {
  // With the database known to be unreachable another attempt would only delay the group.
  if (!lost && !items_.empty() && !failing_) Advance();
  std::erase_if(items_, [&](const Item& item) {
    if (std::ranges::count(partitions, item.partition) == 0) return false;
    Discount(item);
    return true;
  });
  CheckCounts();
  for (const Partition& partition : partitions) newest_.erase(PartitionName(partition));
  if (items_.empty()) {
    newest_.clear();
    intake_.WaitNoMore();
    intake_.Resume();
  }
  folder_.Forget();
  jumps_.Forget(partitions);
  parts_.metrics.Forget(partitions);
  report_.Forget(partitions);
  parts_.log.Info("{}: {} partitions {}", name(), partitions.size(), lost ? "lost" : "revoked");
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
  if (!items_.empty() && !failing_) Advance();
  parts_.source.Close();
  report_.Stopped(items_.size());
}

}  // namespace tidegate::reader
