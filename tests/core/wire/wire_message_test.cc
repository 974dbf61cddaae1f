#include "core/wire/wire_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidegate {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::SizeIs;

const Origin kOrigin{"gw-7", "1f2e3d4c"};

Record Heartbeat() {
  Record record;
  record.record_class = RecordClass::kHeartbeat;
  record.time_source = TimeSource::kSource;
  record.clock_synced = true;
  record.time = WallTime(milliseconds(1750639021000));
  record.tenant = "acme";
  record.asset = "truck/1";
  record.value = R"({"tenant_id":"acme"})";
  return record;
}

TEST(EncodeMessageTest, CarriesTheRecordByteForByte) {
  const WireMessage message = EncodeMessage(Heartbeat(), 42, kOrigin, Topics(), false);
  EXPECT_EQ(message.topic, "telematics.raw.telematics_heartbeat");
  EXPECT_EQ(message.key, "acme/truck%2F1");
  EXPECT_EQ(message.value, R"({"tenant_id":"acme"})");
  EXPECT_EQ(message.timestamp, WallTime(milliseconds(1750639021000)));
  EXPECT_THAT(message.headers,
              ElementsAre(Pair("tg-id", "gw-7:1f2e3d4c:42"), Pair("tg-kind", "heartbeat"),
                          Pair("tg-schema", "1"), Pair("tg-gateway", "gw-7"),
                          Pair("tg-time", "source"), Pair("tg-clock", "synced")));
}

TEST(EncodeMessageTest, ReplayedRecordsSaySo) {
  const WireMessage message = EncodeMessage(Heartbeat(), 42, kOrigin, Topics(), true);
  EXPECT_THAT(message.headers.back(), Pair("tg-replayed", "1"));
}

TEST(EncodeMessageTest, UnsyncedArrivalTimeIsNoTimestamp) {
  Record record = Heartbeat();
  record.time_source = TimeSource::kGateway;
  record.clock_synced = false;
  const WireMessage message = EncodeMessage(record, 1, kOrigin, Topics(), false);
  EXPECT_EQ(message.timestamp, std::nullopt);
  EXPECT_THAT(message.headers[4], Pair("tg-time", "gateway"));
  EXPECT_THAT(message.headers[5], Pair("tg-clock", "unsynced"));
}

TEST(EncodeMessageTest, SourceTimeIsATimestampAlsoWhenTheGatewayIsUnsynced) {
  Record record = Heartbeat();
  record.clock_synced = false;
  EXPECT_EQ(EncodeMessage(record, 1, kOrigin, Topics(), false).timestamp, record.time);
}

TEST(EncodeMessageTest, TimeBefore1970IsNoTimestamp) {
  Record record = Heartbeat();
  record.time = WallTime(milliseconds(-1));
  EXPECT_EQ(EncodeMessage(record, 1, kOrigin, Topics(), false).timestamp, std::nullopt);
}

TEST(DropSuspectTimestampTest, ATimeFarAheadIsNoTimestampAndSaysSo) {
  WireMessage message = EncodeMessage(Heartbeat(), 1, kOrigin, Topics(), false);
  const WallTime credible = *message.timestamp - kMaxTimeAhead;
  EXPECT_FALSE(DropSuspectTimestamp(message, credible, true));
  EXPECT_EQ(message.timestamp, Heartbeat().time);
  EXPECT_THAT(message.headers, SizeIs(6));
  EXPECT_TRUE(DropSuspectTimestamp(message, credible - milliseconds(1), true));
  EXPECT_EQ(message.timestamp, std::nullopt);
  EXPECT_THAT(message.headers.back(), Pair("tg-time-suspect", "1"));
  EXPECT_EQ(message.value, Heartbeat().value);
}

TEST(DropSuspectTimestampTest, AnUnsynchronisedClockCallsNoTimeSuspect) {
  WireMessage message = EncodeMessage(Heartbeat(), 1, kOrigin, Topics(), false);
  EXPECT_TRUE(DropSuspectTimestamp(message, WallTime(), false));
  EXPECT_EQ(message.timestamp, std::nullopt);
  EXPECT_THAT(message.headers, SizeIs(6));
}

TEST(DropSuspectTimestampTest, AMessageWithoutATimestampIsNotJudged) {
  Record record = Heartbeat();
  record.time = WallTime(milliseconds(-1));
  WireMessage message = EncodeMessage(record, 1, kOrigin, Topics(), false);
  EXPECT_FALSE(DropSuspectTimestamp(message, WallTime::min(), true));
}

TEST(TopicForTest, EveryClassHasItsTopic) {
  const Topics topics;
  EXPECT_EQ(TopicFor(topics, RecordClass::kAlert, "acme"), "telemetry.alerts");
  EXPECT_EQ(TopicFor(topics, RecordClass::kGap, "acme"), "telemetry.gaps");
  EXPECT_EQ(TopicFor(topics, RecordClass::kReading, "acme"), "telemetry.raw");
}

TEST(TopicForTest, FillsInTheTenantEverywhere) {
  Topics topics;
  topics.reading = "{tenant}.raw.{tenant}";
  EXPECT_EQ(TopicFor(topics, RecordClass::kReading, "acme"), "acme.raw.acme");
}

