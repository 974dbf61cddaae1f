// Publishes heartbeats over MQTT 3.1.1. What is not acknowledged when the connection breaks is
// published again by libmosquitto, which holds it, in order. One thread.
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
  // Heartbeats on the way. libmosquitto numbers them with 16 bits and does not look for numbers in
  // use.
  uint16_t window = 500;
};

// The topic with {tenant} and {asset} filled in.
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
  bool begun_ = false;       // connect() was called once; from then on it is reconnect().
  BootTime next_attempt_{};  // In kWaiting.
  BootTime answer_until_{};  // In kConnecting.
  std::string refusal_;      // The broker's, for good.
  std::string state_ = "not connected yet";
  uint64_t published_ = 0;
  PublisherCounts counts_;
};

}  // namespace tidegate
