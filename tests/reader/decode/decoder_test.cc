#include "reader/decode/decoder.h"

#include <gtest/gtest.h>

#include <deque>

#include "core/time_format.h"
#include "reader/database/document_json.h"
#include "tests/support/reader/protobuf_bytes.h"

namespace tidegate::reader {
namespace {

constexpr std::string_view kHeartbeat =
    R"({"tenant_id":"acme","asset_id":"truck/1","timestamp":"2025-06-23T00:37:01.000Z","status":"active"})";
const WallTime kNow = *ParseTime("2025-06-23T00:40:00.000Z");
const WallTime kBrokerTime = *ParseTime("2025-06-23T00:39:00.000Z");

using Headers = std::vector<std::pair<std::string, std::string>>;

class DecoderTest : public testing::Test {
 protected:
  std::variant<Document, Refusal> Decode(
      std::string_view value, Headers headers = {},
      std::string topic = "telematics.raw.telematics_heartbeat") {
    const Decoder& decoder = decoders_.emplace_back(options_, StreamTable::Make(streams_).value());
    return decoder.Decode({.partition = {std::move(topic), 3},
                           .offset = 42,
                           .timestamp = kBrokerTime,
                           .key = {},
                           .value = std::string(value),
                           .headers = std::move(headers)},
                          kNow);
  }
  Document Good(std::string_view value, Headers headers = {},
                std::string topic = "telematics.raw.telematics_heartbeat") {
    auto decoded = Decode(value, std::move(headers), std::move(topic));
    if (const auto* refusal = std::get_if<Refusal>(&decoded)) {
      ADD_FAILURE() << refusal->text;
      return {.value = json::Document::Parse("{}").value()};
    }
    return std::get<Document>(std::move(decoded));
  }
  RefusalKind Bad(std::string_view value, Headers headers = {},
                  std::string topic = "telematics.raw.telematics_heartbeat") {
    auto decoded = Decode(value, std::move(headers), std::move(topic));
    EXPECT_TRUE(std::holds_alternative<Refusal>(decoded)) << value;
    return std::holds_alternative<Refusal>(decoded) ? std::get<Refusal>(decoded).kind
                                                    : RefusalKind::kRetries;
  }

