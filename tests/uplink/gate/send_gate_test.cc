#include "uplink/gate/send_gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <memory>

#include "core/time_format.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory_store.h"
#include "tests/support/store_proxy.h"

namespace tidegate {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using Period = BudgetLimit::Period;

class CountingStore final : public StoreProxy {
 public:
  using StoreProxy::StoreProxy;
  Status WriteValue(std::string_view name, std::string_view body) override {
    if (!failure.ok()) return failure;
    ++writes;
    return StoreProxy::WriteValue(name, body);
  }
  Result<std::optional<std::string>> ReadValue(std::string_view name) override {
    if (!read_failure.ok()) return read_failure.error();
    return StoreProxy::ReadValue(name);
  }
  int writes = 0;
  Status failure;
  Status read_failure;
};

class SendGateTest : public ::testing::Test {
 protected:
  SendGateTest() {
    setenv("TZ", "UTC0", 1);
    tzset();
    clock_.SetWall(*ParseTime("2026-03-01T12:00:00Z"));
  }
  void Start() {
    link_bytes_ = 0;
    metrics_ = std::make_unique<Metrics>();
    gate_ = std::make_unique<SendGate>(options_, store_, clock_, log_, *metrics_);
  }
  // As much as the gate lets through, at most `bytes`. Returns how much that was.
  uint64_t Send(uint64_t bytes) {
    uint64_t sent = 0;
    while (sent < bytes && gate_->open()) {
      const uint64_t now = std::min(bytes - sent, gate_->room());
      sent += now;
      gate_->Follow(link_bytes_ += now);
    }
    return sent;
  }

