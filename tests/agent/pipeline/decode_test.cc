#include "agent/pipeline/decode.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <vector>

#include "core/time_format.h"

namespace tidegate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Collected final : DecodeSink {
  void OnRecord(Record&& record, const DecodedRecord& decoded) override {
    if (const auto field = decoded.Field(watched)) watched_text.emplace_back(field->number_text());
    records.push_back(std::move(record));
  }
  void OnRefused(std::string_view payload, std::string reason) override {
    refused.emplace_back(payload);
    reasons.push_back(std::move(reason));
  }
  std::string watched = "temperature_c";
  std::vector<Record> records;
  std::vector<std::string> refused, reasons, watched_text;
};

class DecodeTest : public testing::Test {
 protected:
  DecodeTest() {
    context_.default_tenant = "acme";
    context_.arrival = *ParseTime("2026-01-02T03:04:05.678Z");
  }
  Collected Run(std::string_view payload) {
    Collected collected;
    Decode(payload, context_, limits_, collected);
    return collected;
  }
  std::string ValueOf(std::string_view payload) {
    const Collected collected = Run(payload);
    EXPECT_THAT(collected.reasons, testing::IsEmpty());
    return collected.records.size() == 1 ? collected.records[0].value : "(not one record)";
  }
  std::string ReasonOf(std::string_view payload) {
    const Collected collected = Run(payload);
    EXPECT_THAT(collected.records, testing::IsEmpty());
    return collected.reasons.size() == 1 ? collected.reasons[0] : "(not one refusal)";
  }
  DecodeContext context_;
  json::Limits limits_;
};

TEST_F(DecodeTest, TheSeedsHeartbeatKeepsItsShape) {
  EXPECT_EQ(
      ValueOf(R"({
      "tenant_id": "tenant123", "asset_id": "vehicle456", "driver_id": "driver789", "driver_name": "J. D.",
      "timestamp": "2025-06-23T00:37:01.000Z", "location": {"latitude": 40.7128, "longitude": -74.0060},
      "status": "active", "additional_data": {}})"),
      R"({"tenant_id":"tenant123","asset_id":"vehicle456","driver_id":"driver789","driver_name":"J. D.",)"
      R"("timestamp":"2025-06-23T00:37:01.000Z","location":{"latitude":40.7128,"longitude":-74.0060},)"
      R"("status":"active"})");
}

TEST_F(DecodeTest, OneReadingHasOneValueWhateverItsSpelling) {
  const std::string canonical = ValueOf(R"({"asset_id":"d1","timestamp":"2025-06-23T00:37:01Z",
      "location":{"latitude":1.5,"longitude":2},"temperature_c":21.50})");
  EXPECT_EQ(
      ValueOf(R"({"temperature_c":21.50,"lon":2,"lat":1.5,"ts":1750639021,"device_id":"d1"})"),
      canonical);
  EXPECT_EQ(
      ValueOf(
          R"({"ts":1750639021000,"machine_id":"d1","lat":1.5,"lon":2,"additional_data":{"temperature_c":21.50}})"),
      canonical);
}

TEST_F(DecodeTest, UnknownMembersKeepOrderAndDigits) {
  EXPECT_THAT(
      ValueOf(
          R"({"asset_id":"a","ts":1,"z":12345678901234567890.10,"a":{"k":[1,1e400]},"additional_data":{"m":-0.0}})"),
      HasSubstr(R"("additional_data":{"m":-0.0,"z":12345678901234567890.10,"a":{"k":[1,1e400]}})"));
}

TEST_F(DecodeTest, KnownMembersOfAnotherTypeAreKeptAsData) {
  EXPECT_EQ(
      ValueOf(
          R"({"asset_id":"a","ts":0,"status":5,"driver_id":null,"location":"here","lat":99,"lon":1})"),
      R"({"tenant_id":"acme","asset_id":"a","timestamp":"1970-01-01T00:00:00.000Z",)"
      R"("additional_data":{"status":5,"driver_id":null,"location":"here","lat":99,"lon":1}})");
}

