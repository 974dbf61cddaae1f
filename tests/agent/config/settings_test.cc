#include "agent/config/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "agent/config/variables.h"

namespace tidegate {
namespace {

using std::chrono::milliseconds;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

LoadedSettings Load(Environment environment, const std::string& credentials = "") {
  environment.emplace("TIDEGATE_GATEWAY_ID", "gw-test");
  return LoadSettings(environment, Credentials(credentials));
}

std::string Shown(const LoadedSettings& loaded, const std::string& name) {
  for (const auto& setting : loaded.effective) {
    if (setting.name == name) return setting.origin + ": " + setting.value;
  }
  return "";
}

TEST(SettingsTest, DefaultsAreThoseOfTheContract) {
  const LoadedSettings loaded = Load({});
  EXPECT_THAT(loaded.problems, IsEmpty());
  EXPECT_EQ(loaded.settings.pipeline.commit_interval, milliseconds(200));
  EXPECT_EQ(loaded.settings.pipeline.commit_records, 1000U);
  EXPECT_EQ(loaded.settings.store_max_bytes, 256U << 20);
  EXPECT_FALSE(loaded.settings.store_stop_reading);
  EXPECT_TRUE(loaded.settings.power_safe);
  EXPECT_EQ(loaded.settings.store_dir, "./data");
  EXPECT_EQ(loaded.settings.control_socket, "./data/control.sock");
  EXPECT_EQ(loaded.settings.topics.heartbeat, "telematics.raw.telematics_heartbeat");
  ASSERT_TRUE(loaded.settings.http);
  EXPECT_EQ(loaded.settings.http->port, 9464);
  EXPECT_EQ(Shown(loaded, "TIDEGATE_COMMIT_INTERVAL"), "default: 200ms");
  EXPECT_THAT(loaded.warnings, Contains(HasSubstr("TIDEGATE_INPUT_<NAME>")));
}

TEST(SettingsTest, TheServiceManagersFoldersAreTheDefaults) {
  const LoadedSettings loaded =
      Load({{"STATE_DIRECTORY", "/var/lib/x:/var/lib/y"}, {"RUNTIME_DIRECTORY", "/run/x"}});
  EXPECT_EQ(loaded.settings.store_dir, "/var/lib/x");
  EXPECT_EQ(loaded.settings.control_socket, "/run/x/control.sock");
}

TEST(SettingsTest, AllProblemsAreToldAtOnceAndNameTheirVariable) {
  const LoadedSettings loaded = Load({{"TIDEGATE_COMMIT_INTERVAL", "soon"},
                                      {"TIDEGATE_COMMIT_RECORDS", "0"},
                                      {"TIDEGATE_STORE_FULL", "panic"},
                                      {"TIDEGATE_TENANT", "a b"},
                                      {"TIDEGATE_TOPIC_GAP", "gaps/{tenant}"},
                                      {"TIDEGATE_HTTP_LISTEN", "everywhere"},
                                      {"TIDEGATE_INPUT_A", "gopher://x"},
                                      {"TIDEGATE_RULE_HOT", "temperature_c >> 5"},
                                      {"TIDEGATE_COMIT_INTERVAL", "1s"}});
  EXPECT_EQ(loaded.problems.size(), 9U) << testing::PrintToString(loaded.problems);
  EXPECT_THAT(
      loaded.problems,
      Contains("TIDEGATE_COMMIT_INTERVAL: \"soon\" is not a duration from 1ms to 1m, like 200ms"));
  EXPECT_THAT(loaded.problems, Contains(AllOf(HasSubstr("TIDEGATE_INPUT_A"), HasSubstr("mqtt"))));
  EXPECT_THAT(loaded.problems, Contains(HasSubstr("did you mean TIDEGATE_COMMIT_INTERVAL?")));
}

TEST(SettingsTest, AnEmptyVariableIsAnAbsentOne) {
  const LoadedSettings loaded =
      Load({{"TIDEGATE_RULE_HOT", ""}, {"TIDEGATE_TENANT", ""}, {"TIDEGATE_COMMIT_RECORDS", ""}});
  EXPECT_THAT(loaded.problems, IsEmpty());
  EXPECT_THAT(loaded.settings.rules, IsEmpty());
}

TEST(SettingsTest, InputsAndRulesAreNamedByTheirVariable) {
  const LoadedSettings loaded =
      Load({{"TIDEGATE_INPUT_LOCAL",
             "mqtt://localhost/fleet/{tenant}/{asset}/heartbeat?kind=reading&tenant=acme"},
            {"TIDEGATE_INPUT_DEMO", "sim:?assets=3&rate=1"},
            {"TIDEGATE_RULE_OVERHEAT", "temperature_c > 50 clear 48 for 10s severity critical"}});
  ASSERT_THAT(loaded.problems, IsEmpty());
  ASSERT_EQ(loaded.settings.inputs.size(), 2U);
  EXPECT_EQ(loaded.settings.inputs[1].input.name, "local");
  EXPECT_EQ(loaded.settings.inputs[1].input.tenant, "acme");
  EXPECT_EQ(loaded.settings.inputs[1].input.record_class, RecordClass::kReading);
  ASSERT_EQ(loaded.settings.rules.size(), 1U);
  EXPECT_EQ(loaded.settings.rules[0].name, "overheat");
}

TEST(SettingsTest, WhatIsAllowedButNotAdvisableIsAWarning) {
  const LoadedSettings loaded =
      Load({{"TIDEGATE_INPUT_A", "mqtts://broker/a/{asset}?verify=false"}});
  EXPECT_THAT(loaded.problems, IsEmpty());
  EXPECT_THAT(loaded.warnings, Contains(AllOf(HasSubstr("TIDEGATE_INPUT_A"), HasSubstr("verify"))));
}

TEST(SettingsTest, WhatBelongsToALaterVersionIsRefusedAndNotIgnored) {
  EXPECT_THAT(Load({{"TIDEGATE_WINDOW_T", "temperature_c every 1m"}}).problems,
              ElementsAre(HasSubstr("no windows yet")));
}

TEST(SettingsTest, TheUplinkIsNotLimitedUnlessItIsSaid) {
  const LoadedSettings loaded = Load({});
  EXPECT_THAT(loaded.settings.uplink_budgets, IsEmpty());
  EXPECT_THAT(loaded.settings.uplink_windows, IsEmpty());
  EXPECT_EQ(loaded.settings.uplink_live_share_percent, 20U);
  EXPECT_EQ(loaded.settings.uplink_linger, milliseconds(2000));
  EXPECT_EQ(Shown(loaded, "TIDEGATE_UPLINK_BUDGET"), "default: none");
}

TEST(SettingsTest, LimitsOfTheUplinkAreRead) {
  const LoadedSettings loaded = Load({{"TIDEGATE_UPLINK_BUDGET", "2MiB/hour, 20MiB/day"},
                                      {"TIDEGATE_UPLINK_WINDOW", "02:00-05:00,22:30-23:00"},
                                      {"TIDEGATE_UPLINK_LIVE_SHARE", "50%"},
                                      {"TIDEGATE_UPLINK_LINGER", "0s"}});
  EXPECT_THAT(loaded.problems, IsEmpty());
  ASSERT_EQ(loaded.settings.uplink_budgets.size(), 2U);
  EXPECT_EQ(loaded.settings.uplink_budgets[1].bytes, 20U << 20);
  ASSERT_EQ(loaded.settings.uplink_windows.size(), 2U);
  EXPECT_EQ(loaded.settings.uplink_live_share_percent, 50U);
  EXPECT_EQ(loaded.settings.uplink_linger, milliseconds(0));
  EXPECT_EQ(Shown(loaded, "TIDEGATE_UPLINK_BUDGET"), "environment: 2MiB/hour, 20MiB/day");
}

TEST(SettingsTest, AWrongLimitSaysWhatIsWrongWithIt) {
  const LoadedSettings loaded = Load({{"TIDEGATE_UPLINK_BUDGET", "2MiB/hour,50MiB/month"},
                                      {"TIDEGATE_UPLINK_WINDOW", "2-5"},
                                      {"TIDEGATE_UPLINK_LIVE_SHARE", "100%"},
                                      {"TIDEGATE_UPLINK_LINGER", "5"}});
  EXPECT_THAT(loaded.problems,
              testing::UnorderedElementsAre(
                  AllOf(HasSubstr("TIDEGATE_UPLINK_BUDGET"), HasSubstr("\"50MiB/month\"")),
                  AllOf(HasSubstr("TIDEGATE_UPLINK_WINDOW"), HasSubstr("02:00-05:00")),
                  AllOf(HasSubstr("TIDEGATE_UPLINK_LIVE_SHARE"), HasSubstr("90%")),
                  AllOf(HasSubstr("TIDEGATE_UPLINK_LINGER"), HasSubstr("duration"))));
}

TEST(SettingsTest, KafkaPropertiesPassThroughAndNeedBootstrapServers) {
  const LoadedSettings loaded =
      Load({{"TIDEGATE_KAFKA_BOOTSTRAP_SERVERS", "k:9092"}, {"TIDEGATE_KAFKA_LINGER_MS", "7"}});
  EXPECT_THAT(loaded.problems, IsEmpty());
  EXPECT_EQ(loaded.settings.kafka.at("linger.ms"), "7");
  EXPECT_THAT(Load({{"TIDEGATE_KAFKA_LINGER_MS", "7"}}).problems,
              ElementsAre(HasSubstr("BOOTSTRAP_SERVERS")));
  EXPECT_THAT(
      Load({{"TIDEGATE_KAFKA_BOOTSTRAP_SERVERS", "k:9092"}, {"TIDEGATE_KAFKA_ACKS", "0"}}).problems,
      ElementsAre(HasSubstr("acks")));
}

TEST(SettingsTest, SecretsComeFromCredentialsAndAreNeverShown) {
  std::string pattern =
      (std::filesystem::temp_directory_path() / "tidegate-credentials-XXXXXX").string();
  const std::string folder = mkdtemp(pattern.data());
  std::ofstream(folder + "/kafka.sasl.password") << "hunter2\n";
  const LoadedSettings loaded = Load({{"TIDEGATE_KAFKA_BOOTSTRAP_SERVERS", "k:9092"}}, folder);
  std::filesystem::remove_all(folder);
  EXPECT_THAT(loaded.problems, IsEmpty());
  EXPECT_EQ(loaded.settings.kafka_credentials.at("sasl.password"), "hunter2");
  for (const auto& setting : loaded.effective)
    EXPECT_THAT(setting.value, Not(HasSubstr("hunter2")));
  EXPECT_EQ(Shown(loaded, "kafka.sasl.password"), "credential: (hidden)");
  const LoadedSettings exposed = Load({{"TIDEGATE_KAFKA_BOOTSTRAP_SERVERS", "k:9092"},
                                       {"TIDEGATE_KAFKA_SASL_PASSWORD", "hunter2"}});
  EXPECT_THAT(exposed.warnings, Contains(HasSubstr("LoadCredential=kafka.sasl.password")));
  for (const auto& setting : exposed.effective)
    EXPECT_THAT(setting.value, Not(HasSubstr("hunter2")));
}

TEST(SettingsTest, ATopicForEachTenantWithoutAListOfTenantsIsWarnedAbout) {
  const auto warned = Contains(HasSubstr("TIDEGATE_TENANTS"));
  EXPECT_THAT(Load({{"TIDEGATE_TOPIC_READING", "raw.{tenant}"}}).warnings, warned);
  EXPECT_THAT(
      Load({{"TIDEGATE_TOPIC_READING", "raw.{tenant}"}, {"TIDEGATE_TENANTS", "a,b"}}).warnings,
      Not(warned));
  EXPECT_THAT(Load({}).warnings, Not(warned));
}

TEST(VariablesTest, TopicTemplates) {
  EXPECT_TRUE(IsTopicTemplate("telemetry.{tenant}.raw_1-a"));
  EXPECT_FALSE(IsTopicTemplate(""));
  EXPECT_FALSE(IsTopicTemplate("a/b"));
  EXPECT_FALSE(IsTopicTemplate("{asset}"));
}

std::string AllTexts(const LoadedSettings& loaded) {
  std::string all;
  for (const auto& setting : loaded.effective) all += setting.name + "=" + setting.value + "\n";
  for (const auto& problem : loaded.problems) all += problem + "\n";
  for (const auto& warning : loaded.warnings) all += warning + "\n";
  return all;
}

TEST(SettingsTest, NoSecretIsShownWhateverIsWrongWithIt) {
  for (const char* uri :
       {"mqtt://user:S3cret@host/t/#", "mqtt:/user:S3cret@host/t", "mqtt//user:S3cret@host/t",
        "mqtt://user:S3cret@[::1/t", "mqtt://user:S3cret@host:0/t", "mqtt://h/t?password=S3cret",
        "mqtt://h/t?passwort=S3cret&password=S3cret", "nats://user:S3cret@host/t",
        "mqtt://h/t?pass=S3cret", "mqtt://h/t?pw=S3cret", "mqtt://user:12/x{S3cret@host/t",
        "mqtt://user:12?S3cret@host/t", "mqtt://user:12/t?S3cret@host/t=1&S3cret@host/t=1",
        "mqtt://[::1]/x{S3cret@host/t", "serial:/dev/tty?x:S3cret@y&x:S3cret@y",
        "sim:u:1?S3cret@host"}) {
    const std::string all = AllTexts(Load({{"TIDEGATE_INPUT_LOCAL", uri}}));
    EXPECT_THAT(all, HasSubstr("TIDEGATE_INPUT_LOCAL")) << uri;
    EXPECT_THAT(all, Not(HasSubstr("S3cret"))) << uri;
  }
  for (const char* name : {"TIDEGATE_KAFKA_SASL_PASSWORD", "TIDEGATE_KAFKA_SASL_PASWORD",
                           "TIDEGATE_KAFKA_SSL_KEY_PASSWORD", "TIDEGATE_KAFKA_SSL_KEY_PEM",
                           "TIDEGATE_KAFKA_SASL_OAUTHBEARER_CONFIG"}) {
    const std::string all =
        AllTexts(Load({{name, "S3cret"}, {"TIDEGATE_KAFKA_BOOTSTRAP_SERVERS", "u:S3cret@k:9092"}}));
    EXPECT_THAT(all, HasSubstr(name));
    EXPECT_THAT(all, Not(HasSubstr("S3cret"))) << name;
  }
}

class SettingsCredentialsTest : public testing::Test {
 protected:
  SettingsCredentialsTest() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "tidegate-credentials-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~SettingsCredentialsTest() override { std::filesystem::remove_all(folder_); }

