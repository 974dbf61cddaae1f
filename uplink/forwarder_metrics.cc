#include "uplink/forwarder_metrics.h"

#include <string>

namespace tidegate {

namespace {
std::array<Metrics::Counter*, kRecordClassCount> PerClass(Metrics& metrics, const std::string& name,
                                                          const std::string& help) {
  std::array<Metrics::Counter*, kRecordClassCount> counters{};
  for (RecordClass record_class : kRecordClasses) {
    const std::string label(RecordClassName(record_class));
    counters[static_cast<size_t>(record_class)] =
        &metrics.AddCounter(name, help, {{"class", label}});
  }
  return counters;
}
}  // namespace

ForwarderMetrics::ForwarderMetrics(Metrics& metrics)
    : sent(PerClass(metrics, "tidegate_uplink_sent_total",
                    "Records handed to the Kafka client, repeats included")),
      acked(PerClass(metrics, "tidegate_uplink_acked_total", "Records that Kafka acknowledged")),
      retried(metrics.AddCounter("tidegate_uplink_retried_total",
                                 "Records that came back undelivered, to be sent again")),
      rejected(metrics.AddCounter("tidegate_uplink_rejected_total",
                                  "Records that Kafka never takes, now in the dead letters")),
      bytes(
          metrics.AddCounter("tidegate_uplink_bytes_total",
                             "Bytes of keys and values handed to the Kafka client, uncompressed")),
      restamped(metrics.AddCounter("tidegate_uplink_restamped_total",
                                   "Records sent with their time corrected, because the clock was "
                                   "synchronised after they arrived; repeats included")),
      in_flight(metrics.AddGauge("tidegate_uplink_in_flight_records",
                                 "Records sent and not yet reported on")),
      in_flight_bytes(metrics.AddGauge("tidegate_uplink_in_flight_bytes",
                                       "Bytes of keys and values sent and not yet reported on")),
      last_delivery(metrics.AddGauge("tidegate_uplink_last_delivery_timestamp_seconds",
                                     "When Kafka last acknowledged a record, by the wall clock")) {}

}  // namespace tidegate
