// Projections expire with the last document that was folded into them, in a SQLite landing.
#include <gtest/gtest.h>

#include "reader/database/landing.h"
#include "reader/database/list_indexes.h"
#include "reader/project/folder.h"
#include "tests/support/reader/reader_documents.h"

namespace tidegate::reader {
namespace {

using std::chrono::hours;
constexpr hours kDay{24};
const Namespace kAssets{"fleet", "assets"};
const DocumentKey kTruck{kAssets, "acme/truck"};

class ProjectionExpiry : public testing::Test {
 protected:
  ProjectionExpiry() {
    EXPECT_TRUE(EnsureProjectionIndexes(*store_, "fleet", Tenancy::kShared, true).ok());
  }

  // Folds a document that is received after so many days, by a folder with an empty memory.
  void Fold(int day, std::optional<int> kept_days, bool keep_memory = false) {
    Document document = MakeDocument("acme/truck/" + std::to_string(day),
                                     R"({"driver_name":"Ada"})", {"fleet", "heartbeats"});
    document.stream = &BuiltInStreams()[0];
    document.tenant = "acme";
    document.asset = "truck";
    document.provenance.received_at = WallTime() + day * kDay;
    if (kept_days)
      document.provenance.expires_at = document.provenance.received_at + *kept_days * kDay;
    const Event event{&document, "t/0", day};
    if (!keep_memory) folder_.Forget();
    ASSERT_TRUE(folder_.Fold({&event, 1}).ok());
  }
  size_t Expire(int day) {
    size_t removed = 0;
    for (const auto& [collection, indexes] : ProjectionIndexes(Tenancy::kShared, true))
      removed += store_->Expire({"fleet", collection}, WallTime() + day * kDay, 100).value();
    return removed;
  }
  // 0: the asset is not there.
  int64_t Documents() {
    return projections_->Load({&kTruck, 1}).value()[0].members.Integer("documents");
  }

  TemporaryFolder folder_path_;
  Log log_{LogLevel::kError};
  std::unique_ptr<Landing> landing_ =
      OpenLanding("sqlite:" + folder_path_.File("landing.db")).value();
  std::unique_ptr<DocumentStore> store_ = landing_->NewStore(log_).value();
  std::unique_ptr<ProjectionStore> projections_ = landing_->NewProjections().value();
  Folder folder_{{}, {*projections_, *store_}};
};

TEST_F(ProjectionExpiry, AnAssetGoesWithItsLastDocument) {
  Fold(0, 10);
  Fold(5, 10);
  EXPECT_EQ(Expire(10), 0u);
  EXPECT_EQ(Documents(), 2);
  EXPECT_GT(Expire(15), 0u);
  EXPECT_EQ(Documents(), 0);
}

TEST_F(ProjectionExpiry, WithoutARetentionItStays) {
  Fold(0, 10);
  Fold(1, std::nullopt);
  EXPECT_EQ(Expire(1'000), 0u);
  EXPECT_EQ(Documents(), 2);
}

TEST_F(ProjectionExpiry, AnAssetThatReturnsBeginsAnew) {
  Fold(0, 10);
  Fold(20, 10);
  EXPECT_EQ(Documents(), 1);
  EXPECT_EQ(Expire(29), 0u);
}

// The projector still holds what the database has removed.
TEST_F(ProjectionExpiry, WhatWasRemovedDoesNotReturnFromMemory) {
  Fold(0, 10);
  Fold(1, 10, true);
  EXPECT_GT(Expire(11), 0u);
  Fold(12, 10, true);
  EXPECT_EQ(Documents(), 1);
}

// A document of an hour long past comes when that hour's aggregate and alert have expired.
TEST_F(ProjectionExpiry, WhatBeginsAnewHasItsNames) {
  for (int day : {0, 20}) {
    for (const Stream& stream : BuiltInStreams()) {
      if (stream.kind != StreamKind::kReading && stream.kind != StreamKind::kAlert) continue;
      Document document = MakeDocument("acme/truck/" + stream.name + std::to_string(day),
                                       R"({"rule":"hot","status":"raised","speed":3})",
                                       {"fleet", stream.collection});
      document.stream = &stream;
      document.asset = "truck";
      document.provenance.received_at += day * kDay;
      document.provenance.expires_at = document.provenance.received_at + 10 * kDay;
      const Event event{&document, stream.topic + "/0", day};
      ASSERT_TRUE(folder_.Fold({&event, 1}).ok());
    }
  }
  const std::string asset = "acme/truck/";
  const std::vector<DocumentKey> keys{
      {{"fleet", "aggregated_data"}, asset + "speed/1h/1750636800000"},
      {{"fleet", "alert_states"}, asset + "hot/1750639021000"}};
  const auto loaded = projections_->Load(keys);
  ASSERT_TRUE(loaded.ok());
  for (const Projection& projection : *loaded) {
    EXPECT_EQ(projection.members.Text("tenant_id"), "acme") << projection.key.id;
    EXPECT_EQ(projection.members.Text("asset_id"), "truck") << projection.key.id;
  }
  EXPECT_EQ((*loaded)[0].members.Text("sensor_type"), "speed");
  EXPECT_EQ((*loaded)[0].members.Integer("count"), 1);
  EXPECT_EQ((*loaded)[1].members.Text("rule"), "hot");
  EXPECT_EQ((*loaded)[1].members.Text("source"), "gateway");
}

TEST_F(ProjectionExpiry, ACollectionThatIsNotThereExpiresNothing) {
  EXPECT_EQ(store_->Expire({"fleet", "none"}, WallTime(), 10).value(), 0u);
}

}  // namespace
}  // namespace tidegate::reader
