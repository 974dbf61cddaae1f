#include "agent/store_opener.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "tests/support/fake_clock.h"
#include "tests/support/manual_loop.h"

namespace tidegate {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const Error kReadOnly{ErrorCode::kUnavailable, "create /data/lock: Read-only file system"};

class StoreOpenerTest : public testing::Test {
 protected:
  Status Start() {
    return opener_.Start([this](const Status& status) { ends_.push_back(status); });
  }
  // Lets the next attempt happen; returns how long it was waited for.
  std::chrono::nanoseconds NextAttempt() {
    const auto wait = loop_.NextTimer();
    if (!wait) {
      ADD_FAILURE() << "no attempt is due";
      return 0s;
    }
    loop_.Advance(*wait);
    return *wait;
  }

  FakeClock clock_;
  ManualLoop loop_{clock_};
  std::vector<std::string> errors_;
  Log log_{LogLevel::kError,
           [this](LogLevel, std::string_view line) { errors_.emplace_back(line); }};
  Metrics metrics_;
  Status answer_ = kReadOnly;
  int attempts_ = 0;
  std::vector<Status> ends_;
  StoreOpener opener_{"/data",
                      [this] {
                        ++attempts_;
                        return answer_;
                      },
                      loop_,
                      clock_,
                      log_,
                      metrics_,
                      1};
};

TEST_F(StoreOpenerTest, AStoreThatOpensIsThereAtOnce) {
  answer_ = {};
  EXPECT_TRUE(Start().ok());
  EXPECT_EQ(loop_.armed_timers(), 0U);
  EXPECT_THAT(ends_, IsEmpty());
  EXPECT_THAT(errors_, IsEmpty());
  EXPECT_THAT(metrics_.Text(), HasSubstr("\ntidegate_store_open 1\n"));
}

TEST_F(StoreOpenerTest, OneThatCannotBeOpenedForNowIsTriedUntilItOpens) {
  EXPECT_EQ(Start().error().code, ErrorCode::kUnavailable);
  NextAttempt();
  EXPECT_EQ(opener_.last().error().message, kReadOnly.message);
  EXPECT_THAT(metrics_.Text(), HasSubstr("\ntidegate_store_open 0\n"));
  EXPECT_THAT(metrics_.Text(), HasSubstr("\ntidegate_store_open_failures_total 2\n"));
  EXPECT_THAT(ends_, IsEmpty());
  answer_ = {};
  NextAttempt();
  ASSERT_THAT(ends_, SizeIs(1));
  EXPECT_TRUE(ends_[0].ok());
  EXPECT_TRUE(opener_.last().ok());
  EXPECT_EQ(loop_.armed_timers(), 0U);
  EXPECT_THAT(metrics_.Text(), HasSubstr("\ntidegate_store_open 1\n"));
}

TEST_F(StoreOpenerTest, TheFirstWaitIsASecondAtMostAndNoneIsLongerThanThirty) {
  (void)Start();
  EXPECT_LE(NextAttempt(), 1s);
  for (int i = 0; i < 20; ++i) EXPECT_LE(NextAttempt(), 30s);
  EXPECT_GE(NextAttempt(), 15s);
}

TEST_F(StoreOpenerTest, TheLogNamesThePlaceOnceAMinute) {
  (void)Start();
  EXPECT_THAT(errors_, ElementsAre(testing::AllOf(HasSubstr(kReadOnly.message),
                                                  HasSubstr("Is /data mounted, writable"))));
  const BootTime start = clock_.SinceBoot();
  while (clock_.SinceBoot() - start < 10min) NextAttempt();
  EXPECT_GE(attempts_, 20);
  EXPECT_GE(errors_.size(), 7U);
  EXPECT_LE(errors_.size(), 11U);
}

TEST_F(StoreOpenerTest, WhatWaitingDoesNotHelpIsFinalAtTheFirstAttempt) {
  answer_ = Error{ErrorCode::kInvalid, "a later version wrote it"};
  EXPECT_EQ(Start().error().code, ErrorCode::kInvalid);
  EXPECT_EQ(loop_.armed_timers(), 0U);
  EXPECT_THAT(ends_, IsEmpty());
}

TEST_F(StoreOpenerTest, WhatWaitingDoesNotHelpEndsTheWait) {
  (void)Start();
  answer_ = Error{ErrorCode::kRejected, "another agent uses this store"};
  NextAttempt();
  ASSERT_THAT(ends_, SizeIs(1));
  EXPECT_EQ(ends_[0].error().code, ErrorCode::kRejected);
  EXPECT_EQ(loop_.armed_timers(), 0U);
}

TEST_F(StoreOpenerTest, OnceCancelledItTriesNoMore) {
  (void)Start();
  opener_.Cancel();
  loop_.Advance(10min);
  EXPECT_EQ(attempts_, 1);
}

}  // namespace
}  // namespace tidegate