TEST(CheckTopicTemplateTest, TakesWhatKafkaTakesForEveryTenant) {
  for (const char* good : {"telemetry.raw", "{tenant}", "a_{tenant}-b.{tenant}", "..."}) {
    EXPECT_TRUE(CheckTopicTemplate(good).ok()) << good;
  }
  for (const std::string& bad :
       {std::string(), std::string("."), std::string("a/b"), std::string("{asset}"),
        std::string("a b"), std::string(250, 'a'), "{tenant}" + std::string(186, 'a')}) {
    EXPECT_FALSE(CheckTopicTemplate(bad).ok()) << bad;
  }
}

TEST(DecodeHeadersTest, ReadsWhatEncodeWrote) {
  Record record = Heartbeat();
  record.record_class = RecordClass::kGap;
  record.time_source = TimeSource::kGateway;
  record.clock_synced = false;
  const Result<WireInfo> info =
      DecodeHeaders(EncodeMessage(record, 9, kOrigin, Topics(), true).headers);
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->id, "gw-7:1f2e3d4c:9");
  EXPECT_EQ(info->gateway, "gw-7");
  EXPECT_EQ(info->record_class, RecordClass::kGap);
  EXPECT_EQ(info->time_source, TimeSource::kGateway);
  EXPECT_FALSE(info->clock_synced);
  EXPECT_TRUE(info->replayed);
}

TEST(DecodeHeadersTest, SaysThatATimeWasCorrected) {
  const Result<WireInfo> info = DecodeHeaders({{"tg-clock", "synced"}, {"tg-restamped", "1"}});
  ASSERT_TRUE(info.ok());
  EXPECT_TRUE(info->clock_synced);
  EXPECT_TRUE(info->restamped);
}

TEST(DecodeHeadersTest, SaysThatATimeIsSuspect) {
  const Result<WireInfo> info = DecodeHeaders({{"tg-time-suspect", "1"}});
  ASSERT_TRUE(info.ok());
  EXPECT_TRUE(info->time_suspect);
  EXPECT_FALSE(DecodeHeaders({{"tg-time-suspect", "0"}}).ok());
}

TEST(DecodeHeadersTest, AForeignProducerLeavesTheDefaults) {
  const Result<WireInfo> info = DecodeHeaders({{"traceparent", "00-1"}});
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->id, "");
  EXPECT_EQ(info->record_class, std::nullopt);
  EXPECT_EQ(info->time_source, TimeSource::kSource);
  EXPECT_TRUE(info->clock_synced);
  EXPECT_FALSE(info->restamped);
  EXPECT_FALSE(info->replayed);
}

TEST(DecodeHeadersTest, ANewerSchemaIsKnownWhateverTheOtherHeadersSay) {
  EXPECT_EQ(NewerSchema({{"tg-kind", "of the future"}, {"tg-schema", "2"}}), "2");
  EXPECT_EQ(NewerSchema({{"tg-schema", "1"}}), std::nullopt);
  EXPECT_EQ(NewerSchema({{"tg-schema", "two"}}), std::nullopt);
  EXPECT_EQ(NewerSchema({}), std::nullopt);
}

TEST(DecodeHeadersTest, ASchemaThatIsTooLongIsNoNumber) {
  const std::string zeros(513, '0');
  EXPECT_EQ(NewerSchema({{"tg-schema", zeros + "2"}}), std::nullopt);
  const Result<WireInfo> info = DecodeHeaders({{"tg-schema", zeros + "2"}});
  ASSERT_FALSE(info.ok());
  EXPECT_LT(info.error().message.size(), 100u);
}

TEST(DecodeHeadersTest, ANewerSchemaIsRefusedByName) {
  const Result<WireInfo> info = DecodeHeaders({{"tg-schema", "2"}});
  ASSERT_FALSE(info.ok());
  EXPECT_EQ(info.error().code, ErrorCode::kRejected);
  EXPECT_THAT(info.error().message, HasSubstr("schema 2 is newer than 1"));
}

class BadHeaderTest : public ::testing::TestWithParam<std::pair<std::string, std::string>> {};

TEST_P(BadHeaderTest, IsRefused) {
  const Result<WireInfo> info = DecodeHeaders({GetParam()});
  ASSERT_FALSE(info.ok());
  EXPECT_EQ(info.error().code, ErrorCode::kRejected);
  EXPECT_THAT(info.error().message, HasSubstr(GetParam().first));
}

INSTANTIATE_TEST_SUITE_P(
    Values, BadHeaderTest,
    ::testing::Values(std::pair("tg-schema", ""), std::pair("tg-schema", "0"),
                      std::pair("tg-schema", "1x"), std::pair("tg-schema", "-1"),
                      std::pair("tg-kind", "heartbeats"), std::pair("tg-time", ""),
                      std::pair("tg-clock", "SYNCED"), std::pair("tg-replayed", "0"),
                      std::pair("tg-restamped", "yes"), std::pair("tg-id", std::string(513, 'a'))));

}  // namespace
}  // namespace tidegate
