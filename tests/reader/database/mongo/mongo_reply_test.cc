#include "reader/database/mongo/mongo_reply.h"

#include <gtest/gtest.h>

#include <string_view>

namespace tidegate::reader {
namespace {

using enum WriteOutcome;

Result<std::vector<WriteResult>> Read(std::string_view reply_json, bool succeeded, size_t count) {
  bson_error_t error{};
  bson_t* reply = bson_new_from_json(reinterpret_cast<const uint8_t*>(reply_json.data()),
                                     static_cast<ssize_t>(reply_json.size()), &error);
  EXPECT_NE(reply, nullptr) << error.message;
  const bson_error_t cause{MONGOC_ERROR_STREAM, 4, "Failed to read 4 bytes"};
  auto results = ReadBulkReply(succeeded, reply, cause, count);
  bson_destroy(reply);
  return results;
}

std::vector<WriteOutcome> Outcomes(std::string_view reply_json, size_t count) {
  auto results = Read(reply_json, false, count);
  EXPECT_TRUE(results.ok()) << (results.ok() ? "" : results.error().message);
  std::vector<WriteOutcome> outcomes;
  if (results.ok()) {
    for (const auto& result : *results) outcomes.push_back(result.outcome);
  }
  return outcomes;
}

TEST(MongoReply, SuccessIsEveryDocumentLanded) {
  auto results = Read(R"({"nInserted":2})", true, 2);
  ASSERT_TRUE(results.ok());
  EXPECT_EQ((*results)[1].outcome, kLanded);
}

TEST(MongoReply, WriteErrorsAreReadByIndexAndNotByTheFirstCode) {
  EXPECT_EQ(Outcomes(R"({"nInserted":1,"writeErrors":[{"index":0,"code":11000,"errmsg":"dup"},)"
                     R"({"index":2,"code":121,"errmsg":"schema"}]})",
                     3),
            (std::vector{kDuplicate, kLanded, kRejected}));
}

TEST(MongoReply, TheCountOfTheInsertedIsNotTrusted) {
  // An old server counts the refused ones too.
  EXPECT_EQ(
      Outcomes(R"({"nInserted":2,"writeErrors":[{"index":1,"code":11000,"errmsg":"dup"}]})", 2),
      (std::vector{kLanded, kDuplicate}));
}

TEST(MongoReply, ADuplicateOfAnotherUniqueKeyIsNoDuplicateOfTheDocument) {
  EXPECT_EQ(
      Outcomes(R"({"writeErrors":[{"index":0,"code":11000,"keyPattern":{"vin":1},"errmsg":"dup"},)"
               R"({"index":1,"code":11000,"keyPattern":{"_id":1},"errmsg":"dup"}]})",
               2),
      (std::vector{kRejected, kDuplicate}));
}

TEST(MongoReply, AnUnknownCodeIsTriedAgain) {
  EXPECT_EQ(
      Outcomes(
          R"({"writeErrors":[{"index":0,"code":112,"errmsg":"conflict"},{"index":1,"code":987654,"errmsg":"?"}]})",
          2),
      (std::vector{kRetry, kRetry}));
}

TEST(MongoReply, AServerWithoutAKeyPatternNamesTheIndexInItsMessage) {
  const auto reply = [](std::string_view message) {
    return R"({"writeErrors":[{"index":0,"code":11000,"errmsg":")" + std::string(message) + "\"}]}";
  };
  EXPECT_EQ(
      Outcomes(reply("E11000 duplicate key error collection: t.h index: _id_ dup key: {}"), 1),
      std::vector{kDuplicate});
  EXPECT_EQ(
      Outcomes(reply("E11000 duplicate key error collection: t.h index: serial_1 dup key"), 1),
      std::vector{kRejected});
  EXPECT_EQ(Outcomes(reply("duplicate key"), 1), std::vector{kDuplicate});
}

TEST(MongoReply, ANetworkFailureLeavesEverythingUnknown) {
  auto results = Read(R"({"nInserted":0,"writeErrors":[]})", false, 2);
  ASSERT_FALSE(results.ok());
  EXPECT_EQ(results.error().code, ErrorCode::kUnavailable);
}

TEST(MongoReply, AFaultOfTheServerIsNoFaultOfTheDocument) {
  for (int code : {13, 10107, 11600, 14031, 189}) {
    auto results = Read(
        R"({"writeErrors":[{"index":0,"code":)" + std::to_string(code) + R"(,"errmsg":"no"}]})",
        false, 1);
    ASSERT_FALSE(results.ok()) << code;
    EXPECT_EQ(results.error().code, ErrorCode::kUnavailable);
  }
}

TEST(MongoReply, AWriteConcernErrorIsNotSuccess) {
  const std::string_view reply =
      R"({"nInserted":1,"writeConcernErrors":[{"code":64,"errmsg":"waiting for replication timed out"}]})";
  EXPECT_FALSE(Read(reply, false, 1).ok());
  EXPECT_FALSE(Read(reply, true, 1).ok());
}

TEST(MongoReply, AnIndexThatIsNotOursMakesTheReplyWorthless) {
  EXPECT_FALSE(Read(R"({"writeErrors":[{"index":5,"code":11000,"errmsg":"dup"}]})", false, 2).ok());
  EXPECT_FALSE(
      Read(R"({"writeErrors":[{"index":-1,"code":11000,"errmsg":"dup"}]})", false, 2).ok());
  EXPECT_FALSE(Read(R"({"writeErrors":[7]})", false, 2).ok());
}

}  // namespace
}  // namespace tidegate::reader
