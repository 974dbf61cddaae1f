#include "reader/project/projector_metrics.h"

#include <limits>
#include <string>

namespace tidegate::reader {

namespace {
constexpr const char* kSkipped = "tidegate_reader_projection_skipped_total";
constexpr const char* kSkippedHelp =
    "Messages that no projection took: absent, they did not land or are gone again; repeated, "
    "their "
    "document landed from another message.";
constexpr const char* kLag = "tidegate_reader_projection_lag";
constexpr const char* kLagHelp =
    "Messages that the projections are behind the end of the partition; NaN: not ours.";

Metrics::Labels LabelsOf(const Partition& partition) {
  return {{"topic", partition.topic}, {"partition", std::to_string(partition.number)}};
}
}  // namespace

ProjectorMetrics::ProjectorMetrics(Metrics& metrics)
    : metrics_(metrics),
      folded_(metrics.AddCounter("tidegate_reader_projected_total",
                                 "Landed documents that have changed a projection.")),
      absent_(metrics.AddCounter(kSkipped, kSkippedHelp, {{"reason", "absent"}})),
      repeated_(metrics.AddCounter(kSkipped, kSkippedHelp, {{"reason", "repeated"}})),
      missed_(metrics.AddCounter("tidegate_reader_projection_missed_total",
                                 "Messages that Kafka deleted before they were projected: "
                                 "`tidegate-reader rebuild` takes in what had landed.")),
      conflicts_(metrics.AddCounter("tidegate_reader_projection_conflicts_total",
                                    "Projections that another process had saved meanwhile.")),
      refused_alerts_(metrics.AddCounter("tidegate_reader_alerts_refused_total",
                                         "Alerts by rules that the database does not take.")),
      refused_saves_(metrics.AddCounter("tidegate_reader_projections_refused_total",
                                        "Projections that the database refuses; they are set "
                                        "aside until a rebalance or a restart.")),
      outages_(metrics.AddCounter("tidegate_reader_projection_outages_total",
                                  "Attempts to project that found the database away.")) {}

void ProjectorMetrics::CountFolded(size_t documents) {
  folded_.Increment(static_cast<double>(documents));
}
void ProjectorMetrics::CountSkipped(size_t absent, size_t repeated) {
  absent_.Increment(static_cast<double>(absent));
  repeated_.Increment(static_cast<double>(repeated));
}
void ProjectorMetrics::CountMissed(int64_t messages) {
  missed_.Increment(static_cast<double>(messages));
}
void ProjectorMetrics::CountConflicts(uint64_t conflicts) {
  conflicts_.Increment(static_cast<double>(conflicts));
}
void ProjectorMetrics::CountRefusedAlerts(uint64_t alerts) {
  refused_alerts_.Increment(static_cast<double>(alerts));
}
void ProjectorMetrics::CountRefusedSaves(uint64_t projections) {
  refused_saves_.Increment(static_cast<double>(projections));
}
void ProjectorMetrics::CountOutage() {
  outages_.Increment();
}

void ProjectorMetrics::SetLag(std::span<const PartitionLag> lag) {
  for (const PartitionLag& entry : lag) {
    metrics_.AddGauge(kLag, kLagHelp, LabelsOf(entry.partition))
        .Set(static_cast<double>(entry.messages));
  }
}

void ProjectorMetrics::Forget(std::span<const Partition> partitions) {
  for (const Partition& partition : partitions) {
    metrics_.AddGauge(kLag, kLagHelp, LabelsOf(partition))
        .Set(std::numeric_limits<double>::quiet_NaN());
  }
}

}  // namespace tidegate::reader
