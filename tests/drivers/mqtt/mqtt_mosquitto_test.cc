// The promises of the driver, on a real mosquitto.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>

#include "tests/drivers/mqtt/mqtt_fixture.h"
#include "tests/drivers/mqtt/plain_client_handle.h"
#include "tests/support/mosquitto_process.h"

namespace tidegate {
namespace {

using testing::AnyOf;
using testing::HasSubstr;

constexpr char kTopic[] = "f/acme/truck-7";

class MqttMosquittoTest : public MqttDriverFixture {
 protected:
  void SetUp() override {
    if (!MosquittoProcess::Installed()) GTEST_SKIP() << "mosquitto is not installed";
  }
  void StartBroker(const MosquittoProcess::Settings& settings) {
    std::string problem;
    broker_ = MosquittoProcess::Start(settings, problem);
    ASSERT_NE(broker_, nullptr) << problem;
  }
  void Publish(const std::string& payload, int count = 1) {
    PlainClient publisher(broker_->port(), "");
    ASSERT_TRUE(publisher.Connect());
    ASSERT_TRUE(publisher.Publish(kTopic, payload, count));
    publisher.Disconnect();
  }

  std::unique_ptr<MosquittoProcess> broker_;
};

// The proof of the deferred PUBACK: a process that holds messages and is killed.
class MqttDeferredPubackTest : public MqttMosquittoTest,
                               public testing::WithParamInterface<MqttVersion> {
 protected:
  static constexpr size_t kMessages = 10;

  MqttOptions Options() const {
    MqttOptions options = LocalOptions(broker_->port());
    options.version = GetParam();
    return options;
  }

  // A child takes kMessages, settles them or not, and is killed with SIGKILL.
  void TakeInAChildAndKillIt(bool settle) {
    int done[2];
    ASSERT_EQ(::pipe(done), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      Begin(Options());
      WaitForTaken(kMessages);
      if (settle) driver_->Settled(inbox_.last);
      LetPass();
      [[maybe_unused]] const ssize_t written = ::write(done[1], "x", 1);
      for (;;) ::pause();
    }
    char byte = 0;
    ASSERT_EQ(::read(done[0], &byte, 1), 1);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    ::close(done[0]);
    ::close(done[1]);
  }

  void SetUp() override {
    MqttMosquittoTest::SetUp();
    if (IsSkipped()) return;
    StartBroker({});
    Begin(Options());
    ASSERT_TRUE(WaitUntilConnected());
    driver_.reset();  // Its session stays, and gathers:
    for (size_t i = 0; i < kMessages; ++i) Publish("m" + std::to_string(i));
  }
};

TEST_P(MqttDeferredPubackTest, KilledBeforeSettledEverythingComesAgain) {
  TakeInAChildAndKillIt(/*settle=*/false);
  Begin(Options());
  ASSERT_TRUE(WaitForTaken(kMessages));
  for (size_t i = 0; i < kMessages; ++i) {
    EXPECT_EQ(inbox_.taken[i].payload, "m" + std::to_string(i));
    EXPECT_TRUE(inbox_.taken[i].packet_id.has_value());
  }
}

TEST_P(MqttDeferredPubackTest, KilledAfterSettledNothingComesAgain) {
  TakeInAChildAndKillIt(/*settle=*/true);
  Begin(Options());
  ASSERT_TRUE(WaitUntilConnected());
  Publish("marker");
  ASSERT_TRUE(WaitForTaken(1));
  EXPECT_EQ(inbox_.taken.front().payload, "marker");
}

TEST_P(MqttDeferredPubackTest, ARedeliveryInAResumedSessionHasTheSamePacketId) {
  Begin(Options());
  ASSERT_TRUE(WaitForTaken(kMessages));
  driver_.reset();
  const std::vector<TakenMessage> before = inbox_.taken;
  inbox_ = CollectingInbox();
  Begin(Options());
  ASSERT_TRUE(WaitForTaken(kMessages));
  for (size_t i = 0; i < kMessages; ++i) {
    EXPECT_EQ(inbox_.taken[i].packet_id, before[i].packet_id);
    EXPECT_EQ(inbox_.taken[i].payload, before[i].payload);
  }
}

INSTANTIATE_TEST_SUITE_P(Versions, MqttDeferredPubackTest,
                         testing::Values(MqttVersion::k5, MqttVersion::k311));

TEST_F(MqttMosquittoTest, ABacklogIsBoundedAndArrivesWhole) {
  StartBroker({});
  MqttOptions options = LocalOptions(broker_->port());
  options.max_unsettled = 100;
  Begin(options);
  ASSERT_TRUE(WaitUntilConnected());
  Publish("x", 5000);
  while (inbox_.taken.size() < 5000) {
    const size_t before = inbox_.taken.size();
    ASSERT_TRUE(WaitForTaken(before + 1));
    ASSERT_LE(inbox_.taken.size() - before, 100u);
    driver_->Settled(inbox_.last);
  }
  LetPass();
  EXPECT_EQ(inbox_.taken.size(), 5000u);
}

TEST_F(MqttMosquittoTest, SurvivesARestartOfTheBroker) {
  StartBroker({.username = "", .password = "", .persistent = true, .more = ""});
  Begin(LocalOptions(broker_->port()));
  ASSERT_TRUE(WaitUntilConnected());
  Publish("before");
  ASSERT_TRUE(WaitForTaken(1));
  broker_->Stop();
  ASSERT_TRUE(loop_.RunUntil([this] { return !driver_->status().connected; }));
  driver_->Settled(1);
  LetPass();
  ASSERT_TRUE(broker_->StartAgain());
  ASSERT_TRUE(WaitUntilConnected());
  // The PUBACK of the first never left, so it comes again, and in a resumed session.
  ASSERT_TRUE(WaitForTaken(2));
  EXPECT_EQ(inbox_.taken[1].payload, "before");
  EXPECT_EQ(inbox_.taken[1].packet_id, inbox_.taken[0].packet_id);
}

TEST_F(MqttMosquittoTest, AChangedTopicLeavesNoSubscriptionBehind) {
  StartBroker({});
  MqttOptions options = LocalOptions(broker_->port());
  options.topic = *TopicTemplate::Parse("#");
  Begin(options);
  ASSERT_TRUE(WaitUntilConnected());
  options.topic = *TopicTemplate::Parse("f/acme/{asset}");
  driver_.reset();
  Begin(options);
  ASSERT_TRUE(WaitUntilConnected());
  LetPass(50);
  PlainClient publisher(broker_->port(), "");
  ASSERT_TRUE(publisher.Connect());
  ASSERT_TRUE(publisher.Publish("f/beta/1", "of another tenant", 1));
  ASSERT_TRUE(publisher.Publish(kTopic, "wanted", 1));
  ASSERT_TRUE(WaitForTaken(1));
  LetPass(50);
  ASSERT_EQ(inbox_.taken.size(), 1u);
  EXPECT_EQ(inbox_.taken[0].payload, "wanted");
}

TEST_F(MqttMosquittoTest, ABrokerThatForgetsItsSessionsIsToldAndDialledSoon) {
  StartBroker({});
  Begin(LocalOptions(broker_->port()));
  ASSERT_TRUE(WaitUntilConnected());
  broker_->Stop();
  ASSERT_TRUE(loop_.RunUntil([this] { return !driver_->status().connected; }));
  ASSERT_TRUE(broker_->StartAgain());
  ASSERT_TRUE(WaitUntilConnected());
  EXPECT_THAT(driver_->status().detail, HasSubstr("lost our session 1 time"));
}

class MqttTlsTest : public MqttMosquittoTest {
 protected:
  void SetUp() override {
    MqttMosquittoTest::SetUp();
    if (IsSkipped()) return;
    StartBroker({.username = "gw7", .password = "hunter2", .persistent = false, .more = ""});
  }
  MqttOptions Options() const {
    MqttOptions options = LocalOptions(broker_->port());
    options.host = "localhost";
    options.tls = true;
    options.ca_file = broker_->ca_file();
    options.username = "gw7";
    options.password = "hunter2";
    options.connect_timeout = std::chrono::seconds(5);
    return options;
  }
  bool WaitForDetail(const std::string& text) {
    return loop_.RunUntil([&] { return driver_->status().detail.find(text) != std::string::npos; });
  }
};

TEST_F(MqttTlsTest, TakesAndAcknowledgesMessages) {
  Begin(Options());
  ASSERT_TRUE(WaitUntilConnected()) << driver_->status().detail;
  // Published by a second driver's connection: the yardstick client speaks no TLS.
  constexpr int kCount = 300;
  const std::string command =
      "for i in $(seq 300); do echo m$i; done | mosquitto_pub -l -q 1 -h localhost -u gw7 -P "
      "hunter2 -t " +
      std::string(kTopic) + " --cafile " + broker_->ca_file() + " -p " +
      std::to_string(broker_->port());
  if (std::system(command.c_str()) != 0) GTEST_SKIP() << "mosquitto_pub is not installed";
  ASSERT_TRUE(WaitForTaken(kCount));
  EXPECT_EQ(inbox_.taken.front().payload, "m1");
  EXPECT_EQ(inbox_.taken.back().payload, "m300");
  driver_->Settled(inbox_.last);
  driver_.reset();
  inbox_ = CollectingInbox();
  Begin(Options());
  ASSERT_TRUE(WaitUntilConnected());
  LetPass(50);
  EXPECT_TRUE(inbox_.taken.empty());
}

TEST_F(MqttTlsTest, AWrongPasswordIsToldAndNotShown) {
  MqttOptions options = Options();
  options.password = "guess7";
  Begin(options);
  ASSERT_TRUE(WaitForDetail("refuses us"));
  EXPECT_EQ(driver_->status().detail.find("guess7"), std::string::npos);
}

TEST_F(MqttTlsTest, AnUnknownAuthorityIsRefused) {
  MqttOptions options = Options();
  options.ca_file.clear();
  Begin(options);
  ASSERT_TRUE(WaitForDetail("certificate verify failed")) << driver_->status().detail;
}

TEST_F(MqttTlsTest, AnotherHostsCertificateIsRefused) {
  MqttOptions options = Options();
  options.host = "127.0.0.1";
  Begin(options);
  ASSERT_TRUE(WaitForDetail("certificate verify failed")) << driver_->status().detail;
  EXPECT_THAT(driver_->status().detail, HasSubstr("address mismatch"));
}

TEST_F(MqttTlsTest, WithoutTheCertificateThatTheBrokerWantsTheVersionStays) {
  StartBroker({.username = "gw7",
               .password = "hunter2",
               .persistent = false,
               .more = "require_certificate true\n"});
  Begin(Options());
  for (int failures = 1; failures <= 6; ++failures) {
    const std::string wanted =
        "tidegate_mqtt_connect_failures_total{input=\"local\"} " + std::to_string(failures);
    ASSERT_TRUE(loop_.RunUntil([&] { return MetricsText().find(wanted) != std::string::npos; }));
    EXPECT_THAT(driver_->status().detail, HasSubstr("(MQTT 5)"));
    EXPECT_THAT(driver_->status().detail, HasSubstr("asks for a certificate"));
  }
}

TEST_F(MqttTlsTest, WithTheCertificateThatTheBrokerWantsItConnects) {
  StartBroker({.username = "gw7",
               .password = "hunter2",
               .persistent = false,
               .more = "require_certificate true\n"});
  MqttOptions options = Options();
  options.cert_file = broker_->cert_file();
  options.key_file = broker_->key_file();
  Begin(options);
  EXPECT_TRUE(WaitUntilConnected()) << driver_->status().detail;
}

TEST_F(MqttTlsTest, WithoutVerificationItConnectsAnyhow) {
  MqttOptions options = Options();
  options.host = "127.0.0.1";
  options.ca_file.clear();
  options.verify_peer = false;
  Begin(options);
  EXPECT_TRUE(WaitUntilConnected()) << driver_->status().detail;
}

TEST_F(MqttTlsTest, PlainToATlsPortFailsAndGoesOnTrying) {
  MqttOptions options = Options();
  options.tls = false;
  options.ca_file.clear();
  options.connect_timeout = std::chrono::milliseconds(200);
  Begin(options);
  ASSERT_TRUE(WaitForDetail("before the CONNACK")) << driver_->status().detail;
  EXPECT_FALSE(driver_->status().connected);
}

}  // namespace
}  // namespace tidegate
