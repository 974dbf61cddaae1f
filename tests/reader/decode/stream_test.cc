#include "reader/decode/stream.h"

#include <gtest/gtest.h>

namespace tidegate::reader {
namespace {

StreamTable Table(std::vector<Stream> streams) {
  return StreamTable::Make(std::move(streams)).value();
}

TEST(Stream, ASettingChangesWhatItNamesAndKeepsTheRest) {
  const auto stream = ParseStream("collection=beats", BuiltInStreams()[0]);
  ASSERT_TRUE(stream.ok());
  EXPECT_EQ(stream->collection, "beats");
  EXPECT_EQ(stream->topic, "telematics.raw.telematics_heartbeat");
}

TEST(Stream, ANewOneNeedsTopicAndCollection) {
  EXPECT_TRUE(ParseStream(" topic=a.b\tcollection=c  kind=reading ", {.name = "x"}).ok());
  EXPECT_FALSE(ParseStream("topic=a.b", {.name = "x"}).ok());
  EXPECT_FALSE(ParseStream("collection=a", {.name = "x"}).ok());
}

class BadStreams : public testing::TestWithParam<std::string_view> {};
TEST_P(BadStreams, AreRefused) {
  const auto stream = ParseStream(GetParam(), BuiltInStreams()[0]);
  ASSERT_FALSE(stream.ok());
  EXPECT_EQ(stream.error().code, ErrorCode::kInvalid);
}
INSTANTIATE_TEST_SUITE_P(Table, BadStreams,
                         testing::Values("topic", "topic=", "topic=a/b", "topic=a{tenant}b{tenant}",
                                         "topic=..", "topic=a$", "collection=system.users",
                                         "collection=.a", "collection=a$b", "kind=sale",
                                         "colection=a", "format=xml", "format=protobuf",
                                         "proto=a.proto", "unknown=drop", "id=", "id=a,b",
                                         "require=a,", "version=-1", "version=x"));

TEST(Stream, ItsTextReadsBackTheSame) {
  for (const char* text :
       {"topic=a collection=b kind=reading",
        "topic=a collection=b kind=sales format=protobuf "
        "proto=/x/y.proto message=p.M unknown=refuse id=no require=a,b version=3",
        "topic=a.{tenant} collection=b kind=machine id=offset"}) {
    const auto stream = ParseStream(text, {.name = "x"});
    ASSERT_TRUE(stream.ok()) << stream.error().message;
    EXPECT_EQ(ParseStream(StreamText(*stream), {.name = "x"}).value(), *stream);
  }
}

TEST(Stream, WhatABuiltInOneRequiresCanBeTakenBack) {
  EXPECT_TRUE(ParseStream("require=none", BuiltInStreams().back())->required.empty());
}

TEST(Stream, AProtobufStreamNeedsItsSchema) {
  EXPECT_TRUE(StreamTable::Make({BuiltInStreams().back()}).ok());
  Stream stream = BuiltInStreams().back();
  stream.message = "Nothing";
  const auto table = StreamTable::Make({stream});
  ASSERT_FALSE(table.ok());
  EXPECT_EQ(table.error().message, "stream sales: there is no message 'Nothing'");
}

TEST(Stream, ExactTopicsAreFound) {
  const StreamTable table = Table({BuiltInStreams().begin(), BuiltInStreams().end()});
  const auto match = table.Find("telemetry.alerts");
  ASSERT_TRUE(match);
  EXPECT_EQ(match->stream->name, "alert");
  EXPECT_TRUE(match->tenant.empty());
  EXPECT_FALSE(table.Find("telemetry.alert"));
}

TEST(Stream, APatternGivesTheTenant) {
  const StreamTable table = Table({{"a", "fleet.{tenant}.beat", "c", StreamKind::kHeartbeat}});
  EXPECT_EQ(table.Find("fleet.acme.beat")->tenant, "acme");
  EXPECT_EQ(table.Find("fleet.acme.north.beat")->tenant, "acme.north");
  EXPECT_FALSE(table.Find("fleet..beat"));
  EXPECT_FALSE(table.Find("fleet.beat"));
  EXPECT_FALSE(table.Find("xfleet.acme.beat"));
  EXPECT_EQ(table.Subscription(), std::vector<std::string>{"^fleet\\.[A-Za-z0-9._-]+\\.beat$"});
}

TEST(Stream, AnExactTopicGoesBeforeAPattern) {
  const StreamTable table = Table({{"p", "fleet.{tenant}", "p", StreamKind::kHeartbeat},
                                   {"e", "fleet.alerts", "e", StreamKind::kAlert}});
  EXPECT_EQ(table.Find("fleet.alerts")->stream->name, "e");
  EXPECT_EQ(table.Find("fleet.acme")->stream->name, "p");
}

TEST(Stream, TwoStreamsOfOneTopicAreRefused) {
  EXPECT_FALSE(StreamTable::Make({{"a", "t", "c", {}}, {"b", "t", "d", {}}}).ok());
  EXPECT_FALSE(StreamTable::Make({}).ok());
}

TEST(Stream, IndexesFollowTheTenancy) {
  const auto made = [](const Stream& stream, Tenancy tenancy) {
    std::vector<std::string> names;
    for (const Index& index : IndexesFor(stream, tenancy)) {
      if (!index.retired) names.push_back(index.name);
    }
    return names;
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(made(BuiltInStreams()[0], Tenancy::kShared),
            (Names{"timestamp_-1__id_-1", "tenant_id_1_timestamp_-1__id_-1",
                   "tenant_id_1_asset_id_1_timestamp_-1__id_-1"}));
  EXPECT_EQ(made(BuiltInStreams()[0], Tenancy::kDatabase),
            (Names{"timestamp_-1__id_-1", "asset_id_1_timestamp_-1__id_-1"}));
  EXPECT_EQ(made(BuiltInStreams()[5], Tenancy::kDatabase),
            (Names{"timestamp_-1__id_-1", "sku_time"}));
}

}  // namespace
}  // namespace tidegate::reader
