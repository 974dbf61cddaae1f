#include "reader/land/reader_metrics.h"

#include <algorithm>
#include <limits>
#include <string>

#include "core/check.h"

namespace tidegate::reader {

namespace {
using Seconds = std::chrono::duration<double>;

const std::vector<double> kBatchBounds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                       0.25,  0.5,    1,     2.5,  5,     10,   30};
const std::vector<double> kMessageBounds{0.000001, 0.0000025, 0.000005, 0.00001, 0.000025, 0.00005,
                                         0.0001,   0.001,     0.01,     0.1,     1};
// How many messages of one batch enter the histogram of the time per message: they all have the
// same time.
constexpr size_t kMaxObservations = 100;
const char* const kLagTimeHelp =
    "Age of the oldest message that has not landed, 0 without one; NaN: not ours.";

Metrics::Labels LabelsOf(const Partition& partition) {
  return {{"topic", partition.topic}, {"partition", std::to_string(partition.number)}};
}
}  // namespace

ReaderMetrics::ReaderMetrics(Metrics& metrics)
    : metrics_(metrics),
      landed_(metrics.AddCounter("tidegate_reader_records_landed_total",
                                 "Records landed, each for the first time.")),
      duplicates_(metrics.AddCounter("tidegate_reader_duplicates_total",
                                     "Records that were landed already.")),
      published_(metrics.AddCounter("tidegate_reader_dead_letters_total",
                                    "Messages published to the dead-letter topic.")),
      letters_lost_(metrics.AddCounter("tidegate_reader_dead_letters_lost_total",
                                       "Dead letters that their topic refuses in every form.")),
      retries_(metrics.AddCounter("tidegate_reader_document_retries_total",
                                  "Documents to be written again, alone.")),
      outages_(
          metrics.AddCounter("tidegate_reader_outages_total",
                             "Attempts that found the database or the dead-letter topic away.")),
      expired_(metrics.AddCounter("tidegate_reader_expired_total",
                                  "Documents that the reader removed because their time was up.")),
      parked_(metrics.AddCounter("tidegate_reader_parked_total",
                                 "Records parked, because their database was away.")),
      unparked_(metrics.AddCounter("tidegate_reader_unparked_total",
                                   "Records that were parked and have landed.")),
      parked_lost_(metrics.AddCounter("tidegate_reader_parked_lost_total",
                                      "Offsets of the parking topic deleted before they landed.")),
      parked_lanes_(metrics.AddGauge("tidegate_reader_parked_lanes",
                                     "Databases whose records are parked, in all workers.")),
      logs_begun_anew_(metrics.AddCounter(
          "tidegate_reader_logs_begun_anew_total",
          "Partitions whose log ended before the landing's position, because the topic was made "
          "anew or truncated.")),
      batches_(metrics.AddCounter("tidegate_reader_batches_total", "Batches written.")),
      batch_records_(metrics.AddCounter("tidegate_reader_batch_records_total",
                                        "Messages in the batches written.")),
      batch_seconds_(metrics.AddHistogram("tidegate_reader_batch_seconds",
                                          "Time to write one batch.", kBatchBounds)),
      assigned_(
          metrics.AddGauge("assigned_partitions_count", "Partitions assigned to this process.")),
      messages_processed_(
          metrics.AddCounter("messages_processed_total", "Messages landed, duplicates included.")),
      processing_errors_(
          metrics.AddCounter("processing_errors_total", "Messages that could not land.")),
      message_seconds_(metrics.AddHistogram("message_processing_duration_seconds",
                                            "Time to write a batch, divided by its messages.",
                                            kMessageBounds)),
      last_message_(metrics.AddGauge("last_message_timestamp_seconds",
                                     "Unix time of the newest record landed.")),
      event_seconds_(metrics.AddHistogram("event_processing_duration_seconds",
                                          "The same as message_processing_duration_seconds.",
                                          kMessageBounds)),
      uptime_(metrics.AddGauge("service_uptime_seconds", "Time since the start.")),
      sales_rate_(metrics.AddGauge("sales_events_per_second",
                                   "Sales events landed, since the last export.")),
      sales_(Sales("success")) {}

Metrics::Counter& ReaderMetrics::Sales(const char* status) {
  return metrics_.AddCounter("sales_events_processed_total",
                             "Messages of sales streams, by what became of them.",
                             {{"status", status}});
}

Metrics::Counter& ReaderMetrics::Writes(const char* status) {
  return metrics_.AddCounter("mongodb_writes_total",
                             "Documents written to the landing, by what became of them.",
                             {{"status", status}});
}

Metrics::Counter& ReaderMetrics::TenantCounter(std::string_view tenant) {
  if (tenant.empty()) tenant = "-";
  const MutexLock lock(mutex_);
  const auto found = tenants_.find(tenant);
  if (found != tenants_.end()) return *found->second;
  const bool full = tenants_.size() >= kMaxTenants;
  const std::string name(full ? "other" : tenant);
  Metrics::Counter& counter = metrics_.AddCounter(
      "tidegate_reader_tenant_records_landed_total",
      "Records landed, by tenant; those of tenants beyond the first 100 as other.",
      {{"tenant", name}});
  if (!full) tenants_.emplace(name, &counter);
  CHECK(tenants_.size() <= kMaxTenants, "the counters of tenants are bounded");
  return counter;
}

