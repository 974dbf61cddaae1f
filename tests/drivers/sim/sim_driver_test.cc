#include "drivers/sim/sim_driver.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>

#include "tests/drivers/serial/collecting_inbox.h"
#include "tests/support/manual_loop.h"

namespace tidegate {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class SimDriverTest : public testing::Test {
 protected:
  void Start(double rate, uint64_t count = 0) {
    SimOptions options;
    options.fleet.assets = 10;
    options.rate = rate;
    options.count = count;
    driver_ = std::make_unique<SimDriver>(options, clock_);
    ASSERT_TRUE(driver_->Start(loop_, inbox_).ok());
  }
  size_t received() const { return inbox_.payloads.size(); }

  FakeClock clock_;
  ManualLoop loop_{clock_};
  CollectingInbox inbox_;
  std::unique_ptr<SimDriver> driver_;
};

TEST_F(SimDriverTest, KeepsTheRate) {
  Start(10);
  loop_.Advance(999ms);
  EXPECT_EQ(received(), 10u);
  loop_.Advance(1min);
  EXPECT_EQ(received(), 610u);
  EXPECT_EQ(inbox_.origin, "sim");
  EXPECT_EQ(inbox_.tenant, "");
}

TEST_F(SimDriverTest, KeepsHighAndLowRates) {
  Start(20'000);
  loop_.Advance(1s);
  EXPECT_NEAR(static_cast<double>(received()), 20'000, 101);
  driver_->Stop();
  inbox_.payloads.clear();
  Start(0.1);
  loop_.Advance(99s);
  EXPECT_EQ(received(), 10u);
}

TEST_F(SimDriverTest, EndsAfterTheCount) {
  Start(0, 1'234);
  loop_.Advance(2ms);
  EXPECT_EQ(received(), 1'234u);
  EXPECT_EQ(loop_.armed_timers(), 0u);
  EXPECT_THAT(driver_->status().detail, HasSubstr("1234 heartbeats, finished"));
  const std::set<std::string> distinct(inbox_.payloads.begin(), inbox_.payloads.end());
  EXPECT_EQ(distinct.size(), 1'234u);
}

TEST_F(SimDriverTest, WaitsForRoomAndSkipsNoHeartbeat) {
  Start(10, 100);
  inbox_.places = 5;
  loop_.Advance(10s);
  EXPECT_EQ(received(), 5u);
  EXPECT_EQ(inbox_.refused, 1u);
  EXPECT_THAT(driver_->status().detail, HasSubstr("waiting for room"));
  driver_->Resume();
  EXPECT_EQ(inbox_.refused, 2u);

  inbox_.places = 1'000;
  driver_->Resume();
  // Not the whole ten seconds at once.
  EXPECT_LE(received(), 5u + 11u);
  loop_.Advance(1min);
  ASSERT_EQ(received(), 100u);
  // The one that was refused was offered again, not replaced: the assets' turns show it.
  for (size_t i = 0; i < 100; ++i) {
    EXPECT_THAT(inbox_.payloads[i], HasSubstr(fmt::format("\"truck-{:04}\"", i % 10 + 1)));
  }
}

TEST_F(SimDriverTest, OneTurnIsBounded) {
  Start(0);
  loop_.Advance(0ms);
  EXPECT_EQ(received(), 500u);
  loop_.Advance(1ms);
  EXPECT_EQ(received(), 1'000u);
}

TEST_F(SimDriverTest, StopEndsIt) {
  Start(10);
  loop_.Advance(1s);
  const size_t before = received();
  driver_->Stop();
  driver_->Resume();
  driver_->Settled(before);
  loop_.Advance(1min);
  EXPECT_EQ(received(), before);
  EXPECT_FALSE(driver_->status().connected);
}

}  // namespace
}  // namespace tidegate
