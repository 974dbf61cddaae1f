// Keepalives take seconds, because libmosquitto allows none below five.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/drivers/mqtt/mqtt_fixture.h"
#include "tests/support/fake_mqtt_broker.h"

namespace tidegate {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

class MqttKeepaliveTest : public MqttDriverFixture {
 protected:
  void SetUp() override {
    MqttOptions options = LocalOptions(broker_.port());
    options.keepalive = seconds(5);
    Begin(options);
    ASSERT_TRUE(WaitUntilConnected());
  }

  FakeMqttBroker broker_{loop_};
};

TEST_F(MqttKeepaliveTest, AnIdleConnectionIsPingedAndKept) {
  ASSERT_TRUE(loop_.RunUntil([this] { return broker_.pings() >= 2; }, seconds(15)));
  EXPECT_EQ(broker_.connects().size(), 1u);
  EXPECT_TRUE(driver_->status().connected);
}

TEST_F(MqttKeepaliveTest, ABrokerThatAnswersNoPingIsLeft) {
  broker_.AnswerPings(false);
  ASSERT_TRUE(loop_.RunUntil([this] { return broker_.connects().size() >= 2; }, seconds(20)));
  EXPECT_EQ(broker_.pings(), 1u);
}

// A PINGREQ may not carry PUBACKs along that are not due, nor be lost behind them.
TEST_F(MqttKeepaliveTest, APingWaitsForWhatIsHeld) {
  ASSERT_TRUE(loop_.RunUntil([this] { return broker_.pings() >= 1; }, seconds(10)));
  // Held from just before the next ping is due, for less than half the keepalive.
  loop_.RunUntil([] { return false; }, seconds(4));
  broker_.Publish("f/acme/truck-7", "x");
  ASSERT_TRUE(WaitForTaken(1));
  loop_.RunUntil([] { return false; }, std::chrono::milliseconds(1500));
  EXPECT_TRUE(broker_.pubacks().empty());
  EXPECT_EQ(broker_.pings(), 1u);
  driver_->Settled(1);
  ASSERT_TRUE(loop_.RunUntil([this] { return broker_.pings() >= 2; }));
  EXPECT_EQ(broker_.pubacks().size(), 1u);
  EXPECT_EQ(broker_.connects().size(), 1u);
}

TEST_F(MqttKeepaliveTest, HeldForTooLongTheBrokerIsLeftWithoutAPuback) {
  broker_.Publish("f/acme/truck-7", "x");
  ASSERT_TRUE(WaitForTaken(1));
  ASSERT_TRUE(loop_.RunUntil([this] { return !broker_.connected(); }, seconds(5)));
  EXPECT_TRUE(broker_.pubacks().empty());
  EXPECT_THAT(driver_->status().detail, HasSubstr("not stored in time"));
}

}  // namespace
}  // namespace tidegate
