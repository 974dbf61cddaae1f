// How fast the driver drains a session of a real mosquitto when every batch is written and synced
// before it is acknowledged, against a client of the same library that throws the messages away.
// Printed as a ratio of the same run; the tests fail only if it falls far below what is expected.
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

#include "core/unique_fd.h"
#include "tests/drivers/mqtt/mqtt_fixture.h"
#include "tests/drivers/mqtt/plain_client_handle.h"
#include "tests/support/mosquitto_process.h"

namespace tidegate {
namespace {

using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

constexpr size_t kPayloadBytes = 310;
constexpr size_t kCommitRecords = 1000;
constexpr milliseconds kCommitInterval{200};
constexpr char kTopic[] = "f/acme/truck-7";
constexpr char kFilter[] = "f/+/+";

// Commits as the pipeline does: at a full batch, when the source waits for us, or after a while.
class CommittingInbox final : public Inbox {
 public:
  explicit CommittingInbox(Loop& loop)
      : turn_end_(loop.AddTurnEnd([this] { EndTurn(); })),
        timer_(loop.AddTimer([this] { Commit(); })) {
    std::string path = std::filesystem::temp_directory_path() / "tidegate-throughput-XXXXXX";
    fd_ = UniqueFd(::mkstemp(path.data()));
    ::unlink(path.c_str());
  }

  void Attach(Driver& driver) { driver_ = &driver; }

  bool Offer(const Message& message, Ticket ticket) override {
    if (batch_.empty()) timer_->After(kCommitInterval);
    batch_ += message.payload;
    last_ = ticket;
    turn_end_->Schedule();
    return true;
  }

  size_t settled() const { return settled_; }
  size_t commits() const { return commits_; }

 private:
  void EndTurn() {
    if (last_ - settled_ >= kCommitRecords || driver_->Starved()) Commit();
  }
  void Commit() {
    if (batch_.empty()) return;
    timer_->Cancel();
    ASSERT_EQ(::pwrite(fd_.get(), batch_.data(), batch_.size(), 0),
              static_cast<ssize_t>(batch_.size()));
    ASSERT_EQ(::fdatasync(fd_.get()), 0);
    batch_.clear();
    ++commits_;
    settled_ = last_;
    driver_->Settled(last_);
  }

  std::unique_ptr<TurnEnd> turn_end_;
  std::unique_ptr<Timer> timer_;
  UniqueFd fd_;
  Driver* driver_ = nullptr;
  std::string batch_;
  Ticket last_ = 0;
  Ticket settled_ = 0;
  size_t commits_ = 0;
};

class MqttThroughputTest : public MqttDriverFixture {
 protected:
  void SetUp() override {
    if (!MosquittoProcess::Installed()) GTEST_SKIP() << "mosquitto is not installed";
    std::string problem;
    broker_ = MosquittoProcess::Start({}, problem);
    ASSERT_NE(broker_, nullptr) << problem;
  }

  void MakeSession(const std::string& id, int version) {
    PlainClient session(broker_->port(), id, version);
    ASSERT_TRUE(session.Connect() && session.Subscribe(kFilter));
    session.Disconnect();
  }
  void Publish(int count) {
    PlainClient publisher(broker_->port(), "");
    EXPECT_TRUE(publisher.Connect());
    EXPECT_TRUE(publisher.Publish(kTopic, std::string(kPayloadBytes, 'x'), count));
    publisher.Disconnect();
  }

  // Messages a second, by a client that throws them away.
  double Discard(int count, int version, int live = 0) {
    auto began = SteadyClock::now();
    PlainClient client(broker_->port(), "plain", version);
    std::thread load;
    if (live > 0) {
      EXPECT_TRUE(client.Connect());
      load = std::thread([this, live] { Publish(live); });
      began = SteadyClock::now();
    }
    EXPECT_TRUE(client.Receive(count));
    const std::chrono::duration<double> took = SteadyClock::now() - began;
    if (load.joinable()) load.join();
    client.Disconnect();
    return count / took.count();
  }

  double Keep(int count, const MqttOptions& options, int live = 0) {
    auto began = SteadyClock::now();
    CommittingInbox inbox(loop_);
    MqttDriver driver(input_, options, clock_, log_, metrics_, notes_);
    inbox.Attach(driver);
    EXPECT_TRUE(driver.Start(loop_, inbox).ok());
    std::thread load;
    if (live > 0) {
      EXPECT_TRUE(loop_.RunUntil([&driver] { return driver.status().connected; }));
      load = std::thread([this, live] { Publish(live); });
      began = SteadyClock::now();
    }
    EXPECT_TRUE(
        loop_.RunUntil([&inbox, count] { return inbox.settled() >= static_cast<size_t>(count); },
                       std::chrono::seconds(60)));
    const std::chrono::duration<double> took = SteadyClock::now() - began;
    if (load.joinable()) load.join();
    commits_ = inbox.commits();
    detail_ = driver.status().detail;
    return count / took.count();
  }

  void Report(const char* what, double durable, double discarding) const {
    fmt::print("{}: durable {:.0f}/s in {} commits ({}), discarding {:.0f}/s, ratio {:.2f}\n", what,
               durable, commits_, detail_, discarding, durable / discarding);
  }

  std::unique_ptr<MosquittoProcess> broker_;
  size_t commits_ = 0;
  std::string detail_;
};

TEST_F(MqttThroughputTest, OfABacklog) {
  constexpr int kCount = 20'000;
  const MqttOptions options = LocalOptions(broker_->port());
  MakeSession("plain", MQTT_PROTOCOL_V5);
  MakeSession(options.client_id, MQTT_PROTOCOL_V5);
  Publish(kCount);
  const double discarding = Discard(kCount, MQTT_PROTOCOL_V5);
  const double durable = Keep(kCount, options);
  Report("backlog, MQTT 5", durable, discarding);
  EXPECT_GE(durable / discarding, 0.4);
}

class MqttLiveThroughputTest : public MqttThroughputTest,
                               public testing::WithParamInterface<MqttVersion> {};

TEST_P(MqttLiveThroughputTest, OfALiveStream) {
  constexpr int kCount = 10'000;
  MqttOptions options = LocalOptions(broker_->port());
  options.version = GetParam();
  const int version = GetParam() == MqttVersion::k5 ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311;
  MakeSession("plain", version);
  const double discarding = Discard(kCount, version, kCount);
  const double durable = Keep(kCount, options, kCount);
  Report(GetParam() == MqttVersion::k5 ? "live, MQTT 5" : "live, MQTT 3.1.1", durable, discarding);
  EXPECT_GE(durable / discarding, 0.1);
}

INSTANTIATE_TEST_SUITE_P(Versions, MqttLiveThroughputTest,
                         testing::Values(MqttVersion::k5, MqttVersion::k311));

}  // namespace
}  // namespace tidegate
