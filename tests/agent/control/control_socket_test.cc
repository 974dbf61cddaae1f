#include "agent/control/control_socket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include "agent/control/record_line.h"
#include "agent/control/status.h"
#include "tests/support/poll_loop.h"

namespace tidegate {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class ControlSocketTest : public testing::Test {
 protected:
  ControlSocketTest() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "tidegate-control-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    path_ = folder_ + "/control.sock";
  }
  ~ControlSocketTest() override { std::filesystem::remove_all(folder_); }

  void Listen() {
    auto listening =
        ControlSocket::Listen(path_, loop_, clock_, log_, [] { return std::string(R"({"x":1})"); });
    ASSERT_TRUE(listening.ok()) << listening.error().message;
    socket_ = std::move(listening).value();
  }
  // The client blocks, so it asks from a thread of its own while this one runs the loop.
  std::vector<std::string> Ask(const std::string& request, size_t lines,
                               const std::function<void()>& meanwhile = {}) {
    std::vector<std::string> answer;
    auto asking = std::async(std::launch::async, [&] {
      return AskControlSocket(path_, request,
                              [&](std::string_view line) {
                                answer.emplace_back(line);
                                return answer.size() < lines;
                              })
          .ok();
    });
    const auto done = [&] {
      if (meanwhile) meanwhile();
      return asking.wait_for(0s) == std::future_status::ready;
    };
    EXPECT_TRUE(loop_.RunUntil(done, 10s));
    EXPECT_TRUE(asking.get());
    return answer;
  }
  SystemClock clock_;
  PollLoop loop_;
  Log log_{LogLevel::kError, [](LogLevel, std::string_view) {}};
  std::string folder_, path_;
  std::unique_ptr<ControlSocket> socket_;
};

TEST_F(ControlSocketTest, StatusIsOneLine) {
  Listen();
  EXPECT_THAT(Ask("status", 9), testing::ElementsAre(R"({"x":1})"));
}

TEST_F(ControlSocketTest, AnUnknownRequestIsAnsweredWithWhatIsKnown) {
  Listen();
  EXPECT_THAT(
      Ask("reboot", 9),
      testing::ElementsAre(
          R"({"error":"unknown request; known are: status, tail, tail alert|gap|heartbeat|reading"})"));
}

TEST_F(ControlSocketTest, FollowersGetTheKindTheyAskedFor) {
  Listen();
  const auto publish = [&] {
    if (!socket_->HasFollowers()) return;
    socket_->Publish(RecordClass::kHeartbeat, "a heartbeat");
    socket_->Publish(RecordClass::kAlert, "an alert");
  };
  EXPECT_THAT(Ask("tail alert", 1, publish), testing::ElementsAre("an alert"));
}

TEST_F(ControlSocketTest, TheSocketIsForOwnerAndGroup) {
  Listen();
  const auto mode = std::filesystem::status(path_).permissions() & std::filesystem::perms::mask;
  EXPECT_EQ(static_cast<unsigned>(mode), 0660U);
}

TEST_F(ControlSocketTest, ASecondAgentIsRefusedAndALeftoverIsNot) {
  Listen();
  auto second = ControlSocket::Listen(path_, loop_, clock_, log_, [] { return std::string(); });
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(second.error().message, HasSubstr("another agent"));
  socket_.reset();
  EXPECT_FALSE(std::filesystem::exists(path_));
  Listen();
}

using ControlSocketDeathTest = ControlSocketTest;

TEST_F(ControlSocketDeathTest, ARecordOfTwoLinesAborts) {
  Listen();
  EXPECT_DEATH(socket_->Publish(RecordClass::kAlert, "one\ntwo"), "a record is one line");
}

