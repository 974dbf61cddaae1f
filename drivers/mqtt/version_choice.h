// Chooses which MQTT version to try next. Brokers without MQTT 5 refuse it in ways of which most
// look like any other failure, so one failure decides nothing. Pure; one thread.
#pragma once

#include <chrono>
#include <optional>

#include "core/clock.h"

namespace tidegate {

enum class MqttVersion { k311, k5 };

// For people: "MQTT 5".
const char* VersionName(MqttVersion version);

// How an attempt ended that brought no connection.
enum class ConnectFailure {
  // No TCP or TLS connection. Says nothing about the version.
  kUnreachable,
  // A CONNACK that refuses us for another reason; the broker understands the version.
  kRefused,
  // A CONNACK that refuses the version.
  kVersionRefused,
  // Closed, or a protocol error, before any CONNACK.
  kClosed,
  // No CONNACK in time.
  kSilent,
};

class VersionChoice {
 public:
  // `fixed`: the only version to use; nullopt to find out.
  explicit VersionChoice(std::optional<MqttVersion> fixed) : fixed_(fixed) {}

  // Returns the version for the attempt that begins now. REQUIRES: the previous attempt has been
  // reported.
  MqttVersion Next(BootTime now);
  // Report how the attempt went, once each. REQUIRES: Next() began it.
  void Accepted();
  void Failed(ConnectFailure failure, BootTime now);

  // True after a plain refusal of the version: the other one can be tried without waiting.
  bool retry_at_once() const { return retry_at_once_; }

 private:
  void EndAttempt();

  std::optional<MqttVersion> fixed_;
  MqttVersion current_ = MqttVersion::k5;
  bool attempting_ = false;
  // Closed or silent attempts in a row, with current_.
  int doubtful_failures_ = 0;
  // The other version has been refused since the last success.
  bool refused_in_turn_ = false;
  bool retry_at_once_ = false;
  // What decided against MQTT 5: a CONNACK, or only doubtful failures.
  bool refusal_was_plain_ = false;
  // When the last attempt with MQTT 5 failed.
  std::optional<BootTime> five_failed_;
};

}  // namespace tidegate
