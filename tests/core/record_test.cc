#include "core/record.h"

#include <gtest/gtest.h>

#include <string>

namespace tidegate {
namespace {

TEST(RecordClass, NamesReadBack) {
  for (const RecordClass record_class : kRecordClasses) {
    EXPECT_EQ(RecordClassFromName(RecordClassName(record_class)), record_class);
  }
  EXPECT_EQ(RecordClassName(RecordClass::kGap), "gap");
  EXPECT_FALSE(RecordClassFromName("Alert"));
  EXPECT_FALSE(RecordClassFromName(""));
}

TEST(IsTenantName, AllowsWhatDatabasesAndTopicsCanCarry) {
  for (const char* name : {"a", "acme", "Acme-1_2.x", "..a", "7"}) {
    EXPECT_TRUE(IsTenantName(name)) << name;
  }
  EXPECT_TRUE(IsTenantName(std::string(64, 'a')));
  EXPECT_FALSE(IsTenantName(std::string(65, 'a')));
  for (const char* name : {"", ".", "..", "a/b", "a b", "a\n", "\xC3\xA5", "a+", "#", "$x"}) {
    EXPECT_FALSE(IsTenantName(name)) << name;
  }
}

TEST(IsAssetName, AllowsTextWithoutControlCharacters) {
  for (const char* name : {"a", "truck 1/left%", "\xC3\xA5\xE2\x82\xAC", "{}", "."}) {
    EXPECT_TRUE(IsAssetName(name)) << name;
  }
  EXPECT_TRUE(IsAssetName(std::string(128, 'a')));
  EXPECT_FALSE(IsAssetName(std::string(129, 'a')));
  for (const char* name : {"", "a\nb", "\x7f", "\xFF", "a\xC3", "\xED\xA0\x80", "\xC0\xAF"}) {
    EXPECT_FALSE(IsAssetName(name)) << name;
  }
  EXPECT_FALSE(IsAssetName(std::string("a\0b", 3)));
}

TEST(RecordKey, DifferentPairsNeverShareAKey) {
  EXPECT_EQ(RecordKey("acme", "truck-1"), "acme/truck-1");
  EXPECT_EQ(RecordKey("acme", "a/b%2F"), "acme/a%2Fb%252F");
  EXPECT_NE(RecordKey("a", "b/c"), RecordKey("a", "b%2Fc"));
}

}  // namespace
}  // namespace tidegate
