#include "reader/land/worker.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "core/reached.h"

namespace tidegate::reader {

namespace {
using std::chrono::milliseconds;
}  // namespace

Worker::Worker(Options options, Parts parts, size_t number, uint64_t seed)
    : options_(std::move(options)),
      parts_(parts),
      backoff_(options_.backoff, seed),
      intake_(parts.source, parts.clock, options_.batch_interval),
      report_(parts.board, parts.clock, number, fmt::format("worker {}", number),
              MemberRole::kLand),
      preparation_(
          {parts.store, parts.projections, parts.decoder, parts.clock, parts.log, parts.indexes}),
      lanes_({.database = options_.database, .all = options_.databases},
             {parts.parking, parts.projections, parts.clock, parts.log, parts.metrics}),
      lander_(options_.max_attempts,
              {parts.store, parts.dead_letters, preparation_, lanes_, parts.enrichment, parts.clock,
               parts.log, parts.metrics, report_}),
      progress_(options_.database, {parts.source, parts.projections, parts.clock, parts.log}) {
  CHECK(options_.batch_records > 0 && options_.batch_bytes > 0, "a batch has room for a message");
  parts_.source.SetListener(this);
}

Status Worker::Step(milliseconds patience) {
  CHECK(!stopped_, "nothing follows Stop()");
  const auto add = [this](SourceMessage message) {
    Add(std::move(message));
    return Full() || Due();
  };
  if (Status status = intake_.Take(batch_.empty() ? patience : intake_.UntilDue(patience), add);
      !status.ok())
    return report_.Fail(status.error(), batch_.size());
  if (Due()) Land(options_.write_time, options_.write_namespaces);
  if (batch_.empty()) CheckDatabase();
  if (const auto& unfit = preparation_.unfit()) return report_.Fail(*unfit, batch_.size());
  Report(false);
  return {};
}

void Worker::Add(SourceMessage message) {
  if (batch_.empty()) intake_.Begin();
  progress_.OnMessage(message.partition, message.offset);
  const WallTime now = parts_.clock.Now();
  if (waiting_.OnMessage(message.partition, message.timestamp.value_or(now)))
    ExportWaiting(message.partition);
  auto decoded = parts_.decoder.Decode(message, now);
  if (const auto* refusal = std::get_if<Refusal>(&decoded)) CountRefusal(message, *refusal);
  if (auto* document = std::get_if<Document>(&decoded); document && parts_.enrichment)
    parts_.enrichment->Attach(document->stream->name, *document);
  batch_.Add(std::move(message), std::move(decoded));
}

void Worker::CountRefusal(const SourceMessage& message, const Refusal& refusal) {
  parts_.metrics.CountRefused(refusal.kind, 1);
  const auto match = parts_.decoder.streams().Find(message.partition.topic);
  if (match && match->stream->kind == StreamKind::kSales) parts_.metrics.CountRefusedSale();
}

bool Worker::Full() const {
  // Few records for each collection are dear to write.
  const bool sparse = batch_.size() < batch_.namespaces() * options_.namespace_records;
  const size_t records = options_.batch_records * (sparse ? options_.sparse_growth : 1);
  return batch_.size() >= records || batch_.payload_bytes() >= options_.batch_bytes ||
         batch_.json_values() >= kMaxJsonValues;
}

void Worker::Land(milliseconds time, size_t namespaces) {
  CHECK(!batch_.empty(), "an attempt has a message to land");
  const BootTime began = parts_.clock.SinceBoot();
  const BootTime deadline = began + time;
  const size_t records = batch_.size();
  Status status = Label();
  if (status.ok()) status = lander_.Land(batch_, {.deadline = deadline, .namespaces = namespaces});
  if (!status.ok()) return Postpone(status);
  parts_.metrics.ObserveBatch(records, parts_.clock.SinceBoot() - began);
  if (batch_.done()) return Finish();
  if (parts_.clock.SinceBoot() >= deadline) return ContinueNextStep();
  REACHED("worker: the database took a part of the documents");
  Postpone(Error{ErrorCode::kUnavailable, "the database did not take some documents"});
}

Status Worker::Label() {
  const WallTime now = parts_.clock.Now();
  Status status = progress_.Label(batch_.documents(), now);
  if (!status.ok()) return status;
  return batch_.LabelRefused(
      [&](const SourceMessage& message) { return progress_.EpochOf(message, now); });
}

void Worker::Drain() {
  // With the database known to be unreachable another attempt would only delay the group.
  if (!batch_.empty() && !intake_.waits()) Land(options_.drain_time, 1);
  const Status status = StoreProgress();
  if (status.ok()) return;
  // What is done and not stored is delivered again, which does no harm.
  REACHED("worker: landed without a stored position");
  parts_.log.Warning("{}: {}; what landed last comes again", name(), status.error().message);
}

Status Worker::StoreProgress() {
  Status status = progress_.Store(batch_.Finished(), parts_.clock.Now());
  parts_.metrics.CountLogsBegunAnew(progress_.logs_begun_anew() - state().logs_begun_anew);
  state().logs_begun_anew = progress_.logs_begun_anew();
  return status;
}

void Worker::Finish() {
  CHECK(batch_.done(), "a batch is finished when it is done");
  if (Status status = StoreProgress(); !status.ok()) return Postpone(status);
  for (const Partition& partition : waiting_.OnAllLanded()) ExportWaiting(partition);
  if (intake_.paused()) parts_.log.Info("{}: landing again", name());
  BeginNextBatch();
}

void Worker::BeginNextBatch() {
  batch_.Clear();
  backoff_.Reset();
  intake_.WaitNoMore();
  state().trouble.clear();
  intake_.Resume();
}

void Worker::Postpone(const Status& status) {
  const BootTime now = parts_.clock.SinceBoot();
  intake_.WaitUntil(now + backoff_.Next());
  REACHED("worker: an outage");
  parts_.metrics.CountOutage();
  state().trouble = status.error().message;
  if (trouble_log_.Count(now)) {
    parts_.log.Warning("{}: {}; {} messages wait, none is lost", name(), state().trouble,
                       batch_.size());
  }
  intake_.Pause();
  Report(true);
}

void Worker::ContinueNextStep() {
  const BootTime now = parts_.clock.SinceBoot();
  intake_.WaitUntil(now);
  state().trouble = "the database is slow";
  if (trouble_log_.Count(now)) {
    parts_.log.Warning("{}: {}; {} messages are in hand", name(), state().trouble, batch_.size());
  }
  intake_.Pause();
  Report(true);
}

void Worker::CheckDatabase() {
  const BootTime now = parts_.clock.SinceBoot();
  if (now < next_check_) return;
  Status status = parts_.store.Ping();
  if (status.ok()) status = preparation_.Check();
  if (status.ok()) status = lanes_.Read({});
  state().parked = lanes_.reasons();
  state().database_up = status.ok();
  if (status.ok()) {
    backoff_.Reset();
    state().trouble.clear();
    next_check_ = now + options_.ping_interval;
  } else {
    state().trouble = status.error().message;
    if (trouble_log_.Count(now)) parts_.log.Warning("{}: {}", name(), state().trouble);
    next_check_ = now + std::min<milliseconds>(backoff_.Next(), options_.ping_interval);
  }
  Report(true);
}

void Worker::OnAssigned(std::span<const Partition> partitions) {
  lanes_.Forget();
  parts_.metrics.AddAssigned(static_cast<int64_t>(partitions.size()));
  parts_.log.Info("{}: {} partitions assigned", name(), partitions.size());
}

void Worker::OnRevoked(std::span<const Partition> partitions, bool lost) {
  if (!lost) Drain();
  batch_.Drop(partitions);
  progress_.Forget(partitions);
  waiting_.Forget(partitions);
  if (batch_.empty()) BeginNextBatch();
  parts_.metrics.AddAssigned(-static_cast<int64_t>(partitions.size()));
  parts_.metrics.Forget(partitions);
  report_.Forget(partitions);
  parts_.log.Info("{}: {} partitions {}", name(), partitions.size(), lost ? "lost" : "revoked");
}

void Worker::OnLag(std::span<const PartitionLag> lag, bool brokers_up) {
  report_.SetLag(lag, brokers_up);
  parts_.metrics.SetLag(lag);
  for (const PartitionLag& entry : lag) {
    waiting_.OnLag(entry.partition, entry.messages, parts_.clock.Now());
    ExportWaiting(entry.partition);
  }
}

void Worker::ExportWaiting(const Partition& partition) {
  parts_.metrics.SetWaitingSince(partition, waiting_.Of(partition));
}

void Worker::Stop() {
  CHECK(!stopped_, "a worker stops once");
  stopped_ = true;
  Drain();
  parts_.source.Close();
  report_.Stopped(batch_.size());
}

}  // namespace tidegate::reader