TEST_F(DecodeTest, FurtherMembersOfALocationStay) {
  EXPECT_THAT(
      ValueOf(R"({"asset_id":"a","location":{"altitude_m":12,"longitude":2,"latitude":1}})"),
      HasSubstr(R"("location":{"latitude":1,"longitude":2,"altitude_m":12})"));
}

TEST_F(DecodeTest, TheSecondNameOfAKnownMemberIsData) {
  EXPECT_THAT(
      ValueOf(R"({"asset_id":"a","device_id":"b","timestamp":"2025-06-23T00:37:01Z","ts":5})"),
      HasSubstr(R"("additional_data":{"device_id":"b","ts":5})"));
}

TEST_F(DecodeTest, ARecordWithoutATimeGetsTheArrivalMarkedAsSuch) {
  const Collected collected = Run(R"({"asset_id":"a"})");
  ASSERT_EQ(collected.records.size(), 1U);
  EXPECT_EQ(collected.records[0].time_source, TimeSource::kGateway);
  EXPECT_THAT(collected.records[0].value, HasSubstr(R"("timestamp":"2026-01-02T03:04:05.678Z")"));
}

TEST_F(DecodeTest, EventIdsMayBeNumbers) {
  EXPECT_THAT(ValueOf(R"({"asset_id":7,"event_id":123})"),
              HasSubstr(R"({"event_id":"123","tenant_id":"acme","asset_id":"7")"));
}

TEST_F(DecodeTest, AnArrayIsSeveralRecordsAndABadOneGoesAlone) {
  const Collected collected =
      Run(R"([{"asset_id":"a"},{"asset_id": 1e5,"tenant_id":"?"},3,{"asset_id":"b"}])");
  ASSERT_EQ(collected.records.size(), 2U);
  EXPECT_EQ(collected.records[1].asset, "b");
  EXPECT_THAT(collected.refused, ElementsAre(R"({"asset_id":1e5,"tenant_id":"?"})", "3"));
  EXPECT_THAT(collected.reasons, ElementsAre(HasSubstr("element 1: tenant \"?\""),
                                             HasSubstr("element 2: not a JSON object")));
}

TEST_F(DecodeTest, TheTenantComesFromTheTopicThenTheInputThenThePayloadThenTheDefault) {
  const auto tenant = [&](std::string_view payload) { return Run(payload).records.at(0).tenant; };
  EXPECT_EQ(tenant(R"({"asset_id":"a"})"), "acme");
  EXPECT_EQ(tenant(R"({"asset_id":"a","tenant_id":"payload"})"), "payload");
  context_.input_tenant = "input";
  EXPECT_EQ(tenant(R"({"asset_id":"a"})"), "input");
  EXPECT_EQ(tenant(R"({"asset_id":"a","tenant_id":"input"})"), "input");
  EXPECT_EQ(tenant(R"({"asset_id":"a","tenant_id":""})"), "input");
  EXPECT_THAT(ReasonOf(R"({"asset_id":"a","tenant_id":"other"})"),
              HasSubstr("contradicts the input's tenant \"input\""));
  context_.input_tenant = {};
  context_.topic_tenant = "topic";
  EXPECT_EQ(tenant(R"({"asset_id":"a"})"), "topic");
  EXPECT_EQ(tenant(R"({"asset_id":"a","tenant_id":"topic"})"), "topic");
  EXPECT_THAT(ReasonOf(R"({"asset_id":"a","tenant_id":"other"})"),
              HasSubstr("contradicts the topic's tenant \"topic\""));
}

TEST_F(DecodeTest, ATopicThatContradictsItsInputRefusesTheMessageAsAWhole) {
  context_.input_tenant = "acme";
  context_.topic_tenant = "globex";
  EXPECT_THAT(ReasonOf(R"([{"asset_id":"a"},{"asset_id":"b"}])"),
              HasSubstr("the topic's tenant \"globex\" contradicts the input's tenant \"acme\""));
  context_.topic_tenant = "acme";
  EXPECT_EQ(Run(R"([{"asset_id":"a"},{"asset_id":"b"}])").records.size(), 2U);
}

