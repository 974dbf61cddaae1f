#include <gtest/gtest.h>

#include "reader/database/mongo/mongo_landing.h"

namespace tidegate::reader {
namespace {

TEST(MongoLanding, UnacknowledgedWritesAreRefused) {
  auto landing = OpenMongoLanding("mongodb://localhost/?w=0", {});
  ASSERT_FALSE(landing.ok());
  EXPECT_EQ(landing.error().code, ErrorCode::kInvalid);
}

TEST(MongoLanding, WhatTheUriAsksForInVainIsNamed) {
  EXPECT_EQ(WarningsAboutUri("mongodb://localhost/").size(), 0u);
  EXPECT_EQ(WarningsAboutUri("mongodb://localhost/?w=majority&readPreference=primary").size(), 0u);
  EXPECT_EQ(WarningsAboutUri("mongodb://localhost/?w=1").size(), 1u);
  EXPECT_EQ(WarningsAboutUri("mongodb://localhost/?w=1&readPreference=nearest").size(), 2u);
  EXPECT_EQ(WarningsAboutUri("mongodb://fleet:s3cret@/?x=%").size(), 0u);
}

TEST(MongoLanding, AMessageAboutAUriHoldsNoPassword) {
  auto landing = OpenMongoLanding("mongodb://fleet:s3cret@/?w=majority&x=%", {});
  ASSERT_FALSE(landing.ok());
  EXPECT_EQ(landing.error().message.find("s3cret"), std::string::npos);
}

TEST(MongoLanding, AServerThatIsAwayIsUnavailableAndNotInvalid) {
  Log log(LogLevel::kError, [](LogLevel, std::string_view) {});
  auto landing = OpenMongoLanding("mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=50", {});
  ASSERT_TRUE(landing.ok());
  auto store = (*landing)->NewStore(log);
  ASSERT_TRUE(store.ok());
  const Status ping = (*store)->Ping();
  ASSERT_FALSE(ping.ok());
  EXPECT_EQ(ping.error().code, ErrorCode::kUnavailable);
  const auto written = (*store)->Write({});
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().code, ErrorCode::kUnavailable);
}

TEST(MongoLanding, TheDatabaseOfAUriIsItsPath) {
  EXPECT_EQ(DatabaseOfUri("mongodb://admin:password@localhost:27017/sales_db?authSource=admin"),
            "sales_db");
  EXPECT_EQ(DatabaseOfUri("mongodb://localhost"), "");
  EXPECT_EQ(DatabaseOfUri("sqlite:x"), "");
}

}  // namespace
}  // namespace tidegate::reader