  Decoder::Options options_;
  std::vector<Stream> streams_{BuiltInStreams().begin(), BuiltInStreams().end()};
  // Documents point to their streams in them.
  std::deque<Decoder> decoders_;
};

TEST_F(DecoderTest, AHeartbeatGetsItsPlaceIdAndTime) {
  const Document document =
      Good(kHeartbeat, {{"tg-id", "gw:e:7"}, {"tg-gateway", "gw"}, {"tg-time", "source"}});
  EXPECT_EQ(document.ns, (Namespace{"tidegate", "heartbeats"}));
  ASSERT_TRUE(document.stream);
  EXPECT_EQ(document.stream->name, "heartbeat");
  EXPECT_EQ(document.id.substr(0, 28), "acme/truck%2F1/1750639021000");
  EXPECT_EQ(document.tenant, "acme");
  EXPECT_EQ(document.asset, "truck/1");
  EXPECT_EQ(FormatTime(document.time), "2025-06-23T00:37:01.000Z");
  EXPECT_EQ(document.provenance.sequence_id, "gw:e:7");
  EXPECT_EQ(document.provenance.time, TimeOrigin::kSource);
  EXPECT_EQ(document.provenance.offset, 42);
  EXPECT_EQ(document.provenance.received_at, kNow);
}

TEST_F(DecoderTest, TheSameRecordByAnotherGatewayHasTheSameId) {
  EXPECT_EQ(
      Good(kHeartbeat, {{"tg-id", "gw-1:e:7"}, {"tg-time", "source"}}).id,
      Good(kHeartbeat, {{"tg-id", "gw-2:f:9"}, {"tg-time", "source"}, {"tg-replayed", "1"}}).id);
}

TEST_F(DecoderTest, ATimeOfArrivalNamesNoRecord) {
  const Document document =
      Good(kHeartbeat, {{"tg-id", "gw:e:7"}, {"tg-time", "gateway"}, {"tg-clock", "unsynced"}});
  EXPECT_EQ(document.id, "acme/gw:e:7");
  EXPECT_EQ(document.provenance.time, TimeOrigin::kGateway);
  EXPECT_FALSE(document.provenance.clock_synced);
}

// Whoever may write to a topic may write any header. None of them may make the record of another
// tenant look like one that has landed.
TEST_F(DecoderTest, NoForgedHeaderTakesTheIdOfAnotherTenantsRecord) {
  const std::string value = R"({"tenant_id":"globex","asset_id":"x")";
  const Headers arrival{{"tg-time", "gateway"}};
  const std::vector<std::string> bodies{
      value + "}", value + R"(,"event_id":"gw:e:7"})",
      value + R"(,"timestamp":"2025-06-23T00:37:01.000Z"})",
      value + R"(,"rule":"hot","status":"raised","raised_at":7})"};
  for (const std::string& body : bodies) {
    for (const char* id : {"acme/truck-7/evt-1002", "gw:e:7", "acme/gw:e:7", "gw:e:", ":e:7", "",
                           "acme/truck-7/hot/7000/raised"}) {
      for (const Headers& more :
           {Headers{}, arrival, Headers{{"tg-kind", "alert"}}, Headers{{"tg-gateway", "acme/t"}},
            Headers{{"tg-time", "gateway"}, {"tg-restamped", "1"}, {"tg-replayed", "1"}}}) {
        Headers headers{{"tg-id", id}};
        headers.insert(headers.end(), more.begin(), more.end());
        for (const char* topic : {"telematics.raw.telematics_heartbeat", "telemetry.alerts"}) {
          const Document forged = Good(body, headers, topic);
          EXPECT_TRUE(forged.id.starts_with("globex/")) << forged.id;
          EXPECT_EQ(forged.id.find("truck-7"), std::string::npos) << forged.id;
        }
      }
    }
  }
  const Document ignored = Good(bodies[0], {{"tg-id", "acme/truck-7/e"}, {"tg-time", "gateway"}});
  EXPECT_EQ(ignored.provenance.sequence_id, "");
  EXPECT_EQ(ignored.id, "globex/telematics.raw.telematics_heartbeat/3/42");
  // Nor may a tenant that is named like a topic.
  EXPECT_EQ(Good(R"({"asset_id":"3"})", {}, "telemetry.raw").id, "/telemetry.raw/3/42");
}

TEST_F(DecoderTest, WithADatabaseForEachTenantIdsAreTheirOwnAnyway) {
  options_.tenancy = Tenancy::kDatabase;
  EXPECT_EQ(Good(kHeartbeat, {{"tg-id", "gw:e:7"}, {"tg-time", "gateway"}}).id, "gw:e:7");
}

TEST_F(DecoderTest, ATimeFarAfterItsReceiptIsMarked) {
  const Document ahead =
      Good(R"({"tenant_id":"acme","asset_id":"t","timestamp":"2099-01-01T00:00:00.000Z"})");
  EXPECT_EQ(FormatTime(ahead.time), "2099-01-01T00:00:00.000Z");
  EXPECT_EQ(BoundedTime(ahead), kNow + kClockTolerance);
  EXPECT_NE(DocumentJson(ahead).find("\"time_suspect\":true"), std::string::npos);
  const Document good = Good(kHeartbeat);
  EXPECT_EQ(BoundedTime(good), good.time);
  EXPECT_EQ(DocumentJson(good).find("time_suspect"), std::string::npos);
}

TEST_F(DecoderTest, ACorrectedTimeOfArrivalDoesNotChangeTheName) {
  const Document before =
      Good(R"({"tenant_id":"acme","asset_id":"t","timestamp":"1970-01-01T00:00:07.000Z"})",
           {{"tg-id", "gw:e:7"}, {"tg-time", "gateway"}, {"tg-clock", "unsynced"}});
  const Document after = Good(
      R"({"tenant_id":"acme","asset_id":"t","timestamp":"2026-11-24T00:00:07.000Z"})",
      {{"tg-id", "gw:e:7"}, {"tg-time", "gateway"}, {"tg-clock", "synced"}, {"tg-restamped", "1"}});
  EXPECT_EQ(before.id, after.id);
  EXPECT_FALSE(before.provenance.restamped);
  EXPECT_TRUE(after.provenance.restamped);
  EXPECT_EQ(FormatTime(after.time), "2026-11-24T00:00:07.000Z");
}

TEST_F(DecoderTest, AnAlertKeepsItsNameWhenItsTimeIsCorrected) {
  const auto alert = [&](std::string_view timestamp, std::string_view status) {
    return Good(R"({"tenant_id":"acme","asset_id":"t","timestamp":")" + std::string(timestamp) +
                    R"(","rule":"hot","status":")" + std::string(status) +
                    R"(","raised_at":"1970-01-01T00:00:07.000Z"})",
                {{"tg-id", "gw:e:8"}, {"tg-kind", "alert"}}, "telemetry.alerts")
        .id;
  };
  EXPECT_EQ(alert("1970-01-01T00:00:07.000Z", "raised"), "acme/t/hot/7000/raised");
  EXPECT_EQ(alert("2026-11-24T00:00:07.000Z", "raised"), "acme/t/hot/7000/raised");
  EXPECT_EQ(alert("2026-11-24T00:09:07.000Z", "cleared"), "acme/t/hot/7000/cleared");
}

