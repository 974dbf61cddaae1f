#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/fake_clock.h"
#include "tests/support/manual_loop.h"
#include "tests/support/poll_loop.h"

namespace tidegate {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;

TEST(FakeClock, AdvancingMovesBothClocksAndSteppingOnlyTheWall) {
  FakeClock clock;
  const WallTime wall = clock.Now();
  const BootTime boot = clock.SinceBoot();
  clock.Advance(std::chrono::microseconds(600));
  clock.Advance(std::chrono::microseconds(600));
  EXPECT_EQ(clock.Now() - wall, milliseconds(1));
  EXPECT_EQ(clock.SinceBoot() - boot, std::chrono::microseconds(1200));
  clock.StepWall(-std::chrono::hours(24));
  EXPECT_EQ(clock.Now() - wall, milliseconds(1) - std::chrono::hours(24));
  EXPECT_EQ(clock.SinceBoot() - boot, std::chrono::microseconds(1200));
}

TEST(FakeClock, ARebootChangesTheIdAndStartsTheCountAnew) {
  FakeClock clock;
  const std::string before = clock.BootId();
  clock.Reboot();
  EXPECT_NE(clock.BootId(), before);
  EXPECT_EQ(clock.BootId().size(), 32U);
  EXPECT_EQ(clock.SinceBoot(), seconds(10));
}

class ManualLoopTest : public testing::Test {
 protected:
  // A timer that notes its name and the seconds since the test began.
  std::unique_ptr<Timer> Noting(const std::string& name) {
    return loop_.AddTimer([this, name] {
      notes_.push_back(name + "@" + std::to_string((clock_.SinceBoot() - start_) / seconds(1)));
    });
  }

  FakeClock clock_;
  ManualLoop loop_{clock_};
  BootTime start_ = clock_.SinceBoot();
  std::vector<std::string> notes_;
};

TEST_F(ManualLoopTest, TimersFireInOrderAtTheirOwnTime) {
  const auto late = Noting("late");
  const auto early = Noting("early");
  const auto beyond = Noting("beyond");
  late->After(seconds(5));
  early->After(seconds(2));
  beyond->After(seconds(11));
  loop_.Advance(seconds(10));
  EXPECT_THAT(notes_, ElementsAre("early@2", "late@5"));
  EXPECT_EQ(clock_.SinceBoot() - start_, seconds(10));
  EXPECT_TRUE(beyond->armed());
  EXPECT_EQ(loop_.NextTimer(), seconds(1));
}

TEST_F(ManualLoopTest, ArmingAgainReplacesAndCancelForgets) {
  const auto timer = Noting("timer");
  timer->After(seconds(1));
  timer->After(seconds(3));
  loop_.Advance(seconds(2));
  EXPECT_THAT(notes_, ElementsAre());
  timer->Cancel();
  loop_.Advance(seconds(5));
  EXPECT_THAT(notes_, ElementsAre());
}

TEST_F(ManualLoopTest, ATimerMayRearmAndDestroyItselfInItsCallback) {
  std::unique_ptr<Timer> timer;
  int fired = 0;
  timer = loop_.AddTimer([&] {
    if (++fired == 3) {
      timer.reset();
    } else {
      timer->After(seconds(1));
    }
  });
  timer->After(seconds(1));
  loop_.Advance(seconds(10));
  EXPECT_EQ(fired, 3);
  EXPECT_EQ(loop_.armed_timers(), 0U);
}

TEST_F(ManualLoopTest, TurnEndsRunOnceAndBeforeTimePasses) {
  const auto end = loop_.AddTurnEnd([&] { notes_.push_back("end"); });
  const auto timer = Noting("timer");
  timer->After(seconds(1));
  end->Schedule();
  end->Schedule();
  EXPECT_TRUE(loop_.turn_end_pending());
  loop_.Advance(seconds(1));
  EXPECT_THAT(notes_, ElementsAre("end", "timer@1"));
  loop_.EndTurn();
  EXPECT_THAT(notes_, ElementsAre("end", "timer@1"));
}

TEST_F(ManualLoopTest, ATurnEndScheduledByATurnEndWaitsForTheNextTurn) {
  std::unique_ptr<TurnEnd> end;
  int runs = 0;
  end = loop_.AddTurnEnd([&] {
    ++runs;
    end->Schedule();
  });
  end->Schedule();
  loop_.EndTurn();
  EXPECT_EQ(runs, 1);
  EXPECT_TRUE(loop_.turn_end_pending());
}

TEST_F(ManualLoopTest, AWatchGetsWhatItWantsAndHangUps) {
  std::vector<Ready> seen;
  auto watch = loop_.WatchFd(7, [&](Ready ready) { seen.push_back(ready); });
  EXPECT_TRUE(loop_.FireReadable(7));
  EXPECT_FALSE(loop_.FireWritable(7));
  watch->Want(false, true);
  EXPECT_FALSE(loop_.FireReadable(7));
  EXPECT_TRUE(loop_.WantsWritable(7));
  EXPECT_TRUE(loop_.Fire(7, {.readable = true, .writable = true}));
  EXPECT_FALSE(seen.back().readable);
  EXPECT_TRUE(loop_.Fire(7, {.hung_up = true}));
  EXPECT_EQ(seen.size(), 3U);
  watch.reset();
  EXPECT_FALSE(loop_.Watching(7));
  EXPECT_FALSE(loop_.FireReadable(7));
}

TEST(PollLoop, ServesFdsTimersAndTurnEnds) {
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  PollLoop loop;
  std::string got;
  bool ended = false;
  const auto end = loop.AddTurnEnd([&] { ended = true; });
  const auto watch = loop.WatchFd(pipe[0], [&](Ready ready) {
    ASSERT_TRUE(ready.readable);
    char c = 0;
    ASSERT_EQ(::read(pipe[0], &c, 1), 1);
    got.push_back(c);
    end->Schedule();
  });
  const auto timer = loop.AddTimer([&] { ASSERT_EQ(::write(pipe[1], "x", 1), 1); });
  timer->After(milliseconds(1));
  EXPECT_TRUE(loop.RunUntil([&] { return ended; }));
  EXPECT_EQ(got, "x");
  EXPECT_FALSE(loop.RunUntil([] { return false; }, milliseconds(5)));
  ::close(pipe[0]);
  ::close(pipe[1]);
}

}  // namespace
}  // namespace tidegate
