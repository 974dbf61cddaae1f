// One connection to the broker, from connect(2) to its end: connects, waits for the CONNACK,
// subscribes, reads while there is room, and acknowledges what is settled. It never reconnects;
// MqttDriver opens the next link. (A *session*, in MQTT, is what the broker keeps for a client id;
// it outlives its links.) Loop thread only; nothing here waits.
//
// Invariants, and where they are checked:
// - Write() acknowledges everything that was read, so it runs only while all of that is settled:
//   Intake::Acknowledging().
// - Nothing is read while a write is incomplete or the intake is full: MayRead(), no check.
// - The window has counted each message before it is acknowledged: Write().
// - A link ends once, and does nothing after it has reported its end: Ended(), ReportEnd().
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/clock.h"
#include "core/loop/loop.h"
#include "core/result.h"
#include "drivers/mqtt/mqtt_connection.h"
#include "drivers/mqtt/mqtt_shared.h"
#include "drivers/mqtt/subscriber.h"
#include "drivers/mqtt/version_choice.h"

namespace tidegate {

class MqttLink final : private MqttConnection::Listener {
 public:
  struct End {
    // How connecting failed; nullopt if the broker had accepted us.
    std::optional<ConnectFailure> failure;
    std::string cause;  // For people.
    // From the CONNACK to the end.
    std::chrono::nanoseconds online_for{0};
  };
  using OnEnd = std::function<void(const End&)>;

  // Begins to connect to `host`: localhost, or an address of options.host. kUnavailable: what
  // failed. `on_end` is called once, from the loop or from OnSettled(), when the connection has
  // ended; it has to destroy the link.
  static Result<std::unique_ptr<MqttLink>> Open(const MqttShared& shared, MqttVersion version,
                                                const std::string& host, OnEnd on_end);
  // Closes without a DISCONNECT and without calling `on_end`; the broker keeps the session.
  ~MqttLink() override;

  // The intake has been given Driver::Settled(): sends the PUBACKs if everything is settled now,
  // and reads on if there is room. May end the link.
  void OnSettled();
  // The intake may have room again: reads on.
  void OnRoom() { UpdateWatch(); }
  // Reads nothing more, but still acknowledges.
  void StopReading();
  // Sends a DISCONNECT if nothing that was read is unsettled. The link is of no use afterwards.
  void Disconnect();

  // True from the CONNACK that accepts us.
  bool online() const { return phase_ == Phase::kOnline; }
  bool subscribed() const { return online() && subscriber_.subscribed(); }
  // Driver::Starved().
  bool Starved() const;
  // The state of a link that is online, for people.
  const std::string& detail() const { return subscriber_.detail(); }

 private:
  enum class Phase { kConnecting, kOnline, kEnded };

  // What has been read since CountBurst(); `counted` are messages of QoS 1.
  struct Burst {
    size_t messages = 0;
    size_t counted = 0;
    size_t bytes = 0;
    size_t unmatched = 0;
  };

  MqttLink(const MqttShared& shared, MqttVersion version, OnEnd on_end);

  void Watch(std::unique_ptr<MqttConnection> connection);
  void OnReady(Ready ready);
  void UpdateWatch();
  void Advance(Ready ready);
  bool Handshake();
  void Online();
  void OnConnectTimeout();
  void EndedEarly();
  void ReadBurst();
  void OnReadTimer();
  void CountBurst();
  void Acknowledge();
  void Write();
  void OnTick();
  void Tick();
  std::chrono::nanoseconds TickInterval() const;
  bool MayRead() const;

  // Marks the end. Entry points call ReportEnd() last, because it destroys the link.
  void Ended(std::optional<ConnectFailure> failure, std::string cause);
  void ReportEnd();
  // MqttConnection::Listener
  void OnConnack(const MqttConnection::Connack& connack) override;
  void OnSuback(int granted) override;
  void OnUnsuback(int id) override;
  void OnPublish(const MqttPublish& publish) override;

  const MqttShared shared_;
  const MqttVersion version_;
  OnEnd on_end_;
  Subscriber subscriber_;
  std::unique_ptr<MqttConnection> connection_;
  // Destroyed before connection_, whose descriptor it watches.
  std::unique_ptr<FdWatch> watch_;
  std::unique_ptr<Timer> connect_timer_;
  // Reads what is buffered already, for which the descriptor is not readable.
  std::unique_ptr<Timer> read_timer_;
  // Runs while online: keepalive, and whatever else has waited too long.
  std::unique_ptr<Timer> tick_timer_;

  Phase phase_ = Phase::kConnecting;
  bool tcp_connected_ = false;
  std::optional<MqttConnection::Connack> connack_;
  bool stopped_ = false;
  // A write is incomplete, and nothing is read until it is done.
  bool writing_ = false;
  // The last read found the socket empty.
  bool drained_ = false;
  bool wants_readable_ = true;
  bool wants_writable_ = true;
  std::chrono::nanoseconds keepalive_{0};
  BootTime online_since_{0};
  // When the oldest PUBACK that is held back was queued.
  std::optional<BootTime> held_since_;
  Burst burst_;
  End end_;
};

}  // namespace tidegate
