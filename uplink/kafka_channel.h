// One way to Kafka: an idempotent producer, which is replaced whenever it fails. Loop thread only;
// nothing waits. The library's threads are listed in uplink/README.md.
//
// Invariant: each accepted message is in flight in the producer, or its report is in reports_:
// CheckReports().
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
#include "uplink/client_ends.h"
#include "uplink/link_state.h"
#include "uplink/transport.h"

namespace tidegate {

class KafkaProducer;

class KafkaChannel {
 public:
  struct Options {
    kafka::ConfigRequest config;
    // The wait before a producer is replaced that failed before any broker acknowledged or refused
    // a record of it; others are replaced at once.
    Backoff::Options recreate{std::chrono::milliseconds(200), std::chrono::seconds(30)};
    // How long a failed or recalled producer may still report on its records in flight. A longer
    // time only delays the next producer.
    std::chrono::milliseconds last_reports{2000};
    // Seed of the waits.
    uint64_t seed = 0;
  };

  // All of them outlive the channel.
  struct Parts {
    Loop& loop;
    const Clock& clock;
    const Log& log;
    Metrics& metrics;
    ClientEnds& ends;
  };

  // Starts to connect. `on_activity` is called as Transport::OnActivity says. kInvalid: the
  // configuration can never work; the message names every problem. kUnavailable: no file descriptor
  // is left.
  static Result<std::unique_ptr<KafkaChannel>> Create(Options options, const Parts& parts,
                                                      std::function<void()> on_activity);
  ~KafkaChannel();
  KafkaChannel(const KafkaChannel&) = delete;
  KafkaChannel& operator=(const KafkaChannel&) = delete;

  // As Transport. A failed producer has no room until it is replaced.
  Status Send(Seq seq, const WireMessage& message);
  void Drain(const std::function<void(const Transport::Report&)>& on_report);
  // Replaces the producer. A connected one has Options::last_reports to report.
  void Recall(const std::string& reason);
  bool Connected() const;
  // Accepted messages whose reports Drain() has not yet passed on.
  size_t unreported() const { return unreported_; }

  // Bytes of the Kafka protocol by direction, of all producers so far: compressed, without TLS, TCP
  // and IP.
  uint64_t sent_bytes() const { return earlier_sent_bytes_ + link_->sent_bytes(); }
  uint64_t received_bytes() const { return earlier_received_bytes_ + link_->received_bytes(); }

 private:
  KafkaChannel(Options options, const Parts& parts, std::function<void()> on_activity,
               std::shared_ptr<LinkState> link);

  Status StartProducer();
  void OnWake();
  void EndSlowAttempts();
  void Poll();
  void Bury();
  void Replace();
  void CheckReports() const;

  Options options_;
  const Parts parts_;
  const std::function<void()> on_activity_;
  Metrics::Counter& recreated_;
  kafka::ClientLog client_log_;
  LogLimit failure_limit_;
  Backoff backoff_;

  std::shared_ptr<LinkState> link_;
  std::unique_ptr<FdWatch> watch_;
  // Fires at the next deadline of an attempt to connect.
  std::unique_ptr<Timer> attempts_timer_;
  // Fires at the deadline for the last reports of a failed producer.
  std::unique_ptr<Timer> bury_timer_;
  // Fires when the next producer is to be made.
  std::unique_ptr<Timer> replace_timer_;
  // Null from Bury() to Replace().
  std::unique_ptr<KafkaProducer> producer_;
  std::string last_failure_;
  // Reports that Drain() has not yet passed on.
  std::vector<Transport::Report> reports_;
  size_t unreported_ = 0;
  // The bytes of earlier producers.
  uint64_t earlier_sent_bytes_ = 0;
  uint64_t earlier_received_bytes_ = 0;
  // Whether a broker has acknowledged or refused a record of this producer.
  bool answered_ = false;
};

}  // namespace tidegate
