// The reader's metrics: names of our own, and beside them those that the readers it replaces
// exported, so that their dashboards go on working. Any thread.
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
  static constexpr size_t kMaxTenants = 100;

  explicit ReaderMetrics(Metrics& metrics);

  void CountLanded(size_t records, size_t duplicates);
  void CountRefused(RefusalKind kind, size_t messages);
  // Of a sales stream, and no document at all.
  void CountRefusedSale();
  void CountPublished(size_t letters);
  void CountRetries(size_t retries);
  void CountOutage();
  void CountExpired(size_t documents);
  // One attempt of a batch of that many messages.
  void ObserveBatch(size_t records, std::chrono::nanoseconds took);
  void SetLastMessage(WallTime time);
  void SetLag(std::span<const PartitionLag> lag);
  // The lag of partitions that are no longer ours is no longer told.
  void Forget(std::span<const Partition> partitions);
  void AddAssigned(int64_t partitions);
  void CountWrite(const WriteTally& tally);
  // When the partition's oldest message that has not landed was written; nullopt: there is none.
  void SetWaitingSince(const Partition& partition, std::optional<WallTime> since);
  // What is computed when it is asked for. Main thread.
  void Refresh(BootTime now, WallTime wall, std::chrono::seconds uptime);

 private:
  // It grows also while the worker hears nothing or waits for its database.
  void RefreshLagTimes(WallTime now);
  Metrics::Counter& Sales(const char* status);
  Metrics::Counter& Writes(const char* status);
  // One counter a tenant for the first kMaxTenants, `other` for the rest.
  Metrics::Counter& TenantCounter(std::string_view tenant);

  Metrics& metrics_;
  Metrics::Counter& landed_;
  Metrics::Counter& duplicates_;
  Metrics::Counter& published_;
  Metrics::Counter& retries_;
  Metrics::Counter& outages_;
  Metrics::Counter& expired_;
  Metrics::Counter& batches_;
  Metrics::Counter& batch_records_;
  Metrics::Histogram& batch_seconds_;
  Metrics::Gauge& assigned_;
  // Names of others.
  Metrics::Counter& messages_processed_;
  Metrics::Counter& processing_errors_;
  Metrics::Histogram& message_seconds_;
  Metrics::Gauge& last_message_;
  Metrics::Histogram& event_seconds_;
  Metrics::Gauge& uptime_;
  Metrics::Gauge& sales_rate_;
  Metrics::Counter& sales_;  // Those that succeeded, of which the rate is.
  BootTime rate_from_{};
  double rate_base_ = 0;

  AnnotatedMutex mutex_;
  std::map<std::string, Metrics::Counter*, std::less<>> tenants_ TIDEGATE_GUARDED_BY(mutex_);
  std::map<Partition, std::optional<WallTime>> waiting_since_ TIDEGATE_GUARDED_BY(mutex_);
};

}  // namespace tidegate::reader
