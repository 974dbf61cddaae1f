// What the tests of the MQTT driver share: an inbox that stands in for the pipeline, and a driver
// on a loop of its own.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "drivers/mqtt/mqtt_driver.h"
#include "tests/support/memory_notes.h"
#include "tests/support/poll_loop.h"

namespace tidegate {

struct TakenMessage {
  std::string payload;
  std::string tenant;
  std::string asset;
  std::string origin;
  std::string refused;
  bool retained = false;
  std::optional<uint16_t> packet_id;
};

class CollectingInbox final : public Inbox {
 public:
  bool Offer(const Message& message, Ticket ticket) override {
    if (room == 0) return false;
    --room;
    EXPECT_EQ(ticket, last + 1);
    last = ticket;
    taken.push_back({std::string(message.payload), std::string(message.tenant),
                     std::string(message.asset), std::string(message.origin),
                     std::string(message.refused), message.retained, message.packet_id});
    return true;
  }

  void OnSession(const Session& session) override { sessions.push_back(session); }
  void OnCaughtUp() override { caught_up.push_back(taken.size()); }

  std::vector<Session> sessions;
  std::vector<size_t> caught_up;  // How many had been taken by then.
  size_t room = 1'000'000;
  Ticket last = 0;
  std::vector<TakenMessage> taken;
};

// TIDEGATE_INPUT_LOCAL=mqtt://127.0.0.1:<port>/f/{tenant}/{asset}, with a short patience.
inline MqttOptions LocalOptions(uint16_t port) {
  MqttOptions options(*TopicTemplate::Parse("f/{tenant}/{asset}"));
  options.host = "127.0.0.1";
  options.port = port;
  options.client_id = DefaultMqttClientId("gw", "local");
  options.connect_timeout = std::chrono::milliseconds(300);
  options.backoff = {.initial = std::chrono::milliseconds(2), .max = std::chrono::milliseconds(20)};
  return options;
}

class MqttDriverFixture : public testing::Test {
 protected:
  void Begin(const MqttOptions& options) {
    driver_ = std::make_unique<MqttDriver>(input_, options, clock_, log_, metrics_, notes_);
    const Status status = driver_->Start(loop_, inbox_);
    ASSERT_TRUE(status.ok()) << status.error().message;
  }
  bool WaitUntilConnected() {
    return loop_.RunUntil([this] { return driver_->status().connected; });
  }
  bool WaitForTaken(size_t count) {
    return loop_.RunUntil([this, count] { return inbox_.taken.size() >= count; });
  }
  // Long enough for everything that is on its way on this machine to arrive and be answered.
  void LetPass(int turns = 20) {
    for (int i = 0; i < turns; ++i) loop_.RunOnce(std::chrono::milliseconds(1));
  }
  std::string MetricsText() const { return metrics_.Text(); }

  Input input_{.name = "local", .tenant = "", .asset = "", .record_class = RecordClass::kHeartbeat};
  SystemClock clock_;
  std::vector<std::string> logged_;
  Log log_{LogLevel::kDebug,
           [this](LogLevel, std::string_view line) { logged_.emplace_back(line); }};
  Metrics metrics_;
  MemoryNotes notes_;
  PollLoop loop_;
  CollectingInbox inbox_;
  std::unique_ptr<MqttDriver> driver_;
};

}  // namespace tidegate
