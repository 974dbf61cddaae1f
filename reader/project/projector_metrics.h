// The metrics of one reader's projectors. Any thread.
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
  // Messages that are not folded. `absent` ones have no landed document: they were refused or
  // dropped. `repeated` ones have a document that landed from another message.
  void CountSkipped(size_t absent, size_t repeated);
  // Messages that Kafka deleted before a projector read them.
  void CountMissed(int64_t messages);
  void CountConflicts(uint64_t conflicts);
  void CountRefusedAlerts(uint64_t alerts);
  // Projections that the database refuses.
  void CountRefusedSaves(uint64_t projections);
  void CountOutage();
  void SetLag(std::span<const PartitionLag> lag);
  // Stops reporting the lag of partitions that are no longer assigned.
  void Forget(std::span<const Partition> partitions);

 private:
  Metrics& metrics_;
  Metrics::Counter& folded_;
  Metrics::Counter& absent_;
  Metrics::Counter& repeated_;
  Metrics::Counter& missed_;
  Metrics::Counter& conflicts_;
  Metrics::Counter& refused_alerts_;
  Metrics::Counter& refused_saves_;
  Metrics::Counter& outages_;
};

}  // namespace tidegate::reader
