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
        "input {}: {} messages on topics that do not match '{}': an older subscription "
        "of client id '{}' is still in place at the broker",
        input_, *events, options_.topic.filter(), options_.client_id);
  }
}

}  // namespace tidegate