TEST_F(DecoderTest, AnEventIdNamesTheRecord) {
  EXPECT_EQ(
      Good(
          R"({"event_id":"e9","tenant_id":"acme","asset_id":"t","timestamp":"2025-06-23T00:37:01.000Z"})")
          .id,
      "acme/t/e9");
  EXPECT_EQ(Good(R"({"event_id":17,"tenant_id":"acme","asset_id":"t"})").id, "acme/t/17");
}

TEST_F(DecoderTest, AForeignMessageWithoutATimeIsNamedByItsOffset) {
  const Document document = Good(R"({"tenant_id":"acme","asset_id":"t"})");
  EXPECT_EQ(document.id, "acme/telematics.raw.telematics_heartbeat/3/42");
  EXPECT_EQ(document.time, kBrokerTime);
  EXPECT_EQ(document.provenance.time, TimeOrigin::kBroker);
}

TEST_F(DecoderTest, AnAlertIsNamedByItsRuleAndState) {
  const Document document = Good(
      R"({"tenant_id":"acme","asset_id":"t","timestamp":"2025-06-23T00:38:01.000Z","rule":"overheat","status":"cleared",)"
      R"("raised_at":"2025-06-23T00:37:01.000Z"})",
      {{"tg-id", "gw:e:8"}, {"tg-kind", "alert"}}, "telemetry.alerts");
  EXPECT_EQ(document.id, "acme/t/overheat/1750639021000/cleared");
  EXPECT_EQ(document.ns.collection, "alerts");
}

TEST_F(DecoderTest, PlainDevicesSendTheirOwnShape) {
  const Document document = Good(
      R"({"device_id":"dev-1","ts":"2025-06-23T00:37:01Z","temperature_c":25.5,"humidity":60.0})",
      {}, "telemetry.raw");
  EXPECT_EQ(document.asset, "dev-1");
  EXPECT_EQ(document.tenant, "");
  EXPECT_EQ(document.ns.collection, "telemetry_raw");
  EXPECT_EQ(document.id.substr(0, 20), "/dev-1/1750639021000");
}

TEST_F(DecoderTest, NumbersServeAsIdsAndTimes) {
  const Document document = Good(R"({"device_id":17,"ts":1750639021,"tenant_id":"acme"})");
  EXPECT_EQ(document.asset, "17");
  EXPECT_EQ(FormatTime(document.time), "2025-06-23T00:37:01.000Z");
}

TEST_F(DecoderTest, ADefaultTenantServesMessagesThatNameNone) {
  options_.tenant = "acme";
  EXPECT_EQ(Good(R"({"asset_id":"t"})").tenant, "acme");
  EXPECT_EQ(Good(R"({"asset_id":"t","tenant_id":"other"})").tenant, "other");
}

TEST_F(DecoderTest, ATenantThatIsNotAllowedIsRefused) {
  options_.tenants = {"acme"};
  EXPECT_EQ(Good(kHeartbeat).tenant, "acme");
  EXPECT_EQ(Bad(R"({"tenant_id":"evil","asset_id":"t"})"), RefusalKind::kTenant);
  EXPECT_EQ(Bad(R"({"device_id":"t"})", {}, "telemetry.raw"), RefusalKind::kTenant);
}

