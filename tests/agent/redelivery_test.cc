// A gateway that is killed between a commit and its PUBACKs, or cut off there: readings without a
// time and without an id are stored once, and identical new ones are kept. Driver, pipeline and
// store are the real ones, on a real mosquitto.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "agent/pipeline/pipeline.h"
#include "store/sqlite_store.h"
#include "tests/drivers/mqtt/mqtt_fixture.h"
#include "tests/drivers/mqtt/plain_client_handle.h"
#include "tests/support/mosquitto_process.h"
#include "tests/support/store_proxy.h"

namespace tidegate {
namespace {

constexpr char kTopic[] = "f/acme/door-1";
constexpr char kOpen[] = R"({"door":"open"})";

// Kills its process right after a commit, before anyone hears of it.
class DeadlyStore final : public StoreProxy {
 public:
  using StoreProxy::StoreProxy;
  Result<Seq> Append(const AppendRequest& request) override {
    const auto seq = StoreProxy::Append(request);
    if (deadly) ::raise(SIGKILL);
    return seq;
  }
  bool deadly = false;
};

// One life of a gateway's process.
class Life {
 public:
  Life(const std::string& folder, uint16_t port, MqttVersion version) {
    SqliteStore::Options options;
    options.path = folder + "/queue.db";
    options.gateway = "gw";
    auto opened = SqliteStore::Open(std::move(options), clock_, log_, metrics_);
    EXPECT_TRUE(opened.ok());
    sqlite_ = std::move(opened).value();
    store = std::make_unique<DeadlyStore>(*sqlite_);
    Pipeline::Options pipeline;
    pipeline.commit_interval = std::chrono::milliseconds(20);
    pipeline_ = std::make_unique<Pipeline>(*store, loop_, clock_, log_, metrics_,
                                           std::vector<Rule>{}, pipeline);
    pipeline_->Restore();
    const Input input{"local", "", "", RecordClass::kReading};
    MqttOptions mqtt = LocalOptions(port);
    mqtt.version = version;
    driver_ = std::make_unique<MqttDriver>(input, mqtt, clock_, log_, metrics_, notes_);
    EXPECT_TRUE(driver_->Start(loop_, pipeline_->AddInput(input, driver_.get())).ok());
  }
  bool Connected() {
    return loop_.RunUntil([this] { return driver_->status().connected; });
  }
  bool Settled(uint64_t messages) {
    return loop_.RunUntil([&] { return input().settled >= messages; });
  }
  Pipeline::InputStatus input() const { return pipeline_->inputs()[0]; }
  uint64_t stored() const { return sqlite_->Usage().total_records(); }

  std::unique_ptr<DeadlyStore> store;

 private:
  SystemClock clock_;
  Log log_{LogLevel::kError, [](LogLevel, std::string_view) {}};
  Metrics metrics_;
  PollLoop loop_;
  MemoryNotes notes_;
  std::unique_ptr<Store> sqlite_;
  std::unique_ptr<Pipeline> pipeline_;
  std::unique_ptr<MqttDriver> driver_;
};

class RedeliveryTest : public testing::TestWithParam<MqttVersion> {
 protected:
  void SetUp() override {
    if (!MosquittoProcess::Installed()) GTEST_SKIP() << "mosquitto is not installed";
    std::string problem;
    broker_ = MosquittoProcess::Start({}, problem);
    ASSERT_NE(broker_, nullptr) << problem;
    char name[] = "/tmp/tidegate-redelivery-XXXXXX";
    folder_ = ::mkdtemp(name);
    Life first(folder_, broker_->port(), GetParam());
    ASSERT_TRUE(first.Connected());
  }
  ~RedeliveryTest() override {
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }
  void Publish(int count) {
    PlainClient publisher(broker_->port(), "");
    ASSERT_TRUE(publisher.Connect());
    ASSERT_TRUE(publisher.Publish(kTopic, kOpen, count));
    publisher.Disconnect();
  }
  // A life that ends between its first commit and the PUBACKs of it.
  void LiveAndDieInTheCommit() {
    const pid_t child = ::fork();
    if (child == 0) {
      Life life(folder_, broker_->port(), GetParam());
      life.store->deadly = true;
      life.Settled(1);
      ::_exit(1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status));
  }

  std::unique_ptr<MosquittoProcess> broker_;
  std::string folder_;
};

TEST_P(RedeliveryTest, KilledBetweenCommitAndPubackAReadingIsStoredOnce) {
  Publish(5);
  LiveAndDieInTheCommit();
  Life life(folder_, broker_->port(), GetParam());
  const uint64_t before = life.stored();
  ASSERT_GE(before, 1U);
  ASSERT_TRUE(life.Settled(5));
  EXPECT_EQ(life.input().redelivered, before);
  EXPECT_EQ(life.stored(), 5U);
}

TEST_P(RedeliveryTest, AnIdenticalNewReadingIsKept) {
  Publish(3);
  {
    Life life(folder_, broker_->port(), GetParam());
    ASSERT_TRUE(life.Settled(3));
  }
  Publish(2);
  Life life(folder_, broker_->port(), GetParam());
  ASSERT_TRUE(life.Settled(2));
  EXPECT_EQ(life.input().redelivered, 0U);
  EXPECT_EQ(life.stored(), 5U);
}

TEST_P(RedeliveryTest, DyingAgainAndAgainAddsNothing) {
  for (uint64_t death = 1; death <= 4; ++death) {
    Publish(2);
    LiveAndDieInTheCommit();
  }
  Life life(folder_, broker_->port(), GetParam());
  ASSERT_TRUE(life.Settled(8));
  EXPECT_EQ(life.stored(), 8U);
}

INSTANTIATE_TEST_SUITE_P(Versions, RedeliveryTest,
                         testing::Values(MqttVersion::k5, MqttVersion::k311));

}  // namespace
}  // namespace tidegate
