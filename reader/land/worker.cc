#include "reader/land/worker.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tidegate::reader {

namespace {
using std::chrono::milliseconds;

constexpr size_t kMaxIndexedNamespaces = 10'000;

// The documents at the front that are in at most `count` namespaces.
std::span<const Document> FirstNamespaces(std::span<const Document> documents, size_t count) {
  size_t end = 0;
  for (size_t seen = 0; end < documents.size(); ++end) {
    const bool is_new = end == 0 || documents[end].ns != documents[end - 1].ns;
    if (is_new && ++seen > count) break;
  }
  return documents.first(end);
}
}  // namespace

Worker::Worker(Options options, Parts parts, size_t number, uint64_t seed)
    : options_(std::move(options)),
      parts_(parts),
      backoff_(options_.backoff, seed),
      intake_(parts.source, parts.clock, options_.batch_interval),
      report_(parts.board, parts.clock, number, fmt::format("worker {}", number),
              MemberRole::kLand),
      losses_(options_.database, parts.projections, parts.log),
      jumps_(parts.source, losses_, parts.log),
      migrator_({parts.store, parts.projections, parts.decoder.layout(), parts.clock, parts.log}) {
  parts_.source.SetListener(this);
}

Status Worker::Step(milliseconds patience) {
  const auto add = [this](SourceMessage message) {
    Add(std::move(message));
    return Full() || Due();
  };
  if (Status status = intake_.Take(batch_.empty() ? patience : intake_.UntilDue(patience), add);
      !status.ok())
    return report_.Fail(status.error(), batch_.size());
  if (Due()) Land(options_.write_time, options_.write_namespaces);
  if (batch_.empty()) WhenIdle();
  if (batch_.empty() && parts_.decoder.expires()) Expire();
  if (unfit_) return report_.Fail(*unfit_, batch_.size());
  Report(false);
  return {};
}

void Worker::Add(SourceMessage message) {
  if (batch_.empty()) intake_.Begin();
  jumps_.OnMessage(message.partition, message.offset);
  const WallTime now = parts_.clock.Now();
  if (waiting_.Take(message.partition, message.timestamp.value_or(now)))
    TellWaiting(message.partition);
  auto decoded = parts_.decoder.Decode(message, now);
  if (const auto* refusal = std::get_if<Refusal>(&decoded)) CountRefusal(message, *refusal);
  if (auto* document = std::get_if<Document>(&decoded)) Enrich(*document);
  batch_.Add(std::move(message), std::move(decoded));
}

void Worker::CountRefusal(const SourceMessage& message, const Refusal& refusal) {
  parts_.metrics.CountRefused(refusal.kind, 1);
  const auto match = parts_.decoder.streams().Find(message.partition.topic);
  if (match && match->stream->kind == StreamKind::kSales) parts_.metrics.CountRefusedSale();
}

void Worker::Enrich(Document& document) {
  if (parts_.enrichment) parts_.enrichment->Attach(document.stream->name, document);
}

bool Worker::Full() const {
  return batch_.size() >= options_.batch_records ||
         batch_.payload_bytes() >= options_.batch_bytes || batch_.json_values() >= kMaxJsonValues;
}

void Worker::Land(milliseconds time, size_t namespaces) {
  const BootTime began = parts_.clock.SinceBoot();
  give_way_at_ = began + time;
  const size_t records = batch_.size();
  Status status = Migrate();
  if (status.ok()) status = EnsureIndexes();
  if (status.ok()) status = WriteDocuments(namespaces);
  if (!status.ok()) state().database_up = false;
  if (status.ok()) status = PublishLetters();
  if (!status.ok()) return Postpone(status);
  parts_.metrics.ObserveBatch(records, parts_.clock.SinceBoot() - began);
  if (batch_.done()) return Finish();
  if (OutOfTime()) return GiveWay();
  Postpone(Error{ErrorCode::kUnavailable, "the database did not take some documents"});
}

void Worker::Drain() {
  // With the database known to be away another attempt would only hold the group up.
  if (!batch_.empty() && !intake_.waits()) Land(options_.drain_time, 1);
}

