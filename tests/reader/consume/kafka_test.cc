// Consumer and dead letters on librdkafka's mock cluster, whose groups wait three seconds before
// they hand partitions out.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>

#include "reader/consume/kafka_dead_letters.h"
#include "reader/consume/kafka_parking.h"
#include "reader/consume/kafka_settings.h"
#include "reader/consume/kafka_source.h"
#include "reader/consume/parked_message.h"
#include "reader/database/sqlite/sqlite_store.h"
#include "reader/land/worker.h"
#include "tests/support/mock_kafka.h"
#include "tests/support/reader/memory_projection_store.h"
#include "tests/support/reader/reader_documents.h"

namespace tidegate::reader {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const std::string kTopic = "telematics.raw.telematics_heartbeat";
const std::string kDlq = "telemetry.dlq";

std::string Heartbeat(int number) {
  return R"({"event_id":"e)" + std::to_string(number) +
         R"(","tenant_id":"acme","asset_id":"truck-1"})";
}

// Everything that one worker needs, on a landing that others may share.
class Member {
 public:
  Member(const MockKafka& kafka, const std::string& landing)
      : store_(SqliteStore::Open({.path = landing}).value()),
        dead_letters_({.request = ProducerRequest(Settings(kafka), {}), .topic = kDlq}, clock_,
                      log_),
        source_(OpenKafkaSource(
                    {.request = ConsumerRequest(Settings(kafka), {}), .subscription = {kTopic}},
                    clock_, log_)
                    .value()),
        worker_({.batch_interval = milliseconds(50)},
                {*source_, *store_, projections_, dead_letters_, decoder_, clock_, log_, metrics_,
                 board_},
                0, 1) {}

  void Step() { ASSERT_TRUE(worker_.Step(milliseconds(20)).ok()); }
  void Stop() { worker_.Stop(); }
  MemberState State() { return board_.Read()[0]; }
  size_t landed() { return State().landed; }

 private:
  static kafka::Properties Settings(const MockKafka& kafka) {
    return {{"bootstrap.servers", kafka.bootstrap()},
            {"statistics.interval.ms", "100"},
            {"heartbeat.interval.ms", "200"},
            {"session.timeout.ms", "4000"}};
  }

  SystemClock clock_;
  Log log_{LogLevel::kError};
  Metrics registry_;
  ReaderMetrics metrics_{registry_};
  StatusBoard board_{1};
  Decoder decoder_{{}, BuiltInTable()};
  MemoryDatabase memory_;
  MemoryProjectionStore projections_{memory_};
  std::unique_ptr<SqliteStore> store_;
  KafkaDeadLetters dead_letters_;
  std::unique_ptr<Source> source_;
  Worker worker_;
};

class KafkaTest : public testing::Test {
 protected:
  KafkaTest() {
    kafka_.CreateTopic(kTopic, 2);
    kafka_.CreateTopic(kDlq, 1);
  }

  bool StepUntil(std::vector<Member*> members, const std::function<bool()>& done) {
    const auto deadline = std::chrono::steady_clock::now() + seconds(30);
    while (std::chrono::steady_clock::now() < deadline) {
      for (Member* member : members) member->Step();
      if (done()) return true;
    }
    return false;
  }

  MockKafka kafka_;
  TemporaryFolder folder_;
  std::string landing_ = folder_.File("landing.db");
};

