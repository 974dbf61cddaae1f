#include "reader/database/landing.h"

#include <gtest/gtest.h>

namespace tidegate::reader {
namespace {

TEST(Landing, APasswordIsNeverShown) {
  EXPECT_EQ(WithoutPassword("mongodb://u:p@h/d?x=1"), "mongodb://u:***@h/d?x=1");
  EXPECT_EQ(WithoutPassword("mongodb://u:p@ss:w/ord@h:1,i:2/d"), "mongodb://u:***@h:1,i:2/d");
  EXPECT_EQ(WithoutPassword("mongodb://u@h:27017"), "mongodb://u@h:27017");
  EXPECT_EQ(WithoutPassword("mongodb://h:27017/d"), "mongodb://h:27017/d");
  EXPECT_EQ(WithoutPassword("sqlite:/a:b@c"), "sqlite:/a:b@c");
}

TEST(Landing, OnlyKnownSchemesOpen) {
  EXPECT_TRUE(OpenLanding("sqlite:x.db").ok());
  EXPECT_TRUE(OpenLanding("mongodb://localhost").ok());
  for (const char* uri : {"", "sqlite:", "x.db", "postgres://h", "mongodb:/h"}) {
    const auto landing = OpenLanding(uri);
    ASSERT_FALSE(landing.ok()) << uri;
    EXPECT_EQ(landing.error().code, ErrorCode::kInvalid);
  }
}

}  // namespace
}  // namespace tidegate::reader
