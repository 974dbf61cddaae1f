// What single documents change, fold by fold; that order and repetition change nothing is
// replay_test.cc's.
#include "reader/project/fold.h"

#include <gtest/gtest.h>

#include "reader/decode/decoder.h"
#include "reader/project/folder.h"
#include "tests/support/reader/fake_document_store.h"
#include "tests/support/reader/memory_projection_store.h"
#include "tests/support/reader/reader_documents.h"

namespace tidegate::reader {
namespace {

class FoldTest : public testing::Test {
 protected:
  // The documents come one after the other in one partition of the stream's topic.
  void Fold(const std::string& stream, const std::string& members, const std::string& second,
            std::string_view gateway = "", WallTime received = {}) {
    FoldFrom(0, stream, members, second, gateway, received);
  }
  void FoldFrom(int32_t partition, const std::string& stream, const std::string& members,
                const std::string& second, std::string_view gateway = "", WallTime received = {}) {
    const Stream& of = *streams_.Find(Topic(stream))->stream;
    SourceMessage message{.partition = {of.topic, partition},
                          .offset = next_++,
                          .timestamp = std::nullopt,
                          .key = std::nullopt,
                          .value = R"({"tenant_id":"acme","asset_id":"press/1","timestamp":)"
                                   R"("2025-06-23T00:37:)" +
                                   second + R"(.000Z")" + (members.empty() ? "" : "," + members) +
                                   "}",
                          .headers = {}};
    if (!gateway.empty()) {
      message.headers = {{"tg-id", "gw:1:" + std::to_string(next_)},
                         {"tg-gateway", std::string(gateway)},
                         {"tg-time", "source"}};
    }
    auto decoded = decoder_.Decode(message, received);
    ASSERT_TRUE(std::holds_alternative<Document>(decoded)) << Describe(std::get<Refusal>(decoded));
    const Document& document = std::get<Document>(decoded);
    const std::vector<Event> events{{&document, PartitionName(message.partition), message.offset}};
    ASSERT_EQ((with_ ? *with_ : *folder_).Fold(events).ok(), !fails_);
  }
  std::string Topic(const std::string& stream) {
    for (const Stream& one : BuiltInStreams())
      if (one.name == stream) return one.topic;
    return "";
  }
  void SetRule(std::string_view text) {
    options_.folds.rules = {ParseRule("hot", text).value()};
    folder_.emplace(options_, Folder::Parts{store_, documents_});
  }
  // As JSON; empty if it is not there.
  std::string Get(const std::string& collection, const std::string& id) {
    const auto found = database_.projections.find({{"tidegate", collection}, id});
    return found == database_.projections.end() ? "" : ToJson(found->second.members);
  }
  size_t Count(std::string_view collection) {
    size_t count = 0;
    for (const auto& [key, projection] : database_.projections)
      count += key.ns.collection == collection;
    return count;
  }

  StreamTable streams_ = BuiltInTable();
  Decoder decoder_{{}, streams_};
  MemoryDatabase database_;
  MemoryProjectionStore store_{database_};
  FakeDocumentStore documents_;
  Folder::Options options_;
  std::optional<Folder> folder_{std::in_place, options_, Folder::Parts{store_, documents_}};
  int64_t next_ = 0;
  bool fails_ = false;      // Folds are to fail.
  Folder* with_ = nullptr;  // Another process's folder.
};

TEST_F(FoldTest, TheRegistryKeepsWhenAnAssetWasSeenAndASummaryOfItsNewestDocument) {
  Fold("heartbeat", R"("status":"active","location":{"latitude":1.5,"longitude":2})", "10");
  Fold("telemetry", R"("temperature_c":20.5)", "30");
  Fold("heartbeat", R"("status":"late")", "20");
  EXPECT_EQ(Get("assets", "acme/press%2F1"),
            R"({"tenant_id":"acme","asset_id":"press/1","first_seen":"2025-06-23T00:37:10.000Z",)"
            R"("last_seen":"2025-06-23T00:37:30.000Z","documents":3,"last":{"stream":"telemetry",)"
            R"("timestamp":"2025-06-23T00:37:30.000Z","temperature_c":20.5}})");
}

