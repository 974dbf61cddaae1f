// The whole uplink, forwarder and Kafka client, against brokers that fail in every way the mock
// cluster knows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <memory>
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
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr const char* kTopic = "telemetry.raw";

class KafkaUplinkTest : public ::testing::Test {
 protected:
  KafkaUplinkTest() { broker_.CreateTopic(kTopic, 1); }

  void Start(kafka::Properties settings = {}) {
    settings["bootstrap.servers"] = broker_.bootstrap_servers();
    KafkaTransport::Options options;
    options.config = UplinkConfig("gw-1", std::move(settings), {});
    auto transport = KafkaTransport::Create(options, loop_, clock_, log_, metrics_);
    ASSERT_TRUE(transport.ok()) << transport.error().message;
    transport_ = *std::move(transport);
    Forwarder::Options forwarding;
    forwarding.gateway = "gw-1";
    forwarder_ = std::make_unique<Forwarder>(store_, *transport_, loop_, clock_, log_, metrics_,
                                             std::move(forwarding));
    ASSERT_TRUE(loop_.RunUntil([this] { return transport_->Connected(); }));
  }
  void Store(const std::vector<std::string>& values, bool clock_synced = false) {
    std::vector<Record> records;
    for (const std::string& value : values) {
      Record record;
      record.record_class = RecordClass::kReading;
      record.tenant = "acme";
      record.asset = "truck-1";
      record.value = value;
      record.time = clock_.Now();
      record.clock_synced = clock_synced;
      records.push_back(std::move(record));
    }
    AppendRequest request;
    request.batches = {{RecordClass::kReading, records}};
    request.stamp = StampNow(clock_);
    ASSERT_TRUE(store_.Append(request).ok());
    forwarder_->OnStored();
  }
  static std::vector<std::string> Values(int first, int last) {
    std::vector<std::string> values;
    for (int i = first; i <= last; ++i) values.push_back("v" + std::to_string(i));
    return values;
  }
  bool RunUntilIdle(std::chrono::seconds limit = 20s) {
    return loop_.RunUntil([this] { return forwarder_->Idle(); }, limit);
  }
  void RunFor(std::chrono::milliseconds duration) {
    loop_.RunUntil([] { return false; }, duration);
  }
  // In the order of arrival, repeats included.
  std::vector<std::string> Arrived() {
    std::vector<std::string> values;
    for (const MockKafka::Message& message : broker_.Read(kTopic)) values.push_back(message.value);
    return values;
  }
  // Each first arrival, in order: what a reader makes of it.
  std::vector<std::string> ArrivedOnce() {
    std::vector<std::string> once;
    std::set<std::string> seen;
    for (std::string& value : Arrived()) {
      if (seen.insert(value).second) once.push_back(std::move(value));
    }
    return once;
  }
  bool ProducerWasReplaced() {
    return metrics_.Text().find("tidegate_uplink_producers_replaced_total 0") == std::string::npos;
  }

  MockKafka broker_;
  PollLoop loop_;
  SystemClock clock_;
  Log log_{LogLevel::kError};
  Metrics metrics_;
  MemoryStore store_;
  std::unique_ptr<KafkaTransport> transport_;
  std::unique_ptr<Forwarder> forwarder_;
};

TEST_F(KafkaUplinkTest, CarriesKeyValueHeadersAndTimestamp) {
  Start();
  Store({"{}"}, true);
  ASSERT_TRUE(RunUntilIdle());
  const std::vector<MockKafka::Message> messages = broker_.Read(kTopic);
  ASSERT_THAT(messages, SizeIs(1));
  EXPECT_EQ(messages[0].key, "acme/truck-1");
  EXPECT_EQ(messages[0].value, "{}");
  EXPECT_EQ(messages[0].headers.at("tg-id"), "gw-1:" + store_.epoch() + ":1");
  EXPECT_EQ(messages[0].headers.at("tg-kind"), "reading");
  EXPECT_GT(messages[0].timestamp_ms, 0);
}

TEST_F(KafkaUplinkTest, ATimeThatNobodyVouchesForIsNoTimestamp) {
  Start();
  Store({"{}"});
  ASSERT_TRUE(RunUntilIdle());
  const std::vector<MockKafka::Message> messages = broker_.Read(kTopic);
  ASSERT_THAT(messages, SizeIs(1));
  EXPECT_EQ(messages[0].headers.at("tg-clock"), "unsynced");
  EXPECT_EQ(messages[0].timestamp_ms, -1);
}

TEST_F(KafkaUplinkTest, ErrorsThatPassAreRepeatedByTheClient) {
  Start();
  broker_.AnswerProduce({RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
                         RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
                         RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS});
  Store(Values(1, 100));
  ASSERT_TRUE(RunUntilIdle());
  EXPECT_THAT(Arrived(), ElementsAreArray(Values(1, 100)));
  EXPECT_FALSE(ProducerWasReplaced());
}

TEST_F(KafkaUplinkTest, AConnectionThatBreaksLosesNothing) {
  Start();
  broker_.AnswerProduce({MockKafka::kDisconnect});
  Store(Values(1, 100));
  ASSERT_TRUE(RunUntilIdle());
  EXPECT_THAT(ArrivedOnce(), ElementsAreArray(Values(1, 100)));
}

