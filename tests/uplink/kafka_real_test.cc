// The uplink against a real Kafka, named by KAFKA_BOOTSTRAP_SERVERS; skipped without it. Makes
// topics of its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>

#include "tests/support/dev_broker/kafka_topic.h"
#include "tests/support/memory_store.h"
#include "tests/support/poll_loop.h"
#include "uplink/forwarder.h"
#include "uplink/kafka_transport.h"
#include "uplink/uplink_config.h"

namespace tidegate {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAreArray;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class KafkaRealTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* servers = std::getenv("KAFKA_BOOTSTRAP_SERVERS");
    if (servers == nullptr) GTEST_SKIP() << "KAFKA_BOOTSTRAP_SERVERS is not set";
    servers_ = servers;
  }
  void Start(int partitions, const std::map<std::string, std::string>& topic_config,
             kafka::Properties settings = {}) {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    topic_ = "tidegate-" + std::string(test->name()) + "-" +
             std::to_string(clock_.Now().time_since_epoch().count());
    ASSERT_EQ(MakeTopic(servers_, topic_, partitions, topic_config), "");
    settings["bootstrap.servers"] = servers_;
    KafkaTransport::Options options;
    options.config = UplinkConfig("gw-1", std::move(settings), {});
    auto transport = KafkaTransport::Create(options, loop_, clock_, log_, metrics_);
    ASSERT_TRUE(transport.ok()) << transport.error().message;
    transport_ = *std::move(transport);
    Forwarder::Options forwarding;
    forwarding.gateway = "gw-1";
    forwarding.topics.heartbeat = topic_;
    forwarder_ = std::make_unique<Forwarder>(store_, *transport_, loop_, clock_, log_, metrics_,
                                             std::move(forwarding));
  }
  Record MakeRecord(std::string value) {
    Record record;
    record.tenant = "acme";
    record.asset = "truck-1";
    record.value = std::move(value);
    return record;
  }
  void Store(const std::vector<Record>& records) {
    AppendRequest request;
    request.batches = {{RecordClass::kHeartbeat, records}};
    request.stamp = StampNow(clock_);
    ASSERT_TRUE(store_.Append(request).ok());
    forwarder_->OnStored();
  }
  std::vector<Record> Numbered(int first, int last) {
    std::vector<Record> records;
    for (int i = first; i <= last; ++i) records.push_back(MakeRecord("v" + std::to_string(i)));
    return records;
  }
  static std::vector<std::string> ValuesOf(const std::vector<Record>& records) {
    std::vector<std::string> values;
    for (const Record& record : records) values.push_back(record.value);
    return values;
  }
  std::vector<std::string> Arrived() {
    std::vector<std::string> values;
    for (const KafkaMessage& message : ReadTopic(servers_, topic_)) values.push_back(message.value);
    return values;
  }
  bool RunUntilIdle() {
    return loop_.RunUntil([this] { return forwarder_->Idle(); }, 60s);
  }

  std::string servers_;
  std::string topic_;
  PollLoop loop_;
  SystemClock clock_;
  Log log_{LogLevel::kError};
  Metrics metrics_;
  MemoryStore store_;
  std::unique_ptr<KafkaTransport> transport_;
  std::unique_ptr<Forwarder> forwarder_;
};

TEST_F(KafkaRealTest, EveryRecordArrivesOnceAndInOrder) {
  Start(1, {});
  const std::vector<Record> records = Numbered(1, 5000);
  Store(records);
  ASSERT_TRUE(RunUntilIdle());
  EXPECT_THAT(Arrived(), ElementsAreArray(ValuesOf(records)));
}

// Compression would make a large record of one letter small, so this one is made of noise.
std::string Noise(size_t bytes) {
  std::string text;
  uint64_t state = 88172645463325252u;
  while (text.size() < bytes) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    text.push_back(static_cast<char>('!' + state % 90));
  }
  return text;
}

