#include "core/kafka/client_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <syslog.h>

#include "tests/support/fake_clock.h"

namespace tidegate::kafka {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class ClientLogTest : public ::testing::Test {
 protected:
  FakeClock clock_;
  std::vector<std::string> lines_;
  LogLevel last_level_ = LogLevel::kDebug;
  Log log_{LogLevel::kInfo, [this](LogLevel level, std::string_view line) {
             last_level_ = level;
             lines_.emplace_back(line);
           }};
  ClientLog client_log_{log_, clock_, "uplink"};
};

TEST_F(ClientLogTest, ARepeatedFailureIsOneLineAMinute) {
  for (int i = 0; i < 10; ++i) client_log_.OnLine(LOG_ERR, "FAIL", "connection refused");
  EXPECT_THAT(lines_, ElementsAre("uplink: FAIL: connection refused"));
  clock_.Advance(std::chrono::seconds(61));
  client_log_.OnLine(LOG_ERR, "FAIL", "connection refused");
  EXPECT_THAT(lines_.back(), HasSubstr("(10 times)"));
}

TEST_F(ClientLogTest, AnotherEventIsNotHeldBack) {
  client_log_.OnLine(LOG_ERR, "FAIL", "a");
  client_log_.OnLine(LOG_ERR, "SASL", "b");
  EXPECT_THAT(lines_, SizeIs(2));
}

TEST_F(ClientLogTest, BeingOfflineIsAWarning) {
  client_log_.OnLine(LOG_ERR, "FAIL", "a");
  EXPECT_EQ(last_level_, LogLevel::kWarning);
  client_log_.OnLine(LOG_EMERG, "FATAL", "a");
  EXPECT_EQ(last_level_, LogLevel::kError);
}

TEST_F(ClientLogTest, DebugLinesAreNotWanted) {
  client_log_.OnLine(LOG_DEBUG, "SEND", "a");
  EXPECT_THAT(lines_, SizeIs(0));
}

}  // namespace
}  // namespace tidegate::kafka
