#include "uplink/forwarder.h"

#include "tests/uplink/forwarder_fixture.h"

namespace tidegate {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;
using ::testing::SizeIs;

TEST_F(ForwarderTest, SendsWhatIsStoredAndDeletesItWhenAllOfTheBatchIsAcked) {
  Start();
  StoreHeartbeats(3);
  EXPECT_THAT(transport_.PendingSeqs(), ElementsAre(1, 2, 3));
  transport_.Ack(1);
  transport_.Ack(3);
  Turn();
  EXPECT_EQ(Stored(), 3U);
  transport_.Ack(2);
  Turn();
  EXPECT_EQ(Stored(), 0U);
  EXPECT_TRUE(forwarder_->Idle());
}

TEST_F(ForwarderTest, BeginsWithWhatIsInTheStore) {
  StoreHeartbeats(2);
  Start();
  EXPECT_THAT(transport_.PendingSeqs(), ElementsAre(1, 2));
}

TEST_F(ForwarderTest, MessagesAreNamedByGatewayEpochAndSeq) {
  Start();
  StoreHeartbeats(1);
  const auto& message = transport_.pending().front().message;
  EXPECT_EQ(message.topic, "telematics.raw.telematics_heartbeat");
  EXPECT_THAT(message.headers, Contains(Pair("tg-id", "gw-1:" + store_.epoch() + ":1")));
}

TEST_F(ForwarderTest, ARecordOfARetainedMessageSaysSo) {
  AppendRequest request;
  const std::vector<Record> records(2, MakeRecord(RecordClass::kHeartbeat, "truck-1", "{}"));
  const std::vector<std::string> inputs{"local", "local retained"};
  std::vector<Arrival> arrivals(2);
  arrivals[1].input = 1;
  arrivals[1].position = 1;
  request.batches = {{RecordClass::kHeartbeat, records, arrivals}};
  request.inputs = inputs;
  request.stamp = StampNow(clock_);
  ASSERT_TRUE(store_.Append(request).ok());
  Start();
  ASSERT_EQ(transport_.pending().size(), 2U);
  const std::pair<std::string, std::string> mark("tg-retained", "1");
  EXPECT_THAT(transport_.pending()[0].message.headers, testing::Not(testing::Contains(mark)));
  EXPECT_THAT(transport_.pending()[1].message.headers, testing::Contains(mark));
}

TEST_F(ForwarderTest, AClockThatIsRightNowTakesBackWhatWaitsWithoutALink) {
  transport_.SetConnected(false);
  Start();
  StoreHeartbeats(3);
  ASSERT_THAT(transport_.PendingSeqs(), ElementsAre(1, 2, 3));
  forwarder_->OnClockSet(false);
  Turn();
  EXPECT_EQ(forwarder_->status().retried, 3U);
  EXPECT_THAT(transport_.PendingSeqs(), ElementsAre(1, 2, 3));
}

TEST_F(ForwarderTest, OnAWorkingLinkOnlyAClockSetBackTakesAnythingBack) {
  Start();
  StoreHeartbeats(3);
  forwarder_->OnClockSet(false);
  Turn();
  EXPECT_THAT(transport_.PendingSeqs(), ElementsAre(1, 2, 3));
  forwarder_->OnClockSet(true);
  Turn();
  EXPECT_EQ(forwarder_->status().retried, 3U);
  AckAll();
  EXPECT_EQ(Stored(), 0U);
}

TEST_F(ForwarderTest, UrgentClassesComeFirst) {
  StoreHeartbeats(1);                                                            // 1
  Store(RecordClass::kReading, {MakeRecord(RecordClass::kReading, "a", "{}")});  // 2
  Store(RecordClass::kGap, {MakeRecord(RecordClass::kGap, "gw-1", "{}")});       // 3
  StoreAlert();                                                                  // 4
  Start();
  EXPECT_THAT(transport_.PendingSeqs(), ElementsAre(4, 3, 1, 2));
}

TEST_F(ForwarderTest, AnAlertOvertakesABacklogThatFillsTheLink) {
  options_.max_in_flight_records = 100;
  StoreHeartbeats(500);
  Start();
  EXPECT_THAT(transport_.pending(), SizeIs(100));
  StoreAlert();
  EXPECT_THAT(transport_.PendingSeqs(), Contains(501));
}

TEST_F(ForwarderTest, AnAlertOvertakesWhenTheQueueHasRoomAgain) {
  transport_.SetRoom(10);
  StoreHeartbeats(100);
  Start();
  StoreAlert();
  transport_.AckAll();
  Turn();
  EXPECT_EQ(transport_.PendingSeqs().front(), 101U);
}

TEST_F(ForwarderTest, WhatIsOnItsWayIsBoundedInRecords) {
  options_.max_in_flight_records = 100;
  for (int i = 0; i < 10; ++i) StoreHeartbeats(50);
  Start();
  while (!forwarder_->Idle()) {
    ASSERT_LE(transport_.pending().size(), 100U);
    ASSERT_THAT(transport_.pending(), Not(IsEmpty()));
    transport_.Ack(transport_.pending().front().seq);
    Turn();
  }
  EXPECT_THAT(transport_.acked(), ElementsAreArray(Range(1, 500)));
}

TEST_F(ForwarderTest, WhatIsOnItsWayIsBoundedInBytes) {
  options_.max_in_flight_bytes = 10'000;
  Store(RecordClass::kHeartbeat, std::vector<Record>(100, MakeRecord(RecordClass::kHeartbeat, "a",
                                                                     std::string(1'000, 'x'))));
  Start();
  EXPECT_THAT(transport_.pending(), SizeIs(10));
  EXPECT_LE(forwarder_->status().in_flight_bytes, 11'000U);
}

TEST_F(ForwarderTest, ARecordLargerThanTheBoundIsSentAlone) {
  options_.max_in_flight_bytes = 100;
  const std::string value(1'000, 'x');
  Store(RecordClass::kHeartbeat,
        std::vector<Record>(2, MakeRecord(RecordClass::kHeartbeat, "a", value)));
  Start();
  EXPECT_THAT(transport_.pending(), SizeIs(1));
  AckAll();
  EXPECT_THAT(transport_.acked(), ElementsAre(1, 2));
}

TEST_F(ForwarderTest, ItRefillsInBulkSoThatRequestsStayLarge) {
  options_.max_in_flight_records = 100;
  StoreHeartbeats(500);
  Start();
  for (Seq seq = 1; seq <= 49; ++seq) transport_.Ack(seq);
  Turn();
  EXPECT_THAT(transport_.pending(), SizeIs(51));
  transport_.Ack(50);
  Turn();
  EXPECT_THAT(transport_.pending(), SizeIs(100));
}

TEST_F(ForwarderTest, AFullQueueIsTriedAgainWhenReportsCome) {
  transport_.SetRoom(2);
  StoreHeartbeats(5);
  Start();
  EXPECT_THAT(transport_.PendingSeqs(), ElementsAre(1, 2));
  AckAll();
  EXPECT_THAT(transport_.acked(), ElementsAreArray(Range(1, 5)));
}

TEST_F(ForwarderTest, WhatCameBackIsSentAgainBeforeWhatFollows) {
  options_.max_in_flight_records = 4;
  StoreHeartbeats(8);
  Start();
  transport_.Ack(1);
  transport_.Retry(2);
  transport_.Retry(3);
  Turn();
  EXPECT_THAT(transport_.PendingSeqs(), ElementsAre(4)) << "4 is on its way: nothing may follow it";
  transport_.Retry(4);
  Turn();
  Wait(std::chrono::milliseconds(100));
  EXPECT_THAT(transport_.PendingSeqs(), ElementsAre(2, 3, 4, 5));
  AckAll();
  EXPECT_THAT(transport_.acked(), ElementsAreArray(Range(1, 8)));
}

TEST_F(ForwarderTest, ComingBackAgainAndAgainSlowsDown) {
  Start();
  StoreHeartbeats(1);
  int sends = 0;
  for (int second = 0; second < 600; ++second) {
    if (!transport_.pending().empty()) {
      ++sends;
      transport_.RetryAll();
      Turn();
    }
    Wait(std::chrono::seconds(1));
  }
  EXPECT_GT(sends, 20);
  EXPECT_LT(sends, 60);
  EXPECT_THAT(log_lines_, Not(IsEmpty()));
  EXPECT_LE(log_lines_.size(), 11U);
}

TEST_F(ForwarderTest, ATopicThatIsRefusedDoesNotHoldUpAnother) {
  options_.topics.heartbeat = "{tenant}.heartbeat";
  transport_.RefuseTopic("acme.heartbeat");
  Record other = MakeRecord(RecordClass::kHeartbeat, "a", "{}");
  other.tenant = "globex";
  Start();
  Store(RecordClass::kHeartbeat, {MakeRecord(RecordClass::kHeartbeat, "a", "{}"), other});
  EXPECT_THAT(transport_.PendingSeqs(), ElementsAre(2));
  AckAll();
  EXPECT_FALSE(forwarder_->Idle());
  EXPECT_EQ(Stored(), 2U);
  transport_.AllowTopic("acme.heartbeat");
  Wait(std::chrono::minutes(1));
  AckAll();
  EXPECT_EQ(Stored(), 0U);
}

TEST_F(ForwarderTest, ARefusedTopicTakesNoMoreThanItsShareOfMemory) {
  options_.max_tracked_records = 100;
  transport_.RefuseTopic("telematics.raw.telematics_heartbeat");
  Start();
  for (int i = 0; i < 100; ++i) StoreHeartbeats(10);
  StoreAlert();
  EXPECT_THAT(transport_.PendingSeqs(), ElementsAre(1001));
  AckAll();
  transport_.AllowTopic("telematics.raw.telematics_heartbeat");
  for (int i = 0; i < 40; ++i) {
    Wait(std::chrono::minutes(1));
    AckAll();
  }
  EXPECT_EQ(Stored(), 0U);
}

TEST_F(ForwarderTest, AfterACrashWhatWasNotDeletedIsSentAgain) {
  Start();
  StoreHeartbeats(3);
  transport_.Ack(1);
  Turn();
  Restart();
  EXPECT_THAT(transport_.PendingSeqs(), ElementsAre(1, 2, 3));
}

TEST_F(ForwarderTest, StoppedItSendsNothingNewAndStillTakesReports) {
  Start();
  StoreHeartbeats(1);
  forwarder_->Stop();
  StoreHeartbeats(1);
  EXPECT_THAT(transport_.PendingSeqs(), ElementsAre(1));
  AckAll();
  EXPECT_EQ(Stored(), 1U);
  EXPECT_FALSE(forwarder_->Idle());
}

TEST_F(ForwarderTest, AStoreThatFailsIsAskedAgain) {
  Start();
  store_.FailWith(Error{ErrorCode::kUnavailable, "read: disk I/O error"});
  forwarder_->OnStored();
  Turn();
  EXPECT_THAT(log_lines_, Contains(HasSubstr("disk I/O error")));
  store_.FailWith({});
  StoreHeartbeats(1);
  Wait(std::chrono::seconds(1));
  EXPECT_THAT(transport_.PendingSeqs(), ElementsAre(1));
}

TEST_F(ForwarderTest, RecordsThatTheStoreGaveUpAreNotWaitedFor) {
  store_ = MemoryStore({.max_bytes = 20});
  Start();
  StoreHeartbeats(5);
  transport_.RetryAll();  // 1 to 5 are to be read again ...
  Turn();
  StoreHeartbeats(10);  // ... but were dropped for these.
  Wait(std::chrono::seconds(1));
  AckAll();
  EXPECT_TRUE(forwarder_->Idle());
  EXPECT_THAT(transport_.acked(), Not(Contains(1)));
  EXPECT_EQ(Stored(), 0U);
}

TEST_F(ForwarderTest, ReplayedSaysThatTheRecordWaitedForTheLink) {
  const auto replayed = [this] {
    const auto& headers = transport_.pending().back().message.headers;
    return headers.back().first == "tg-replayed";
  };
  StoreHeartbeats(1);
  clock_.Advance(std::chrono::seconds(1));
  Start();
  EXPECT_TRUE(replayed()) << "stored before there was a link";
  StoreHeartbeats(1);
  EXPECT_FALSE(replayed()) << "stored while there was a link";
  transport_.SetConnected(false);
  Turn();
  StoreHeartbeats(1);
  EXPECT_TRUE(replayed()) << "stored without a link";
  clock_.Advance(std::chrono::seconds(1));
  transport_.SetConnected(true);
  Turn();
  StoreHeartbeats(1);
  EXPECT_FALSE(replayed()) << "stored after the link was back";
}

TEST_F(ForwarderTest, WhileNoBrokerAnswersLittleIsInMemoryTwice) {
  transport_.SetConnected(false);
  StoreHeartbeats(1000);
  Start();
  EXPECT_THAT(transport_.pending(), SizeIs(options_.max_in_flight_unreachable));
  transport_.SetConnected(true);
  Turn();
  EXPECT_THAT(transport_.pending(), SizeIs(1000));
}

TEST_F(ForwarderTest, BrokersThatAreAwayForHoursCostLittleAndNothingIsDropped) {
  options_.max_in_flight_records = 200;
  transport_.SetConnected(false);
  Start();
  size_t attempts = 0;
  size_t stored = 0;
  for (int minute = 0; minute < 12 * 60; ++minute) {
    StoreHeartbeats(10);
    stored += 10;
    ASSERT_LE(transport_.pending().size(), options_.max_in_flight_unreachable);
    attempts += transport_.pending().empty() ? 0 : 1;
    transport_.RetryAll();  // The library reports them undelivered.
    Turn();
    Wait(std::chrono::minutes(1));
  }
  EXPECT_LE(forwarder_->status().sent, attempts * options_.max_in_flight_unreachable);
  EXPECT_EQ(Stored(), stored);
  EXPECT_LE(log_lines_.size(), 12U * 60 + 1);
  StoreAlert();
  transport_.SetConnected(true);
  Turn();
  Wait(std::chrono::seconds(30));
  AckAll();
  EXPECT_TRUE(forwarder_->Idle());
  EXPECT_EQ(transport_.acked().size(), stored + 1);
  EXPECT_TRUE(std::ranges::is_sorted(transport_.acked().begin() + 51, transport_.acked().end()));
  EXPECT_THAT(std::vector<Seq>(transport_.acked().begin(), transport_.acked().begin() + 51),
              Contains(stored + 1))
      << "the alert overtakes all but what was on its way";
}

TEST_F(ForwarderTest, StatusCounts) {
  Start();
  StoreHeartbeats(3);
  transport_.Ack(1);
  transport_.Retry(2);
  Turn();
  const ForwarderStatus status = forwarder_->status();
  EXPECT_TRUE(status.connected);
  EXPECT_EQ(status.sent, 3U);
  EXPECT_EQ(status.acked, 1U);
  EXPECT_EQ(status.retried, 1U);
  EXPECT_EQ(status.in_flight_records, 1U);
  EXPECT_EQ(status.last_delivery, clock_.Now());
  EXPECT_EQ(status.last_error, "the link went away");
  EXPECT_THAT(metrics_.Text(), HasSubstr("tidegate_uplink_acked_total{class=\"heartbeat\"} 1"));
  EXPECT_THAT(metrics_.Text(), HasSubstr("tidegate_uplink_in_flight_records 1"));
}

}  // namespace
}  // namespace tidegate
