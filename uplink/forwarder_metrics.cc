#include "uplink/forwarder_metrics.h"

#include <chrono>
#include <string>

#include "core/check.h"

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
    : sent_(PerClass(metrics, "tidegate_uplink_sent_total",
                     "Records handed to the Kafka client, repeats included")),
      acked_(PerClass(metrics, "tidegate_uplink_acked_total", "Records that Kafka acknowledged")),
      retried_(metrics.AddCounter("tidegate_uplink_retried_total",
                                  "Records that came back undelivered, to be sent again")),
      rejected_(metrics.AddCounter("tidegate_uplink_rejected_total",
                                   "Records that Kafka never takes, now in the dead letters")),
      bytes_(
          metrics.AddCounter("tidegate_uplink_bytes_total",
                             "Bytes of keys and values handed to the Kafka client, uncompressed")),
      restamped_(metrics.AddCounter("tidegate_uplink_restamped_total",
                                    "Records sent with their time corrected, because the clock was "
                                    "synchronised after they arrived; repeats included")),
      suspect_times_(metrics.AddCounter("tidegate_uplink_suspect_times_total",
                                        "Records sent without a timestamp, because their time is "
                                        "more than 10 minutes ahead; repeats included")),
      in_flight_(metrics.AddGauge("tidegate_uplink_in_flight_records",
                                  "Records sent and not yet reported on")),
      in_flight_bytes_(metrics.AddGauge("tidegate_uplink_in_flight_bytes",
                                        "Bytes of keys and values sent and not yet reported on")),
      topics_on_trial_(
          metrics.AddGauge("tidegate_uplink_trial_topics",
                           "Topics whose broker has refused a request during the last minutes")),
      topics_aside_(metrics.AddGauge("tidegate_uplink_aside_topics",
                                     "Topics that accept nothing and wait apart from the others "
                                     "of their class")),
      last_delivery_(metrics.AddGauge("tidegate_uplink_last_delivery_timestamp_seconds",
                                      "When Kafka last acknowledged a record, by the wall clock")) {
}

void ForwarderMetrics::CountSent(RecordClass record_class, size_t bytes, bool restamped) {
  ++counts_.sent;
  sent_[static_cast<size_t>(record_class)]->Increment();
  bytes_.Increment(static_cast<double>(bytes));
  if (restamped) restamped_.Increment();
}

void ForwarderMetrics::CountAcked(RecordClass record_class, WallTime now) {
  ++counts_.acked;
  counts_.last_delivery = now;
  acked_[static_cast<size_t>(record_class)]->Increment();
}

void ForwarderMetrics::CountRetried() {
  ++counts_.retried;
  retried_.Increment();
}

void ForwarderMetrics::CountRejected() {
  ++counts_.rejected;
  rejected_.Increment();
}

void ForwarderMetrics::Publish(const Gauges& gauges) {
  CHECK(counts_.acked + counts_.retried + gauges.in_flight_records <= counts_.sent,
        "each record sent is in flight or has one report");
  in_flight_.Set(static_cast<double>(gauges.in_flight_records));
  in_flight_bytes_.Set(static_cast<double>(gauges.in_flight_bytes));
  topics_on_trial_.Set(static_cast<double>(gauges.topics_on_trial));
  topics_aside_.Set(static_cast<double>(gauges.topics_aside));
  if (counts_.last_delivery) {
    last_delivery_.Set(
        std::chrono::duration<double>(counts_.last_delivery->time_since_epoch()).count());
  }
}

}  // namespace tidegate
