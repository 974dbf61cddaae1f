// Counts and logs what happens to one MQTT input, over all its connections. Each kind of line is
// logged at most once a minute and says how many such events it stands for. Loop thread only.
#pragma once

#include <cstddef>
#include <string>

#include "core/clock.h"
#include "core/log.h"
#include "core/metrics.h"
#include "drivers/mqtt/mqtt_metrics.h"
#include "drivers/mqtt/mqtt_options.h"

namespace tidegate {

class MqttJournal {
 public:
  // `input` names the input in lines and labels. The references outlive the journal.
  MqttJournal(std::string input, const MqttOptions& options, const Clock& clock, const Log& log,
              Metrics& metrics)
      : metrics_(metrics, input),
        input_(std::move(input)),
        options_(options),
        clock_(clock),
        log_(log) {}

  MqttMetrics& metrics() { return metrics_; }

  // The broker has accepted a connection. Every call after the first counts as a reconnect.
  void Connected(MqttVersion version, bool session_resumed);
  // Something does not work: logs `what` with its cause.
  void Problem(const char* what, const std::string& cause);
  // `count` messages came on topics that do not match the input's.
  void Unmatched(size_t count);
  // The broker has lost a session that we had, and with it what it kept for us.
  void SessionLost();
  uint64_t sessions_lost() const { return static_cast<uint64_t>(metrics_.sessions_lost.Value()); }
  // The broker has removed a subscription of an earlier configuration.
  void Unsubscribed(const std::string& filter);

 private:
  MqttMetrics metrics_;
  const std::string input_;
  const MqttOptions& options_;
  const Clock& clock_;
  const Log& log_;
  bool ever_connected_ = false;
  LogLimit connected_limit_;
  LogLimit problem_limit_;
  LogLimit unmatched_limit_;
  LogLimit session_lost_limit_;
  LogLimit unsubscribed_limit_;
};

}  // namespace tidegate
