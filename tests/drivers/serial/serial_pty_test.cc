// The driver on both ends of a real line: a pair of pseudo-terminals that socat joins, unplugged
// and plugged in again.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "core/unique_fd.h"
#include "drivers/serial/serial_driver.h"
#include "drivers/serial/termios_stream.h"
#include "tests/drivers/serial/child.h"
#include "tests/drivers/serial/collecting_inbox.h"
#include "tests/drivers/serial/sentences.h"
#include "tests/support/poll_loop.h"

namespace tidegate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class SerialPtyTest : public testing::Test {
 protected:
  void SetUp() override {
    socat_ = FindProgram("socat");
    if (socat_.empty()) GTEST_SKIP() << "socat is not installed";
    std::string pattern = testing::TempDir() + "ptyXXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override {
    Unplug();
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }

  std::string device() const { return folder_ + "/gateway"; }

  void Plug() {
    line_.emplace(std::vector<std::string>{socat_, "PTY,link=" + device() + ",raw,echo=0",
                                           "PTY,link=" + folder_ + "/sensor,raw,echo=0"});
    ASSERT_TRUE(loop_.RunUntil([this] {
      return std::filesystem::exists(device()) && std::filesystem::exists(folder_ + "/sensor");
    }));
    sensor_ = UniqueFd(open((folder_ + "/sensor").c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC));
    ASSERT_TRUE(sensor_.valid());
  }
  void Unplug() {
    sensor_ = UniqueFd();
    if (line_.has_value()) line_->End(SIGTERM);
    line_.reset();
  }
  void Send(const std::string& bytes) {
    ASSERT_EQ(write(sensor_.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }

  void Start(SerialCodec codec) {
    SerialOptions options;
    options.device = device();
    options.codec = codec;
    options.input.name = "line";
    driver_ = std::make_unique<SerialDriver>(
        options, std::make_unique<TermiosStream>(options.device, options.format), clock_, log_,
        metrics_, 1);
    ASSERT_TRUE(driver_->Start(loop_, inbox_).ok());
  }
  bool Connected(bool expected) {
    return loop_.RunUntil([&] { return driver_->status().connected == expected; },
                          std::chrono::seconds(30));
  }
  bool Received(size_t count) {
    return loop_.RunUntil([&] { return inbox_.payloads.size() >= count; });
  }

  std::string socat_;
  std::string folder_;
  PollLoop loop_;
  SystemClock clock_;
  Log log_{LogLevel::kError};
  Metrics metrics_;
  CollectingInbox inbox_;
  std::optional<Child> line_;
  UniqueFd sensor_;
  std::unique_ptr<SerialDriver> driver_;
};

TEST_F(SerialPtyTest, SurvivesBeingUnplugged) {
  Start(SerialCodec::kJsonLines);
  EXPECT_FALSE(driver_->status().connected);
  for (int round = 1; round <= 3; ++round) {
    Plug();
    ASSERT_TRUE(Connected(true)) << driver_->status().detail;
    Send("{\"round\":" + std::to_string(round) + "}\r\n{\"torn\":");
    ASSERT_TRUE(Received(static_cast<size_t>(round)));
    Unplug();
    ASSERT_TRUE(Connected(false));
  }
  EXPECT_THAT(inbox_.payloads, ElementsAre("{\"round\":1}", "{\"round\":2}", "{\"round\":3}"));
}

TEST_F(SerialPtyTest, ReadsAReceiver) {
  Plug();
  Start(SerialCodec::kNmea);
  ASSERT_TRUE(Connected(true));
  Send("garbage" + nmea::WithChecksum("GNRMC,120000.00,A,4807.038,N,01131.000,E,0,,230625,,,A") +
       "\r\n");
  Send(nmea::WithChecksum("GNGGA,120000.00,4807.038,N,01131.000,E,1,08,0.9,545.4,M,,M,,") + "\r\n");
  ASSERT_TRUE(Received(1));
  EXPECT_THAT(inbox_.payloads[0], HasSubstr("2025-06-23T12:00:00.000Z"));
  // Alone, it is given out after a second.
  Send(nmea::WithChecksum("GNGGA,120001.00,4807.038,N,01131.000,E,1,08,0.9,545.4,M,,M,,") + "\r\n");
  EXPECT_TRUE(Received(2));
}

TEST_F(SerialPtyTest, WithoutRoomTheKernelKeepsWhatFollows) {
  Plug();
  Start(SerialCodec::kJsonLines);
  ASSERT_TRUE(Connected(true));
  inbox_.places = 1;
  for (int i = 0; i < 50; ++i) Send("{\"i\":" + std::to_string(i) + "}\n");
  ASSERT_TRUE(loop_.RunUntil([this] { return inbox_.refused > 0; }));
  inbox_.places = 1'000;
  driver_->Resume();
  ASSERT_TRUE(Received(50));
  EXPECT_EQ(inbox_.payloads[49], "{\"i\":49}");
}

}  // namespace
}  // namespace tidegate