TEST_F(DecoderTest, APayloadThatContradictsItsTopicIsRefused) {
  streams_ = {{"beat", "fleet.{tenant}.beat", "beats", StreamKind::kHeartbeat}};
  EXPECT_EQ(Good(R"({"asset_id":"t"})", {}, "fleet.acme.beat").tenant, "acme");
  EXPECT_EQ(Good(R"({"asset_id":"t","tenant_id":"acme"})", {}, "fleet.acme.beat").tenant, "acme");
  EXPECT_EQ(Bad(R"({"asset_id":"t","tenant_id":"other"})", {}, "fleet.acme.beat"),
            RefusalKind::kTenant);
  EXPECT_EQ(Bad(R"({"asset_id":"t"})", {}, "fleet...beat"), RefusalKind::kTenant);
}

TEST_F(DecoderTest, EachTenantCanHaveADatabase) {
  options_.tenancy = Tenancy::kDatabase;
  EXPECT_EQ(Good(kHeartbeat).ns.database, "tidegate_acme");
  EXPECT_EQ(Bad(R"({"device_id":"t"})", {}, "telemetry.raw"), RefusalKind::kTenant);
  const std::string long_name(60, 'a');
  const std::string value = R"({"asset_id":"t","tenant_id":")" + long_name + "\"}";
  EXPECT_EQ(Bad(value), RefusalKind::kTenant);
  options_.tenants = {long_name};
  EXPECT_EQ(Good(value).ns.database.size(), kMaxDatabaseBytes);
}

TEST_F(DecoderTest, KnownNamespacesFollowTheTenants) {
  options_.tenancy = Tenancy::kDatabase;
  EXPECT_TRUE(Decoder(options_, StreamTable::Make(streams_).value()).KnownNamespaces().empty());
  options_.tenants = {"acme", "bolt"};
  EXPECT_EQ(Decoder(options_, StreamTable::Make(streams_).value()).KnownNamespaces().size(), 12u);
}

TEST_F(DecoderTest, ANewerSchemaIsNotGuessed) {
  EXPECT_EQ(Bad(kHeartbeat, {{"tg-schema", "2"}}), RefusalKind::kSchema);
  EXPECT_EQ(Bad("{of the future", {{"tg-kind", "new"}, {"tg-schema", "2"}}), RefusalKind::kSchema);
  EXPECT_EQ(Bad(kHeartbeat, {{"tg-schema", "one"}}), RefusalKind::kHeaders);
  Good(kHeartbeat, {{"tg-schema", "1"}, {"traceparent", "00-x"}});
}

TEST_F(DecoderTest, ARefusalIsShortWhateverItQuotes) {
  EXPECT_EQ(Bad(kHeartbeat, {{"tg-schema", std::string(2'000'000, '0') + "2"}}),
            RefusalKind::kHeaders);
  const Refusal refusal(RefusalKind::kDatabase, "x" + std::string(2'000'000, '\xa9'));
  EXPECT_EQ(refusal.text.size(), kMaxRefusalText);
}

TEST_F(DecoderTest, AValueTellsItsSchemaToo) {
  const auto value = [](std::string_view version) {
    return R"({"device_id":"d","schema_version":)" + std::string(version) + "}";
  };
  EXPECT_EQ(Good(value("1"), {}, "telemetry.raw").provenance.schema, 1u);
  EXPECT_EQ(Bad(value("2"), {}, "telemetry.raw"), RefusalKind::kSchema);
  EXPECT_EQ(Bad(value("1.5"), {}, "telemetry.raw"), RefusalKind::kMember);
  EXPECT_EQ(Bad(value("-1"), {}, "telemetry.raw"), RefusalKind::kMember);
  EXPECT_EQ(Bad(value("99999999999"), {}, "telemetry.raw"), RefusalKind::kMember);
  streams_[1].version = 3;
  EXPECT_EQ(Good(value("\"3\""), {}, "telemetry.raw").provenance.schema, 3u);
  EXPECT_EQ(Bad(value("4"), {}, "telemetry.raw"), RefusalKind::kSchema);
}

