// What the uplink costs, on the Kafka that KAFKA_BOOTSTRAP_SERVERS names, else on mock brokers in
// this process:
//   wire     bytes sent to the broker per record, of the Kafka protocol: batches of 1 to 500, each
//   acknowledged before the next,
//            and a backlog that drains; one and three partitions
//   drain    records a second from a store in memory to their acknowledgement, CPU of the loop's
//   thread and of all threads again    from the brokers being back to the first acknowledged record
//   (mock brokers only)
// Usage: uplink_bench [property=value ...]     librdkafka's properties, such as compression.level=9
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/dev_broker/kafka_topic.h"
#include "tests/support/dev_broker/mock_kafka.h"
#include "tests/support/memory_store.h"
#include "tests/support/poll_loop.h"
#include "tests/support/store_fixture.h"
#include "uplink/forwarder.h"
#include "uplink/kafka_transport.h"
#include "uplink/uplink_config.h"

namespace tidegate {
namespace {

using namespace std::chrono_literals;
using Microseconds = std::chrono::duration<double, std::micro>;

constexpr auto kPatience = 60s;
constexpr size_t kBacklog = 20'000;  // What a mock partition can hold, compressed, is far more.

Microseconds CpuOf(int who) {
  rusage usage{};
  getrusage(who, &usage);
  const auto of = [](const timeval& time) {
    return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

// Heartbeats of about 350 bytes.
class Heartbeats {
 public:
  std::vector<Record> Take(size_t count) {
    std::vector<Record> records = fleet_.Take(count);
    for (Record& record : records) {
      record.value.resize(record.value.size() - 2);
      record.value +=
          fmt::format(R"(,"heading_deg":{},"satellites":{}}}}})", next_ * 7 % 360, 7 + next_ % 5);
      bytes_ += record.value.size();
      ++next_;
    }
    return records;
  }
  double MeanBytes() const { return static_cast<double>(bytes_) / static_cast<double>(next_); }

 private:
  FleetSource fleet_;
  size_t next_ = 0;
  size_t bytes_ = 0;
};

// The whole uplink over a store in memory.
class Uplink {
 public:
  Uplink(const std::string& servers, const std::string& topic, kafka::Properties settings) {
    settings["bootstrap.servers"] = servers;
    KafkaTransport::Options options;
    options.config = UplinkConfig("gateway-0001", std::move(settings), {});
    auto transport = KafkaTransport::Create(options, loop_, clock_, log_, metrics_);
    if (!transport.ok()) {
      fmt::print(stderr, "{}\n", transport.error().message);
      std::exit(2);
    }
    transport_ = *std::move(transport);
    Forwarder::Options forwarding;
    forwarding.gateway = "gateway-0001";
    forwarding.topics.heartbeat = topic;
    forwarder_ = std::make_unique<Forwarder>(store_, *transport_, loop_, clock_, log_, metrics_,
                                             std::move(forwarding));
    Store(1);
    RunUntilIdle();
  }
  void Store(size_t count) {
    const std::vector<Record> records = heartbeats_.Take(count);
    AppendRequest request;
    request.batches = {{RecordClass::kHeartbeat, records}};
    request.stamp = StampNow(clock_);
    if (!store_.Append(request).ok()) std::exit(1);
  }
  void Go() { forwarder_->OnStored(); }
  void RunUntil(const std::function<bool()>& done) {
    if (loop_.RunUntil(done, kPatience)) return;
    fmt::print(stderr, "no progress: {}\n", forwarder_->status().last_error);
    std::exit(1);
  }
  void RunUntilIdle() {
    Go();
    RunUntil([this] { return forwarder_->Idle(); });
  }
  void RunFor(std::chrono::milliseconds duration) {
    loop_.RunUntil([] { return false; }, duration);
  }
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
  MemoryStore store_;
  Heartbeats heartbeats_;
  std::unique_ptr<KafkaTransport> transport_;
  std::unique_ptr<Forwarder> forwarder_;
};

struct Bench {
  kafka::Properties settings;
  std::unique_ptr<MockKafka> mock;
  std::string servers;
  int topics = 0;

  std::string NewTopic(int partitions) {
    const std::string topic =
        fmt::format("uplink-bench-{}-{}", SystemClock().Now().time_since_epoch().count(), ++topics);
    if (mock) {
      mock->CreateTopic(topic, partitions);
    } else if (const std::string error = MakeTopic(servers, topic, partitions, {});
               !error.empty()) {
      fmt::print(stderr, "create topic: {}\n", error);
      std::exit(1);
    }
    return topic;
  }

  void Wire(int partitions) {
    Uplink uplink(servers, NewTopic(partitions), settings);
    for (size_t batch : {1, 10, 20, 100, 500}) {
      const size_t rounds = std::max<size_t>(10, 500 / batch);
      const uint64_t before = uplink.sent_bytes();
      for (size_t i = 0; i < rounds; ++i) {
        uplink.Store(batch);
        uplink.RunUntilIdle();
      }
      const double bytes = static_cast<double>(uplink.sent_bytes() - before);
      fmt::print("wire   {} partitions, batches of {:4}: {:6.1f} bytes a record (value {:.0f})\n",
                 partitions, batch, bytes / static_cast<double>(batch * rounds),
                 uplink.MeanBytes());
    }
  }

  void Drain(int partitions, size_t batch) {
    Uplink uplink(servers, NewTopic(partitions), settings);
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
        "record: "
        "{:.2f} us loop, {:.2f} us all{}\n",
        partitions, batch, static_cast<double>(uplink.sent_bytes() - before) / count,
        count / seconds, (CpuOf(RUSAGE_THREAD) - thread).count() / count,
        (CpuOf(RUSAGE_SELF) - all).count() / count, mock ? " (brokers included)" : "");
  }

  void Again() {
    Uplink uplink(servers, NewTopic(1), settings);
    std::vector<double> waits;
    for (int i = 0; i < 21; ++i) {
      mock->SetDown();
      uplink.RunUntil([&] { return !uplink.connected(); });
      uplink.Store(100);
      uplink.Go();
      uplink.RunFor(2000ms + i * 97ms);
      const uint64_t before = uplink.acked();
      mock->SetUp();
      const BootTime start = uplink.Now();
      uplink.RunUntil([&] { return uplink.acked() > before; });
      waits.push_back(std::chrono::duration<double>(uplink.Now() - start).count());
      uplink.RunUntilIdle();
    }
    std::ranges::sort(waits);
    fmt::print("again  {} cuts: median {:.3f} s, longest {:.3f} s\n", waits.size(),
               waits[waits.size() / 2], waits.back());
  }
};

}  // namespace
}  // namespace tidegate

int main(int argc, char** argv) {
  tidegate::Bench bench;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const size_t equals = argument.find('=');
    if (equals == std::string::npos) {
      fmt::print(stderr, "usage: uplink_bench [property=value ...]\n");
      return 2;
    }
    bench.settings[argument.substr(0, equals)] = argument.substr(equals + 1);
  }
  if (const char* servers = std::getenv("KAFKA_BOOTSTRAP_SERVERS")) {
    bench.servers = servers;
  } else {
    bench.mock = std::make_unique<tidegate::MockKafka>(1);
    bench.servers = bench.mock->bootstrap_servers();
  }
  bench.Wire(1);
  for (int partitions : {1, 3}) {
    for (size_t batch : {20, 200, 1000}) bench.Drain(partitions, batch);
  }
  if (bench.mock) bench.Again();
  return 0;
}
