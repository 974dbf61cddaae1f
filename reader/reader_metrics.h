// The reader's metrics: names of our own, and beside them those that the readers it replaces
// exported, so that their dashboards go on working. Any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/clock.h"
#include "core/metrics.h"
#include "reader/dead_letters.h"
#include "reader/source.h"

namespace tidegate::reader {

class ReaderMetrics {
 public:
  explicit ReaderMetrics(Metrics& metrics);

  void CountLanded(size_t records, size_t duplicates);
  void CountRefused(RefusalKind kind, size_t messages);
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

 private:
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
};

}  // namespace tidegate::reader
