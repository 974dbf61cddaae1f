// The rig of uplink_bench: the simulated fleet's heartbeats, the whole uplink over one store, and
// the brokers. One thread. Every failure prints its reason and exits.
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

// Returns the CPU time used so far by `who`: RUSAGE_THREAD or RUSAGE_SELF.
Microseconds CpuOf(int who);
// Prints the reason and exits with 1.
[[noreturn]] void Fail(const std::string& why);

// Makes heartbeats of about 350 bytes, of 100 assets in turn.
class Heartbeats {
 public:
  std::vector<Record> Take(size_t count);
  // Returns the mean size of the values made so far.
  double MeanBytes() const { return static_cast<double>(bytes_) / static_cast<double>(next_); }

 private:
  FleetSource fleet_;
  size_t next_ = 0;
  size_t bytes_ = 0;
};

// Mock brokers in this process, or those that KAFKA_BOOTSTRAP_SERVERS names.
struct Brokers {
  // Null if the brokers are real.
  std::unique_ptr<MockKafka> mock;
  std::string servers;
  // Properties of every client, from the command line.
  kafka::Properties settings;
  // The number of topics made so far.
  int topics = 0;

  // Makes a topic and returns its name.
  std::string NewTopic(int partitions);
  // Returns the agent's properties together with `settings`.
  kafka::ConfigRequest Config() const;
};

// The whole uplink on a loop of its own. The constructor delivers one record, so that connections
// and metadata exist before a measurement.
class Uplink {
 public:
  // Uses a store in memory.
  Uplink(const Brokers& brokers, const std::string& topic, std::chrono::milliseconds linger = {})
      : Uplink(brokers, topic, memory_, linger) {}
  // `store` must outlive the uplink.
  Uplink(const Brokers& brokers, const std::string& topic, tidegate::Store& store,
         std::chrono::milliseconds linger = {});
  // Appends one batch of `count` heartbeats. Go() lets the forwarder send it.
  void Store(size_t count);
  void Go() { forwarder_->OnStored(); }
  // Fails if `done` does not hold within two minutes.
  void RunUntil(const std::function<bool()>& done);
  // Calls Go() and runs until everything stored is delivered.
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

// Prints the times from the return of mock brokers to the first acknowledged record of a backlog.
// `brokers` must be mock brokers. Defined in uplink_cuts.cc.
void MeasureBrokersBack(const Brokers& brokers);
// Prints the same times for a link that is cut, in a network namespace of its own. Needs root and
// fails without it. Defined in uplink_cuts.cc.
enum class LinkCut { kInterfaceDown, kPacketsVanish };
void MeasureLinkCuts(const kafka::Properties& settings, LinkCut kind);
// Compares the drain with librdkafka alone, which produces the same messages, in turn. Defined in
// uplink_baseline.cc.
void MeasureDrainAgainstLibrary(Brokers& brokers, size_t records);

}  // namespace tidegate::bench
