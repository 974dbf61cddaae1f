// One connection to a broker, from CONNECT to its end; the next one is a new object. Wraps
// libmosquitto with an external loop: nothing here waits, except that connecting to a host name
// over TLS looks it up once more (the library verifies the certificate against the name it looked
// up). Loop thread only.
//
// The library queues the PUBACK of a message while it reads it, and Write() sends all that is
// queued. So whoever owns the connection decides when messages count as taken: by calling Write().
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "core/result.h"
#include "drivers/mqtt/intake.h"
#include "drivers/mqtt/mqtt_options.h"
#include "drivers/mqtt/version_choice.h"

namespace tidegate {

class MqttConnection {
 public:
  struct Connack {
    int reason = 0;  // 0: accepted. Else as the version has it, 0x84 for any refusal of MQTT 5.
    bool session_present = false;
    std::optional<std::chrono::seconds> keepalive;  // If the broker wants another one than ours.
  };

  // Called by Read(). May not call the connection back.
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void OnConnack(const Connack& connack) = 0;
    // The QoS granted, or 0x80 and above if the subscription is refused.
    virtual void OnSuback(int granted) = 0;
    virtual void OnPublish(const MqttPublish& publish) = 0;
  };

  // Begins to connect to `host`, the name or one of its addresses. `listener` outlives the
  // connection. kUnavailable: what failed.
  static Result<std::unique_ptr<MqttConnection>> Open(const MqttOptions& options,
                                                      MqttVersion version, const std::string& host,
                                                      Listener& listener);
  // Closes without a DISCONNECT; the broker keeps the session.
  ~MqttConnection();

  // To watch; stays open as long as this object, even if the library closes its own.
  int fd() const;
  // Once the socket is writable for the first time: how the TCP connection went.
  Status ConnectResult() const;

  // Reads one packet, or with TLS those of one record, if there is a whole one. False: the
  // connection has ended.
  bool Read();
  // Has the kernel acknowledge what has come in, on the level of TCP. A broker without TCP_NODELAY
  // (mosquitto's default) otherwise holds the rest of a window back for 40 ms, waiting for that.
  void AcknowledgeSegments();
  // Sends everything that is queued, PUBACKs for all that has been read among it, or as much as the
  // socket takes. False: ended.
  bool Write();
  bool want_write() const;
  // Sends a PINGREQ when it is time (with the next Write()), and notices a broker that does not
  // answer. To be called every now and then. False: ended.
  bool CheckKeepalive();
  // QoS 1; queued for the next Write().
  Status Subscribe(const std::string& filter);
  // After the CONNACK: the library's own words are no longer collected for error().
  void StopLogging();
  // Queues a DISCONNECT and writes. REQUIRES: everything that was read may be acknowledged.
  void Disconnect();

  // Why it has ended.
  const std::string& error() const { return error_; }
  // It ended before it was up to MQTT.
  bool tls_failed() const { return tls_failed_; }
  // True if the peer has closed and nothing is left to read. Costs a system call.
  bool PeerClosed() const;

 private:
  struct Callbacks;
  struct State;

  MqttConnection(MqttVersion version, Listener& listener);

  Status Configure(const MqttOptions& options);
  Status ConfigureTls(const MqttOptions& options);
  Status Connect(const MqttOptions& options, const std::string& host);
  int StoreProperties(const MqttOptions& options, const std::string& host);
  bool Check(const char* operation, int code, int system_error);

  const MqttVersion version_;
  Listener& listener_;
  std::unique_ptr<State> state_;
  std::string library_errors_;  // What the library has logged as errors while connecting.
  std::optional<int> disconnect_reason_;
  std::string error_;
  bool tls_failed_ = false;
};

// The reason of a CONNACK, for people.
std::string ConnackText(MqttVersion version, int reason);

}  // namespace tidegate
