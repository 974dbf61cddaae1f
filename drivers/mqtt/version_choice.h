// Which MQTT version to try next. Brokers without MQTT 5 refuse it in ways of which most look like
// any other failure, so that one failure decides nothing. Pure; one thread.
#pragma once

#include <chrono>
#include <optional>

#include "core/clock.h"

namespace tidegate {

enum class MqttVersion { k311, k5 };

// How an attempt ended that brought no connection.
enum class ConnectFailure {
  kUnreachable,     // No TCP or TLS connection: says nothing about the version.
  kRefused,         // A CONNACK that refuses us for another reason: the version is understood.
  kVersionRefused,  // A CONNACK that refuses the version.
  kClosed,          // Closed, or a protocol error, before any CONNACK.
  kSilent,          // No CONNACK in time.
};

class VersionChoice {
 public:
  // `fixed`: the only version to use, nullopt to find out.
  explicit VersionChoice(std::optional<MqttVersion> fixed) : fixed_(fixed) {}

  // For the attempt that begins now.
  MqttVersion Next(BootTime now);
  // The attempt with Next()'s version ended; one of these follows each Next().
  void Accepted(BootTime now);
  void Failed(ConnectFailure failure, BootTime now);

  // True after a plain refusal of the version: the other one can be tried without waiting.
  bool retry_at_once() const { return retry_at_once_; }

 private:
  std::optional<MqttVersion> fixed_;
  MqttVersion current_ = MqttVersion::k5;
  int doubtful_failures_ = 0;     // In a row, with current_.
  bool refused_in_turn_ = false;  // The other version has been refused since the last success.
  bool retry_at_once_ = false;
  bool refusal_was_plain_ = false;
  std::optional<BootTime> five_failed_;  // When MQTT 5 was last tried in vain.
};

}  // namespace tidegate