TEST_F(KafkaTest, WhatIsProducedLandsAndIsCommitted) {
  for (int i = 0; i < 100; ++i)
    kafka_.Produce(kTopic, i % 2, Heartbeat(i), {{"tg-id", "gw:e:" + std::to_string(i)}});
  kafka_.Produce(kTopic, 0, "poison", {{"tg-id", "gw:e:100"}});
  Member member(kafka_, landing_);
  ASSERT_TRUE(StepUntil(
      {&member}, [&] { return member.landed() == 100 && member.State().dead_letters == 1; }));
  member.Stop();
  EXPECT_EQ(kafka_.Committed("tidegate-reader", {kTopic, 0}), 51);
  EXPECT_EQ(kafka_.Committed("tidegate-reader", {kTopic, 1}), 50);

  const auto letters = kafka_.Read(kDlq);
  ASSERT_EQ(letters.size(), 1u);
  EXPECT_EQ(letters[0].key, "key");
  EXPECT_EQ(letters[0].value, "poison");
  const auto header = [&](std::string_view name) {
    const auto found =
        std::ranges::find(letters[0].headers, name, &std::pair<std::string, std::string>::first);
    return found == letters[0].headers.end() ? "" : found->second;
  };
  EXPECT_EQ(header("tg-id"), "gw:e:100");
  EXPECT_EQ(header(kHeaderDlqReason).substr(0, 5), "json:");
  EXPECT_EQ(header(kHeaderDlqTopic), kTopic);
  EXPECT_EQ(header(kHeaderDlqPartition), "0");
  EXPECT_EQ(header(kHeaderDlqOffset), "50");
  EXPECT_EQ(header(kHeaderDlqTime).size(), 24u);
  EXPECT_EQ(header(kHeaderDlqTruncated), "");
}

TEST_F(KafkaTest, AMemberThatJoinsTakesPartitionsAndNothingIsLost) {
  Member first(kafka_, landing_);
  for (int i = 0; i < 50; ++i) kafka_.Produce(kTopic, i % 2, Heartbeat(i));
  ASSERT_TRUE(StepUntil({&first}, [&] { return first.landed() == 50; }));
  Member second(kafka_, landing_);
  ASSERT_TRUE(StepUntil({&first, &second}, [&] {
    return first.State().partitions.size() == 1 && second.State().partitions.size() == 1;
  }));
  for (int i = 50; i < 100; ++i) kafka_.Produce(kTopic, i % 2, Heartbeat(i));
  ASSERT_TRUE(
      StepUntil({&first, &second}, [&] { return first.landed() + second.landed() == 100; }));
  first.Stop();
  // A group may refuse a commit during a rebalance, and accepts it afterwards.
  ASSERT_TRUE(StepUntil({&second}, [&] { return second.State().partitions.size() == 2; }));
  second.Stop();
  EXPECT_EQ(kafka_.Committed("tidegate-reader", {kTopic, 0}), 50);
  EXPECT_EQ(kafka_.Committed("tidegate-reader", {kTopic, 1}), 50);
}

// Each message alone fills the queue, and librdkafka before 2.2 would look at it once a second.
TEST_F(KafkaTest, AQueueThatWasFullIsFilledAgainAtOnce) {
  constexpr int kMessages = 8;
  for (int i = 0; i < kMessages; ++i) kafka_.Produce(kTopic, 0, std::string(600 * 1024, 'x'));
  const SystemClock clock;
  const Log log(LogLevel::kError);
  const kafka::Properties settings{{"bootstrap.servers", kafka_.bootstrap()},
                                   {"queued.min.messages", "1"},
                                   {"fetch.message.max.bytes", "1000"}};
  auto source = OpenKafkaSource(
      {.request = ConsumerRequest(settings, {}), .subscription = {kTopic}}, clock, log);
  ASSERT_TRUE(source.ok());
  const auto poll_until = [&](int wanted, BootTime deadline) {
    int taken = 0;
    while (taken < wanted && clock.SinceBoot() < deadline) {
      const auto message = (*source)->Poll(milliseconds(50));
      if (message.ok() && *message) ++taken;
    }
    return taken;
  };
  ASSERT_EQ(poll_until(1, clock.SinceBoot() + seconds(30)), 1);
  EXPECT_EQ(poll_until(kMessages - 1, clock.SinceBoot() + seconds(2)), kMessages - 1);
  (*source)->Close();
}

