#include "drivers/mqtt/mqtt_metrics.h"

namespace tidegate {
namespace {

Metrics::Counter& Counter(Metrics& metrics, const std::string& input, const char* name,
                          const char* help) {
  return metrics.AddCounter(name, help, {{"input", input}});
}

Metrics::Gauge& Gauge(Metrics& metrics, const std::string& input, const char* name,
                      const char* help) {
  return metrics.AddGauge(name, help, {{"input", input}});
}

}  // namespace

MqttMetrics::MqttMetrics(Metrics& metrics, const std::string& input)
    : messages(Counter(metrics, input, "tidegate_mqtt_messages_total", "Messages taken")),
      bytes(Counter(metrics, input, "tidegate_mqtt_bytes_total", "Payload bytes taken")),
      unmatched(Counter(metrics, input, "tidegate_mqtt_unmatched_total",
                        "Messages set aside because their topic does not match the input's")),
      not_acknowledged(Counter(metrics, input, "tidegate_mqtt_not_acknowledged_total",
                               "Messages left to the broker to send again, because the "
                               "connection ended before they were acknowledged")),
      reconnects(Counter(metrics, input, "tidegate_mqtt_reconnects_total",
                         "Connections made after the first")),
      connect_failures(Counter(metrics, input, "tidegate_mqtt_connect_failures_total",
                               "Attempts to connect that failed")),
      subscribe_refused(Counter(metrics, input, "tidegate_mqtt_subscribe_refused_total",
                                "Subscriptions that the broker refused")),
      violations(Counter(metrics, input, "tidegate_mqtt_violations_total",
                         "Connections ended because the broker violated the protocol")),
      sessions_lost(Counter(metrics, input, "tidegate_mqtt_sessions_lost_total",
                            "Sessions that the broker has lost, with what it kept for us")),
      unsubscribed(Counter(metrics, input, "tidegate_mqtt_unsubscribed_total",
                           "Subscriptions of earlier configurations that were removed")),
      connected(
          Gauge(metrics, input, "tidegate_mqtt_connected", "1 while connected and subscribed")),
      unsettled(Gauge(metrics, input, "tidegate_mqtt_unsettled",
                      "Messages taken that are not stored yet")),
      window(Gauge(metrics, input, "tidegate_mqtt_window",
                   "Messages that the broker sends ahead of their acknowledgement")) {}

}  // namespace tidegate
