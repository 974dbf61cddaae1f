// How the driver makes its connection, against a broker that refuses it in every way seen in the
// field.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "core/unique_fd.h"
#include "tests/drivers/mqtt/mqtt_fixture.h"
#include "tests/support/fake_mqtt_broker.h"

namespace tidegate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr int k5 = 5;
constexpr int k311 = 4;

class MqttConnectingTest : public MqttDriverFixture {
 protected:
  std::vector<int> VersionsTried() const {
    std::vector<int> versions;
    for (const auto& connect : broker_.connects()) versions.push_back(connect.version);
    return versions;
  }
  bool WaitForConnects(size_t count) {
    return loop_.RunUntil([this, count] { return broker_.connects().size() >= count; });
  }

  FakeMqttBroker broker_{loop_};
};

TEST_F(MqttConnectingTest, AsksForASessionThatOutlivesTheConnection) {
  MqttOptions options = LocalOptions(broker_.port());
  options.session_expiry = std::chrono::seconds(0x01020304);
  options.receive_maximum = 0x0506;
  options.max_packet_bytes = 0x0708090a;
  options.username = "gw7";
  options.password = "secret";
  Begin(options);
  ASSERT_TRUE(WaitUntilConnected());
  ASSERT_EQ(broker_.connects().size(), 1u);
  const FakeMqttBroker::Connect& connect = broker_.connects().front();
  EXPECT_EQ(connect.version, k5);
  EXPECT_FALSE(connect.clean_start);
  EXPECT_EQ(connect.keepalive, 30);
  EXPECT_EQ(connect.client_id, "tidegate-gw-local");
  EXPECT_EQ(connect.username, "gw7");
  EXPECT_EQ(connect.password, "secret");
  EXPECT_THAT(connect.properties, HasSubstr(std::string("\x11\x01\x02\x03\x04", 5)));
  EXPECT_THAT(connect.properties, HasSubstr(std::string("\x21\x05\x06", 3)));
  EXPECT_THAT(connect.properties, HasSubstr(std::string("\x27\x07\x08\x09\x0a", 5)));
  EXPECT_THAT(broker_.subscriptions(), ElementsAre("f/+/+"));
  EXPECT_THAT(driver_->status().detail, HasSubstr("MQTT 5"));
  EXPECT_THAT(MetricsText(), HasSubstr("tidegate_mqtt_connected{input=\"local\"} 1"));
}

class MqttRefusalTest : public MqttConnectingTest,
                        public testing::WithParamInterface<FakeMqttBroker::Refusal> {};

TEST_P(MqttRefusalTest, FallsBackTo311AndStaysThere) {
  broker_.Speak(false, true);
  broker_.RefuseBy(GetParam());
  Begin(LocalOptions(broker_.port()));
  ASSERT_TRUE(WaitUntilConnected());
  EXPECT_EQ(broker_.connects().back().version, k311);
  EXPECT_FALSE(broker_.connects().back().clean_start);
  EXPECT_THAT(driver_->status().detail, HasSubstr("MQTT 3.1.1"));
  const size_t attempts = broker_.connects().size();
  EXPECT_LE(attempts, 3u);

  broker_.Drop();
  ASSERT_TRUE(WaitForConnects(attempts + 1));
  ASSERT_TRUE(WaitUntilConnected());
  EXPECT_EQ(broker_.connects().size(), attempts + 1);
  EXPECT_EQ(broker_.connects().back().version, k311);
}

INSTANTIATE_TEST_SUITE_P(Ways, MqttRefusalTest,
                         testing::Values(FakeMqttBroker::Refusal::kV3Connack,
                                         FakeMqttBroker::Refusal::kV3Code,
                                         FakeMqttBroker::Refusal::kV5Connack,
                                         FakeMqttBroker::Refusal::kClose,
                                         FakeMqttBroker::Refusal::kSilence));

// The fifth way: MQTT 5 is on another port, or nothing is there yet.
TEST_F(MqttConnectingTest, AClosedPortIsTriedForEverWithTheSameVersion) {
  broker_.StopListening();
  Begin(LocalOptions(broker_.port()));
  ASSERT_TRUE(loop_.RunUntil([this] {
    return MetricsText().find("tidegate_mqtt_connect_failures_total{input=\"local\"} 5") !=
           std::string::npos;
  }));
  EXPECT_FALSE(driver_->status().connected);
  EXPECT_THAT(driver_->status().detail, HasSubstr("refused"));
  EXPECT_THAT(driver_->status().detail, HasSubstr("MQTT 5"));
  EXPECT_EQ(logged_.size(), 1u);
}

