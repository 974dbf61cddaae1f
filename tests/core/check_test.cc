#include "core/check.h"

#include <gtest/gtest.h>

#include "core/result.h"

namespace tidegate {
namespace {

TEST(CheckTest, ATrueConditionGoesOnAndIsEvaluatedOnce) {
  int evaluated = 0;
  CHECK(++evaluated == 1, "counts");
  EXPECT_EQ(evaluated, 1);
}

TEST(CheckDeathTest, AFailedCheckNamesWhatFailedAndWhereAndAborts) {
  const int records = 3;
  EXPECT_EXIT(CHECK(records == 2, "a batch has two records"), testing::KilledBySignal(SIGABRT),
              "check failed: a batch has two records \\(records == 2\\) at "
              "tests/core/check_test.cc:[0-9]+\n");
}

TEST(CheckDeathTest, TheJournalGetsItsPriority) {
  EXPECT_EXIT(
      {
        setenv("JOURNAL_STREAM", "8:1", 1);
        CHECK(false, "never");
      },
      testing::KilledBySignal(SIGABRT), "^<2>check failed: never \\(false\\)");
}

TEST(CheckDeathTest, ALongMessageIsCutAndStillEnds) {
  const std::string message(5000, 'x');
  EXPECT_EXIT(CheckFailed("e", message.c_str(), "f", 1), testing::KilledBySignal(SIGABRT), "xxxx");
}

TEST(CheckDeathTest, ReadingTheSideOfAResultThatIsNotThereAborts) {
  const Result<int> failed = Error{ErrorCode::kInvalid, "no"};
  EXPECT_EXIT((void)failed.value(), testing::KilledBySignal(SIGABRT), "the result has a value");
  const Result<int> good = 1;
  EXPECT_EXIT((void)good.error(), testing::KilledBySignal(SIGABRT), "the result has an error");
  EXPECT_EXIT((void)Status().error(), testing::KilledBySignal(SIGABRT), "the status has an error");
}

}  // namespace
}  // namespace tidegate
