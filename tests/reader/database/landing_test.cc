#include "reader/database/landing.h"

#include <gtest/gtest.h>

namespace tidegate::reader {
namespace {

TEST(Landing, APasswordIsNeverShown) {
  EXPECT_EQ(WithoutPassword("mongodb://u:p@h/d?w=1"), "mongodb://u:***@h/d?w=1");
  EXPECT_EQ(WithoutPassword("mongodb://u:p@ss:w/ord@h:1,i:2/d"), "mongodb://u:***@h:1,i:2/d");
  EXPECT_EQ(WithoutPassword("mongodb://u@h:27017"), "mongodb://u@h:27017");
  EXPECT_EQ(WithoutPassword("mongodb://h:27017/d"), "mongodb://h:27017/d");
  EXPECT_EQ(WithoutPassword("sqlite:/a:b@c"), "sqlite:/a:b@c");
}

TEST(Landing, OptionsThatMayBeSecretAreNotShown) {
  EXPECT_EQ(WithoutPassword("mongodb://h/?tls=true&tlsCertificateKeyFilePassword=S3cret&w=2"),
            "mongodb://h/?tls=true&tlsCertificateKeyFilePassword=***&w=2");
  EXPECT_EQ(WithoutPassword("mongodb://h/d?authMechanismProperties=AWS_SESSION_TOKEN:S3cret"),
            "mongodb://h/d?authMechanismProperties=***");
  EXPECT_EQ(WithoutPassword("mongodb://h/?replicaSet=rs0;readPreference=secondary"),
            "mongodb://h/?replicaSet=rs0;readPreference=secondary");
}

TEST(Landing, NoMistakeShowsAPassword) {
  for (const char* uri :
       {"mongodb:/u:S3cret@h", "mongodb//u:S3cret@h", "u:S3cret@h", "S3cret", "mongodb://u:S3cret",
        "mongodb://u:S3cret/d", "mongodb://u:x@S3cret@h", "mongodb://u:x?S3cret@h/d",
        "mongodb://u:x/S3cret@h", "mongodb://h/?password=S3cret&appName=a@b", "mongodb://h/?S3cret",
        "mongodb://u:p@h/?a=b&S3cret=x@y", "postgres://u:S3cret@h/d", "mongodb://:S3cret@h",
        "mongodb://h:27017,u:S3cret/d", "mongodb://[::1]:S3cret/d"}) {
    EXPECT_EQ(WithoutPassword(uri).find("S3cret"), std::string::npos) << WithoutPassword(uri);
  }
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