  void Put(const std::string& name) { std::ofstream(folder_ + "/" + name) << "S3cret\n"; }
  LoadedSettings LoadWithInput() {
    return Load({{"TIDEGATE_KAFKA_BOOTSTRAP_SERVERS", "k:9092"},
                 {"TIDEGATE_INPUT_YARD", "mqtt://host/t/{asset}?tenant=acme"}},
                folder_);
  }

  std::string folder_;
};

TEST_F(SettingsCredentialsTest, ASecretUnderAWrongNameIsNotShown) {
  for (const char* name : {"kafka.ssl.key", "kafka.sasl.pasword", "kafak.sasl.password"}) Put(name);
  const LoadedSettings loaded = LoadWithInput();
  EXPECT_THAT(AllTexts(loaded), Not(HasSubstr("S3cret")));
  EXPECT_EQ(Shown(loaded, "kafka.sasl.pasword"), "credential: (hidden)");
}

TEST_F(SettingsCredentialsTest, AWrongNameIsAProblemThatNamesTheNearest) {
  Put("input.yard.username");
  Put("input.yard.password");
  EXPECT_THAT(LoadWithInput().problems, IsEmpty());
  for (const char* name : {"input.yrad.password", "input.yard.pasword", "kafak.sasl.password",
                           "kafka.sasl.pasword", "backup-key"}) {
    Put(name);
  }
  const LoadedSettings loaded = LoadWithInput();
  EXPECT_THAT(loaded.warnings, Contains(HasSubstr("credential backup-key")));
  EXPECT_THAT(loaded.problems,
              testing::UnorderedElementsAre(AllOf(HasSubstr("credential input.yrad.password"),
                                                  HasSubstr("did you mean input.yard.password?")),
                                            AllOf(HasSubstr("credential input.yard.pasword"),
                                                  HasSubstr("did you mean input.yard.password?")),
                                            AllOf(HasSubstr("credential kafak.sasl.password"),
                                                  HasSubstr("did you mean kafka.sasl.password?")),
                                            AllOf(HasSubstr("credential kafka.sasl.pasword"),
                                                  HasSubstr("did you mean kafka.sasl.password?"))));
}

TEST(SettingsTest, ATenantThatIsNotAllowedIsAProblem) {
  const LoadedSettings loaded = Load({{"TIDEGATE_TENANT", "initech"},
                                      {"TIDEGATE_TENANTS", "acme,globex"},
                                      {"TIDEGATE_INPUT_LOCAL", "sim:?tenant=umbrella"}});
  EXPECT_THAT(loaded.problems, Contains(HasSubstr("TIDEGATE_TENANT: initech")));
  EXPECT_THAT(loaded.problems, Contains(HasSubstr("?tenant=umbrella")));
}

TEST(SettingsTest, NamesThatDifferInCaseOnlyAreAProblem) {
  const LoadedSettings loaded = Load({{"TIDEGATE_INPUT_Local", "sim:"},
                                      {"TIDEGATE_INPUT_LOCAL", "sim:"},
                                      {"TIDEGATE_RULE_HOT", "t > 1"},
                                      {"TIDEGATE_RULE_hot", "t > 2"}});
  EXPECT_THAT(loaded.problems,
              ElementsAre(HasSubstr("TIDEGATE_INPUT_Local"), HasSubstr("TIDEGATE_RULE_hot")));
}

TEST(SettingsTest, TopicsThatKafkaHasNoNameForAreProblems) {
  const std::string long_name(200, 'x');
  for (const std::string& topic :
       {std::string("."), std::string(".."), std::string("{tenant}.{tenant}"),
        long_name + "{tenant}", std::string("a b")}) {
    EXPECT_THAT(Load({{"TIDEGATE_TOPIC_ALERT", topic}}).problems,
                ElementsAre(HasSubstr("TIDEGATE_TOPIC_ALERT")))
        << topic;
  }
}

TEST(SettingsTest, AFileOfTlsThatIsMissingIsAProblem) {
  const LoadedSettings loaded =
      Load({{"TIDEGATE_INPUT_LOCAL", "mqtts://host/t/{asset}?ca=/nowhere/ca.pem&tenant=acme"}});
  EXPECT_THAT(loaded.problems,
              ElementsAre(AllOf(HasSubstr("/nowhere/ca.pem"), HasSubstr("No such file"))));
}

}  // namespace
}  // namespace tidegate