TEST_F(FoldTest, AClockThatIsAheadHidesNothingThatComesLater) {
  const auto received = WallTime(std::chrono::seconds(1'750'639'000));  // 00:36:40
  SetRule("temperature_c > 50");
  for (const char* failure : {"false", "true"}) {
    // 58 minutes ahead.
    Fold("machine", "\"failure\":" + std::string(failure), "10", "",
         received - std::chrono::hours(1));
  }
  const std::string early = Get("assets", "acme/press%2F1");
  EXPECT_NE(early.find(R"("last_seen":"2025-06-22T23:41:40.000Z")"), std::string::npos) << early;
  EXPECT_NE(early.find(R"("timestamp":"2025-06-23T00:37:10.000Z")"), std::string::npos) << early;
  Fold("machine", R"("failure":false)", "20", "", received);
  EXPECT_NE(Get("failures", "acme/press%2F1/1750635700000").find(R"("active":false)"),
            std::string::npos);
  Fold("machine", R"("temperature_c":60)", "30", "", received);
  EXPECT_EQ(documents_.count(), 1u);
  EXPECT_NE(Get("assets", "acme/press%2F1").find(R"("last_seen":"2025-06-23T00:37:30.000Z")"),
            std::string::npos);
}

TEST_F(FoldTest, ASummaryIsBounded) {
  std::string members = R"("long":")" + std::string(300, 'x') + R"(","big":[1)";
  for (int i = 0; i < 600; ++i) members += ",1";
  members += "]";
  for (int i = 0; i < 100; ++i) members += ",\"m" + std::to_string(i) + "\":" + std::to_string(i);
  Fold("heartbeat", members, "10");
  const std::string asset = Get("assets", "acme/press%2F1");
  EXPECT_LT(asset.size(), 1'000u);
  EXPECT_EQ(asset.find("long"), std::string::npos);
  EXPECT_EQ(asset.find("big"), std::string::npos);
  EXPECT_NE(asset.find("\"m0\":0"), std::string::npos);
}

TEST_F(FoldTest, NumbersAreAggregatedByWindow) {
  Fold("telemetry", R"("temperature_c":20,"additional_data":{"rpm":7},"ok":true,"note":"5")", "10");
  Fold("telemetry", R"("temperature_c":-1.5)", "59");
  EXPECT_EQ(
      Get("aggregated_data", "acme/press%2F1/temperature_c/1h/1750636800000"),
      R"({"tenant_id":"acme","asset_id":"press/1","sensor_type":"temperature_c","window":"1h",)"
      R"("timestamp":"2025-06-23T00:00:00.000Z","count":2,"sum":18.5,"min":-1.5,"max":20})");
  EXPECT_NE(Get("aggregated_data", "acme/press%2F1/rpm/1h/1750636800000"), "");
  EXPECT_EQ(Count("aggregated_data"), 2u);
}

TEST_F(FoldTest, ANumberThatIsAnIdMeasuresNothing) {
  Fold("telemetry", R"("event_id":5,"driver_id":7,"lat":1,"x":1e999)", "10");
  EXPECT_EQ(Count("aggregated_data"), 0u);
}

// Notes how many projections one call loads at most.
class MeasuredStore final : public MemoryProjectionStore {
 public:
  using MemoryProjectionStore::MemoryProjectionStore;
  Result<std::vector<Projection>> Load(std::span<const DocumentKey> keys) override {
    most = std::max(most, keys.size());
    return MemoryProjectionStore::Load(keys);
  }
  size_t most = 0;
};

TEST_F(FoldTest, ABatchThatChangesManyProjectionsIsFoldedInParts) {
  std::string numbers;
  for (int i = 0; i < 60; ++i) numbers += ",\"s" + std::to_string(i) + "\":1";
  std::vector<Document> documents;
  for (int i = 0; i < 40; ++i) {
    SourceMessage message{.partition = {Topic("telemetry"), 0},
                          .offset = i,
                          .timestamp = std::nullopt,
                          .key = std::nullopt,
                          .value = R"({"tenant_id":"acme","asset_id":"a","timestamp":)" +
                                   std::to_string(1'750'639'000 - i * 3'600) + numbers + "}",
                          .headers = {}};
    documents.push_back(std::get<Document>(decoder_.Decode(message, {})));
  }
  std::vector<Event> events;
  for (const Document& document : documents)
    events.push_back(
        {&document, PartitionName({Topic("telemetry"), 0}), document.provenance.offset});
  MeasuredStore store(database_);
  Folder::Options options;
  options.changes = 100;
  options.cached = 10;
  Folder folder(options, {store, documents_});
  ASSERT_TRUE(folder.Fold(events).ok());
  EXPECT_LE(store.most, 200u);
  EXPECT_EQ(folder.applied(), 40u);
  EXPECT_EQ(Count("aggregated_data"), 60u * 40u);
  const auto asset = database_.projections.at({{"tidegate", "assets"}, "acme/a"});
  EXPECT_EQ(asset.members.Integer("documents"), 40);
}

TEST_F(FoldTest, AFailureBeginsAndEndsWithWhatTheMachineSays) {
  Fold("machine", R"("event_id":"a","failure":false)", "10");
  Fold("machine", R"("event_id":"b","failure":true)", "20");
  Fold("machine", R"("event_id":"c","rpm":3)", "30");
  EXPECT_EQ(Get("failures", "acme/press%2F1/1750639040000"),
            R"({"tenant_id":"acme","asset_id":"press/1","started_at":"2025-06-23T00:37:20.000Z",)"
            R"("ended_at":null,"active":true,"readings":2,)"
            R"("reading_ids":["acme/press%2F1/b","acme/press%2F1/c"]})");
  Fold("machine", R"("event_id":"late","failure":false)", "25");
  Fold("machine", R"("event_id":"d","failure":false)", "40");
  EXPECT_EQ(Get("failures", "acme/press%2F1/1750639040000"),
            R"({"tenant_id":"acme","asset_id":"press/1","started_at":"2025-06-23T00:37:20.000Z",)"
            R"("ended_at":"2025-06-23T00:37:40.000Z","active":false,"readings":2,)"
            R"("reading_ids":["acme/press%2F1/b","acme/press%2F1/c"]})");
  Fold("machine", R"("failure":true)", "50");
  EXPECT_EQ(Count("failures"), 2u);
}

TEST_F(FoldTest, AnEpisodeEndsByAnotherPartitionThanItBeganBy) {
  SetRule("rpm > 50");
  FoldFrom(0, "machine", R"("failure":true,"rpm":60)", "10");
  FoldFrom(1, "machine", R"("failure":false,"rpm":40)", "20");  // Partitions were added.
  EXPECT_NE(Get("failures", "acme/press%2F1/1750639030000")
                .find(R"("ended_at":"2025-06-23T00:37:20.000Z","active":false)"),
            std::string::npos);
  EXPECT_TRUE(documents_.Has("acme/press%2F1/hot/1750639030000/cleared"));
  EXPECT_NE(Get("alert_states", "acme/press%2F1/hot/1750639030000").find(R"("status":"cleared")"),
            std::string::npos);
  // What the first one still holds from before is late.
  FoldFrom(0, "machine", R"("failure":true,"rpm":70)", "15");
  EXPECT_EQ(Count("failures"), 1u);
  EXPECT_EQ(documents_.count(), 2u);
}

TEST_F(FoldTest, ABatchIsTakenInTheOrderOfTimeAcrossPartitions) {
  std::vector<Document> documents;
  std::vector<Event> events;
  const auto add = [&](int32_t partition, int64_t offset, const char* failure, const char* second) {
    SourceMessage message{.partition = {Topic("machine"), partition},
                          .offset = offset,
                          .timestamp = std::nullopt,
                          .key = std::nullopt,
                          .value = R"({"tenant_id":"acme","asset_id":"press","failure":)" +
                                   std::string(failure) + R"(,"timestamp":"2025-06-23T00:37:)" +
                                   second + R"(Z"})",
                          .headers = {}};
    documents.push_back(std::get<Document>(decoder_.Decode(message, WallTime())));
  };
  add(0, 0, "true", "10");
  add(0, 1, "true", "30");
  add(0, 2, "true", "12");  // It is late in its own partition, and stays so.
  add(1, 0, "false", "20");
  add(1, 1, "false", "40");
  for (size_t i = 0; i < documents.size(); ++i) {
    const Provenance& from = documents[i].provenance;
    events.push_back({&documents[i], PartitionName({from.topic, from.partition}), from.offset});
  }
  ASSERT_TRUE(folder_->Fold(events).ok());
  EXPECT_NE(Get("failures", "acme/press/1750639030000").find(R"("active":false,"readings":1)"),
            std::string::npos);
  EXPECT_NE(Get("failures", "acme/press/1750639050000").find(R"("active":false,"readings":1)"),
            std::string::npos);
  EXPECT_EQ(Count("failures"), 2u);
}

