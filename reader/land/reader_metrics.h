// The reader's metrics: names of its own, and the names that the readers it replaces exported, so
// that their dashboards still work. Any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/annotated_mutex.h"
#include "core/clock.h"
#include "core/metrics.h"
#include "reader/consume/dead_letters.h"
#include "reader/consume/source.h"
#include "reader/land/write_tally.h"

namespace tidegate::reader {

class ReaderMetrics {
 public:
  // Tenants with a counter of their own; the rest share the counter `other`.
  static constexpr size_t kMaxTenants = 100;

  // `metrics` must outlive the object.
  explicit ReaderMetrics(Metrics& metrics);

  void CountLanded(size_t records, size_t duplicates);
  void CountRefused(RefusalKind kind, size_t messages);
  // A message of a sales stream was refused before it became a document.
  void CountRefusedSale();
  void CountPublished(size_t letters);
  // Dead letters that their topic refuses for good.
  void CountLettersLost(size_t letters);
  void CountRetries(size_t retries);
  void CountOutage();
  void CountExpired(size_t documents);
  // Records that went to the parking topic, and records that landed from there.
  void CountParked(size_t records);
  void CountUnparked(size_t records);
  // Offsets of the parking topic that Kafka deleted before their records had landed.
  void CountParkedLost(int64_t offsets);
  // The lanes of all workers that are parked.
  void AddParkedLanes(int64_t lanes);
  // Partitions whose log was found to have begun anew.
  void CountLogsBegunAnew(uint64_t logs);
  // One attempt to land a batch of that many messages. REQUIRES: not 0.
  void ObserveBatch(size_t records, std::chrono::nanoseconds took);
  void SetLastMessage(WallTime time);
  void SetLag(std::span<const PartitionLag> lag);
  // Exports NaN as the lag of partitions that are no longer assigned.
  void Forget(std::span<const Partition> partitions);
  void AddAssigned(int64_t partitions);
  void CountWrite(const WriteTally& tally);
  // Sets when the partition's oldest message was written that has not landed; nullopt: all have.
  void SetWaitingSince(const Partition& partition, std::optional<WallTime> since);
  // Computes the figures that change by themselves; call it before an export. Main thread.
  void Refresh(BootTime now, WallTime wall, std::chrono::seconds uptime);

 private:
  // The lag in time grows also while a worker waits for its database.
  void RefreshLagTimes(WallTime now);
  Metrics::Counter& Sales(const char* status);
  Metrics::Counter& Writes(const char* status);
  Metrics::Counter& TenantCounter(std::string_view tenant);

  Metrics& metrics_;
  Metrics::Counter& landed_;
  Metrics::Counter& duplicates_;
  Metrics::Counter& published_;
  Metrics::Counter& letters_lost_;
  Metrics::Counter& retries_;
  Metrics::Counter& outages_;
  Metrics::Counter& expired_;
  Metrics::Counter& parked_;
  Metrics::Counter& unparked_;
  Metrics::Counter& parked_lost_;
  Metrics::Gauge& parked_lanes_;
  Metrics::Counter& logs_begun_anew_;
  Metrics::Counter& batches_;
  Metrics::Counter& batch_records_;
  Metrics::Histogram& batch_seconds_;
  Metrics::Gauge& assigned_;
  // Under the names of other readers.
  Metrics::Counter& messages_processed_;
  Metrics::Counter& processing_errors_;
  Metrics::Histogram& message_seconds_;
  Metrics::Gauge& last_message_;
  Metrics::Histogram& event_seconds_;
  Metrics::Gauge& uptime_;
  Metrics::Gauge& sales_rate_;
  // The sales events that landed, and its value at the last Refresh(): for the rate.
  Metrics::Counter& sales_;
  BootTime rate_from_{};
  double rate_base_ = 0;

  AnnotatedMutex mutex_;
  std::map<std::string, Metrics::Counter*, std::less<>> tenants_ TIDEGATE_GUARDED_BY(mutex_);
  std::map<Partition, std::optional<WallTime>> waiting_since_ TIDEGATE_GUARDED_BY(mutex_);
};

}  // namespace tidegate::reader
