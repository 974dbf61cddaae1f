#include "core/record.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>

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

Record Heartbeat(std::string value) {
  Record record;
  record.time = WallTime(std::chrono::milliseconds(7'000));
  record.value = std::move(value);
  return record;
}
const WallTime kLater = std::chrono::sys_days{std::chrono::year{2026} / 11 / 24};

TEST(Redate, ReplacesTheTimeInTheValueToo) {
  Record record = Heartbeat(
      R"({"tenant_id":"t","asset_id":"a","timestamp":"1970-01-01T00:00:07.000Z","status":"ok"})");
  ASSERT_TRUE(Redate(record, kLater));
  EXPECT_EQ(record.time, kLater);
  EXPECT_EQ(
      record.value,
      R"({"tenant_id":"t","asset_id":"a","timestamp":"2026-11-24T00:00:00.000Z","status":"ok"})");
}

TEST(Redate, IsNotTakenInByTextThatLooksLikeATimestamp) {
  const std::string before =
      R"({"event_id":",\"timestamp\":\"1970-01-01T00:00:07.000Z\"","tenant_id":"t","asset_id":"a\\",)"
      R"("driver_id":"timestamp","driver_name":"\\,",)";
  const std::string after =
      R"(,"additional_data":{"timestamp":"1970-01-01T00:00:07.000Z","x":1,"timestamp":"no"}})";
  Record record = Heartbeat(before + R"("timestamp":"1970-01-01T00:00:07.000Z")" + after);
  ASSERT_TRUE(Redate(record, kLater));
  EXPECT_EQ(record.value, before + R"("timestamp":"2026-11-24T00:00:00.000Z")" + after);
}

TEST(Redate, LeavesAValueAloneThatDoesNotHoldTheTime) {
  for (const char* value :
       {"", "{}", R"({"a":1,"timestamp":"1970-01-01T00:00:08.000Z"})",
        R"({"a":1,"timestamp":"1970-01-01T00:00:07.0)", R"({"a":1,"timestamp":")",
        R"({"a":",\"timestamp\":\"1970-01-01T00:00:07.000Z\""})"}) {
    Record record = Heartbeat(value);
    const Record before = record;
    EXPECT_FALSE(Redate(record, kLater)) << value;
    EXPECT_EQ(record, before) << value;
  }
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

TEST(RecordDeathTest, AClassThatDoesNotExistHasNoName) {
  EXPECT_EXIT((void)RecordClassName(static_cast<RecordClass>(4)), testing::KilledBySignal(SIGABRT),
              "a record is of one of the classes");
}

}  // namespace
}  // namespace tidegate
