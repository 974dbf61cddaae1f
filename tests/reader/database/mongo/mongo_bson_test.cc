#include "reader/database/mongo/mongo_bson.h"

#include <gtest/gtest.h>

#include "tests/support/reader/reader_documents.h"

namespace tidegate::reader {
namespace {

std::string AsExtendedJson(const Document& document) {
  Bson bson;
  EXPECT_TRUE(AppendDocument(document, bson.get()).ok());
  char* text = bson_as_canonical_extended_json(bson.get(), nullptr);
  std::string copy = text ? text : "";
  bson_free(text);
  return copy;
}

// The members before `tidegate` as canonical extended JSON.
std::string Members(std::string_view value) {
  const std::string text = AsExtendedJson(MakeDocument("id", value));
  return text.substr(0, text.find(", \"tenant_id\""));
}

TEST(MongoBson, AHeartbeatKeepsItsMembersAndGetsIdAndProvenance) {
  const Document document = MakeDocument(
      "acme/truck-1/e1",
      R"({"event_id":"e1","tenant_id":"acme","asset_id":"truck-1","timestamp":"2025-06-23T00:37:01.000Z",)"
      R"("location":{"latitude":40.7128,"longitude":-74.006},"additional_data":{"fuel":7}})");
  EXPECT_EQ(
      AsExtendedJson(document),
      R"({ "_id" : "acme/truck-1/e1", "event_id" : "e1", "tenant_id" : "acme", "asset_id" : "truck-1", )"
      R"("timestamp" : { "$date" : { "$numberLong" : "1750639021000" } }, )"
      R"("location" : { "latitude" : { "$numberDouble" : "40.712800000000001432" }, )"
      R"("longitude" : { "$numberDouble" : "-74.006000000000000227" } }, )"
      R"("additional_data" : { "fuel" : { "$numberInt" : "7" } }, )"
      R"("tidegate" : { "gateway" : "gw-1", "sequence_id" : "gw-1:e1:7", "time" : "source", "clock" : "synced", )"
      R"("topic" : "telematics.raw.telematics_heartbeat", "partition" : { "$numberInt" : "2" }, )"
      R"("offset" : { "$numberLong" : "5000000000" }, )"
      R"("received_at" : { "$date" : { "$numberLong" : "1750639022000" } }, "schema" : { "$numberInt" : "1" } } })");
}

TEST(MongoBson, AForeignDocumentKeepsItsMembersAndGetsTheCanonicalOnesToo) {
  const std::string text = AsExtendedJson(MakeDocument(
      "id", R"({"device_id":"truck-1","ts":"2025-06-23T00:37:01Z","temperature_c":25.5})"));
  EXPECT_NE(
      text.find(
          R"("device_id" : "truck-1", "ts" : { "$date" : { "$numberLong" : "1750639021000" } })"),
      std::string::npos)
      << text;
  EXPECT_NE(text.find(R"("tenant_id" : "acme", "asset_id" : "truck-1", "timestamp" : { "$date")"),
            std::string::npos)
      << text;
}

TEST(MongoBson, TimesOfAlertsAreDatesAndOtherTextStaysText) {
  EXPECT_EQ(
      Members(R"({"raised_at":"2025-06-23T00:37:01.000Z","seen":"2025-06-23T00:37:01.000Z"})"),
      R"({ "_id" : "id", "raised_at" : { "$date" : { "$numberLong" : "1750639021000" } }, )"
      R"("seen" : "2025-06-23T00:37:01.000Z")");
  EXPECT_EQ(Members(R"({"ts":"yesterday"})"), R"({ "_id" : "id", "ts" : "yesterday")");
}

TEST(MongoBson, ASaleHasNoAssetAndTellsWhenItWasTaken) {
  Document sale = MakeDocument("//e1", R"({"sku":"S","price":30.0,"ts":"2024-01-15T10:30:00Z"})");
  sale.asset.clear();
  sale.tenant.clear();
  sale.processed_at = WallTime(std::chrono::milliseconds(1'705'320'600'123));
  const std::string text = AsExtendedJson(sale);
  EXPECT_EQ(text.find("asset_id"), std::string::npos) << text;
  EXPECT_EQ(text.find("tenant_id"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("price" : { "$numberDouble" : "30.0" })"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("processed_at" : { "$numberDouble" : "1705320600.12)"), std::string::npos)
      << text;
}

TEST(MongoBson, WhatTheProducerCallsProcessedIsKept) {
  Document sale = MakeDocument("//e1", R"({"processed_at":"earlier"})");
  sale.processed_at = WallTime();
  const std::string text = AsExtendedJson(sale);
  EXPECT_NE(text.find(R"("processed_at" : "earlier")"), std::string::npos) << text;
  EXPECT_EQ(text.find("$numberDouble"), std::string::npos) << text;
}

TEST(MongoBson, KeysWithDotsAndDollarsAreKept) {
  EXPECT_EQ(
      Members(R"({"a.b":1,"$set":{"$inc":true},"":null})"),
      R"({ "_id" : "id", "a.b" : { "$numberInt" : "1" }, "$set" : { "$inc" : true }, "" : null)");
}

TEST(MongoBson, ArraysKeepTheirOrderPastTenElements) {
  EXPECT_EQ(Members(R"({"a":["0","1","2","3","4","5","6","7","8","9","10"]})"),
            R"({ "_id" : "id", "a" : [ "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10" ])");
}

TEST(MongoBson, ADeepValueIsRefused) {
  const std::string open(70, '[');
  const std::string close(70, ']');
  auto parsed = json::Document::Parse("{\"a\":" + open + close + "}", {.max_depth = 100});
  ASSERT_TRUE(parsed.ok());
  Document document = MakeDocument("id", "{}");
  document.value = std::move(parsed).value();
  Bson bson;
  const Status status = AppendDocument(document, bson.get());
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kRejected);
}

struct NumberCase {
  std::string_view text;
  NumberKind kind;
};

class NumberKinds : public testing::TestWithParam<NumberCase> {};

TEST_P(NumberKinds, LoseNoDigit) {
  EXPECT_EQ(ClassifyNumber(GetParam().text), GetParam().kind) << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(
    Table, NumberKinds,
    testing::Values(
        NumberCase{"0", NumberKind::kInt32}, NumberCase{"-0", NumberKind::kDouble},
        NumberCase{"2147483647", NumberKind::kInt32}, NumberCase{"2147483648", NumberKind::kInt64},
        NumberCase{"-2147483648", NumberKind::kInt32},
        NumberCase{"9223372036854775807", NumberKind::kInt64},
        NumberCase{"9223372036854775808", NumberKind::kDecimal128},
        NumberCase{"100000000000000000000", NumberKind::kDouble},
        NumberCase{"123456789012345678901234567890", NumberKind::kDecimal128},
        NumberCase{"25.5", NumberKind::kDouble},
        NumberCase{"25.500000000000000000000000", NumberKind::kDouble},
        NumberCase{"0.10000000000000001", NumberKind::kDouble},
        NumberCase{"3.14159265358979323846", NumberKind::kDecimal128},
        NumberCase{"1e5", NumberKind::kDouble}, NumberCase{"1E+400", NumberKind::kDecimal128},
        NumberCase{"1e-400", NumberKind::kDecimal128}, NumberCase{"1e7000", NumberKind::kText},
        NumberCase{"1e99999999999", NumberKind::kText},
        NumberCase{"1234567890123456789012345678901234567", NumberKind::kText}));

TEST(MongoBson, NumbersWithMoreDigitsThanADoubleKeepThemAll) {
  EXPECT_EQ(Members(R"({"pi":3.14159265358979323846})"),
            R"({ "_id" : "id", "pi" : { "$numberDecimal" : "3.14159265358979323846" })");
  EXPECT_EQ(Members(R"({"n":1234567890123456789012345678901234567})"),
            R"({ "_id" : "id", "n" : "1234567890123456789012345678901234567")");
}

}  // namespace
}  // namespace tidegate::reader
