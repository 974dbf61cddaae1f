// Erasure on a SQLite landing with two tenants whose assets have the same names.
#include "reader/erase/erasure.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <map>

#include "reader/database/landing.h"
#include "reader/erase/erase_command.h"
#include "tests/support/reader/reader_documents.h"

namespace tidegate::reader {
namespace {

constexpr const char* kDatabase = "fleet";

class ErasureTest : public testing::Test {
 protected:
  ErasureTest() {
    for (const char* tenant : {"acme", "globex"}) {
      for (const char* asset : {"truck-1", "truck-2", "17"}) {
        for (int i = 0; i < 3; ++i) Land("heartbeats", tenant, asset, i);
        Land("retired_stream", tenant, asset, 0);
        Project("assets", tenant, asset);
        Project("tidegate_folds", tenant, asset);
      }
    }
    EXPECT_TRUE(projections_->WritePositions(kDatabase, {{"t/0", 5}}, {}).ok());
  }

  void Land(const char* collection, const std::string& tenant, const std::string& asset, int n) {
    Document document = MakeDocument(tenant + "/" + asset + "/" + std::to_string(n),
                                     R"({"driver_name":"Ada of )" + tenant + "/" + asset + R"(."})",
                                     {kDatabase, collection});
    document.tenant = tenant;
    document.asset = asset;
    ASSERT_TRUE(store_->Write({&document, 1}).ok());
  }
  void Project(const char* collection, const std::string& tenant, const std::string& asset) {
    Projection projection{.key = {{kDatabase, collection}, tenant + "/" + asset}};
    projection.members["tenant_id"].is = tenant;
    projection.members["asset_id"].is = asset;
    ASSERT_TRUE(projections_->Save({&projection, 1}).ok());
  }
  std::map<std::string, uint64_t> Erase(Subject subject, bool remove) {
    const auto eraser = OpenEraser(uri_);
    EXPECT_TRUE(eraser.ok());
    Erasure erasure({.subject = std::move(subject), .remove = remove, .documents = 2}, **eraser,
                    [this](const Erasure::Line&) { ++steps_; });
    const Status status = erasure.Run(kDatabase);
    EXPECT_TRUE(status.ok()) << (status.ok() ? "" : status.error().message);
    std::map<std::string, uint64_t> lines;
    for (const Erasure::Line& line : erasure.lines()) lines[line.ns.collection] = line.documents;
    return lines;
  }
  // Everything in the files of the database.
  std::string Bytes() {
    std::string bytes;
    for (const char* end : {"", "-wal"}) {
      std::ifstream file(path_ + end, std::ios::binary);
      bytes.append(std::istreambuf_iterator<char>(file), {});
    }
    return bytes;
  }

  using Lines = std::map<std::string, uint64_t>;
  TemporaryFolder folder_;
  const std::string path_ = folder_.File("landing.db");
  const std::string uri_ = "sqlite:" + path_;
  Log log_{LogLevel::kError};
  std::unique_ptr<Landing> landing_ = OpenLanding(uri_).value();
  std::unique_ptr<DocumentStore> store_ = landing_->NewStore(log_).value();
  std::unique_ptr<ProjectionStore> projections_ = landing_->NewProjections().value();
  int steps_ = 0;
};

TEST_F(ErasureTest, CountingRemovesNothing) {
  const Lines expected{
      {"heartbeats", 9}, {"retired_stream", 3}, {"assets", 3}, {"tidegate_folds", 3}};
  EXPECT_EQ(Erase({"acme"}, false), expected);
  EXPECT_EQ(Erase({"acme"}, false), expected);
  EXPECT_EQ(steps_, 0);
}

TEST_F(ErasureTest, ATenantGoesFromEveryCollectionAndNoOtherDoes) {
  const Lines of_one = Erase({"globex"}, false);
  EXPECT_EQ(Erase({"acme"}, true), of_one);
  EXPECT_EQ(Erase({"acme"}, false), Lines());
  EXPECT_EQ(Erase({"acme"}, true), Lines());
  EXPECT_EQ(Erase({"globex"}, false), of_one);
  EXPECT_GT(steps_, 4);  // In several small removals.
  const auto positions = projections_->ReadPositions(kDatabase, std::vector<std::string>{"t/0"});
  EXPECT_EQ(positions->at("t/0"), 5);
}

TEST_F(ErasureTest, AnAssetGoesAloneAlsoIfItsNameIsANumber) {
  const Lines of_asset{
      {"heartbeats", 3}, {"retired_stream", 1}, {"assets", 1}, {"tidegate_folds", 1}};
  EXPECT_EQ(Erase({"acme", "17"}, true), of_asset);
  EXPECT_EQ(Erase({"acme", "truck-1"}, true), of_asset);
  EXPECT_EQ(Erase({"acme"}, false), of_asset);
  EXPECT_EQ(Erase({"globex", "truck-1"}, false), of_asset);
}

TEST_F(ErasureTest, TheFileNoLongerHoldsTheBytes) {
  ASSERT_NE(Bytes().find("Ada of acme/truck-1."), std::string::npos);
  Erase({"acme"}, true);
  EXPECT_EQ(Bytes().find("Ada of acme/"), std::string::npos);
  EXPECT_NE(Bytes().find("Ada of globex/truck-1."), std::string::npos);
}

TEST_F(ErasureTest, DocumentsOfOtherProgramsStay) {
  const auto eraser = OpenEraser(uri_).value();
  EXPECT_EQ(eraser->Collections("another").value(), std::vector<std::string>());
  const auto collections = eraser->Collections(kDatabase).value();
  EXPECT_EQ(std::ranges::count(collections, "tidegate_positions"), 0);
}

// The projections that a projector holds in memory when its asset is erased.
TEST_F(ErasureTest, AProjectionThatWasErasedIsNotSavedAgainAsItWas) {
  const DocumentKey key{{kDatabase, "assets"}, "acme/truck-1"};
  auto loaded = projections_->Load({&key, 1});
  ASSERT_EQ(loaded->front().revision, 1);
  Erase({"acme"}, true);
  EXPECT_EQ(projections_->Save(*loaded)->front(), SaveOutcome::kConflict);
  EXPECT_EQ(projections_->Load({&key, 1})->front().revision, 0);
}

TEST_F(ErasureTest, TheVerbCountsUnlessItIsTold) {
  Config config;
  config.landing = uri_;
  config.decoder.database = kDatabase;
  const Log silent{LogLevel::kError, [](LogLevel, std::string_view) {}};
  EXPECT_EQ(EraseSubject({.tenant = "a/b"}, config, silent), 2);
  EXPECT_EQ(EraseSubject({.tenant = "acme"}, config, silent), 0);
  EXPECT_FALSE(Erase({"acme"}, false).empty());
  EXPECT_EQ(EraseSubject({.tenant = "acme", .yes = true}, config, silent), 0);
  EXPECT_TRUE(Erase({"acme"}, false).empty());
  config.decoder.tenants = {"globex"};
  EXPECT_EQ(EraseSubject({.tenant = "acme"}, config, silent), 2) << "its own server is unknown";
  config.decoder.tenants = {};
  config.landing = "sqlite:" + folder_.File("none.db");
  EXPECT_EQ(EraseSubject({.tenant = "acme"}, config, silent), 2) << "it may be the wrong one";
}

}  // namespace
}  // namespace tidegate::reader
