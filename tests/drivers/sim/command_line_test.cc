#include "drivers/sim/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tidegate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

SimCommand Parse(const std::vector<std::string>& arguments) {
  return ParseSimCommand(arguments, "s3cret", "1.2.3");
}

TEST(SimCommandTest, HasDefaults) {
  const SimCommand command = Parse({"--mqtt", "mqtt://broker"});
  ASSERT_EQ(command.message, "");
  EXPECT_EQ(command.target, SimCommand::Target::kMqtt);
  EXPECT_EQ(command.mqtt.host, "broker");
  EXPECT_EQ(command.mqtt.port, 1883);
  EXPECT_EQ(command.mqtt.qos, 1);
  EXPECT_EQ(command.mqtt.topic, "fleet/{tenant}/{asset}/heartbeat");
  EXPECT_THAT(command.mqtt.client_id, StartsWith("tidegate-sim-"));
  EXPECT_EQ(command.fleet.assets, 100u);
  EXPECT_THAT(command.fleet.tenants, ElementsAre("demo"));
  EXPECT_EQ(command.run.rate, 10);
  EXPECT_EQ(command.run.count, 0u);
}

TEST(SimCommandTest, ReadsWhatAnMqttRunNeeds) {
  const SimCommand command =
      Parse({"--assets", "7",           "--rate",    "0",        "--count",
             "9",        "--seed",      "3",         "--mqtt",   "mqtts://u@h:1234/a/{asset}",
             "--tenant", "x",           "--tenant",  "y",        "--qos",
             "2",        "--client-id", "me",        "--window", "20",
             "--quiet",  "--json",      "--timeout", "5m"});
  ASSERT_EQ(command.message, "");
  EXPECT_TRUE(command.mqtt.tls);
  EXPECT_EQ(command.mqtt.port, 1234);
  EXPECT_EQ(command.mqtt.topic, "a/{asset}");
  EXPECT_EQ(command.mqtt.username, "u");
  EXPECT_EQ(command.mqtt.password, "s3cret");
  EXPECT_EQ(command.mqtt.client_id, "me");
  EXPECT_EQ(command.mqtt.window, 20);
  EXPECT_THAT(command.fleet.tenants, ElementsAre("x", "y"));
  EXPECT_EQ(command.fleet.seed, 3u);
  EXPECT_EQ(command.run.rate, 0);
  EXPECT_EQ(command.run.count, 9u);
  EXPECT_EQ(command.run.give_up_after, std::chrono::minutes(5));
  EXPECT_TRUE(command.quiet && command.json);
  EXPECT_EQ(Parse({"--mqtt", "mqtts://h"}).mqtt.port, 8883);
  EXPECT_EQ(Parse({"--mqtt", "mqtt://h/in/uri", "--topic", "given"}).mqtt.topic, "given");
}

TEST(SimCommandTest, ReadsTheOtherTargets) {
  const SimCommand http =
      Parse({"--http", "http://h/ingest", "--batch", "50", "--requests", "3", "--username", "u"});
  ASSERT_EQ(http.message, "");
  EXPECT_EQ(http.target, SimCommand::Target::kHttp);
  EXPECT_EQ(http.http.url, "http://h/ingest");
  EXPECT_EQ(http.http.batch, 50u);
  EXPECT_EQ(http.http.requests, 3u);
  EXPECT_EQ(http.http.username, "u");
  const SimCommand print = Parse({"--print", "--start", "2025-06-23T08:00:00Z"});
  EXPECT_EQ(print.target, SimCommand::Target::kPrint);
  EXPECT_TRUE(print.run.start.has_value());
}

TEST(SimCommandTest, RefusesWrongUsage) {
  const std::vector<std::vector<std::string>> wrong{
      {},
      {"--print", "--mqtt", "mqtt://h"},
      {"--print", "--colour"},
      {"--print", "--rate", "-1"},
      {"--print", "--rate", "fast"},
      {"--print", "--assets", "0"},
      {"--print", "--count", "-1"},
      {"--print", "--tenant", "a/b"},
      {"--print", "--start", "yesterday"},
      {"--print", "--timeout", "soon"},
      {"--print", "--ca", "/no/such/file"},
      {"--mqtt", "http://h"},
      {"--mqtt", "mqtt:///topic"},
      {"--mqtt", "mqtt://u:secret@h"},
      {"--mqtt", "mqtt://h/fleet/+/x"},
      {"--mqtt", "mqtt://h/x?qos=1"},
      {"--mqtt", "mqtt://h", "--qos", "3"},
      {"--mqtt", "mqtt://h", "--window", "65535"},
  };
  for (const auto& arguments : wrong) {
    const SimCommand command = Parse(arguments);
    EXPECT_EQ(command.exit_code, 2) << testing::PrintToString(arguments);
    EXPECT_THAT(command.message, StartsWith("tidegate-sim: "));
    EXPECT_THAT(command.message, testing::Not(HasSubstr("secret@")));
  }
}

TEST(SimCommandTest, HelpsAndTellsItsVersion) {
  const SimCommand help = Parse({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  for (const char* option : {"--assets", "--rate", "--count", "--mqtt", "--http", "--seed",
                             "--print", "TIDEGATE_SIM_PASSWORD"}) {
    EXPECT_THAT(help.message, HasSubstr(option));
  }
  EXPECT_EQ(Parse({"--version"}).message, "tidegate-sim 1.2.3\n");
}

TEST(SimCommandTest, FillsTheTopic) {
  const Heartbeat heartbeat{.tenant = "acme", .asset = "truck-1", .payload = ""};
  EXPECT_EQ(FillTopic("fleet/{tenant}/{asset}/{asset}/x", heartbeat),
            "fleet/acme/truck-1/truck-1/x");
}

}  // namespace
}  // namespace tidegate