Status Worker::Migrate() {
  if (migrated_) return {};
  Status status = migrator_.Run();
  migrated_ = status.ok();
  if (!status.ok() && status.error().code == ErrorCode::kInvalid) unfit_ = status.error();
  return status;
}

Status Worker::EnsureIndexes() {
  for (const Document& document : batch_.documents()) {
    if (indexed_.contains(document.ns)) continue;
    if (OutOfTime()) return {};
    const auto indexes = parts_.decoder.IndexesOf(*document.stream);
    if (Status status = parts_.store.EnsureIndexes(document.ns, indexes); !status.ok())
      return status;
    // A bound on what strangers' tenants may cost; forgetting only repeats a harmless command.
    if (indexed_.size() >= kMaxIndexedNamespaces) indexed_.clear();
    indexed_.insert(document.ns);
  }
  return {};
}

Status Worker::WriteDocuments(size_t namespaces) {
  batch_.SortByNamespace();
  // What has become known while they waited for the batch.
  if (parts_.enrichment) {
    for (Document& document : batch_.documents()) {
      if (!document.pending.empty()) Enrich(document);
    }
  }
  // Those that were not taken for a reason of their own stay in front, for the next attempt.
  size_t first = 0;
  while (first < batch_.documents().size() && !OutOfTime()) {
    const auto documents = FirstNamespaces(batch_.documents().subspan(first), namespaces);
    const WallTime newest = std::ranges::max_element(documents, {}, &Document::time)->time;
    Result<std::vector<WriteResult>> results = parts_.store.Write(documents);
    if (!results.ok()) return results.error();
    state().database_up = true;
    parts_.metrics.CountWrite(TallyWrite(documents, *results));
    const Batch::Tally tally = batch_.Settle(*results, options_.max_attempts, first);
    first += tally.retries;
    Count(tally);
    parts_.metrics.SetLastMessage(newest);
  }
  return {};
}

void Worker::Count(const Batch::Tally& tally) {
  parts_.metrics.CountRefused(RefusalKind::kDatabase, tally.rejected);
  parts_.metrics.CountRefused(RefusalKind::kRetries, tally.exhausted);
  parts_.metrics.CountLanded(tally.landed, tally.duplicates);
  parts_.metrics.CountRetries(tally.retries);
  state().landed += tally.landed;
  state().duplicates += tally.duplicates;
}

Status Worker::PublishLetters() {
  const std::vector<DeadLetter> letters = batch_.letters(parts_.clock.Now());
  if (letters.empty()) return {};
  if (const auto count = refusal_log_.Count(parts_.clock.SinceBoot(), letters.size())) {
    const DeadLetter& first = letters.front();
    parts_.log.Warning("{} messages to the dead letters; the first, {} [{}] offset {}: {}", *count,
                       first.message->partition.topic, first.message->partition.number,
                       first.message->offset, Describe(*first.refusal));
  }
  const std::vector<Status> statuses = parts_.dead_letters.Publish(letters);
  const size_t published = batch_.SettleLetters(statuses);
  parts_.metrics.CountPublished(published);
  state().dead_letters += published;
  const auto failed =
      std::ranges::find_if(statuses, [](const Status& status) { return !status.ok(); });
  return failed == statuses.end() ? Status() : *failed;
}

Status Worker::StoreFinished() {
  const auto positions = batch_.Finished();
  if (positions.empty()) return {};
  const WallTime now = parts_.clock.Now();
  if (Status status = jumps_.Settle(now); !status.ok()) return status;
  Offsets next;
  for (const auto& [partition, offset] : positions) next[PartitionName(partition)] = offset;
  Status status = parts_.projections.WritePositions(options_.database, next, now);
  if (status.ok()) parts_.source.StoreOffsets(positions);
  return status;
}

// What is done but not stored comes again, which does no harm.
void Worker::StoreInPassing() {
  if (Status status = StoreFinished(); !status.ok())
    parts_.log.Warning("{}: {}; what landed last comes again", name(), status.error().message);
}

void Worker::Finish() {
  if (Status status = StoreFinished(); !status.ok()) return Postpone(status);
  for (const Partition& partition : waiting_.Land()) TellWaiting(partition);
  if (intake_.paused()) parts_.log.Info("{}: landing again", name());
  LetGo();
}

