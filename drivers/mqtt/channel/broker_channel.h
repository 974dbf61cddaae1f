// The bytes between us and a broker, over a TCP connection that is made or being made: as they are,
// or in TLS. Nothing here waits. Loop thread only.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/result.h"

namespace tidegate {

struct ChannelOptions {
  // False: no TLS, and the rest is without effect.
  bool tls = false;
  // What the broker's certificate has to name: a host name or an address.
  std::string host;
  // As in MqttOptions.
  std::string ca_file;
  std::string cert_file;
  std::string key_file;
  bool verify_peer = true;
};

class BrokerChannel {
 public:
  virtual ~BrokerChannel() = default;
  // Returns how many bytes were read; 0: there are none for now. kUnavailable: the connection has
  // ended, and why.
  virtual Result<size_t> Read(std::span<char> buffer) = 0;
  // Returns how many bytes were written; 0: there is no room for now. kUnavailable: as above.
  virtual Result<size_t> Write(std::string_view bytes) = 0;
  // True if bytes wait to be read of which the descriptor says nothing.
  virtual bool buffered() const = 0;
  // True if it has ended because we do not trust the broker or it does not trust us. Says nothing
  // about MQTT.
  virtual bool security_failed() const = 0;
};

// Over `fd`, which outlives the channel. kUnavailable: a certificate or key cannot be read.
Result<std::unique_ptr<BrokerChannel>> MakeBrokerChannel(const ChannelOptions& options, int fd);

}  // namespace tidegate
