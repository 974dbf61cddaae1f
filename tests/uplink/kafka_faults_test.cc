// Each fault of a Kafka cluster that the mock brokers know, met while a backlog of several assets
// drains: nothing is lost, nothing dropped, each asset's records arrive in order, and an alert
// overtakes the backlog.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>

#include <functional>
#include <map>
#include <memory>
#include <ostream>
#include <set>
#include <string>

#include "tests/support/dev_broker/mock_kafka.h"
#include "tests/support/memory_store.h"
#include "tests/support/poll_loop.h"
#include "uplink/forwarder.h"
#include "uplink/kafka_transport.h"
#include "uplink/uplink_config.h"

namespace tidegate {
namespace {

using namespace std::chrono_literals;

constexpr const char* kTopic = "telemetry.raw";
constexpr const char* kAlerts = "telemetry.alerts";
constexpr int kPartitions = 3;
constexpr size_t kBacklog = 2000;
constexpr size_t kAssets = 7;

struct Fault {
  std::string name;
  // Called when the backlog is in flight; `run` lets time pass.
  std::function<void(MockKafka&, const std::function<void(std::chrono::milliseconds)>& run)> happen;
  bool keeps_order = true;
};

Fault Answers(std::string name, std::vector<int> answers) {
  return {std::move(name), [answers = std::move(answers)](MockKafka& broker, const auto&) {
            broker.AnswerProduce(answers);
          }};
}

// The topic is refused in metadata, as a client without the right sees it, and comes back.
Fault Refused(std::string name, int error) {
  return {std::move(name), [error](MockKafka& broker, const auto& run) {
            broker.SetTopicError(kTopic, error);
            broker.AnswerProduce(std::vector<int>(3, error));
            run(1000ms);
            broker.SetTopicError(kTopic, 0);
          }};
}

void MoveLeaders(MockKafka& broker, const std::function<void(std::chrono::milliseconds)>& run) {
  for (int round = 0; round < 4; ++round) {
    for (int partition = 0; partition < kPartitions; ++partition) {
      broker.SetLeader(kTopic, partition, 1 + (partition + round) % 3);
    }
    run(200ms);
  }
}

const std::vector<Fault> kFaults{
    Answers("FatalProducer", {MockKafka::kDisconnect, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
                              RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER,
                              RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER,
                              RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER}),
    Answers("UnknownProducerId", {MockKafka::kTake, RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID}),
    Refused("TopicAuthorization", RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED),
    Answers("ClusterAuthorization", {RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED,
                                     RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED}),
    Refused("UnknownTopic", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART),
    Answers("TooLargeAsAWhole", {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE}),
    Answers("InvalidRecordAmongThem", {RD_KAFKA_RESP_ERR_INVALID_RECORD}),
    Answers("InvalidTimestampAmongThem", {RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP}),
    Answers("Damaged", {RD_KAFKA_RESP_ERR_INVALID_MSG}),
    {"BrokerRestart",
     [](MockKafka& broker, const auto& run) {
       broker.SetDown();
       run(1000ms);
       broker.SetUp();
     }},
    // The mock brokers take any sequence, as a broker does that does not know the producer: what is
    // sent after a refused request may be accepted before it, and the library calls both delivered.
    {"LeaderChange", MoveLeaders, false},
};

class KafkaFaultsTest : public ::testing::TestWithParam<Fault> {
 protected:
  KafkaFaultsTest() {
    broker_.CreateTopic(kTopic, kPartitions);
    broker_.CreateTopic(kAlerts, 1);
    // The mock cluster draws leaders by lot, and the first broker is the one that answers as told.
    for (int i = 0; i < kPartitions; ++i) broker_.SetLeader(kTopic, i, 1 + i);
    broker_.SetRoundTrip(40);
  }
  void Start() {
    KafkaTransport::Options options;
    options.config = UplinkConfig("gw-1",
                                  {{"bootstrap.servers", broker_.bootstrap_servers()},
                                   {"topic.metadata.propagation.max.ms", "100"},
                                   {"batch.num.messages", "50"}},
                                  {});
    auto transport = KafkaTransport::Create(options, loop_, clock_, log_, metrics_);
    ASSERT_TRUE(transport.ok()) << transport.error().message;
    transport_ = *std::move(transport);
    Forwarder::Options forwarding;
    forwarding.gateway = "gw-1";
    forwarding.max_in_flight_records = 300;
    forwarding.retry.max = 1s;
    forwarder_ = std::make_unique<Forwarder>(store_, *transport_, loop_, clock_, log_, metrics_,
                                             std::move(forwarding));
  }
  void Store(RecordClass record_class, size_t count) {
    std::vector<Record> records;
    for (size_t i = 0; i < count; ++i) {
      Record record;
      record.record_class = record_class;
      record.tenant = "acme";
      record.asset = "truck-" + std::to_string(stored_ % kAssets);
      record.value = std::to_string(++stored_);
      records.push_back(std::move(record));
    }
    AppendRequest request;
    request.batches = {{record_class, records}};
    request.stamp = StampNow(clock_);
    ASSERT_TRUE(store_.Append(request).ok());
    if (forwarder_) forwarder_->OnStored();
  }
  bool RunUntil(const std::function<bool()>& done) { return loop_.RunUntil(done, 40s); }
  void RunFor(std::chrono::milliseconds duration) {
    loop_.RunUntil([] { return false; }, duration);
  }
  uint64_t Waiting(RecordClass record_class) {
    return store_.Usage().records[static_cast<size_t>(record_class)];
  }
  // Each asset's first arrivals must ascend; repeats are the reader's to drop.
  void ExpectAllArrivedInOrder() {
    std::set<std::string> seen;
    std::map<std::string, uint64_t> last;
    for (const MockKafka::Message& message : broker_.Read(kTopic)) {
      if (!seen.insert(message.value).second) continue;
      const uint64_t number = std::stoull(message.value);
      const uint64_t before = std::exchange(last[message.key], number);
      if (GetParam().keeps_order) {
        EXPECT_LT(before, number) << message.key;
      }
    }
    EXPECT_EQ(seen.size(), kBacklog);
    EXPECT_EQ(last.size(), kAssets);
    EXPECT_EQ(broker_.Read(kAlerts).size(), 1U);
  }

