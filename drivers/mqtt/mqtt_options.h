// The settings of one MQTT input, and how they are read from its URI:
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

  // Names the session that the broker keeps for us. Another name is another session: what the old
  // one holds is then never fetched. Empty only until the caller sets DefaultMqttClientId().
  std::string client_id;
  std::string username;  // From the URI, or from a credential, which wins.
  std::string password;  // Only ever from a credential.

  std::string ca_file;    // PEM. Empty: the system's authorities.
  std::string cert_file;  // PEM, with key_file: our certificate, if the broker asks for one.
  std::string key_file;
  // False is insecure: anyone on the way can then read and forge messages.
  bool verify_peer = true;

  std::optional<MqttVersion> version;  // nullopt: MQTT 5, and 3.1.1 where the broker refuses it.
  // MQTT 5: how many messages the broker may send ahead of our acknowledgements. Twice what is held
  // keeps it busy while a batch is committed; more only costs it memory.
  uint16_t receive_maximum = 2000;
  // How long the broker keeps our messages while we are away (MQTT 5; with 3.1.1 it decides alone).
  std::chrono::seconds session_expiry = std::chrono::hours(7 * 24);
  // The broker is found dead after one to two of these. Acknowledgements are held for half of it at
  // most.
  std::chrono::seconds keepalive{30};

  // Reading stops at either of these; messages from a connection that breaks then come again.
  size_t max_unsettled = 1000;
  size_t max_unsettled_bytes = size_t{4} << 20;
  // MQTT 5: a broker drops larger packets by itself. Well over what the decoder takes, so that what
  // is only somewhat too large still ends in the dead letters.
  uint32_t max_packet_bytes = uint32_t{1} << 20;
  std::chrono::milliseconds connect_timeout{5'000};  // To the CONNACK, TCP and TLS included.
  Backoff::Options backoff;
};

// kInvalid: everything that is wrong, at once. Credentials are the caller's to fill in.
// REQUIRES: uri.scheme is mqtt or mqtts.
Result<MqttOptions> ParseMqttOptions(const Input& input, const Uri& uri);

// tidegate-<gateway>-<input>
std::string DefaultMqttClientId(std::string_view gateway, std::string_view input);

// What is wrong with options that credentials have completed: empty, or what to tell a person.
std::string MqttOptionsProblem(const MqttOptions& options);

// What is allowed but not advisable, for `check`: empty, or what to tell a person.
std::string MqttOptionsWarning(const MqttOptions& options);

}  // namespace tidegate
