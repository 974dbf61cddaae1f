// The uplink to Kafka: an idempotent producer that is made anew whenever it dies. Loop thread only;
// nothing waits. Threads of the library: uplink/README.md.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/backoff.h"
#include "core/clock.h"
#include "core/kafka/client_log.h"
#include "core/kafka/kafka_config.h"
#include "core/log.h"
#include "core/loop/loop.h"
#include "core/metrics.h"
#include "uplink/link_state.h"
#include "uplink/transport.h"

namespace tidegate {

class KafkaProducer;

class KafkaTransport final : public Transport {
 public:
  struct Options {
    kafka::ConfigRequest config;  // UplinkConfig() makes it.
    // Between producers that die without one acknowledgement in between; the first is replaced at
    // once.
    Backoff::Options recreate{std::chrono::milliseconds(200), std::chrono::seconds(30)};
    // How long a producer that has failed or is recalled may still report what was on its way;
    // longer only delays the next one.
    std::chrono::milliseconds last_reports{2000};
    uint64_t seed = 0;  // Of the backoff.
  };

  // Starts to connect. kInvalid: a configuration that can never work; the message names all that is
  // wrong.
  static Result<std::unique_ptr<KafkaTransport>> Create(Options options, Loop& loop,
                                                        const Clock& clock, const Log& log,
                                                        Metrics& metrics);
  ~KafkaTransport() override;

  Status Send(Seq seq, const WireMessage& message) override;
  void Drain(const std::function<void(const Report&)>& on_report) override;
  // By a new producer. One that is connected has Options::last_reports to report.
  void Recall(const std::string& reason) override;
  void OnActivity(std::function<void()> callback) override { on_activity_ = std::move(callback); }
  bool Connected() const override;
  // Of the Kafka protocol: without TLS, TCP and IP.
  uint64_t LinkBytes() const override { return sent_bytes() + received_bytes(); }

  // Bytes of the Kafka protocol sent to brokers so far, by all producers: compressed, without TLS,
  // TCP and IP.
  uint64_t sent_bytes() const { return earlier_sent_bytes_ + link_->sent_bytes(); }
  uint64_t received_bytes() const { return earlier_received_bytes_ + link_->received_bytes(); }

 private:
  KafkaTransport(Options options, std::shared_ptr<LinkState> link, Loop& loop, const Clock& clock,
                 const Log& log, Metrics& metrics);

  Status StartProducer();
  void OnWake();
  void EndSlowAttempts();
  void Poll();
  void Bury();
  void Replace();
  void CountBytes();

  Options options_;
  const Log& log_;
  Metrics::Gauge& connected_gauge_;
  Metrics::Counter& recreated_;
  Metrics::Counter& sent_counter_;
  Metrics::Counter& received_counter_;
  const Clock& clock_;
  kafka::ClientLog client_log_;
  Backoff backoff_;
  std::function<void()> on_activity_;
  Loop& loop_;

  std::shared_ptr<LinkState> link_;
  std::unique_ptr<FdWatch> watch_;
  std::unique_ptr<Timer> attempts_timer_;  // The next deadline of an attempt to connect.
  std::unique_ptr<Timer> bury_timer_;     // The deadline for the last reports of a failed producer.
  std::unique_ptr<Timer> replace_timer_;  // Until the next producer is made.
  std::unique_ptr<KafkaProducer> producer_;
  std::string last_failure_;
  std::vector<Report> reports_;
  uint64_t earlier_sent_bytes_ = 0;  // Of the producers before this one.
  uint64_t earlier_received_bytes_ = 0;
  bool answered_ =
      false;  // Whether a broker has acknowledged or refused a record of this producer.
};

}  // namespace tidegate
