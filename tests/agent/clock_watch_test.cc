#include "agent/clock_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "tests/support/fake_clock.h"
#include "tests/support/manual_loop.h"
#include "tests/support/memory_store.h"
#include "tests/support/store_proxy.h"

namespace tidegate {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const WallTime kNow = std::chrono::sys_days{std::chrono::year{2026} / 11 / 24};

// Fails to write values while a test says so; another epoch is another store.
class ScriptedStore final : public StoreProxy {
 public:
  explicit ScriptedStore(Store& store) : StoreProxy(store) {}
  Status WriteValue(std::string_view name, std::string_view body) override {
    ++writes;
    return failure.ok() ? StoreProxy::WriteValue(name, body) : failure;
  }
  const std::string& epoch() const override { return epoch_now; }

  Status failure;
  int writes = 0;
  std::string epoch_now = "00000001";
};

// A gateway without a clock of its own: it boots in 1970.
class ClockWatchTest : public testing::Test {
 protected:
  ClockWatchTest() {
    clock_.Reboot({}, 20s);
    clock_.SetWall(WallTime(20s));
    clock_.SetSynced(false);
    Start();
  }
  void Start() {
    watch_.reset();
    watch_ = std::make_unique<ClockWatch>(store_, loop_, clock_, log_, metrics_);
  }
  void Sync(WallTime now) {
    clock_.SetWall(now);
    clock_.SetSynced(true);
  }
  std::optional<WallTime> BootBegan() {
    return watch_->history().WallAt(clock_.BootId(), milliseconds::zero());
  }
  double Metric(const std::string& name) {
    const std::string text = metrics_.Text();
    const size_t at = text.find("\n" + name + " ");
    return at == std::string::npos ? -1 : std::stod(text.substr(at + name.size() + 2));
  }