void ReaderMetrics::CountWrite(const WriteTally& tally) {
  const auto count = [](const WriteCounts& counts, auto&& counter) {
    if (counts.landed > 0) counter("success").Increment(static_cast<double>(counts.landed));
    if (counts.duplicates > 0)
      counter("duplicate").Increment(static_cast<double>(counts.duplicates));
    if (counts.failed > 0) counter("error").Increment(static_cast<double>(counts.failed));
  };
  count(tally.all, [this](const char* status) -> Metrics::Counter& { return Writes(status); });
  count(tally.sales, [this](const char* status) -> Metrics::Counter& { return Sales(status); });
  for (const auto& [tenant, records] : tally.by_tenant)
    TenantCounter(tenant).Increment(static_cast<double>(records));
}

void ReaderMetrics::SetWaitingSince(const Partition& partition, std::optional<WallTime> since) {
  const MutexLock lock(mutex_);
  waiting_since_[partition] = since;
}

void ReaderMetrics::RefreshLagTimes(WallTime now) {
  const MutexLock lock(mutex_);
  for (const auto& [partition, since] : waiting_since_) {
    const auto age = std::max(now - since.value_or(now), WallTime::duration::zero());
    metrics_.AddGauge("kafka_consumer_lag_milliseconds", kLagTimeHelp, LabelsOf(partition))
        .Set(static_cast<double>(age.count()));
  }
}

void ReaderMetrics::Refresh(BootTime now, WallTime wall, std::chrono::seconds uptime) {
  RefreshLagTimes(wall);
  uptime_.Set(static_cast<double>(uptime.count()));
  const double seconds = Seconds(now - rate_from_).count();
  if (seconds < 1) return;
  const double sales = sales_.Value();
  if (rate_from_ != BootTime{}) sales_rate_.Set((sales - rate_base_) / seconds);
  rate_base_ = sales;
  rate_from_ = now;
}

void ReaderMetrics::CountLanded(size_t records, size_t duplicates) {
  landed_.Increment(static_cast<double>(records));
  duplicates_.Increment(static_cast<double>(duplicates));
  messages_processed_.Increment(static_cast<double>(records + duplicates));
}

void ReaderMetrics::CountRefused(RefusalKind kind, size_t messages) {
  CHECK(!RefusalKindName(kind).empty(), "a refusal has a kind");
  if (messages == 0) return;
  processing_errors_.Increment(static_cast<double>(messages));
  metrics_
      .AddCounter("tidegate_reader_refused_total",
                  "Messages that could not land, by the kind of reason.",
                  {{"reason", std::string(RefusalKindName(kind))}})
      .Increment(static_cast<double>(messages));
}

void ReaderMetrics::CountRefusedSale() {
  Sales("error").Increment();
}
void ReaderMetrics::CountPublished(size_t letters) {
  published_.Increment(static_cast<double>(letters));
}
void ReaderMetrics::CountLettersLost(size_t letters) {
  letters_lost_.Increment(static_cast<double>(letters));
}
void ReaderMetrics::CountRetries(size_t retries) {
  retries_.Increment(static_cast<double>(retries));
}
void ReaderMetrics::CountOutage() {
  outages_.Increment();
}
void ReaderMetrics::CountLogsBegunAnew(uint64_t logs) {
  logs_begun_anew_.Increment(static_cast<double>(logs));
}
void ReaderMetrics::CountExpired(size_t documents) {
  expired_.Increment(static_cast<double>(documents));
}

void ReaderMetrics::CountParked(size_t records) {
  parked_.Increment(static_cast<double>(records));
}
void ReaderMetrics::CountUnparked(size_t records) {
  unparked_.Increment(static_cast<double>(records));
}
void ReaderMetrics::CountParkedLost(int64_t offsets) {
  parked_lost_.Increment(static_cast<double>(offsets));
}
void ReaderMetrics::AddParkedLanes(int64_t lanes) {
  parked_lanes_.Increment(static_cast<double>(lanes));
}

void ReaderMetrics::ObserveBatch(size_t records, std::chrono::nanoseconds took) {
  CHECK(records > 0, "a batch that is landed has a message");
  batches_.Increment();
  batch_records_.Increment(static_cast<double>(records));
  const double seconds = Seconds(took).count();
  batch_seconds_.Observe(seconds);
  for (size_t i = 0; i < std::min(records, kMaxObservations); ++i) {
    message_seconds_.Observe(seconds / static_cast<double>(records));
    event_seconds_.Observe(seconds / static_cast<double>(records));
  }
}

void ReaderMetrics::SetLastMessage(WallTime time) {
  last_message_.Set(static_cast<double>(time.time_since_epoch().count()) / 1000);
}

void ReaderMetrics::SetLag(std::span<const PartitionLag> lag) {
  for (const PartitionLag& entry : lag) {
    metrics_
        .AddGauge("consumer_lag", "Messages behind the end of the partition; NaN: not ours.",
                  LabelsOf(entry.partition))
        .Set(static_cast<double>(entry.messages));
  }
}

void ReaderMetrics::Forget(std::span<const Partition> partitions) {
  const MutexLock lock(mutex_);
  for (const Partition& partition : partitions) {
    waiting_since_.erase(partition);
    metrics_
        .AddGauge("consumer_lag", "Messages behind the end of the partition; NaN: not ours.",
                  LabelsOf(partition))
        .Set(std::numeric_limits<double>::quiet_NaN());
    metrics_.AddGauge("kafka_consumer_lag_milliseconds", kLagTimeHelp, LabelsOf(partition))
        .Set(std::numeric_limits<double>::quiet_NaN());
  }
}

void ReaderMetrics::AddAssigned(int64_t partitions) {
  assigned_.Increment(static_cast<double>(partitions));
}

}  // namespace tidegate::reader
