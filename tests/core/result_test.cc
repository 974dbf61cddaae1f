#include "core/result.h"

#include <gtest/gtest.h>

#include <string>

namespace tidegate {
namespace {

TEST(Result, HoldsAValueOrAnError) {
  const Result<std::string> good = std::string("x");
  EXPECT_TRUE(good.ok());
  EXPECT_EQ(*good, "x");
  const Result<std::string> bad = Error{ErrorCode::kFull, "no room"};
  EXPECT_FALSE(bad);
  EXPECT_EQ(bad.error().message, "no room");
  EXPECT_TRUE(Status(good).ok());
  EXPECT_EQ(Status(bad).error().code, ErrorCode::kFull);
}

TEST(Result, OnlyUnavailableAndFullAreWorthAnotherTry) {
  EXPECT_TRUE((Error{ErrorCode::kUnavailable, ""}).retryable());
  EXPECT_TRUE((Error{ErrorCode::kFull, ""}).retryable());
  EXPECT_FALSE((Error{ErrorCode::kInvalid, ""}).retryable());
  EXPECT_FALSE((Error{ErrorCode::kRejected, ""}).retryable());
  EXPECT_FALSE((Error{ErrorCode::kCorrupt, ""}).retryable());
}

}  // namespace
}  // namespace tidegate