// Two processes have the asset's two partitions. The second one saves first, so that the reading of
// the first one is late: it must not leave an episode that nothing ends.
TEST_F(FoldTest, AFoldThatAnotherOvertakesHasNoEffect) {
  FoldFrom(0, "machine", R"("rpm":1)", "05");  // The state is in memory now.
  Folder other(options_, {store_, documents_});
  with_ = &other;
  FoldFrom(1, "machine", R"("failure":false)", "20");
  with_ = nullptr;
  FoldFrom(0, "machine", R"("failure":true)", "10");
  EXPECT_GT(folder_->conflicts(), 0u);
  EXPECT_EQ(Count("failures"), 0u);
}

// The process ends between the save of an asset's state and the save of what follows from it.
TEST_F(FoldTest, WhatFollowsIsFoldedAgainAfterACrash) {
  SetRule("rpm > 50");
  documents_.TakeDown();  // Alerts follow first.
  fails_ = true;
  Fold("machine", R"("failure":true,"rpm":60)", "10");
  documents_.Restore();
  EXPECT_EQ(Count("failures"), 0u);
  EXPECT_EQ(Count("tidegate_folds"), 1u);
  folder_.emplace(options_, Folder::Parts{store_, documents_});
  next_ = 0;
  fails_ = false;
  Fold("machine", R"("failure":true,"rpm":60)", "10");
  EXPECT_EQ(Count("failures"), 1u);
  EXPECT_EQ(Count("alert_states"), 1u);
  EXPECT_EQ(documents_.count(), 1u);
}

