#include "core/backoff.h"

#include <gtest/gtest.h>

namespace tidegate {
namespace {

using namespace std::chrono_literals;

TEST(Backoff, DoublesUpToTheBoundAndStaysInItsHalf) {
  Backoff backoff({.initial = 100ms, .max = 1000ms}, 7);
  for (const auto bound : {100ms, 200ms, 400ms, 800ms, 1000ms, 1000ms}) {
    const auto wait = backoff.Next();
    EXPECT_GE(wait, bound / 2);
    EXPECT_LE(wait, bound);
  }
  backoff.Reset();
  EXPECT_LE(backoff.Next(), 100ms);
}

TEST(Backoff, DifferentSeedsWaitDifferently) {
  Backoff a({}, 1);
  Backoff b({}, 2);
  int different = 0;
  for (int i = 0; i < 10; ++i) different += a.Next() != b.Next() ? 1 : 0;
  EXPECT_GT(different, 5);
}

TEST(BackoffDeathTest, AWaitWithoutLengthAborts) {
  EXPECT_EXIT(Backoff({.initial = 0ms}, 1), testing::KilledBySignal(SIGABRT),
              "a wait has a length");
}

}  // namespace
}  // namespace tidegate
