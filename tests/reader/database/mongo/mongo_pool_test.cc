#include <gtest/gtest.h>

#include "reader/database/mongo/mongo_store.h"

namespace tidegate::reader {
namespace {

TEST(MongoPool, UnacknowledgedWritesAreRefused) {
  auto pool = MongoPool::Open({.uri = "mongodb://localhost/?w=0"});
  ASSERT_FALSE(pool.ok());
  EXPECT_EQ(pool.error().code, ErrorCode::kInvalid);
}

TEST(MongoPool, AMessageAboutAUriHoldsNoPassword) {
  auto pool = MongoPool::Open({.uri = "mongodb://fleet:s3cret@/?w=majority&x=%"});
  ASSERT_FALSE(pool.ok());
  EXPECT_EQ(pool.error().message.find("s3cret"), std::string::npos);
}

TEST(MongoPool, AServerThatIsAwayIsUnavailableAndNotInvalid) {
  Log log(LogLevel::kError, [](LogLevel, std::string_view) {});
  auto pool = MongoPool::Open({.uri = "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=50"});
  ASSERT_TRUE(pool.ok());
  auto store = (*pool)->NewStore(log);
  ASSERT_TRUE(store.ok());
  const Status ping = (*store)->Ping();
  ASSERT_FALSE(ping.ok());
  EXPECT_EQ(ping.error().code, ErrorCode::kUnavailable);
  const auto written = (*store)->Write({});
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().code, ErrorCode::kUnavailable);
}

TEST(MongoPool, TheDatabaseOfAUriIsItsPath) {
  EXPECT_EQ(DatabaseOfUri("mongodb://admin:password@localhost:27017/sales_db?authSource=admin"),
            "sales_db");
  EXPECT_EQ(DatabaseOfUri("mongodb://localhost"), "");
  EXPECT_EQ(DatabaseOfUri("sqlite:x"), "");
}

}  // namespace
}  // namespace tidegate::reader
