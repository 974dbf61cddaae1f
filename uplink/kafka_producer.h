// One life of librdkafka's producer, from rd_kafka_new() to its end. It dies of a fatal error and
// is not repaired: KafkaTransport makes the next one. Loop thread only.
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
#include "uplink/link_state.h"
#include "uplink/transport.h"

namespace tidegate {

class KafkaProducer {
 public:
  using OnReport = std::function<void(Transport::Report)>;

  // Wakes `link` when Poll has something to do. The client connects in the background. kInvalid:
  // the library refuses the configuration. `log` outlives the producer.
  static Result<std::unique_ptr<KafkaProducer>> Create(kafka::ConfHandle conf,
                                                       std::shared_ptr<LinkState> link,
                                                       kafka::ClientLog& log);
  // Waits a little for the library's threads; what takes longer (a name server that does not
  // answer) ends by itself later.
  ~KafkaProducer();
  KafkaProducer(const KafkaProducer&) = delete;
  KafkaProducer& operator=(const KafkaProducer&) = delete;

  // As Transport::Send.
  Status Send(Seq seq, const WireMessage& message);
  // Serves the reports, errors and log lines that have come in.
  void Poll(const OnReport& on_report);
  // Every record without a report gets kRetry now. REQUIRES: nothing is sent or polled after this.
  void GiveUp(const OnReport& on_report);

  // Ends it as a fatal error does: nothing is sent any more.
  void Fail(std::string reason);
  // The fatal error, for people; empty while the producer works.
  const std::string& failure() const { return failure_; }
  // Accepted by Send and not yet reported.
  size_t in_flight() const { return slots_.size() - free_slots_.size(); }

 private:
  KafkaProducer(std::shared_ptr<LinkState> link, kafka::ClientLog& log, kafka::ClientHandle client);

  void* TakeSlot(Seq seq);
  // nullopt: no record is in flight under this pointer.
  std::optional<Seq> FreeSlot(const void* opaque);
  // nullptr: no such name can be.
  rd_kafka_topic_t* TopicFor(const std::string& name);
  // nullptr: of all topics that have been used.
  void AskForPartitions(rd_kafka_topic_t* topic);
  int Produce(const WireMessage& message, void* opaque);
  Status Refused(const WireMessage& message, int code);
  void OnReports(rd_kafka_event_t* event, const OnReport& on_report);
  void NoteFatal();

  std::shared_ptr<LinkState> link_;
  kafka::ClientLog& log_;
  kafka::ClientHandle client_;
  kafka::QueueHandle queue_;
  std::unordered_map<std::string, kafka::TopicHandle> topics_;
  // A message's opaque pointer is its slot plus one: a pointer of 32 bits cannot hold a Seq.
  std::vector<Seq> slots_;
  std::vector<uint32_t> free_slots_;
  bool ask_again_ = false;  // For partitions, when a broker is ready.
  std::string failure_;
};

}  // namespace tidegate
