// One librdkafka producer, from rd_kafka_new() to its end. After a fatal error it sends nothing
// more: KafkaChannel replaces it. Loop thread only.
//
// Invariants, each with the check that guards it:
//   - a slot holds one record in flight or none: TakeSlot(), Send()
//   - each record in flight gets exactly one report: Abandon(); a second one from the library is
//     ignored and logged: OnReports()
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/kafka/client_log.h"
#include "core/kafka/kafka_handle.h"
#include "core/result.h"
#include "uplink/client_ends.h"
#include "uplink/link_state.h"
#include "uplink/transport.h"

namespace tidegate {

class KafkaProducer {
 public:
  using OnReport = std::function<void(Transport::Report)>;

  // Wakes `link` when Poll() has something to do. The client connects in the background. `log` and
  // `ends` outlive the producer. kInvalid: the library refuses the configuration.
  static Result<std::unique_ptr<KafkaProducer>> Create(kafka::ConfHandle conf,
                                                       std::shared_ptr<LinkState> link,
                                                       kafka::ClientLog& log, ClientEnds& ends);
  // Does not wait for the library's threads.
  ~KafkaProducer();
  KafkaProducer(const KafkaProducer&) = delete;
  KafkaProducer& operator=(const KafkaProducer&) = delete;

  // See Transport::Send(). kFull also after a failure.
  Status Send(Seq seq, const WireMessage& message);
  // Serves the reports, errors and log lines that have arrived.
  void Poll(const OnReport& on_report);
  // Reports kReturned for each record in flight. REQUIRES: it has failed, and nothing is sent or
  // polled afterwards.
  void Abandon(const OnReport& on_report);

  // Has the effect of a fatal error: nothing more is sent.
  void Fail(std::string reason);
  // The fatal error, for people; empty while the producer works.
  const std::string& failure() const { return failure_; }
  // Records accepted by Send() and not yet reported on.
  size_t in_flight() const { return slots_.size() - free_slots_.size(); }

 private:
  KafkaProducer(std::shared_ptr<LinkState> link, kafka::ClientLog& log, ClientEnds& ends,
                kafka::ClientHandle client);

  void* TakeSlot(Seq seq);
  // nullopt: no record is in flight under this pointer.
  std::optional<Seq> FreeSlot(const void* opaque);
  // Returns nullptr if the name can be no topic's.
  rd_kafka_topic_t* TopicFor(const std::string& name);
  // Requests the topic's metadata; nullptr: of all topics that were used.
  void AskForPartitions(rd_kafka_topic_t* topic);
  int Produce(const WireMessage& message, void* opaque);
  Status Refused(const WireMessage& message, int code);
  void OnReports(rd_kafka_event_t* event, const OnReport& on_report);
  void NoteFatal();

  std::shared_ptr<LinkState> link_;
  kafka::ClientLog& log_;
  ClientEnds& ends_;
  kafka::ClientHandle client_;
  kafka::QueueHandle queue_;
  std::unordered_map<std::string, kafka::TopicHandle> topics_;
  // The seqs in flight. A message's opaque pointer is its slot plus one, because a pointer of 32
  // bits cannot hold a Seq.
  std::vector<Seq> slots_;
  std::vector<uint32_t> free_slots_;
  // No broker was ready when partitions were requested.
  bool ask_again_ = false;
  std::string failure_;
};

}  // namespace tidegate