  FakeClock clock_;
  ManualLoop loop_{clock_};
  std::vector<std::string> lines_;
  Log log_{LogLevel::kInfo, [this](LogLevel, std::string_view line) { lines_.emplace_back(line); }};
  Metrics metrics_;
  MemoryStore memory_;
  ScriptedStore store_{memory_};
  std::unique_ptr<ClockWatch> watch_;
};

TEST_F(ClockWatchTest, LearnsAtTheFirstSynchronisationWhenTheBootBegan) {
  loop_.Advance(40s);
  EXPECT_FALSE(BootBegan());
  EXPECT_EQ(Metric("tidegate_clock_synced"), 0);
  Sync(kNow);
  loop_.Advance(1s);
  EXPECT_EQ(BootBegan(), kNow - 60s);
  EXPECT_EQ(Metric("tidegate_clock_synced"), 1);
}

TEST_F(ClockWatchTest, ACommitNeedNotWaitForTheTimer) {
  Sync(kNow);
  EXPECT_FALSE(BootBegan());
  watch_->Poll();
  EXPECT_EQ(BootBegan(), kNow - 20s);
}

TEST_F(ClockWatchTest, TellsOnceHowFarTheClockWasOff) {
  loop_.Advance(40s);
  Sync(kNow);
  loop_.Advance(1min);
  EXPECT_THAT(lines_, ElementsAre(HasSubstr("synchronised; what it called 1970-01-01T00:01:01.000Z "
                                            "is 2026-11-24T00:00:01.000Z")));
  EXPECT_EQ(watch_->correction(), kNow - WallTime(60s));
  EXPECT_EQ(Metric("tidegate_clock_correction_seconds"), 1795478340);
}

TEST_F(ClockWatchTest, AClockThatIsSetSomeTimeBeforeItIsCalledSynchronisedIsMeasuredFromTheStart) {
  clock_.SetWall(kNow - 3s);
  loop_.Advance(10s);
  EXPECT_FALSE(BootBegan());
  Sync(clock_.Now() + 3s);
  loop_.Advance(1s);
  EXPECT_EQ(watch_->correction(), kNow - WallTime(20s));
  EXPECT_EQ(BootBegan(), kNow - 20s);
}

TEST_F(ClockWatchTest, OneThatWasRightBeforeTheAgentStartedIsLearnedInSilence) {
  Sync(kNow);
  Start();
  EXPECT_EQ(BootBegan(), kNow - 20s);
  EXPECT_EQ(watch_->correction(), std::nullopt);
  EXPECT_THAT(lines_, IsEmpty());
}

TEST_F(ClockWatchTest, WhatIsLearnedOutlivesTheAgentAndTheBoot) {
  Sync(kNow);
  loop_.Advance(1s);
  const std::string first_boot = clock_.BootId();
  clock_.SetSynced(false);
  Start();
  EXPECT_EQ(BootBegan(), kNow - 20s);
  clock_.Reboot();
  Start();
  EXPECT_FALSE(BootBegan());
  EXPECT_EQ(watch_->history().WallAt(first_boot, 0ms), kNow - 20s);
}

TEST_F(ClockWatchTest, OnlyTheFirstSynchronisationOfABootCounts) {
  Sync(kNow);
  loop_.Advance(10s);
  clock_.SetSynced(false);
  clock_.StepWall(-std::chrono::years(10));
  loop_.Advance(10s);
  Sync(kNow + 1h);
  loop_.Advance(10s);
  EXPECT_EQ(BootBegan(), kNow - 20s);
  EXPECT_EQ(watch_->correction(), kNow - WallTime(20s));
  EXPECT_EQ(store_.writes, 1);
}

TEST_F(ClockWatchTest, CountsWhenTheClockIsSetAndSaysSoOnceAMinute) {
  Sync(kNow);
  loop_.Advance(10s);
  lines_.clear();
  loop_.Advance(1min);
  clock_.StepWall(-std::chrono::years(10));
  loop_.Advance(10s);
  clock_.StepWall(1h);
  loop_.Advance(10s);
  clock_.StepWall(100ms);  // As small as a pause between two readings.
  loop_.Advance(10s);
  EXPECT_EQ(Metric("tidegate_clock_steps_total"), 3);
  EXPECT_THAT(
      lines_,
      ElementsAre(HasSubstr("set 1 time(s), the last from 2026-11-24T00:01:11.000Z to 2016-")));
}

TEST_F(ClockWatchTest, TellsWhoeverWantsToKnow) {
  std::vector<bool> back;
  watch_->OnSet([&](bool went_back) { back.push_back(went_back); });
  clock_.SetSynced(true);
  loop_.Advance(10s);
  EXPECT_THAT(back, ElementsAre(false));
  clock_.StepWall(1h);
  loop_.Advance(10s);
  clock_.StepWall(-1h);
  loop_.Advance(10s);
  EXPECT_THAT(back, ElementsAre(false, false, true));
}

TEST_F(ClockWatchTest, WhatCouldNotBeSavedIsSavedLater) {
  store_.failure = Error{ErrorCode::kUnavailable, "disk I/O error"};
  Sync(kNow);
  loop_.Advance(1s);
  EXPECT_EQ(BootBegan(), kNow - 20s);
  EXPECT_THAT(lines_.back(), HasSubstr("synchronised"));
  EXPECT_THAT(lines_, testing::Contains(HasSubstr("not saved after 1 attempt(s): disk I/O error")));
  store_.failure = {};
  loop_.Advance(10s);
  Start();
  EXPECT_EQ(BootBegan(), kNow - 20s);
}

TEST_F(ClockWatchTest, AStoreThatReplacesADamagedOneIsToldAgain) {
  Sync(kNow);
  loop_.Advance(1s);
  store_.epoch_now = "00000002";
  loop_.Advance(10s);
  EXPECT_EQ(store_.writes, 2);
  loop_.Advance(10s);
  EXPECT_EQ(store_.writes, 2);
}

TEST_F(ClockWatchTest, AnUnreadableHistoryBeginsAnew) {
  ASSERT_TRUE(memory_.WriteValue("clock", "what is this").ok());
  Start();
  EXPECT_THAT(lines_, ElementsAre(HasSubstr("clock's history")));
  Sync(kNow);
  loop_.Advance(1s);
  EXPECT_EQ(BootBegan(), kNow - 20s);
}

}  // namespace
}  // namespace tidegate