TEST_F(FoldTest, ARefusedProjectionIsSetAsideAndTheOthersGoOn) {
  database_.refused.insert("acme/press%2F1");
  Fold("telemetry", R"("temperature_c":20)", "10");
  Fold("telemetry", R"("temperature_c":21)", "20");
  EXPECT_EQ(Count("assets"), 0u);
  EXPECT_NE(
      Get("aggregated_data", "acme/press%2F1/temperature_c/1h/1750636800000").find(R"("count":2)"),
      std::string::npos);
  EXPECT_EQ(folder_->saves_refused(), 1u);
  EXPECT_EQ(folder_->last_refused(), "tidegate.assets acme/press%2F1");
}

TEST_F(FoldTest, OnlyWhatChangesSomethingCounts) {
  Fold("telemetry", R"("temperature_c":20)", "10");
  EXPECT_EQ(folder_->applied(), 1u);
  next_ = 0;
  Fold("telemetry", R"("temperature_c":20)", "10");
  EXPECT_EQ(folder_->applied(), 1u);
}

TEST_F(FoldTest, AGatewaysAlertIsOneStateWhicheverComesFirst) {
  const std::string rest = R"(,"rule":"hot","field":"rpm","severity":"critical","message":"m",)"
                           R"("raised_at":"2025-06-23T00:37:05.000Z")";
  Fold("alert", R"("status":"cleared","value":40)" + rest, "20");
  Fold("alert", R"("status":"raised","value":60)" + rest, "05");
  EXPECT_EQ(Get("alert_states", "acme/press%2F1/hot/1750639025000"),
            R"({"tenant_id":"acme","asset_id":"press/1","rule":"hot",)"
            R"("raised_at":"2025-06-23T00:37:05.000Z","cleared_at":"2025-06-23T00:37:20.000Z",)"
            R"("source":"gateway","field":"rpm","severity":"critical","value":60,"message":"m",)"
            R"("status":"cleared"})");
}

