// The uplink to Kafka: a Transport of two channels, one for each Route. That of Route::kTrial is
// made when it is first used, and ends when it was unused for a while. Loop thread only; nothing
// waits.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/clock.h"
#include "core/log.h"
#include "core/loop/loop.h"
#include "core/metrics.h"
#include "uplink/client_ends.h"
#include "uplink/kafka_channel.h"
#include "uplink/transport.h"

namespace tidegate {

class KafkaTransport final : public Transport {
 public:
  struct Options : KafkaChannel::Options {
    // `config` is of UplinkConfig().
    // How long Route::kTrial stays connected without use. It costs some 2 MB of memory.
    std::chrono::milliseconds trial_idle = std::chrono::minutes(15);
  };

  // Starts to connect. All references outlive the transport. Errors as KafkaChannel::Create().
  static Result<std::unique_ptr<KafkaTransport>> Create(Options options, Loop& loop,
                                                        const Clock& clock, const Log& log,
                                                        Metrics& metrics);
  ~KafkaTransport() override;

  Status Send(Seq seq, const WireMessage& message, Route route) override;
  void Drain(const std::function<void(const Report&)>& on_report) override;
  void Recall(const std::string& reason) override;
  void OnActivity(std::function<void()> callback) override { on_activity_ = std::move(callback); }
  bool Connected() const override { return main_->Connected(); }
  // Bytes of the Kafka protocol, without TLS, TCP and IP.
  uint64_t LinkBytes() const override { return sent_bytes() + received_bytes(); }

  // Bytes of the Kafka protocol by direction, of all producers so far: compressed, without TLS, TCP
  // and IP.
  uint64_t sent_bytes() const;
  uint64_t received_bytes() const;

 private:
  KafkaTransport(Options options, Loop& loop, const Clock& clock, const Log& log, Metrics& metrics);

  Status OpenTrial();
  // Ends the trial channel if it was unused long enough.
  void CloseIdleTrial();
  void OnChannelActivity();

  const Options options_;
  ClientEnds ends_;
  const KafkaChannel::Parts parts_;
  Metrics::Gauge& connected_gauge_;
  Metrics::Counter& sent_counter_;
  Metrics::Counter& received_counter_;
  std::function<void()> on_activity_;

  std::unique_ptr<KafkaChannel> main_;
  // Null while no message needs it.
  std::unique_ptr<KafkaChannel> trial_;
  std::unique_ptr<Timer> trial_timer_;
  BootTime trial_used_{0};
  // The bytes of earlier trial channels.
  uint64_t earlier_sent_bytes_ = 0;
  uint64_t earlier_received_bytes_ = 0;
};

}  // namespace tidegate