void Worker::LetGo() {
  batch_.Clear();
  backoff_.Reset();
  intake_.WaitNoMore();
  state().trouble.clear();
  intake_.Resume();
}

void Worker::Postpone(const Status& status) {
  const BootTime now = parts_.clock.SinceBoot();
  intake_.WaitUntil(now + backoff_.Next());
  parts_.metrics.CountOutage();
  state().trouble = status.error().message;
  if (trouble_log_.Count(now)) {
    parts_.log.Warning("{}: {}; {} messages wait, none is lost", name(), state().trouble,
                       batch_.size());
  }
  intake_.Pause();
  Report(true);
}

void Worker::GiveWay() {
  const BootTime now = parts_.clock.SinceBoot();
  intake_.WaitUntil(now);
  state().trouble = "the database is slow";
  if (trouble_log_.Count(now)) {
    parts_.log.Warning("{}: {}; {} messages are in hand", name(), state().trouble, batch_.size());
  }
  intake_.Pause();
  Report(true);
}

void Worker::WhenIdle() {
  const BootTime now = parts_.clock.SinceBoot();
  if (now < next_ping_) return;
  give_way_at_ = now + options_.write_time;
  Status status = parts_.store.Ping();
  if (status.ok()) status = Migrate();
  for (const auto& [ns, stream] : parts_.decoder.KnownNamespaces()) {
    if (!status.ok() || OutOfTime()) break;
    if (indexed_.contains(ns)) continue;
    status = parts_.store.EnsureIndexes(ns, parts_.decoder.IndexesOf(*stream));
    if (status.ok()) indexed_.insert(ns);
  }
  state().database_up = status.ok();
  if (status.ok()) {
    backoff_.Reset();
    state().trouble.clear();
    next_ping_ = now + options_.ping_interval;
  } else {
    state().trouble = status.error().message;
    if (trouble_log_.Count(now)) parts_.log.Warning("{}: {}", name(), state().trouble);
    next_ping_ = now + std::min<milliseconds>(backoff_.Next(), options_.ping_interval);
  }
  Report(true);
}

void Worker::Expire() {
  const BootTime now = parts_.clock.SinceBoot();
  if (now < next_expiry_ || !state().database_up) return;
  next_expiry_ = now + options_.expiry_interval;
  for (const Namespace& ns : indexed_) {
    const auto gone = parts_.store.Expire(ns, parts_.clock.Now(), options_.expiry_documents);
    if (!gone.ok()) {
      if (trouble_log_.Count(now)) parts_.log.Warning("{}: {}", name(), gone.error().message);
      return;
    }
    parts_.metrics.CountExpired(*gone);
    if (*gone >= options_.expiry_documents) next_expiry_ = now;  // There may be more.
  }
}

void Worker::OnAssigned(std::span<const Partition> partitions) {
  parts_.metrics.AddAssigned(static_cast<int64_t>(partitions.size()));
  parts_.log.Info("{}: {} partitions assigned", name(), partitions.size());
}

void Worker::OnRevoked(std::span<const Partition> partitions, bool lost) {
  if (!lost) Drain();
  if (!lost) StoreInPassing();
  batch_.Drop(partitions);
  jumps_.Forget(partitions);
  waiting_.Forget(partitions);
  if (batch_.empty()) LetGo();
  parts_.metrics.AddAssigned(-static_cast<int64_t>(partitions.size()));
  parts_.metrics.Forget(partitions);
  report_.Forget(partitions);
  parts_.log.Info("{}: {} partitions {}", name(), partitions.size(), lost ? "lost" : "revoked");
}

void Worker::OnLag(std::span<const PartitionLag> lag, bool brokers_up) {
  report_.SetLag(lag, brokers_up);
  parts_.metrics.SetLag(lag);
  for (const PartitionLag& entry : lag) {
    waiting_.Hear(entry.partition, entry.messages, parts_.clock.Now());
    TellWaiting(entry.partition);
  }
}

void Worker::TellWaiting(const Partition& partition) {
  parts_.metrics.SetWaitingSince(partition, waiting_.Of(partition));
}

void Worker::Stop() {
  Drain();
  StoreInPassing();
  parts_.source.Close();
  report_.Stopped(batch_.size());
}

}  // namespace tidegate::reader
