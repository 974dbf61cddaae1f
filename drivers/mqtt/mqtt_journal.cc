#include "drivers/mqtt/mqtt_journal.h"

#include <utility>

namespace tidegate {

void MqttJournal::Connected(MqttVersion version, bool session_resumed) {
  if (std::exchange(ever_connected_, true)) metrics_.reconnects.Increment();
  if (!connected_limit_.Count(clock_.SinceBoot()).has_value()) return;
  log_.Info("input {}: connected to {}:{}, {}, session {}", input_, options_.host, options_.port,
            VersionName(version), session_resumed ? "resumed" : "new");
}

void MqttJournal::Problem(const char* what, const std::string& cause) {
  if (const auto events = problem_limit_.Count(clock_.SinceBoot())) {
    log_.Warning("input {}: {}: {} ({} such events since the last line)", input_, what, cause,
                 *events);
  }
}

void MqttJournal::Unmatched(size_t count) {
  metrics_.unmatched.Increment(static_cast<double>(count));
  if (const auto events = unmatched_limit_.Count(clock_.SinceBoot(), count)) {
    log_.Warning(
        "input {}: {} messages on topics that do not match '{}' are set aside in the dead "
        "letters: they were sent for an older subscription of client id '{}'",
        input_, *events, options_.topic.filter(), options_.client_id);
  }
}

void MqttJournal::SessionLost() {
  metrics_.sessions_lost.Increment();
  if (const auto events = session_lost_limit_.Count(clock_.SinceBoot())) {
    log_.Warning(
        "input {}: {}:{} has lost our session ({} such events since the last line): what it "
        "received for us while we were not connected is gone; a broker that keeps sessions over a "
        "restart prevents that (mosquitto: persistence true)",
        input_, options_.host, options_.port, *events);
  }
}

void MqttJournal::Unsubscribed(const std::string& filter) {
  metrics_.unsubscribed.Increment();
  if (const auto events = unsubscribed_limit_.Count(clock_.SinceBoot())) {
    log_.Info("input {}: {} subscription(s) of an earlier configuration removed, the last '{}'",
              input_, *events, filter);
  }
}

}  // namespace tidegate