  MockKafka broker_{3};
  PollLoop loop_;
  SystemClock clock_;
  Log log_{LogLevel::kError};
  Metrics metrics_;
  MemoryStore store_;
  std::unique_ptr<KafkaTransport> transport_;
  std::unique_ptr<Forwarder> forwarder_;
  uint64_t stored_ = 0;
};

TEST_P(KafkaFaultsTest, NothingIsLostOrderHoldsAndAnAlertOvertakes) {
  for (size_t i = 0; i < kBacklog / 100; ++i) Store(RecordClass::kReading, 100);
  Start();
  ASSERT_TRUE(RunUntil([this] { return forwarder_->status().acked > 0; }));
  GetParam().happen(broker_, [this](auto duration) { RunFor(duration); });
  Store(RecordClass::kAlert, 1);
  ASSERT_TRUE(RunUntil([this] { return Waiting(RecordClass::kAlert) == 0; }));
  EXPECT_GT(Waiting(RecordClass::kReading), 0U) << "the alert came last";
  ASSERT_TRUE(RunUntil([this] { return forwarder_->Idle(); })) << forwarder_->status().last_error;
  EXPECT_EQ(broker_.unused_answers(), 0U) << "the fault has not happened";
  ExpectAllArrivedInOrder();
  EXPECT_TRUE(store_.dead_letters().empty());
  EXPECT_EQ(Waiting(RecordClass::kReading), 0U);
}

// gtest prints a parameter's bytes otherwise.
void PrintTo(const Fault& fault, std::ostream* out) {
  *out << fault.name;
}

INSTANTIATE_TEST_SUITE_P(Faults, KafkaFaultsTest, ::testing::ValuesIn(kFaults),
                         [](const auto& fault) { return fault.param.name; });

}  // namespace
}  // namespace tidegate
