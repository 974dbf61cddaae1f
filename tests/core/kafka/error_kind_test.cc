#include "core/kafka/error_kind.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>

#include <set>

namespace tidegate::kafka {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// Dropping is final, so the list of what may lead to it is repeated here: a change must be meant.
TEST(ErrorKindTest, OnlyTheseRejectARecord) {
  const std::set<int> rejected{RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
                               RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE,
                               RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE,
                               RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP,
                               RD_KAFKA_RESP_ERR_INVALID_RECORD,
                               RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT,
                               RD_KAFKA_RESP_ERR__BAD_MSG};
  const rd_kafka_err_desc* descriptions = nullptr;
  size_t count = 0;
  rd_kafka_get_err_descs(&descriptions, &count);
  ASSERT_GT(count, 100U);
  for (size_t i = 0; i < count; ++i) {
    const int code = descriptions[i].code;
    EXPECT_EQ(KindOf(code) == ErrorKind::kRejected, rejected.contains(code)) << DescribeError(code);
  }
}

TEST(ErrorKindTest, WhatIsNotRetriedHasAReason) {
  for (int code = -200; code < 200; ++code) {
    if (KindOf(code) == ErrorKind::kRetry) continue;
    EXPECT_THAT(ReasonFor(code), Not(IsEmpty())) << code;
  }
}

TEST(ErrorKindTest, AnErrorOfANewerLibraryIsTriedAgain) {
  EXPECT_EQ(KindOf(12345), ErrorKind::kRetry);
  EXPECT_EQ(KindOf(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED), ErrorKind::kRetry);
}

TEST(ErrorKindTest, FatalErrorsNeedANewClient) {
  EXPECT_EQ(KindOf(RD_KAFKA_RESP_ERR__FATAL), ErrorKind::kFatal);
  EXPECT_EQ(KindOf(RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER), ErrorKind::kFatal);
}

TEST(ErrorKindTest, DescriptionHoldsTheNameToSearchFor) {
  EXPECT_THAT(DescribeError(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE),
              HasSubstr("(MSG_SIZE_TOO_LARGE)"));
}

}  // namespace
}  // namespace tidegate::kafka
