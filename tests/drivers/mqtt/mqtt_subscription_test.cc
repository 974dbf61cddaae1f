// What the driver asks a broker to send, over changes of the configuration and lost sessions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/drivers/mqtt/mqtt_fixture.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_mqtt_broker.h"

namespace tidegate {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class MqttSubscriptionTest : public MqttDriverFixture,
                             public testing::WithParamInterface<MqttVersion> {
 protected:
  // A process whose input is configured with this topic.
  void Start(const std::string& topic) {
    driver_.reset();
    MqttOptions options = LocalOptions(broker_.port());
    options.topic = *TopicTemplate::Parse(topic);
    options.version = GetParam();
    Begin(options);
    ASSERT_TRUE(WaitUntilConnected());
    LetPass();
  }
  void Reconnect() {
    const size_t before = broker_.connects().size();
    broker_.Drop();
    ASSERT_TRUE(loop_.RunUntil([&] { return broker_.connects().size() > before; }));
    ASSERT_TRUE(WaitUntilConnected());
  }

  FakeMqttBroker broker_{loop_};
};

TEST_P(MqttSubscriptionTest, AChangedFilterIsRemovedAtTheBroker) {
  broker_.ResumeSessions(false);
  Start("fleet/{tenant}/{asset}");
  EXPECT_THAT(broker_.unsubscriptions(), IsEmpty());
  broker_.ResumeSessions(true);
  Start("fleet/acme/{asset}");
  EXPECT_THAT(broker_.subscriptions(), ElementsAre("fleet/+/+", "fleet/acme/+"));
  EXPECT_THAT(broker_.unsubscriptions(), ElementsAre("fleet/+/+"));
  EXPECT_THAT(MetricsText(), HasSubstr("tidegate_mqtt_unsubscribed_total{input=\"local\"} 1"));
  EXPECT_THAT(logged_, Contains(HasSubstr("fleet/+/+")));
  Start("fleet/acme/{asset}");
  EXPECT_EQ(broker_.unsubscriptions().size(), 1U) << "once it is confirmed";
}

TEST_P(MqttSubscriptionTest, TheSubscriptionIsNotedBeforeTheBrokerIsAsked) {
  notes_.broken = true;
  Start("fleet/{tenant}/{asset}");
  EXPECT_THAT(logged_, Contains(HasSubstr("disk I/O error")));
  notes_.broken = false;
  Reconnect();
  LetPass();
  EXPECT_EQ(notes_.writes, 1);
  EXPECT_THAT(notes_.texts["mqtt.local"], HasSubstr("fleet/+/+"));
}

TEST_P(MqttSubscriptionTest, ALostSessionIsCountedLoggedAndShown) {
  broker_.ResumeSessions(false);
  Start("f/{tenant}/{asset}");
  EXPECT_THAT(driver_->status().detail, Not(HasSubstr("lost")));
  Reconnect();
  EXPECT_THAT(MetricsText(), HasSubstr("tidegate_mqtt_sessions_lost_total{input=\"local\"} 1"));
  EXPECT_THAT(logged_, Contains(HasSubstr("has lost our session")));
  EXPECT_THAT(driver_->status().detail, HasSubstr("lost our session 1 time"));
  Start("f/{tenant}/{asset}");
  EXPECT_THAT(MetricsText(), HasSubstr("tidegate_mqtt_sessions_lost_total{input=\"local\"} 2"))
      << "also over a restart of ours";
  broker_.ResumeSessions(true);
  Reconnect();
  EXPECT_THAT(MetricsText(), HasSubstr("tidegate_mqtt_sessions_lost_total{input=\"local\"} 2"));
}

TEST_P(MqttSubscriptionTest, ASharedSubscriptionHasTheTagsOfTheRealTopic) {
  Start("$share/gateways/fleet/{tenant}/{asset}");
  EXPECT_THAT(broker_.subscriptions(), ElementsAre("$share/gateways/fleet/+/+"));
  broker_.Publish("fleet/acme/truck-7", "{}");
  ASSERT_TRUE(WaitForTaken(1));
  EXPECT_EQ(inbox_.taken[0].tenant, "acme");
  EXPECT_EQ(inbox_.taken[0].asset, "truck-7");
  EXPECT_EQ(inbox_.taken[0].refused, "");
}

TEST_P(MqttSubscriptionTest, ARetainedMessageIsMarked) {
  Start("f/{tenant}/{asset}");
  broker_.PublishRetained("f/acme/7", "old");
  broker_.Publish("f/acme/7", "new");
  ASSERT_TRUE(WaitForTaken(2));
  EXPECT_TRUE(inbox_.taken[0].retained);
  EXPECT_FALSE(inbox_.taken[1].retained);
}

TEST_P(MqttSubscriptionTest, APacketThatIsTooLargeHarmsNoOther) {
  Start("f/{tenant}/{asset}");
  const std::string large(40'000'000, 'x');
  broker_.Publish("f/acme/7", large);
  if (GetParam() == MqttVersion::k5) {
    ASSERT_TRUE(loop_.RunUntil([this] { return !driver_->status().connected; }));
    EXPECT_THAT(driver_->status().detail, HasSubstr("too large"));
    EXPECT_THAT(inbox_.taken, IsEmpty()) << "we have forbidden it";
    return;
  }
  broker_.Publish("f/acme/7", "next");
  ASSERT_TRUE(WaitForTaken(2));
  EXPECT_THAT(inbox_.taken[0].refused, HasSubstr("a packet of 400000"));
  EXPECT_EQ(inbox_.taken[0].origin, "f/acme/7");
  EXPECT_LT(inbox_.taken[0].payload.size(), 200'000U);
  EXPECT_EQ(inbox_.taken[1].payload, "next");
  driver_->Settled(2);
  ASSERT_TRUE(loop_.RunUntil([this] { return broker_.pubacks().size() == 2; }));
}

TEST_P(MqttSubscriptionTest, ALargePacketWithinTheLimitIsWhole) {
  Start("f/{tenant}/{asset}");
  const std::string payload(900'000, 'x');
  broker_.Publish("f/acme/7", payload);
  ASSERT_TRUE(WaitForTaken(1));
  EXPECT_EQ(inbox_.taken[0].payload, payload);
  EXPECT_EQ(inbox_.taken[0].refused, "");
}

TEST_P(MqttSubscriptionTest, ARefusedSubscriptionIsAskedForAgainAtOnce) {
  broker_.RefuseNextSubscribe();
  Start("f/{tenant}/{asset}");
  EXPECT_EQ(broker_.subscriptions().size(), 2U);
  EXPECT_EQ(broker_.connects().size(), 1U);
}

TEST_P(MqttSubscriptionTest, ABrokerThatAlwaysRefusesIsNotAskedInATightLoop) {
  broker_.AnswerSubscribe(0x80);
  MqttOptions options = LocalOptions(broker_.port());
  options.version = GetParam();
  Begin(options);
  ASSERT_TRUE(loop_.RunUntil([this] { return broker_.subscriptions().size() >= 2; }));
  LetPass(100);
  EXPECT_EQ(broker_.subscriptions().size(), 2U);
}

// Time for the driver's decisions passes on a clock of its own; its timers are real.
TEST_P(MqttSubscriptionTest, RedeliveriesAreExpectedForSomeSecondsAfterTheSuback) {
  FakeClock clock;
  MqttOptions options = LocalOptions(broker_.port());
  options.version = GetParam();
  driver_ = std::make_unique<MqttDriver>(input_, options, clock, log_, metrics_, notes_);
  ASSERT_TRUE(driver_->Start(loop_, inbox_).ok());
  ASSERT_TRUE(WaitUntilConnected());
  broker_.Publish("f/acme/7", "1");
  ASSERT_TRUE(WaitForTaken(1));
  LetPass();
  EXPECT_THAT(inbox_.caught_up, IsEmpty());
  clock.Advance(seconds(6));
  broker_.Publish("f/acme/7", "2");
  ASSERT_TRUE(WaitForTaken(2));
  broker_.Publish("f/acme/7", "3");
  ASSERT_TRUE(WaitForTaken(3));
  EXPECT_EQ(inbox_.caught_up.size(), 1U) << "once for each connection";
}

INSTANTIATE_TEST_SUITE_P(Versions, MqttSubscriptionTest,
                         testing::Values(MqttVersion::k5, MqttVersion::k311));

}  // namespace
}  // namespace tidegate
