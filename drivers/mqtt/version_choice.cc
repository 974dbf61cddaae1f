#include "drivers/mqtt/version_choice.h"

#include "core/check.h"

namespace tidegate {
namespace {

// A failure that may have other reasons (a broker restarting, one that sends a PUBLISH before the
// CONNACK of a resumed session) is given a second try before the version is changed.
constexpr int kTries = 2;
// MQTT 5 is tried again by a connection made this long after it failed: brokers are upgraded.
constexpr std::chrono::hours kAfterRefusal{24};
constexpr std::chrono::minutes kAfterDoubt{10};

MqttVersion Other(MqttVersion version) {
  return version == MqttVersion::k5 ? MqttVersion::k311 : MqttVersion::k5;
}

}  // namespace

const char* VersionName(MqttVersion version) {
  return version == MqttVersion::k5 ? "MQTT 5" : "MQTT 3.1.1";
}

MqttVersion VersionChoice::Next(BootTime now) {
  CHECK(!attempting_, "one attempt at a time");
  attempting_ = true;
  retry_at_once_ = false;
  if (fixed_.has_value()) return *fixed_;
  if (current_ == MqttVersion::k311 && five_failed_.has_value()) {
    const BootTime wait = refusal_was_plain_ ? BootTime(kAfterRefusal) : BootTime(kAfterDoubt);
    if (now - *five_failed_ >= wait) {
      current_ = MqttVersion::k5;
      doubtful_failures_ = 0;
      refused_in_turn_ = false;
    }
  }
  return current_;
}

void VersionChoice::EndAttempt() {
  CHECK(attempting_, "an attempt is reported once");
  attempting_ = false;
}

void VersionChoice::Accepted() {
  EndAttempt();
  doubtful_failures_ = 0;
  refused_in_turn_ = false;
}

void VersionChoice::Failed(ConnectFailure failure, BootTime now) {
  EndAttempt();
  if (fixed_.has_value()) return;
  const bool plain = failure == ConnectFailure::kVersionRefused;
  switch (failure) {
    case ConnectFailure::kUnreachable:
    case ConnectFailure::kRefused:
      return;
    case ConnectFailure::kClosed:
    case ConnectFailure::kSilent:
      if (++doubtful_failures_ < kTries) return;
      break;
    case ConnectFailure::kVersionRefused:
      break;
  }
  if (current_ == MqttVersion::k5) {
    five_failed_ = now;
    refusal_was_plain_ = plain;
  }
  retry_at_once_ = plain && !refused_in_turn_;
  refused_in_turn_ = plain;
  current_ = Other(current_);
  doubtful_failures_ = 0;
}

}  // namespace tidegate