TEST_F(MqttConnectingTest, OneProtocolErrorDoesNotPinTheVersion) {
  broker_.PublishBeforeNextConnack();
  Begin(LocalOptions(broker_.port()));
  ASSERT_TRUE(WaitUntilConnected());
  EXPECT_THAT(VersionsTried(), ElementsAre(k5, k5));
  EXPECT_TRUE(inbox_.taken.empty());
  EXPECT_TRUE(broker_.pubacks().empty());
}

TEST_F(MqttConnectingTest, ASecondConnackEndsTheConnectionAndIsNoSecondSession) {
  Begin(LocalOptions(broker_.port()));
  ASSERT_TRUE(WaitUntilConnected());
  broker_.Publish("f/acme/7", "{}");
  ASSERT_TRUE(WaitForTaken(1));
  broker_.SendConnack();
  ASSERT_TRUE(loop_.RunUntil([this] { return !driver_->status().connected; }));
  EXPECT_THAT(driver_->status().detail, HasSubstr("a second CONNACK"));
  EXPECT_EQ(inbox_.sessions.size(), 1u);
  EXPECT_TRUE(broker_.pubacks().empty());
  driver_->Settled(inbox_.last);
  ASSERT_TRUE(WaitUntilConnected());
  EXPECT_EQ(inbox_.sessions.size(), 2u);
}

TEST_F(MqttConnectingTest, WhatWouldBeQueuedWithoutALimitEndsTheConnection) {
  Begin(LocalOptions(broker_.port()));
  ASSERT_TRUE(WaitUntilConnected());
  broker_.Publish("f/acme/7", "{}", 2);
  ASSERT_TRUE(WaitForConnects(2));
  EXPECT_TRUE(loop_.RunUntil([this] { return driver_->status().connected; }));
  for (int i = 0; i < 1000; ++i) broker_.SendBytes(std::string("\xc0\0", 2));
  ASSERT_TRUE(WaitForConnects(3));
  EXPECT_TRUE(inbox_.taken.empty());
  EXPECT_THAT(MetricsText(), HasSubstr("tidegate_mqtt_violations_total{input=\"local\"} 2"));
  EXPECT_THAT(logged_, testing::Contains(HasSubstr("PUBLISH of QoS 2")));
}

TEST_F(MqttConnectingTest, ARefusalForAnotherReasonIsShownAndKeepsTheVersion) {
  broker_.Speak(false, false);
  broker_.RefuseBy(FakeMqttBroker::Refusal::kNotAllowed);
  MqttOptions options = LocalOptions(broker_.port());
  options.username = "gw7";
  options.password = "hunter2";
  Begin(options);
  ASSERT_TRUE(WaitForConnects(4));
  EXPECT_THAT(VersionsTried(), ElementsAre(k5, k5, k5, k5));
  EXPECT_THAT(driver_->status().detail, HasSubstr("refuses us"));
  EXPECT_THAT(driver_->status().detail, HasSubstr("uthori"));
  for (const std::string& line : logged_) EXPECT_THAT(line, Not(HasSubstr("hunter2")));
}

TEST_F(MqttConnectingTest, AFixedVersionIsTheOnlyOne) {
  MqttOptions options = LocalOptions(broker_.port());
  options.version = MqttVersion::k311;
  Begin(options);
  ASSERT_TRUE(WaitUntilConnected());
  EXPECT_THAT(VersionsTried(), ElementsAre(k311));
}

TEST_F(MqttConnectingTest, ReconnectsWhenTheConnectionBreaks) {
  Begin(LocalOptions(broker_.port()));
  for (size_t round = 1; round <= 3; ++round) {
    ASSERT_TRUE(WaitUntilConnected());
    ASSERT_EQ(broker_.connects().size(), round);
    broker_.Drop();
    ASSERT_TRUE(loop_.RunUntil([this] { return !driver_->status().connected; }));
  }
  ASSERT_TRUE(WaitUntilConnected());
  EXPECT_THAT(MetricsText(), HasSubstr("tidegate_mqtt_reconnects_total{input=\"local\"} 3"));
}

