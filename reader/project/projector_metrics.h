// What a projector tells of its work. Any thread.
#pragma once

#include <cstdint>
#include <span>

#include "core/metrics.h"
#include "reader/consume/source.h"

namespace tidegate::reader {

class ProjectorMetrics {
 public:
  explicit ProjectorMetrics(Metrics& metrics);

  void CountFolded(size_t documents);
  // Messages without a landed document of theirs: given up, or landed from another place.
  void CountSkipped(size_t absent, size_t repeated);
  // Kafka deleted them before they were seen here.
  void CountMissed(int64_t messages);
  void CountConflicts(uint64_t conflicts);
  void CountRefusedAlerts(uint64_t alerts);
  void CountOutage();
  void SetLag(std::span<const PartitionLag> lag);
  // The lag of partitions that are no longer ours is no longer told.
  void Forget(std::span<const Partition> partitions);

 private:
  Metrics& metrics_;
  Metrics::Counter& folded_;
  Metrics::Counter& absent_;
  Metrics::Counter& repeated_;
  Metrics::Counter& missed_;
  Metrics::Counter& conflicts_;
  Metrics::Counter& refused_alerts_;
  Metrics::Counter& outages_;
};

}  // namespace tidegate::reader
