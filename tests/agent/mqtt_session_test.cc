// What the driver tells of sessions, and what the pipeline makes of it when PUBACKs are lost.
#include <gtest/gtest.h>

#include "agent/pipeline/pipeline.h"
#include "tests/drivers/mqtt/mqtt_fixture.h"
#include "tests/support/fake_mqtt_broker.h"
#include "tests/support/memory_store.h"

namespace tidegate {
namespace {

constexpr char kTopic[] = "f/acme/door-1";
constexpr char kOpen[] = R"({"door":"open"})";

class MqttSessionTest : public MqttDriverFixture, public testing::WithParamInterface<MqttVersion> {
 protected:
  MqttOptions Options() const {
    MqttOptions options = LocalOptions(broker_.port());
    options.version = GetParam();
    return options;
  }
  // The connection is gone, and the next one stands.
  void Cut() {
    const size_t before = broker_.connects().size();
    const size_t subscribed = broker_.subscriptions().size();
    broker_.Drop();
    ASSERT_TRUE(loop_.RunUntil([&] { return !driver_->status().connected; }));
    Settle();
    ASSERT_TRUE(loop_.RunUntil([&] {
      return broker_.connects().size() > before && broker_.subscriptions().size() > subscribed &&
             driver_->status().connected;
    }));
  }
  virtual void Settle() { driver_->Settled(inbox_.last); }

  FakeMqttBroker broker_{loop_};
};

TEST_P(MqttSessionTest, EachConnectionTellsWhatWasCertainlyNotAcknowledged) {
  broker_.ResumeSessions(false);
  Begin(Options());
  ASSERT_TRUE(WaitUntilConnected());
  ASSERT_EQ(inbox_.sessions.size(), 1U);
  EXPECT_FALSE(inbox_.sessions[0].resumed);
  broker_.Publish(kTopic, kOpen);
  broker_.Publish(kTopic, kOpen);
  ASSERT_TRUE(WaitForTaken(2));
  driver_->Settled(2);
  broker_.Publish(kTopic, kOpen);
  ASSERT_TRUE(WaitForTaken(3));
  broker_.ResumeSessions(true);
  Cut();
  ASSERT_EQ(inbox_.sessions.size(), 2U);
  EXPECT_TRUE(inbox_.sessions[1].resumed);
  EXPECT_EQ(inbox_.sessions[1].acknowledged, 2U) << "the PUBACK of the third was never written";
}

// The same with a pipeline behind the driver.
class MqttReceiptsTest : public MqttSessionTest {
 protected:
  void SetUp() override {
    Pipeline::Options options;
    options.default_tenant = "acme";
    pipeline_.emplace(store_, loop_, clock_, log_, metrics_, std::vector<Rule>{}, options);
    pipeline_->Restore();
    driver_ = std::make_unique<MqttDriver>(input_, Options(), clock_, log_, metrics_, notes_);
    ASSERT_TRUE(driver_->Start(loop_, pipeline_->AddInput(input_, driver_.get())).ok());
    ASSERT_TRUE(WaitUntilConnected());
  }
  void TearDown() override { driver_.reset(); }
  void Settle() override { pipeline_->Commit(); }
  bool Taken(uint64_t count) {
    return loop_.RunUntil([&] { return pipeline_->inputs()[0].received >= count; });
  }
  void Take(uint16_t packet_id) {
    const uint64_t before = pipeline_->inputs()[0].received;
    broker_.PublishAs(packet_id, kTopic, kOpen);
    ASSERT_TRUE(Taken(before + 1));
  }
  void Acknowledge() {
    pipeline_->Commit();
    LetPass();
  }
  uint64_t stored() {
    pipeline_->Commit();
    return store_.Usage().total_records();
  }

  MemoryStore store_;
  std::optional<Pipeline> pipeline_;
};

TEST_P(MqttReceiptsTest, AMessageWhosePubackWasNeverWrittenIsStoredOnce) {
  Take(1);
  Acknowledge();
  Take(2);
  Cut();
  Take(2);
  Take(3);
  EXPECT_EQ(stored(), 3U);
  LetPass();
  EXPECT_EQ(pipeline_->inputs()[0].redelivered, 1U);
  EXPECT_EQ(broker_.pubacks().back(), 3U);
}

TEST_P(MqttReceiptsTest, AReusedIdIsNoRedelivery) {
  for (int i = 0; i < 3; ++i) {
    Take(1);
    Acknowledge();
  }
  Cut();
  Take(1);
  EXPECT_EQ(stored(), 4U);
}

TEST_P(MqttReceiptsTest, InANewSessionNothingIsARedelivery) {
  Take(1);
  broker_.ResumeSessions(false);
  Cut();
  Take(1);
  EXPECT_EQ(stored(), 2U);
}

// RabbitMQ, Artemis and rumqttd.
TEST_P(MqttReceiptsTest, WhatIsSentAgainUnderANewIdIsStoredOnce) {
  Take(7);
  Take(8);
  Cut();
  Take(1);
  Take(2);
  Take(3);
  EXPECT_EQ(stored(), 3U);
  EXPECT_EQ(pipeline_->inputs()[0].redelivered, 2U);
}

// aedes and Moquette.
TEST_P(MqttReceiptsTest, WhatIsSentAgainAfterTheSubackIsStoredOnce) {
  Take(1);
  EXPECT_EQ(stored(), 1U);
  broker_.Drop();  // The PUBACK is on its way, and may be lost.
  ASSERT_TRUE(loop_.RunUntil([&] { return !driver_->status().connected; }));
  ASSERT_TRUE(WaitUntilConnected());
  LetPass();
  Take(1);
  EXPECT_EQ(stored(), 1U);
}

TEST_P(MqttReceiptsTest, ARetainedMessageIsStoredOnceAcrossSessions) {
  broker_.ResumeSessions(false);
  broker_.PublishRetained(kTopic, kOpen);
  ASSERT_TRUE(Taken(1));
  for (uint64_t connection = 2; connection <= 4; ++connection) {
    Cut();
    broker_.PublishRetained(kTopic, kOpen);
    ASSERT_TRUE(Taken(connection));
  }
  EXPECT_EQ(stored(), 1U);
  EXPECT_EQ(pipeline_->inputs()[0].redelivered, 3U);
}

TEST_P(MqttReceiptsTest, AnotherTopicsMessageIsADeadLetterAndNotOfTheDefaultTenant) {
  broker_.Publish("f2/beta/door-1", R"({"asset_id":"door-1","door":"open"})");
  ASSERT_TRUE(Taken(1));
  EXPECT_EQ(stored(), 0U);
  EXPECT_EQ(pipeline_->inputs()[0].refused, 1U);
  ASSERT_TRUE(loop_.RunUntil([this] { return broker_.pubacks().size() == 1; }));
}

INSTANTIATE_TEST_SUITE_P(Versions, MqttSessionTest,
                         testing::Values(MqttVersion::k5, MqttVersion::k311));
INSTANTIATE_TEST_SUITE_P(Versions, MqttReceiptsTest,
                         testing::Values(MqttVersion::k5, MqttVersion::k311));

}  // namespace
}  // namespace tidegate