TEST_F(FoldTest, AnotherProducersAlertMayNameItsRuleAndFieldAsTheTelemetrySystemDoes) {
  Fold("alert", R"("alert_type":"HIGH","sensor_type":"rpm","value":9,"severity":"low")", "10");
  Fold("alert", R"("alert_type":"LOW","value":1,"severity":"low")", "10");
  const std::string high = Get("alert_states", "acme/press%2F1/HIGH/1750639030000");
  EXPECT_NE(high.find(R"("rule":"HIGH")"), std::string::npos) << high;
  EXPECT_NE(high.find(R"("field":"rpm")"), std::string::npos) << high;
  const std::string low = Get("alert_states", "acme/press%2F1/LOW/1750639030000");
  EXPECT_NE(low.find(R"("field":null)"), std::string::npos) << low;
}

TEST_F(FoldTest, ARuleRaisesAndClearsForADeviceWithoutAGateway) {
  SetRule("temperature_c > 50 clear 45 severity critical");
  Fold("telemetry", R"("temperature_c":60)", "10");
  EXPECT_TRUE(documents_.Has("acme/press%2F1/hot/1750639030000/raised"));
  const std::string raised = Get("alert_states", "acme/press%2F1/hot/1750639030000");
  EXPECT_NE(
      raised.find(R"("source":"server","field":"temperature_c","severity":"critical","value":60)"),
      std::string::npos)
      << raised;
  Fold("telemetry", R"("temperature_c":47)", "20");
  EXPECT_EQ(documents_.count(), 1u);
  Fold("telemetry", R"("temperature_c":44)", "30");
  EXPECT_TRUE(documents_.Has("acme/press%2F1/hot/1750639030000/cleared"));
  EXPECT_NE(Get("alert_states", "acme/press%2F1/hot/1750639030000")
                .find(R"("cleared_at":"2025-06-23T00:37:30.000Z")"),
            std::string::npos);
}

TEST_F(FoldTest, BehindAGatewayItsOwnRulesApply) {
  SetRule("temperature_c > 50");
  Fold("telemetry", R"("temperature_c":60)", "10", "gw-1");
  EXPECT_EQ(documents_.count(), 0u);
  EXPECT_EQ(Count("alert_states"), 0u);
}

TEST_F(FoldTest, ARuleMayCompareAnAsLongTextAsAMessageHolds) {
  SetRule("note != calm");
  std::string quotes;
  for (int i = 0; i < 500'000; ++i) quotes += "\\\"";  // Escaped, and once more in the message.
  Fold("telemetry", R"("note":")" + quotes + "\"", "10");
  EXPECT_EQ(documents_.count(), 1u);
}

TEST_F(FoldTest, AnAlertThatTheDatabaseDoesNotTakeIsCounted) {
  SetRule("temperature_c > 50");
  documents_.Reject("acme/press%2F1/hot/1750639030000/raised");
  Fold("telemetry", R"("temperature_c":60)", "10");
  EXPECT_EQ(folder_->alerts_refused(), 1u);
}

TEST_F(FoldTest, WhatAGatewayGaveUpIsALoss) {
  Fold("gap",
       R"("gateway_id":"gw-1","epoch":"e","class":"reading","first_seq":5,"last_seq":9,"count":4,)"
       R"("reason":"store full")",
       "10");
  ASSERT_EQ(Count("losses"), 1u);
  for (const auto& [key, loss] : database_.projections) {
    if (key.ns.collection != "losses") continue;
    EXPECT_EQ(
        ToJson(loss.members),
        R"({"kind":"gap","tenant_id":"acme","gateway_id":"gw-1","topic":"telemetry.gaps","partition":0,)"
        R"("from":5,"to":9,"count":4,"reason":"store full",)"
        R"("timestamp":"2025-06-23T00:37:10.000Z"})");
  }
}

TEST(FoldDeathTest, AnEventWithoutADocumentAborts) {
  Effects effects;
  EXPECT_DEATH(FoldDocument(Event{nullptr, "t/0", 0}, {}, effects),
               "an event has a document that carries its stream");
}

}  // namespace
}  // namespace tidegate::reader