TEST_F(DecoderTest, AMachinesReadingTellsOfItsFailure) {
  const Document document = Good(
      R"({"machine_id":"press-7","timestamp":"2025-06-23T00:37:01Z","status":"FAILED","vibration":9.5})",
      {}, "machine.sensor.readings");
  EXPECT_EQ(document.ns.collection, "sensor_readings");
  EXPECT_EQ(document.asset, "press-7");
  EXPECT_EQ(document.tenant, "");
  EXPECT_EQ(Bad(R"({"machine_id":"press-7","failure":"maybe"})", {}, "machine.sensor.readings"),
            RefusalKind::kMember);
}

std::string Sale(std::string_view event_id, std::string_view ts = "2024-01-15T10:30:00Z") {
  Proto sale;
  sale.Text(1, "SKU-ABC-123").Varint(2, 5).Double(3, 29.99).Text(4, ts);
  if (!event_id.empty()) sale.Text(5, event_id);
  return sale.bytes();
}

TEST_F(DecoderTest, ASaleIsNamedByItsEventAndHasNoAsset) {
  const Document document = Good(Sale("event-001"), {}, "sales_txn");
  EXPECT_EQ(document.ns, (Namespace{"tidegate", "raw_sales"}));
  EXPECT_EQ(document.id, "//event-001");
  EXPECT_EQ(document.asset, "");
  EXPECT_EQ(FormatTime(document.time), "2024-01-15T10:30:00.000Z");
  EXPECT_EQ(document.processed_at, kNow);
  EXPECT_EQ(document.value.root().Find("price")->number_text(), "29.99");
  EXPECT_EQ(document.value.root().Find("qty")->number_text(), "5");
}

TEST_F(DecoderTest, SalesThatAreAlikeAreTwoUnlessTheirEventIsOne) {
  EXPECT_EQ(Good(Sale(""), {}, "sales_txn").id, "/sales_txn/3/42");
}

TEST_F(DecoderTest, ASaleThatLacksSomethingIsRefused) {
  EXPECT_EQ(Bad("not protobuf", {}, "sales_txn"), RefusalKind::kProtobuf);
  EXPECT_EQ(Bad("", {}, "sales_txn"), RefusalKind::kMember);
  EXPECT_EQ(Bad(Proto().Text(4, "2024-01-15T10:30:00Z").bytes(), {}, "sales_txn"),
            RefusalKind::kMember);
  EXPECT_EQ(Bad(Sale("e", "yesterday"), {}, "sales_txn"), RefusalKind::kMember);
  EXPECT_EQ(Bad(Proto().Text(1, "\xff").Text(4, "2024-01-15T10:30:00Z").bytes(), {}, "sales_txn"),
            RefusalKind::kProtobuf);
}

TEST_F(DecoderTest, SalesCanComeAsJsonToo) {
  streams_.back().format = StreamFormat::kJson;
  EXPECT_EQ(Good(R"({"sku":"S","qty":1,"price":2,"ts":"2024-01-15T10:30:00Z","event_id":"e"})", {},
                 "sales_txn")
                .id,
            "//e");
  EXPECT_EQ(Bad(R"({"sku":"S","qty":null,"price":2,"ts":"2024-01-15T10:30:00Z"})", {}, "sales_txn"),
            RefusalKind::kMember);
}

TEST_F(DecoderTest, WhatAStreamRequiresMayBeInAdditionalData) {
  streams_[1].required = {"level_m"};
  Good(R"({"device_id":"d","level_m":1})", {}, "telemetry.raw");
  Good(R"({"asset_id":"d","additional_data":{"level_m":1}})", {}, "telemetry.raw");
  EXPECT_EQ(Bad(R"({"asset_id":"d","additional_data":{"level_m":""}})", {}, "telemetry.raw"),
            RefusalKind::kMember);
}

