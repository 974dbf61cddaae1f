// An MQTT broker that does what a test says, on the test's own loop: accepts or refuses a client in
// the ways that real brokers do, sends what the test asks for, and records what it receives. It has
// one client at a time; a new one replaces the old. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/loop/loop.h"
#include "core/unique_fd.h"

namespace tidegate {

class FakeMqttBroker {
 public:
  // The answer to a CONNECT of a version that the broker does not speak.
  enum class Refusal {
    kV3Connack,   // A CONNACK of MQTT 3.1.1, code 1.
    kV3Code,      // Code 1 in a CONNACK of MQTT 5 (Moquette).
    kV5Connack,   // Reason 0x84 (aedes).
    kClose,       // No CONNACK (RabbitMQ).
    kSilence,     // Nothing (amqtt).
    kNotAllowed,  // Reason 0x87, or code 5: nothing to do with the version.
  };

  struct Connect {
    int version = 0;  // 5, or 4, which is 3.1.1.
    bool clean_start = false;
    int keepalive = 0;
    std::string properties;  // The bytes of MQTT 5's properties.
    std::string client_id;
    std::string username;
    std::string password;
  };

  // Listens on a free port of 127.0.0.1. `loop` outlives the broker.
  explicit FakeMqttBroker(Loop& loop);
  ~FakeMqttBroker();

  uint16_t port() const { return port_; }

  // Behaviour, from the next packet on.
  void Speak(bool five, bool three);  // Which versions are accepted; both at first.
  void RefuseBy(Refusal refusal) { refusal_ = refusal; }
  void PublishBeforeNextConnack() { publish_first_ = true; }  // Artemis, on a resumed session.
  void ResumeSessions(bool resume) { resume_ = resume; }      // Session present, in each CONNACK.
  // Publishes with this packet id, like a broker that sends again, or that reuses ids.
  void PublishAs(uint16_t packet_id, std::string_view topic, std::string_view payload) {
    next_id_ = packet_id;
    Publish(topic, payload);
  }
  // Like Publish(), as a message that the broker had kept.
  void PublishRetained(std::string_view topic, std::string_view payload);
  void AnswerSubscribe(int granted) { granted_ = granted; }
  // Refuses the next subscription only (mochi, in a resumed session).
  void RefuseNextSubscribe() { refuse_next_ = true; }
  void AnswerPings(bool answer) { answer_pings_ = answer; }
  // Keeps `count` messages unacknowledged at most, like a broker with a window; 0 is no limit.
  void SetWindow(size_t count) { window_ = count; }

  // Sends these bytes, whatever they are.
  void SendBytes(std::string bytes) { Send(std::move(bytes)); }
  // Sends an accepting CONNACK, asked for or not.
  void SendConnack();
  // Publishes now, or when the window has room. Packet ids count up from 1; QoS 0 has none.
  void Publish(std::string_view topic, std::string_view payload, int qos = 1);
  void Drop();  // Closes the client's connection.
  void StopListening();

  bool connected() const { return client_.valid(); }
  const std::vector<Connect>& connects() const { return connects_; }
  const std::vector<std::string>& subscriptions() const { return subscriptions_; }
  const std::vector<std::string>& unsubscriptions() const { return unsubscriptions_; }
  const std::vector<uint16_t>& pubacks() const { return pubacks_; }
  size_t sent() const { return sent_; }
  size_t pings() const { return pings_; }
  size_t disconnects() const { return disconnects_; }

 private:
  struct Pending {
    std::string packet;
    bool counts;  // Counts towards the window.
  };

  void OnClient();
  void OnReadable();
  bool TakePacket();
  void OnPacket(uint8_t type, std::string_view body);
  void OnConnect(std::string_view body);
  void Refuse(int version);
  void OnSubscribe(std::string_view body);
  void OnUnsubscribe(std::string_view body);
  void SendPending();
  void Send(std::string packet);
  void Flush();
  std::string PublishPacket(std::string_view topic, std::string_view payload, int qos);

  Loop& loop_;
  UniqueFd listener_;
  UniqueFd client_;
  uint16_t port_ = 0;
  std::unique_ptr<FdWatch> listener_watch_;
  std::unique_ptr<FdWatch> client_watch_;
  std::string in_;
  std::string out_;
  int version_ = 0;
  bool accepted_ = false;

  bool speaks_five_ = true;
  bool speaks_three_ = true;
  Refusal refusal_ = Refusal::kV5Connack;
  bool publish_first_ = false;
  bool resume_ = true;
  int granted_ = 1;
  bool refuse_next_ = false;
  bool answer_pings_ = true;
  size_t window_ = 0;

  std::vector<Pending> pending_;
  size_t in_flight_ = 0;
  uint16_t next_id_ = 1;
  std::vector<Connect> connects_;
  std::vector<std::string> subscriptions_;
  std::vector<std::string> unsubscriptions_;
  std::vector<uint16_t> pubacks_;
  size_t sent_ = 0;
  size_t pings_ = 0;
  size_t disconnects_ = 0;
};

}  // namespace tidegate