TEST(RecordLineTest, TheValueIsCopiedByteForByte) {
  Record record;
  record.record_class = RecordClass::kAlert;
  record.value =
      R"({"timestamp":"2026-03-01","tenant_id":"t","asset_id":"a","n":1.50,"m":12345678901234567890})";
  const std::string line = RecordJsonLine("gw:e:7", record);
  EXPECT_EQ(line, R"({"id":"gw:e:7","kind":"alert","value":)" + record.value + "}");
  EXPECT_EQ(RecordTextLine(line), "2026-03-01 alert     t/a " + record.value);
  EXPECT_EQ(RecordTextLine("no JSON"), "no JSON");
}

TEST(StatusTest, TextOfAnotherVersionReadsAsFarAsItIsKnown) {
  const auto text =
      StatusText(R"({"inputs":[1,{"detail":"x"}],"store":{"batches":-1,"bytes":1e300}})");
  ASSERT_TRUE(text.ok());
  EXPECT_THAT(*text, HasSubstr("0 records in 0 batches, 0.0 of 0.0 MiB, oldest -"));
  EXPECT_EQ(StatusText("{").error().code, ErrorCode::kRejected);
}

TEST(StatusTest, TextIsMadeFromTheJson) {
  StatusReport report;
  report.gateway_id = "gw-1";
  report.version = "1.2.3";
  report.uptime = 125s;
  report.store.records = {1, 0, 20, 3};
  report.store.max_bytes = 1 << 20;
  report.inputs.push_back({.name = "local",
                           .connected = true,
                           .detail = "connected",
                           .received = 7,
                           .settled = 6,
                           .refused = 1,
                           .redelivered = 3});
  report.uplink = {.configured = true,
                   .connected = false,
                   .detail = "away",
                   .in_flight = 0,
                   .acked = 5,
                   .rejected = 0,
                   .retried = 0};
  const auto text = StatusText(StatusJson(report));
  ASSERT_TRUE(text.ok());
  EXPECT_THAT(*text, HasSubstr("gw-1 (tidegate-agent 1.2.3, up 2m, clock NOT synchronised)"));
  EXPECT_THAT(*text, HasSubstr("24 records"));
  EXPECT_THAT(*text,
              HasSubstr("local: connected; 7 received, 6 durable, 1 refused, 3 redelivered"));
  EXPECT_THAT(StatusJson(report), HasSubstr(R"("clock_correction_seconds":null)"));
  EXPECT_EQ(StatusLine(report), "24 records behind; inputs 1/1 connected; uplink away");
}

TEST(StatusTest, ShowsHowFarTheClockWasOff) {
  StatusReport report;
  report.clock_synced = true;
  report.clock_correction = std::chrono::years(56) + 500ms;
  EXPECT_THAT(StatusJson(report), HasSubstr(R"("clock_correction_seconds":1767189312.5)"));
  EXPECT_THAT(*StatusText(StatusJson(report)), HasSubstr("clock synchronised, was 20453d behind)"));
  report.clock_correction = -90'000ms;
  EXPECT_THAT(*StatusText(StatusJson(report)), HasSubstr("clock synchronised, was 90s ahead)"));
}

TEST_F(ControlSocketTest, AFileThatIsNoSocketStays) {
  std::ofstream(path_) << "precious";
  const auto listening =
      ControlSocket::Listen(path_, loop_, clock_, log_, [] { return std::string(); });
  ASSERT_FALSE(listening.ok());
  EXPECT_THAT(listening.error().message, HasSubstr(path_));
  std::ifstream file(path_);
  std::string text;
  file >> text;
  EXPECT_EQ(text, "precious");
}

TEST_F(ControlSocketTest, AnAgentThatDoesNotAnswerIsNotWaitedForLonger) {
  Listen();  // The loop is not run, so nobody answers.
  const Status asked = AskControlSocket(
      path_, "status", [](std::string_view) { return true; }, 50ms);
  ASSERT_FALSE(asked.ok());
  EXPECT_THAT(asked.error().message, HasSubstr("no answer in time"));
}

}  // namespace
}  // namespace tidegate
