// Publishes heartbeats over MQTT 3.1.1. libmosquitto keeps what is not acknowledged, and publishes
// it again, in order, after the connection broke. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "core/backoff.h"
#include "core/clock.h"
#include "core/result.h"
#include "drivers/sim/publisher.h"

struct mosquitto;

namespace tidegate {

struct MqttPublisherOptions {
  std::string host = "localhost";
  uint16_t port = 1883;
  bool tls = false;
  std::string ca_file;  // Empty: the system's authorities.
  std::string client_id;
  std::string username;  // Empty: none.
  std::string password;
  std::string topic = "fleet/{tenant}/{asset}/heartbeat";
  int qos = 1;
  // Heartbeats in flight at most. libmosquitto gives them 16-bit ids and does not check whether an
  // id is still in use.
  uint16_t window = 500;
};

// Returns `pattern` with {tenant} and {asset} filled in.
std::string FillTopic(const std::string& pattern, const Heartbeat& heartbeat);

class MqttPublisher final : public Publisher {
 public:
  // kInvalid: TLS settings that cannot work. `clock` outlives the publisher.
  static Result<std::unique_ptr<MqttPublisher>> Make(MqttPublisherOptions options,
                                                     const Clock& clock);
  // Disconnects, if connected.
  ~MqttPublisher() override;

  bool HasRoom() const override;
  void Publish(const Heartbeat& heartbeat) override;
  Status Step(std::chrono::milliseconds wait) override;
  PublisherCounts counts() const override { return counts_; }
  std::string state() const override { return state_; }

 private:
  struct Deleter {
    void operator()(mosquitto* handle) const;
  };
  struct Callbacks;

  MqttPublisher(MqttPublisherOptions options, const Clock& clock);
  Status Configure();
  void Connect();
  void Disconnected(std::string why);

  const MqttPublisherOptions options_;
  const Clock& clock_;
  Backoff backoff_;
  std::unique_ptr<mosquitto, Deleter> handle_;
  enum class Phase { kWaiting, kConnecting, kConnected } phase_ = Phase::kWaiting;
  // mosquitto_connect() was called; every later attempt is mosquitto_reconnect().
  bool begun_ = false;
  // In kWaiting: when to connect. In kConnecting: when to stop waiting for the CONNACK.
  BootTime next_attempt_{};
  BootTime answer_until_{};
  // Why the broker refuses us for good; empty if it does not.
  std::string refusal_;
  std::string state_ = "not connected yet";
  uint64_t published_ = 0;
  PublisherCounts counts_;
};

}  // namespace tidegate