TEST_F(KafkaTest, TheStateTellsBrokersAndLag) {
  kafka_.Produce(kTopic, 0, Heartbeat(1));
  Member member(kafka_, landing_);
  EXPECT_TRUE(StepUntil({&member}, [&] {
    const auto state = member.State();
    return state.kafka_up && state.partitions.size() == 2 && state.partitions[0].messages == 0;
  }));
  member.Stop();
}

class DeadLettersTest : public KafkaTest {
 protected:
  std::vector<Status> Publish(const std::vector<std::string>& values) {
    std::vector<SourceMessage> messages;
    for (const std::string& value : values) {
      messages.push_back({.partition = {kTopic, 1},
                          .offset = 7,
                          .timestamp = {},
                          .key = "acme/truck-1",
                          .value = value,
                          .headers = {{"tg-id", "gw:e:1"}}});
    }
    std::vector<DeadLetter> letters;
    for (const SourceMessage& message : messages)
      letters.push_back({&message, &refusal_, WallTime{}});
    return dead_letters_.Publish(letters);
  }
  bool Has(const SourceMessage& message, std::string_view name) {
    return std::ranges::count(message.headers, name, &std::pair<std::string, std::string>::first) >
           0;
  }

  SystemClock clock_;
  Log log_{LogLevel::kError};
  Refusal refusal_{RefusalKind::kMember, "asset_id is missing"};
  KafkaDeadLetters dead_letters_{
      {.request = ProducerRequest({{"bootstrap.servers", kafka_.bootstrap()}}, {}),
       .topic = kDlq,
       .truncated_bytes = 10},
      clock_,
      log_};
};

TEST_F(DeadLettersTest, OneThatIsTooLargeIsTruncatedAndSaysSo) {
  kafka_.RefuseAsTooLarge(1);
  const auto statuses = Publish({"0123456789abcdef"});
  ASSERT_TRUE(statuses[0].ok()) << statuses[0].error().message;
  const auto letters = kafka_.Read(kDlq);
  ASSERT_EQ(letters.size(), 1u);
  EXPECT_EQ(letters[0].value, "0123456789");
  EXPECT_TRUE(Has(letters[0], kHeaderDlqTruncated));
  EXPECT_TRUE(Has(letters[0], "tg-id"));
}

TEST_F(DeadLettersTest, OneThatIsStillTooLargeKeepsItsReason) {
  kafka_.RefuseAsTooLarge(2);
  ASSERT_TRUE(Publish({"0123456789abcdef"})[0].ok());
  const auto letters = kafka_.Read(kDlq);
  ASSERT_EQ(letters.size(), 1u);
  EXPECT_EQ(letters[0].value, "");
  EXPECT_FALSE(letters[0].key);
  EXPECT_TRUE(Has(letters[0], kHeaderDlqReason));
  EXPECT_FALSE(Has(letters[0], "tg-id"));
}

TEST_F(DeadLettersTest, OneThatIsRefusedInEveryFormIsGivenUp) {
  kafka_.RefuseAsTooLarge(3);
  const auto statuses = Publish({"0123456789abcdef"});
  ASSERT_FALSE(statuses[0].ok());
  EXPECT_EQ(statuses[0].error().code, ErrorCode::kRejected);
}

TEST_F(DeadLettersTest, AnEpochIsOursAndNoProducers) {
  const SourceMessage message{.partition = {kTopic, 1},
                              .offset = 7,
                              .timestamp = {},
                              .key = {},
                              .value = "x",
                              .headers = {{"tg-dlq-epoch", "9"}, {"tg-id", "gw:e:1"}}};
  for (const int64_t epoch : {0, 2}) {
    const DeadLetter letter{&message, &refusal_, WallTime{}, epoch};
    ASSERT_TRUE(dead_letters_.Publish({&letter, 1})[0].ok());
  }
  const auto letters = kafka_.Read(kDlq);
  ASSERT_EQ(letters.size(), 2u);
  EXPECT_FALSE(Has(letters[0], kHeaderDlqEpoch));
  const std::pair<std::string, std::string> ours{kHeaderDlqEpoch, "2"};
  EXPECT_EQ(std::ranges::count(letters[1].headers, ours), 1);
}

