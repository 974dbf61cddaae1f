// TLS 1.2 or later to a broker, by OpenSSL. The handshake happens in the first calls of Read() and
// Write(). Loop thread only.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "drivers/mqtt/channel/broker_channel.h"

namespace tidegate {

class TlsChannel final : public BrokerChannel {
 public:
  // Verifies the broker against options.host unless options.verify_peer is false.
  static Result<std::unique_ptr<BrokerChannel>> Make(const ChannelOptions& options, int fd);
  ~TlsChannel() override;

  Result<size_t> Read(std::span<char> buffer) override;
  Result<size_t> Write(std::string_view bytes) override;
  bool buffered() const override;
  bool security_failed() const override { return security_failed_; }

 private:
  struct State;

  TlsChannel();

  Status LoadFiles(const ChannelOptions& options);
  Status Open(const ChannelOptions& options, int fd);
  Result<size_t> Outcome(int result);
  std::string CauseOfEnd(bool closed, int system_error) const;

  std::unique_ptr<State> state_;
  // The broker has asked for a certificate of ours, and none is configured.
  bool certificate_wanted_ = false;
  bool security_failed_ = false;
};

}  // namespace tidegate