TEST_F(MqttConnectingTest, ARefusedSubscriptionIsShownAndCounted) {
  broker_.AnswerSubscribe(0x87);
  Begin(LocalOptions(broker_.port()));
  ASSERT_TRUE(loop_.RunUntil(
      [this] { return driver_->status().detail.find("subscription") != std::string::npos; }));
  EXPECT_FALSE(driver_->status().connected);
  EXPECT_THAT(driver_->status().detail, HasSubstr("f/+/+"));
  EXPECT_THAT(MetricsText(), HasSubstr("tidegate_mqtt_subscribe_refused_total{input=\"local\"} 1"));
}

TEST_F(MqttConnectingTest, ASubscriptionWithQosZeroOnlyIsShown) {
  broker_.AnswerSubscribe(0);
  Begin(LocalOptions(broker_.port()));
  ASSERT_TRUE(WaitUntilConnected());
  EXPECT_THAT(driver_->status().detail, HasSubstr("QoS 0 only"));
}

TEST_F(MqttConnectingTest, StoppedWhileConnectingItStaysAway) {
  broker_.Speak(false, false);
  broker_.RefuseBy(FakeMqttBroker::Refusal::kSilence);
  Begin(LocalOptions(broker_.port()));
  ASSERT_TRUE(WaitForConnects(1));
  driver_->Stop();
  LetPass(100);
  EXPECT_EQ(broker_.connects().size(), 1u);
  EXPECT_FALSE(broker_.connected());
}

TEST_F(MqttConnectingTest, OptionsThatCanNeverWorkAreRefused) {
  MqttOptions options = LocalOptions(broker_.port());
  options.password = "secret";
  MqttDriver driver(input_, options, clock_, log_, metrics_, notes_);
  const Status status = driver.Start(loop_, inbox_);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kInvalid);
}

TEST_F(MqttConnectingTest, ACertificateThatCannotBeReadIsAnErrorThatIsTriedAgain) {
  MqttOptions options = LocalOptions(broker_.port());
  options.tls = true;
  options.ca_file = "/nonexistent/ca.pem";
  Begin(options);
  EXPECT_THAT(driver_->status().detail, HasSubstr("/nonexistent/ca.pem"));
  EXPECT_TRUE(loop_.RunUntil([this] {
    return MetricsText().find("tidegate_mqtt_connect_failures_total{input=\"local\"} 3") !=
           std::string::npos;
  }));
}

TEST_F(MqttConnectingTest, AHostNameThatDoesNotResolveIsTriedAgain) {
  MqttOptions options = LocalOptions(broker_.port());
  options.host = std::string(300, 'x');  // Longer than any name: no server is asked.
  Begin(options);
  EXPECT_TRUE(loop_.RunUntil([this] {
    return MetricsText().find("tidegate_mqtt_connect_failures_total{input=\"local\"} 3") !=
           std::string::npos;
  }));
  EXPECT_THAT(driver_->status().detail, HasSubstr("resolve xxx"));
}

// A peer that takes the TCP connection and does no TLS: silent, or gone at once.
class MqttTlsPeerTest : public MqttDriverFixture, public testing::WithParamInterface<bool> {
 protected:
  void SetUp() override {
    listener_ = UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    ASSERT_EQ(::bind(listener_.get(), any, size), 0);
    ASSERT_EQ(::listen(listener_.get(), 64), 0);
    ASSERT_EQ(::getsockname(listener_.get(), any, &size), 0);
    options_.port = ntohs(address.sin_port);
    options_.tls = true;
  }

  UniqueFd listener_;
  MqttOptions options_ = LocalOptions(0);
};

TEST_P(MqttTlsPeerTest, FailsWithoutTurningTheLoop) {
  const bool closes = GetParam();
  std::unique_ptr<FdWatch> watch;
  if (closes) {
    watch = loop_.WatchFd(listener_.get(), [this](Ready) {
      const UniqueFd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    });
  }
  options_.backoff = {.initial = std::chrono::seconds(5), .max = std::chrono::seconds(5)};
  Begin(options_);
  int turns = 0;
  const auto failed = [this] {
    return MetricsText().find("tidegate_mqtt_connect_failures_total{input=\"local\"} 1") !=
           std::string::npos;
  };
  while (!failed() && turns < 10'000) {
    loop_.RunOnce(std::chrono::milliseconds(100));
    ++turns;
  }
  EXPECT_LT(turns, 50);
  EXPECT_FALSE(driver_->status().connected);
}

INSTANTIATE_TEST_SUITE_P(SilentOrGone, MqttTlsPeerTest, testing::Bool());

}  // namespace
}  // namespace tidegate
