#include "drivers/mqtt/window.h"

#include <gtest/gtest.h>

#include <vector>

namespace tidegate {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr milliseconds kCommitInterval{200};

class WindowTest : public testing::Test {
 protected:
  // A broker that sends `count` messages `answer` after an acknowledgement and then waits; we
  // commit when it waits, if we know, and after the commit interval if not. Returns how long that
  // took.
  nanoseconds Episode(size_t count, nanoseconds answer = milliseconds(1)) {
    const BootTime began = now_;
    now_ += answer;
    window_.Arrived(count, now_);
    if (!window_.Reached()) now_ += kCommitInterval;
    window_.Acknowledged(now_);
    return now_ - began;
  }
  void Episodes(int times, size_t count, nanoseconds answer = milliseconds(1)) {
    for (int i = 0; i < times; ++i) Episode(count, answer);
  }

  // The first acknowledgement answers to nothing; it opens the first episode that counts.
  void Begin(size_t count = 20) {
    window_.Connected();
    Episode(count);
  }

  Window window_{1000};
  BootTime now_ = std::chrono::hours(5);
};

TEST_F(WindowTest, TheCeilingCountsUntilSomethingIsLearned) {
  EXPECT_EQ(window_.size(), 1000u);
  window_.Connected();
  window_.Arrived(999, now_);
  EXPECT_FALSE(window_.Reached());
  window_.Arrived(1, now_);
  EXPECT_TRUE(window_.Reached());
}

TEST_F(WindowTest, LearnsFromThreeEqualEpisodes) {
  Begin();
  Episodes(2, 20);
  EXPECT_FALSE(window_.learned());
  Episode(20);
  EXPECT_TRUE(window_.learned());
  EXPECT_EQ(window_.size(), 20u);
}

TEST_F(WindowTest, ALearnedWindowIsReachedAtOnceAndNotBefore) {
  Begin();
  Episodes(3, 20);
  window_.Arrived(19, now_);
  EXPECT_FALSE(window_.Reached());
  window_.Arrived(1, now_);
  EXPECT_TRUE(window_.Reached());
  window_.Acknowledged(now_);
  EXPECT_FALSE(window_.Reached());
}

TEST_F(WindowTest, LearnsAWindowOfOneByEvidence) {
  Begin(1);
  Episodes(3, 1);
  EXPECT_EQ(window_.size(), 1u);
}

TEST_F(WindowTest, ADistantBrokerIsLearnedToo) {
  Begin();
  Episodes(3, 20, milliseconds(45));
  EXPECT_EQ(window_.size(), 20u);
}

TEST_F(WindowTest, UnequalEpisodesAreNoEvidence) {
  Begin();
  for (size_t count = 5; count < 50; ++count) Episode(count);
  EXPECT_FALSE(window_.learned());
}

TEST_F(WindowTest, ASlowSourceIsNoEvidence) {
  Begin(1);
  Episodes(50, 1, milliseconds(150));
  EXPECT_FALSE(window_.learned());
}

TEST_F(WindowTest, ASteadyStreamIsNoEvidence) {
  window_.Connected();
  for (int i = 0; i < 1000; ++i) {
    now_ += milliseconds(10);
    window_.Arrived(1, now_);
    if (i % 20 == 19) window_.Acknowledged(now_);
    ASSERT_FALSE(window_.Reached());
  }
  EXPECT_FALSE(window_.learned());
}

TEST_F(WindowTest, MoreThanTheWindowForgetsIt) {
  Begin(1);
  Episodes(3, 1);
  ASSERT_EQ(window_.size(), 1u);
  Episode(50);
  EXPECT_FALSE(window_.learned());
  Episodes(3, 50);
  EXPECT_EQ(window_.size(), 50u);
}

TEST_F(WindowTest, ASourceThatBecomesSlowIsForgotten) {
  Begin(5);
  Episodes(3, 5);
  ASSERT_TRUE(window_.learned());
  Episodes(2, 5, milliseconds(100));
  EXPECT_TRUE(window_.learned());
  Episode(5, milliseconds(100));
  EXPECT_FALSE(window_.learned());
}

// A source that sends a message just after each commit looks like a window of one. That costs
// nothing while it lasts, and must not last when it sends more.
TEST_F(WindowTest, AChanceRhythmIsForgottenWhenItChanges) {
  Begin(1);
  Episodes(3, 1, milliseconds(10));
  ASSERT_EQ(window_.size(), 1u);
  Episodes(3, 1, milliseconds(210));
  EXPECT_FALSE(window_.learned());
}

TEST_F(WindowTest, IsProbedNowAndThenAndLessOftenIfItHolds) {
  Begin();
  Episodes(3, 20);
  std::vector<BootTime> probes;
  const BootTime end = now_ + minutes(30);
  while (now_ < end) {
    if (Episode(20) >= kCommitInterval) probes.push_back(now_);
  }
  EXPECT_TRUE(window_.learned());
  ASSERT_GE(probes.size(), 5u);
  EXPECT_LE(probes.size(), 15u);
  EXPECT_GT(probes[2] - probes[1], probes[1] - probes[0]);
}

TEST_F(WindowTest, AProbeThatFindsMoreForgetsTheWindow) {
  Begin();
  Episodes(3, 20);
  now_ += seconds(11);
  Episode(20);  // Slow by the pause; the next one is the probe.
  window_.Arrived(20, now_);
  EXPECT_FALSE(window_.Reached());
  now_ += milliseconds(100);
  window_.Arrived(3, now_);
  now_ += milliseconds(100);
  window_.Acknowledged(now_);
  EXPECT_FALSE(window_.learned());
}

TEST_F(WindowTest, ANewConnectionKeepsWhatWasLearned) {
  Begin();
  Episodes(3, 20);
  window_.Arrived(7, now_);
  window_.Connected();
  EXPECT_EQ(window_.size(), 20u);
  window_.Arrived(19, now_);
  EXPECT_FALSE(window_.Reached());
}

TEST_F(WindowTest, AnEmptyAcknowledgementIsNoEpisode) {
  Begin();
  Episodes(2, 20);
  window_.Acknowledged(now_);
  Episode(20);
  EXPECT_EQ(window_.size(), 20u);
}

}  // namespace
}  // namespace tidegate
