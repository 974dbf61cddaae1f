// tidegate-sim against a real mosquitto.
#include "drivers/sim/mqtt_publisher.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <set>
#include <sstream>
#include <string>

#include "core/unique_fd.h"
#include "drivers/sim/publish_run.h"
#include "tests/drivers/serial/child.h"

namespace tidegate {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

int FreePort() {
  const UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  EXPECT_EQ(bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

std::string Content(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

class MqttPublisherTest : public testing::Test {
 protected:
  void SetUp() override {
    mosquitto_ = FindProgram("mosquitto");
    if (mosquitto_.empty()) GTEST_SKIP() << "mosquitto is not installed";
    std::string pattern = testing::TempDir() + "simXXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    port_ = FreePort();
  }
  void TearDown() override {
    broker_.reset();
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }

  void StartBroker(const std::string& settings = "allow_anonymous true\n") {
    const std::string path = folder_ + "/mosquitto.conf";
    std::ofstream(path) << "listener " << port_ << " 127.0.0.1\nmax_queued_messages 0\n"
                        << settings;
    broker_.emplace(std::vector<std::string>{mosquitto_, "-c", path});
  }

  // `each_step` is called all the time, `each_second` once a second.
  RunResult Publish(
      double rate, uint64_t count,
      const std::function<void(uint64_t acknowledged)>& each_step = [](uint64_t) {},
      PublishRun::Progress each_second = {}) {
    MqttPublisherOptions options;
    options.host = "127.0.0.1";
    options.port = static_cast<uint16_t>(port_);
    options.client_id = "sim-test";
    options.username = username_;
    options.password = password_;
    auto publisher = MqttPublisher::Make(options, clock_);
    EXPECT_TRUE(publisher.ok());
    Fleet fleet({.assets = 20});
    RunOptions run;
    run.rate = rate;
    run.count = count;
    run.give_up_after = std::chrono::seconds(30);
    const auto never_stopped = [&] {
      each_step((*publisher)->counts().acknowledged);
      return false;
    };
    return PublishRun(run, fleet, **publisher, clock_, never_stopped, std::move(each_second)).Run();
  }

  std::string mosquitto_;
  std::string folder_;
  std::string username_;
  std::string password_;
  int port_ = 0;
  SystemClock clock_;
  std::optional<Child> broker_;
};

TEST_F(MqttPublisherTest, EverythingArrivesOnce) {
  const std::string subscriber = FindProgram("mosquitto_sub");
  if (subscriber.empty()) GTEST_SKIP() << "mosquitto_sub is not installed";
  StartBroker("allow_anonymous true\npersistence false\n");
  const std::string port = std::to_string(port_);
  // Once its own heartbeat is acknowledged the broker listens.
  ASSERT_TRUE(Publish(0, 1).complete);
  // The session exists before the run, so nothing is missed however late the reading begins.
  ASSERT_EQ(
      Child({subscriber, "-p", port, "-i", "all", "-c", "-q", "1", "-t", "fleet/#", "-E"}).Wait(),
      0);
  const RunResult result = Publish(0, 5'000);
  EXPECT_TRUE(result.complete) << result.problem;
  EXPECT_EQ(result.acknowledged, 5'000u);

  const std::string path = folder_ + "/received";
  ASSERT_EQ(Child({subscriber, "-p", port, "-i", "all", "-c", "-q", "1", "-t", "fleet/#", "-v",
                   "-C", "5000"},
                  path)
                .Wait(),
            0);
  std::ifstream received(path);
  std::set<std::string> distinct;
  for (std::string line; std::getline(received, line);) {
    EXPECT_THAT(line, StartsWith("fleet/demo/truck-00"));
    distinct.insert(line);
  }
  EXPECT_EQ(distinct.size(), 5'000u);
}

TEST_F(MqttPublisherTest, SurvivesABrokerThatIsKilled) {
  // The broker comes within a second of the start and of each end, which comes in the middle of the
  // traffic.
  uint64_t kills = 0;
  const auto kill = [&](uint64_t acknowledged) {
    if (kills == 3 || acknowledged < (kills + 1) * 3'000) return;
    ++kills;
    broker_->End(SIGKILL);
    broker_.reset();
  };
  const RunResult result = Publish(4'000, 12'000, kill, [&](const RunResult&) {
    if (!broker_.has_value()) StartBroker();
  });
  EXPECT_EQ(kills, 3u);
  EXPECT_TRUE(result.complete) << result.problem;
  EXPECT_EQ(result.acknowledged, 12'000u);
}

TEST_F(MqttPublisherTest, ARefusalForGoodEndsTheRun) {
  const std::string passwords = folder_ + "/passwords";
  const std::string tool = FindProgram("mosquitto_passwd");
  if (tool.empty()) GTEST_SKIP() << "mosquitto_passwd is not installed";
  ASSERT_EQ(Child({tool, "-b", "-c", passwords, "sim", "right"}).Wait(), 0);
  std::filesystem::permissions(folder_, std::filesystem::perms::all);
  std::filesystem::permissions(passwords, std::filesystem::perms::all);
  StartBroker("password_file " + passwords + "\n");
  username_ = "sim";
  password_ = "wrong";
  const RunResult refused = Publish(0, 1);
  EXPECT_FALSE(refused.complete);
  EXPECT_THAT(refused.problem, HasSubstr("not authorised"));
  EXPECT_THAT(refused.problem, testing::Not(HasSubstr("wrong")));
  password_ = "right";
  EXPECT_TRUE(Publish(0, 1).complete);
}

TEST_F(MqttPublisherTest, TheProgramEndsWithItsCounts) {
  StartBroker();
  const std::string out = folder_ + "/out";
  const std::string uri = "mqtt://127.0.0.1:" + std::to_string(port_) + "/x/{tenant}/{asset}";
  EXPECT_EQ(Child({TIDEGATE_SIM, "--count", "500", "--rate", "0", "--mqtt", uri}, out).Wait(), 0);
  EXPECT_EQ(Content(out), "published 500 acknowledged 500\n");
  EXPECT_EQ(
      Child({TIDEGATE_SIM, "--count", "7", "--rate", "0", "--json", "--mqtt", uri}, out).Wait(), 0);
  EXPECT_THAT(Content(out), StartsWith(R"({"published":7,"acknowledged":7,"refused":0,)"));
  broker_->End(SIGTERM);
  EXPECT_EQ(Child({TIDEGATE_SIM, "--count", "1", "--timeout", "300ms", "--mqtt", uri}, out).Wait(),
            1);
  EXPECT_EQ(Content(out), "published 0 acknowledged 0\n");
}

TEST_F(MqttPublisherTest, TheProgramPrintsLines) {
  const std::string out = folder_ + "/out";
  EXPECT_EQ(Child({TIDEGATE_SIM, "--count", "3", "--rate", "0", "--print"}, out).Wait(), 0);
  EXPECT_THAT(Content(out), testing::ContainsRegex("^\\{.*\n\\{.*\n\\{.*\n$"));
}

}  // namespace
}  // namespace tidegate
