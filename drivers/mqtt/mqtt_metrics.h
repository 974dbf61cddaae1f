// The counters and gauges of one MQTT input. README.md in this folder lists their names and
// meanings. Loop thread only.
#pragma once

#include <string>

#include "core/metrics.h"

namespace tidegate {

struct MqttMetrics {
  // Registers them under the label `input`. `metrics` outlives this object.
  MqttMetrics(Metrics& metrics, const std::string& input);

  Metrics::Counter& messages;
  Metrics::Counter& bytes;
  Metrics::Counter& unmatched;
  Metrics::Counter& not_acknowledged;
  Metrics::Counter& reconnects;
  Metrics::Counter& connect_failures;
  Metrics::Counter& subscribe_refused;
  Metrics::Counter& violations;
  Metrics::Counter& sessions_lost;
  Metrics::Counter& unsubscribed;
  Metrics::Gauge& connected;
  Metrics::Gauge& unsettled;
  Metrics::Gauge& window;
};

}  // namespace tidegate
