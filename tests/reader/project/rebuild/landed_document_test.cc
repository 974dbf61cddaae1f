#include "reader/project/rebuild/landed_document.h"

#include <gtest/gtest.h>

#include "core/time_format.h"
#include "reader/database/document_json.h"
#include "tests/support/reader/reader_documents.h"

namespace tidegate::reader {
namespace {

const Namespace kHeartbeats{"tidegate", "heartbeats"};

TEST(LandedDocumentTest, WhatWasLandedIsReadBack) {
  Document landed = MakeDocument("acme/truck-1/e1", R"({"speed":7.25,"timestamp":"x"})");
  landed.tenant = "acme";
  landed.asset = "truck-1";
  landed.time = *ParseTime("2025-06-23T00:37:01.250Z");
  landed.provenance = {.gateway = "gw-1",
                       .sequence_id = "gw-1:1:2",
                       .time = TimeOrigin::kGateway,
                       .clock_synced = false,
                       .topic = "t",
                       .partition = 3,
                       .offset = 5'000'000'000,
                       .received_at = *ParseTime("2025-06-23T00:38:00.000Z"),
                       .schema = 2,
                       .expires_at = *ParseTime("2025-07-23T00:38:00.000Z")};
  const auto read = ReadLandedDocument(kHeartbeats, DocumentJson(landed), BuiltInTable());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->ns, kHeartbeats);
  EXPECT_EQ(read->id, landed.id);
  EXPECT_EQ(read->tenant, "acme");
  EXPECT_EQ(read->asset, "truck-1");
  EXPECT_EQ(read->time, landed.time);
  EXPECT_EQ(read->value.root().Find("speed")->as_number(), 7.25);
  const Provenance& from = read->provenance;
  EXPECT_EQ(from.gateway, "gw-1");
  EXPECT_EQ(from.sequence_id, "gw-1:1:2");
  EXPECT_EQ(from.time, TimeOrigin::kGateway);
  EXPECT_FALSE(from.clock_synced);
  EXPECT_EQ(from.topic, "t");
  EXPECT_EQ(from.partition, 3);
  EXPECT_EQ(from.offset, 5'000'000'000);
  EXPECT_EQ(from.received_at, landed.provenance.received_at);
  EXPECT_EQ(from.expires_at, landed.provenance.expires_at);
  EXPECT_EQ(from.schema, 2u);
}

TEST(LandedDocumentTest, WithoutTenantAndAssetItHasNone) {
  const auto read =
      ReadLandedDocument(kHeartbeats,
                         R"({"_id":"1","timestamp":"2025-06-23T00:37:01.000Z","tenant_id":null,)"
                         R"("tidegate":{"topic":"t","partition":0,"offset":0}})",
                         BuiltInTable());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->tenant, "");
  EXPECT_EQ(read->asset, "");
  EXPECT_TRUE(read->provenance.clock_synced);
}

TEST(LandedDocumentTest, ItsStreamIsTheOneThatFollowsItsTopicNow) {
  const StreamTable streams = BuiltInTable();
  Document landed = MakeDocument("acme/truck-1/e1", "{}");
  const auto read = ReadLandedDocument(kHeartbeats, DocumentJson(landed), streams);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->stream, streams.Find(landed.provenance.topic)->stream);
  landed.provenance.topic = "renamed";
  EXPECT_EQ(ReadLandedDocument(kHeartbeats, DocumentJson(landed), streams)->stream, nullptr);
}

TEST(LandedDocumentTest, WhatDoesNotSayWhenAndWhereFromIsNone) {
  for (const char* text : {
           "",
           "7",
           "[]",
           "{}",
           R"({"timestamp":"2025-06-23T00:37:01.000Z"})",
           R"({"timestamp":"2025-06-23T00:37:01.000Z","tidegate":7})",
           R"({"timestamp":"2025-06-23T00:37:01.000Z","tidegate":{"partition":0,"offset":0}})",
           R"({"timestamp":"2025-06-23T00:37:01.000Z","tidegate":{"topic":"t","partition":0}})",
           R"({"timestamp":"2025-06-23T00:37:01.000Z",)"
           R"("tidegate":{"topic":"t","partition":-1,"offset":0}})",
           R"({"timestamp":"2025-06-23T00:37:01.000Z",)"
           R"("tidegate":{"topic":"t","partition":0,"offset":1.5}})",
           R"({"timestamp":"2025-06-23T00:37:01.000Z",)"
           R"("tidegate":{"topic":"t","partition":9999999999,"offset":0}})",
           R"({"timestamp":"soon","tidegate":{"topic":"t","partition":0,"offset":0}})",
       })
    EXPECT_FALSE(ReadLandedDocument(kHeartbeats, text, BuiltInTable())) << text;
}

}  // namespace
}  // namespace tidegate::reader