TEST_F(DeadLettersTest, OthersInARefusedRequestStayWhole) {
  kafka_.RefuseAsTooLarge(1);
  const auto statuses = Publish({"0123456789abcdef", "fedcba9876543210"});
  EXPECT_TRUE(std::ranges::all_of(statuses, &Status::ok));
  const auto letters = kafka_.Read(kDlq);
  ASSERT_EQ(letters.size(), 2u);
  for (const SourceMessage& letter : letters) EXPECT_EQ(letter.value->size(), 16u);
}

TEST_F(DeadLettersTest, ParkedRecordsComeBackInTheirOrderAndAgainAfterASeek) {
  kafka_.CreateTopic("telemetry.parked", 4);
  const kafka::Properties settings{{"bootstrap.servers", kafka_.bootstrap()}};
  KafkaParking parking(
      {.request = ProducerRequest(settings, {}), .topic = "telemetry.parked", .name = "parked"},
      clock_, log_);
  std::vector<SourceMessage> messages;
  std::vector<ParkedRecord> records;
  const std::string database = "fleet_acme";
  for (int i = 0; i < 5; ++i) {
    messages.push_back({.partition = {kTopic, 1},
                        .offset = i,
                        .timestamp = {},
                        .key = "acme/" + std::to_string(i),
                        .value = Heartbeat(i),
                        .headers = {}});
  }
  for (const SourceMessage& message : messages) records.push_back({&message, &database});
  const auto places = parking.Park(records, clock_.Now());
  for (size_t i = 0; i < places.size(); ++i) {
    ASSERT_TRUE(places[i].ok()) << places[i].error().message;
    EXPECT_EQ(places[i]->partition, places[0]->partition);
    EXPECT_EQ(places[i]->next_offset, static_cast<int64_t>(i) + 1);
  }

  const auto source =
      OpenKafkaSource({.request = ParkedConsumerRequest(ConsumerRequest(settings, {})),
                       .subscription = {"telemetry.parked"}},
                      clock_, log_)
          .value();
  const auto next = [&]() -> int64_t {
    const auto deadline = std::chrono::steady_clock::now() + seconds(30);
    while (std::chrono::steady_clock::now() < deadline) {
      auto polled = source->Poll(milliseconds(50));
      if (!polled.ok() || !*polled) continue;
      const auto parked = ReadParked(**std::move(polled));
      return parked && parked->database == database ? parked->record.offset : -2;
    }
    return -1;
  };
  for (int64_t i = 0; i < 5; ++i) EXPECT_EQ(next(), i);
  ASSERT_TRUE(source->Seek(places[0]->partition, 2).ok());
  for (int64_t i = 2; i < 5; ++i) EXPECT_EQ(next(), i);
  EXPECT_FALSE(source->Seek({"elsewhere", 0}, 0).ok());
  source->Close();
}

TEST(DeadLettersWithoutBroker, AreUnavailableWithinTheirPatience) {
  SystemClock clock;
  Log log(LogLevel::kError);
  KafkaDeadLetters dead_letters(
      {.request = ProducerRequest({{"bootstrap.servers", "127.0.0.1:1"}}, {}),
       .patience = milliseconds(300)},
      clock, log);
  const SourceMessage message{
      .partition = {"t", 0}, .offset = 0, .timestamp = {}, .key = {}, .value = "x", .headers = {}};
  const Refusal refusal;
  const DeadLetter letter{&message, &refusal, WallTime{}};
  const auto began = std::chrono::steady_clock::now();
  const auto statuses = dead_letters.Publish({&letter, 1});
  ASSERT_FALSE(statuses[0].ok());
  EXPECT_EQ(statuses[0].error().code, ErrorCode::kUnavailable);
  EXPECT_LT(std::chrono::steady_clock::now() - began, seconds(5));
}

}  // namespace
}  // namespace tidegate::reader
