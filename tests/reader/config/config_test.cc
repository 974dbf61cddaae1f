#include "reader/config/config.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "tests/support/reader/reader_documents.h"

namespace tidegate::reader {
namespace {

class ConfigTest : public testing::Test {
 protected:
  Config Load(Variables variables) {
    variables.emplace("TIDEGATE_KAFKA_BOOTSTRAP_SERVERS", "kafka:9092");
    return LoadAlone(std::move(variables));
  }
  Config LoadAlone(Variables variables) {
    return LoadConfig(Environment(std::move(variables)), Credentials(credentials_));
  }
  std::string Problems(const Config& config) {
    std::string all;
    for (const std::string& problem : config.problems) all += problem + "\n";
    return all;
  }
  Setting Shown(const Config& config, std::string_view name) {
    const auto found = std::ranges::find(config.settings, name, &Setting::name);
    return found == config.settings.end() ? Setting{} : *found;
  }

  TemporaryFolder folder_;
  std::string credentials_;
};

TEST_F(ConfigTest, OneVariableIsEnough) {
  const Config config = Load({});
  EXPECT_EQ(Problems(config), "");
  EXPECT_EQ(config.landing, "sqlite:./landing.db");
  EXPECT_EQ(config.streams.size(), 4u);
  EXPECT_EQ(config.worker.batch_records, 5'000u);
  EXPECT_EQ(config.worker.batch_interval, std::chrono::milliseconds(500));
  EXPECT_EQ(config.worker.max_attempts, 4);
  EXPECT_EQ(config.dlq_topic, "telemetry.dlq");
  ASSERT_TRUE(config.http);
  EXPECT_EQ(config.http->address, "127.0.0.1");
  EXPECT_EQ(config.http->port, 8002);
}

TEST_F(ConfigTest, AStreamFollowsNoTopicThatTheReaderWrites) {
  const std::string pattern = "topic=telemetry.{tenant} collection=all kind=reading";
  EXPECT_NE(Problems(Load({{"TIDEGATE_STREAM_ALL", pattern}}))
                .find("TIDEGATE_STREAM_ALL: its topic telemetry.{tenant} includes telemetry.dlq"),
            std::string::npos);
  EXPECT_EQ(Problems(Load({{"TIDEGATE_STREAM_ALL", "topic=raw.{tenant} collection=all"}})), "");
  EXPECT_NE(Problems(Load({{"TIDEGATE_DLQ_TOPIC", "telemetry.raw"}})), "");
}

TEST_F(ConfigTest, NoOffsetResetMaySkipMessages) {
  EXPECT_EQ(Problems(Load({{"TIDEGATE_KAFKA_AUTO_OFFSET_RESET", "earliest"}})), "");
  EXPECT_NE(Problems(Load({{"TIDEGATE_KAFKA_AUTO_OFFSET_RESET", "latest"}}))
                .find("latest skips what came before"),
            std::string::npos);
}

TEST_F(ConfigTest, AUriThatWeakensTheLandingIsWarnedAbout) {
  const Config config = Load({{"TIDEGATE_LANDING", "mongodb://db/?w=1&readPreference=nearest"}});
  EXPECT_EQ(Problems(config), "");
  EXPECT_EQ(config.warnings.size(), 2u);
}

TEST_F(ConfigTest, AProcessDoesEverythingUnlessItIsToldItsRoles) {
  EXPECT_EQ(Load({}).roles, Roles());
  EXPECT_EQ(Load({{"TIDEGATE_ROLES", "land"}}).roles, (Roles{.project = false, .api = false}));
  EXPECT_EQ(Load({{"TIDEGATE_ROLES", "api, project"}}).roles, (Roles{.land = false}));
  EXPECT_EQ(Load({{"TIDEGATE_PROJECT_WORKERS", "3"}}).project_workers, 3u);
}

TEST_F(ConfigTest, OthersNamesForRolesWork) {
  EXPECT_EQ(Load({{"MODE", "server"}, {"CONSUMER_TYPE", "alert_evaluator"}}).roles,
            (Roles{.land = false, .project = false}));
  EXPECT_EQ(Load({{"MODE", "consumer"}}).roles, (Roles{.api = false}));
  EXPECT_EQ(Load({{"CONSUMER_TYPE", "fetch_external_source"}}).roles, (Roles{.api = false}));
  const Config other = Load({{"MODE", "production"}});
  EXPECT_EQ(other.roles, Roles());
  EXPECT_EQ(other.warnings.size(), 1u);
  EXPECT_EQ(Shown(Load({{"MODE", "server"}}), "TIDEGATE_ROLES").origin, "MODE");
}

TEST_F(ConfigTest, RolesThatDoNothingAreAProblem) {
  EXPECT_NE(Problems(Load({{"TIDEGATE_ROLES", "land,dance"}})).find("'dance'"), std::string::npos);
  EXPECT_NE(Problems(Load({{"TIDEGATE_ROLES", ","}})).find("nothing to do"), std::string::npos);
  EXPECT_NE(Problems(Load({{"TIDEGATE_ROLES", "api"}, {"TIDEGATE_HTTP_LISTEN", "off"}}))
                .find("needs a port"),
            std::string::npos);
}

TEST_F(ConfigTest, AProcessThatOnlyAnswersNeedsNoKafka) {
  EXPECT_EQ(Problems(LoadAlone({{"TIDEGATE_ROLES", "api"}})), "");
}

TEST_F(ConfigTest, TheLandingOfAServiceIsItsStateDirectory) {
  EXPECT_EQ(Load({{"STATE_DIRECTORY", "/var/lib/tidegate-reader:/other"}}).landing,
            "sqlite:/var/lib/tidegate-reader/landing.db");
}

TEST_F(ConfigTest, TheMembersOfAServiceHaveAStaticNameUnlessTheSettingsNameOne) {
  EXPECT_EQ(Load({{"STATE_DIRECTORY", "/var/lib/x:/other"}}).instance_file,
            "/var/lib/x/instance-id");
  EXPECT_EQ(Load({}).instance_file, "");
  EXPECT_EQ(Load({{"STATE_DIRECTORY", "/var/lib/x"}, {"TIDEGATE_KAFKA_GROUP_INSTANCE_ID", "mine"}})
                .instance_file,
            "");
}

TEST_F(ConfigTest, AllProblemsAreToldAtOnce) {
  const Config config = LoadAlone({{"TIDEGATE_BATCH_RECORDS", "many"},
                                   {"TIDEGATE_BATCH_INTERVAL", "5"},
                                   {"TIDEGATE_TENANCY", "single"},
                                   {"TIDEGATE_TENANTS", "acme, b/c"},
                                   {"TIDEGATE_LANDING", "postgres://x"},
                                   {"TIDEGATE_STREAMS", "heartbeet"},
                                   {"TIDEGATE_STREAM_ALERT", "topik=x"},
                                   {"TIDEGATE_HTTP_LISTEN", "nowhere"},
                                   {"TIDEGATE_LOG_LEVEL", "loud"},
                                   {"TIDEGATE_WORKERS", "0"},
                                   {"TIDEGATE_KAFKA_ENABLE_AUTO_OFFSET_STORE", "true"},
                                   {"TIDEGATE_BATCH_RECORD", "1"}});
  const std::string problems = Problems(config);
  for (const char* expected :
       {"TIDEGATE_KAFKA_BOOTSTRAP_SERVERS", "'many'", "'5'", "'single'", "'b/c'", "sqlite:PATH",
        "did you mean heartbeat", "'topik'", "nowhere", "'loud'", "TIDEGATE_WORKERS",
        "must be false", "did you mean TIDEGATE_BATCH_RECORDS"}) {
    EXPECT_NE(problems.find(expected), std::string::npos) << expected << " in\n" << problems;
  }
}

TEST_F(ConfigTest, ABlankVariableIsAsGoodAsUnset) {
  const Config config = Load({{"TIDEGATE_BATCH_RECORDS", ""}, {"TIDEGATE_STREAM_ALERT", ""}});
  EXPECT_EQ(Problems(config), "");
  EXPECT_EQ(config.worker.batch_records, 5'000u);
}

TEST_F(ConfigTest, TheHeartbeatReadersVariablesWork) {
  const Config config = LoadAlone({{"FD_SERVICE_NAME", "fd-reader-heartbeat-blob"},
                                   {"FD_KAFKA_TOPIC", "raw.beats"},
                                   {"FD_MONGO_COLLECTION_NAME", "beats"},
                                   {"FD_LOG_LEVEL", "DEBUG"},
                                   {"FD_METRICS_PORT", "9090"},
                                   {"FD_MAX_RETRIES", "5"},
                                   {"FD_RETRY_DELAY", "30"},
                                   {"KAFKA_BROKER", "kafka:9092"},
                                   {"KAFKA_USERNAME", "user1"},
                                   {"KAFKA_PASSWORD", "geheim"},
                                   {"MONGO_DB_HOST", "mongo:27018"},
                                   {"MONGO_DB_PORT", "27017"},
                                   {"MONGO_DB_DATABASE", "telematics"},
                                   {"MONGO_DB_USERNAME", "reader"},
                                   {"MONGO_DB_PASSWORD", "p@ss/word"}});
  EXPECT_EQ(Problems(config), "");
  EXPECT_EQ(config.streams[0].topic, "raw.beats");
  EXPECT_EQ(config.streams[0].collection, "beats");
  EXPECT_EQ(config.log_level, LogLevel::kDebug);
  EXPECT_EQ(config.http->port, 9090);
  EXPECT_EQ(config.worker.max_attempts, 6);
  EXPECT_EQ(config.worker.backoff.max, std::chrono::seconds(30));
  EXPECT_EQ(config.kafka_settings.at("bootstrap.servers"), "kafka:9092");
  EXPECT_EQ(config.kafka_settings.at("sasl.username"), "user1");
  EXPECT_EQ(config.kafka_settings.at("security.protocol"), "sasl_plaintext");
  EXPECT_EQ(config.kafka_settings.at("client.id"), "fd-reader-heartbeat-blob");
  EXPECT_EQ(config.landing, "mongodb://reader:p%40ss%2Fword@mongo:27018");
  EXPECT_EQ(config.decoder.database, "telematics");
  // SASL without TLS, and a port for all without tokens.
  EXPECT_EQ(config.warnings.size(), 2u);
}

TEST_F(ConfigTest, TheApiForOthersNeedsTokens) {
  const auto problems = [&](Variables variables) { return Problems(Load(std::move(variables))); };
  EXPECT_NE(problems({{"TIDEGATE_HTTP_LISTEN", ":8002"}}).find("api.tokens"), std::string::npos);
  EXPECT_EQ(problems({{"TIDEGATE_HTTP_LISTEN", ":8002"}, {"TIDEGATE_ROLES", "land,project"}}), "");
  EXPECT_NE(problems({{"TIDEGATE_HTTP_SHUTDOWN", "on"}}).find("api.tokens"), std::string::npos);
}

TEST_F(ConfigTest, TokensAreReadAndNotShown) {
  credentials_ = folder_.File("");
  std::ofstream(folder_.File("api.tokens")) << "a-token-of-sixteen-bytes tenants=* role=admin\n";
  const Config config = Load({{"TIDEGATE_HTTP_LISTEN", ":8002"}, {"TIDEGATE_HTTP_SHUTDOWN", "on"}});
  EXPECT_EQ(Problems(config), "");
  ASSERT_TRUE(config.api.tokens);
  EXPECT_EQ(config.api.tokens->size(), 1u);
  EXPECT_EQ(ConfigReport(config).find("a-token-of"), std::string::npos);
  std::ofstream(folder_.File("api.tokens")) << "a-token-of-sixteen-bytes tenants=* role=boss\n";
  const std::string problems = Problems(Load({}));
  EXPECT_NE(problems.find("line 1"), std::string::npos);
  EXPECT_EQ(problems.find("a-token-of"), std::string::npos);
}

TEST_F(ConfigTest, OtherReadersVariablesWork) {
  const Config config = LoadAlone(
      {{"KAFKA_BOOTSTRAP_SERVERS", "kafka:9092"},
       {"KAFKA_GROUP_ID", "sensor-consumer-group"},
       {"TELEMETRY_TOPIC", "telemetry.other"},
       {"DLQ_TOPIC", "other.dlq"},
       {"MAX_RETRIES", "2"},
       {"BATCH_SIZE", "100"},
       {"FLUSH_INTERVAL", "5.0"},
       {"COMMIT_INTERVAL_MS", "4000"},
       {"MONGODB_URL", "mongodb://admin:password@localhost:27017/sales_db?authSource=admin"}});
  EXPECT_EQ(Problems(config), "");
  EXPECT_EQ(config.kafka_settings.at("group.id"), "sensor-consumer-group");
  EXPECT_EQ(config.kafka_settings.at("auto.commit.interval.ms"), "4000");
  EXPECT_EQ(config.streams[1].topic, "telemetry.other");
  EXPECT_EQ(config.dlq_topic, "other.dlq");
  EXPECT_EQ(config.worker.max_attempts, 3);
  EXPECT_EQ(config.worker.batch_records, 100u);
  EXPECT_EQ(config.worker.batch_interval, std::chrono::seconds(5));
  EXPECT_EQ(config.decoder.database, "sales_db");
  EXPECT_EQ(Shown(config, "TIDEGATE_LANDING").origin, "MONGODB_URL");
}

TEST_F(ConfigTest, ASalesServicesVariablesWork) {
  const Config config = LoadAlone(
      {{"KAFKA_BOOTSTRAP_SERVERS", "localhost:9092"},
       {"KAFKA_TOPIC", "sales_txn"},
       {"KAFKA_GROUP_ID", "ingest_service"},
       {"MONGODB_URL", "mongodb://admin:password@localhost:27017/sales_db?authSource=admin"},
       {"MONGODB_DATABASE", "sales_db"},
       {"MONGODB_COLLECTION", "raw_sales"},
       {"BATCH_SIZE", "100"},
       {"FLUSH_INTERVAL", "5.0"},
       {"MAX_RETRIES", "3"}});
  EXPECT_EQ(Problems(config), "");
  ASSERT_EQ(config.streams.size(), 1u);
  EXPECT_EQ(config.streams[0].kind, StreamKind::kSales);
  EXPECT_EQ(config.streams[0].topic, "sales_txn");
  EXPECT_EQ(config.streams[0].collection, "raw_sales");
  EXPECT_TRUE(config.streams[0].schema);
  EXPECT_EQ(Shown(config, "TIDEGATE_STREAMS").origin, "KAFKA_TOPIC");
  EXPECT_EQ(config.worker.batch_records, 100u);
}

TEST_F(ConfigTest, ASensorConsumersVariablesWork) {
  const Config config = LoadAlone({{"KAFKA_BOOTSTRAP_SERVERS", "localhost:9092"},
                                   {"KAFKA_TOPIC", "machine.sensor.readings"},
                                   {"KAFKA_GROUP_ID", "sensor-consumer-group"},
                                   {"POSTGRES_HOST", "localhost"},
                                   {"POSTGRES_PORT", "5432"},
                                   {"POSTGRES_USER", "sensor_user"},
                                   {"POSTGRES_PASSWORD", "sensor_password"},
                                   {"POSTGRES_DB", "sensor_data"},
                                   {"BATCH_SIZE", "100"},
                                   {"COMMIT_INTERVAL_MS", "5000"}});
  EXPECT_EQ(Problems(config), "");
  ASSERT_EQ(config.streams.size(), 1u);
  EXPECT_EQ(config.streams[0].kind, StreamKind::kMachine);
  EXPECT_EQ(config.decoder.database, "sensor_data");
  ASSERT_EQ(config.warnings.size(), 1u);
  EXPECT_NE(config.warnings[0].find("sqlite:./landing.db"), std::string::npos);
  EXPECT_EQ(ConfigReport(config).find("sensor_password"), std::string::npos);
}

TEST_F(ConfigTest, ATopicOfAnotherNameIsKnownByTheVariablesBesideIt) {
  EXPECT_EQ(Load({{"KAFKA_TOPIC", "shop"}, {"MONGODB_COLLECTION", "s"}}).streams[0].name, "sales");
  EXPECT_EQ(Load({{"KAFKA_TOPIC", "shop"}, {"POSTGRES_DB", "s"}}).streams[0].name, "machine");
  const Config named = Load({{"KAFKA_TOPIC", "beats"}, {"TIDEGATE_STREAMS", "heartbeat"}});
  ASSERT_EQ(named.streams.size(), 1u);
  EXPECT_EQ(named.streams[0].topic, "beats");
  EXPECT_NE(Problems(Load({{"KAFKA_TOPIC", "shop"}})).find("'shop'"), std::string::npos);
  EXPECT_EQ(Load({{"KAFKA_TOPIC", "shop"}, {"TIDEGATE_STREAMS", "heartbeat,gap"}}).warnings.size(),
            1u);
}

TEST_F(ConfigTest, ThresholdsAreRulesAndOneBringsTheOthersWithTheirDefaults) {
  EXPECT_TRUE(Load({}).rules.empty());
  const Config config = Load({{"TEMP_MAX_THRESHOLD", "45.5"}});
  EXPECT_EQ(Problems(config), "");
  ASSERT_EQ(config.rules.size(), 4u);
  EXPECT_EQ(Shown(config, "TIDEGATE_RULE_TEMP_MAX").value, "temperature_c > 45.5");
  EXPECT_EQ(Shown(config, "TIDEGATE_RULE_TEMP_MIN").value, "temperature_c < -10");
  EXPECT_EQ(Shown(config, "TIDEGATE_RULE_HUMIDITY_MIN").value, "humidity < 0");
  EXPECT_EQ(Shown(config, "TIDEGATE_RULE_HUMIDITY_MAX").value, "humidity > 100");
  EXPECT_NE(Problems(Load({{"TEMP_MAX_THRESHOLD", "a b"}})).find("TEMP_MAX_THRESHOLD"),
            std::string::npos);
}

TEST_F(ConfigTest, RulesAreTheAgentsAndOurNameGoesBeforeAnAlias) {
  const Config config = Load({{"TIDEGATE_RULE_TEMP_MAX", "temperature_c > 30 severity critical"},
                              {"TEMP_MAX_THRESHOLD", "45"}});
  EXPECT_EQ(Shown(config, "TIDEGATE_RULE_TEMP_MAX").value, "temperature_c > 30 severity critical");
  EXPECT_NE(Problems(Load({{"TIDEGATE_RULE_X", "temperature_c"}})).find("TIDEGATE_RULE_X"),
            std::string::npos);
}

TEST_F(ConfigTest, AStreamsSchemaIsReadAtTheStart) {
  const Config config = Load({{"TIDEGATE_STREAM_SHOP",
                               "topic=s collection=s kind=sales format=protobuf "
                               "proto=/nowhere/shop.pb message=p.M"}});
  EXPECT_NE(Problems(config).find("TIDEGATE_STREAM_SHOP: read /nowhere/shop.pb"), std::string::npos)
      << Problems(config);
}

TEST_F(ConfigTest, SalesAndMachinesAreFollowedWhenNamed) {
  const Config config = Load({{"TIDEGATE_STREAM_SALES", "collection=shop"}});
  ASSERT_EQ(config.streams.size(), 5u);
  EXPECT_EQ(config.streams[4].topic, "sales_txn");
  EXPECT_EQ(config.streams[4].collection, "shop");
}

class LandingAliases : public ConfigTest, public testing::WithParamInterface<const char*> {};
TEST_P(LandingAliases, NameTheLanding) {
  const Config config = Load({{GetParam(), "mongodb://other:1"}});
  EXPECT_EQ(config.landing, "mongodb://other:1");
}
INSTANTIATE_TEST_SUITE_P(Table, LandingAliases,
                         testing::Values("TIDEGATE_LANDING", "MONGO_URL", "MONGODB_URI",
                                         "MONGODB_URL"));

class DatabaseAliases : public ConfigTest, public testing::WithParamInterface<const char*> {};
TEST_P(DatabaseAliases, NameTheDatabase) {
  EXPECT_EQ(Load({{GetParam(), "iotdb"}}).decoder.database, "iotdb");
}
INSTANTIATE_TEST_SUITE_P(Table, DatabaseAliases,
                         testing::Values("TIDEGATE_DATABASE", "MONGO_DB", "MONGO_DB_DATABASE",
                                         "DATABASE_NAME", "MONGODB_DATABASE"));

TEST_F(ConfigTest, OurOwnNameGoesBeforeAnAlias) {
  const Config config =
      Load({{"MONGO_URL", "mongodb://other"}, {"TIDEGATE_LANDING", "mongodb://mine"}});
  EXPECT_EQ(config.landing, "mongodb://mine");
}

TEST_F(ConfigTest, CredentialsWinAndNothingSecretIsShown) {
  credentials_ = folder_.File("");
  std::ofstream(folder_.File("landing.uri")) << "mongodb://fleet:sEcret1@db/?w=majority\n";
  std::ofstream(folder_.File("kafka.sasl.password")) << "sEcret2\n";
  const Config config =
      Load({{"MONGO_URL", "mongodb://other"}, {"TIDEGATE_KAFKA_SSL_KEY_PASSWORD", "sEcret3"}});
  EXPECT_EQ(config.landing, "mongodb://fleet:sEcret1@db/?w=majority");
  EXPECT_EQ(config.kafka_credentials.at("sasl.password"), "sEcret2");
  const std::string report = ConfigReport(config);
  EXPECT_EQ(report.find("sEcret"), std::string::npos) << report;
  EXPECT_NE(report.find("credential landing.uri"), std::string::npos);
  EXPECT_NE(report.find("mongodb://fleet:***@db"), std::string::npos);
}

TEST_F(ConfigTest, AMongoUriThatLosesDocumentsIsRefused) {
  EXPECT_NE(Problems(Load({{"TIDEGATE_LANDING", "mongodb://db/?w=0"}})).find("w=0"),
            std::string::npos);
}

TEST_F(ConfigTest, StreamsAreChangedAddedAndLeftOut) {
  const Config config =
      Load({{"TIDEGATE_STREAMS", "alert, water"},
            {"TIDEGATE_STREAM_ALERT", "collection=alarms"},
            {"TIDEGATE_STREAM_WATER", "topic=water.{tenant} collection=water kind=reading"}});
  EXPECT_EQ(Problems(config), "");
  ASSERT_EQ(config.streams.size(), 2u);
  EXPECT_EQ(config.streams[0].collection, "alarms");
  EXPECT_EQ(config.streams[0].topic, "telemetry.alerts");
  EXPECT_TRUE(config.streams[1].is_pattern());
}

TEST_F(ConfigTest, ANewStreamIsFollowedWithoutBeingListed) {
  EXPECT_EQ(Load({{"TIDEGATE_STREAM_WATER", "topic=water collection=water"}}).streams.size(), 5u);
}

TEST_F(ConfigTest, ADatabaseForEachTenantWantsAnAllowList) {
  EXPECT_EQ(Load({{"TIDEGATE_TENANCY", "database"}}).warnings.size(), 1u);
  const Config config = Load({{"TIDEGATE_TENANCY", "database"}, {"TIDEGATE_TENANTS", "acme,bolt"}});
  EXPECT_TRUE(config.warnings.empty());
  EXPECT_EQ(config.decoder.tenants.size(), 2u);
}

TEST_F(ConfigTest, HttpCanBeOff) {
  EXPECT_FALSE(Load({{"TIDEGATE_HTTP_LISTEN", "off"}}).http);
}

TEST_F(ConfigTest, AnEnrichmentIsReadAndShown) {
  const std::string text =
      "https://api.example.com/{tenant_id}/{device_id} into=device stream=heartbeat";
  const Config config = Load({{"TIDEGATE_ENRICH_DEVICE", text}});
  EXPECT_EQ(Problems(config), "");
  ASSERT_EQ(config.enrichment.sources.size(), 1u);
  EXPECT_EQ(config.enrichment.sources[0].name, "device");
  EXPECT_EQ(Shown(config, "TIDEGATE_ENRICH_DEVICE").value, text);
  EXPECT_TRUE(config.warnings.empty());
}

TEST_F(ConfigTest, AnEnrichmentThatCannotWorkIsAProblem) {
  const Config config =
      Load({{"TIDEGATE_ENRICH_A", "https://h/{a} into=x tenant=*"},
            {"TIDEGATE_ENRICH_B", "https://h/{a} into=x tenant=*"},
            {"TIDEGATE_ENRICH_C", "https://h/{a} into=y stream=nope tenant=*"},
            {"TIDEGATE_ENRICH_D", "https://h/ into=z"},
            {"TIDEGATE_ENRICH_E", "https://h/{a} into=e ca=/no/such.pem tenant=*"}});
  ASSERT_EQ(config.problems.size(), 4u) << Problems(config);
  EXPECT_NE(config.problems[0].find("into=x already"), std::string::npos);
  EXPECT_NE(config.problems[1].find("no stream 'nope'"), std::string::npos);
  EXPECT_NE(config.problems[2].find("no {field}"), std::string::npos);
  EXPECT_NE(config.problems[3].find("/no/such.pem"), std::string::npos);
}

TEST_F(ConfigTest, AnEnrichmentInPlainTextIsWarnedOf) {
  EXPECT_EQ(Load({{"TIDEGATE_ENRICH_A", "http://h/{a} into=x tenant=*"}}).warnings.size(), 1u);
}

TEST_F(ConfigTest, AnEnrichmentSaysWhatTheTenantIs) {
  const Variables shared{{"TIDEGATE_ENRICH_A", "https://h/{a} into=x"}};
  EXPECT_NE(Problems(Load(shared)).find("{tenant_id}"), std::string::npos);
  Variables one = shared;
  one["TIDEGATE_TENANTS"] = "acme";
  EXPECT_EQ(Problems(Load(one)), "");
  Variables two = shared;
  two["TIDEGATE_TENANTS"] = "acme,globex";
  EXPECT_NE(Problems(Load(two)).find("{tenant_id}"), std::string::npos);
  two["TIDEGATE_ENRICH_A"] = "https://h/{a} into=x tenant=acme";
  EXPECT_EQ(Problems(Load(two)), "");
  two["TIDEGATE_ENRICH_A"] = "https://h/{a} into=x tenant=initech";
  EXPECT_NE(Problems(Load(two)).find("not an allowed tenant"), std::string::npos);
}

TEST_F(ConfigTest, AnEnrichmentsHeaderIsACredential) {
  credentials_ = folder_.File("credentials");
  std::filesystem::create_directory(credentials_);
  std::ofstream(credentials_ + "/enrich.device.header") << "Authorization: Bearer S3cret\n";
  const Config config = Load({{"TIDEGATE_ENRICH_DEVICE", "https://h/{a} into=x tenant=*"}});
  EXPECT_EQ(Problems(config), "");
  EXPECT_EQ(config.enrichment.sources.at(0).headers.at(0), "Authorization: Bearer S3cret");
  EXPECT_EQ(ConfigReport(config).find("S3cret"), std::string::npos);
  const Config plain = Load({{"TIDEGATE_ENRICH_DEVICE", "http://h/{a} into=x tenant=*"}});
  EXPECT_NE(Problems(plain).find("unencrypted"), std::string::npos);
  EXPECT_NE(Problems(Load({})).find("there is no TIDEGATE_ENRICH_DEVICE"), std::string::npos);
}

TEST_F(ConfigTest, ACredentialThatNobodyReadsIsTold) {
  credentials_ = folder_.File("credentials");
  std::filesystem::create_directory(credentials_);
  for (const char* name : {"landing.url", "landing.acme.url", "api.token", "vault"})
    std::ofstream(credentials_ + "/" + name) << "mongodb://u:S3cret@h";
  const Config config = Load({{"TIDEGATE_TENANTS", "acme"}});
  EXPECT_EQ(Problems(config),
            "credential api.token: the reader reads none of this name; did you mean api.tokens?\n"
            "credential landing.acme.url: the reader reads none of this name; did you mean "
            "landing.acme.uri?\n"
            "credential landing.url: the reader reads none of this name; did you mean "
            "landing.uri?\n");
  EXPECT_EQ(
      std::ranges::count(config.warnings, "credential vault: the reader reads none of this name"),
      1);
  EXPECT_EQ(ConfigReport(config).find("S3cret"), std::string::npos);
}

// Whatever is wrong with the settings around it.
TEST_F(ConfigTest, NoSecretIsShown) {
  credentials_ = folder_.File("credentials");
  std::filesystem::create_directory(credentials_);
  for (const char* name : {"landing.uri", "landing.acme.uri", "api.tokens", "enrich.a.header",
                           "kafka.sasl.password", "kafka.ssl.key.pem", "tenants.json"})
    std::ofstream(credentials_ + "/" + name) << "u:S3cret@x\nS3cret S3cret";
  const std::vector<Variables> mistakes{
      {{"TIDEGATE_LANDING", "mongodb://u:S3cret@h/?tlsCertificateKeyFilePassword=S3cret"}},
      {{"TIDEGATE_LANDING", "mongodb//u:S3cret@h"}},
      {{"MONGODB_URI", "postgres://u:S3cret@h/d"}},
      {{"MONGO_DB_HOST", "h"}, {"MONGO_DB_USERNAME", "u"}, {"MONGO_DB_PASSWORD", "S3cret"}},
      {{"POSTGRES_PASSWORD", "S3cret"}},
      {{"TIDEGATE_LANDING_ACME", "mongodb://u:S3cret"}, {"TIDEGATE_TENANTS", "acme"}},
      {{"TIDEGATE_LANDING_NOBODY", "mongodb://u:S3cret@h"}},
      {{"TIDEGATE_ENRICH_A", "https://h/{a}?api_key=S3cret&b={a} into=x tenant=*"}},
      {{"TIDEGATE_ENRICH_A", "https://u:S3cret@h/{a} into=x"}},
      {{"TIDEGATE_ENRICH_A", "u:S3cret@h/{a}"}},
      {{"TIDEGATE_ENRICH_A", "https://h/{a}?S3cret into=x"}},
      {{"TIDEGATE_ENRICH_A", "into=d https://u:S3cret@h/{tenant_id}/{id}?key=S3cret"}},
      {{"TIDEGATE_ENRICH_A", "https://h/{a} into=d https://u:S3cret@h/{a}?key=S3cret"}},
      {{"TIDEGATE_ENRICH_A", " https://u:S3cret@h/{a} into=d"}},
      {{"TIDEGATE_ENRICH_A", "https://h/{a}?key= S3cret into=d"}},
      {{"TIDEGATE_ENRICH_A", "https://h/{a}?key= S3cret== into=d"}},
      {{"TIDEGATE_ENRICH_A", "https://h/{a} into=d ttl=https://u:S3cret@h"}},
      {{"TIDEGATE_ENRICH_A", "https://h/{a} into=https://u:S3cret@h"}},
      {{"TIDEGATE_ENRICH_A", "https://h/{a} into=d tenant=https://u:S3cret@h"}},
      {{"KAFKA_PASSWORD", "S3cret"}, {"TIDEGATE_KAFKA_SSL_KEY_PASSWORD", "S3cret"}},
      {{"TIDEGATE_KAFKA_SASL_PASSWORD", "S3cret"}, {"TIDEGATE_KAFKA_SSL_KEY_PEM", "S3cret"}},
      {{"TIDEGATE_KAFKA_SASL_PASWORD", "S3cret"}, {"TIDEGATE_KAFKA_SSL_KEY", "S3cret"}},
  };
  for (const Variables& variables : mistakes) {
    EXPECT_EQ(ConfigReport(Load(variables)).find("S3cret"), std::string::npos)
        << ConfigReport(Load(variables));
  }
  credentials_.clear();
  for (const Variables& variables : mistakes)
    EXPECT_EQ(ConfigReport(Load(variables)).find("S3cret"), std::string::npos)
        << ConfigReport(Load(variables));
}

}  // namespace
}  // namespace tidegate::reader
