// Wraps libmosquitto, driven by an external loop, as one connection to a broker, from CONNECT to
// its end; the next connection is a new object. Nothing here waits. Loop thread only.
//
// The library reads and writes a socket pair; PacketPipe is between that and the network.
//
// The library queues the PUBACK of a message while it reads the message, and Write() sends all that
// is queued. So the owner decides when messages are acknowledged: by calling Write().
//
// What the listener may rely on whatever the broker sends, because a connection that violates it
// ends instead: there is one CONNACK, and nothing comes before it.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "core/result.h"
#include "drivers/mqtt/intake.h"
#include "drivers/mqtt/mqtt_options.h"
#include "drivers/mqtt/version_choice.h"

struct mosquitto;

namespace tidegate {

class MqttConnection {
 public:
  struct Connack {
    // 0: accepted. Otherwise a code of the version in use; 0x84 if the broker refuses MQTT 5.
    int reason = 0;
    bool session_present = false;
    // Set if the broker wants another keepalive than ours.
    std::optional<std::chrono::seconds> keepalive;
  };

  // Called by Read(). REQUIRES: does not call the connection back, nor destroys it.
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void OnConnack(const Connack& connack) = 0;
    // The QoS granted, or 0x80 and above if the subscription is refused.
    virtual void OnSuback(int granted) = 0;
    // The broker has removed the subscription that Unsubscribe() returned the id for.
    virtual void OnUnsuback(int id) = 0;
    virtual void OnPublish(const MqttPublish& publish) = 0;
  };

  // Begins to connect to `host`: localhost, or an address of options.host. `listener` outlives the
  // connection. kUnavailable: what failed.
  static Result<std::unique_ptr<MqttConnection>> Open(const MqttOptions& options,
                                                      MqttVersion version, const std::string& host,
                                                      Listener& listener);
  // Closes without a DISCONNECT; the broker keeps the session.
  ~MqttConnection();

  // The descriptor to watch. It stays open as long as this object, even if the library closes its
  // own.
  int fd() const;
  // Returns how the TCP connection went, once the socket has become writable.
  Status ConnectResult() const;

  // Reads one packet, if a whole one has arrived. False: the connection has ended.
  bool Read();
  // True if there is more to read of which the descriptor says nothing.
  bool buffered() const;
  // Makes the kernel acknowledge what has arrived, on the level of TCP. A broker without
  // TCP_NODELAY (mosquitto's default) otherwise holds back the rest of a window for 40 ms.
  void AcknowledgeSegments();
  // Sends everything that is queued, or as much as the socket accepts; that includes the PUBACKs of
  // everything that has been read. False: the connection has ended.
  bool Write();
  bool want_write() const;
  // Queues a PINGREQ when it is due, and notices a broker that does not answer. To be called about
  // ten times in each keepalive. False: the connection has ended.
  bool CheckKeepalive();
  // Queues a subscription of QoS 1 for the next Write().
  Status Subscribe(const std::string& filter);
  // Queues the removal of a subscription for the next Write(). Returns the id by which
  // OnUnsuback() names it.
  Result<int> Unsubscribe(const std::string& filter);
  // From the CONNACK on, the library's own error lines are no longer collected for error().
  void StopLogging();
  // Queues a DISCONNECT and writes. REQUIRES: everything that was read may be acknowledged.
  void Disconnect();

  // Why the connection has ended, for people.
  const std::string& error() const { return error_; }
  // True if it has ended because the broker has violated the protocol.
  bool violated() const;
  // BrokerChannel::security_failed().
  bool tls_failed() const;

 private:
  struct Callbacks;
  struct State;

  MqttConnection(const MqttOptions& options, MqttVersion version, Listener& listener);

  Status Configure(const MqttOptions& options);
  Status Connect(const MqttOptions& options, const std::string& host);
  int StoreProperties(const MqttOptions& options, const std::string& host);
  bool ReadLibrary();
  bool Ended(const char* operation, const Error& error);
  bool Alive(const char* operation, int code, int system_error);
  mosquitto* handle() const;

  const MqttVersion version_;
  Listener& listener_;
  std::unique_ptr<State> state_;
  // Read() is running, and may be calling the listener.
  bool reading_ = false;
  bool answered_ = false;
  bool accepted_ = false;
  // How the broker has violated the protocol; nullptr if it has not.
  const char* violation_ = nullptr;
  // What the library has logged as errors while connecting.
  std::string library_errors_;
  std::optional<int> disconnect_reason_;
  std::string error_;
};

// The reason code of a CONNACK, for people.
std::string ConnackText(MqttVersion version, int reason);

}  // namespace tidegate
