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

TEST_F(TenantConfig, AFileListsMoreTenantsThanAVariableCanHold) {
  std::string text = "[";
  for (int i = 0; i < 10'000; ++i) text += "\"tenant-" + std::to_string(i) + "\",\n";
  text += R"({"name": "north-1", "retention": "7d", "landing": "mongodb://u:S3cret@db/"}])";
  ASSERT_GT(text.size(), 128u * 1024);
  const std::string path = folder_.File("tenants.json");
  std::ofstream(path) << text;
  const Config config = Load({{"TIDEGATE_TENANCY", "database"},
                              {"TIDEGATE_TENANTS", "acme"},
                              {"TIDEGATE_TENANTS_FILE", path},
                              {"TIDEGATE_RETENTION", "90d"}});
  EXPECT_THAT(config.problems, IsEmpty());
  EXPECT_EQ(config.decoder.tenants.size(), 10'002u);
  EXPECT_EQ(config.decoder.retention.For("north-1"), hours(24 * 7));
  EXPECT_EQ(config.decoder.retention.For("tenant-7"), hours(24 * 90));
  EXPECT_THAT(config.landing_of_database,
              ElementsAre(Pair("tidegate_north-1", "mongodb://u:S3cret@db/")));
  EXPECT_THAT(ConfigReport(config), HasSubstr("10002 tenants"));
  EXPECT_THAT(ConfigReport(config), Not(HasSubstr("S3cret")));
}

TEST_F(TenantConfig, AFileThatIsWrongIsAProblem) {
  const std::string path = folder_.File("tenants.json");
  const auto problem = [&](const std::string& text) {
    std::ofstream(path) << text;
    const Config config = Load({{"TIDEGATE_TENANTS_FILE", path}});
    return config.problems.size() == 1 ? config.problems.front() : "not one problem";
  };
  EXPECT_THAT(problem(""), HasSubstr("TIDEGATE_TENANTS_FILE"));
  EXPECT_THAT(problem("{}"), HasSubstr("array"));
  EXPECT_THAT(problem("[]"), HasSubstr("no tenant"));
  EXPECT_THAT(problem(R"(["a", "b", "a"])"), HasSubstr("tenant 3: 'a' is listed twice"));
  EXPECT_THAT(problem(R"(["a/b"])"), HasSubstr("tenant 1"));
  EXPECT_THAT(problem(R"([{"retention": "7d"}])"), HasSubstr("no name"));
  EXPECT_THAT(problem(R"([{"name": "a", "retention": "soon"}])"), HasSubstr("forever"));
  EXPECT_THAT(problem(R"([{"name": "a", "landin": "x"}])"), HasSubstr("landin"));
  EXPECT_THAT(problem(R"([{"name": "a", "landing": "mongodb://u:S3cret@h/"}])"),
              testing::AllOf(HasSubstr("TIDEGATE_TENANCY=database"), Not(HasSubstr("S3cret"))));
  EXPECT_THAT(Load({{"TIDEGATE_TENANTS_FILE", "/no/such.json"}}).problems,
              ElementsAre(HasSubstr("/no/such.json")));
  std::ofstream(path) << R"(["a"])";
  EXPECT_THAT(Load({{"TIDEGATE_TENANTS_FILE", path}, {"TIDEGATE_TENANT", "b"}}).problems,
              ElementsAre(HasSubstr("'b' is not in it")));
}

class LiveListsTest : public TenantConfig {
 protected:
  void Write(const std::string& path, const std::string& text) {
    // A file of another inode, as editors and deployments replace it.
    std::ofstream(path + ".new") << text;
    std::filesystem::rename(path + ".new", path);
  }
  LiveLists Lists(const Variables& variables = {}) {
    Variables all = variables;
    all["TIDEGATE_TENANTS_FILE"] = tenants_;
    all["TIDEGATE_API_TOKENS_FILE"] = tokens_;
    const Config config = Load(all);
    EXPECT_THAT(config.problems, IsEmpty());
    return LiveLists(config.live);
  }
  void SetUp() override {
    Write(tenants_, R"(["acme", {"name": "globex", "retention": "7d"}])");
    Write(tokens_, "a-token-of-sixteen-bytes tenants=acme role=read");
  }

  const std::string tenants_ = folder_.File("tenants.json");
  const std::string tokens_ = folder_.File("api.tokens");
};

TEST_F(LiveListsTest, AChangedFileIsNoticedAndRead) {
  LiveLists lists = Lists({{"TIDEGATE_TENANTS", "initech"}});
  EXPECT_TRUE(lists.any());
  EXPECT_FALSE(lists.Changed());
  Write(tenants_, R"(["acme", "umbrella"])");
  EXPECT_TRUE(lists.Changed());
  const auto read = lists.Read();
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_FALSE(lists.Changed());
  EXPECT_THAT(read->tenants.allowed, ElementsAre("acme", "initech", "umbrella"));
  EXPECT_EQ(read->tenants.retention.For("globex"), std::nullopt);
  EXPECT_EQ(read->tokens->size(), 1u);
  Write(tokens_,
        "a-token-of-sixteen-bytes tenants=acme role=read\n"
        "another-token-of-sixteen tenants=* role=admin");
  EXPECT_TRUE(lists.Changed());
  EXPECT_EQ(lists.Read()->tokens->size(), 2u);
}

TEST_F(LiveListsTest, AFileThatIsWrongIsRefusedOnceAndReadWhenItIsMended) {
  LiveLists lists = Lists();
  for (const char* text : {"", "[", "[]", R"(["acme", "acme"])"}) {
    Write(tenants_, text);
    EXPECT_TRUE(lists.Changed());
    EXPECT_FALSE(lists.Read().ok()) << text;
    EXPECT_FALSE(lists.Changed());
  }
  std::filesystem::remove(tenants_);
  EXPECT_TRUE(lists.Changed());
  EXPECT_FALSE(lists.Read().ok());
  Write(tenants_, R"(["acme"])");
  EXPECT_TRUE(lists.Changed());
  EXPECT_TRUE(lists.Read().ok());
}

TEST_F(LiveListsTest, ATenantWithANewServerWaitsForARestart) {
  Write(tenants_, R"(["acme", {"name": "globex", "landing": "mongodb://one/"}])");
  LiveLists lists = Lists({{"TIDEGATE_TENANCY", "database"}});
  EXPECT_EQ(lists.Read()->waiting_for_restart, 0u);
  Write(tenants_, R"(["acme", "initech", {"name": "globex", "landing": "mongodb://two/"},
                      {"name": "umbrella", "landing": "mongodb://three/"}])");
  const auto read = lists.Read();
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->waiting_for_restart, 2u);
  EXPECT_THAT(read->tenants.allowed, ElementsAre("acme", "initech"));
}

}  // namespace
}  // namespace tidegate::reader
