#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "reader/config/config.h"
#include "tests/support/reader/reader_documents.h"

namespace tidegate::reader {
namespace {

using std::chrono::hours;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

class TenantConfig : public testing::Test {
 protected:
  Config Load(Variables variables) {
    variables.emplace("TIDEGATE_KAFKA_BOOTSTRAP_SERVERS", "kafka:9092");
    return LoadConfig(Environment(std::move(variables)), Credentials(credentials_));
  }
  Config LoadOwn(Variables variables) {
    variables.emplace("TIDEGATE_TENANCY", "database");
    variables.emplace("TIDEGATE_TENANTS", "acme,north-1,north.1");
    return Load(std::move(variables));
  }
  void Credential(const std::string& name, const std::string& secret) {
    credentials_ = folder_.File("credentials");
    std::filesystem::create_directory(credentials_);
    std::ofstream(credentials_ + "/" + name) << secret;
  }

  TemporaryFolder folder_;
  std::string credentials_;
};

TEST_F(TenantConfig, DocumentsAreKeptForEverUnlessASettingSaysOtherwise) {
  EXPECT_FALSE(Load({}).decoder.retention.any());
  const Retention all = Load({{"TIDEGATE_RETENTION", "90d"}}).decoder.retention;
  EXPECT_EQ(all.For("acme"), hours(24 * 90));
  EXPECT_EQ(all.For(""), hours(24 * 90));
}

TEST_F(TenantConfig, ATenantMayHaveARetentionOfItsOwn) {
  const Config config = Load({{"TIDEGATE_RETENTION", "90d"},
                              {"TIDEGATE_RETENTION_NORTH_1", "7d"},
                              {"TIDEGATE_RETENTION_MUSEUM", "forever"}});
  EXPECT_THAT(config.problems, IsEmpty());
  const Retention& retention = config.decoder.retention;
  EXPECT_EQ(retention.For("north-1"), hours(24 * 7));
  EXPECT_EQ(retention.For("museum"), std::nullopt);
  EXPECT_EQ(retention.For("acme"), hours(24 * 90));
}

TEST_F(TenantConfig, ARetentionThatIsNoneIsAProblem) {
  for (const char* text : {"soon", "0s", "5s", "-1d", "90"})
    EXPECT_EQ(Load({{"TIDEGATE_RETENTION", text}}).problems.size(), 1u) << text;
  EXPECT_THAT(LoadOwn({{"TIDEGATE_RETENTION_ACNE", "7d"}}).problems,
              ElementsAre(HasSubstr("no tenant on TIDEGATE_TENANTS")));
  EXPECT_THAT(LoadOwn({{"TIDEGATE_RETENTION_NORTH_1", "7d"}}).problems,
              ElementsAre(HasSubstr("'north-1' and 'north.1' are both spelt so")));
  EXPECT_EQ(Load({{"TIDEGATE_RETENTION_acme", "7d"}}).problems.size(), 1u);
}

TEST_F(TenantConfig, ATenantMayHaveAServerOfItsOwn) {
  Credential("landing.north-1.uri", "mongodb://north:s3cret@db-north/");
  const Config config = LoadOwn({{"TIDEGATE_LANDING_ACME", "mongodb://u:p4ss@db-acme/"}});
  EXPECT_THAT(config.problems, IsEmpty());
  EXPECT_THAT(config.landing_of_database,
              ElementsAre(Pair("tidegate_acme", "mongodb://u:p4ss@db-acme/"),
                          Pair("tidegate_north-1", "mongodb://north:s3cret@db-north/")));
  const std::string report = ConfigReport(config);
  EXPECT_THAT(report, HasSubstr("mongodb://north:***@db-north/  (credential landing.north-1.uri)"));
  EXPECT_THAT(report, Not(HasSubstr("s3cret")));
  EXPECT_THAT(report, Not(HasSubstr("p4ss")));
}

TEST_F(TenantConfig, RecordsAreParkedOnlyWhereTenantsHaveDatabases) {
  EXPECT_EQ(LoadOwn({}).parking_topic, "telemetry.parked");
  EXPECT_EQ(LoadOwn({{"TIDEGATE_PARKING_TOPIC", "wait.here"}}).parking_topic, "wait.here");
  EXPECT_EQ(LoadOwn({{"TIDEGATE_PARKING_TOPIC", "off"}}).parking_topic, "");
  const Config shared = Load({{"TIDEGATE_PARKING_TOPIC", "wait.here"}});
  EXPECT_EQ(shared.parking_topic, "");
  EXPECT_THAT(shared.problems, IsEmpty());
  EXPECT_THAT(LoadOwn({{"TIDEGATE_PARKING_TOPIC", "telemetry.dlq"}}).problems,
              ElementsAre(HasSubstr("TIDEGATE_PARKING_TOPIC")));
}

TEST_F(TenantConfig, ACredentialWinsOverAVariable) {
  Credential("landing.acme.uri", "mongodb://b/");
  EXPECT_THAT(LoadOwn({{"TIDEGATE_LANDING_ACME", "mongodb://a/"}}).landing_of_database,
              ElementsAre(Pair("tidegate_acme", "mongodb://b/")));
}

TEST_F(TenantConfig, AServerOfOnesOwnIsForKnownTenantsInDatabasesOfTheirOwn) {
  EXPECT_THAT(Load({{"TIDEGATE_TENANTS", "acme"}, {"TIDEGATE_LANDING_ACME", "sqlite:a"}}).problems,
              ElementsAre(HasSubstr("only with TIDEGATE_TENANCY=database")));
  EXPECT_THAT(LoadOwn({{"TIDEGATE_LANDING_ACNE", "sqlite:a"}}).problems,
              ElementsAre(HasSubstr("no tenant on TIDEGATE_TENANTS is spelt so")));
  EXPECT_THAT(LoadOwn({{"TIDEGATE_LANDING_NORTH_1", "sqlite:a"}}).problems,
              ElementsAre(HasSubstr("several tenants")));
  EXPECT_THAT(LoadOwn({{"TIDEGATE_LANDING_ACME", "mongodb://h/?w=0"}}).problems,
              ElementsAre(HasSubstr("w=0")));
}

TEST_F(TenantConfig, ACredentialOfAnUnknownTenantIsAProblem) {
  Credential("landing.mallory.uri", "mongodb://m/");
  EXPECT_THAT(LoadOwn({}).problems, ElementsAre(HasSubstr("'mallory' is not on TIDEGATE_TENANTS")));
}

}  // namespace
}  // namespace tidegate::reader