  FakeClock clock_;
  MemoryStore memory_;
  CountingStore store_{memory_};
  std::vector<std::string> log_lines_;
  Log log_{LogLevel::kInfo,
           [this](LogLevel, std::string_view line) { log_lines_.emplace_back(line); }};
  std::unique_ptr<Metrics> metrics_;
  SendGate::Options options_;
  std::unique_ptr<SendGate> gate_;
  uint64_t link_bytes_ = 0;
};

TEST_F(SendGateTest, WithoutLimitsItIsOpenAndWritesNothing) {
  Start();
  EXPECT_EQ(Send(1u << 30), 1u << 30);
  EXPECT_EQ(gate_->AskAgainIn(), std::nullopt);
  EXPECT_EQ(store_.writes, 0);
}

TEST_F(SendGateTest, NoMoreThanTheBudgetUntilThePeriodIsOver) {
  options_.budgets = {{4u << 20, Period::kHour}};
  Start();
  EXPECT_EQ(Send(100u << 20), 4u << 20);
  EXPECT_FALSE(gate_->open());
  clock_.Advance(1h);
  gate_->Follow(link_bytes_);
  EXPECT_EQ(Send(100u << 20), 4u << 20);
  EXPECT_LE(store_.writes, 2 * 70);
}

TEST_F(SendGateTest, TheTighterOfTwoBudgetsHolds) {
  options_.budgets = {{4u << 20, Period::kHour}, {6u << 20, Period::kDay}};
  Start();
  EXPECT_EQ(Send(100u << 20), 4u << 20);
  clock_.Advance(1h);
  gate_->Follow(link_bytes_);
  EXPECT_EQ(Send(100u << 20), 2u << 20);
}

// kill -9 after every few bytes: never more than the budget in all, and not much less.
TEST_F(SendGateTest, CrashesGiveNothingBack) {
  options_.budgets = {{8u << 20, Period::kDay}};
  uint64_t sent = 0;
  for (int crash = 0; crash < 10; ++crash) {
    Start();
    sent += Send(300'000);
  }
  Start();
  sent += Send(100u << 20);
  EXPECT_LE(sent, 8u << 20);
  EXPECT_GE(sent, 5u << 20);
}

TEST_F(SendGateTest, AStopKeepsTheExactFigure) {
  options_.budgets = {{8u << 20, Period::kDay}};
  uint64_t sent = 0;
  for (int stop = 0; stop < 10; ++stop) {
    Start();
    sent += Send(300'000);
    gate_->Stop(0);
    EXPECT_FALSE(gate_->open());
    gate_->Follow(link_bytes_);  // Steps of the forwarder while the program comes to its end.
  }
  Start();
  sent += Send(100u << 20);
  EXPECT_EQ(sent, 8u << 20);
}

TEST_F(SendGateTest, ARebootWithAClockFrom1970RefillsNothing) {
  options_.budgets = {{1u << 20, Period::kDay}};
  Start();
  Send(100u << 20);
  clock_.Reboot();
  clock_.SetSynced(false);
  clock_.SetWall(WallTime{});
  Start();
  EXPECT_FALSE(gate_->open());
}

TEST_F(SendGateTest, ABudgetThatCannotBeChargedIsNotUsed) {
  options_.budgets = {{1u << 20, Period::kDay}};
  store_.failure = Error{ErrorCode::kUnavailable, "write value: disk I/O error"};
  Start();
  EXPECT_FALSE(gate_->open());
  EXPECT_THAT(log_lines_, Contains(HasSubstr("disk I/O error")));
  store_.failure = {};
  gate_->Follow(0);
  EXPECT_TRUE(gate_->open());
}

TEST_F(SendGateTest, ABudgetThatCannotBeReadIsNotUsedUntilItCan) {
  options_.budgets = {{4u << 20, Period::kDay}};
  Start();
  Send(3u << 20);
  gate_->Stop(0);
  store_.read_failure = Error{ErrorCode::kUnavailable, "read value: disk I/O error"};
  Start();
  EXPECT_FALSE(gate_->open());
  EXPECT_THAT(log_lines_, Contains(HasSubstr("disk I/O error")));
  gate_->Stop(0);  // Must not write over what it could not read.
  Start();
  gate_->Follow(link_bytes_ += 1000);  // Alerts pass.
  EXPECT_FALSE(gate_->open());
  store_.read_failure = {};
  gate_->Follow(link_bytes_);
  EXPECT_TRUE(gate_->open());
  EXPECT_EQ(Send(100u << 20), (1u << 20) - 1000);
}

TEST_F(SendGateTest, ADamagedBudgetCountsAsUsedUpUntilThePeriodIsOver) {
  options_.budgets = {{1u << 20, Period::kHour}};
  ASSERT_TRUE(memory_.WriteValue("uplink-budget", "not a budget").ok());
  Start();
  EXPECT_FALSE(gate_->open());
  EXPECT_THAT(log_lines_, Contains(HasSubstr("counts as used up")));
  Start();
  EXPECT_FALSE(gate_->open()) << "a restart gives nothing back";
  clock_.Advance(1h);
  gate_->Follow(0);
  EXPECT_EQ(Send(100u << 20), 1u << 20);
}

TEST_F(SendGateTest, WindowsOpenAndCloseByTheLocalClock) {
  setenv("TZ", "<+02>-2", 1);
  tzset();
  options_.windows = {{15h, 16h}};
  Start();  // It is 14:00.
  EXPECT_FALSE(gate_->open());
  EXPECT_EQ(gate_->status().window_changes_in, 1h);
  clock_.Advance(1h);
  gate_->Follow(0);
  EXPECT_TRUE(gate_->open());
  clock_.Advance(1h);
  gate_->Follow(0);
  EXPECT_FALSE(gate_->open());
  ASSERT_TRUE(gate_->AskAgainIn());
  EXPECT_LE(*gate_->AskAgainIn(), 1min);
}

TEST_F(SendGateTest, WithoutASynchronisedClockWindowsAreWaitedForButNotForEver) {
  options_.windows = {{11h, 13h}};
  clock_.SetSynced(false);
  Start();
  EXPECT_FALSE(gate_->open()) << "it says 12:00, but who knows";
  clock_.Advance(options_.unsynced_wait);
  gate_->Follow(0);
  EXPECT_TRUE(gate_->open());
  EXPECT_TRUE(gate_->status().windows_ignored);
  EXPECT_THAT(log_lines_, Contains(HasSubstr("send windows are ignored")));
  clock_.SetSynced(true);
  clock_.Advance(5h);
  gate_->Follow(0);
  EXPECT_FALSE(gate_->open());
  EXPECT_FALSE(gate_->status().windows_ignored);
}

TEST_F(SendGateTest, StatusAndMetricsTellTheFigures) {
  options_.budgets = {{1u << 20, Period::kDay}};
  Start();
  Send(100'000);
  gate_->Stop(0);
  gate_->CountPassed();
  const SendGateStatus status = gate_->status();
  ASSERT_THAT(status.budgets, SizeIs(1));
  EXPECT_EQ(status.budgets[0].used, 100'000U);
  EXPECT_EQ(status.budgets[0].resets_in, 12h);
  EXPECT_EQ(status.passed, 1U);
  const std::string text = metrics_->Text();
  EXPECT_THAT(text, HasSubstr("tidegate_uplink_budget_used_bytes{period=\"day\"} 100000"));
  EXPECT_THAT(text, HasSubstr("tidegate_uplink_budget_limit_bytes{period=\"day\"} 1048576"));
  EXPECT_THAT(text, HasSubstr("tidegate_uplink_open 1"));
  EXPECT_THAT(text, HasSubstr("tidegate_uplink_passed_total 1"));
}

using SendGateDeathTest = SendGateTest;

TEST_F(SendGateDeathTest, TheLinksByteCountNeverFalls) {
  Start();
  gate_->Follow(100);
  EXPECT_DEATH(gate_->Follow(99), "the link's byte count never falls");
}

}  // namespace
}  // namespace tidegate
