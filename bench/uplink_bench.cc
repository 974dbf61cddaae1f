// Measures what the uplink costs, on the Kafka that KAFKA_BOOTSTRAP_SERVERS names, else on mock
// brokers in this process:
//
//   wire      bytes of the Kafka protocol that are sent per record: batches of 1 to 500, each
//             acknowledged before the next; 200 is 100 msg/s with the default linger of 2 s
//   live      the same for 100 msg/s over 20 s: 20 every 200 ms, with the agent's linger
//   drain     a backlog: bytes per record, records per second up to the last acknowledgement, CPU
//             of the loop's thread and of all threads; with one and three partitions
//   baseline  the drain, in turn with librdkafka alone that produces the same messages
//   again     time from the brokers' return to the first acknowledged record (mock brokers only)
//   cut       the same for a link whose interface was down for 5 to 40 s
//   vanish    the same for a link that dropped all packets for 5 to 40 s
//
// cut and vanish need root and use mock brokers in a network namespace; without arguments all parts
// but these two run.
//
//   uplink_bench [wire|live|drain|baseline|again|cut|vanish ...] [property=value ...]
//
// The properties are librdkafka's, such as compression.level=9.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "bench/uplink_rig.h"

namespace tidegate::bench {
namespace {

using namespace std::chrono_literals;

constexpr size_t kBacklog = 20'000;
constexpr size_t kBaselineRecords = 200'000;

void Wire(Brokers& brokers, int partitions) {
  Uplink uplink(brokers, brokers.NewTopic(partitions));
  for (size_t batch : {1, 10, 20, 100, 200, 500}) {
    const size_t rounds = std::max<size_t>(10, 500 / batch);
    const uint64_t before = uplink.sent_bytes();
    for (size_t i = 0; i < rounds; ++i) {
      uplink.Store(batch);
      uplink.RunUntilIdle();
    }
    const double bytes = static_cast<double>(uplink.sent_bytes() - before);
    fmt::print("wire   {} partitions, batches of {:4}: {:6.1f} bytes a record (value {:.0f})\n",
               partitions, batch, bytes / static_cast<double>(batch * rounds), uplink.MeanBytes());
  }
}

void Live(Brokers& brokers, int partitions) {
  constexpr size_t kBatch = 20;
  constexpr size_t kBatches = 100;
  // The default of TIDEGATE_UPLINK_LINGER.
  constexpr auto kLinger = 2s;
  Uplink uplink(brokers, brokers.NewTopic(partitions), kLinger);
  const uint64_t before = uplink.sent_bytes();
  for (size_t i = 0; i < kBatches; ++i) {
    uplink.Store(kBatch);
    uplink.Go();
    uplink.RunFor(200ms);
  }
  uplink.RunUntilIdle();
  fmt::print("live   {} partitions, 100 msg/s: {:6.1f} bytes a record\n", partitions,
             static_cast<double>(uplink.sent_bytes() - before) / (kBatch * kBatches));
}

void Drain(Brokers& brokers, int partitions, size_t batch) {
  Uplink uplink(brokers, brokers.NewTopic(partitions));
  for (size_t stored = 0; stored < kBacklog; stored += batch) uplink.Store(batch);
  const uint64_t before = uplink.sent_bytes();
  const BootTime start = uplink.Now();
  const Microseconds thread = CpuOf(RUSAGE_THREAD);
  const Microseconds all = CpuOf(RUSAGE_SELF);
  uplink.RunUntilIdle();
  const double count = static_cast<double>(kBacklog);
  const double seconds = std::chrono::duration<double>(uplink.Now() - start).count();
  fmt::print(
      "drain  {} partitions, stored by {:4}: {:6.1f} bytes a record, {:7.0f} records/s, CPU a "
      "record: {:.2f} us loop, {:.2f} us all{}\n",
      partitions, batch, static_cast<double>(uplink.sent_bytes() - before) / count, count / seconds,
      (CpuOf(RUSAGE_THREAD) - thread).count() / count, (CpuOf(RUSAGE_SELF) - all).count() / count,
      brokers.mock ? " (brokers included)" : "");
}

void Run(Brokers& brokers, std::set<std::string> words) {
  if (words.empty()) words = {"wire", "live", "drain", "baseline", "again"};
  if (words.contains("wire")) {
    for (int partitions : {1, 3}) Wire(brokers, partitions);
  }
  if (words.contains("live")) {
    for (int partitions : {1, 3}) Live(brokers, partitions);
  }
  if (words.contains("drain")) {
    for (int partitions : {1, 3}) {
      for (size_t batch : {20, 200, 1000}) Drain(brokers, partitions, batch);
    }
  }
  if (words.contains("baseline")) MeasureDrainAgainstLibrary(brokers, kBaselineRecords);
  if (words.contains("again") && brokers.mock) MeasureBrokersBack(brokers);
}

}  // namespace
}  // namespace tidegate::bench

int main(int argc, char** argv) {
  namespace bench = tidegate::bench;
  const std::set<std::string> known{"wire", "live", "drain", "baseline", "again", "cut", "vanish"};
  bench::Brokers brokers;
  std::set<std::string> words;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const size_t equals = argument.find('=');
    if (equals != std::string::npos) {
      brokers.settings[argument.substr(0, equals)] = argument.substr(equals + 1);
    } else if (known.contains(argument)) {
      words.insert(argument);
    } else {
      fmt::print(stderr,
                 "usage: uplink_bench [wire|live|drain|baseline|again|cut|vanish ...] "
                 "[property=value ...]\n");
      return 2;
    }
  }
  if (words.contains("cut") || words.contains("vanish")) {
    bench::MeasureLinkCuts(brokers.settings, words.contains("cut")
                                                 ? bench::LinkCut::kInterfaceDown
                                                 : bench::LinkCut::kPacketsVanish);
    return 0;
  }
  if (const char* servers = std::getenv("KAFKA_BOOTSTRAP_SERVERS")) {
    brokers.servers = servers;
  } else {
    brokers.mock = std::make_unique<tidegate::MockKafka>(1);
    brokers.servers = brokers.mock->bootstrap_servers();
  }
  bench::Run(brokers, words);
  return 0;
}
