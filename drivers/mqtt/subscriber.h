// The subscription of one connection: asks for it, asks again when it is refused, and removes those
// of earlier configurations. Only queues packets; the link writes them. Loop thread only.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "drivers/mqtt/mqtt_connection.h"
#include "drivers/mqtt/mqtt_shared.h"
#include "drivers/mqtt/version_choice.h"

namespace tidegate {

class Subscriber {
 public:
  Subscriber(const MqttShared& shared, MqttVersion version) : shared_(shared), version_(version) {}

  // The broker has accepted the connection: notes the session and queues what it has to be asked.
  void Begin(MqttConnection& connection, bool session_resumed);
  // MqttConnection::Listener.
  void OnSuback(int granted);
  void OnUnsuback(int id);
  // Subscribes again, and reports that redeliveries have ended, each when it is time. Called after
  // each read and by a timer.
  void DoWhatIsDue(MqttConnection& connection);

  bool subscribed() const { return subscribed_; }
  // The state of the connection, for people.
  const std::string& detail() const { return detail_; }

 private:
  // A subscription whose removal is not confirmed yet.
  struct Removal {
    int id;
    std::string filter;
  };

  void Remember(bool session_resumed);
  void Subscribe(MqttConnection& connection);
  void RemoveOld(MqttConnection& connection);
  void Refused(int reason);

  const MqttShared shared_;
  const MqttVersion version_;
  bool subscribed_ = false;
  std::string detail_;
  // How often the broker has refused the subscription on this connection.
  int refusals_ = 0;
  // When to subscribe again, unless the broker grants the subscription before.
  std::optional<BootTime> subscribe_at_;
  // When the broker has had time to send again what was unacknowledged; BootTime::max() once that
  // is reported.
  std::optional<BootTime> caught_up_at_;
  std::vector<Removal> removals_;
};

}  // namespace tidegate
