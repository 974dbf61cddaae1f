#include "agent/endpoint_opener.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "tests/support/fake_clock.h"
#include "tests/support/manual_loop.h"

namespace tidegate {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class EndpointOpenerTest : public testing::Test {
 protected:
  FakeClock clock_;
  ManualLoop loop_{clock_};
  std::vector<std::string> lines_;
  Log log_{LogLevel::kInfo, [this](LogLevel, std::string_view line) { lines_.emplace_back(line); }};
  Metrics metrics_;
  Status outcome_ = Error{ErrorCode::kUnavailable, "listen on 10.0.0.1:9464: no such address"};
  int attempts_ = 0;
  EndpointOpener opener_{"http",
                         "TIDEGATE_HTTP_LISTEN",
                         [this] {
                           ++attempts_;
                           return outcome_;
                         },
                         loop_,
                         clock_,
                         log_,
                         metrics_,
                         1};
};

TEST_F(EndpointOpenerTest, ItTriesAgainUntilTheAddressIsThere) {
  opener_.Open();
  EXPECT_FALSE(opener_.is_open());
  EXPECT_EQ(opener_.waits_for(), "listen on 10.0.0.1:9464: no such address");
  loop_.Advance(10min);
  EXPECT_GE(attempts_, 20);
  outcome_ = {};
  loop_.Advance(30s);
  EXPECT_TRUE(opener_.is_open());
  EXPECT_EQ(opener_.waits_for(), "");
  EXPECT_EQ(lines_.back(), "http: it listens now");
}

TEST_F(EndpointOpenerTest, ItWarnsOnceAMinuteAndSaysWhatToDo) {
  opener_.Open();
  loop_.Advance(59s);
  EXPECT_THAT(lines_,
              ElementsAre(AllOf(HasSubstr("no such address"), HasSubstr("TIDEGATE_HTTP_LISTEN"))));
}

TEST_F(EndpointOpenerTest, WhatIsOpenIsNotOpenedAgain) {
  outcome_ = {};
  opener_.Open();
  opener_.Open();
  EXPECT_EQ(attempts_, 1);
  EXPECT_EQ(loop_.armed_timers(), 0U);
}

TEST_F(EndpointOpenerTest, CancelledItMakesNoFurtherAttempt) {
  opener_.Open();
  opener_.Cancel();
  loop_.Advance(10min);
  EXPECT_EQ(attempts_, 1);
}

}  // namespace
}  // namespace tidegate