TEST_F(KafkaUplinkTest, BrokersThatGoAwayAndComeBackLoseNothing) {
  Start();
  Store(Values(1, 50));
  ASSERT_TRUE(RunUntilIdle());
  broker_.SetDown();
  ASSERT_TRUE(loop_.RunUntil([this] { return !transport_->Connected(); }));
  Store(Values(51, 100));
  RunFor(1500ms);
  EXPECT_FALSE(forwarder_->Idle());
  broker_.SetUp();
  ASSERT_TRUE(RunUntilIdle());
  EXPECT_THAT(Arrived(), ElementsAreArray(Values(1, 100)));
  EXPECT_TRUE(forwarder_->status().connected);
}

// librdkafka 2.0.2 on a bad link: requests cut off on their way, then answers that no longer fit
// its sequence numbers.
TEST_F(KafkaUplinkTest, AProducerThatDiesIsReplacedAndEverythingArrivesInOrder) {
  Start({{"batch.num.messages", "10"}, {"linger.ms", "0"}});
  broker_.SetRoundTrip(50);
  broker_.AnswerProduce({MockKafka::kDisconnect, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
                         RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER,
                         RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER,
                         RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER});
  Store(Values(1, 200));
  ASSERT_TRUE(RunUntilIdle());
  EXPECT_TRUE(ProducerWasReplaced());
  EXPECT_THAT(ArrivedOnce(), ElementsAreArray(Values(1, 200)));
  EXPECT_GT(forwarder_->status().retried, 0U);
}

TEST_F(KafkaUplinkTest, ARefusalDoesNotLetLaterRequestsOvertake) {
  Start({{"batch.num.messages", "10"}, {"linger.ms", "0"}});
  broker_.SetRoundTrip(30);
  broker_.AnswerProduce({RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
                         RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER,
                         RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER,
                         RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER,
                         RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER});
  Store(Values(1, 100));
  ASSERT_TRUE(RunUntilIdle());
  EXPECT_THAT(ArrivedOnce(), ElementsAreArray(Values(1, 100)));
  EXPECT_THAT(store_.dead_letters(), IsEmpty());
}

TEST_F(KafkaUplinkTest, OnlyTheRecordThatIsRefusedAloneIsGivenUp) {
  Start();
  std::vector<std::string> values = Values(1, 20);
  values[10] = std::string(100'000, 'x');
  // The whole, then [1, 10] taken, then the large one, and again without its timestamp if it had
  // one; then the rest.
  broker_.AnswerProduce({RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, MockKafka::kTake,
                         RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE});
  Store(values);
  ASSERT_TRUE(RunUntilIdle());
  EXPECT_EQ(broker_.unused_answers(), 0U);
  ASSERT_THAT(store_.dead_letters(), SizeIs(1));
  EXPECT_THAT(store_.dead_letters()[0].payload, SizeIs(100'000));
  EXPECT_THAT(store_.dead_letters()[0].reason, HasSubstr("MSG_SIZE_TOO_LARGE"));
  values.erase(values.begin() + 10);
  EXPECT_THAT(ArrivedOnce(), ElementsAreArray(values));
}

TEST_F(KafkaUplinkTest, ATopicThatMayNotBeWrittenWaitsForTheAccessList) {
  broker_.SetTopicError(kTopic, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
  Start();
  Store(Values(1, 10));
  RunFor(1500ms);
  EXPECT_EQ(store_.Usage().total_records(), 10U);
  broker_.SetTopicError(kTopic, 0);
  ASSERT_TRUE(RunUntilIdle());
  EXPECT_THAT(ArrivedOnce(), ElementsAreArray(Values(1, 10)));
}

TEST_F(KafkaUplinkTest, AnAccessListThatChangesUnderwayWaitsToo) {
  Start();
  Store(Values(1, 10));
  ASSERT_TRUE(RunUntilIdle());
  broker_.AnswerProduce(
      {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED});
  Store(Values(11, 20));
  ASSERT_TRUE(RunUntilIdle());
  EXPECT_THAT(ArrivedOnce(), ElementsAreArray(Values(1, 20)));
  EXPECT_THAT(store_.dead_letters(), IsEmpty());
}

TEST_F(KafkaUplinkTest, AnUnknownTopicWaitsUntilItIsThere) {
  broker_.SetTopicError(kTopic, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
  Start({{"topic.metadata.propagation.max.ms", "100"}});
  Store(Values(1, 10));
  RunFor(2000ms);
  EXPECT_EQ(store_.Usage().total_records(), 10U);
  broker_.SetTopicError(kTopic, 0);
  ASSERT_TRUE(RunUntilIdle());
  EXPECT_THAT(ArrivedOnce(), ElementsAreArray(Values(1, 10)));
}

TEST_F(KafkaUplinkTest, AProducerIdThatIsRefusedIsAskedForAgain) {
  broker_.AnswerInitProducerId({RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED,
                                RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS});
  Start();
  Store(Values(1, 10));
  ASSERT_TRUE(RunUntilIdle());
  EXPECT_THAT(ArrivedOnce(), ElementsAreArray(Values(1, 10)));
}

TEST_F(KafkaUplinkTest, StoppingWithABacklogAndNoBrokerIsQuick) {
  Start();
  broker_.SetDown();
  ASSERT_TRUE(loop_.RunUntil([this] { return !transport_->Connected(); }));
  Store(Values(1, 1000));
  RunFor(100ms);
  forwarder_->Stop();
  forwarder_.reset();
  const BootTime before = clock_.SinceBoot();
  transport_.reset();
  EXPECT_LT(clock_.SinceBoot() - before, 1s);
  EXPECT_EQ(store_.Usage().total_records(), 1000U);
}

}  // namespace
}  // namespace tidegate
