// What the forwarder counts: for its status, and as the metrics tidegate_uplink_*. Loop thread
// only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "core/clock.h"
#include "core/metrics.h"
#include "core/record.h"

namespace tidegate {

// Since the forwarder was made.
struct ForwarderCounts {
  // Records handed to the transport, repeats included.
  uint64_t sent = 0;
  uint64_t acked = 0;
  // Records that came back undelivered, to be sent again.
  uint64_t retried = 0;
  // Records refused for good, now in the dead letters.
  uint64_t rejected = 0;
  // The last acknowledgement, by the wall clock; nullopt: none yet.
  std::optional<WallTime> last_delivery;
  // Why the last record that was not delivered was not, for people; empty: there was none.
  std::string last_error;
};

class ForwarderMetrics {
 public:
  struct Gauges {
    size_t in_flight_records;
    size_t in_flight_bytes;
    size_t topics_on_trial;
    size_t topics_aside;
  };

  // `metrics` outlives this object.
  explicit ForwarderMetrics(Metrics& metrics);

  void CountSent(RecordClass record_class, size_t bytes, bool restamped);
  void CountAcked(RecordClass record_class, WallTime now);
  void CountRetried();
  void CountRejected();
  void CountSuspectTime() { suspect_times_.Increment(); }
  void NoteError(const std::string& error) { counts_.last_error = error; }
  // Sets the gauges; once in each step.
  void Publish(const Gauges& gauges);

  const ForwarderCounts& counts() const { return counts_; }

 private:
  ForwarderCounts counts_;
  std::array<Metrics::Counter*, kRecordClassCount> sent_;
  std::array<Metrics::Counter*, kRecordClassCount> acked_;
  Metrics::Counter& retried_;
  Metrics::Counter& rejected_;
  Metrics::Counter& bytes_;
  Metrics::Counter& restamped_;
  Metrics::Counter& suspect_times_;
  Metrics::Gauge& in_flight_;
  Metrics::Gauge& in_flight_bytes_;
  Metrics::Gauge& topics_on_trial_;
  Metrics::Gauge& topics_aside_;
  Metrics::Gauge& last_delivery_;
};

}  // namespace tidegate
