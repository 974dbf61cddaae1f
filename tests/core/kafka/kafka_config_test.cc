#include "core/kafka/kafka_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "core/kafka/kafka_handle.h"

namespace tidegate::kafka {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

std::string ValueOf(const ConfHandle& conf, const char* name) {
  std::array<char, 256> buffer{};
  size_t size = buffer.size();
  EXPECT_EQ(rd_kafka_conf_get(conf.get(), name, buffer.data(), &size), RD_KAFKA_CONF_OK);
  return buffer.data();
}

ConfigRequest Producer() {
  ConfigRequest request;
  request.defaults = {{"linger.ms", "20"}};
  request.forced = {{"enable.idempotence", "true", "a repeat must not double a record"},
                    {"acks", "all", "a record is deleted here once it is acknowledged"}};
  return request;
}

TEST(KafkaConfigTest, SettingsOverrideDefaultsAndCredentialsOverrideSettings) {
  ConfigRequest request = Producer();
  request.settings = {{"linger.ms", "50"}, {"sasl.username", "from-environment"}};
  request.credentials = {{"sasl.username", "from-file"}};
  const Result<ConfHandle> conf = MakeConf(request);
  ASSERT_TRUE(conf.ok());
  EXPECT_EQ(ValueOf(*conf, "linger.ms"), "50");
  EXPECT_EQ(ValueOf(*conf, "sasl.username"), "from-file");
  EXPECT_EQ(ValueOf(*conf, "enable.idempotence"), "true");
  EXPECT_EQ(ValueOf(*conf, "acks"), "-1");
}

TEST(KafkaConfigTest, AllProblemsComeAtOnce) {
  ConfigRequest request = Producer();
  request.settings = {{"bootstrap.server", "b:9092"},
                      {"linger.ms", "soon"},
                      {"acks", "1"},
                      {"socket.timeout.ms", "60000"}};
  const Result<ConfHandle> conf = MakeConf(request);
  ASSERT_FALSE(conf.ok());
  EXPECT_EQ(conf.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(
      conf.error().message,
      AllOf(HasSubstr("bootstrap.server: librdkafka has no such property; did you mean "
                      "bootstrap.servers?"),
            HasSubstr("linger.ms: "),
            HasSubstr("acks: must be all: a record is deleted here once it is acknowledged"),
            Not(HasSubstr("socket.timeout.ms"))));
  EXPECT_EQ(FindProblems(request).size(), 3U);
}

TEST(KafkaConfigTest, AForcedPropertyMayBeRepeatedInAnySpelling) {
  ConfigRequest request = Producer();
  request.settings = {{"acks", "-1"}, {"enable.idempotence", "true"}};
  EXPECT_THAT(FindProblems(request), IsEmpty());
}

TEST(KafkaConfigTest, AnotherNameOfAForcedPropertyIsNoWayAround) {
  ConfigRequest request = Producer();
  request.settings = {{"request.required.acks", "0"}};
  EXPECT_THAT(FindProblems(request),
              ElementsAre(Field(&Problem::property, "request.required.acks")));
}

TEST(KafkaConfigTest, APropertyOfTopicsIsNoContradiction) {
  ConfigRequest request = Producer();
  request.settings = {{"compression.level", "9"}, {"partitioner", "random"}};
  EXPECT_THAT(FindProblems(request), IsEmpty());
  const Result<ConfHandle> conf = MakeConf(request);
  ASSERT_TRUE(conf.ok());
  EXPECT_EQ(ValueOf(*conf, "compression.level"), "9");
}

TEST(KafkaConfigTest, TheLibrarysDefaultOfAForcedPropertyIsNoWayAround) {
  ConfigRequest request = Producer();
  request.settings = {{"enable.idempotence", "false"}};
  EXPECT_THAT(FindProblems(request), ElementsAre(Field(&Problem::property, "enable.idempotence")));
}

TEST(KafkaConfigTest, SecretsNeverShow) {
  ConfigRequest request = Producer();
  request.settings = {{"sasl.pasword", "hunter2"}, {"security.protocol", "SASL_SSL"}};
  request.credentials = {{"ssl.key.pem", "hunter3"}, {"ssl.certificate.pem", "not a certificate"}};
  for (const Problem& problem : FindAllProblems(Role::kProducer, request)) {
    EXPECT_THAT(problem.message, Not(HasSubstr("hunter")));
  }
  request.settings.erase("sasl.pasword");
  const std::vector<Problem> problems = FindAllProblems(Role::kProducer, request);
  ASSERT_FALSE(problems.empty());
  for (const Problem& problem : problems) EXPECT_THAT(problem.message, Not(HasSubstr("hunter")));
}

TEST(KafkaConfigTest, WhatOnlyTheWholeShowsIsFoundWithoutABroker) {
  ConfigRequest request = Producer();
  request.settings = {{"bootstrap.servers", "localhost:1"},
                      {"ssl.ca.location", "/nonexistent.pem"},
                      {"security.protocol", "ssl"}};
  EXPECT_THAT(FindProblems(request), IsEmpty());
  EXPECT_THAT(FindAllProblems(Role::kProducer, request),
              ElementsAre(Field(&Problem::message, HasSubstr("ssl.ca.location"))));
}

TEST(KafkaConfigTest, AGoodConfigurationHasNoProblems) {
  EXPECT_THAT(FindAllProblems(Role::kProducer, Producer()), IsEmpty());
  ConfigRequest consumer;
  consumer.settings = {{"group.id", "tidegate-reader"}};
  EXPECT_THAT(FindAllProblems(Role::kConsumer, consumer), IsEmpty());
}

TEST(KafkaConfigTest, CredentialsNamedKafkaAreProperties) {
  std::string folder = ::testing::TempDir() + "credentials-XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  std::ofstream(folder + "/kafka.sasl.password") << "hunter2\n";
  std::ofstream(folder + "/mqtt.password") << "other";
  const Result<Properties> properties = CredentialProperties(Credentials(folder));
  std::filesystem::remove_all(folder);
  ASSERT_TRUE(properties.ok());
  EXPECT_THAT(*properties, ElementsAre(Pair("sasl.password", "hunter2")));
}

}  // namespace
}  // namespace tidegate::kafka
