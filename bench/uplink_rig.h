// What the parts of uplink_bench share: the fleet's heartbeats, the whole uplink on one store, and
// the brokers.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/dev_broker/mock_kafka.h"
#include "tests/support/memory_store.h"
#include "tests/support/poll_loop.h"
#include "tests/support/store_fixture.h"
#include "uplink/forwarder.h"
#include "uplink/kafka_transport.h"

namespace tidegate::bench {

using Microseconds = std::chrono::duration<double, std::micro>;
constexpr const char* kGateway = "gateway-0001";

// CPU used so far, of RUSAGE_THREAD or RUSAGE_SELF.
Microseconds CpuOf(int who);
[[noreturn]] void Fail(const std::string& why);

// Heartbeats of about 350 bytes, of 100 assets in turn.
class Heartbeats {
 public:
  std::vector<Record> Take(size_t count);
  double MeanBytes() const { return static_cast<double>(bytes_) / static_cast<double>(next_); }

 private:
  FleetSource fleet_;
  size_t next_ = 0;
  size_t bytes_ = 0;
};

// Mock brokers in this process, or those that KAFKA_BOOTSTRAP_SERVERS names.
struct Brokers {
  std::unique_ptr<MockKafka> mock;
  std::string servers;
  kafka::Properties settings;  // Of every client.
  int topics = 0;

  std::string NewTopic(int partitions);
  // The agent's settings, and these.
  kafka::ConfigRequest Config() const;
};

// The whole uplink, with one record delivered, so that it is warm.
class Uplink {
 public:
  // Over a store in memory.
  Uplink(const Brokers& brokers, const std::string& topic, std::chrono::milliseconds linger = {})
      : Uplink(brokers, topic, memory_, linger) {}
  // `store` outlives it.
  Uplink(const Brokers& brokers, const std::string& topic, tidegate::Store& store,
         std::chrono::milliseconds linger = {});
  void Store(size_t count);
  void Go() { forwarder_->OnStored(); }
  void RunUntil(const std::function<bool()>& done);
  void RunUntilIdle();
  void RunFor(std::chrono::milliseconds duration);
  uint64_t sent_bytes() const { return transport_->sent_bytes(); }
  uint64_t acked() const { return forwarder_->status().acked; }
  bool connected() const { return transport_->Connected(); }
  BootTime Now() const { return clock_.SinceBoot(); }
  double MeanBytes() const { return heartbeats_.MeanBytes(); }

 private:
  PollLoop loop_;
  SystemClock clock_;
  Log log_{LogLevel::kError};
  Metrics metrics_;
  MemoryStore memory_{{.gateway = kGateway, .max_bytes = 4ull << 30}};
  tidegate::Store& store_;
  Heartbeats heartbeats_;
  std::unique_ptr<KafkaTransport> transport_;
  std::unique_ptr<Forwarder> forwarder_;
};

// uplink_cuts.cc: from a link that is back to the first acknowledged record of a backlog.
void MeasureBrokersBack(const Brokers& brokers);
// In a network namespace of its own: root only. Fails otherwise.
enum class LinkCut { kInterfaceDown, kPacketsVanish };
void MeasureLinkCuts(const kafka::Properties& settings, LinkCut kind);
// uplink_baseline.cc: the drain against librdkafka alone with the same messages, in turn.
void MeasureDrainAgainstLibrary(Brokers& brokers, size_t records);

}  // namespace tidegate::bench
