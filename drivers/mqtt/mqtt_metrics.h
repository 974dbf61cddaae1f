// What one MQTT input counts. Names and meanings: README.md beside this file.
#pragma once

#include <string>

#include "core/metrics.h"

namespace tidegate {

struct MqttMetrics {
  MqttMetrics(Metrics& metrics, const std::string& input);

  Metrics::Counter& messages;
  Metrics::Counter& bytes;
  Metrics::Counter& unmatched;
  Metrics::Counter& not_acknowledged;
  Metrics::Counter& reconnects;
  Metrics::Counter& connect_failures;
  Metrics::Counter& subscribe_refused;
  Metrics::Gauge& connected;
  Metrics::Gauge& unsettled;
  Metrics::Gauge& window;
};

}  // namespace tidegate
