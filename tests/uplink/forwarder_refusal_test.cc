// A broker refuses a request whole for one record in it. What the forwarder makes of that: only the
// bad record is set aside.
#include <random>

#include "tests/uplink/forwarder_fixture.h"
#include "uplink/forwarder.h"

namespace tidegate {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ForwarderRefusalTest : public ForwarderTest {
 protected:
  // A batch in which these records are far larger than the others.
  void StoreWithLarge(size_t count, const std::vector<size_t>& large) {
    std::vector<Record> records(count, MakeRecord(RecordClass::kHeartbeat, "truck-1", "{}"));
    for (size_t i : large) records[i].value = std::string(100'000, 'x');
    Store(RecordClass::kHeartbeat, records);
  }
  static bool Ends(const WireMessage& message, std::string_view id) {
    return message.headers[0].second.ends_with(id);
  }
  static bool TooLarge(const WireMessage& message) { return message.value.size() > 64'000; }
};

TEST_F(ForwarderRefusalTest, OneLargeRecordAmongManyIsGivenUpAlone) {
  Start();
  StoreWithLarge(100, {41});
  AnswerAll(TooLarge);
  EXPECT_THAT(transport_.acked(), SizeIs(99));
  EXPECT_TRUE(std::ranges::is_sorted(transport_.acked()));
  EXPECT_THAT(store_.dead_letters(),
              ElementsAre(AllOf(Field(&DeadLetter::input, "uplink"),
                                Field(&DeadLetter::origin, "telematics.raw.telematics_heartbeat"),
                                Field(&DeadLetter::reason, "refused by the broker"),
                                Field(&DeadLetter::payload, SizeIs(100'000)))));
  EXPECT_EQ(Stored(), 0U);
  EXPECT_EQ(forwarder_->status().rejected, 1U);
}

TEST_F(ForwarderRefusalTest, ALargeRecordIsFoundInAFewRequests) {
  Start();
  StoreWithLarge(500, {250});
  AnswerAll(TooLarge);
  EXPECT_THAT(transport_.request_sizes(), ElementsAre(500, 250, 1, 249));
}

TEST_F(ForwarderRefusalTest, SeveralLargeRecordsAreEachFound) {
  Start();
  StoreWithLarge(50, {0, 1, 25, 49});
  AnswerAll(TooLarge);
  EXPECT_THAT(transport_.acked(), SizeIs(46));
  EXPECT_THAT(store_.dead_letters(), SizeIs(4));
}

TEST_F(ForwarderRefusalTest, ARecordThatDoesNotStandOutIsFoundByHalving) {
  Start();
  StoreHeartbeats(64);
  AnswerAll([](const WireMessage& message) { return message.headers[0].second.ends_with(":20"); });
  EXPECT_THAT(transport_.acked(), SizeIs(63));
  EXPECT_THAT(store_.dead_letters(), SizeIs(1));
  EXPECT_LE(transport_.request_sizes().size(), 16U);
}

TEST_F(ForwarderRefusalTest, ARequestThatIsTooLargeAsAWholeLosesNothing) {
  Start();
  StoreHeartbeats(64);
  for (int i = 0; i < 1000 && !forwarder_->Idle(); ++i) {
    const bool too_many = transport_.pending().size() > 10;
    transport_.AnswerRequests([too_many](const WireMessage&) { return too_many; });
    Turn();
    Wait(std::chrono::seconds(1));
  }
  EXPECT_THAT(transport_.acked(), ElementsAreArray(Range(1, 64)));
  EXPECT_THAT(store_.dead_letters(), IsEmpty());
}

TEST_F(ForwarderRefusalTest, ATimeThatTheBrokerDoesNotTakeCostsTheTimestampAndNotTheRecord) {
  Start();
  Record record =
      MakeRecord(RecordClass::kHeartbeat, "a", R"({"timestamp":"2099-01-01T00:00:00.000Z"})");
  record.time_source = TimeSource::kSource;
  record.time = std::chrono::sys_days{std::chrono::year{2099} / 1 / 1};
  Store(RecordClass::kHeartbeat, {MakeRecord(RecordClass::kHeartbeat, "a", "{}"), record});
  AnswerAll([](const WireMessage& message) { return message.timestamp.has_value(); });
  EXPECT_THAT(transport_.acked(), ElementsAre(1, 2));
  EXPECT_EQ(transport_.delivered().back().message.timestamp, std::nullopt);
  EXPECT_THAT(store_.dead_letters(), IsEmpty());
}

TEST_F(ForwarderRefusalTest, ATimeTwoHoursAheadIsNoTimestampInTheFirstPlace) {
  Start();
  std::vector<Record> records(3, MakeRecord(RecordClass::kHeartbeat, "a", "{}"));
  for (Record& record : records) record.time = clock_.Now();
  for (Record& record : records) record.time_source = TimeSource::kSource;
  records[1].time += std::chrono::hours(2);
  Store(RecordClass::kHeartbeat, records);
  ASSERT_THAT(transport_.pending(), SizeIs(3));
  EXPECT_EQ(transport_.pending()[0].message.timestamp, clock_.Now());
  EXPECT_EQ(transport_.pending()[1].message.timestamp, std::nullopt);
  EXPECT_EQ(transport_.pending()[2].message.timestamp, clock_.Now());
  EXPECT_THAT(metrics_.Text(), HasSubstr("tidegate_uplink_suspect_times_total 1"));
}

TEST_F(ForwarderRefusalTest, AnUnsynchronisedClockCallsNoTimeSuspect) {
  clock_.SetSynced(false);
  Start();
  Record record = MakeRecord(RecordClass::kHeartbeat, "a", "{}");
  record.time_source = TimeSource::kSource;
  record.time = clock_.Now() + std::chrono::hours(2);
  Store(RecordClass::kHeartbeat, {record});
  ASSERT_THAT(transport_.pending(), SizeIs(1));
  EXPECT_EQ(transport_.pending()[0].message.timestamp, std::nullopt);
  for (const auto& [name, value] : transport_.pending()[0].message.headers) {
    EXPECT_NE(name, kHeaderTimeSuspect);
  }
}

TEST_F(ForwarderRefusalTest, WhatNeverFitsTheClientIsGivenUpAtOnce) {
  transport_.SetMaxValueBytes(64'000);
  Start();
  StoreWithLarge(3, {1});
  EXPECT_THAT(store_.dead_letters(), SizeIs(1));
  AckAll();
  EXPECT_THAT(transport_.acked(), ElementsAre(1, 3));
  EXPECT_EQ(Stored(), 0U);
}

TEST_F(ForwarderRefusalTest, TheDeadLetterIsWrittenBeforeTheBatchIsDeleted) {
  Start();
  StoreWithLarge(1, {0});
  store_.FailWith(Error{ErrorCode::kUnavailable, "append: disk I/O error"});
  for (int i = 0; i < 10; ++i) {
    if (!transport_.pending().empty()) transport_.AnswerRequests(TooLarge);
    Turn();
    Wait(std::chrono::seconds(1));
  }
  EXPECT_EQ(Stored(), 1U);
  store_.FailWith({});
  AnswerAll(TooLarge);
  EXPECT_THAT(store_.dead_letters(), SizeIs(1));
  EXPECT_EQ(Stored(), 0U);
}

TEST_F(ForwarderRefusalTest, ALetterThatTheStoreRefusesLosesItsPayloadAndHoldsUpNothing) {
  store_.RefuseLettersOver(1'000);
  Start();
  StoreWithLarge(5, {2});
  AnswerAll(TooLarge);
  EXPECT_THAT(transport_.acked(), SizeIs(4));
  ASSERT_THAT(store_.dead_letters(), SizeIs(1));
  EXPECT_EQ(store_.dead_letters()[0].payload, "");
  EXPECT_EQ(store_.dead_letters()[0].payload_bytes(), 100'000U);
  EXPECT_EQ(store_.dead_letters()[0].reason, "refused by the broker");
  EXPECT_EQ(Stored(), 0U);
}

TEST_F(ForwarderRefusalTest, ALetterThatCanNeverBeStoredHoldsUpNothing) {
  store_.RefuseLetters();
  Start();
  StoreWithLarge(5, {2});
  AnswerAll(TooLarge);
  EXPECT_THAT(transport_.acked(), SizeIs(4));
  EXPECT_EQ(forwarder_->status().rejected, 1U);
  EXPECT_EQ(Stored(), 0U);
}

TEST_F(ForwarderRefusalTest, OtherTopicsGoOnWhileItLooks) {
  Start();
  StoreWithLarge(10, {5});
  transport_.AnswerRequests(TooLarge);
  Turn();
  EXPECT_TRUE(forwarder_->status().probing);
  EXPECT_EQ(forwarder_->status().topics_on_trial, 1U);
  EXPECT_THAT(transport_.PendingSeqs(), ElementsAreArray(Range(1, 5)));
  StoreAlert();
  transport_.Ack(11);
  Turn();
  EXPECT_THAT(transport_.acked(), ElementsAre(11));
  AnswerAll(TooLarge);
  EXPECT_FALSE(forwarder_->status().probing);
}

TEST_F(ForwarderRefusalTest, NoStepOfASearchWaits) {
  Start();
  StoreHeartbeats(500);
  const BootTime begun = clock_.SinceBoot();
  for (int i = 0; i < 30 && !forwarder_->Idle(); ++i) {
    transport_.AnswerRequests([](const WireMessage& message) { return Ends(message, ":251"); });
    Turn();
  }
  EXPECT_TRUE(forwarder_->Idle());
  EXPECT_EQ(clock_.SinceBoot(), begun);
  EXPECT_THAT(store_.dead_letters(), SizeIs(1));
}

TEST_F(ForwarderRefusalTest, ARefusedTimeSendsTheWholeGroupAgainWithoutTimestamps) {
  transport_.SetRefusal(Refusal::kTimestamp);
  Start();
  std::vector<Record> records(20, MakeRecord(RecordClass::kHeartbeat, "a", "{}"));
  for (Record& record : records) record.time_source = TimeSource::kSource;
  for (Record& record : records) record.time = clock_.Now();
  Store(RecordClass::kHeartbeat, records);
  AnswerAll([](const WireMessage& message) { return message.timestamp.has_value(); });
  EXPECT_THAT(transport_.request_sizes(), ElementsAre(20, 20));
  EXPECT_THAT(store_.dead_letters(), IsEmpty());
}

TEST_F(ForwarderRefusalTest, ASourceOfRefusedRecordsCostsTheOthersOneSearch) {
  const auto refuses = [](const WireMessage& message) { return message.key == "acme/bad"; };
  std::vector<Record> records(100, MakeRecord(RecordClass::kHeartbeat, "good", "{}"));
  records[50].asset = "bad";
  Start();
  Store(RecordClass::kHeartbeat, records);
  AnswerAll(refuses);
  const size_t searched = transport_.request_sizes().size();
  for (int i = 0; i < 10; ++i) {
    Store(RecordClass::kHeartbeat, records);
    AnswerAll(refuses);
  }
  EXPECT_EQ(transport_.request_sizes().size() - searched, 20U) << "the good ones, then the bad one";
  EXPECT_EQ(transport_.request_sizes().back(), 1U);
  EXPECT_THAT(store_.dead_letters(), SizeIs(11));
  EXPECT_THAT(transport_.acked(), SizeIs(11 * 99));
}

TEST_F(ForwarderRefusalTest, RecordsAsLargeAsARefusedOneAreSentAlone) {
  transport_.SetRefusal(Refusal::kSize);
  Start();
  StoreWithLarge(100, {50});
  AnswerAll(TooLarge);
  const size_t searched = transport_.request_sizes().size();
  std::vector<Record> records(50, MakeRecord(RecordClass::kHeartbeat, "truck-2", "{}"));
  records.push_back(MakeRecord(RecordClass::kHeartbeat, "truck-3", std::string(200'000, 'x')));
  Store(RecordClass::kHeartbeat, records);
  AnswerAll(TooLarge);
  EXPECT_EQ(transport_.request_sizes().size() - searched, 2U);
  EXPECT_THAT(store_.dead_letters(), SizeIs(2));
}

TEST_F(ForwarderRefusalTest, ATopicThatBehavesIsNoLongerOnTrial) {
  Start();
  StoreWithLarge(10, {5});
  AnswerAll(TooLarge);
  StoreHeartbeats(1);
  EXPECT_EQ(transport_.pending().back().route, Route::kTrial);
  AckAll();
  Wait(std::chrono::minutes(10));
  StoreHeartbeats(1);
  Turn();
  EXPECT_EQ(forwarder_->status().topics_on_trial, 0U);
  EXPECT_EQ(transport_.pending().back().route, Route::kMain);
  AckAll();
  EXPECT_TRUE(forwarder_->Idle());
}

TEST_F(ForwarderRefusalTest, EachTopicIsSearchedByItself) {
  options_.topics.heartbeat = "{tenant}.heartbeat";
  Start();
  std::vector<Record> records(40, MakeRecord(RecordClass::kHeartbeat, "truck-1", "{}"));
  for (size_t i = 0; i < records.size(); i += 2) records[i].tenant = "zeta";
  Store(RecordClass::kHeartbeat, records);
  transport_.AnswerRequests([](const WireMessage& message) { return Ends(message, ":21"); });
  Turn();
  EXPECT_THAT(transport_.acked(), SizeIs(20));
  StoreHeartbeats(1);
  transport_.Ack(41);
  Turn();
  EXPECT_THAT(transport_.acked(), SizeIs(21)) << "acme waits for zeta";
  AnswerAll([](const WireMessage& message) { return Ends(message, ":21"); });
  EXPECT_THAT(store_.dead_letters(), SizeIs(1));
}

// Random refusals, retries and closed topics: every record arrives or is a dead letter, and no
// asset's records pass one another (a repeat of what had arrived already may come late; it changes
// nothing).
class ForwarderRandomTest : public ForwarderTest, public ::testing::WithParamInterface<unsigned> {};

TEST_P(ForwarderRandomTest, NothingIsLostAndOrderHolds) {
  std::mt19937 random(GetParam());
  options_.max_in_flight_records = 50;
  Start();
  Seq last = 0;
  for (int step = 0; step < 400; ++step) {
    if (random() % 3 == 0) {
      const size_t count = 1 + random() % 20;
      last = StoreHeartbeats(count) + count - 1;
    }
    const auto dice = random() % 10;
    if (dice == 0) {
      transport_.RetryAll();
    } else if (dice < 4) {
      transport_.AnswerRequests(
          [](const WireMessage& message) { return message.headers[0].second.ends_with("7"); });
    } else if (dice < 9 && !transport_.pending().empty()) {
      transport_.Ack(transport_.pending().front().seq);
    }
    Turn();
    Wait(std::chrono::milliseconds(random() % 300));
  }
  AnswerAll([](const WireMessage& message) { return message.headers[0].second.ends_with("7"); });
  EXPECT_EQ(transport_.acked().size() + store_.dead_letters().size(), last);
  EXPECT_TRUE(std::ranges::is_sorted(transport_.acked()));
  EXPECT_EQ(Stored(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Seeds, ForwarderRandomTest, ::testing::Range(1U, 13U));

}  // namespace
}  // namespace tidegate