TEST_F(KafkaRealTest, OneRecordThatIsTooLargeForTheTopicCostsNoOther) {
  Start(1, {{"max.message.bytes", "65536"}});
  std::vector<Record> records = Numbered(1, 200);
  records[100].value = Noise(200'000);
  Store(records);
  Store(Numbered(201, 300));
  ASSERT_TRUE(RunUntilIdle());
  ASSERT_THAT(store_.dead_letters(), SizeIs(1));
  EXPECT_THAT(store_.dead_letters()[0].reason, HasSubstr("MSG_SIZE_TOO_LARGE"));
  EXPECT_THAT(store_.dead_letters()[0].payload, SizeIs(200'000));
  records.erase(records.begin() + 100);
  for (Record& record : Numbered(201, 300)) records.push_back(std::move(record));
  EXPECT_THAT(Arrived(), ElementsAreArray(ValuesOf(records)));
}

TEST_F(KafkaRealTest, ManyRecordsThatAreTooLargeAreEachFound) {
  Start(3, {{"max.message.bytes", "65536"}});
  std::vector<Record> records = Numbered(1, 200);
  for (size_t i = 0; i < records.size(); ++i) records[i].asset = "truck-" + std::to_string(i % 7);
  for (size_t i : {5U, 77U, 78U, 199U}) records[i].value = Noise(100'000 + i);
  Store(records);
  ASSERT_TRUE(RunUntilIdle());
  EXPECT_THAT(store_.dead_letters(), SizeIs(4));
  EXPECT_THAT(Arrived(), SizeIs(196));
}

TEST_F(KafkaRealTest, RequestsThatAreTooLargeAsAWholeLoseNothing) {
  Start(1, {{"max.message.bytes", "20000"}}, {{"compression.codec", "none"}});
  std::vector<Record> records;
  for (int i = 0; i < 100; ++i) records.push_back(MakeRecord(Noise(1000) + std::to_string(i)));
  Store(records);
  ASSERT_TRUE(RunUntilIdle());
  EXPECT_THAT(store_.dead_letters(), IsEmpty());
  EXPECT_THAT(Arrived(), ElementsAreArray(ValuesOf(records)));
}

TEST_F(KafkaRealTest, ATimeThatNobodyVouchesForIsNoTimestampAmongOthers) {
  Start(1, {{"message.timestamp.type", "CreateTime"}});
  const int64_t now = clock_.Now().time_since_epoch().count();
  std::vector<Record> records = Numbered(1, 20);
  std::vector<int64_t> expected(20, -1);
  for (size_t i = 0; i < records.size(); ++i) {
    records[i].clock_synced = i % 3 == 1;
    records[i].time = WallTime(std::chrono::milliseconds(now + static_cast<int64_t>(i)));
    if (records[i].clock_synced) expected[i] = now + static_cast<int64_t>(i);
  }
  Store(records);
  ASSERT_TRUE(RunUntilIdle());
  std::vector<int64_t> timestamps;
  for (const KafkaMessage& message : ReadTopic(servers_, topic_))
    timestamps.push_back(message.timestamp_ms);
  EXPECT_THAT(timestamps, ElementsAreArray(expected));
}

// Kafka 4 refuses a message from more than an hour ahead: a vehicle whose clock runs ahead would
// lose all that travels with it.
TEST_F(KafkaRealTest, ATimeInTheFutureCostsTheTimestampAndNotTheRecord) {
  Start(1,
        {{"message.timestamp.type", "CreateTime"}, {"message.timestamp.after.max.ms", "3600000"}});
  std::vector<Record> records = Numbered(1, 20);
  records[7].time_source = TimeSource::kSource;
  records[7].time = std::chrono::sys_days{std::chrono::year{2099} / 1 / 1};
  Store(records);
  ASSERT_TRUE(RunUntilIdle());
  EXPECT_THAT(store_.dead_letters(), IsEmpty());
  EXPECT_THAT(Arrived(), ElementsAreArray(ValuesOf(records)));
}

// Nothing is refused, nothing comes back, and the good ones keep their timestamps.
TEST_F(KafkaRealTest, AVehicleTwoHoursAheadCostsTheOthersNothing) {
  Start(3, {{"message.timestamp.type", "CreateTime"}});
  for (int round = 0; round < 10; ++round) {
    std::vector<Record> records = Numbered(round * 101, round * 101 + 100);
    for (size_t i = 0; i < records.size(); ++i) {
      records[i].asset = i == 50 ? "ahead" : "truck-" + std::to_string(i % 7);
      records[i].time_source = TimeSource::kSource;
      records[i].time = clock_.Now() + (i == 50 ? 2h : 0h);
    }
    Store(records);
    ASSERT_TRUE(RunUntilIdle());
  }
  EXPECT_EQ(forwarder_->status().sent, 1010U);
  EXPECT_EQ(forwarder_->status().retried, 0U);
  EXPECT_THAT(store_.dead_letters(), IsEmpty());
  EXPECT_THAT(metrics_.Text(), HasSubstr("tidegate_uplink_producers_replaced_total 0\n"));
  const std::vector<KafkaMessage> messages = ReadTopic(servers_, topic_);
  EXPECT_THAT(messages, SizeIs(1010));
  EXPECT_EQ(std::ranges::count(messages, -1, &KafkaMessage::timestamp_ms), 10);
}

// The topic is stricter than the gateway, so that the broker refuses the request.
TEST_F(KafkaRealTest, ARefusedTimestampCostsNoRecordOfItsRequest) {
  Start(1, {{"message.timestamp.type", "CreateTime"}, {"message.timestamp.after.max.ms", "1000"}});
  std::vector<Record> records = Numbered(1, 500);
  for (Record& record : records) record.time = clock_.Now();
  for (Record& record : records) record.time_source = TimeSource::kSource;
  records[250].time += 5min;
  Store(records);
  ASSERT_TRUE(RunUntilIdle());
  EXPECT_THAT(store_.dead_letters(), IsEmpty());
  EXPECT_THAT(Arrived(), ElementsAreArray(ValuesOf(records)));
}

TEST_F(KafkaRealTest, ASourceOfRefusedRecordsEndsOneProducer) {
  Start(3, {{"max.message.bytes", "65536"}});
  for (int round = 0; round < 10; ++round) {
    std::vector<Record> records = Numbered(round * 100 + 1, round * 100 + 100);
    for (size_t i = 0; i < records.size(); ++i) records[i].asset = "truck-" + std::to_string(i % 7);
    records[50].asset = "bad";
    records[50].value = Noise(100'000);
    Store(records);
    ASSERT_TRUE(RunUntilIdle());
  }
  EXPECT_THAT(store_.dead_letters(), SizeIs(10));
  EXPECT_THAT(Arrived(), SizeIs(990));
  EXPECT_THAT(metrics_.Text(), HasSubstr("tidegate_uplink_producers_replaced_total 1\n"));
}

}  // namespace
}  // namespace tidegate
