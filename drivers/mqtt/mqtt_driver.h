// Subscribes to one topic of one MQTT broker and acknowledges a message only after it is settled.
// Reconnects for ever. Loop thread only. What is promised, and how libmosquitto is made to do it:
// README.md.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "core/backoff.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/metrics.h"
#include "drivers/driver.h"
#include "drivers/mqtt/intake.h"
#include "drivers/mqtt/mosquitto_library.h"
#include "drivers/mqtt/mqtt_connection.h"
#include "drivers/mqtt/mqtt_metrics.h"
#include "drivers/mqtt/mqtt_options.h"
#include "drivers/mqtt/resolver.h"
#include "drivers/mqtt/version_choice.h"
#include "drivers/mqtt/window.h"

namespace tidegate {

class MqttDriver final : public Driver, private MqttConnection::Listener {
 public:
  // The references outlive the driver.
  MqttDriver(Input input, MqttOptions options, const Clock& clock, const Log& log,
             Metrics& metrics);
  // Disconnects; the broker keeps the session and all that is not acknowledged.
  ~MqttDriver() override;

  Status Start(Loop& loop, Inbox& inbox) override;
  void Stop() override;
  void Settled(Ticket last) override;
  void Resume() override;
  bool Starved() const override;
  DriverStatus status() const override;

 private:
  enum class Phase {
    kAway,        // No connection; the retry timer runs, or we wait until all is settled.
    kResolving,   // The host name is being looked up.
    kConnecting,  // From connect(2) to the CONNACK.
    kOnline,
  };

  // Connecting.
  void Dial();
  void OnAddresses(Resolver::Answer answer);
  void Open(const std::string& host);
  void OnPhaseTimer();
  void OnReadyConnecting(Ready ready);
  bool Handshake(Ready ready);
  void EndedEarly();
  void Online();
  void Subscribe();
  void Failed(ConnectFailure failure, const std::string& cause);
  void Lost(const std::string& cause);
  void CloseConnection();
  void DialLater();
  void DialWhenSafe();

  // Online.
  void OnReady(Ready ready);
  void ReadBurst();
  void CountBurst();
  void Acknowledge();
  void Write();
  void Tick();
  std::chrono::nanoseconds TickInterval() const;
  void UpdateWatch();
  bool MayRead() const;
  void Report(const char* what, const std::string& cause);

  // MqttConnection::Listener
  void OnConnack(const MqttConnection::Connack& connack) override;
  void OnSuback(int granted) override;
  void OnPublish(const MqttPublish& publish) override;

  const Input input_;
  const MqttOptions options_;
  const Clock& clock_;
  const Log& log_;
  MqttMetrics metrics_;
  MosquittoLibrary library_;
  Loop* loop_ = nullptr;

  Phase phase_ = Phase::kAway;
  bool stopped_ = false;
  bool dial_when_safe_ = false;
  MqttVersion version_ = MqttVersion::k5;  // Of the current or last attempt.
  VersionChoice version_choice_;
  Backoff backoff_;
  std::optional<Resolver> resolver_;
  size_t next_address_ = 0;
  std::unique_ptr<MqttConnection> connection_;
  std::unique_ptr<FdWatch> watch_;      // Of connection_, and destroyed before it.
  std::unique_ptr<Timer> phase_timer_;  // Away: dial. Connecting: give up.
  std::unique_ptr<Timer> tick_timer_;   // Online: keepalive, and what else has waited long.
  std::unique_ptr<Timer> resume_timer_;

  // Of the connection.
  bool tcp_connected_ = false;
  std::optional<MqttConnection::Connack> connack_;
  bool subscribed_ = false;
  bool writing_ = false;  // A write is under way, and nothing is read until it is done.
  bool drained_ = false;  // The socket had nothing more.
  bool wants_readable_ = true;
  bool wants_writable_ = false;
  std::chrono::nanoseconds keepalive_{0};
  BootTime online_since_{0};
  std::optional<BootTime> held_since_;    // When the oldest PUBACK that is held was queued.
  std::optional<BootTime> subscribe_at_;  // When to subscribe again.

  Intake intake_;
  Window window_;
  bool ever_online_ = false;
  size_t burst_messages_ = 0;
  size_t burst_counted_ = 0;  // Of QoS 1: what the window is about.
  size_t burst_bytes_ = 0;
  size_t burst_unmatched_ = 0;
  std::string detail_ = "not started";
  LogLimit report_limit_;
  LogLimit online_limit_;
  LogLimit unmatched_limit_;
};

}  // namespace tidegate
