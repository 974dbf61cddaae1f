#include "drivers/mqtt/mqtt_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidegate {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

Result<MqttOptions> Parse(std::string_view text) {
  const Result<Uri> uri = ParseUri(text);
  if (!uri.ok()) return uri.error();
  Input input;
  input.name = "local";
  return ParseMqttOptions(input, *uri);
}

std::string ProblemsOf(std::string_view text) {
  const Result<MqttOptions> options = Parse(text);
  return options.ok() ? "" : options.error().message;
}

TEST(MqttOptionsTest, ATopicIsEnough) {
  const Result<MqttOptions> options = Parse("mqtt://broker/fleet/{tenant}/{asset}/heartbeat");
  ASSERT_TRUE(options.ok()) << options.error().message;
  EXPECT_EQ(options->host, "broker");
  EXPECT_EQ(options->port, 1883);
  EXPECT_FALSE(options->tls);
  EXPECT_EQ(options->topic.filter(), "fleet/+/+/heartbeat");
  EXPECT_EQ(options->version, std::nullopt);
  EXPECT_EQ(options->session_expiry, hours(7 * 24));
  EXPECT_EQ(options->keepalive, seconds(30));
  EXPECT_TRUE(options->verify_peer);
}

TEST(MqttOptionsTest, ABrokerOnThisMachineIsDialledEveryTwoSeconds) {
  for (const char* host : {"localhost", "127.0.0.1", "127.8.7.6", "[::1]"}) {
    EXPECT_EQ(Parse(std::string("mqtt://") + host + "/t")->backoff.max, seconds(2)) << host;
  }
  for (const char* host : {"broker", "10.0.0.1", "127.evil.example", "[::2]"}) {
    EXPECT_EQ(Parse(std::string("mqtt://") + host + "/t")->backoff.max, seconds(60)) << host;
  }
}

TEST(MqttOptionsTest, TakesEverySetting) {
  const Result<MqttOptions> options = Parse(
      "mqtts://gw7@broker:8884/t/"
      "{asset}?tenant=acme&asset=a&kind=reading&client_id=me&version=3.1.1"
      "&receive_maximum=50&session_expiry=1d&keepalive=1m&ca=/ca.pem&cert=/c.pem&key=/k.pem"
      "&verify=false");
  ASSERT_TRUE(options.ok()) << options.error().message;
  EXPECT_TRUE(options->tls);
  EXPECT_EQ(options->port, 8884);
  EXPECT_EQ(options->username, "gw7");
  EXPECT_EQ(options->client_id, "me");
  EXPECT_EQ(options->version, MqttVersion::k311);
  EXPECT_EQ(options->receive_maximum, 50);
  EXPECT_EQ(options->session_expiry, hours(24));
  EXPECT_EQ(options->keepalive, seconds(60));
  EXPECT_EQ(options->ca_file, "/ca.pem");
  EXPECT_EQ(options->cert_file, "/c.pem");
  EXPECT_EQ(options->key_file, "/k.pem");
  EXPECT_FALSE(options->verify_peer);
}

TEST(MqttOptionsTest, MqttsHasItsOwnPort) {
  const Result<MqttOptions> options = Parse("mqtts://broker/t");
  ASSERT_TRUE(options.ok());
  EXPECT_EQ(options->port, 8883);
}

TEST(MqttOptionsTest, ListsAllProblemsAtOnce) {
  EXPECT_THAT(
      ProblemsOf("mqtt:///a+b?version=4&receive_maximum=0&session_expiry=x&keepalive=1s&ca=/x"),
      AllOf(HasSubstr("input local"), HasSubstr("host is missing"), HasSubstr("'a+b'"),
            HasSubstr("version"), HasSubstr("receive_maximum"), HasSubstr("session_expiry"),
            HasSubstr("keepalive"), HasSubstr("ca needs mqtts://")));
}

TEST(MqttOptionsTest, AnUnknownNameIsRefusedWithTheKnownOnes) {
  EXPECT_THAT(ProblemsOf("mqtt://h/t?keep_alive=30s"),
              AllOf(HasSubstr("unknown 'keep_alive'"), HasSubstr("did you mean 'keepalive'?"),
                    HasSubstr("receive_maximum")));
}

TEST(MqttOptionsTest, APasswordIsRefusedAndNotRepeated) {
  EXPECT_THAT(ProblemsOf("mqtt://h/t?password=hunter2"),
              AllOf(HasSubstr("credential"), Not(HasSubstr("hunter2"))));
}

class BadMqttUriTest : public testing::TestWithParam<const char*> {};

TEST_P(BadMqttUriTest, IsRefused) {
  EXPECT_NE(ProblemsOf(GetParam()), "");
}

INSTANTIATE_TEST_SUITE_P(Table, BadMqttUriTest,
                         testing::Values("mqtt://h", "mqtt://h/",
                                         "mqtt://h/t?receive_maximum=65536",
                                         "mqtt://h/t?receive_maximum=10x",
                                         "mqtt://h/t?receive_maximum=-1", "mqtt://h/t?keepalive=4s",
                                         "mqtt://h/t?keepalive=1d", "mqtt://h/t?session_expiry=0s",
                                         "mqtt://h/t?client_id=", "mqtt://h/t?verify=false",
                                         "mqtts://h/t?verify=no", "mqtts://h/t?ca="));

TEST(MqttOptionsTest, CredentialsAreCheckedOnceTheyAreThere) {
  Result<MqttOptions> options = Parse("mqtts://h/t?cert=/c.pem&client_id=me");
  ASSERT_TRUE(options.ok());
  EXPECT_THAT(MqttOptionsProblem(*options), HasSubstr("together"));
  options->key_file = "/k.pem";
  EXPECT_EQ(MqttOptionsProblem(*options), "");
  options->password = "secret";
  EXPECT_THAT(MqttOptionsProblem(*options), HasSubstr("username"));
  options->username = "gw7";
  EXPECT_EQ(MqttOptionsProblem(*options), "");
  options->client_id.clear();
  EXPECT_THAT(MqttOptionsProblem(*options), HasSubstr("client id"));
}

TEST(MqttOptionsTest, WarnsOfWhatIsInsecure) {
  EXPECT_EQ(MqttOptionsWarning(*Parse("mqtts://h/t")), "");
  EXPECT_THAT(MqttOptionsWarning(*Parse("mqtts://h/t?verify=false")), HasSubstr("insecure"));
  MqttOptions plain = *Parse("mqtt://u@h/t");
  EXPECT_EQ(MqttOptionsWarning(plain), "");
  plain.password = "secret";
  EXPECT_THAT(MqttOptionsWarning(plain), HasSubstr("clear"));
}

TEST(MqttOptionsTest, TheClientIdIsStable) {
  EXPECT_EQ(DefaultMqttClientId("gw-1", "local"), "tidegate-gw-1-local");
}

}  // namespace
}  // namespace tidegate
