#include "core/kafka/kafka_property.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidegate::kafka {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::Not;

TEST(KafkaPropertyTest, VariablesBecomeProperties) {
  EXPECT_EQ(EnvironmentToProperty("BOOTSTRAP_SERVERS"), "bootstrap.servers");
  EXPECT_EQ(EnvironmentToProperty("SASL_PASSWORD"), "sasl.password");
  EXPECT_EQ(EnvironmentToProperty("LOG_LEVEL"), "log_level");
}

TEST(KafkaPropertyTest, EveryPropertyHasAVariableThatLeadsBackToIt) {
  for (const std::string& name : KnownProperties()) {
    EXPECT_EQ(EnvironmentToProperty(PropertyToEnvironment(name)), name);
  }
}

TEST(KafkaPropertyTest, KnowsWhatTheLinkedLibraryKnows) {
  EXPECT_GT(KnownProperties().size(), 120U);
  EXPECT_THAT(KnownProperties(), Contains("linger.ms"));
  EXPECT_THAT(KnownProperties(), Contains("sasl.mechanism"));
  EXPECT_THAT(KnownProperties(), Contains("partitioner"));
  EXPECT_THAT(KnownProperties(), Not(Contains("dr_msg_cb")));
  EXPECT_THAT(KnownProperties(), Not(Contains("Property")));
  EXPECT_THAT(KnownProperties(), Each(Not(::testing::IsEmpty())));
}

TEST(KafkaPropertyTest, PasswordsAndKeysAreSecret) {
  for (const char* name :
       {"sasl.password", "ssl.key.password", "ssl.key.pem", "ssl.keystore.password",
        "sasl.oauthbearer.client.secret", "sasl.oauthbearer.config"}) {
    EXPECT_TRUE(IsSecretProperty(name)) << name;
  }
  for (const char* name : {"sasl.username", "ssl.key.location", "bootstrap.servers", "ssl.ca.pem",
                           "sasl.oauthbearer.token.endpoint.url"}) {
    EXPECT_FALSE(IsSecretProperty(name)) << name;
  }
}

}  // namespace
}  // namespace tidegate::kafka
