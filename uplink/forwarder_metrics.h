// The forwarder's metrics, tidegate_uplink_*. Loop thread only.
#pragma once

#include <array>

#include "core/metrics.h"
#include "core/record.h"

namespace tidegate {

struct ForwarderMetrics {
  explicit ForwarderMetrics(Metrics& metrics);

  std::array<Metrics::Counter*, kRecordClassCount> sent;
  std::array<Metrics::Counter*, kRecordClassCount> acked;
  Metrics::Counter& retried;
  Metrics::Counter& rejected;
  Metrics::Counter& bytes;
  Metrics::Counter& restamped;
  Metrics::Gauge& in_flight;
  Metrics::Gauge& in_flight_bytes;
  Metrics::Gauge& last_delivery;
};

}  // namespace tidegate