TEST_F(DecoderTest, AStreamSaysWhatNamesItsDocuments) {
  streams_[1].id = "reading_no";
  EXPECT_EQ(Good(R"({"device_id":"d","reading_no":7})", {}, "telemetry.raw").id, "/d/7");
  EXPECT_EQ(Bad(R"({"device_id":"d"})", {}, "telemetry.raw"), RefusalKind::kMember);
  EXPECT_EQ(Bad(R"({"device_id":"d","reading_no":""})", {}, "telemetry.raw"), RefusalKind::kMember);
  streams_[1].id = "offset";
  EXPECT_EQ(Good(R"({"device_id":"d","event_id":"e"})", {}, "telemetry.raw").id,
            "/telemetry.raw/3/42");
}

TEST_F(DecoderTest, ANullIsRefused) {
  const Decoder decoder(options_, StreamTable::Make(streams_).value());
  const auto decoded = decoder.Decode({.partition = {"telemetry.raw", 0},
                                       .offset = 1,
                                       .timestamp = {},
                                       .key = {},
                                       .value = std::nullopt,
                                       .headers = {}},
                                      kNow);
  ASSERT_TRUE(std::holds_alternative<Refusal>(decoded));
  EXPECT_EQ(std::get<Refusal>(decoded).kind, RefusalKind::kJson);
}

struct Hostile {
  std::string value;
  RefusalKind kind;
};
class HostileValues : public DecoderTest, public testing::WithParamInterface<Hostile> {};
TEST_P(HostileValues, AreRefusedWithTheirKind) {
  EXPECT_EQ(Bad(GetParam().value), GetParam().kind) << GetParam().value;
}

INSTANTIATE_TEST_SUITE_P(
    Table, HostileValues,
    testing::Values(
        Hostile{"", RefusalKind::kJson}, Hostile{"null", RefusalKind::kJson},
        Hostile{"[1]", RefusalKind::kJson},
        Hostile{R"({"asset_id":"t","tenant_id":"acme")", RefusalKind::kJson},
        Hostile{R"({"asset_id":"t","tenant_id":"acme"}{})", RefusalKind::kJson},
        Hostile{R"({"asset_id":"t","asset_id":"u","tenant_id":"acme"})", RefusalKind::kJson},
        Hostile{"{\"asset_id\":\"\xff\xfe\",\"tenant_id\":\"acme\"}", RefusalKind::kJson},
        Hostile{R"({"asset_id":"a\u0000b","tenant_id":"acme"})", RefusalKind::kJson},
        Hostile{"{\"asset_id\":\"t\",\"x\":" + std::string(500, '[') + std::string(500, ']') + "}",
                RefusalKind::kJson},
        Hostile{"{\"asset_id\":\"" + std::string(2'000'000, 'a') + "\"}", RefusalKind::kJson},
        Hostile{R"({"asset_id":"t","tenant_id":"acme","x":NaN})", RefusalKind::kJson},
        Hostile{R"({"tenant_id":"acme"})", RefusalKind::kMember},
        Hostile{R"({"asset_id":"","tenant_id":"acme"})", RefusalKind::kMember},
        Hostile{R"({"asset_id":null,"tenant_id":"acme"})", RefusalKind::kMember},
        Hostile{R"({"asset_id":1.5,"tenant_id":"acme"})", RefusalKind::kMember},
        Hostile{R"({"asset_id":"t","tenant_id":"acme","timestamp":"soon"})", RefusalKind::kMember},
        Hostile{R"({"asset_id":"t","tenant_id":"acme","timestamp":-5})", RefusalKind::kMember},
        Hostile{R"({"asset_id":"t","tenant_id":"acme","timestamp":{}})", RefusalKind::kMember},
        Hostile{R"({"asset_id":"t","tenant_id":"acme","_id":"mine"})", RefusalKind::kMember},
        Hostile{R"({"asset_id":"t","tenant_id":"acme","tidegate":1})", RefusalKind::kMember},
        Hostile{R"({"asset_id":"t"})", RefusalKind::kTenant},
        Hostile{R"({"asset_id":"t","tenant_id":7})", RefusalKind::kTenant},
        Hostile{R"({"asset_id":"t","tenant_id":""})", RefusalKind::kTenant},
        Hostile{R"({"asset_id":"t","tenant_id":"../admin"})", RefusalKind::kTenant},
        Hostile{R"({"asset_id":"t","tenant_id":"a$b"})", RefusalKind::kTenant}));

}  // namespace
}  // namespace tidegate::reader