TEST_F(DecodeTest, ABadNameOfATopicRefusesTheMessageAsAWhole) {
  const std::string payload = R"([{"asset_id":"a"},{"asset_id":"b"}])";
  const std::string large(60'000, 'x');
  context_.topic_tenant = large;
  EXPECT_THAT(ReasonOf(payload), HasSubstr("xxx\"... is not 1 to 64"));
  context_.topic_tenant = {};
  context_.topic_asset = large;
  EXPECT_THAT(ReasonOf(payload), HasSubstr("over 128 bytes"));
}

TEST_F(DecodeTest, AReasonShowsTheBeginningOfALongNameInOneLine) {
  const std::string large = "a\\n" + std::string(100'000, 'x');
  context_.topic_asset = "truck-7";
  for (const char* format : {R"({{"tenant_id":"{}"}})", R"({{"asset_id":"{}"}})",
                             R"({{"{0}":1,"additional_data":{{"{0}":2}}}})"}) {
    const std::string reason = ReasonOf(fmt::format(fmt::runtime(format), large));
    EXPECT_LT(reason.size(), 250U) << reason;
    EXPECT_THAT(reason, HasSubstr("a\\nxxx"));
  }
}

TEST_F(DecodeTest, AnAssetThatContradictsItsTopicIsRefusedAndAnAliasIsKept) {
  context_.topic_asset = "truck-7";
  EXPECT_THAT(ReasonOf(R"({"asset_id":"truck-8"})"), HasSubstr("contradicts the topic's asset"));
  EXPECT_THAT(ValueOf(R"({"sensor_id":"front-left","kpa":800})"),
              HasSubstr(R"("additional_data":{"sensor_id":"front-left","kpa":800})"));
}

TEST_F(DecodeTest, TenantsOffTheListAreRefused) {
  const std::vector<std::string> tenants{"acme", "globex"};
  context_.tenants = tenants;
  EXPECT_EQ(Run(R"({"asset_id":"a","tenant_id":"globex"})").records.size(), 1U);
  EXPECT_THAT(ReasonOf(R"({"asset_id":"a","tenant_id":"initech"})"),
              HasSubstr("not on TIDEGATE_TENANTS"));
}

TEST_F(DecodeTest, WhatCannotBeARecordIsRefusedWithItsReason) {
  EXPECT_THAT(ReasonOf(""), HasSubstr("byte 0"));
  EXPECT_THAT(ReasonOf("{}"), HasSubstr("no asset"));
  EXPECT_THAT(ReasonOf("[]"), HasSubstr("empty array"));
  EXPECT_THAT(ReasonOf("3"), HasSubstr("not a JSON object"));
  EXPECT_THAT(ReasonOf(R"({"asset_id":"a","ts":"yesterday"})"),
              HasSubstr("neither an ISO 8601 time"));
  EXPECT_THAT(ReasonOf(R"({"asset_id":"a","x":1,"additional_data":{"x":2}})"),
              HasSubstr("\"x\" is in the record and in"));
  EXPECT_THAT(ReasonOf("{\"asset_id\":\"a\\u0001\"}"), HasSubstr("control characters"));
  context_.default_tenant = {};
  EXPECT_THAT(ReasonOf(R"({"asset_id":"a"})"), HasSubstr("no tenant"));
}

TEST_F(DecodeTest, RulesSeeTheFieldsOfTheValue) {
  Collected collected;
  const auto see = [&](std::string field, std::string_view payload) {
    collected = {};
    collected.watched = std::move(field);
    Decode(payload, context_, limits_, collected);
    return collected.watched_text;
  };
  EXPECT_THAT(see("temperature_c", R"({"asset_id":"a","temperature_c":51.5})"),
              ElementsAre("51.5"));
  EXPECT_THAT(see("temperature_c", R"({"asset_id":"a","additional_data":{"temperature_c":51.5}})"),
              ElementsAre("51.5"));
  EXPECT_THAT(see("location.latitude", R"({"asset_id":"a","lat":1.25,"lon":2})"),
              ElementsAre("1.25"));
  EXPECT_THAT(see("lat", R"({"asset_id":"a","lat":1.25,"lon":2})"), ElementsAre());
}

}  // namespace
}  // namespace tidegate
