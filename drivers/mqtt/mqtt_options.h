// The settings of one MQTT input, and their parser from its URI:
// mqtts://user@host:8883/fleet/{tenant}/{asset}/heartbeat?session_expiry=1d. Pure; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/backoff.h"
#include "core/result.h"
#include "drivers/driver.h"
#include "drivers/mqtt/topic_template.h"
#include "drivers/mqtt/version_choice.h"
#include "drivers/uri.h"

namespace tidegate {

struct MqttOptions {
  explicit MqttOptions(TopicTemplate topic_template) : topic(std::move(topic_template)) {}

  std::string host;
  uint16_t port = 1883;
  bool tls = false;
  TopicTemplate topic;

  // Names the session that the broker keeps for us. Another name is another session: what the
  // broker holds for the old name is then never fetched. Empty only until the caller sets
  // DefaultMqttClientId().
  std::string client_id;
  // Comes from the URI, or from a credential, which wins.
  std::string username;
  // Comes only from a credential.
  std::string password;

  // PEM files. An empty ca_file means the system's authorities; cert_file and key_file are our
  // certificate, if the broker asks for one.
  std::string ca_file;
  std::string cert_file;
  std::string key_file;
  // False is insecure: anyone between us and the broker can then read and forge messages.
  bool verify_peer = true;

  // nullopt: MQTT 5, and 3.1.1 where the broker refuses it.
  std::optional<MqttVersion> version;
  // MQTT 5: how many messages the broker may send ahead of our acknowledgements. Twice
  // max_unsettled keeps it busy during a commit; more only costs it memory.
  uint16_t receive_maximum = 2000;
  // MQTT 5: how long the broker keeps our messages while we are disconnected. With 3.1.1 the broker
  // decides.
  std::chrono::seconds session_expiry = std::chrono::hours(7 * 24);
  // A dead broker is noticed after one to two of these. Acknowledgements are held for half of it at
  // most.
  std::chrono::seconds keepalive{30};

  // Reading stops at either of these. What was read from a connection that breaks then comes again.
  size_t max_unsettled = 1000;
  size_t max_unsettled_bytes = size_t{4} << 20;
  // MQTT 5: a broker drops larger packets by itself. Well over what the decoder accepts, so that a
  // payload that is only somewhat too large still ends in the dead letters.
  uint32_t max_packet_bytes = uint32_t{1} << 20;
  // From connect(2) to the CONNACK, TLS included.
  std::chrono::milliseconds connect_timeout{5'000};
  Backoff::Options backoff;
};

// Leaves credentials to the caller. kInvalid: everything that is wrong, in one message.
// REQUIRES: uri.scheme is mqtt or mqtts.
Result<MqttOptions> ParseMqttOptions(const Input& input, const Uri& uri);

// Returns tidegate-<gateway>-<input>.
std::string DefaultMqttClientId(std::string_view gateway, std::string_view input);

// Returns what is wrong with options that credentials have completed, for people; empty if nothing.
std::string MqttOptionsProblem(const MqttOptions& options);

// Returns what is allowed but not advisable, for people; empty if nothing.
std::string MqttOptionsWarning(const MqttOptions& options);

}  // namespace tidegate
