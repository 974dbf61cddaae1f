// What the driver takes and what it acknowledges, against a broker that notes every PUBACK.
#include "drivers/mqtt/mqtt_driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/drivers/mqtt/mqtt_fixture.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_mqtt_broker.h"

namespace tidegate {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class MqttDriverTest : public MqttDriverFixture {
 protected:
  MqttOptions Options() const { return LocalOptions(broker_.port()); }
  void BeginConnected(const MqttOptions& options) {
    Begin(options);
    ASSERT_TRUE(WaitUntilConnected());
  }
  void Publish(int count) {
    for (int i = 0; i < count; ++i) {
      broker_.Publish("f/acme/truck-7", std::to_string(published_++));
    }
  }
  bool WaitForPubacks(size_t count) {
    return loop_.RunUntil([this, count] { return broker_.pubacks().size() >= count; });
  }
  void ExpectTakenInOrder(size_t count) {
    ASSERT_EQ(inbox_.taken.size(), count);
    for (size_t i = 0; i < count; ++i) ASSERT_EQ(inbox_.taken[i].payload, std::to_string(i));
  }

  FakeMqttBroker broker_{loop_};
  int published_ = 0;
};

TEST_F(MqttDriverTest, OffersAMessageWithItsTags) {
  BeginConnected(Options());
  broker_.Publish("f/acme/truck-7", R"({"a":1})");
  ASSERT_TRUE(WaitForTaken(1));
  const TakenMessage& message = inbox_.taken.front();
  EXPECT_EQ(message.payload, R"({"a":1})");
  EXPECT_EQ(message.tenant, "acme");
  EXPECT_EQ(message.asset, "truck-7");
  EXPECT_EQ(message.origin, "f/acme/truck-7");
  EXPECT_EQ(message.packet_id, 1);
}

TEST_F(MqttDriverTest, TakesEmptyAndLargePayloads) {
  BeginConnected(Options());
  broker_.Publish("f/acme/truck-7", "");
  broker_.Publish("f/acme/truck-7", std::string(300 * 1024, 'x'));
  ASSERT_TRUE(WaitForTaken(2));
  EXPECT_EQ(inbox_.taken[0].payload, "");
  EXPECT_EQ(inbox_.taken[1].payload.size(), 300u * 1024);
}

TEST_F(MqttDriverTest, AcknowledgesNothingBeforeAllThatWasReadIsSettled) {
  BeginConnected(Options());
  Publish(3);
  ASSERT_TRUE(WaitForTaken(3));
  LetPass();
  EXPECT_THAT(broker_.pubacks(), IsEmpty());
  driver_->Settled(2);
  LetPass();
  EXPECT_THAT(broker_.pubacks(), IsEmpty());
  driver_->Settled(3);
  ASSERT_TRUE(WaitForPubacks(3));
  EXPECT_THAT(broker_.pubacks(), ElementsAre(1, 2, 3));
}

TEST_F(MqttDriverTest, TakesQosZeroWithoutAcknowledging) {
  BeginConnected(Options());
  broker_.Publish("f/acme/truck-7", "once", 0);
  ASSERT_TRUE(WaitForTaken(1));
  EXPECT_EQ(inbox_.taken[0].packet_id, std::nullopt);
  driver_->Settled(1);
  LetPass();
  EXPECT_THAT(broker_.pubacks(), IsEmpty());
}

TEST_F(MqttDriverTest, AMessageOfAnOldSubscriptionIsRefusedAndAcknowledged) {
  BeginConnected(Options());
  broker_.Publish("elsewhere", "x");
  broker_.Publish("f/acme/truck-7", "y");
  ASSERT_TRUE(WaitForTaken(2));
  EXPECT_EQ(inbox_.taken[0].tenant, "");
  EXPECT_EQ(inbox_.taken[0].origin, "elsewhere");
  EXPECT_THAT(inbox_.taken[0].refused, HasSubstr("does not match"));
  EXPECT_EQ(inbox_.taken[1].refused, "");
  driver_->Settled(2);
  ASSERT_TRUE(WaitForPubacks(2));
  EXPECT_THAT(MetricsText(), HasSubstr("tidegate_mqtt_unmatched_total{input=\"local\"} 1"));
}

// mosquitto had this many on the way after a reconnect, twice its window.
TEST_F(MqttDriverTest, HoldsNoMoreThanItsBoundWhateverTheBrokerSends) {
  MqttOptions options = Options();
  options.max_unsettled = 1000;
  BeginConnected(options);
  Publish(1987);
  ASSERT_TRUE(WaitForTaken(1000));
  LetPass();
  ExpectTakenInOrder(1000);
  EXPECT_TRUE(driver_->Starved());
  driver_->Settled(1000);
  EXPECT_FALSE(driver_->Starved());
  ASSERT_TRUE(WaitForTaken(1987));
  LetPass();
  EXPECT_EQ(broker_.pubacks().size(), 1000u);
  driver_->Settled(1987);
  ASSERT_TRUE(WaitForPubacks(1987));
  ExpectTakenInOrder(1987);
}

TEST_F(MqttDriverTest, HoldsNoMoreBytesThanItsBound) {
  MqttOptions options = Options();
  options.max_unsettled_bytes = 100'000;
  BeginConnected(options);
  for (int i = 0; i < 10; ++i) broker_.Publish("f/acme/truck-7", std::string(30'000, 'x'));
  ASSERT_TRUE(WaitForTaken(4));
  LetPass();
  EXPECT_EQ(inbox_.taken.size(), 4u);
  EXPECT_TRUE(driver_->Starved());
  for (Ticket ticket = 4; inbox_.taken.size() < 10; ticket = inbox_.last) {
    driver_->Settled(ticket);
    ASSERT_TRUE(WaitForTaken(ticket + 1));
    LetPass();
  }
}

TEST_F(MqttDriverTest, WhatTheInboxRefusesIsKeptAndOfferedAgain) {
  inbox_.room = 2;
  BeginConnected(Options());
  Publish(5);
  ASSERT_TRUE(WaitForTaken(2));
  driver_->Settled(2);
  LetPass();
  EXPECT_THAT(broker_.pubacks(), IsEmpty());
  EXPECT_EQ(inbox_.taken.size(), 2u);

  inbox_.room = 1000;
  driver_->Resume();
  EXPECT_EQ(inbox_.taken.size(), 2u);  // Not from within Resume().
  ASSERT_TRUE(WaitForTaken(5));
  driver_->Settled(5);
  ASSERT_TRUE(WaitForPubacks(5));
  ExpectTakenInOrder(5);
}

TEST_F(MqttDriverTest, WhatWasNotAcknowledgedIsLeftToTheBroker) {
  BeginConnected(Options());
  Publish(3);
  ASSERT_TRUE(WaitForTaken(3));
  broker_.Drop();
  ASSERT_TRUE(loop_.RunUntil([this] { return !driver_->status().connected; }));
  EXPECT_THAT(MetricsText(), HasSubstr("tidegate_mqtt_not_acknowledged_total{input=\"local\"} 3"));

  // Not before the pipeline can know them again.
  LetPass(100);
  EXPECT_EQ(broker_.connects().size(), 1u);
  driver_->Settled(3);
  ASSERT_TRUE(WaitUntilConnected());
  EXPECT_THAT(broker_.pubacks(), IsEmpty());

  broker_.Publish("f/acme/truck-7", "next");
  ASSERT_TRUE(WaitForTaken(4));
  driver_->Settled(4);
  ASSERT_TRUE(WaitForPubacks(1));
  EXPECT_THAT(broker_.pubacks(), ElementsAre(4));
}

TEST_F(MqttDriverTest, StoppedItReadsNoMoreButStillAcknowledges) {
  BeginConnected(Options());
  Publish(2);
  ASSERT_TRUE(WaitForTaken(2));
  driver_->Stop();
  Publish(2);
  LetPass();
  EXPECT_EQ(inbox_.taken.size(), 2u);
  driver_->Settled(2);
  ASSERT_TRUE(WaitForPubacks(2));
  EXPECT_THAT(broker_.pubacks(), ElementsAre(1, 2));
}

TEST_F(MqttDriverTest, DestroyedWhenAllIsSettledItTakesItsLeave) {
  BeginConnected(Options());
  Publish(2);
  ASSERT_TRUE(WaitForTaken(2));
  driver_->Stop();
  driver_->Settled(2);
  driver_.reset();
  ASSERT_TRUE(loop_.RunUntil([this] { return !broker_.connected(); }));
  EXPECT_EQ(broker_.pubacks().size(), 2u);
  EXPECT_EQ(broker_.disconnects(), 1u);
}

TEST_F(MqttDriverTest, DestroyedBeforeItAcknowledgesNothing) {
  BeginConnected(Options());
  Publish(2);
  ASSERT_TRUE(WaitForTaken(2));
  driver_->Settled(1);
  driver_.reset();
  ASSERT_TRUE(loop_.RunUntil([this] { return !broker_.connected(); }));
  EXPECT_THAT(broker_.pubacks(), IsEmpty());
  EXPECT_EQ(broker_.disconnects(), 0u);
}

// With a window of 20 and nothing learned, 2,000 messages take 100 commit intervals.
TEST_F(MqttDriverTest, LearnsAWindowAndCommitsWhenItIsReached) {
  MqttOptions options = Options();
  options.version = MqttVersion::k311;
  broker_.SetWindow(20);
  BeginConnected(options);
  Publish(2000);
  constexpr milliseconds kInterval{50};
  int timeouts = 0;
  while (broker_.pubacks().size() < 2000) {
    const size_t before = inbox_.taken.size();
    ASSERT_TRUE(WaitForTaken(before + 1));
    if (!loop_.RunUntil([this] { return driver_->Starved(); }, kInterval)) ++timeouts;
    driver_->Settled(inbox_.last);
    ASSERT_TRUE(WaitForPubacks(inbox_.last));
    ASSERT_LT(timeouts, 20);
  }
  EXPECT_THAT(driver_->status().detail, HasSubstr("window 20"));
}

TEST_F(MqttDriverTest, AFewMessagesDoNotStarveIt) {
  BeginConnected(Options());
  Publish(1);
  ASSERT_TRUE(WaitForTaken(1));
  LetPass();
  EXPECT_FALSE(driver_->Starved());
}

// Time for the driver's decisions passes on a clock of its own; its timers are real.
class MqttHeldTest : public MqttDriverTest {
 protected:
  void SetUp() override {
    MqttOptions options = Options();
    options.keepalive = seconds(5);
    driver_ = std::make_unique<MqttDriver>(input_, options, fake_clock_, log_, metrics_, notes_);
    ASSERT_TRUE(driver_->Start(loop_, inbox_).ok());
    ASSERT_TRUE(WaitUntilConnected());
  }

  FakeClock fake_clock_;
};

TEST_F(MqttHeldTest, HeldForHalfTheKeepaliveItGoesAwayUntilThereIsRoom) {
  inbox_.room = 1;
  Publish(3);
  ASSERT_TRUE(WaitForTaken(1));
  LetPass();
  EXPECT_TRUE(broker_.connected());
  fake_clock_.Advance(milliseconds(2600));
  ASSERT_TRUE(loop_.RunUntil([this] { return !broker_.connected(); }));
  EXPECT_THAT(broker_.pubacks(), IsEmpty());
  EXPECT_EQ(broker_.disconnects(), 0u);
  EXPECT_THAT(driver_->status().detail, HasSubstr("not stored in time"));

  driver_->Settled(1);
  LetPass(100);
  EXPECT_EQ(broker_.connects().size(), 1u);
  inbox_.room = 1000;
  driver_->Resume();
  ASSERT_TRUE(WaitUntilConnected());
  // The kept one is the broker's to send again.
  EXPECT_EQ(inbox_.taken.size(), 1u);
}

TEST_F(MqttHeldTest, AShortHoldIsNoReasonToGo) {
  Publish(1);
  ASSERT_TRUE(WaitForTaken(1));
  fake_clock_.Advance(milliseconds(1500));
  loop_.RunUntil([] { return false; }, milliseconds(700));  // More than one tick.
  EXPECT_TRUE(broker_.connected());
  driver_->Settled(1);
  ASSERT_TRUE(WaitForPubacks(1));
}

}  // namespace
}  // namespace tidegate
