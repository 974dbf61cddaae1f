#include "bench/uplink_rig.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <cstdlib>

#include "tests/support/dev_broker/kafka_topic.h"
#include "uplink/uplink_config.h"

namespace tidegate::bench {

namespace {
constexpr auto kPatience = std::chrono::seconds(120);
}  // namespace

Microseconds CpuOf(int who) {
  rusage usage{};
  getrusage(who, &usage);
  const auto of = [](const timeval& time) {
    return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

void Fail(const std::string& why) {
  fmt::print(stderr, "{}\n", why);
  std::exit(1);
}

std::vector<Record> Heartbeats::Take(size_t count) {
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

std::string Brokers::NewTopic(int partitions) {
  const std::string topic =
      fmt::format("uplink-bench-{}-{}", SystemClock().Now().time_since_epoch().count(), ++topics);
  if (mock) {
    mock->CreateTopic(topic, partitions);
  } else if (const std::string error = MakeTopic(servers, topic, partitions, {}); !error.empty()) {
    Fail("create topic: " + error);
  }
  return topic;
}

kafka::ConfigRequest Brokers::Config() const {
  kafka::Properties all = settings;
  all["bootstrap.servers"] = servers;
  return UplinkConfig(kGateway, std::move(all), {});
}

Uplink::Uplink(const Brokers& brokers, const std::string& topic, tidegate::Store& store,
               std::chrono::milliseconds linger)
    : store_(store) {
  KafkaTransport::Options options;
  options.config = brokers.Config();
  auto transport = KafkaTransport::Create(options, loop_, clock_, log_, metrics_);
  if (!transport.ok()) Fail(transport.error().message);
  transport_ = *std::move(transport);
  Forwarder::Options forwarding;
  forwarding.gateway = kGateway;
  forwarding.topics.heartbeat = topic;
  forwarding.linger = linger;
  forwarder_ = std::make_unique<Forwarder>(store_, *transport_, loop_, clock_, log_, metrics_,
                                           std::move(forwarding));
  Store(1);
  RunUntilIdle();
}

void Uplink::Store(size_t count) {
  const std::vector<Record> records = heartbeats_.Take(count);
  AppendRequest request;
  request.batches = {{RecordClass::kHeartbeat, records}};
  request.stamp = StampNow(clock_);
  if (!store_.Append(request).ok()) Fail("append failed");
}

void Uplink::RunUntil(const std::function<bool()>& done) {
  if (!loop_.RunUntil(done, kPatience)) Fail("no progress: " + forwarder_->status().last_error);
}

void Uplink::RunUntilIdle() {
  Go();
  RunUntil([this] { return forwarder_->Idle(); });
}

void Uplink::RunFor(std::chrono::milliseconds duration) {
  loop_.RunUntil([] { return false; }, duration);
}

}  // namespace tidegate::bench
